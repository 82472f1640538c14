// examples/node-socketio as a person runs it: by its environment, ended by signals.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Child } from '../lib/child.mjs';
import { until } from '../lib/deadline.mjs';
import { Address, request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Client } from './client.mjs';

const script = fileURLToPath(new URL('../../../examples/node-socketio/server.js', import.meta.url));

async function start(world, env) {
  const child = new Child('server.js', process.execPath, [script], { env: { ...process.env, PORT: '0', ...env } });
  world.own({ close: () => child.end ?? child.kill(), log: () => child.log() });
  const [, address, id] = await child.says(/^listening on (\S+) id=(\S+)$/m, 10_000);
  return { child, id, address: new Address(address), get url() { return this.address.url; } };
}

const open = async (server) => (await request(server.address, '/socket.io/?EIO=4&transport=polling'));

scenario('it says where it listens and who it is, is healthy and shows a page', async (world) => {
  const server = await start(world, { SERVER_ID: 'ws7' });
  assert.equal(server.id, 'ws7');
  const health = await request(server.address, '/health');
  assert.deepEqual([health.status, health.body], [200, 'ok']);
  assert.match((await request(server.address, '/')).body, /You are served by/);
  assert.equal((await request(server.address, '/nothing')).status, 404);
});

scenario('its cookie is io=SERVER_ID; Path=/; HttpOnly; SameSite=Lax, or none with COOKIE=off', async (world) => {
  const on = await start(world, { SERVER_ID: 'ws7' });
  assert.deepEqual((await open(on)).headers['set-cookie'], ['io=ws7; Path=/; HttpOnly; SameSite=Lax']);
  const off = await start(world, { SERVER_ID: 'ws7', COOKIE: 'off' });
  assert.equal((await open(off)).headers['set-cookie'], undefined);
});

scenario('with SELF_NAMING_SIDS=1 its sids end with its tag', async (world) => {
  const server = await start(world, { SERVER_ID: 'ws2', SELF_NAMING_SIDS: '1' });
  assert.match((await open(server)).body, /^0\{"sid":"[\w-]{12}aqV2S1-o"/);
});

for (const ADAPTER of [undefined, 'redis_sharded', 'redis_streams']) {
  scenario(`with REDIS_URL a broadcast on one node reaches the clients of another, ADAPTER=${ADAPTER ?? ''}`, async (world) => {
    const { url } = await world.redis();
    const env = { REDIS_URL: url, ...(ADAPTER && { ADAPTER }) };
    const servers = [await start(world, { SERVER_ID: 'ws1', ...env }), await start(world, { SERVER_ID: 'ws2', ...env })];
    const clients = servers.map((server) => world.own(new Client(server, { transports: ['websocket'] })));
    for (const client of clients) {
      await client.settled();
      await client.call('join', 'r');
    }
    // Node.js answers before its subscription to the room has reached Redis: said until it is heard.
    await until(() => {
      clients[0].socket.emit('broadcast', 'r', 'hello');
      return clients.every((client) => client.messages[0] === 'hello');
    }, 5000, 'both hear it');
    await clients[1].call('leave', 'r');
  });
}

for (const [env, said] of [
  [{ ADAPTER: 'redis', REDIS_URL: '' }, /ADAPTER wants REDIS_URL/],
  [{ ADAPTER: 'redis_stream', REDIS_URL: 'redis://127.0.0.1:1' }, /adapter "redis_stream" is none of redis, redis_sharded, redis_streams/],
]) {
  scenario(`it does not start alone where a cluster is meant: ADAPTER=${env.ADAPTER}`, async (world) => {
    const child = new Child('server.js', process.execPath, [script], { env: { ...process.env, PORT: '0', ...env } });
    world.own({ close: () => child.end ?? child.kill(), log: () => child.log() });
    await until(() => child.end, 10_000, 'it ends');
    assert.equal(child.end.code, 1);
    assert.match(child.log(), said);
  });
}

scenario('on SIGTERM it is unhealthy at once, serves on for SHUTDOWN_DELAY, then ends with 0', async (world) => {
  const server = await start(world, { SERVER_ID: 'ws1', SHUTDOWN_DELAY: '1' });
  const client = world.own(new Client(server, { transports: ['websocket'], reconnection: false }));
  await client.settled();
  server.child.signal('SIGTERM');
  const health = await until(async () => {
    const answer = await request(server.address, '/health');
    return answer.status === 503 && answer;
  }, 900, 'draining');
  assert.equal(health.body, 'draining');
  assert.equal(await client.who(), 'ws1');
  await until(() => server.child.end, 5000, 'it ends');
  assert.deepEqual(server.child.end, { code: 0, signal: null });
  assert.equal(client.disconnects.length, 1);
});

scenario('on SIGINT it ends at once', async (world) => {
  const server = await start(world, {});
  server.child.signal('SIGINT');
  await until(() => server.child.end, 3000, 'it ends');
  assert.deepEqual(server.child.end, { code: 0, signal: null });
});
