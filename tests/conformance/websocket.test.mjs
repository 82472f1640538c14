// RFC 6455 as Node.js's server keeps it: handshakes, frames, control frames, close codes, UTF-8, lengths.
import assert from 'node:assert/strict';
import { sameOnBothSides, essence } from './lib/compare.mjs';
import { Polling, query } from './lib/engine_client.mjs';
import { closing, frame, handshake, op, parsed } from './lib/frames.mjs';
import { onBothSides } from './lib/requirements.mjs';
import { upgrade } from '../e2e/http/websocket.mjs';
import { until } from '../e2e/lib/deadline.mjs';

const target = '/engine.io/?EIO=4&transport=websocket';
const last = '4the last of them';
const small = ['--max-payload', '100000'];

// Sends `bytes` to a new session and tells what comes back: until the server's Close frame, which is answered, or the
// echo of a message sent after them.
async function afterSending(server, world, ...bytes) {
  const { connection } = await handshake(world, server, target);
  await connection.reads((c) => parsed(c.received).length === 1); // the open packet
  for (const part of bytes) {
    connection.send(part);
    await new Promise(setImmediate);
  }
  connection.send(frame(op.text, last));
  return { frames: (await untilClosed(connection, ([, , body]) => body === last)).slice(1) };
}

// The frames until one is as wanted, or a Close, after which the server must end.
async function untilClosed(connection, wanted) {
  const frames = () => parsed(connection.received);
  const closed = () => frames().some(([opcode]) => opcode === op.close);
  await until(() => connection.ending || closed() || frames().some(wanted), 5000, 'the server closes or says what is wanted');
  if (!closed()) return frames();
  connection.send(frame(op.close));
  await connection.ends();
  return frames();
}

const text = (...args) => frame(op.text, ...args);
const euro = Buffer.from('4€');
const part = { fin: false };

// Bytes, or a list of parts that are sent one by one.
const inputs = {
  'a message': text('4a'),
  'an empty binary message': frame(op.binary),
  'an empty text': text(''),
  'a message in two frames': [text('4a', part), frame(op.more, 'b')],
  'a message in many frames, empty ones too': [
    text('', part), frame(op.more, '4', part), frame(op.more, '', part), frame(op.more, 'a', part), frame(op.more),
  ],
  'binary in three frames': [frame(op.binary, 'a', part), frame(op.more, 'b', part), frame(op.more, 'c')],
  'a ping between fragments': [text('4a', part), frame(op.ping, 'x'), frame(op.more, 'b')],
  'a pong nobody asked for': frame(op.pong, 'x'),
  'a ping': frame(op.ping),
  'a ping of 125 bytes': frame(op.ping, 'p'.repeat(125)),
  'a ping of 126 bytes': frame(op.ping, 'p'.repeat(126)),
  'a ping in fragments': frame(op.ping, 'a', part),
  'a close in fragments': frame(op.close, '', part),
  'ten pings': Array.from({ length: 10 }, (_, i) => frame(op.ping, `${i}`)),
  'a continuation of nothing': frame(op.more, 'a'),
  'an unfinished continuation of nothing': frame(op.more, 'a', part),
  'a text within a text': [text('4a', part), text('4b')],
  'binary within a text': [text('4a', part), frame(op.binary, 'b')],
  'no mask': frame(op.text, '4a', { mask: false }),
  'no mask on a ping': frame(op.ping, 'a', { mask: false }),
  'a reserved bit (1)': frame(op.text, '4a', { bits: 0x40 }),
  'a reserved bit (2)': frame(op.text, '4a', { bits: 0x20 }),
  'a reserved bit (3)': frame(op.text, '4a', { bits: 0x10 }),
  'a reserved bit on a ping': frame(op.ping, '', { bits: 0x40 }),
  'a reserved bit on a continuation': [text('4a', part), frame(op.more, 'b', { bits: 0x40 })],
  'a length of 126': text(`4${'a'.repeat(125)}`),
  'a length of 65536': text(`4${'a'.repeat(65535)}`),
  'a length of 2^53': text('4a', { size: 64, length: 2n ** 53n }),
  'the longest message': text(`4${'a'.repeat(99_999)}`),
  'a message that is too long': text(`4${'a'.repeat(100_000)}`),
  'fragments that are too long together': [text(`4${'a'.repeat(60_000)}`, part), frame(op.more, 'a'.repeat(60_000))],
  'binary that is too long': frame(op.binary, 'a'.repeat(100_001)),
  'UTF-8 across frames': [text(euro.subarray(0, 2), part), frame(op.more, euro.subarray(2, 3), part), frame(op.more, euro.subarray(3))],
  'invalid UTF-8': text(Buffer.from('34c328', 'hex')),
  'invalid UTF-8 across frames': [text(Buffer.from('34c3', 'hex'), part), frame(op.more, Buffer.from('28', 'hex'))],
  'UTF-8 that is cut': text(Buffer.from('34e282', 'hex')),
  'a surrogate in UTF-8': text(Buffer.from('34eda080', 'hex')),
  'overlong UTF-8': text(Buffer.from('34c080', 'hex')),
  'UTF-8 beyond Unicode': text(Buffer.from('34f4908080', 'hex')),
  'a NUL in a text': text('4a\0b'),
  'a non-character': text('4\uffff'),
  'a close': frame(op.close),
  'a close with half a code': frame(op.close, 'a'),
  'a close with invalid UTF-8': frame(op.close, Buffer.from('03e8c328', 'hex')),
  'a close with a long reason': closing(1000, 'r'.repeat(123)),
  'a close that is too long': closing(1000, 'r'.repeat(124)),
  'a message after a close': [Buffer.concat([closing(1000), text('4late')])],
};
for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) inputs[`opcode ${opcode}`] = frame(opcode, 'a');
for (const code of [
  0, 999, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 2000, 2999, 3000,
  3999, 4000, 4999, 5000, 65535,
]) {
  inputs[`close code ${code}`] = closing(code, 'why');
}

