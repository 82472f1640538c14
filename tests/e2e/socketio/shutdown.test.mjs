// limpet's own end, with tunnels and polls open.
import assert from 'node:assert/strict';
import { RawConnection } from '../lib/raw.mjs';
import { holds, until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { cluster } from './cluster.mjs';
import { Client, Crowd, transportsOf } from './client.mjs';

const mixed = (i) => ({ transports: Object.values(transportsOf)[i % 3], reconnection: false });
const settings = (text) => ({ redis: false, more: `[proxy]\n${text}\n[[listener]]\naddress = "127.0.0.1:0"\nready_path = "/ready"\n` });

scenario('SIGTERM with open sessions: every one is ended within drain_timeout, exit code 0', async (world) => {
  const { proxy } = await cluster(world, settings('drain_timeout = "1s"'));
  const crowd = await Crowd.join(world, proxy, 30, mixed);
  proxy.signal('SIGTERM');
  await until(() => proxy.end, 8000, 'limpet ends');
  assert.deepEqual(proxy.end, { code: 0, signal: null });
  await until(() => crowd.clients.every((client) => client.disconnects.length), 2000, 'every client was told');
});

scenario('during shutdown_delay readiness is 503 and everything else goes on', { seconds: 60 }, async (world) => {
  const { proxy } = await cluster(world, settings('shutdown_delay = "3s"\ndrain_timeout = "1s"'));
  const crowd = await Crowd.join(world, proxy, 6, mixed);
  assert.equal((await request(proxy.address, '/ready')).status, 200);
  assert.equal((await proxy.admin('/ready')).status, 200);

  proxy.signal('SIGTERM');
  await until(async () => (await request(proxy.address, '/ready')).status === 503, 1000, 'readiness turns 503');
  assert.equal((await proxy.admin('/ready')).status, 503);
  const newcomer = world.own(new Client(proxy, { transports: ['websocket'], reconnection: false }));
  await newcomer.settled();
  assert.equal((await request(proxy.address, '/')).status, 200);
  crowd.assertUndisturbed();

  await until(() => proxy.end, 15_000, 'limpet ends');
  assert.deepEqual(proxy.end, { code: 0, signal: null });
});

scenario('after shutdown_delay nobody can connect, and a request that has begun is answered', async (world) => {
  const origin = await world.origin({ script: async (connection) => {
    await connection.head();
    connection.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await until(() => origin.finish, 10_000, 'the test says so');
    connection.send('world');
  } });
  const proxy = await world.limpet(`[proxy]\ndrain_timeout = "20s"\n[pool.web]\nservers = ["a=${origin.address}"]\n`);
  const client = await world.connect(proxy.address);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.reads('hello');

  proxy.signal('SIGTERM');
  await until(() => RawConnection.open(proxy.address.to).then((one) => one.destroy(), () => true), 5000, 'connects are refused');
  assert.equal(client.ending, undefined);
  origin.finish = true;
  assert.equal((await client.answer()).body.toString(), 'helloworld');
  await client.ends();
  await until(() => proxy.end, 5000, 'limpet ends as soon as nothing is left');
});

scenario('a second signal ends it at once', async (world) => {
  const { proxy } = await cluster(world, settings('drain_timeout = "60s"'));
  const crowd = await Crowd.join(world, proxy, 6, (i) => ({ ...mixed(i), transports: ['websocket'] }));
  proxy.signal('SIGTERM');
  await until(async () => (await proxy.admin('/ready')).status === 503, 2000, 'draining');
  proxy.signal('SIGTERM');
  proxy.expect = await until(() => proxy.end, 2000, 'limpet ends');
  assert.equal(crowd.clients.length, 6);
});

scenario('SIGHUP is survived', async (world) => {
  const { proxy } = await cluster(world, { redis: false });
  const crowd = await Crowd.join(world, proxy, 6, mixed);
  proxy.signal('SIGHUP');
  await holds(async () => (await proxy.admin('/ready')).status === 200, 300, 'ready');
  crowd.assertUndisturbed();
});
