// Who is connected, as Redis has it, and messages to users, across nodes that come, go and die.
import assert from 'node:assert/strict';
import { WebSocket } from 'ws';
import { slowness, until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { connect, start } from './redis_nodes.mjs';

// What Redis says of one user.
async function seen(redis, user) {
  const [server, newest, sockets] = await Promise.all([
    redis.ask('HGET', 'user:connections', user), redis.ask('HGETALL', `user:${user}`), redis.ask('HGETALL', `user:${user}:sockets`),
  ]);
  return { server, newest, sockets };
}

const becomes = (redis, user, ms, socket, server, count) => until(async () => {
  const it = await seen(redis, user);
  assert.deepEqual([it.server, it.newest.socketId, it.newest.serverId, Object.keys(it.sockets).length], [server, socket.id, server, count]);
  return it;
}, ms, `${user} is on ${server} with ${count}`);

const isGone = (redis, user, ms) => until(async () => {
  assert.deepEqual(await seen(redis, user), { server: null, newest: {}, sockets: {} });
  return true;
}, ms, `${user} is gone`);

scenario('a user is in Redis while it has a socket, named by its newest', async (world) => {
  const redis = await world.redis();
  const [ws1, ws2] = [await start(world, redis, 'ws1'), await start(world, redis, 'ws2')];
  const before = Date.now();
  const first = await connect(world, ws1, 'ada');
  const it = await becomes(redis, 'ada', 5000, first, 'ws1', 1);
  assert.equal(it.newest.status, 'online');
  assert.deepEqual(Object.keys(it.newest).sort(), ['connectedAt', 'serverId', 'socketId', 'status']);
  const at = Number(it.newest.connectedAt);
  assert.ok(at >= before && at <= Date.now(), `${before} ${at} ${Date.now()}`);
  assert.deepEqual(JSON.parse(it.sockets[first.id]), { serverId: 'ws1', connectedAt: at });

  const second = await connect(world, ws2, 'ada');
  const id = { first: first.id, second: second.id };
  await becomes(redis, 'ada', 5000, second, 'ws2', 2);
  const third = await connect(world, ws1, 'ada');
  await becomes(redis, 'ada', 5000, third, 'ws1', 3);
  third.disconnect();                                              // the newest goes: the next newest
  await becomes(redis, 'ada', 5000, { id: id.second }, 'ws2', 2);
  first.disconnect();                                              // an older one: no change
  await becomes(redis, 'ada', 5000, { id: id.second }, 'ws2', 1);
  second.disconnect();
  await isGone(redis, 'ada', 5000);
});

scenario('nobody in particular is not there, and ids that are names of keys harm nobody', async (world) => {
  const redis = await world.redis();
  const node = await start(world, redis, 'ws1');
  await connect(world, node, undefined);
  const plain = await connect(world, node, 'x');
  const [one, two] = [await connect(world, node, 'connections'), await connect(world, node, 'x:sockets')];
  await becomes(redis, 'x', 5000, plain, 'ws1', 1);
  await until(async () => Object.keys(await redis.ask('HGETALL', 'user:connections')).length === 3, 5000, 'three users');
  assert.deepEqual(Object.keys(await redis.ask('HGETALL', 'user:connections')).sort(), ['connections', 'x', 'x:sockets']);
  assert.equal(await redis.ask('HGET', 'user:%63onnections', 'socketId'), one.id);
  assert.equal(await redis.ask('HGET', 'user:x%3Asockets', 'socketId'), two.id);
});

scenario('user reaches all sockets of a user, on both nodes, and no other', async (world) => {
  const redis = await world.redis();
  const [ws1, ws2] = [await start(world, redis, 'ws1'), await start(world, redis, 'ws2')];
  const sockets = [await connect(world, ws1, 'ada'), await connect(world, ws2, 'ada'), await connect(world, ws2, 'bob')];
  const got = [];
  sockets.forEach((socket, i) => socket.on('mail', (data) => got.push([i, data])));
  await until(() => ws1.metric('limpet_node_cluster_nodes').then((nodes) => nodes === 2), 15_000, 'they have met');
  sockets[2].emit('user', 'ada', 'mail', { text: 'hi' });
  await until(() => got.length === 2, 5000, 'both have it');
  sockets[0].emit('user', 'bob', 'mail', 1);
  await until(() => got.length === 3, 5000, 'bob has his');
  assert.deepEqual(got.sort(), [[0, { text: 'hi' }], [1, { text: 'hi' }], [2, 1]]);
});

scenario('a node that was killed leaves no ghosts, one that shuts down takes its users out', { seconds: 60 }, async (world) => {
  const redis = await world.redis();
  const [ws1, ws2] = [await start(world, redis, 'ws1'), await start(world, redis, 'ws2')];
  const stays = await connect(world, ws2, 'ada');
  const dies = [await connect(world, ws1, 'ada'), await connect(world, ws1, 'bob')];
  await becomes(redis, 'ada', 5000, dies[0], 'ws1', 2);
  await becomes(redis, 'bob', 5000, dies[1], 'ws1', 1);
  world.disown(ws1);
  await ws1.kill();
  await isGone(redis, 'bob', 30_000);
  await becomes(redis, 'ada', 1000, stays, 'ws2', 1);
  assert.equal(await ws2.metric('limpet_node_presence_nodes_swept_total'), 1);
  await ws2.close();
  assert.deepEqual(await redis.ask('KEYS', '*'), []);
});

scenario('of thousands on a node that was killed nothing is left after half a minute', { seconds: 90 }, async (world) => {
  const many = 4000;
  const redis = await world.redis();
  const [ws1, ws2] = [await start(world, redis, 'ws1'), await start(world, redis, 'ws2')];
  const crowd = Array.from({ length: many }, (_, i) => {
    const socket = new WebSocket(`ws://${ws1.address.text}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false });
    return socket.on('open', () => socket.send(`40{"userId":"u${i}"}`)).on('error', () => {});
  });
  world.own({ close: () => crowd.forEach((socket) => socket.terminate()) });
  await until(async () => await redis.ask('HLEN', 'user:connections') === many, 30_000, 'all are there');
  world.disown(ws1);
  await ws1.kill();
  const began = Date.now();
  await until(async () => await redis.ask('HLEN', 'user:connections') === 0, 30_000, 'all are gone');
  await until(async () => await ws2.metric('limpet_node_presence_nodes_swept_total') === 1, began + 30_000 - Date.now(), 'it is done');
  assert.equal(await ws2.metric('limpet_node_presence_sockets_swept_total'), many);
  assert.equal((await redis.ask('KEYS', '*')).filter((key) => key !== 'limpet:nodes').length, 1);  // the heartbeat of ws2
});

scenario('a node that stood still for long, and was cleared up after, writes its users again', { seconds: 90 }, async (world) => {
  const redis = await world.redis();
  const [ws1, ws2] = [await start(world, redis, 'ws1'), await start(world, redis, 'ws2')];
  const socket = await connect(world, ws1, 'ada');
  await becomes(redis, 'ada', 5000, socket, 'ws1', 1);
  await connect(world, ws2, 'bob');
  ws1.signal('SIGSTOP');
  await isGone(redis, 'ada', 30_000);
  ws1.signal('SIGCONT');
  await becomes(redis, 'ada', 15_000, socket, 'ws1', 1);
});

scenario('without Redis a node is degraded and serves on; when it is back, empty, all is written again', { seconds: 60 }, async (world) => {
  const redis = await world.redis();
  const [lax, strict] = [await start(world, redis, 'ws1'), await start(world, redis, 'ws2', '--strict-health')];
  const health = async (node) => { const { status, body } = await node.health(); return `${status} ${body}`; };
  await until(async () => await health(lax) === '200 ok' && await health(strict) === '200 ok', 5000, 'both are well');
  const [ada, bob] = [await connect(world, lax, 'ada'), await connect(world, lax, 'bob')];
  await becomes(redis, 'ada', 5000, ada, 'ws1', 1);
  await redis.kill();
  await until(async () => await health(lax) === '200 degraded' && await health(strict) === '503 degraded', 10_000, 'both are degraded');
  assert.equal(await lax.metric('limpet_node_redis_up'), 0);
  const mail = new Promise((resolve) => { ada.on('mail', resolve); });
  bob.emit('user', 'ada', 'mail', 'here');
  assert.equal(await mail, 'here');
  bob.disconnect();
  const eve = await connect(world, lax, 'eve');
  await redis.start();
  await until(async () => await health(lax) === '200 ok' && await health(strict) === '200 ok', 10_000, 'both are well again');
  await becomes(redis, 'ada', 10_000, ada, 'ws1', 1);
  await becomes(redis, 'eve', 10_000, eve, 'ws1', 1);
  await isGone(redis, 'bob', 1000);
  assert.ok(await lax.metric('limpet_node_redis_reconnects_total') > 0);
  assert.ok(await lax.metric('limpet_node_presence_repairs_total') > 0);
  assert.match(lax.stderr, /redis: .*lost/);
});

scenario('a node starts without Redis, serves, and writes once there is one', async (world) => {
  const redis = await world.redis();
  await redis.kill();
  const node = await start(world, redis, 'ws1');
  assert.deepEqual([(await node.health()).status, (await node.health()).body], [200, 'degraded']);
  const socket = await connect(world, node, 'ada');
  assert.equal(await socket.timeout(5000 * slowness).emitWithAck('who'), 'ws1');
  await redis.start();
  await becomes(redis, 'ada', 10_000, socket, 'ws1', 1);
});

scenario('its names can be others, and it can be off', async (world) => {
  const redis = await world.redis();
  const named = await start(world, redis, 'ws1', '--presence-connections', 'c', '--presence-user', 'u/<id>',
    '--presence-sockets', 'u/<id>/s', '--presence-nodes', 'n');
  const off = await start(world, redis, 'ws2', '--presence=false');
  await connect(world, off, 'bob');
  const ada = await connect(world, named, 'ada');
  await until(async () => await redis.ask('HGET', 'u/ada', 'socketId') === ada.id, 5000, 'ada is there');
  assert.deepEqual(await redis.ask('HGETALL', 'c'), { ada: 'ws1' });
  assert.deepEqual(Object.keys(await redis.ask('HGETALL', 'u/ada/s')), [ada.id]);
  assert.equal(await redis.ask('SCARD', 'n'), 1);
});