sameOnBothSides('frames', ['engine_server', ...small], (same) => {
  for (const [name, bytes] of Object.entries(inputs)) same(name, (server, world) => afterSending(server, world, ...[bytes].flat()));
  same('frames byte by byte', (server, world) => {
    const bytes = Buffer.concat([text('4a€', part), frame(op.ping, 'p'), frame(op.more, 'b'), frame(op.binary, 'c'.repeat(200))]);
    return afterSending(server, world, ...Array.from(bytes, (byte) => Buffer.from([byte])));
  });
  same('many frames in one packet', (server, world) =>
    afterSending(server, world, Buffer.concat(Array.from({ length: 500 }, (_, i) => text(`4${i}`)))),
  );
});

// Where Node.js is lenient and RFC 6455 is not (5.2), limpet is not either.
onBothSides('lengths against the rules', ['engine_server', ...small], (fact, side) => {
  const lengths = {
    '16 bits that need 7': { size: 16 },
    '64 bits that need 7': { size: 64 },
    'the highest bit': { size: 64, length: 2n ** 63n },
  };
  for (const [name, length] of Object.entries(lengths)) {
    fact(name, async (server, world) => {
      const { frames } = await afterSending(server, world, text('4a', length));
      if (side === 'limpet') assert.deepEqual(frames, [[op.close, 8, '03ea']]);
    });
  }
});

// What a handshake is answered with, and whether the server then ends the connection.
async function answered(server, world, bytes, { waits = false } = {}) {
  const connection = await world.connect(server.address);
  connection.send(bytes);
  if (!waits) {
    const answer = await connection.answer();
    return { line: answer.line, ...essence(answer), extensions: answer.headers['sec-websocket-extensions'] };
  }
  await connection.ends();
  const text = connection.text.replace(/Date: .*\r\n/g, '');
  const [head, ...rest] = text.split('\r\n\r\n');
  return { head: head.split('\r\n').sort(), rest: Buffer.from(rest.join('\r\n\r\n'), 'latin1').toString() };
}

const withSid = async (server, keys = {}) => {
  const { keys: own } = await Polling.open(server);
  return `/engine.io/?${query({ ...own, transport: 'websocket', ...keys })}`;
};

sameOnBothSides('WebSocket handshakes', ['engine_server', '--cors', 'http://a.example', '--cookie', ...small], (same) => {
  same('a good one', (server, world) => answered(server, world, upgrade({ target })));
  same('of a browser', (server, world) =>
    answered(
      server,
      world,
      upgrade({ target, Origin: 'http://a.example', 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }),
    ),
  );
  same('of a foreign page', (server, world) => answered(server, world, upgrade({ target, Origin: 'http://b.example' })));
  same('with a subprotocol', (server, world) => answered(server, world, upgrade({ target, 'Sec-WebSocket-Protocol': 'a, b' })));
  same('in odd case', (server, world) =>
    answered(server, world, upgrade({ target, Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' })),
  );
  const refused = {
    'no transport': '/engine.io/?EIO=4',
    'an unknown transport': '/engine.io/?EIO=4&transport=abc',
    'an unknown sid': `${target}&sid=AAAAAAAAAAAAAAAAAAAA`,
    'revision 3': '/engine.io/?EIO=3&transport=websocket',
    'no EIO': '/engine.io/?transport=websocket',
    'polling with an unknown sid': '/engine.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA',
  };
  for (const [name, where] of Object.entries(refused))
    same(name, (server, world) => answered(server, world, upgrade({ target: where }), { waits: true }));
  const closed = async (server, world, where) => {
    const { connection, head } = await handshake(world, server, where);
    return [head.status, await untilClosed(connection, () => false)];
  };
  same('polling', (server, world) => closed(server, world, '/engine.io/?EIO=4&transport=polling'));
  same('polling in a session', async (server, world) => closed(server, world, await withSid(server, { transport: 'polling' })));
  same('another revision in a session', async (server, world) =>
    answered(server, world, upgrade({ target: await withSid(server, { EIO: '3' }) }), { waits: true }),
  );
  same('of a session', async (server, world) => answered(server, world, upgrade({ target: await withSid(server) })));
  const status = async (server, world, bytes) => (await answered(server, world, bytes)).status;
  same('by POST', (server, world) => status(server, world, upgrade({ target, method: 'POST' })));
  same('without a key', (server, world) => status(server, world, upgrade({ target, 'Sec-WebSocket-Key': undefined })));
  same('with a short key', (server, world) => status(server, world, upgrade({ target, 'Sec-WebSocket-Key': 'abc' })));
});

for (const deflate of ['off', 'shared', 'dedicated']) {
  const offers = ['permessage-deflate', 'permessage-deflate; client_max_window_bits', 'x-webkit-deflate-frame',
    'permessage-deflate; server_no_context_takeover; client_no_context_takeover', 'x-other, permessage-deflate'];
  sameOnBothSides(`offers of compression, ${deflate}`, ['engine_server', '--deflate', deflate, ...small], (same) => {
    for (const offer of offers) {
      same(offer, async (server, world) => {
        const { status, extensions } = await answered(server, world, upgrade({ target, 'Sec-WebSocket-Extensions': offer }));
        return { status, extensions };
      });
    }
  });
}
