// The plain WebSocket endpoint, as examples/raw serves it, with the client that Node.js programs use.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import WebSocket from 'ws';
import { Child } from '../lib/child.mjs';
import { binary } from '../lib/limpet.mjs';

const program = path.join(path.dirname(binary), '../examples/raw/raw-websocket');

async function serve(...options) {
  const child = new Child('raw-websocket', program, [...options, '0']);
  const [, url] = await child.says(/^(ws:\S+)$/m, 10_000);
  return { child, url };
}

async function open(url, options) {
  const socket = new WebSocket(url, options);
  await once(socket, 'open');
  return socket;
}

async function next(socket) {
  const [data, isBinary] = await once(socket, 'message');
  return isBinary ? data : data.toString();
}

describe('raw endpoint, echo', () => {
  let server;
  before(async () => { server = await serve(); });
  after(() => server.child.stop());

  for (const perMessageDeflate of [false, true, { serverMaxWindowBits: 10 }, { threshold: 0 }]) {
    test(`messages come back, deflate ${JSON.stringify(perMessageDeflate)}`, async () => {
      const socket = await open(server.url, { perMessageDeflate });
      const agreed = perMessageDeflate && !perMessageDeflate.serverMaxWindowBits;
      assert.equal(socket.extensions.includes('permessage-deflate'), agreed);
      for (const text of ['', 'hello', 'κόσμε', 'x'.repeat(16 * 1024)]) {
        socket.send(text);
        assert.equal(await next(socket), text);
      }
      for (const size of [0, 1, 125, 126, 4096, 16 * 1024]) {
        const bytes = Buffer.alloc(size, 'bytes');
        socket.send(bytes);
        assert.deepEqual(await next(socket), bytes);
      }
      socket.close(4001, 'done');
      const [code] = await once(socket, 'close');
      assert.equal(code, 4001);
    });
  }

  test('fragments come back as one message', async () => {
    const socket = await open(server.url);
    socket.send('one ', { fin: false });
    socket.send('two ', { fin: false });
    socket.ping('between');
    socket.send('three', { fin: true });
    const [pong, text] = await Promise.all([once(socket, 'pong'), next(socket)]);
    assert.equal(pong[0].toString(), 'between');
    assert.equal(text, 'one two three');
    socket.terminate();
  });

  test('a message over 16 KiB is answered with 1009', async () => {
    const socket = await open(server.url);
    socket.send('x'.repeat(16 * 1024 + 1));
    const [code] = await once(socket, 'close');
    assert.equal(code, 1009);
  });

  test('a subprotocol that is offered is taken', async () => {
    const socket = new WebSocket(server.url, ['chat', 'other']);
    await once(socket, 'open');
    assert.equal(socket.protocol, 'chat');
    socket.terminate();
  });
});

test('raw endpoint, topics: what one publishes the others get, compressed or not', async () => {
  const server = await serve('--topics');
  const members = await Promise.all([true, false, true].map((perMessageDeflate) => open(server.url, { perMessageDeflate })));
  for (const member of members) {
    member.send('subscribe news');
    assert.equal(await next(member), 'subscribed news');
  }
  const data = 'word '.repeat(1000);
  const heard = Promise.all(members.slice(1).map(next));
  members[0].send(`publish news ${data}`);
  assert.deepEqual(await heard, [`message news ${data}`, `message news ${data}`]);
  for (const member of members) member.terminate();
  await server.child.stop();
});

test('raw endpoint: SIGTERM closes with 1012', async () => {
  const server = await serve();
  const sockets = await Promise.all(Array.from({ length: 5 }, () => open(server.url)));
  const closed = Promise.all(sockets.map((socket) => once(socket, 'close')));
  const stopped = server.child.stop();
  assert.deepEqual((await closed).map(([code]) => code), Array(5).fill(1012));
  assert.deepEqual(await stopped, { code: 0, signal: null });
});
