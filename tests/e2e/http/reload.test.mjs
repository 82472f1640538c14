// SIGHUP: other servers in a pool, while everything runs; and what is refused.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { uncounted } from '../lib/allocations.mjs';
import { holds, slowness, until, within } from '../lib/deadline.mjs';
import { Address, request } from '../lib/limpet.mjs';
import { Supervisor } from '../lib/supervisor.mjs';
import { scenario } from '../lib/world.mjs';
import { residentBytes } from './bulk.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { switching, upgrade } from './websocket.mjs';

const fast = `interval = "200ms", fast_interval = "100ms", timeout = "${300 * slowness}ms", slow_start = "0s"`;
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const patient = 'interval = "200ms", fast_interval = "200ms", timeout = "10s", slow_start = "0s"';
// Its sid ends in the tag of server "a".
const poll = '/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAA5sYyth6W';

// A server that answers with its id, and sends back what comes over a WebSocket.
async function named(world, id) {
  const script = answering(({ headers, ...head }, connection) => {
    if (!headers.upgrade) return ok(id);
    connection.socket.on('data', (bytes) => { if (!connection.ending) connection.send(bytes); });
    return switching({ headers, ...head });
  });
  return Object.assign(await world.origin({ script }), { id });
}

const list = (servers) => servers.map((one) => one.entry ?? `"${one.id}=${one.address}"`).join(', ');

// limpet before servers `names`, of which `first` are in its pool at the start.
async function reloading(world, names, { first = names, health = fast, drain = '20s', shutdown = '0s', options } = {}) {
  const things = {};
  for (const id of names) things[id] = await named(world, id);
  const text = (servers) => `[proxy]\nworkers = 2\ndrain_timeout = "${drain}"\nshutdown_delay = "${shutdown}"\n`
    + `[pool.web]\nbalance = "round_robin"\nservers = [${list(servers)}]\nhealth = { ${health} }\n`;
  const proxy = await world.limpet(text(first.map((id) => things[id])), options);
  const whole = readFileSync(proxy.file, 'utf8');
  const lines = () => [...proxy.stderr.matchAll(/^.*SIGHUP: (.*)$/gm)].map(([, line]) => line);
  // What the log says of SIGHUP with this file.
  const hup = async (file) => {
    const before = lines().length;
    writeFileSync(proxy.file, file);
    proxy.signal('SIGHUP');
    return until(() => lines()[before], 5000, 'a line about SIGHUP');
  };
  const rewrite = (change) => hup(change(whole));
  const with_ = (...servers) => rewrite((old) => old.replace(/^servers = .*$/m, `servers = [${list(servers)}]`));
  return { ...things, proxy, rewrite, with: with_ };
}

const who = async (proxy, fields = '') => (await talk(proxy.address, get('/', fields), { count: 1 })).answers[0].body.toString();
const seen = async (proxy, count = 20) => {
  const ids = new Set();
  for (let i = 0; i < count; i += 1) ids.add(await who(proxy));
  return [...ids].sort();
};
const idsOf = async (proxy) => (await proxy.status()).pools[0].servers.map(({ id }) => id);

// A server's address is that of an origin.
const isAt = (proxy, id, origin) => until(async () => (await proxy.server('web', id)).addresses.join() === origin.address, 10_000,
  `${id} is at ${origin.address}`);

async function tunnel(world, proxy, fields = {}) {
  const client = await world.connect(proxy.address);
  client.send(upgrade(fields));
  assert.equal((await client.head()).status, 101);
  return client;
}
async function echoes(client) {
  client.send('ping');
  assert.equal((await client.bytes(4)).toString(), 'ping');
}

