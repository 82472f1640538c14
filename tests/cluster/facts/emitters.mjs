// Emitters: programs without clients of their own, which publish alone.
import assert from 'node:assert/strict';
import { Emitter } from '@socket.io/redis-emitter';
import { createClient } from 'redis';
import { until } from '../../e2e/lib/deadline.mjs';

// The package's own, with either driver.
const classic = (cluster, client) => {
  const emitter = new Emitter(client, { key: cluster.adapter.key });
  const chosen = ({ nsp, to = [], except = [], flags = [] }) => {
    let all = (nsp ? emitter.of(nsp) : emitter).except([]);
    for (const room of to) all = all.to(room);
    for (const room of except) all = all.except(room);
    for (const flag of flags) all = all[flag];
    return all;
  };
  return {
    emit: (choice, event, ...values) => chosen(choice).emit(event, ...values),
    join: (choice, rooms) => chosen(choice).socketsJoin(rooms),
    leave: (choice, rooms) => chosen(choice).socketsLeave(rooms),
    kick: (choice, close) => chosen(choice).disconnectSockets(close),
    serverEmit: (...event) => emitter.serverSideEmit(...event),
  };
};

// As @socket.io/redis-streams-emitter 0.1.1 writes, and, for sharded clusters, which have no emitter, as one would.
const byHand = (publish) => {
  const opts = ({ to = [], except = [], flags = [] }) => (
    { rooms: to, flags: Object.fromEntries(flags.map((flag) => [flag, true])), except });
  const say = ({ nsp = '/' }, type, data) => publish(nsp, type, data);
  return {
    emit: (choice, ...data) => say(choice, 3, { packet: { type: 2, data, nsp: choice.nsp ?? '/' }, opts: opts(choice) }),
    join: (choice, rooms) => say(choice, 4, { opts: opts(choice), rooms }),
    leave: (choice, rooms) => say(choice, 5, { opts: opts(choice), rooms }),
    kick: (choice, close) => say(choice, 6, { opts: opts(choice), close }),
    serverEmit: (...event) => say({}, 9, { packet: event }),
  };
};
const streams = (cluster) => byHand((nsp, type, data) => cluster.admin.xadd(cluster.adapter.stream(nsp), 'MAXLEN', '~', 10_000, '*',
  'uid', 'emitter', 'nsp', nsp, 'type', String(type), 'data', JSON.stringify(data)));
const sharded = (cluster) => byHand((nsp, type, data) => cluster.admin.spublish(
  `${cluster.adapter.key}#${nsp}#`, JSON.stringify({ type, data, uid: 'emitter', nsp })));

async function emitters(cluster, world) {
  if (cluster.adapter.kind === 'streams') return [streams(cluster)];
  if (cluster.adapter.kind === 'sharded') return [sharded(cluster)];
  const client = await createClient({ socket: { path: cluster.redis.socket } }).connect();
  world.own({ close: () => client.destroy() });
  return [classic(cluster, cluster.admin), classic(cluster, client)];
}

// What everyone has heard of `act`, after a mark by the same way.
async function heardAfter(cluster, emitter, act) {
  for (const member of cluster.of()) member.take();
  await act();
  const id = `emitter's ${Math.random()}`;
  await emitter.emit({}, 'mark', id);
  await until(() => cluster.of().every((member) => member.marks.has(id)), 10_000, 'the mark is heard');
  return cluster.of().map((member) => member.take());
}

export function emitting(fact, adapter) {
  fact('emitters reach everyone', async (cluster, world) => {
    for (const emitter of await emitters(cluster, world)) {
      const tells = async (choice, hears, ...values) => {
        const heard = await heardAfter(cluster, emitter, () => emitter.emit(choice, 'emitted', ...values));
        cluster.expect(heard, hears, [['emitted', ...values]], '/', JSON.stringify(choice));
      };
      await tells({}, () => true, 'ü', 1, { a: [null] });
      await tells({ to: ['ws'] }, (member) => member.rooms.has('ws'), 2);
      await tells({ to: ['ws', 'last'], except: ['first two'] },
        (member) => (member.rooms.has('ws') || member.rooms.has('last')) && !member.rooms.has('first two'), 3);
      const [one] = cluster.of();
      await tells({ to: [one.id] }, (member) => member === one, 4);
      if (adapter.kind === 'classic') await tells({}, () => true, { bytes: Buffer.from([1, 2]) });
    }
  });

  fact('emitters make sockets join, leave and go', async (cluster, world) => {
    for (const emitter of await emitters(cluster, world)) {
      const there = (room, count) => Promise.all(cluster.nodes.map((node) => until(
        async () => (await node.do('fetch', { to: [room] })).sockets.length === count, 10_000, `${node.name} finds ${count} in ${room}`)));
      await emitter.join({ to: ['ws'] }, ['emitted']);
      await there('emitted', 4);
      await emitter.leave({ to: ['first two'] }, ['emitted']);
      await there('emitted', 2);
      await emitter.leave({}, ['emitted']);
      await there('emitted', 0);
      const gone = [];
      for (const node of cluster.nodes) gone.push(await cluster.member(node));
      for (const member of gone) await member.node.do('seat', {}, member.id, ['to go']);
      await emitter.kick({ to: ['to go'] }, true);
      await until(() => gone.every(({ ends }) => ends[0] === 'io server disconnect'), 10_000, 'they are gone');
      gone.forEach((member) => cluster.leaves(member));
    }
  });

  fact('emitters reach servers', async (cluster, world) => {
    for (const node of cluster.nodes) await node.do('heard');
    for (const emitter of await emitters(cluster, world)) {
      await emitter.serverEmit('note', 'ü', { n: 1 });
      for (const node of cluster.nodes) {
        let heard;
        await until(async () => { heard = await node.do('heard'); return heard.length; }, 10_000, `${node.name} hears it`);
        assert.deepEqual(heard, [['/', 'note', 'ü', { n: 1 }]], node.name);
      }
    }
  });
}
