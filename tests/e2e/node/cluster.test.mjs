// `limpet node` and Node.js's servers in one cluster, as their flags and options say, and sessions that outlive a node.
import assert from 'node:assert/strict';
import { slowness, until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { connect, start } from './redis_nodes.mjs';

const join = (socket, room) => socket.timeout(5000 * slowness).emitWithAck('join', room);
// With a channel for each room a join is answered before Redis has heard of it.
const heardByBoth = (redis, room) => until(
  async () => (await redis.ask('PUBSUB', 'SHARDNUMSUB', `socket.io#/#${room}#`))[1] === 2, 5000, `both listen to ${room}`);
const nodesAre = (node, count) => until(async () => await node.metric('limpet_node_cluster_nodes') === count, 10_000, `${count} nodes`);

for (const [adapter, ...flags] of [
  ['redis'],
  ['redis', '--responses', 'own'],
  ['redis_sharded', '--sharded', 'dynamic'],
  ['redis_streams', '--adapter', 'redis_streams', '--stream', 'socket.io-stream'],
]) {
  scenario(`rooms and users are shared with Node.js: ${adapter} ${flags.join(' ')}`, async (world) => {
    const redis = await world.redis();
    const ours = await start(world, redis, 'ws1', ...flags);
    const theirs = await world.node({ id: 'ws2', redisUrl: redis.url, adapter });
    await nodesAre(ours, 2);
    const [a, b] = [await connect(world, ours, 'ada'), await connect(world, { url: `http://${theirs.address}` }, 'ada')];
    await Promise.all([join(a, 'news'), join(b, 'news')]);
    if (adapter === 'redis_sharded') await Promise.all(['news', 'user:ada'].map((room) => heardByBoth(redis, room)));
    a.emit('broadcast', 'news', 1);
    await until(() => a.got.length === 1 && b.got.length === 1, 5000, 'both have what ours said');
    b.emit('broadcast', 'news', Buffer.from([2]));
    await until(() => a.got.length === 2 && b.got.length === 2, 5000, 'both have what theirs said');
    a.emit('user', 'ada', 'mail', 3);
    b.emit('user', 'ada', 'mail', 3);
    await until(() => a.got.length === 4 && b.got.length === 4, 5000, 'both have what was for ada');
    for (const { got } of [a, b]) assert.deepEqual(got, [['message', 1], ['message', Buffer.from([2])], ['mail', 3], ['mail', 3]]);
    assert.equal(await ours.metric('limpet_node_cluster_malformed_total'), 0);
  });
}

scenario('a session that is saved early outlives its node, and is not swept with it', { seconds: 60 }, async (world) => {
  const redis = await world.redis();
  const flags = ['--adapter', 'redis_streams', '--recovery', '2m', '--recovery-save', 'eager'];
  const [ws1, ws2] = [await start(world, redis, 'ws1', ...flags), await start(world, redis, 'ws2', ...flags)];
  await nodesAre(ws1, 2);
  const [ada, bob] = [await connect(world, ws1, 'ada'), await connect(world, ws2, 'bob')];
  await join(ada, 'news');
  bob.emit('broadcast', 'news', 'gives an offset');
  await until(() => ada.got.length === 1, 5000, 'ada has it');
  await until(async () => await ws1.metric('limpet_node_cluster_sessions_saved_total') > 1, 5000, 'her rooms are saved');
  const { id } = ada;
  world.disown(ws1);
  await ws1.kill();
  await until(() => !ada.connected, 5000, 'ada is away');
  bob.emit('broadcast', 'news', 'missed');
  ada.io.uri = ws2.url;
  ada.connect();
  await until(() => ada.connected && ada.got.length === 2, 5000, 'ada is back and has what she missed');
  assert.deepEqual([ada.recovered, ada.id, ada.got[1]], [true, id, ['message', 'missed']]);
  bob.emit('user', 'ada', 'mail', 1);
  await until(() => ada.got.length === 3, 5000, 'and is still ada');
  await until(async () => await ws2.metric('limpet_node_presence_nodes_swept_total') === 1, 30_000, 'her node is cleared up after');
  assert.equal(await redis.ask('HGET', 'user:connections', 'ada'), 'ws2');
  assert.deepEqual(Object.keys(await redis.ask('HGETALL', 'user:ada:sockets')), [id]);
});
