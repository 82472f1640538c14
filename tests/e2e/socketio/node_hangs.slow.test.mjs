// A node that hangs (SIGSTOP: its port is open, nothing answers): new sessions go elsewhere in time, and no client
// sees an error.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { cluster, loopback } from './cluster.mjs';
import { Client, Crowd, transportsOf } from './client.mjs';

scenario('with a hung node no client sees an error and no handshake waits', { seconds: 90 }, async (world) => {
  const { proxy, node } = await cluster(world, { redis: false, cookie: false });
  const crowd = await Crowd.join(world, proxy, 60, (i) => ({ source: () => loopback(i), transports: ['websocket'] }));
  const homes = await crowd.who();
  assert.ok(homes.includes('ws2'));

  node('ws2').freeze();
  // New clients all the time, from before anybody can know until after the node is known to be down.
  const newcomers = [];
  let slowest = 0;
  const arrive = async (i) => {
    const began = performance.now();
    const client = world.own(new Client(proxy, { source: () => loopback(100 + i), transports: Object.values(transportsOf)[i % 3], reconnection: false }));
    newcomers.push(client);
    await client.settled(15_000);
    slowest = Math.max(slowest, performance.now() - began);
  };
  const arrivals = [];
  let known = false;
  const down = proxy.becomes('ws', 'ws2', 'down', 15_000).then(() => { known = true; });
  await until(async () => {
    arrivals.push(arrive(arrivals.length));
    await Promise.race([arrivals.at(-1), new Promise((resolve) => setTimeout(resolve, 40))]);
    return known && arrivals.length >= 60;
  }, 30_000, 'ws2 is known to be down and sixty clients have come');
  await down;
  await Promise.all(arrivals);

  assert.ok(newcomers.every((client) => client.undisturbed));
  assert.ok(slowest < 5000 * (process.env.LIMPET_SLOW === '1' ? 5 : 1), `the slowest took ${slowest} ms`);
  assert.ok((await Promise.all(newcomers.map((client) => client.who()))).every((id) => id !== 'ws2'));

  node('ws2').thaw();
  await proxy.becomes('ws', 'ws2', 'up', 15_000);
  // Its tunnels were kept, and it answers on them.
  assert.deepEqual(await crowd.who(), homes);
  crowd.assertUndisturbed();
});