describe('SIGHUP applies', () => {
  scenario('a server that is added, once it has passed a probe', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'], health: patient });
    const waiting = [];
    b.health = (connection) => { waiting.push(connection); };
    const client = await tunnel(world, proxy);
    assert.equal(await then.with(a, b), 'pool web: added b');
    await until(() => waiting.length, 2000, 'it is probed');
    assert.equal((await proxy.server('web', 'b')).reason, 'not probed yet');
    assert.deepEqual(await seen(proxy), ['a']);
    b.health = 200;
    waiting[0].send(ok());
    await proxy.becomes('web', 'b', 'up');
    assert.deepEqual(await seen(proxy), ['a', 'b']);
    assert.equal(await proxy.metric('limpet_server_state', { server: 'b', state: 'up' }), 1);
    await echoes(client);
  });

  scenario('a server that is removed: its sessions go on, it gets no others, and then it is gone', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { drain: '3s' });
    const client = await tunnel(world, proxy, { Cookie: 'io=a' });
    assert.equal(await then.with(b), 'pool web: removed a');
    assert.deepEqual(await seen(proxy), ['b']);
    assert.equal(await who(proxy, 'Cookie: io=a\r\n'), 'b');
    assert.equal((await proxy.server('web', 'a')).wanted, 'leaving');
    assert.equal(await proxy.metric('limpet_server_wanted', { server: 'a', wanted: 'leaving' }), 1);
    assert.equal((await talk(proxy.address, get(poll), { count: 1 })).answers[0].body.toString(), 'a');
    assert.equal((await proxy.admin('/pools/web/servers/a/ready', { method: 'POST' })).status, 404);
    await until(async () => !(await idsOf(proxy)).includes('a'), 8000, 'it has left');
    assert.equal(await proxy.metric('limpet_server_state', { server: 'a', state: 'up' }), 0);
    await echoes(client);
    const probes = a.probes;
    await holds(() => a.probes <= probes + 1, 500, 'it is not probed any more');
    assert.notEqual((await talk(proxy.address, get(poll), { count: 1 })).answers[0].body.toString(), 'a');
    assert.match(proxy.stderr, /server web\/a has left/);
  });

  scenario('a server that comes back: it is who it was', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b']);
    const client = await tunnel(world, proxy, { Cookie: 'io=a' });
    await proxy.admin('/pools/web/servers/a/drain', { method: 'POST' });
    const { requests_total: total } = await proxy.server('web', 'a');
    await then.with(b);
    assert.equal(await then.with(b, a), 'pool web: added a');
    const again = await proxy.server('web', 'a');
    assert.deepEqual([again.wanted, again.tunnels, again.requests_total, again.state], ['serving', 1, total, 'up']);
    assert.deepEqual(await seen(proxy), ['a', 'b']);
    await echoes(client);
  });

  scenario('weight, max_connections, backup and address', async (world) => {
    const { a, b, c, proxy, ...then } = await reloading(world, ['a', 'b', 'c'], { first: ['a', 'b'] });
    const light = { entry: `{ id = "a", address = "${a.address}", weight = 0, max_connections = 7 }` };
    assert.equal(await then.with(light, b), 'pool web: changed a (weight 0, max_connections 7)');
    assert.deepEqual(await seen(proxy), ['b']);
    const { weight, max_connections: most } = await proxy.server('web', 'a');
    assert.deepEqual([weight, most], [0, 7]);
    const spare = { entry: `{ id = "b", address = "${b.address}", backup = true }` };
    assert.equal(await then.with(a, spare), 'pool web: changed a (weight 1, max_connections 50000), b (backup)');
    assert.deepEqual(await seen(proxy), ['a']);
    assert.equal(await then.with({ id: 'a', address: c.address }, b), `pool web: changed a (address ${c.address}), b (no backup)`);
    await isAt(proxy, 'a', c);
    await proxy.becomes('web', 'a', 'up');
    assert.deepEqual(await seen(proxy), ['b', 'c']);
  });

  scenario('on_down = "close": tunnels of a server that is removed are closed by and by', async (world) => {
    const { b, proxy, ...then } = await reloading(world, ['a', 'b'], { health: `${fast}, on_down = "close"`, drain: '3s' });
    const leaving = await Promise.all(Array.from({ length: 6 }, () => tunnel(world, proxy, { Cookie: 'io=a' })));
    const staying = await tunnel(world, proxy, { Cookie: 'io=b' });
    await then.with(b);
    await until(() => leaving.some(({ ending }) => ending), 3000, 'the first is closed');
    assert.ok(leaving.some(({ ending }) => !ending), 'not all at once');
    await until(() => leaving.every(({ ending }) => ending), 6000, 'all are closed');
    await until(async () => !(await idsOf(proxy)).includes('a'), 5000, 'it has left');
    await echoes(staying);
  });

  scenario('a server that is removed and dies has left at once', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { drain: '60s' });
    await then.with(b);
    await a.pause();
    await until(async () => (await idsOf(proxy)).join() === 'b', 10_000, 'it has left');
    assert.deepEqual(await seen(proxy), ['b']);
  });

  scenario('the same file again: nothing', async (world) => {
    const { proxy, ...then } = await reloading(world, ['a']);
    assert.match(await then.rewrite((text) => `# other words\n${text}`), /^nothing has changed in .*limpet\.toml$/);
    assert.deepEqual(await seen(proxy), ['a']);
  });
});

