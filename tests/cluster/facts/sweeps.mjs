// Joins, leaves and disconnects of sockets wherever they are.
import assert from 'node:assert/strict';
import { until } from '../../e2e/lib/deadline.mjs';

const idsOf = (members) => members.map(({ id }) => id).sort();

// Each node finds exactly these in a room.
async function found(cluster, room, members) {
  for (const node of cluster.nodes) {
    let ids;
    await until(async () => {
      ids = (await node.do('fetch', { to: [room] })).sockets.map(({ id }) => id).sort();
      return String(ids) === String(idsOf(members));
    }, 10_000, `${node.name} finds ${members.length} in ${room}`).catch((error) => {
      throw new Error(`${error.message}; it finds ${ids}`);
    });
  }
}

export function sweeps(fact) {
  fact('sockets are made to join rooms and to leave them', async (cluster) => {
    for (const node of cluster.nodes) {
      const inside = cluster.of().filter((member) => member.rooms.has('ws') && !member.rooms.has('last'));
      const [a, b] = [`a ${node.id}`, `b ${node.id}`];
      await node.do('join', { to: ['ws'], except: ['last'] }, [a, b]);
      await found(cluster, a, inside);
      await found(cluster, b, inside);
      await cluster.reached(a, inside);
      await node.do('leave', { to: [inside[0].id] }, [a]);
      await found(cluster, a, inside.slice(1));
      await found(cluster, b, inside);
      await cluster.reached(a, inside.slice(1));
      await node.do('leave', {}, [a, b, 'nobody']);
      await found(cluster, a, []);
      await found(cluster, b, []);
      await node.do('join', {}, [a]);
      await found(cluster, a, cluster.of());
      await node.do('leave', {}, [a]);
      await found(cluster, a, []);
    }
  });

  fact('of this node alone', async (cluster) => {
    for (const node of cluster.nodes) {
      await node.do('join', { flags: ['local'] }, ['local room']);
      await found(cluster, 'local room', cluster.on(node));
      await node.do('leave', { flags: ['local'] }, ['local room']);
      await found(cluster, 'local room', []);
    }
  });

  for (const close of [false, true]) {
    fact(`sockets are disconnected${close ? ', with their connections' : ''}`, async (cluster) => {
      for (const node of cluster.nodes) {
        const [room, spared] = [`kicked by ${node.id}`, `spared by ${node.id}`];
        const kicked = [];
        for (const at of cluster.nodes) {
          for (const transport of ['websocket', 'polling']) kicked.push(await cluster.member(at, { transport }));
        }
        await cluster.room(room, kicked);
        await cluster.room(spared, kicked.slice(0, 3));
        await node.do('kick', { to: [room], except: [spared] }, close);
        const gone = kicked.slice(3);
        await until(() => gone.every(({ ends }) => ends.length), 10_000, 'they are gone');
        for (const member of gone) assert.deepEqual(member.ends, ['io server disconnect'], member.name);
        if (close) await until(() => gone.every(({ manager }) => manager._readyState === 'closed'), 10_000, 'their connections are closed');
        await found(cluster, room, kicked.slice(0, 3));
        await cluster.mark(node, '/', kicked.slice(0, 3));
        assert.ok(kicked.slice(0, 3).every((member) => member.connected && !member.ends.length));
        for (const member of kicked) cluster.leaves(member);
        await found(cluster, room, []);
      }
    });
  }
}
