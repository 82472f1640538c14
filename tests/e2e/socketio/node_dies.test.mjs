// A node that is killed, and one that comes back: its own clients move, nobody else notices.
import assert from 'node:assert/strict';
import { request } from '../lib/limpet.mjs';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { cluster, loopback } from './cluster.mjs';
import { Crowd, transportsOf } from './client.mjs';
import { PollingClient, takesNewSessions } from './polling_client.mjs';

// Thirty of each kind, all with the reconnection defaults of the official client.
const mixed = (i) => ({ source: () => loopback(i % 45), transports: Object.values(transportsOf)[i % 3] });

scenario('a killed node\'s clients are on other nodes within 5 s, and nobody else is disturbed', { seconds: 60 }, async (world) => {
  const { proxy, nodes, node } = await cluster(world, { cookie: false });
  const crowd = await Crowd.join(world, proxy, 90, mixed);
  const homes = await crowd.who();
  assert.deepEqual([...new Set(homes)].sort(), nodes.map((one) => one.id));
  const lost = crowd.clients.filter((_, i) => homes[i] === 'ws2');
  const others = crowd.clients.filter((_, i) => homes[i] !== 'ws2');

  await node('ws2').kill();
  await until(() => lost.every((client) => client.disconnects.length), 5000, 'the clients of ws2 notice');
  await until(() => lost.every((client) => client.socket.connected), 5000, 'all of them are connected again');
  const now = await Promise.all(lost.map((client) => client.who()));
  assert.ok(now.every((id) => id === 'ws1' || id === 'ws3'), String(now));
  assert.ok(lost.every((client) => client.disconnects.length === 1 && !client.refusals.length), 'at the first attempt');

  assert.ok(others.every((client) => client.undisturbed));
  assert.deepEqual(await Promise.all(others.map((client) => client.who())), homes.filter((id) => id !== 'ws2'));

  await node('ws2').start();
  await takesNewSessions(proxy, 'ws2', 20_000);
  assert.ok(others.every((client) => client.undisturbed));
  assert.ok(lost.every((client) => client.disconnects.length === 1));
});

scenario('a node that dies between two probes costs new clients nothing', async (world) => {
  const { proxy, node } = await cluster(world, { redis: false, cookie: false, pool: 'health = { interval = "30s", timeout = "1s" }' });
  await node('ws2').kill();
  const opens = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      request(proxy.address, '/socket.io/?EIO=4&transport=polling', { localAddress: loopback(i) }),
    ),
  );
  assert.deepEqual([...new Set(opens.map((answer) => answer.status))], [200]);
  // Two failed connects in a row are as good as a probe.
  assert.equal((await proxy.server('ws', 'ws2')).state, 'down');
});

scenario('all nodes down: 503 with Retry-After; back as soon as one returns', { seconds: 60 }, async (world) => {
  const { proxy, nodes } = await cluster(world, { redis: false, cookie: false });
  const crowd = await Crowd.join(world, proxy, 12, mixed);
  await Promise.all(nodes.map((node) => node.kill()));
  for (const { id } of nodes) await proxy.becomes('ws', id, 'down');

  for (const target of ['/socket.io/?EIO=4&transport=polling', '/']) {
    const answer = await request(proxy.address, target);
    assert.equal(answer.status, 503);
    assert.match(answer.headers['retry-after'], /^\d+$/);
  }
  assert.equal((await proxy.admin('/ready')).status, 503);

  await nodes[1].start();
  await until(async () => (await request(proxy.address, '/')).status === 200, 5000, 'the pool is back');
  assert.equal((await proxy.admin('/ready')).status, 200);
  await until(() => crowd.clients.every((client) => client.socket.connected), 15_000, 'every client is back');
  assert.deepEqual([...new Set(await crowd.who())], ['ws2']);
});

scenario('a server that closes in the middle of a long poll has been the only one to see that poll', async (world) => {
  const polls = [];
  const sid = (n) => `${'a'.repeat(19)}${n}`;
  const server = (n) => async (connection) => {
    for (;;) {
      const { target } = await connection.head(60_000);
      if (target.includes('sid=')) {
        polls.push(n);
        await until(() => polls.closing, 10_000, 'the test says so');
        connection.destroy();
        return;
      }
      const body = `0{"sid":"${sid(n)}","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`;
      connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    }
  };
  const origins = [await world.origin({ script: server(1) }), await world.origin({ script: server(2) })];
  const proxy = await world.limpet(`[pool.ws]\nservers = ["ws1=${origins[0].address}", "ws2=${origins[1].address}"]\n`);
  const client = await new PollingClient(proxy.address).open();

  const poll = client.poll();
  await until(() => polls.length, 5000, 'the poll arrives');
  polls.closing = true;
  assert.equal((await poll).status, 502);
  // The next poll is another one, on the server of the session.
  assert.equal((await client.poll()).status, 502);
  assert.equal(polls.length, 2);
  assert.equal(polls[0], polls[1]);
});