describe('SIGHUP refuses', () => {
  scenario('what needs a restart, by the first key that differs', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'] });
    for (const [key, change] of [
      ['proxy.workers', (text) => text.replace('workers = 2', 'workers = 3')],
      ['pool.web.health.slow_start', (text) => text.replace('slow_start = "0s"', 'slow_start = "1s"')],
      ['listener[1]', (text) => `${text}\n[[listener]]\naddress = "127.0.0.1:0"\n`],
      ['pool.web.on_lost', (text) => text.replace('balance', 'on_lost = "strict"\nbalance')],
    ]) {
      const other = (text) => change(text).replace(/^servers = .*$/m, `servers = [${list([a, b])}]`);
      const line = await then.rewrite(other);
      assert.ok(line.endsWith(`limpet.toml changes ${key}, which needs a restart; nothing changes`), line);
    }
    assert.deepEqual(await idsOf(proxy), ['a']);
    assert.equal(await then.with(a, b), 'pool web: added b', 'and a good file is taken afterwards');
  });

  scenario('a file with errors, whole, with all of them', async (world) => {
    const { proxy, ...then } = await reloading(world, ['a']);
    const wrong = (text) => text.replace(/^servers = .*$/m, 'servers = ["a=127.0.0.1:1", "a=127.0.0.1:2"]\non_lots = 1');
    assert.match(await then.rewrite(wrong), /limpet\.toml is wrong; nothing changes$/);
    assert.match(proxy.stderr, /limpet\.toml:\d+:\d+: pool\.web\.servers/);
    assert.match(proxy.stderr, /limpet\.toml:\d+:\d+: pool\.web\.on_lots: unknown key/);
    assert.match(await then.rewrite(() => '= ='), /is wrong; nothing changes$/);
    assert.deepEqual(await seen(proxy), ['a']);
    assert.deepEqual(await idsOf(proxy), ['a']);
  });
});

