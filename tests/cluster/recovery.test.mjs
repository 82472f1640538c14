// Clients that lose their connection find what they missed on another node, in whichever language.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { decode } from 'notepack.io';
import { until } from '../e2e/lib/deadline.mjs';
import { sharing } from '../e2e/lib/world.mjs';
import { of } from './lib/adapters.mjs';
import { Cluster } from './lib/cluster.mjs';

const key = (pid) => `sio:session:${pid}`;
const data = { name: 'ü', list: [1, { a: null }] };

// A member with rooms and data, and another beside it on another node, who hears everything as it comes.
async function prepared(cluster, node) {
  const member = await cluster.member(node);
  const witness = await cluster.member(cluster.nodes[(node.index + 1) % 4]);
  for (const one of [member, witness]) {
    await one.node.do('seat', {}, one.id, ['room', 'räume']);
    await one.node.do('data', {}, one.id, data);
  }
  await cluster.ready();
  return { member, witness };
}

// It is gone, and what is kept of it is in Redis.
async function away(cluster, member) {
  const { _pid } = member.socket;
  member.cut();
  cluster.members = cluster.members.filter((one) => one !== member);
  await until(async () => await cluster.admin.exists(key(_pid)) === 1, 10_000, 'its session is saved');
}

async function back(cluster, member, node) {
  member.moveTo(node);
  await member.connect();
  cluster.members.push(member);
}

// What is said while it is away, by all nodes one after the other.
async function news(cluster, witness) {
  for (const node of cluster.nodes) {
    await node.do('emit', {}, 'all', node.id, { deep: ['ü', 1.5] });
    await node.do('emit', { to: ['room'] }, 'room', node.id);
    await node.do('emit', { to: ['räume', 'room'] }, 'rooms', Buffer.from([1, 2, 3]), { inside: [Buffer.from(node.id)] });
    await node.do('emit', { to: ['elsewhere'] }, 'nobody');
    await node.do('emit', { except: ['room'] }, 'others');
    await node.do('emit', { to: ['room'], except: ['elsewhere'] }, 'big', 'x'.repeat(65_536));
    await cluster.mark(node);
  }
  return witness.take();
}

async function self(member) {
  const { rooms, ...rest } = await member.node.do('self', {}, member.id);
  return { rooms: rooms.sort(), ...rest };
}

describe('recovery', () => {
  const { fact } = sharing(async (world) => Cluster.start(world, of('streams, recovery')), { seconds: 60 });

  for (const [from, to] of [[0, 1], [1, 0], [0, 2], [1, 3], [0, 0], [1, 1]]) {
    fact(`from node ${from} to node ${to}: rooms, data and all that was missed, in order`, async (cluster) => {
      const { member, witness } = await prepared(cluster, cluster.nodes[from]);
      const { id } = member;
      // Twice: what it missed the first time does not come again.
      for (let time = 0; time < 2; time += 1) {
        await away(cluster, member);
        const missed = await news(cluster, witness);
        assert.equal(missed.length, 16);
        await back(cluster, member, cluster.nodes[time ? from : to]);
        assert.deepEqual([member.socket.recovered, member.id], [true, id]);
        for (const node of cluster.nodes) await cluster.mark(node);
        assert.deepEqual(member.take(), missed);
        assert.deepEqual(await self(member), { rooms: [id, 'room', 'räume'].sort(), data, recovered: true });
        witness.take();
        const both = (one) => one === member || one === witness;
        for (const node of cluster.nodes) await cluster.tells(node, { to: ['räume'] }, both, 'live', 1);
      }
      assert.equal(new Set(member.offsets).size, member.offsets.length);
      cluster.leaves(member);
      cluster.leaves(witness);
    });
  }

  fact('with nothing missed', async (cluster) => {
    for (const [from, to] of [[0, 1], [1, 0]]) {
      const { member, witness } = await prepared(cluster, cluster.nodes[from]);
      await away(cluster, member);
      await back(cluster, member, cluster.nodes[to]);
      assert.equal(member.socket.recovered, true);
      for (const one of [member, witness]) cluster.leaves(one);
    }
  });

  fact('not for somebody else, and not without a part of the stream', async (cluster) => {
    for (const [from, to] of [[0, 1], [1, 0], [2, 0], [3, 1]]) {
      for (const spoil of [
        (member) => { member.socket._pid = 'AAAAAAAAAAAAAAAAAAAA'; },
        (member) => { member.socket._lastOffset = '1-1'; },
        (member) => { member.socket._lastOffset = 'no offset'; },
        (member) => { member.socket._lastOffset = undefined; },
        () => cluster.admin.xtrim('socket.io', 'MAXLEN', 0),
      ]) {
        const { member, witness } = await prepared(cluster, cluster.nodes[from]);
        const { id } = member;
        await away(cluster, member);
        await spoil(member);
        await cluster.nodes[to].do('emit', {}, 'missed');
        await back(cluster, member, cluster.nodes[to]);
        assert.equal(member.socket.recovered, false);
        assert.notEqual(member.id, id);
        assert.deepEqual((await self(member)).rooms, [member.id]);
        for (const one of [member, witness]) cluster.leaves(one);
      }
    }
  });

  fact('who leaves on purpose is not kept', async (cluster) => {
    for (const node of cluster.nodes) {
      const { member, witness } = await prepared(cluster, node);
      const { _pid } = member.socket;
      cluster.leaves(member);
      const others = async () => (await witness.node.do('fetch', { to: ['room'], except: [witness.id] })).sockets.length;
      await until(async () => await others() === 0, 10_000, 'it has left');
      assert.equal(await cluster.admin.exists(key(_pid)), 0);
      cluster.leaves(witness);
    }
  });

  fact('what is kept reads alike', async (cluster) => {
    for (const node of cluster.nodes) {
      const { member, witness } = await prepared(cluster, node);
      const { _pid } = member.socket;
      const { id } = member;
      await away(cluster, member);
      const kept = decode(Buffer.from(await cluster.admin.get(key(_pid)), 'base64'));
      const rooms = [id, 'room', 'räume'].sort();
      assert.deepEqual({ ...kept, rooms: [...kept.rooms].sort() }, { sid: id, pid: _pid, rooms, data }, node.name);
      const left = await cluster.admin.pttl(key(_pid));
      assert.ok(left > 30_000 && left <= 60_000, `${left} ms`);
      cluster.leaves(witness);
    }
  });
});
