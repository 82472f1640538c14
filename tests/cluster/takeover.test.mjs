// Nodes that end, by SIGTERM or SIGKILL: their clients go on elsewhere, and nothing is lost.
import assert from 'node:assert/strict';
import { decode } from 'notepack.io';
import { until } from '../e2e/lib/deadline.mjs';
import { scenario } from '../e2e/lib/world.mjs';
import { of } from './lib/adapters.mjs';
import { Cluster } from './lib/cluster.mjs';
import { side } from './lib/node.mjs';

// The stream keeps all that is said while clients move: what is trimmed is lost to them.
const flags = ['--max-length', '1000000'];

// Says 0, 1, 2, ... to a room until it is stopped, which returns how many it has said; it can go on.
function counting(node, room) {
  let count = 0;
  let on = false;
  let saying;
  const speak = async () => {
    for (; on; count += 1) await node.do('emit', { to: [room] }, 'count', count);
  };
  const begin = () => {
    on = true;
    saying = speak();
    saying.catch(() => {}); // told by whoever stops it
  };
  const stop = async () => {
    on = false;
    await saying;
    return count;
  };
  begin();
  return { begin, stop };
}

async function moves(cluster, members, node, end, target) {
  const speaker = counting(cluster.nodes[3], 'room');
  await until(() => members.every((member) => member.heard.length > 20), 10_000, 'there is traffic');
  await end(node);
  await until(() => members.every((member) => member.ends.length), 10_000, 'its clients have lost it');
  const witness = cluster.members.find((member) => !members.includes(member));
  const sofar = witness.heard.length;
  await until(() => witness.heard.length > sofar + 20, 10_000, 'others go on');
  for (const [index, member] of members.entries()) {
    member.moveTo(target(index));
    if (member.node.limpet) {
      await member.connect();
    } else {
      // Between its last look at the stream and the socket's return Node.js loses what is said.
      await speaker.stop();
      await cluster.mark(cluster.nodes[3], '/', [witness]);
      await member.connect();
      speaker.begin();
    }
    assert.equal(member.socket.recovered, true, member.name);
  }
  const count = await speaker.stop();
  await cluster.mark(cluster.nodes[3]);
  for (const member of cluster.members) {
    const heard = member.take().map(([, number]) => number);
    // Node.js may give once more what it has restored.
    assert.deepEqual(member.node.limpet ? heard : [...new Set(heard)], [...Array(count).keys()], member.name);
  }
}

async function prepared(world, adapter) {
  const cluster = await Cluster.start(world, of(adapter), { flags });
  const members = [];
  for (const transport of ['websocket', 'polling', 'websocket', 'polling']) {
    members.push(await cluster.member(cluster.nodes[0], { transport }));
  }
  await cluster.member(cluster.nodes[2]);
  await cluster.ready();
  await cluster.room('room', cluster.of());
  for (const member of members) await cluster.nodes[0].do('data', {}, member.id, { of: member.id });
  for (const member of cluster.of()) member.take();
  members.forEach((member) => { member.was = member.id; });
  return { cluster, members };
}

async function same(members) {
  for (const member of members) {
    assert.equal(member.id, member.was);
    const { rooms, data } = await member.node.do('self', {}, member.id);
    assert.deepEqual([[...rooms].sort(), data], [[member.id, 'room'].sort(), { of: member.id }]);
  }
}

scenario('a node that is told to end leaves its clients to the others', { seconds: 60 }, async (world) => {
  const { cluster, members } = await prepared(world, 'streams, recovery');
  const [node] = cluster.nodes;
  await moves(cluster, members, node, () => node.close(), (index) => cluster.nodes[index < 2 ? 1 : 2]);
  await same(members);
});

// Node.js saves a session when its connection ends, which SIGKILL leaves no time for.
const skip = side !== 'limpet';
scenario('a node that is killed leaves its clients to the others, if it saves early', { seconds: 60, skip }, async (world) => {
  const { cluster, members } = await prepared(world, 'streams, eager recovery, three streams');
  await until(async () => {
    for (const member of members) {
      const kept = decode(Buffer.from(await cluster.admin.get(`sio:session:${member.socket._pid}`), 'base64'));
      if (!kept.rooms.includes('room') || kept.data.of !== member.id) return false;
    }
    return true;
  }, 10_000, 'their sessions are saved');
  const [node] = cluster.nodes;
  await moves(cluster, members, node, () => node.die(), (index) => cluster.nodes[index < 2 ? 1 : 2]);
  await same(members);
});