scenario('SIGHUP while limpet starts: applied once it serves', async (world) => {
  const [a, slow, moved] = await Promise.all(['a', 'slow', 'moved'].map((id) => named(world, id)));
  const waiting = [];
  slow.health = (connection) => { waiting.push(connection); };
  const pool = `balance = "round_robin"\nservers = [${list([a, slow])}]\nhealth = { ${patient} }`;
  const proxy = await world.limpet(`[pool.web]\n${pool}\n`, { wait: false });
  await until(() => waiting.length, 5000, 'the last of the first round is asked');
  writeFileSync(proxy.file, readFileSync(proxy.file, 'utf8').replace(slow.address, moved.address));
  proxy.signal('SIGHUP');
  const pending = () => BigInt(`0x${readFileSync(`/proc/${proxy.pid}/status`, 'utf8').match(/^ShdPnd:\s*(\w+)$/m)[1]}`) & 1n;
  await until(() => !pending(), 5000, 'limpet has it');
  waiting[0].send(ok());
  await proxy.says(/SIGHUP: pool web: changed slow \(address /, 5000, 'stderr');
  const address = new Address((await proxy.says(/listening on (127\S+)$/m, 5000, 'stderr'))[1]);
  await isAt(proxy, 'slow', moved);
  await until(async () => (await request(address, '/')).body === 'moved', 5000, 'the other is asked where it is now');
});

scenario('SIGHUP while limpet shuts down: a line, and nothing changes', async (world) => {
  const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'], shutdown: '1s' });
  proxy.signal('SIGTERM');
  await proxy.says(/shutting down: readiness is off/, 5000, 'stderr');
  assert.equal(await then.with(a, b), 'limpet is shutting down; nothing changes');
  await within(proxy.ended, 10_000, 'it ends');
});

scenario('systemd hears of a reload', async (world) => {
  const address = path.join(await world.directory(), 'notify');
  const supervisor = world.own(await Supervisor.start(address));
  const { a, b, ...then } = await reloading(world, ['a', 'b'], { first: ['a'], options: { env: { NOTIFY_SOCKET: address } } });
  await supervisor.hears('READY=1');
  await then.with(a, b);
  await until(() => supervisor.heard.length >= 4, 5000, 'all of it');
  const [, reloads, at, ready] = supervisor.heard;
  assert.deepEqual([reloads, ready], ['RELOADING=1', 'READY=1']);
  assert.match(at, /^MONOTONIC_USEC=[1-9]\d+$/);
});

// Traffic that must not notice anything: requests, one connection each and on kept ones, and WebSockets.
function traffic(proxy, sockets) {
  const counts = { failed: [], requests: 0, echoes: 0 };
  let going = true;
  const repeat = async (what) => {
    while (going) await what().catch((error) => counts.failed.push(error.message));
  };
  const all = [
    ...[0, 1].map(() => repeat(async () => {
      const { status, body } = await request(proxy.address, '/');
      if (status !== 200) throw new Error(`${status} ${body}`);
      counts.requests += 1;
    })),
    repeat(async () => {
      for (const client of sockets) {
        await echoes(client);
        counts.echoes += 1;
      }
    }),
  ];
  counts.stop = async () => {
    going = false;
    await Promise.all(all);
  };
  return counts;
}

describe('while a pool has nobody who has passed a probe, those that were there serve', () => {
  // Requests and a WebSocket without a pause while `what` goes on; none of them fails.
  async function unnoticed(world, proxy, what) {
    const counts = traffic(proxy, [await tunnel(world, proxy)]);
    const some = async () => {
      const { requests } = counts;
      await until(() => counts.requests > requests + 3, 5000, 'traffic goes on');
    };
    try {
      await some();
      await what(some);
      await some();
    } finally {
      await counts.stop();
    }
    assert.deepEqual(counts.failed, []);
  }

  scenario('all servers replaced, to and fro', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'] });
    await unnoticed(world, proxy, async (some) => {
      for (let i = 0; i < 20; i += 1) {
        await then.with(i % 2 ? a : b);
        await some();
      }
    });
    await until(async () => (await seen(proxy)).join() === 'a', 5000, 'the one that is named has it all');
  });

  scenario('the only one moves, to and fro', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'] });
    await unnoticed(world, proxy, async (some) => {
      for (let i = 0; i < 10; i += 1) {
        const there = i % 2 ? a : b;
        await then.with({ id: 'a', address: there.address });
        if (i % 3) await isAt(proxy, 'a', there);
        await some();
      }
      await isAt(proxy, 'a', a);
    });
    assert.deepEqual(await seen(proxy), ['a']);
  });

  scenario('a new one that is slow to be healthy', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'], health: patient });
    b.health = (connection) => { setTimeout(() => connection.send(ok()), 700); };
    await unnoticed(world, proxy, async () => {
      await then.with(b);
      assert.deepEqual(await seen(proxy, 5), ['a']);
      await proxy.becomes('web', 'b', 'up');
      await until(async () => (await seen(proxy, 5)).join() === 'b', 5000, 'it has taken over');
    });
    assert.equal((await proxy.server('web', 'a')).wanted, 'leaving');
  });

  scenario('a new one that is broken: until the old one is gone, and then nobody is ready', async (world) => {
    const { b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'], drain: '2s' });
    await b.pause();
    const readiness = async () => (await proxy.admin('/ready')).status;
    await unnoticed(world, proxy, async () => {
      await then.with(b);
      await proxy.becomes('web', 'b', 'down');
      assert.equal(await readiness(), 200);
    });
    await until(async () => !(await idsOf(proxy)).includes('a'), 8000, 'the old one has left');
    assert.deepEqual([await readiness(), (await request(proxy.address, '/')).status], [503, 503]);
    const { probes } = b;
    await b.resume();
    await until(async () => await readiness() === 200, 5000, 'the new one is up');
    assert.ok(b.probes <= probes + 1, 'one good probe is enough where nobody else is');
  });

  scenario('a move to where nobody answers: it stays, and the log says why', async (world) => {
    const { a, b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'], drain: '500ms' });
    await b.pause();
    await unnoticed(world, proxy, async () => {
      await then.with({ id: 'a', address: b.address });
      await proxy.says(/server web\/a does not move to \S+ yet: connect to .*refused/, 5000, 'stderr');
      await holds(async () => (await proxy.server('web', 'a')).addresses.join() === a.address, 1500, 'it stays');
      await b.resume();
      await isAt(proxy, 'a', b);
    });
    await proxy.says(/server web\/a is at \S+ from now on/, 5000, 'stderr');
    assert.deepEqual(await seen(proxy), ['b']);
  });

  scenario('an operator has drained the one that is removed: it takes nothing', async (world) => {
    const { b, proxy, ...then } = await reloading(world, ['a', 'b'], { first: ['a'] });
    await b.pause();
    await proxy.admin('/pools/web/servers/a/drain', { method: 'POST' });
    await then.with(b);
    assert.equal((await request(proxy.address, '/')).status, 503);
  });
});

