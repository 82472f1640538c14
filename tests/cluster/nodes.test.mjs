// Nodes that come and go: who is counted, who is waited for, and what stays of them in Redis.
import assert from 'node:assert/strict';
import { until } from '../e2e/lib/deadline.mjs';
import { scenario } from '../e2e/lib/world.mjs';
import { of } from './lib/adapters.mjs';
import { Cluster } from './lib/cluster.mjs';
import { sides } from './lib/node.mjs';
import { becomes, connections, subscribers } from './lib/redis.mjs';

// Every node that is left finds all sockets and is answered by all others.
async function whole(cluster) {
  const { counted, sharded } = cluster.adapter;
  await becomes('the number of nodes', () => subscribers(cluster.admin, counted(), sharded), cluster.nodes.length);
  for (const node of cluster.nodes) {
    const { error, sockets } = await node.do('fetch');
    assert.deepEqual([error, sockets.map(({ id }) => id).sort()], [null, cluster.of().map(({ id }) => id).sort()], node.name);
    const asked = await node.do('serverAsk', {}, 'ask');
    assert.deepEqual([asked.error, asked.answers.map((one) => one.node).sort()], [null, cluster.peers(node).map(({ id }) => id).sort()]);
    await cluster.tells(node, {}, () => true, 'all', node.id);
  }
}

async function loses(cluster, node, end) {
  cluster.nodes = cluster.peers(node);
  for (const member of cluster.on(node)) cluster.leaves(member);
  await end(node);
  await whole(cluster);
}

for (const name of ['classic', 'sharded, dynamic', 'streams, recovery']) {
  scenario(`${name}: nodes come and go`, { seconds: 60 }, async (world) => {
    const adapter = of(name);
    const cluster = await Cluster.start(world, adapter, { languages: [] });
    const before = await connections(cluster.admin);
    for (const [index, language] of [...sides, ...sides.slice(0, 2)].entries()) {
      const node = await cluster.node(language, index);
      cluster.nodes.push(node);
      await cluster.member(node, { transport: index % 2 ? 'polling' : 'websocket' });
      await cluster.ready();
      if (index > 2) await whole(cluster);
    }
    const [, , , , fifth, sixth] = cluster.nodes;
    for (const node of [fifth, sixth]) await loses(cluster, node, (one) => one.close());
    for (const node of cluster.nodes.slice(0, 2)) await loses(cluster, node, (one) => one.die());
    for (const node of cluster.nodes) await node.close();
    await becomes('the number of connections', () => connections(cluster.admin), before);
    assert.deepEqual(await cluster.admin.pubsub('CHANNELS'), []);
    assert.deepEqual(await cluster.admin.pubsub('SHARDCHANNELS'), []);
    await until(async () => Number(await cluster.admin.pubsub('NUMPAT')) === 0, 5000, 'no pattern is left');
  });
}
