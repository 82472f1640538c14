// A node that hangs (SIGSTOP: its port is open, nothing answers): new sessions go elsewhere in time, and no client
// sees an error.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { slowness } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { cluster, loopback } from './cluster.mjs';
import { Client, Crowd, transportsOf } from './client.mjs';

scenario('with a hung node no client sees an error and no handshake waits', { seconds: 90 }, async (world) => {
  const { proxy, node } = await cluster(world, { redis: false, cookie: false });
  const crowd = await Crowd.join(world, proxy, 60, (i) => ({ source: () => loopback(i), transports: ['websocket'] }));
  const homes = await crowd.who();
  assert.ok(homes.includes('ws2'));

  node('ws2').freeze();
  const down = proxy.becomes('ws', 'ws2', 'down', 15_000).then(() => true);
  // New clients all the time, from before anybody can know until after the node is known to be down.
  const arrivals = [];
  while (arrivals.length < 60 || !(await Promise.race([down, pause(50)]))) arrivals.push(arrive(world, proxy, arrivals.length));
  const newcomers = await Promise.all(arrivals);

  assert.ok(newcomers.every(({ client }) => client.undisturbed));
  const slowest = Math.max(...newcomers.map(({ took }) => took));
  assert.ok(slowest < 5000 * slowness, `the slowest took ${slowest} ms`);
  assert.ok((await Promise.all(newcomers.map(({ client }) => client.who()))).every((id) => id !== 'ws2'));

  node('ws2').thaw();
  await proxy.becomes('ws', 'ws2', 'up', 15_000);
  // Its tunnels were kept, and it answers on them.
  assert.deepEqual(await crowd.who(), homes);
  crowd.assertUndisturbed();
});

// A new client; its promise may fail long before anybody waits for it.
function arrive(world, proxy, i) {
  const began = performance.now();
  const client = world.own(
    new Client(proxy, { source: () => loopback(100 + i), transports: Object.values(transportsOf)[i % 3], reconnection: false }),
  );
  const settled = client.settled(15_000).then(() => ({ client, took: performance.now() - began }));
  settled.catch(() => {});
  return settled;
}
