// Connections of clients and to servers: pipelining, reuse, half-close, what an error of ours leaves behind, limits.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { slowness, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';

const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const post = (target, body) => `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
const bodies = ({ answers }) => answers.map(({ body }) => body.toString());
const echo = ({ method, target, body }) => ok(`${method} ${target} ${body.length}`);

describe('a client\'s connection', () => {
  const shared = sharing((world) => Front.start(world, { reply: echo }));

  shared.fact('two GETs in one packet are answered in order', async ({ address }) => {
    assert.deepEqual(bodies(await talk(address, get('/1') + get('/2'), { count: 2 })), ['GET /1 0', 'GET /2 0']);
  });

  shared.fact('a hundred requests in one packet, with and without bodies', async ({ address }) => {
    const wanted = Array.from({ length: 100 }, (_, i) =>
      i % 3 ? [get(`/${i}`), `GET /${i} 0`] : [post(`/${i}`, 'b'.repeat(i)), `POST /${i} ${i}`],
    );
    const got = await talk(address, wanted.map(([bytes]) => bytes).join(''), { count: 100 });
    assert.deepEqual(bodies(got), wanted.map(([, body]) => body));
  });

  shared.fact('a GET after a POST with a body, both framings', async ({ address }) => {
    const chunked = 'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: 1\r\n\r\n';
    const got = await talk(address, post('/p', 'hello') + get('/1') + chunked + get('/2'), { count: 4 });
    assert.deepEqual(bodies(got), ['POST /p 5', 'GET /1 0', 'POST /c 3', 'GET /2 0']);
  });

  shared.fact('pipelined requests cut at every byte', async ({ address }) => {
    const got = await talk(address, post('/p', 'hello') + get('/1'), { count: 2, pieces: true });
    assert.deepEqual(bodies(got), ['POST /p 5', 'GET /1 0']);
  });

  shared.fact('a thousand requests, sent before the first answer is read', async ({ address }) => {
    const got = await talk(address, Array.from({ length: 1000 }, (_, i) => get(`/${i}`)).join(''), { count: 1000 });
    assert.deepEqual(bodies(got), Array.from({ length: 1000 }, (_, i) => `GET /${i} 0`));
  });

  shared.fact('a half-close after the request: it is answered, then closed', async ({ address }) => {
    const got = await talk(address, get('/half'), { halfClose: true });
    assert.deepEqual(bodies(got), ['GET /half 0']);
    assert.equal(got.ending, 'fin');
  });

  shared.fact('a half-close after two pipelined requests: both are answered', async ({ address }) => {
    const got = await talk(address, get('/half-1') + get('/half-2'), { halfClose: true });
    assert.deepEqual(bodies(got), ['GET /half-1 0', 'GET /half-2 0']);
  });

  shared.fact('a half-close after a body', async (front) => {
    const got = await talk(front.address, post('/half', 'hello'), { halfClose: true });
    assert.deepEqual(bodies(got), ['POST /half 5']);
  });

  for (const [name, bytes] of [
    ['a head', 'GET /cut HTTP/1.1\r\nHost:'],
    ['a body', 'POST /cut HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf'],
  ]) {
    shared.fact(`a half-close in the middle of ${name} ends it; the server sees no whole request`, async (front) => {
      const from = front.requests.length;
      const got = await talk(front.address, bytes, { halfClose: true });
      assert.ok(got.answers.every(({ status }) => status === 400 || status === 408), got.text);
      assert.equal(front.requests.length, from);
    });
  }

  shared.fact('a connection without a byte costs nothing and harms nobody', async (front, world) => {
    const silent = await Promise.all(Array.from({ length: 50 }, () => world.connect(front.address)));
    assert.deepEqual(bodies(await talk(front.address, get('/beside'), { count: 1 })), ['GET /beside 0']);
    silent.forEach((one) => one.reset());
    assert.deepEqual(bodies(await talk(front.address, get('/after'), { count: 1 })), ['GET /after 0']);
  });
});

describe('connections to a server', () => {
  const shared = sharing((world) => Front.start(world, { more: '[proxy]\nworkers = 1\ndrain_timeout = "1s"\n', reply: (request) => {
    if (request.target === '/close') return ok('bye', 'Connection: close\r\n');
    if (request.target === '/old') return 'HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold';
    if (request.target.startsWith('/never')) return undefined;
    if (request.target.startsWith('/for-')) return ok('short', `Keep-Alive: timeout=${request.target.slice(5)}\r\n`);
    return echo(request);
  } }));
  const count = (front) => front.origin.connections.length;

  shared.fact('are used again, also by other clients', async (front) => {
    await talk(front.address, get('/warm'), { count: 1 });
    const before = count(front);
    for (let i = 0; i < 5; i += 1) {
      await talk(front.address, get(`/${i}`) + post(`/${i}`, 'hello'), { count: 2 });
    }
    assert.equal(count(front), before);
  });

  shared.fact('but not one that carries a request', async (front) => {
    const before = count(front);
    await Promise.all(Array.from({ length: 5 }, (_, i) => talk(front.address, get(`/at-once-${i}`), { count: 1 })));
    assert.ok(count(front) <= before + 4);
  });

  for (const target of ['/close', '/old']) {
    shared.fact(`not after ${target}, and the client's stays open`, async (front) => {
      const { answers } = await talk(front.address, get(target) + get('/next'), { count: 2 });
      assert.deepEqual(answers.map(({ status }) => status), [200, 200]);
      assert.doesNotMatch(answers[0].headers.connection ?? '', /close/);
      const [first, second] = front.requests.slice(-2).map(({ connection }) => connection);
      assert.notEqual(first, second);
      await until(() => first.ending, 2000, 'limpet closes it');
    });
  }

  for (const seconds of [0, 1]) {
    shared.fact(`not after the ${seconds} s that the server announced`, async (front) => {
      await talk(front.address, get(`/for-${seconds}`), { count: 1 });
      const { connection } = front.requests.at(-1);
      await until(() => connection.ending, 2000, 'a second less than a second: it is closed at once');
    });
  }

  shared.fact('one that the server closed while it idled is not used', async (front) => {
    await talk(front.address, get('/warm'), { count: 1 });
    front.origin.connections.forEach((one) => one.socket.end());
    await until(() => front.origin.connections.every((one) => one.ending), 2000, 'limpet closes its side too');
    assert.deepEqual(bodies(await talk(front.address, post('/fresh', 'x'), { count: 1 })), ['POST /fresh 1']);
  });

  // The end of what a client sends is no end of what it reads, but no client of Engine.IO leaves it at that.
  for (const [name, target, leave] of [
    ['a poll closes', '/never?EIO=4&transport=polling&sid=abc', 'destroy'],
    ['any request resets', '/never', 'reset'],
  ]) {
    shared.fact(`a client that ${name} while it waits takes the server's request with it`, async (front, world) => {
      const client = await world.connect(front.address);
      client.send(get(target));
      const { connection } = await until(() => front.requests.find((one) => one.target === target), 2000, 'it arrives');
      client[leave]();
      await until(() => connection.ending, 2000, 'the server\'s connection is closed');
      assert.deepEqual(bodies(await talk(front.address, get('/next'), { count: 1 })), ['GET /next 0']);
    });
  }
});

