// What a stranger may try on a server of this library. It must live, stay small and go on serving others; World checks
// that it ends well and that no sanitizer complains.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { slowness, until } from '../e2e/lib/deadline.mjs';
import { scenario } from '../e2e/lib/world.mjs';
import { upgrade } from '../e2e/http/websocket.mjs';
import { Polling, Socket } from './lib/engine_client.mjs';
import { closing, frame, handshake, op, parsed } from './lib/frames.mjs';
import { Server } from './lib/servers.mjs';

const start = async (world, program, ...flags) => world.own(await Server.start('limpet', program, flags));

const options = { path: '/socket.io/' };
const target = '/engine.io/?EIO=4&transport=websocket';

// MiB of memory; a sanitizer's has another meaning.
const resident = (server) => Number(readFileSync(`/proc/${server.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const bounded = (server, most) => { if (slowness === 1) assert.ok(resident(server) < most, `${resident(server)} MiB`); };

async function serves(server, world) {
  const socket = world.own(await Socket.open(server, options));
  socket.send('40');
  await socket.next();
  await socket.next();
  socket.send('427["echo","still here"]');
  assert.equal(await socket.next(30_000), '437["still here"]');
}

async function echoes(server, world) {
  const socket = world.own(await Socket.open(server));
  socket.send('4still here');
  assert.equal(await socket.next(30_000), '4still here');
}

// A client in the main namespace.
async function joined(server, world) {
  const socket = world.own(await Socket.open(server, options));
  socket.send('40');
  await until(() => socket.received.length === 2, 10_000, 'it is greeted');
  socket.received = [];
  return socket;
}

// What it ends with, or undefined: the server answers what is asked after everything.
async function outcome(socket) {
  socket.ws.send('429["echo","after all"]', () => {});
  await until(() => socket.closed || socket.received.includes('439["after all"]'), 30_000, 'an answer or a close');
  return socket.closed?.code;
}

scenario('connections that end in the middle of anything', { seconds: 120 }, async (world) => {
  const server = await start(world, 'engine_server', '--deflate', 'shared');
  const { keys } = await Polling.open(server);
  const body = `POST /engine.io/?EIO=4&transport=polling&sid=${keys.sid} HTTP/1.1\r\nHost: a\r\nContent-Length: 20\r\n`
    + `\r\n4hello\x1ebAQIDBA==`;
  const talk = Buffer.concat([
    Buffer.from(upgrade({ target, 'Sec-WebSocket-Extensions': 'permessage-deflate' })),
    frame(op.text, '4a'), frame(op.ping, 'p'), frame(op.text, '4b', { fin: false }), frame(op.more, 'c'), closing(1000),
  ]);
  for (const bytes of [talk, Buffer.from(body, 'latin1'), Buffer.from(upgrade({ target: `${target}&sid=${keys.sid}` }))]) {
    for (let length = 1; length < bytes.length; length += 1) {
      const connection = await world.connect(server.address);
      connection.send(bytes.subarray(0, length));
      if (length % 2) connection.destroy();
      else connection.reset();
    }
  }
  await echoes(server, world);
});

scenario('random frames', { seconds: 120 }, async (world) => {
  const server = await start(world, 'engine_server', '--deflate', 'dedicated', '--max-payload', '10000');
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const piece = () =>
    frame(pick([0, 0, 1, 1, 2, 8, 9, 10, 3, 15]), randomBytes(pick([0, 1, 2, 5, 125, 126, 300])), {
      fin: Math.random() < 0.7, bits: pick([0, 0, 0, 0x40, 0x40, 0x20]), mask: Math.random() < 0.97,
      size: pick([undefined, undefined, 16, 64]),
    });
  for (let round = 0; round < 500; round += 1) {
    const { connection } = await handshake(world, server, target, { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    const bytes = Buffer.concat(Array.from({ length: 12 }, piece));
    for (let at = 0; at < bytes.length && !connection.ending;) {
      const length = pick([1, 3, 50, 1000]);
      connection.send(bytes.subarray(at, at + length));
      at += length;
      if (Math.random() < 0.2) await new Promise(setImmediate);
    }
    connection.destroy();
  }
  await echoes(server, world);
});

scenario('random packets', { seconds: 120 }, async (world) => {
  const server = await start(world, 'app_server', '--recovery', '1000');
  const pick = (list) => list[Math.floor(Math.random() * list.length)];
  const parts = ['4', '0', '1', '2', '3', '5', '6', '1-', '2-', '10-', '/', '/custom,', '/dynamic-1,', '/slow,', '7', '{}',
    '["echo",1]', '["echo",{"_placeholder":true,"num":0}]', '[', ']', '"', '{"a":', '\\ud834', 'é',
    '["join","a"]', '["bye",true]', '["kick",{},true]', '["all",{"to":["a"]},"x",{"_placeholder":true,"num":0}]',
    '["ask",10,"q"]', '["askRooms",{},10,"q"]', '["find",{}]', '["note",{}]', '["sweepIn",{},["b"]]', '["self"]',
    '\u0000', '1e999', ',', '-'];
  for (let round = 0; round < 300; round += 1) {
    const socket = world.own(await Socket.open(server, options));
    socket.send('40');
    for (let i = 0; i < 20; i += 1) {
      if (Math.random() < 0.15) socket.ws.send(randomBytes(3), () => {});
      else if (Math.random() < 0.5)
        socket.ws.send(`42${Math.random() < 0.5 ? 1 : ''}${pick(parts.filter((part) => part.startsWith('["')))}`, () => {});
      else socket.ws.send(`4${Array.from({ length: 1 + Math.floor(Math.random() * 4) }, () => pick(parts)).join('')}`, () => {});
    }
    if (round % 3) socket.close();
  }
  await serves(server, world);
});

scenario('a reader that does not read', { seconds: 120 }, async (world) => {
  const server = await start(world, 'engine_server');
  const before = resident(server);
  const { connection } = await handshake(world, server, target);
  connection.socket.pause();
  const message = frame(op.text, `4${'x'.repeat(60_000)}`);
  // 64 MiB, as much as it takes of them.
  const sent = (async () => {
    for (let i = 0; i < 1000 && !connection.socket.destroyed; i += 1) {
      if (!connection.socket.write(message))
        await new Promise((resolve) => connection.socket.once('drain', resolve).once('close', resolve));
    }
  })();
  await Promise.race([sent, until(() => connection.ending, 20_000, 'the end').catch(() => {})]);
  bounded(server, before + 64);
  connection.destroy();
  await echoes(server, world);
});

scenario('a poller that does not poll', { seconds: 120 }, async (world) => {
  const server = await start(world, 'engine_server');
  const before = resident(server);
  const session = await Polling.open(server);
  let status = 200;
  for (let i = 0; i < 60 && status === 200; i += 1) status = (await session.post(`4${'x'.repeat(900_000)}`)).status;
  assert.equal(status, 400);
  bounded(server, before + 64);
  await echoes(server, world);
});

scenario('small packets by the hundred thousand', { seconds: 120 }, async (world) => {
  const server = await start(world, 'engine_server');
  const before = resident(server);
  const session = await Polling.open(server);
  for (const packet of ['3', '4', '6', 'b']) {
    const body = Array(300_000).fill(packet).join('\x1e');
    const { status } = await session.post(body);
    assert.ok([200, 400].includes(status));
    if (status === 400) break;
  }
  bounded(server, before + 200);
  const { connection } = await handshake(world, server, target);
  for (let i = 0; i < 20; i += 1) connection.send(Buffer.concat(Array(5000).fill(frame(op.ping, 'x'))));
  await connection.reads((c) => c.ending || parsed(c.received).filter(([opcode]) => opcode === op.pong).length >= 1000, 30_000);
  connection.destroy();
  await echoes(server, world);
});

scenario('rooms and namespaces without end', { seconds: 120 }, async (world) => {
  const server = await start(world, 'app_server');
  const before = resident(server);
  const socket = await joined(server, world);
  // Not `join`, whose answer is a list of all of them.
  for (let i = 0; i < 200; i += 1)
    socket.send(`42["sweepIn",{},${JSON.stringify(Array.from({ length: 500 }, (_, n) => `room ${i} ${n}`))}]`);
  await outcome(socket);
  bounded(server, before + 64);
  socket.close();
  for (let client = 0; client < 200; client += 1) {
    const one = world.own(await Socket.open(server, options));
    for (let i = 0; i < 150; i += 1) one.ws.send(`40/dynamic-${client * 150 + i},`, () => {});
    await until(() => one.closed || one.received.length >= 100, 20_000, 'it is closed, or joins');
    one.close();
  }
  bounded(server, before + 200);
  await serves(server, world);
});

const deep = (open, close, depth) => `42["echo",${open.repeat(depth)}1${close.repeat(depth)}]`;
const bombs = {
  'lists within lists': deep('[', ']', 200_000),
  'lists without their ends': `42["echo",${'['.repeat(900_000)}`,
  'objects within objects': deep('{"a":', '}', 100_000),
  'a list of small lists': `42["echo",[${Array(300_000).fill('[]').join()}]]`,
  'a list of small objects': `42["echo",[${Array(100_000).fill('{"a":1}').join()}]]`,
  'an object of many keys': `42["echo",{${Array.from({ length: 80_000 }, (_, i) => `"${i}":1`).join()}}]`,
  'an object of one key, often': `42["echo",{${Array(150_000).fill('"a":1').join()}}]`,
  'a long number': `42["echo",${'9'.repeat(900_000)}]`,
  'a long fraction': `42["echo",0.${'1'.repeat(900_000)}e-5]`,
  'a long exponent': `42["echo",1e${'9'.repeat(900_000)}]`,
  'escapes': `42["echo","${'\\ud834'.repeat(150_000)}"]`,
  'many arguments': `42["echo",${Array(400_000).fill('1').join()}]`,
  'a long name of a namespace': `40/${'a'.repeat(900_000)},`,
  'a long name of an event': `42["${'a'.repeat(900_000)}"]`,
  'a long name of a room': `421["join","${'a'.repeat(900_000)}"]`,
  'many commas': `42["echo"${','.repeat(900_000)}]`,
  'white space': `42[${' '.repeat(900_000)}"echo",1]`,
  'a long count of attachments': `45${'9'.repeat(900_000)}-["echo"]`,
  'a deep payload of a CONNECT': `40/custom,${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
};
scenario('bombs of JSON', { seconds: 240 }, async (world) => {
  const server = await start(world, 'app_server');
  const before = resident(server);
  for (const [name, bomb] of Object.entries(bombs)) {
    const socket = await joined(server, world);
    socket.send(bomb);
    await outcome(socket).catch((error) => { throw new Error(`${name}: ${error.message}`); });
    socket.close();
  }
  bounded(server, before + 200);
  await serves(server, world);
});

scenario('bombs of deflate', { seconds: 120 }, async (world) => {
  for (const deflate of ['shared', 'dedicated']) {
    const server = await start(world, 'engine_server', '--deflate', deflate);
    const before = resident(server);
    const bomb = deflateRawSync(Buffer.alloc(200_000_000, 'a'), { level: 9 });
    const { connection } = await handshake(world, server, target, { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
    connection.send(frame(op.text, bomb, { bits: 0x40 }));
    await connection.reads((c) => c.ending || parsed(c.received).some(([opcode]) => opcode === op.close), 30_000);
    const [, , body] = parsed(connection.received).find(([opcode]) => opcode === op.close);
    assert.equal(body.slice(0, 4), '03f1');
    bounded(server, before + 32);
    // Broken streams, in pieces and with what is no deflate at all.
    for (const bytes of [randomBytes(1000), bomb.subarray(0, 100), Buffer.alloc(0), Buffer.from([0]), Buffer.from([0xff])]) {
      const other = await handshake(world, server, target, { 'Sec-WebSocket-Extensions': 'permessage-deflate' });
      other.connection.send(frame(op.text, bytes, { bits: 0x40 })).send(frame(op.text, '4a'));
      await other.connection.reads((c) => c.ending || parsed(c.received).length > 1, 10_000);
      other.connection.destroy();
    }
    await echoes(server, world);
  }
});

scenario('attachments that never come, and those that do', { seconds: 120 }, async (world) => {
  const server = await start(world, 'app_server');
  const before = resident(server);
  const sockets = [];
  for (let i = 0; i < 20; i += 1) {
    const socket = await joined(server, world);
    socket.send('4510-["echo",{"_placeholder":true,"num":0}]');
    for (let part = 0; part < 9; part += 1) socket.send(Buffer.alloc(100_000));
    sockets.push(socket);
  }
  bounded(server, before + 100);
  sockets.forEach((socket) => socket.close());
  const socket = await joined(server, world);
  socket.send(`4510-["all",{},"x"${',{"_placeholder":true,"num":9}'.repeat(5000)}]`);
  for (let part = 0; part < 10; part += 1) socket.send(Buffer.alloc(1000));
  await outcome(socket);
  await serves(server, world);
});

scenario('sessions that are opened and left', { seconds: 120 }, async (world) => {
  const server = await start(world, 'app_server', '--connect-timeout', '500');
  const before = resident(server);
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 100 }, () => Polling.open(server, options)));
  bounded(server, before + 64);
  await serves(server, world);
});

scenario('a slow reader in a busy room', { seconds: 120 }, async (world) => {
  const server = await start(world, 'app_server');
  const before = resident(server);
  const slow = await handshake(world, server, '/socket.io/?EIO=4&transport=websocket');
  slow.connection.send(frame(op.text, '40'));
  await slow.connection.reads('welcome');
  slow.connection.socket.pause();
  const speaker = await joined(server, world);
  const text = 'x'.repeat(100_000);
  for (let i = 0; i < 400; i += 1) {
    speaker.send(`421["echo",1]`);
    speaker.send(`42["others",{},"news","${text}"]`);
    await until(() => speaker.received.length === i + 1, 20_000, 'the speaker is served');
  }
  bounded(server, before + 64);
  slow.connection.destroy();
  await serves(server, world);
});
