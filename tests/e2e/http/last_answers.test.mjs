// The last answer on a connection arrives whole, whatever the client sends while it reads, or before it reads.
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe } from 'node:test';
import { until, within } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { answersIn, ok } from './requests.mjs';

const size = 2_000_000;
const get = (target, fields = '', version = 'HTTP/1.1') => `GET ${target} ${version}\r\nHost: a\r\n${fields}\r\n`;
const held = [];
const start = (world, more = '') => Front.start(world, { more, reply: ({ target }, connection) => {
  if (target === '/held') return void held.push(connection);
  return ok(target === '/large' ? 'x'.repeat(size) : '');
} });

// What a client gets that begins to read only now.
async function readsAll(client) {
  client.socket.resume();
  assert.equal(await client.ends(), 'fin');
  const { answers: [answer], rest } = answersIn(client.received);
  assert.deepEqual([answer?.status, answer?.body.length, rest.length], [200, size, 0], `${client.received.length} bytes of it`);
  assert.match(answer.headers.connection, /close/);
}

describe('2 MB to a client that reads late, and sends', () => {
  const shared = sharing((world) => start(world));

  for (const [name, first, late] of [
    ['one more request behind Connection: close', get('/large', 'Connection: close\r\n'), get('/late')],
    ['an empty line behind Connection: close', get('/large', 'Connection: close\r\n'), '\r\n'],
    ['an empty line behind HTTP/1.0', get('/large', '', 'HTTP/1.0'), '\r\n'],
    ['nothing more', get('/large', 'Connection: close\r\n'), ''],
  ]) {
    shared.fact(`${name}: all of them arrive`, async (front, world) => {
      const lines = front.lines.length;
      const client = await world.connect(front.address);
      client.socket.pause();
      client.send(first);
      await until(() => front.lines.length > lines, 3000, 'limpet has written all of it');
      await new Promise((sent) => { client.socket.write(late, sent); });
      await readsAll(client);
      assert.doesNotMatch(front.origin.seen, /late/);
    });
  }
});

scenario('2 MB under way when limpet is told to end, to a client that sends one more request: all of them arrive', async (world) => {
  const front = await start(world, '[proxy]\ndrain_timeout = "10s"\n');
  const client = await world.connect(front.address);
  client.socket.pause();
  client.send(get('/held'));
  const server = await until(() => held[0], 2000, 'it is in flight');
  front.proxy.signal('SIGTERM');
  await front.proxy.says(/listeners closed/, 2000, 'stderr');
  server.send(ok('x'.repeat(size)));
  await until(() => front.lines.length, 3000, 'limpet has written all of it');
  await new Promise((sent) => { client.socket.write(get('/late'), sent); });
  await readsAll(client);
  assert.doesNotMatch(front.origin.seen, /late/);
  client.destroy();
  assert.deepEqual(await within(front.proxy.ended, 3000, 'limpet ends'), { code: 0, signal: null });
});

describe('a body of 20 MB, over a limit of 1 MiB', () => {
  const shared = sharing((world) => start(world, '[limits]\nbody_bytes = "1MiB"\n'));
  const body = Buffer.alloc(20_000_000, 'b');

  for (const [framing, headers] of [['announced', { 'Content-Length': body.length }], ['in chunks', {}]]) {
    shared.fact(`${framing}: Node's client sees the 413`, async ({ address }) => {
      for (let i = 0; i < 5; i += 1) {
        const answer = await new Promise((resolve, reject) => {
          http.request({ ...address.to, agent: false, method: 'POST', headers }, resolve).on('error', reject).end(body);
        });
        answer.resume();
        assert.equal(answer.statusCode, 413);
      }
    });
  }

  shared.fact('a client that reads only when it has sent all of it sees the 413', async ({ address }, world) => {
    for (let i = 0; i < 5; i += 1) {
      const client = await world.connect(address);
      client.socket.pause();
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
      await new Promise((resolve, reject) => {
        client.socket.on('error', reject).write(body, (error) => (error ? reject(error) : resolve()));
      });
      client.socket.resume();
      assert.equal((await client.answer()).status, 413);
      client.destroy();
    }
  });
});