describe('idle connections to a server, keep_alive = "0s"', () => {
  const shared = sharing((world) => Front.start(world, { reply: echo, pool: '[pool.web.timeouts]\nkeep_alive = "0s"\n' }));
  shared.fact('there are none', async (front) => {
    await talk(front.address, get('/1') + get('/2'), { count: 2 });
    assert.equal(front.origin.connections.length, 2);
    await until(() => front.origin.connections.every((one) => one.ending), 2000, 'both are closed');
  });
});

describe('a client\'s connection after an error of ours', () => {
  // /silent is never answered, /refused is closed upon, anything else is answered.
  const shared = sharing((world) =>
    Front.start(world, {
      pool: `[pool.web.timeouts]\nresponse = "${300 * slowness}ms"\n[pool.none]\nservers = ["b=127.0.0.1:1"]\n`
        + `health = { type = "off" }\ncookie = { mode = "off" }\n[[route]]\npool = "web"\n[[route]]\npath = "/none"\n`
        + `pool = "none"\n`,
      reply: ({ target, method, body }, connection) => {
        if (target === '/silent') return undefined;
        if (target === '/closed') return void connection.socket.destroy();
        return ok(`${method} ${target} ${body.length}`);
      },
    }),
  );

  for (const [target, status] of [['/silent', 504], ['/closed', 502], ['/none', 502]]) {
    shared.fact(`goes on after ${status} for ${target}`, async ({ address }) => {
      const { answers } = await talk(address, get(target) + get('/next'), { count: 2 });
      assert.deepEqual(answers.map((answer) => answer.status), [status, 200]);
      assert.doesNotMatch(answers[0].headers.connection ?? '', /close/);
    });
  }

  for (const [target, status] of [['/silent', 504], ['/closed', 502]]) {
    shared.fact(`goes on after ${status} for ${target} to a POST whose body was read`, async ({ address }) => {
      const { answers } = await talk(address, post(target, 'hello') + get('/next'), { count: 2 });
      assert.deepEqual(answers.map((answer) => answer.status), [status, 200]);
    });
  }

  for (const body of ['', 'GET /body HTTP/1.1\r\nHost: a\r\n\r\n']) {
    shared.fact(`ends after 502 where a body of ${body.length} of 100 bytes was not read`, async (front) => {
      const { answers, ending } = await talk(front.address, `POST /none HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n${body}`);
      assert.deepEqual(answers.map((answer) => answer.status), [502]);
      assert.match(answers[0].headers.connection, /close/);
      assert.notEqual(ending, 'open');
      assert.doesNotMatch(front.origin.seen, /body/);
    });
  }
});

