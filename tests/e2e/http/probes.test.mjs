// What servers may answer to a probe, and what their state then is.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { EchoServer } from './echo_server.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { upgrade, webSockets } from './websocket.mjs';

const pace = (timeout) => `interval = "100ms", fast_interval = "50ms", timeout = "${timeout * slowness}ms"`;
// Of a server that answers, and of one that need not: then the test waits for it.
const calm = pace(1000);
const fast = pace(300);
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const open = '/socket.io/?EIO=4&transport=polling';

const endless = (connection) => {
  const more = () => { while (!connection.ending && connection.socket.write(Buffer.alloc(16_384, 120))); };
  connection.socket.on('drain', more);
  connection.socket.on('close', () => connection.socket.removeAllListeners('drain'));
  more();
};

// Name: what is sent, and the state that it makes of the server; `extra` are keys of `health`.
const kinds = [
  ['200', (c) => c.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 'up'],
  ['200, then the end', (c) => c.send('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok').halfClose(), 'up'],
  ['200 without a body, then the end', (c) => c.send('HTTP/1.0 200 OK\r\n\r\n').halfClose(), 'up'],
  [
    '200, then a reset',
    (c) => c.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', () => setTimeout(() => c.reset(), 20)),
    'up',
  ],
  ['200 in chunks', (c) => c.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'), 'up'],
  ['200 after 103', (c) => c.send('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 'up'],
  ['200 with a body that never ends', (c) => { c.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n'); endless(c); }, 'up'],
  ['200 with a body that never comes', (c) => c.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n'), 'up'],
  [
    'the text that is looked for, in chunks',
    (c) => c.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxal\r\n4\r\nivex\r\n0\r\n\r\n'),
    'up',
    'body = "alive"',
  ],
  ['another text', (c) => c.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndead'), 'refusing', 'body = "alive"'],
  [
    'the text looked for behind 16 KiB',
    (c) => c.send(`HTTP/1.1 200 OK\r\nContent-Length: 20005\r\n\r\n${'x'.repeat(20_000)}alive`),
    'refusing',
    'body = "alive"',
  ],
  ['a redirect', (c) => c.send('HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n'), 'refusing'],
  [
    'a redirect that is expected',
    (c) => c.send('HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n'),
    'up',
    'expect = ["200-299", 302]',
  ],
  ['204 where a range is expected', (c) => c.send('HTTP/1.1 204 No Content\r\n\r\n'), 'up', 'expect = "200-299"'],
  ['503', (c) => c.send('HTTP/1.1 503 draining\r\nContent-Length: 0\r\n\r\n'), 'refusing'],
  ['404', (c) => c.send('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'), 'refusing'],
  [
    'a second 200 behind 503',
    (c) => c.send('HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
    'refusing',
  ],
  ['garbage', (c) => c.send('\x16\x03\x01 no\r\n\r\n'), ['refusing', 'down']],
  ['a head that never ends', (c) => { c.send('HTTP/1.1 200 OK\r\nX: '); endless(c); }, ['refusing', 'down']],
  ['nothing', () => {}, 'down'],
  ['half a status line', (c) => c.send('HTTP/1.1 20'), 'down'],
  [
    'a byte now and then',
    (c) => {
      const timer = setInterval(() => {
        if (c.ending) clearInterval(timer);
        else c.send('H');
      }, 40);
    },
    ['down', 'refusing'],
  ],
  ['the end', (c) => c.halfClose(), ['down', 'refusing']],
  ['a reset', (c) => c.reset(), ['down', 'refusing']],
];

describe('a probe that is answered with', () => {
  const shared = sharing(async (world) => {
    const pools = await Promise.all(
      kinds.map(async ([, health, , extra], i) => {
        const origin = await world.origin({ script: answering(() => ok()) });
        origin.health = health;
        return `[pool.p${i}]\nservers = ["a=${origin.address}"]\ncookie = { mode = "off" }\n`
          + `health = { ${fast}${extra ? `, ${extra}` : ''} }\n[[route]]\npath = "/p${i}"\npool = "p${i}"\n`;
      }),
    );
    return { proxy: await world.limpet(pools.join('')) };
  });

  kinds.forEach(([name, , state], i) => {
    const wanted = [state].flat();
    shared.fact(`${name}: ${wanted.join(' or ')}`, async ({ proxy }) => {
      const now = async () => (await proxy.server(`p${i}`, 'a')).state;
      await until(async () => wanted.includes(await now()), 5000, `${wanted}`);
      const { answers: [answer] } = await talk(proxy.address, get(`/p${i}`), { count: 1 });
      assert.equal(answer.status, wanted[0] === 'up' ? 200 : 503);
    });
  });

  shared.fact('none of these states changes any more', async ({ proxy }) => {
    const states = async () => (await proxy.status()).pools.map(({ name, servers: [{ state }] }) => `${name} ${state}`).join();
    const before = await states();
    await holds(async () => (await states()) === before, 700, before);
  });
});

scenario('a server that refuses keeps the clients that it has and gets no new ones', async (world) => {
  const servers = await Promise.all(
    ['a', 'b'].map(async (id) => {
      const script = answering(() => ok(id));
      const ws = webSockets();
      const origin = await world.origin({ script: (c) => (/Upgrade: websocket/.test(c.text) ? ws(c) : script(c)) });
      return { id, origin, requests: script.requests };
    }),
  );
  const proxy = await world.limpet(
    `[pool.web]\nservers = [${servers.map(({ id, origin }) => `"${id}=${origin.address}"`).join(', ')}]\nhealth = { ${calm} }\n`,
  );
  // 20 tunnels and 20 polling sessions on `a`.
  const tunnels = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const client = (await world.connect(proxy.address)).send(upgrade({ Cookie: 'io=a' }));
      assert.equal((await client.head()).status, 101);
      return client;
    }),
  );
  const poll = (i, method = 'GET') =>
    talk(
      proxy.address,
      `${method} ${open}&sid=${String(i).padStart(20, 'a')} HTTP/1.1\r\nHost: a\r\nCookie: io=a\r\nContent-Length: 0\r\n\r\n`,
      { count: 1 },
    );
  const texts = async (conversations) => [
    ...new Set((await Promise.all(conversations)).map(({ answers: [{ status, body }] }) => `${status} ${body}`)),
  ];
  servers[0].origin.health = 503;
  await proxy.becomes('web', 'a', 'refusing');

  assert.deepEqual(
    await texts(Array.from({ length: 20 }, (_, i) => poll(i, i % 2 ? 'GET' : 'POST'))),
    ['200 a'],
    'sessions are served',
  );
  const upgraded = (await world.connect(proxy.address)).send(
    upgrade({ target: `/socket.io/?EIO=4&transport=websocket&sid=${'s'.repeat(20)}`, Cookie: 'io=a' }),
  );
  assert.equal((await upgraded.head()).status, 101);
  assert.equal((await proxy.server('web', 'a')).tunnels, 21, 'upgrades with its sids too');
  assert.deepEqual(
    await texts(Array.from({ length: 20 }, () => talk(proxy.address, get(open, 'Cookie: io=a\r\n'), { count: 1 }))),
    ['200 b'],
    'no new one comes',
  );
  assert.deepEqual(await texts([talk(proxy.address, get('/plain', 'Cookie: io=a\r\n'), { count: 1 })]), ['200 b']);
  assert.ok(tunnels.every((client) => !client.ending));

  servers[0].origin.health = 200;
  await proxy.becomes('web', 'a', 'up');
  assert.deepEqual(await texts([talk(proxy.address, get(open, 'Cookie: io=a\r\n'), { count: 1 })]), ['200 a']);
  [...tunnels, upgraded].forEach((client) => client.destroy());
});

scenario('a server that goes takes its tunnels with it, and nobody else\'s', async (world) => {
  const servers = await Promise.all(['a', 'b'].map(async (id) => ({ id, origin: await world.origin({ script: webSockets() }) })));
  const proxy = await world.limpet(
    `[pool.web]\nservers = [${servers.map(({ id, origin }) => `"${id}=${origin.address}"`).join(', ')}]\nhealth = { ${calm} }\n`,
  );
  const on = Object.fromEntries(
    await Promise.all(
      ['a', 'b'].map(async (id) => [
        id,
        await Promise.all(
          Array.from({ length: 100 }, async () => {
            const client = (await world.connect(proxy.address)).send(upgrade({ Cookie: `io=${id}` }));
            assert.equal((await client.head()).status, 101);
            return client;
          }),
        ),
      ]),
    ),
  );
  await servers[0].origin.pause();
  await Promise.all(on.a.map((client) => client.ends(1000)));
  await proxy.becomes('web', 'a', 'down');
  assert.ok(on.b.every((client) => !client.ending));
  const { answers: [answer] } = await talk(proxy.address, upgrade({ Cookie: 'io=a' }), { count: 1 });
  assert.equal(answer.status, 101, 'its cookie leads elsewhere');
  [...on.a, ...on.b].forEach((client) => client.destroy());
});

scenario(
  'a server on a Unix socket that hangs is down: no open waits for it long, and its sessions are told to begin anew',
  async (world) => {
    const a = await EchoServer.start(world, { path: `${world.dir}/a.sock` });
    const b = await world.origin({ script: answering(() => ok('b')) });
    const proxy = await world.limpet(
      `[pool.web]\nservers = ["a=${a.address}", "b=${b.address}"]\nhealth = { ${fast}, slow_start = "0s" }\n`
        + `timeouts = { connect = "${300 * slowness}ms" }\n`,
    );
    const ofItsSession = async () =>
      (await talk(proxy.address, get(`${open}&sid=AAAAAAAAAAAA5sYyth6W`), { count: 1 })).answers[0];
    assert.equal((await ofItsSession()).status, 200);
    await a.freeze();
    const opens = await Promise.all(
      Array.from({ length: 20 }, () => talk(proxy.address, get(open, 'Cookie: io=a\r\n'), { count: 1 })),
    );
    assert.deepEqual([...new Set(opens.map(({ answers: [{ status, body }] }) => `${status} ${body}`))], ['200 b']);
    await proxy.becomes('web', 'a', 'down');
    const { status, body } = await ofItsSession();
    assert.deepEqual([status, body.toString()], [400, '{"code":1,"message":"Session ID unknown"}']);
    assert.equal(await proxy.metric('limpet_refusals_total', { reason: 'local_shortage' }), 0);
    a.thaw();
    await proxy.becomes('web', 'a', 'up');
    assert.equal((await ofItsSession()).status, 200);
  },
);

scenario('the Host of a probe is the server\'s address, of one on a Unix socket localhost', async (world) => {
  const tcp = await world.origin();
  const unix = await world.origin({ path: `${world.dir}/a.sock` });
  await world.limpet(`[pool.web]\nservers = ["a=${tcp.address}", "b=${unix.address}"]\n`);
  assert.match(tcp.lastProbe, new RegExp(`\\r\\nHost: ${tcp.address}\\r\\n`));
  assert.match(unix.lastProbe, /\r\nHost: localhost\r\n/);
});

scenario('all down: 503 with Retry-After; admin and probes go on; back with the first good probe', async (world) => {
  const origin = await world.origin({ script: answering(() => ok('a')) });
  const proxy = await world.limpet(
    `[pool.web]\nservers = ["a=${origin.address}", "b=127.0.0.1:1"]\nhealth = { ${calm} }\n[log]\naccess = "off"\n`,
  );
  await origin.pause();
  await proxy.becomes('web', 'a', 'down');
  assert.equal((await proxy.admin('/ready')).status, 503);

  // Opens, upgrades and plain requests, a thousand each, and all of them refused.
  const refused = await Promise.all(
    [get(open), upgrade(), get('/')].map((bytes) =>
      talk(proxy.address, bytes.repeat(1000), { count: 1000, ms: 20_000 }).catch(() => undefined),
    ),
  );
  const statuses = refused
    .flatMap((one) => one?.answers ?? [])
    .map(({ status, headers }) => `${status} ${headers['retry-after']}`);
  assert.deepEqual([...new Set(statuses)], ['503 1']);
  assert.ok(statuses.length > 2000);
  assert.equal((await proxy.admin('/status')).status, 200);

  await origin.resume();
  const begun = performance.now();
  await until(async () => (await talk(proxy.address, get(open), { count: 1 })).answers[0].status === 200, 1000, 'it is back');
  const ms = performance.now() - begun;
  assert.ok(ms < 300, `after ${ms} ms`);
  assert.equal((await proxy.admin('/ready')).status, 200);
});

scenario('a handshake without a byte brings one probe, and no more however many are slow', async (world) => {
  const origin = await world.origin();
  const other = await world.origin();
  const proxy = await world.limpet(
    `[pool.web]\nservers = ["a=${origin.address}", "b=${other.address}"]\nhealth = { interval = "1h", jitter = 0 }\n`
      + `[pool.web.timeouts]\nhandshake = "5s"\n`,
  );
  assert.equal(origin.probes, 1);
  const clients = await Promise.all(
    Array.from({ length: 50 }, async () => (await world.connect(proxy.address)).send(get(open, 'Cookie: io=a\r\n'))),
  );
  await until(() => origin.connections.length === 50, 2000, 'all wait');
  await until(() => origin.probes > 1, 1500, 'a probe');
  await holds(() => origin.probes <= 4, 1000, 'no storm of probes');
  assert.equal((await proxy.server('web', 'a')).state, 'up', 'a client can make a handshake slow');
  clients.forEach((client) => client.destroy());
});
