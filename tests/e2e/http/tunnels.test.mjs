// Established tunnels: bytes, backpressure, half-close, resets, deadlines, and the line at their end.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { Digest, block, md5, mostResidentBytes, residentBytes } from './bulk.mjs';
import { Front } from './front.mjs';
import { upgrade, webSockets } from './websocket.mjs';

const started = [];
const recorded = (world, options = {}) =>
  Front.start(world, {
    ...options,
    script: webSockets({
      then: (connection, head) => {
        started.push({ connection, head });
      },
    }),
  });

let tunnels = 0;
// Both ends of a new tunnel.
async function tunnel(world, front) {
  const target = `/tunnel-${tunnels += 1}`;
  const client = await world.connect(front.address);
  client.send(upgrade({ target }));
  assert.equal((await client.head()).status, 101);
  const { connection: server } = await until(() => started.find(({ head }) => head.target === target), 2000, 'the server\'s end');
  world.own({ close: () => server.destroy() });
  return { client, server, target };
}

// The access line of a tunnel, once it has ended.
const lineOf = (front, target) => until(() => front.lines.find((line) => line.includes(`${target} HTTP`)), 3000, `the line of ${target}`);

describe('tunnels', () => {
  const shared = sharing((world) => recorded(world));

  shared.fact('any bytes pass, either way, as they are', async (front, world) => {
    const { client, server } = await tunnel(world, front);
    const bytes = block(70_000);
    client.send(bytes);
    assert.ok(bytes.equals(await server.bytes(bytes.length)));
    server.send(bytes);
    assert.ok(bytes.equals(await client.bytes(bytes.length)));
    for (const text of ['GET / HTTP/1.1\r\n\r\n', 'HTTP/1.1 400 Bad Request\r\n\r\n', '\0\r\n\n\xff']) {
      client.send(text);
      assert.equal((await server.bytes(text.length)).toString('latin1'), text);
      server.send(text);
      assert.equal((await client.bytes(text.length)).toString('latin1'), text);
    }
  });

  shared.fact('a client that shuts its side: the server reads to the end, and its tail is delivered', async (front, world) => {
    const { client, server, target } = await tunnel(world, front);
    const tail = block(300_000);
    client.send(tail);
    client.halfClose();
    assert.ok(tail.equals(await server.bytes(tail.length)));
    assert.equal(await server.ends(), 'fin');
    server.send(tail);
    server.halfClose();
    assert.ok(tail.equals(await client.bytes(tail.length)));
    assert.equal(await client.ends(), 'fin');
    assert.match(await lineOf(front, target), / 101 kind=tunnel .* in=300000 out=300000 end=client:eof /);
  });

  shared.fact('a server that shuts its side: the client reads to the end, and its tail is delivered', async (front, world) => {
    const { client, server, target } = await tunnel(world, front);
    server.send('the last frame');
    server.halfClose();
    assert.equal((await client.bytes(14)).toString(), 'the last frame');
    assert.equal(await client.ends(), 'fin');
    client.send('and mine');
    client.halfClose();
    assert.equal((await server.bytes(8)).toString(), 'and mine');
    assert.equal(await server.ends(), 'fin');
    assert.match(await lineOf(front, target), / 101 kind=tunnel .* in=8 out=14 end=server:eof /);
  });

  for (const [who, other] of [['client', 'server'], ['server', 'client']]) {
    shared.fact(`a ${who} that resets: the ${other} is told`, async (front, world) => {
      const ends = await tunnel(world, front);
      ends[who].reset();
      await ends[other].ends();
      ends[other].destroy();
      assert.match(await lineOf(front, ends.target), new RegExp(` 101 kind=tunnel .* end=${who}:reset `));
    });

    shared.fact(`what a ${who} sent just before it went is delivered, though the ${other} reads late`, async (front, world) => {
      const ends = await tunnel(world, front);
      const bytes = block(200_000);
      ends[other].socket.pause();
      await new Promise((sent) => { ends[who].socket.write(bytes, sent); });
      ends[who].socket.end();
      ends[other].socket.resume();
      assert.ok(bytes.equals(await ends[other].bytes(bytes.length)));
      assert.equal(await ends[other].ends(), 'fin');
    });
  }

  shared.fact('a stopped reader on one side stops nobody else', async (front, world) => {
    const stuck = await tunnel(world, front);
    stuck.client.socket.pause();
    stuck.server.send(block(20 << 20));
    const other = await tunnel(world, front);
    for (let i = 0; i < 20; i += 1) {
      other.client.send('ping');
      assert.equal((await other.server.bytes(4, 1000)).toString(), 'ping');
    }
    stuck.client.send('still');
    assert.equal((await stuck.server.bytes(5)).toString(), 'still');
  });

  shared.fact('are counted while they live', async (front, world) => {
    await until(async () => (await front.proxy.metric('limpet_tunnels')) === 0, 3000, 'all others have ended');
    const ends = await Promise.all([1, 2, 3].map(() => tunnel(world, front)));
    assert.equal(await front.proxy.metric('limpet_tunnels'), 3);
    assert.equal((await front.proxy.server('web', 'a')).tunnels, 3);
    ends.forEach(({ client }) => client.destroy());
    ends.forEach(({ server }) => server.destroy());
    await until(async () => (await front.proxy.metric('limpet_tunnels')) === 0, 2000, 'none is left');
  });
});

