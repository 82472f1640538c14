// A node whose /health says 503, and one that an operator drains: nobody is disturbed, nobody new comes.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds } from '../lib/deadline.mjs';
import { scenario, sharing } from '../lib/world.mjs';
import { cluster, loopback } from './cluster.mjs';
import { Crowd, transportsOf } from './client.mjs';
import { PollingClient, takesNewSessions } from './polling_client.mjs';

const mixed = (i) => ({ source: () => loopback(i), transports: Object.values(transportsOf)[i % 3] });

// Sixty sessions from sixty addresses; those addresses are known to reach every node.
async function placesOfNewSessions(proxy, headers = () => ({})) {
  const clients = Array.from({ length: 60 }, (_, i) => new PollingClient(proxy.address, { source: () => loopback(i), headers }));
  return new Set(await Promise.all(clients.map(async (client) => (await (await client.open()).connect()).who())));
}

async function nobodyNewAndNobodyDisturbed(proxy, crowd, homes) {
  assert.deepEqual(await placesOfNewSessions(proxy), new Set(['ws1', 'ws3']));
  // Polls and posts with the sids of ws2 are served as before, and so are its tunnels.
  for (let round = 0; round < 3; round += 1) assert.deepEqual(await crowd.who(), homes);
  crowd.assertUndisturbed();
}

scenario('a node whose probe is answered 503 keeps its clients and gets no new ones', { seconds: 60 }, async (world) => {
  const { proxy, node } = await cluster(world, { fast: true });
  const crowd = await Crowd.join(world, proxy, 60, mixed);
  const homes = await crowd.who();
  assert.equal(new Set(homes).size, 3);

  await node('ws2').drain();
  await proxy.becomes('ws', 'ws2', 'refusing');
  await nobodyNewAndNobodyDisturbed(proxy, crowd, homes);

  await node('ws2').drain(false);
  await proxy.becomes('ws', 'ws2', 'up');
  await takesNewSessions(proxy, 'ws2');
  crowd.assertUndisturbed();
});

scenario('clients that upgrade after their node has begun to refuse are served by it', async (world) => {
  const { proxy, node } = await cluster(world, { redis: false, cookie: false, fast: true });
  const polling = await Promise.all(
    Array.from({ length: 12 }, (_, i) => new PollingClient(proxy.address, { source: () => loopback(i) }).open()),
  );
  await node('ws2').drain();
  await proxy.becomes('ws', 'ws2', 'refusing');
  const homes = await Promise.all(polling.map(async (client) => (await client.connect()).who()));
  assert.ok(homes.includes('ws2'));
  assert.equal((await node('ws2').sids()).length, homes.filter((id) => id === 'ws2').length);
});

scenario('all nodes refuse: new sessions get 503, those that exist are served', async (world) => {
  const { proxy, nodes } = await cluster(world, { redis: false, cookie: false, fast: true });
  const crowd = await Crowd.join(world, proxy, 12, mixed);
  const homes = await crowd.who();
  for (const node of nodes) await node.drain();
  for (const node of nodes) await proxy.becomes('ws', node.id, 'refusing');
  await assert.rejects(new PollingClient(proxy.address).open());
  assert.deepEqual(await crowd.who(), homes);
  crowd.assertUndisturbed();
});

describe('a drained server', () => {
  const drains = {
    'through the admin API': [
      (proxy) => proxy.admin('/pools/ws/servers/ws2/drain', { method: 'POST' }).then(({ status }) => assert.equal(status, 200)),
      (proxy) => proxy.admin('/pools/ws/servers/ws2/ready', { method: 'POST' }).then(({ status }) => assert.equal(status, 200)),
    ],
    'by `limpet drain ws/ws2`': [
      (proxy) => proxy.command('drain', 'ws/ws2').then(({ code, stderr }) => assert.equal(code, 0, stderr)),
      (proxy) => proxy.command('ready', 'ws/ws2').then(({ code, stderr }) => assert.equal(code, 0, stderr)),
    ],
    'by `limpet drain ws2`': [
      (proxy) => proxy.command('drain', 'ws2').then(({ code, stderr }) => assert.equal(code, 0, stderr)),
      (proxy) => proxy.command('ready', 'ws2').then(({ code, stderr }) => assert.equal(code, 0, stderr)),
    ],
  };
  const shared = sharing((world) => cluster(world, { cookie: false, redis: false }));

  for (const [how, [drain, ready]] of Object.entries(drains)) {
    shared.fact(`${how}: no new sessions, its own are served`, async ({ proxy }, world) => {
      const crowd = await Crowd.join(world, proxy, 60, mixed);
      const homes = await crowd.who();
      assert.equal(new Set(homes).size, 3);
      await drain(proxy);
      assert.equal((await proxy.server('ws', 'ws2')).wanted, 'draining');
      await nobodyNewAndNobodyDisturbed(proxy, crowd, homes);
      await ready(proxy);
      await takesNewSessions(proxy, 'ws2');
      crowd.assertUndisturbed();
    });
  }

  shared.fact('a cookie alone does not keep a client on it: the cookie is issued anew', async ({ proxy }) => {
    await drains['through the admin API'][0](proxy);
    const client = await new PollingClient(proxy.address, { headers: () => ({ Cookie: 'io=ws2' }) }).open();
    assert.match(client.opened.headers['set-cookie'][0], /^io=ws[13]; /);
    await drains['through the admin API'][1](proxy);
  });

  shared.fact('a server or pool that does not exist is said to be unknown', async ({ proxy }) => {
    assert.equal((await proxy.admin('/pools/ws/servers/ws9/drain', { method: 'POST' })).status, 404);
    assert.equal((await proxy.admin('/pools/zz/servers/ws1/drain', { method: 'POST' })).status, 404);
    const { code, stderr } = await proxy.command('drain', 'ws/ws9');
    assert.notEqual(code, 0);
    assert.match(stderr, /ws9/);
  });

  shared.fact('draining is no reason to be not ready', async ({ proxy }) => {
    await drains['through the admin API'][0](proxy);
    await holds(async () => (await proxy.admin('/ready')).status === 200, 100, 'ready');
    await drains['through the admin API'][1](proxy);
  });
});
