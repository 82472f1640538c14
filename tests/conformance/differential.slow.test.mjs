// Inputs that nobody thought of: both sides are sent the same, made by a generator that a seed decides, and must answer
// alike. CONFORMANCE_SEED makes others, CONFORMANCE_TRIES more of them.
import { sameOnBothSides, ask } from './lib/compare.mjs';
import { Polling } from './lib/engine_client.mjs';
import { afterSending } from './lib/packets.mjs';

const tries = Number(process.env.CONFORMANCE_TRIES ?? 60);

let state = Number(process.env.CONFORMANCE_SEED ?? 1);
const random = () => {
  state = (state * 1103515245 + 12345) % 2147483648;
  return state / 2147483648;
};
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];
const several = (most, make) => Array.from({ length: below(most + 1) }, make);

// --- Socket.IO ---

const scraps = ['[', ']', '{', '}', '"', ':', ',', '1', '-', '0', '.', 'e', '+', 'null', 'true', 'false', '"a"', '"b":',
  '\\u00', '\\ud834', 'é', ' ', '\\n', '\\', '"echo"',
  '2.50', '1e5', '{}', '[]', '"\\udd1e"', '""', '1E-7', '{"a":1}', '0.1', '9007199254740993', '"__proto__":', '"1":', '"2":'];
const characters = [10, 34, 92, 0x41, 0xe9, 0x20ac, 0xd834, 0xdd1e, 0x2028, 0, 127, 0xfffe];
const keys = ['a', 'b', '1', '0', '10', '-1', '01', '4294967294', '4294967295', '', 'é',
  '__proto__', 'toJSON', '_placeholder', 'num', '1.5', ' 1'];

const number = () => pick([
  () => (random() * 10 ** pick([0, 3, 8, 17, 22, 40, -5, -10])).toPrecision(pick([1, 3, 10, 17, 21])),
  () => `${pick(['-', ''])}${below(1e9)}${below(1e9)}`,
  () => `${below(100)}.${'0'.repeat(below(5))}${below(100)}e${pick(['+', '-', ''])}${below(330)}`,
  () => pick(['-0', '0', '1.0']),
])();
const text = () => JSON.stringify(String.fromCharCode(...several(6, () => pick(characters))));
function value(depth = 0) {
  const member = () => `${JSON.stringify(pick(keys))}:${value(depth + 1)}`;
  const make = pick(depth > 3 ? [number, text] : [number, text, () => pick(['true', 'false', 'null']), number, text,
    () => `[${several(3, () => value(depth + 1)).join()}]`, () => `{${several(3, member).join()}}`]);
  return make();
}

const event = (json) => ['40', `42["echo",${json}]`];
const bodies = ['', '["echo",1]', '[]', '{}', '["echo",{"_placeholder":true,"num":0}]', '["echo"] ', '[1]', '"x"', 'null',
  '{"a":1}', '["message"', '[{"_placeholder":true,"num":0}]'];
const header = () => ['40', '40/custom,', [
  '4', pick(['0', '1', '2', '3', '4', '5', '6', '7', '']), pick(['', '', '1-', '2-', '0-', '-', '11-']),
  pick(['', '', '/custom,', '/custom', '/', '/x,', ',', '/custom,,']), pick(['', '', '0', '12', '007', '-1', '1.5']),
  pick(bodies),
].join(''), ...(random() < 0.3 ? [Buffer.from('ab')] : [])];
const steps = ['40', '40', '41', '40/custom,', '41/custom,', '42["echo",1]', '42/custom,["echo",2]', '421["echo"]', '431[1]',
  '40/guarded,{"refusal":"a"}', '40/guarded,', '41/guarded,', '42/guarded,["echo",3]', '40/dynamic-1,',
  '42/dynamic-1,5["self"]', '42["bye",false]', '42/custom,["bye",false]', '423["join","a"]', '427["self"]', '42["bye",true]',
  '40/custom', '42["ask",5000,"q"]', '430["x"]', '40/asked-1,{"token":"good"}'];

const conversations = {
  'scraps of JSON': () => event(`${pick(scraps)}${several(5, () => pick(scraps)).join('')}`),
  'values': () => event(`${value()},${value()}`),
  'headers': header,
  'sequences': () => several(8, () => pick(steps)),
};
sameOnBothSides('random packets', ['app_server'], (same) => {
  for (const [kind, make] of Object.entries(conversations)) {
    for (let i = 0; i < tries; i += 1) {
      const messages = make();
      same(`${kind}: ${JSON.stringify(messages).slice(0, 200)}`, (server, world) => afterSending(server, world, messages));
    }
  }
});

// --- Engine.IO ---

const payloads = {
  4: [
    '4a', '4', '1', '2', '3', '5', '6', '0', '7', 'bAQID', 'bA', 'b', 'b=', '\x1e', '4é', 'x', '2probe', '4\x1e',
    'b-_', ' ', '44',
  ],
  3: [
    '2:4a', '1:4', '1:1', '1:2', '1:3', '1:6', '1:7', '6:b4AQID', '1:b', '2:4é', '3:4𝄞', '0:', ':', '3:', '2:4', '4a',
    '12:', '02:4a', '5:4abc', '2:b4',
  ],
};
for (const eio of ['4', '3']) {
  sameOnBothSides(`random payloads of revision ${eio}`, ['engine_server', '--eio3'], (same) => {
    for (let i = 0; i < tries; i += 1) {
      const body = [pick(payloads[eio]), ...several(3, () => pick(payloads[eio]))].join(eio === '4' && random() < 0.8 ? '\x1e' : '');
      same(JSON.stringify(body), async (server) => {
        const session = await Polling.open(server, { eio });
        const told = [await session.post(body), await session.post(eio === '3' ? '7:4marker' : '4marker')];
        while (told.at(-1).status === 200 && !told.at(-1).text.includes('4marker')) told.push(await session.get());
        return told.map(({ status, text: said }) => [status, said]);
      });
    }
  });
}

const queries = ['EIO=4', 'EIO=3', 'EIO', 'EIO=', 'EIO=4 ', 'transport=polling', 'transport=websocket', 'transport=',
  'transport=x', 'sid=', 'sid', 'sid=abc', 'j=1', 'j', 'j=%31', 'b64=1', 't=a', '%45IO=4', 'EIO=%34', '=', '',
  'transport=poll+ing', 'transport=polling%', 'EIO=4%00', 'EIO=4;transport=polling', 'EIO[]=4', 'sid=%', 'eio=4'];
sameOnBothSides('random queries', ['engine_server', '--eio3'], (same) => {
  for (let i = 0; i < tries; i += 1) {
    const target = `/engine.io/?${several(5, () => pick(queries)).join('&').replaceAll(' ', '%20')}`;
    const method = pick(['GET', 'GET', 'GET', 'POST', 'OPTIONS', 'HEAD', 'PUT']);
    same(`${method} ${target}`, (server) => ask(server, target, { method }));
  }
});
