// What nodes say to each other, as right as it can be, for hostile.slow.test.mjs to make wrong, and the ways by which it
// is published.
import { encode } from 'notepack.io';
import { mutant } from './hostile.mjs';

const opts = () => ({ rooms: ['room'], except: ['nobody'], flags: { compress: true } });
const nowhere = () => ({ rooms: ['nobody'], except: ['room'], flags: {} });
const packet = () => ({ type: 2, data: ['hostile', { a: [1, 'x'], b: Buffer.from('bytes') }], nsp: '/' });
const handshake = () => ({ headers: {}, auth: {}, query: {}, issued: 1, time: '', url: '', address: '' });
const socket = () => ({ id: 'x'.repeat(20), handshake: handshake(), rooms: ['a'], data: {} });

// The classic adapter's: what goes to which channel.
const classic = {
  channels: ({ sid, uid }) => [
    'socket.io#/#', 'socket.io#/#room#', `socket.io#/#${sid}#`, 'socket.io#/#nobody#', 'socket.io#/##', 'socket.io#/#x',
    'socket.io-request#/#', 'socket.io-response#/#', `socket.io-response#/#${uid}#`,
  ],
  messages: (requestId) => [
    ['abcdef', packet(), opts()], ['emitter', packet(), { rooms: [], flags: {}, except: [] }],
    { uid: 'abcdef', requestId, type: 0, rooms: ['room'] }, { uid: 'abcdef', requestId, type: 1 },
    { uid: 'abcdef', type: 2, opts: nowhere(), rooms: ['joined'] }, { uid: 'abcdef', type: 3, opts: nowhere(), rooms: ['joined'] },
    { uid: 'abcdef', requestId, type: 2, sid: 'nobody', room: 'x' }, { uid: 'abcdef', requestId, type: 5, opts: opts() },
    { uid: 'abcdef', requestId, type: 6, data: ['ask', 1] }, { uid: 'abcdef', type: 6, data: ['note', 1] },
    { uid: 'abcdef', requestId, type: 7, packet: packet(), opts: opts() },
  ],
  answers: (requestId) => [
    { requestId, sockets: ['a', 'b'] }, { requestId, rooms: ['a'] }, { requestId, sockets: [socket(), socket()] },
    { type: 6, requestId, data: 'answer' }, { type: 8, requestId, clientCount: 1 }, { type: 9, requestId, packet: ['answer'] },
  ],
  kick: () => ({ uid: 'abcdef', type: 4, opts: { rooms: ['room'], except: [] }, close: true }),
  broadcast: (one) => encode(['emitter', { ...one, nsp: '/' }, { rooms: [], except: [], flags: {} }]),
};

const cluster = (uid, requestId) => [
  { type: 1 }, { type: 2 }, { type: 13 }, { type: 3, data: { packet: packet(), opts: opts() } },
  { type: 3, data: { packet: packet(), requestId, opts: opts() } }, { type: 4, data: { opts: nowhere(), rooms: ['joined'] } },
  { type: 5, data: { opts: nowhere(), rooms: ['joined'] } }, { type: 7, data: { opts: opts(), requestId } },
  { type: 9, data: { packet: ['note', 1] } }, { type: 9, data: { requestId, packet: ['ask', 1] } },
].map((one) => ({ ...one, uid, nsp: '/' }));
const ofCluster = {
  channels: ({ sid, uid }) => ['socket.io#/#', 'socket.io#/#room#', `socket.io#/#${uid}#`, `socket.io#/#${sid}#`],
  messages: (requestId) => cluster('0123456789abcdef', requestId),
  answers: (requestId) => [
    { type: 8, data: { requestId, sockets: [socket(), socket()] } }, { type: 10, data: { requestId, packet: 'answer' } },
    { type: 11, data: { requestId, clientCount: 1 } }, { type: 12, data: { requestId, packet: ['answer'] } },
  ].map((one) => ({ ...one, uid: '0123456789abcdef', nsp: '/' })),
  kick: () => ({ type: 6, data: { opts: { rooms: ['room'], except: [] }, close: true }, uid: '0123456789abcdef', nsp: '/' }),
  broadcast: (one) => encode({ type: 3, data: { packet: one, opts: { rooms: [], except: [], flags: {} } }, uid: 'emitter', nsp: '/' }),
};

export const vocabulary = (kind) => (kind === 'classic' ? classic : ofCluster);

// An entry of a stream with the message, of which anything may be wrong.
export function entry(message, chance) {
  const { uid, nsp, type, data } = message ?? {};
  const text = chance.below(3) ? JSON.stringify(data) : encode(data === undefined ? null : data).toString('base64');
  const fields = Object.entries({ uid, nsp, type, data: text }).filter(() => chance.below(20))
    .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value) ?? '']);
  const odd = ['', '{', 'gA==', '%%%', '3', 'x'.repeat(1000), '{"packet":1}'];
  if (!chance.below(8)) fields.push([chance.pick(['data', 'nsp', 'type', '', 'x']), chance.pick(odd)]);
  const hurt = fields.map(([name, value]) => [name, chance.below(12) ? value : value.slice(0, chance.below(value.length + 1))]);
  return hurt.length ? hurt.flat() : ['x', 'y'];
}

export const anything = (list, chance) => mutant(chance.pick(list), chance);
