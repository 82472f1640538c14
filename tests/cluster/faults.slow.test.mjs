// Redis goes, hangs, comes back or moves, under traffic: nodes live, local clients go on, delivery resumes, memory is
// bounded, and nobody hears anything twice or out of order.
import assert from 'node:assert/strict';
import { slowness, until } from '../e2e/lib/deadline.mjs';
import { LimpetNode } from '../e2e/lib/limpet_node.mjs';
import { watchedRedis } from '../e2e/lib/redis.mjs';
import { scenario } from '../e2e/lib/world.mjs';
import { of } from './lib/adapters.mjs';
import { Cluster } from './lib/cluster.mjs';
import { side } from './lib/node.mjs';
import { connectTo } from './lib/redis.mjs';

const kinds = ['classic', 'sharded, dynamic', 'streams, recovery'];
const limpets = (cluster) => cluster.nodes.filter((node) => node.limpet);

// Every node says 0, 1, 2, ... until it is stopped; what members hear of it is kept apart, as others take() the rest.
function traffic(cluster) {
  let on = true;
  const speaking = cluster.nodes.map(async (node) => {
    for (let count = 0; on; count += 1) await node.do('emit', {}, 'count', node.id, count);
  });
  speaking.forEach((one) => one.catch(() => {})); // told by whoever stops it
  const ears = cluster.of().map((member) => {
    const heard = [];
    const hear = (...count) => heard.push(count);
    member.socket.on('count', hear);
    return { member, heard, close: () => member.socket.off('count', hear) };
  });
  return {
    async stop() {
      on = false;
      await Promise.all(speaking);
    },
    // Once all is whole again, and so all is heard that ever will be: of each limpet node's numbers each member has heard
    // some, upwards. (ioredis sends again what was on its way.)
    upwards() {
      for (const { member, heard, close } of ears) {
        close();
        for (const { id } of limpets(cluster)) {
          const counts = heard.filter(([of]) => of === id).map(([, count]) => count);
          assert.ok(counts.length, `${member.name} has heard none of ${id}`);
          const back = counts.findIndex((count, i) => count <= counts[i - 1]);
          assert.equal(back, -1, `${member.name} heard ${counts[back]} of ${id} after ${counts[back - 1]}`);
        }
      }
    },
  };
}

async function started(world, name, options) {
  // node-redis takes answers for others' when a connection under load is lost, and speaks with no Sentinel by a URL.
  const cluster = await Cluster.start(world, of(name), { driver: 'ioredis', ...options });
  await cluster.fill();
  await cluster.ready();
  await cluster.room('ws', cluster.of().filter((member) => member.transport === 'websocket'));
  return cluster;
}

// All is as before: for all nodes, rooms and questions.
async function whole(cluster) {
  await cluster.ready();
  const { id } = cluster.of()[0];
  await cluster.reached('ws', cluster.of().filter((member) => member.transport === 'websocket'));
  for (const node of cluster.nodes) {
    await until(async () => {
      const { error, answers } = await node.do('serverAsk', {}, 'ask');
      return error === null && answers.length === cluster.nodes.length - 1;
    }, 20_000, `${node.name} is answered by all others`);
    await cluster.tells(node, { to: [id] }, (member) => member.id === id, 'one', 1);
  }
  assert.ok(cluster.of().every((member) => member.connected && !member.ends.length));
}

const everybodyIs = (cluster, up) => Promise.all(limpets(cluster).map((node) => until(
  async () => (await node.state()).up === up, 20_000, `${node.name} ${up ? 'has Redis again' : 'has lost Redis'}`)));

async function localGoesOn(cluster) {
  for (const node of limpets(cluster)) {
    const mine = cluster.on(node);
    for (const flags of [['local'], []]) {
      const id = `local ${Math.random()}`;
      await node.do('emit', { flags }, 'mark', id);
      await until(() => mine.every((member) => member.marks.has(id)), 5000, `local clients of ${node.name} hear it`);
    }
  }
}

