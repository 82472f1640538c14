// Idle connections to servers that are broken, closed or not silent at the moment when a request needs one.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { EchoServer } from './echo_server.mjs';
import { Front } from './front.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';

const open = '/socket.io/?EIO=4&transport=polling';
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (target) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`;
const oneWorker = '[proxy]\nworkers = 1\ndrain_timeout = "1s"\n';
const kinds = [['a GET', get, '/'], ['an open', get, open], ['a poll', get, `${open}&sid=AAAAAAAAAAAAAAAAAAAA`], ['a POST', post, '/']];

describe('while limpet is busy, a server\'s idle connection', () => {
  const shared = sharing((world) => Front.start(world, {
    more: oneWorker, pool: 'health = { type = "off" }\ntimeouts = { keep_alive = "60s" }\n', reply: ({ target }) => ok(target),
  }));

  // `happens` to the one idle connection before limpet sees the request in `bytes`: gives its answer.
  const meanwhile = async (front, world, bytes, happens) => {
    await talk(front.address, get('/warm'), { count: 1 });
    const { connection: idle } = front.requests.at(-1);
    const client = await world.connect(front.address);
    await talk(front.address, get('/warm'), { count: 1 });
    assert.equal(front.requests.at(-1).connection, idle);
    await front.proxy.suspend();
    try {
      await new Promise((sent) => { client.socket.write(bytes, sent); });
      await happens(idle);
    } finally {
      front.proxy.signal('SIGCONT');
    }
    return { idle, answer: await client.answer() };
  };

  for (const [name, bytes, target] of kinds) {
    for (const [what, happens] of [
      ['is reset', (idle) => idle.reset()],
      ['is closed', (idle) => new Promise((closed) => { idle.socket.end(closed); })],
      ['brings bytes that nobody asked for', (idle) => new Promise((sent) => { idle.socket.write(ok('STRAY'), sent); })],
    ]) {
      shared.fact(`${what}: ${name} is answered by a new one, and seen once`, async (front, world) => {
        const from = front.requests.length;
        const { idle, answer } = await meanwhile(front, world, bytes(target), happens);
        assert.deepEqual([answer.status, answer.body.toString()], [200, target]);
        const seen = front.requests.slice(from).filter((one) => !one.target.startsWith('/warm'));
        assert.equal(seen.length, 1);
        assert.notEqual(seen[0].connection, idle);
        await until(() => idle.ending, 2000, 'the old one is gone');
      });
    }
  }
});

scenario(
  'one that closes without an answer, later than `connect` allows to connect: that server is asked again, with all the time for it',
  async (world) => {
    const connect = 2000;
    const a = await EchoServer.start(world);
    const others = answering(() => ok('b'));
    const b = await world.origin({ script: others });
    const proxy = await world.limpet(
      `[pool.web]\nservers = ["a=${a.address}", "b=${b.address}"]\nhealth = { interval = "1h", jitter = 0 }\n`
        + `timeouts = { connect = "${connect}ms" }\n${oneWorker}`,
    );
    const client = await world.connect(proxy.address);
    client.send(get('/warm', 'Cookie: io=a\r\n'));
    assert.equal((await client.answer()).body.toString(), 'GET /warm ');

    client.send(get('/gate', 'Cookie: io=a\r\n'));
    await a.fill();
    await holds(() => !client.ending && !client.received.length, connect + 100, 'it waits for its answer');
    const connects = () => proxy.metric('limpet_upstream_connects_total');
    const before = await connects();
    await a.pass();
    await until(async () => await connects() > before, 2000, 'the connection is closed, the next one begun');
    a.empty();
    await a.pass();
    assert.equal((await client.answer()).body.toString(), 'GET /gate ');
    assert.deepEqual(others.requests, []);
    assert.equal((await proxy.server('web', 'a')).state, 'up');
    assert.doesNotMatch(proxy.stderr, / is (down|suspect)/);
  },
);
