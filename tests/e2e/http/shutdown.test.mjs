// SIGTERM, seen from raw connections: what is in flight finishes, what idles is closed, tunnels end one by one.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, slowness, until, within } from '../lib/deadline.mjs';
import { RawConnection } from '../lib/raw.mjs';
import { scenario } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { upgrade, webSockets } from './websocket.mjs';

const get = (target) => `GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`;

// A server that answers /held only when the test says so; `drain` is the proxy's drain_timeout.
async function start(world, { drain = '2s', more = '', delay = '0s', listener = '' } = {}) {
  const held = [];
  const front = await Front.start(world, {
    reply: ({ target }, connection) => (target === '/held' ? void held.push(connection) : ok()),
    more: `[proxy]\ndrain_timeout = "${drain}"\nshutdown_delay = "${delay}"\n${more}${listener}`,
  });
  return { front, held, proxy: front.proxy };
}

const exits = (proxy, ms) => within(proxy.ended, ms, 'limpet ends');

describe('SIGTERM', { concurrency: 4 }, () => {
  scenario('a request in flight is answered with Connection: close, then limpet exits', async (world) => {
    const { front, held, proxy } = await start(world);
    const client = await world.connect(front.address);
    client.send(get('/held'));
    await until(() => held.length, 2000, 'it is in flight');
    proxy.signal('SIGTERM');
    await proxy.says(/listeners closed/, 2000, 'stderr');
    await holds(() => !proxy.end && !client.ending, 100, 'it waits for the answer');
    held[0].send(ok('late'));
    const answer = await client.answer();
    assert.equal(answer.body.toString(), 'late');
    assert.match(answer.headers.connection, /close/);
    assert.equal(await client.ends(), 'fin');
    assert.deepEqual(await exits(proxy, 1000), { code: 0, signal: null });
  });

  scenario('a body on its way goes on, either way', async (world) => {
    const { front, held, proxy } = await start(world);
    const up = await world.connect(front.address);
    up.send('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfirst');
    const down = await world.connect(front.address);
    down.send(get('/held'));
    await until(() => held.length && front.origin.seen.includes('first'), 2000, 'both are in flight');
    held[0].send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfirst');
    await down.reads('first');
    proxy.signal('SIGTERM');
    await proxy.says(/listeners closed/, 2000, 'stderr');
    up.send('other');
    held[0].send('other');
    assert.equal((await up.answer()).status, 200);
    assert.match(await down.answer().then(({ body }) => body.toString()), /^firstother$/);
    assert.equal(front.requests.find(({ target }) => target === '/up').body.toString(), 'firstother');
    assert.deepEqual(await exits(proxy, 1000), { code: 0, signal: null });
  });

  scenario('what was pipelined behind a request in flight is not begun', async (world) => {
    const { front, held, proxy } = await start(world);
    const client = await world.connect(front.address);
    client.send(get('/held') + get('/behind'));
    await until(() => held.length, 2000, 'it is in flight');
    proxy.signal('SIGTERM');
    await proxy.says(/listeners closed/, 2000, 'stderr');
    held[0].send(ok());
    assert.match((await client.answer()).headers.connection, /close/);
    await client.ends();
    assert.equal(client.text, '');
    assert.deepEqual(await exits(proxy, 2000), { code: 0, signal: null });
    assert.doesNotMatch(front.origin.seen, /behind/);
  });

  scenario('idle connections are closed at once, and nobody new is let in', async (world) => {
    const { front, proxy } = await start(world, { drain: '20s' });
    const clients = await Promise.all([1, 2, 3].map(() => world.connect(front.address)));
    for (const client of clients) assert.equal((await client.send(get('/')).answer()).status, 200);
    proxy.signal('SIGTERM');
    for (const client of clients) assert.equal(await client.ends(1000), 'fin');
    assert.deepEqual(await exits(proxy, 1500), { code: 0, signal: null });
    await assert.rejects(RawConnection.open(front.address.to), /ECONNREFUSED/);
  });

  scenario('a connection that was made just before is served', async (world) => {
    const { front, proxy } = await start(world);
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.connect(front.address)));
    clients.forEach((client) => client.send(get('/last')));
    proxy.signal('SIGTERM');
    for (const client of clients) assert.equal((await client.answer()).status, 200);
    assert.deepEqual(await exits(proxy, 2000), { code: 0, signal: null });
  });

  scenario('shutdown_delay: not ready, but open; answers say Connection: close', async (world) => {
    const { front, proxy } = await start(world, {
      delay: '700ms',
      listener: '[[listener]]\naddress = "127.0.0.1:0"\nready_path = "/ready"\n',
    });
    const ready = async () => (await talk(front.address, get('/ready'), { count: 1 })).answers[0].status;
    assert.equal(await ready(), 200);
    proxy.signal('SIGTERM');
    await until(async () => (await ready()) === 503, 500, 'readiness is off');
    assert.equal((await proxy.admin('/ready')).status, 503);
    const { answers: [answer], ending } = await talk(front.address, get('/new') + get('/more'));
    assert.equal(answer.status, 200);
    assert.match(answer.headers.connection, /close/);
    assert.notEqual(ending, 'open');
    assert.deepEqual(await exits(proxy, 3000), { code: 0, signal: null });
  });

  scenario('tunnels end at an even rate over drain_timeout', async (world) => {
    const front = await Front.start(world, { script: webSockets(), more: '[proxy]\ndrain_timeout = "1s"\n' });
    const clients = await Promise.all(Array.from({ length: 20 }, async () => {
      const client = (await world.connect(front.address)).send(upgrade());
      assert.equal((await client.head()).status, 101);
      return client;
    }));
    const begun = performance.now();
    const ends = clients.map(
      (client) =>
        new Promise((resolve) => {
          client.socket.once('end', () => resolve(performance.now() - begun));
        }),
    );
    front.proxy.signal('SIGTERM');
    const times = (await within(Promise.all(ends), 3000, 'all end')).sort((a, b) => a - b);
    // Not all at once, not all at the end.
    assert.ok(times[4] < 600 * slowness && times[15] > 400, `${times.map(Math.round)}`);
    assert.ok(times[19] < 1500 * slowness, `${times.map(Math.round)}`);
    clients.forEach((client) => client.destroy());
    assert.deepEqual(await exits(front.proxy, 2000), { code: 0, signal: null });
    const lines = front.lines.filter((line) => / 101 kind=tunnel .* end=proxy:drain /.test(line));
    assert.equal(lines.length, 20);
  });

  scenario(
    'what does not end by itself is told so at the end of drain_timeout, or cut; limpet exits 0 all the same',
    async (world) => {
      const { front, held, proxy } = await start(world, { drain: '500ms' });
      const clients = { begins: (await world.connect(front.address)).send('GET /begun HTTP/1.1\r\nHo') };
      const reach = {
        waits: get('/held'), uploads: 'POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf',
        handshakes: upgrade({ target: '/held' }), reads: get('/held'),
      };
      for (const [name, bytes] of Object.entries(reach)) {
        clients[name] = (await world.connect(front.address)).send(bytes);
        await front.origin.connection(front.origin.connections.length + 1);
      }
      await until(() => held.length === 3, 2000, 'all are in flight');
      held.at(-1).send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      await clients.reads.reads('half');
      const begun = performance.now();
      proxy.signal('SIGTERM');
      assert.deepEqual(await exits(proxy, 3000), { code: 0, signal: null });
      assert.ok(performance.now() - begun > 450);
      for (const name of ['begins', 'waits', 'uploads', 'handshakes']) {
        const { status, headers } = await clients[name].answer();
        assert.equal(status, 503, name);
        assert.match(headers.connection, /close/);
        await clients[name].ends();
      }
      // The half of an answer cannot be made good.
      await clients.reads.ends();
      assert.match(clients.reads.text, /\r\n\r\nhalf$/);
    },
  );

  scenario('a second signal ends it at once', async (world) => {
    const { front, held, proxy } = await start(world, { drain: '20s' });
    const client = await world.connect(front.address);
    client.send(get('/held'));
    await until(() => held.length, 2000, 'it is in flight');
    proxy.signal('SIGTERM');
    await proxy.says(/listeners closed/, 2000, 'stderr');
    proxy.signal('SIGTERM');
    const end = await exits(proxy, 1000);
    proxy.expect = end;
    assert.equal(end.signal, null);
  });

  scenario('SIGHUP is answered by a line in the log and disturbs nobody', async (world) => {
    const { front, proxy } = await start(world);
    const client = await world.connect(front.address);
    assert.equal((await client.send(get('/')).answer()).status, 200);
    proxy.signal('SIGHUP');
    await proxy.says(/SIGHUP/, 2000, 'stderr');
    assert.equal((await client.send(get('/')).answer()).status, 200);
  });
});