scenario('max_connections: one more is answered with 503 and Retry-After, and room that came free is used', async (world) => {
  const front = await Front.start(world, { reply: echo, more: '[proxy]\nmax_connections = 3\ndrain_timeout = "1s"\n' });
  const held = await Promise.all([1, 2, 3].map(() => world.connect(front.address)));
  for (const one of held) assert.equal((await one.send(get('/held')).answer()).status, 200);
  const { answers: [refused], ending } = await talk(front.address, get('/more'));
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '1');
  assert.notEqual(ending, 'open');
  assert.doesNotMatch(front.origin.seen, /\/more/);
  assert.equal(await front.proxy.metric('limpet_refusals_total', { reason: 'no_connections' }), 1);
  held[0].destroy();
  await until(async () => (await talk(front.address, get('/room'), { count: 1 })).answers[0].status === 200, 2000, 'there is room again');
});

scenario('a server\'s max_connections: what does not fit is 503 with Retry-After', async (world) => {
  const waiting = [];
  const origin = await world.origin({ script: answering((request, connection) => void waiting.push(connection)) });
  const proxy = await world.limpet(`[pool.web]\nservers = [{ id = "a", address = "${origin.address}", max_connections = 2 }]\n`);
  const clients = await Promise.all([1, 2].map(() => world.connect(proxy.address)));
  clients.forEach((one) => one.send(get('/held')));
  await until(() => waiting.length === 2, 2000, 'two wait');
  const { answers: [refused] } = await talk(proxy.address, get('/more'), { count: 1 });
  assert.equal(refused.status, 503);
  assert.equal(refused.headers['retry-after'], '1');
  waiting.forEach((one) => one.send(ok()));
  for (const one of clients) assert.equal((await one.answer()).status, 200);
  assert.equal(await proxy.metric('limpet_refusals_total', { reason: 'full' }), 1);
});

scenario('ready_path answers on the client\'s port, and only there', async (world) => {
  const origin = await world.origin({ script: answering() });
  const proxy = await world.limpet(
    `[[listener]]\naddress = "127.0.0.1:0"\nready_path = "/ready"\n[[listener]]\naddress = "127.0.0.1:0"\n[pool.web]\n`
      + `servers = ["a=${origin.address}"]\n`,
  );
  const { answers } = await talk(proxy.listeners[0], get('/ready') + get('/ready?x=1') + get('/readyx'), { count: 3 });
  assert.deepEqual(answers.map(({ body }) => body.toString().trim()), ['ready', 'ready', 'ok']);
  assert.equal((await talk(proxy.listeners[1], get('/ready'), { count: 1 })).answers[0].body.toString(), 'ok');
});

scenario('no route: 404, and the connection goes on', async (world) => {
  const origin = await world.origin({ script: answering() });
  const proxy = await world.limpet(
    `[pool.web]\nservers = ["a=${origin.address}"]\n[[route]]\nhosts = ["a", "*.a.example"]\npath = "/app"\npool = "web"\n`,
  );
  const { answers } = await talk(
    proxy.address,
    get('/') +
      get('/app') +
      get('/apple') +
      get('/app/x').replace('Host: a', 'Host: X.A.example:80') +
      get('http://b/app').replace('Host: a', 'Host: a') +
      get('/app').replace('Host: a', 'Host: b'),
    { count: 6 },
  );
  assert.deepEqual(
    answers.map(({ status }) => status),
    [404, 200, 404, 200, 404, 404],
  );
});