describe('5 MiB each way at once', () => {
  const size = 5 << 20;
  const up = block(size, 1);
  const down = block(size, 2);

  for (const slow of ['nobody', 'client', 'server', 'both']) {
    scenario(`${slow} reading slowly: all arrives in order, within bounds`, async (world) => {
      const front = await recorded(world);
      const { client, server } = await tunnel(world, front);
      const before = await residentBytes(front.proxy.pid);
      const received = Promise.all(
        [
          [client, slow === 'client'],
          [server, slow === 'server'],
        ].map(([end, lags]) => digestOf(end.socket, lags || slow === 'both')),
      );
      client.socket.write(up);
      server.socket.write(down);
      const [atClient, atServer] = await received;
      assert.deepEqual([atClient, atServer], [md5(down), md5(up)]);
      if (slowness === 1) {
        const grown = await mostResidentBytes(front.proxy.pid) - before;
        assert.ok(grown <= 16 << 20, `${grown} bytes more`);
      }
    });
  }

  // Takes 64 KiB each few milliseconds if it lags.
  async function digestOf(socket, lags) {
    const digest = new Digest();
    socket.removeAllListeners('data');
    return new Promise((resolve) => {
      socket.on('data', (bytes) => {
        digest.add(bytes);
        if (digest.length >= size) return resolve(digest.done());
        if (!lags) return undefined;
        socket.pause();
        return void setTimeout(() => socket.resume(), 3);
      });
      socket.resume();
    });
  }
});

describe('tunnel_idle', { concurrency: 2 }, () => {
  const shared = sharing((world) => recorded(world, { pool: '[pool.web.timeouts]\ntunnel_idle = "1s"\n' }));

  shared.fact('ends a tunnel without a byte, and the log says so', async (front, world) => {
    const { client, server, target } = await tunnel(world, front);
    const begun = performance.now();
    await client.ends(4000);
    await server.ends(1000);
    const ms = performance.now() - begun;
    assert.ok(ms > 800 && ms < 2500 * slowness, `after ${ms} ms`);
    assert.match(await lineOf(front, target), / 101 kind=tunnel .* end=proxy:idle /);
  });

  shared.fact('bytes of one side alone keep a tunnel alive', (front, world) => Promise.all(['client', 'server'].map(async (who) => {
    const ends = await tunnel(world, front);
    const begun = performance.now();
    while (performance.now() - begun < 2500) {
      ends[who].send('.');
      await holds(() => !ends.client.ending && !ends.server.ending, 300, 'it stays');
    }
  })));
});

describe('tunnel_idle = "7d"', () => {
  const shared = sharing((world) => recorded(world, { pool: '[pool.web.timeouts]\ntunnel_idle = "7d"\n' }));
  shared.fact('is a deadline like any other', async (front, world) => {
    const { client, server } = await tunnel(world, front);
    await holds(() => !client.ending && !server.ending, 300, 'it does not end at once');
    client.send('ping');
    assert.equal((await server.bytes(4)).toString(), 'ping');
  });
});