for (const name of kinds) {
  scenario(`${name}: Redis is killed and comes back`, { seconds: 120 }, async (world) => {
    const cluster = await started(world, name);
    for (let time = 0; time < 2; time += 1) {
      const said = traffic(cluster);
      await until(() => cluster.of().every((member) => member.heard.length > 100), 20_000, 'there is traffic');
      await cluster.redis.kill();
      await everybodyIs(cluster, false);
      await localGoesOn(cluster);
      const before = await Promise.all(limpets(cluster).map((node) => node.state()));
      const sizes = limpets(cluster).map((node) => node.resident());
      for (const node of limpets(cluster)) await node.do('burst', { to: ['nobody'] }, 'lost', 20_000, 'x'.repeat(1000));
      for (const [index, node] of limpets(cluster).entries()) {
        const { publishesFailed, pendingBytes, up } = await node.state();
        assert.ok(!up && publishesFailed - before[index].publishesFailed >= 20_000, 'each is counted as failed');
        assert.ok(pendingBytes < 1_000_000, `${pendingBytes} bytes wait`);
        if (slowness === 1) assert.ok(node.resident() - sizes[index] < 48, `${node.resident()} MiB after ${sizes[index]}`);
      }
      await cluster.redis.start();
      await everybodyIs(cluster, true);
      await said.stop();
      await whole(cluster);
      said.upwards();
    }
  });

  scenario(`${name}: Redis is frozen for a moment`, { seconds: 60 }, async (world) => {
    const cluster = await started(world, name);
    await cluster.redis.freeze();
    for (const node of cluster.nodes) {
      for (let i = 0; i < 50; i += 1) await node.do('emit', {}, 'count', node.id, i);
    }
    cluster.redis.thaw();
    for (const node of cluster.nodes) await cluster.mark(node);
    for (const member of cluster.of()) {
      const heard = member.take().filter(([event]) => event === 'count');
      for (const { id } of cluster.nodes) {
        assert.deepEqual(heard.filter(([, of]) => of === id).map(([, , count]) => count), [...Array(50).keys()], member.name);
      }
    }
    await whole(cluster);
  });

  scenario(`${name}: Redis is frozen until it is given up`, { seconds: 120 }, async (world) => {
    const cluster = await started(world, name);
    const said = traffic(cluster);
    await until(() => cluster.of().every((member) => member.heard.length > 100), 20_000, 'there is traffic');
    await cluster.redis.freeze();
    await everybodyIs(cluster, false);
    await localGoesOn(cluster);
    cluster.redis.thaw();
    await everybodyIs(cluster, true);
    await said.stop();
    await whole(cluster);
    said.upwards();
  });
}

for (const name of ['classic', 'streams, recovery']) {
  scenario(`${name}: a Sentinel fails over`, { seconds: 120 }, async (world) => {
    const { master, replica, sentinel, url } = await watchedRedis(world);
    const cluster = await started(world, name, { redis: master, url });
    const said = traffic(cluster);
    await until(() => cluster.of().every((member) => member.heard.length > 100), 20_000, 'there is traffic');
    await master.kill();
    await sentinel.says(/\+switch-master/, 30_000);
    cluster.redis = replica;
    cluster.admin = world.own(connectTo(replica));
    await everybodyIs(cluster, true);
    await said.stop();
    await whole(cluster);
    said.upwards();
  });
}

scenario('limpet node says degraded without Redis, and ok again with it', { seconds: 60, skip: side !== 'limpet' }, async (world) => {
  const redis = await world.redis();
  const node = world.own(await LimpetNode.start(['--redis', redis.url, '--adapter', 'redis_streams']));
  const says = async (status, text) => {
    const health = await node.health();
    return health.status === status && health.body.includes(text);
  };
  await until(() => says(200, 'ok'), 10_000, 'it is well');
  for (const [lose, regain] of [[() => redis.kill(), () => redis.start()], [() => redis.freeze(), () => redis.thaw()]]) {
    await lose();
    await until(() => says(200, 'degraded'), 20_000, 'it is degraded');
    await regain();
    await until(() => says(200, 'ok'), 10_000, 'it is well again');
  }
});