scenario('100 reloads under open WebSockets and traffic: nobody notices, and no memory is kept', { seconds: 180 }, async (world) => {
  const { a, b, c, proxy, ...then } = await reloading(world, ['a', 'b', 'c'], { first: ['a', 'b'], drain: '500ms' });
  const sockets = [];
  for (let i = 0; i < 40; i += 1) sockets.push(await tunnel(world, proxy));
  const counts = traffic(proxy, sockets);
  const round = async (i) => {
    const { requests, echoes: before } = counts;
    await then.with(a, b, { id: `c${i}`, address: c.address });
    await until(() => counts.requests > requests + 3 && counts.echoes > before + 3, 5000, 'traffic goes on');
  };
  const settle = async () => {
    await then.with(a, b);
    await until(async () => (await idsOf(proxy)).length === 2, 10_000, 'those that came have left');
  };
  for (let i = 0; i < 100; i += 1) await round(i);  // what code and buffers take is there
  await settle();
  const before = await residentBytes(proxy.pid);
  for (let i = 100; i < 200; i += 1) await round(i);
  await settle();
  const grown = (await residentBytes(proxy.pid)) - before;
  await counts.stop();
  assert.deepEqual(counts.failed, []);
  assert.deepEqual(sockets.filter(({ ending }) => ending), []);
  for (const client of sockets) await echoes(client);
  if (!uncounted) assert.ok(grown < 1024 * 1024, `${grown} bytes`);
});
