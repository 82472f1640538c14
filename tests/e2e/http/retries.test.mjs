// What is tried again on another server or connection, and what never.
//
// Every pool here takes its servers for healthy; a cookie says which of them a request meets first.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { slowness, until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { switching, upgrade } from './websocket.mjs';

const open = '/socket.io/?EIO=4&transport=polling';
const first = (id) => `Cookie: io=${id}\r\n`;
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (target, fields = '', body = 'hello', method = 'POST') =>
  `${method} ${target} HTTP/1.1\r\nHost: a\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;

// A pool of scripted servers: { id: reply }, a string being an address where nobody answers.
async function pool(world, replies, { timeouts = '', health = '{ type = "off" }', more = '' } = {}) {
  const things = { origins: {}, requests: {} };
  const servers = [];
  for (const [id, reply] of Object.entries(replies)) {
    if (typeof reply === 'string') {
      servers.push(`"${id}=${reply}"`);
      continue;
    }
    const script = answering(reply);
    things.origins[id] = await world.origin({ script });
    things.requests[id] = script.requests;
    servers.push(`"${id}=${things.origins[id].address}"`);
  }
  things.proxy = await world.limpet(
    `[pool.web]\nservers = [${servers.join(', ')}]\nhealth = ${health}\n[pool.web.timeouts]\n${timeouts}\n${more}`,
  );
  const lines = (things.lines = () => things.proxy.stdout.split('\n').filter((line) => line.includes(' kind=request ')));
  // The request in `bytes`, the answer, and its access line as { key: value }.
  things.ask = async (bytes, options = {}) => {
    const logged = lines().length;
    const { answers, ...rest } = await talk(things.proxy.address, bytes, { count: 1, ...options });
    await until(() => lines().length > logged, 3000, 'an access line');
    const line = Object.fromEntries([...lines().at(-1).matchAll(/ (\w+)=(\S+)/g)].map(([, key, value]) => [key, value]));
    return { ...answers.at(-1), ...rest, text: answers.at(-1)?.body.toString(), log: line };
  };
  things.seen = (target) =>
    Object.fromEntries(
      Object.entries(things.requests).map(([id, requests]) => [id, requests.filter((one) => one.target === target).length]),
    );
  return things;
}

const deadlines = (handshake, response) => `handshake = "${handshake * slowness}ms"\nresponse = "${response * slowness}ms"\n`;
const nobody = '127.0.0.1:1';
const says = (id) => ({ body }) => ok(`${id}${body}`);
const silent = () => undefined;
const closes = (request, connection) => void connection.socket.destroy();
// Sends `bytes` one at a time, each a fifth of `response` after the other, until the connection ends.
const drips = (bytes) => (request, connection) => {
  let at = 0;
  const timer = setInterval(() => {
    if (connection.ending || at === bytes.length) clearInterval(timer);
    else connection.send(bytes[at]);
    at += 1;
  }, 60);
};
const resets = (request, connection) => void connection.reset();

describe('a refused connect', () => {
  const shared = sharing((world) => pool(world, { dead: nobody, b: says('b') }));

  for (const [name, bytes, body] of [
    ['a plain request', get('/plain', first('dead')), 'b'],
    ['a plain POST, none of whose body was sent', post('/plain', first('dead')), 'bhello'],
    ['an Engine.IO open', get(open, first('dead')), 'b'],
  ]) {
    shared.fact(`${name} goes to another server`, async ({ ask, proxy }) => {
      const before = await proxy.metric('limpet_retries_total', { reason: 'connect' });
      const { status, text, log } = await ask(bytes);
      assert.deepEqual({ status, text, server: log.server, retries: log.retries }, { status: 200, text: body, server: 'b', retries: '1' });
      assert.equal(await proxy.metric('limpet_retries_total', { reason: 'connect' }), before + 1);
    });
  }

  shared.fact('a request of a session stays: 503, and nobody else is asked', async ({ ask, requests }) => {
    const target = `${open}&sid=AAAAAAAAAAAAAAAAAAAA`;
    const { status, log } = await ask(get(target, first('dead')));
    assert.ok([400, 503].includes(status), `${status}`);
    assert.equal(log.server, 'dead');
    assert.deepEqual(requests.b.filter((one) => one.target === target), []);
  });
});

describe('a server of a session that comes back within `connect`', () => {
  const shared = sharing((world) => pool(world, { a: says('a'), b: says('b') }));
  shared.fact('serves the request that waited for it', async ({ ask, origins, proxy }) => {
    await origins.a.pause();
    const connects = () => proxy.metric('limpet_upstream_connects_total');
    const before = await connects();
    const answer = ask(get(`${open}&sid=AAAAAAAAAAAAAAAAAAAA`, first('a')));
    await until(async () => (await connects()) > before, 1000, 'the first connect');
    await origins.a.resume();
    const { status, text } = await answer;
    assert.deepEqual({ status, text }, { status: 200, text: 'a' });
    assert.equal(await connects(), before + 2);
  });
});

describe('when many refuse', () => {
  const shared = sharing((world) => pool(world, { dead1: nobody, dead2: '127.0.0.1:2', dead3: '127.0.0.1:3', b: says('b') }, {
    more: '[proxy]\ntrusted_proxies = ["127.0.0.0/8"]\ndrain_timeout = "1s"\n',
  }));
  shared.fact('a request meets two servers, never a third', async ({ lines, proxy }) => {
    const before = await proxy.metric('limpet_upstream_connects_total');
    const count = 40;
    const answers = await Promise.all(Array.from({ length: count }, (_, i) => (
      talk(proxy.address, get('/plain', `${first('dead1')}X-Forwarded-For: 192.0.2.${i}\r\n`), { count: 1 }))));
    assert.deepEqual([...new Set(answers.map(({ answers: [{ status }] }) => status))].sort(), [200, 502]);
    await until(() => lines().length === count, 3000, 'a line each');
    assert.ok(lines().every((line) => line.includes(' retries=1 ')));
    assert.ok(await proxy.metric('limpet_upstream_connects_total') - before <= 4 * count);
  });
});

describe('a reused connection that closes before a byte of the answer', () => {
  // Each second request on a connection meets a server that closes.
  const counts = new WeakMap();
  const staleAt = (times) => (request, connection) => {
    const nth = (counts.get(connection) ?? 0) + 1;
    counts.set(connection, nth);
    if (nth === 1 && !(request.target.includes('always') && times.always)) return ok('a');
    return void connection.socket.end();
  };
  const shared = sharing((world) =>
    pool(world, { a: staleAt({ always: true }), b: says('b') }, { more: '[proxy]\nworkers = 1\ndrain_timeout = "1s"\n' }),
  );
  const warm = async ({ ask }) => assert.equal((await ask(get('/warm', first('a')))).text, 'a');

  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'TRACE']) {
    shared.fact(`${method}: once more, on a new connection to the same server`, async (things) => {
      await warm(things);
      const target = `/again-${method}`;
      const { status, log } = await things.ask(get(target, first('a')).replace('GET', method), { to: [method] });
      assert.equal(status, 200);
      assert.deepEqual([log.server, log.retries], ['a', '1']);
      assert.deepEqual(things.seen(target), { a: 2, b: 0 });
    });
  }

  for (const [name, bytes, target] of [
    ['POST', post('/post', first('a')), '/post'],
    ['POST without a body', post('/empty', first('a'), ''), '/empty'],
    ['PUT, whose body was sent', post('/put', first('a'), 'hello', 'PUT'), '/put'],
    ['PATCH', get('/patch', first('a')).replace('GET', 'PATCH'), '/patch'],
    ['a method nobody knows', get('/unknown', first('a')).replace('GET', 'PURGE'), '/unknown'],
    ['a poll with a sid', get(`${open}&sid=AAAAAAAAAAAAAAAAAAAA`, first('a')), `${open}&sid=AAAAAAAAAAAAAAAAAAAA`],
    ['a POST with a sid', post(`${open}&sid=BBBBBBBBBBBBBBBBBBBB`, first('a')), `${open}&sid=BBBBBBBBBBBBBBBBBBBB`],
    ['a poll whose sid is of a form that we do not know', get(`${open}&sid=abc.def`, first('a')), `${open}&sid=abc.def`],
  ]) {
    shared.fact(`${name}: 502, seen exactly once`, async (things) => {
      await warm(things);
      const { status, log } = await things.ask(bytes);
      assert.equal(status, 502);
      assert.equal(log.retries, '0');
      assert.deepEqual(things.seen(target), { a: 1, b: 0 });
    });
  }

  shared.fact('a new connection that closes too: 502, no third time', async (things) => {
    await warm(things);
    const { status, log } = await things.ask(get('/always', first('a')));
    assert.equal(status, 502);
    assert.equal(log.retries, '1');
    assert.deepEqual(things.seen('/always'), { a: 2, b: 0 });
  });
});

describe('a new connection that closes before a byte of the answer', () => {
  const shared = sharing((world) => pool(world, { fin: closes, rst: resets, b: says('b') }));
  for (const id of ['fin', 'rst']) {
    shared.fact(`${id}: a plain request is not tried again: 502`, async (things) => {
      const { status } = await things.ask(get(`/${id}`, first(id)));
      assert.equal(status, 502);
      assert.deepEqual(things.seen(`/${id}`), { fin: 0, rst: 0, b: 0, [id]: 1 });
    });
    shared.fact(`${id}: a poll was seen exactly once by all nodes together`, async (things) => {
      const target = `${open}&sid=CCCCCCCCCCCCCCCCCC${id.slice(0, 2)}`;
      assert.equal((await things.ask(get(target, first(id)))).status, 502);
      assert.deepEqual(things.seen(target), { fin: 0, rst: 0, b: 0, [id]: 1 });
    });
    shared.fact(`${id}: an open gets its answer elsewhere, or 502; never more than two servers`, async (things) => {
      const target = `${open}&${id}`;
      const { status } = await things.ask(get(target, first(id)));
      assert.ok([200, 502].includes(status));
      const seen = things.seen(target);
      assert.ok(Object.values(seen).every((count) => count <= 1) && Object.values(seen).reduce((a, b) => a + b) <= 2, JSON.stringify(seen));
    });
  }
});

describe('a server that accepts and never answers', () => {
  const accepts = (request, connection) => (/websocket/i.test(request.headers.upgrade ?? '') ? switching(request) : ok('b'));
  const shared = sharing((world) => pool(world, { a: silent, b: accepts }, { timeouts: deadlines(100, 300) }));

  shared.fact('an open goes to one other server after `handshake`; the first connection is closed at once', async (things) => {
    const begun = performance.now();
    const answer = await things.ask(get(`${open}&moved`, first('a')));
    const ms = performance.now() - begun;
    assert.deepEqual(things.seen(`${open}&moved`), { a: 1, b: 1 });
    assert.deepEqual([answer.status, answer.text, answer.log.retries], [200, 'b', '1']);
    assert.ok(ms > 95, `${ms}`);
    const { connection } = things.requests.a.find((one) => one.target === `${open}&moved`);
    await until(() => connection.ending, 500, 'the first connection is closed');
  });

  shared.fact('an upgrade too, with the bytes that were behind it', async (things, world) => {
    const bytes = upgrade({ target: '/ws', Cookie: 'io=a' });
    const client = await world.connect(things.proxy.address);
    client.send(`${bytes}early`);
    assert.equal((await client.head()).status, 101);
    const { connection } = things.requests.b.find((one) => one.target === '/ws');
    await until(() => connection.text.includes('early'), 2000, 'early arrives');
    assert.equal(connection.text, 'early');
  });

  for (const [name, bytes, target] of [
    ['a plain request', get('/plain', first('a')), '/plain'],
    ['a POST', post('/post', first('a')), '/post'],
    ['an open that is a POST', post(`${open}&post`, first('a')), `${open}&post`],
    ['a poll', get(`${open}&sid=DDDDDDDDDDDDDDDDDDDD`, first('a')), `${open}&sid=DDDDDDDDDDDDDDDDDDDD`],
    ...['abc.def', 'x'.repeat(65), 'abc%2Bdef', 'aGVsbG8%3D'].map((sid) => [
      `a poll with the sid ${sid.slice(0, 10)}, of a form that we do not know,`,
      get(`${open}&sid=${sid}`, first('a')),
      `${open}&sid=${sid}`,
    ]),
    [
      'an upgrade of a session',
      upgrade({ target: '/socket.io/?EIO=4&transport=websocket&sid=DDDDDDDDDDDDDDDDDDDD', Cookie: 'io=a' }),
      '/socket.io/?EIO=4&transport=websocket&sid=DDDDDDDDDDDDDDDDDDDD',
    ],
  ]) {
    shared.fact(`${name} is not moved: 504 after \`response\`, seen once`, async (things) => {
      const begun = performance.now();
      const { status, log } = await things.ask(bytes);
      const ms = performance.now() - begun;
      assert.equal(status, 504);
      assert.equal(log.retries, '0');
      assert.ok(ms > 290, `after ${ms} ms`);
      assert.deepEqual(things.seen(target), { a: 1, b: 0 });
    });
  }
});

