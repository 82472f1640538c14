// What a pool can be told about its servers: weights of trust (backup), bounds, names, strictness, idle time.
import assert from 'node:assert/strict';
import { request } from '../lib/limpet.mjs';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { cluster, loopback } from './cluster.mjs';
import { Client, Crowd } from './client.mjs';
import { PollingClient } from './polling_client.mjs';

const target = '/socket.io/?EIO=4&transport=polling';
const websockets = (i) => ({ source: () => loopback(i), transports: ['websocket'], reconnection: false });
const count = (homes, id) => homes.filter((home) => home === id).length;

scenario('on_lost = "strict": a session whose server takes no new ones gets 503, others do not', async (world) => {
  const { proxy } = await cluster(world, { redis: false, cookie: false, pool: 'on_lost = "strict"' });
  await proxy.admin('/pools/ws/servers/ws2/drain', { method: 'POST' });
  const lost = await request(proxy.address, target, { headers: { Cookie: 'io=ws2' } });
  assert.equal(lost.status, 503);
  assert.match(lost.headers['retry-after'], /^\d+$/);
  assert.equal((await request(proxy.address, target, { headers: { Cookie: 'io=ws1' } })).status, 200);
});

scenario('a backup server is used while no other can be, and no longer', { seconds: 60 }, async (world) => {
  const nodes = [await world.node({ id: 'ws1' }), await world.node({ id: 'spare' })];
  const proxy = await world.limpet(`[pool.ws]
servers = [{ id = "ws1", address = "${nodes[0].address}" }, { id = "spare", address = "${nodes[1].address}", backup = true }]
health = { interval = "200ms", fast_interval = "50ms", timeout = "500ms", slow_start = "0s" }
`);
  const homes = async () => new Set(await Promise.all(Array.from({ length: 10 }, async (_, i) => (
    (await (await new PollingClient(proxy.address, { source: () => loopback(i) }).open()).connect()).who()))));
  assert.deepEqual(await homes(), new Set(['ws1']));
  await nodes[0].kill();
  await proxy.becomes('ws', 'ws1', 'down');
  assert.deepEqual(await homes(), new Set(['spare']));
  await nodes[0].start();
  await proxy.becomes('ws', 'ws1', 'up');
  assert.deepEqual(await homes(), new Set(['ws1']));
});

scenario('a server at its max_connections is passed over, a full pool answers 503', async (world) => {
  const nodes = [await world.node({ id: 'ws1' }), await world.node({ id: 'ws2' })];
  const proxy = await world.limpet(`[pool.ws]
servers = [${nodes.map((node) => `{ id = "${node.id}", address = "${node.address}", max_connections = 4 }`)}]
`);
  const crowd = await Crowd.join(world, proxy, 8, websockets);
  const homes = await crowd.who();
  assert.deepEqual([count(homes, 'ws1'), count(homes, 'ws2')], [4, 4]);
  const refused = await request(proxy.address, target);
  assert.equal(refused.status, 503);
  assert.match(refused.headers['retry-after'], /^\d+$/);
  crowd.assertUndisturbed();

  // A place that becomes free is taken.
  crowd.clients[0].close();
  await until(async () => (await request(proxy.address, target)).status === 200, 5000, 'there is room again');
});

scenario('balance = "least_connections" and "round_robin" spread clients of one address evenly', { seconds: 60 }, async (world) => {
  for (const balance of ['least_connections', 'round_robin']) {
    const { proxy } = await cluster(world, { redis: false, cookie: false, pool: `balance = "${balance}"\n` });
    const homes = [];
    for (let i = 0; i < 12; i += 1) {
      const client = world.own(new Client(proxy, { transports: ['websocket'], reconnection: false }));
      await client.settled();
      homes.push(await client.who());
    }
    // Each worker counts its own turns in round_robin: the spread is even within one a worker.
    const { workers } = await proxy.status();
    const slack = balance === 'round_robin' ? workers : 1;
    for (const id of ['ws1', 'ws2', 'ws3']) assert.ok(Math.abs(count(homes, id) - 4) <= slack, `${balance}: ${homes}`);
  }
});

scenario('a server can be named by a host name; one that does not resolve is down, not an error', async (world) => {
  const node = await world.node({ id: 'ws1', cookie: false });
  const proxy = await world.limpet(`[pool.ws]\nservers = ["ws1=localhost:${node.listen.port}", "ws2=no-such-host.invalid:3000"]\n`);
  await proxy.becomes('ws', 'ws1', 'up');
  await proxy.becomes('ws', 'ws2', 'down');
  const client = world.own(new Client(proxy, { transports: ['polling', 'websocket'] }));
  await client.settled();
  assert.equal(await client.who(), 'ws1');
});

scenario('on_down = "close" ends the tunnels of a server that went down, "keep" does not', { seconds: 60 }, async (world) => {
  for (const [onDown, closes] of [['close', true], ['keep', false]]) {
    const { proxy, node } = await cluster(world, {
      redis: false, cookie: false, count: 2,
      pool: `health = { interval = "200ms", fast_interval = "50ms", timeout = "300ms", on_down = "${onDown}" }`,
    });
    const crowd = await Crowd.join(world, proxy, 20, websockets);
    const homes = await crowd.who();
    node('ws2').freeze();
    await proxy.becomes('ws', 'ws2', 'down');
    const mine = crowd.clients.filter((_, i) => homes[i] === 'ws2');
    assert.ok(mine.length);
    if (closes) await until(() => mine.every((client) => client.disconnects.length === 1), 3000, 'they are disconnected');
    node('ws2').thaw();
    await proxy.becomes('ws', 'ws2', 'up');
    assert.ok(crowd.clients.every((client, i) => client.undisturbed || (closes && homes[i] === 'ws2')));
    if (!closes) assert.deepEqual(await crowd.who(), homes);
    crowd.close();
  }
});

scenario('a tunnel on which nothing moves for tunnel_idle is ended, one in use is not', async (world) => {
  const { proxy } = await cluster(world, {
    redis: false, socketio: { pingInterval: 60_000 }, pool: 'timeouts = { tunnel_idle = "1s" }',
  });
  const [quiet, busy] = (await Crowd.join(world, proxy, 2, websockets)).clients;
  const talk = setInterval(() => busy.socket.emit('echo', 1), 200);
  world.own({ close: () => clearInterval(talk) });
  await until(() => quiet.disconnects.length, 5000, 'the quiet one is ended');
  assert.ok(busy.undisturbed);
});

scenario('tunnel_idle = "7d" is understood', async (world) => {
  const { proxy } = await cluster(world, { redis: false, count: 1, pool: 'timeouts = { tunnel_idle = "7d" }' });
  const crowd = await Crowd.join(world, proxy, 3, websockets);
  assert.deepEqual(await crowd.who(), ['ws1', 'ws1', 'ws1']);
});