describe('when all are silent', () => {
  const shared = sharing((world) => pool(world, { a: silent, b: silent, c: silent, d: silent }, { timeouts: deadlines(100, 400) }));
  shared.fact('an open meets two of them, the second for as long as `response`: 504', async (things) => {
    const begun = performance.now();
    const { status, log } = await things.ask(get(`${open}&all`, first('a')));
    const ms = performance.now() - begun;
    assert.equal(status, 504);
    assert.equal(log.retries, '1');
    assert.ok(ms > 480, `after ${ms} ms`);
    assert.equal(Object.values(things.seen(`${open}&all`)).reduce((a, b) => a + b), 2);
  });
});

describe('the budget of second tries', () => {
  const shared = sharing((world) => pool(world, { a: silent, b: says('b'), c: says('c') }, { timeouts: deadlines(200, 400) }));
  shared.fact('of 40 handshakes at a silent server 10 are moved, the others wait', async (things) => {
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => talk(things.proxy.address, get(`${open}&n=${i}`, first('a')), { count: 1 })),
    );
    const count = (status) => answers.filter(({ answers: [answer] }) => answer.status === status).length;
    assert.deepEqual([count(200), count(504)], [10, 30]);
    assert.equal(await things.proxy.metric('limpet_retries_total', { reason: 'handshake' }), 10);
  });
});

describe('a server that answers a byte now and then', () => {
  const slow = `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: ${'x'.repeat(1000)}\r\n\r\nhi`;
  const body = (request, connection) => {
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n');
    drips('b'.repeat(20))(request, connection);
  };
  const shared = sharing((world) => pool(world, { a: drips(slow), b: body }, { timeouts: deadlines(200, 300) }));

  for (const [name, bytes] of [
    ['a plain request', get('/plain', first('a'))],
    ['an open', get(open, first('a'))],
    ['an upgrade', upgrade({ Cookie: 'io=a' })],
  ]) {
    shared.fact(`the head has a deadline: ${name} gets 502 or 504`, async (things) => {
      const { status } = await things.ask(bytes, { ms: 2000 });
      assert.ok([502, 504].includes(status), `${status}`);
    });
  }

  shared.fact('a body may take its time, while it goes on', async (things) => {
    const { status, text } = await things.ask(get('/body', first('b')));
    assert.deepEqual({ status, text }, { status: 200, text: 'b'.repeat(20) });
  });
});
