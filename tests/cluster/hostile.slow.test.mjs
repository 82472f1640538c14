// A hostile publisher: whatever stands on the channels and streams, a node lives, stays small, counts it, serves its
// clients, and gives them nothing that would make them close their connections.
//
// limpet alone: a Node.js node dies of the first of these.
import assert from 'node:assert/strict';
import { encode } from 'notepack.io';
import { slowness, until } from '../e2e/lib/deadline.mjs';
import { scenario } from '../e2e/lib/world.mjs';
import { of } from './lib/adapters.mjs';
import { Cluster } from './lib/cluster.mjs';
import { anything, entry, vocabulary } from './lib/messages.mjs';
import { body, monsters, poison, random, reserved } from './lib/hostile.mjs';
import { side } from './lib/node.mjs';
import { connectTo } from './lib/redis.mjs';

const kinds = ['classic', 'sharded, dynamic', 'streams, recovery'];
const skip = side !== 'limpet';
const rounds = slowness === 1 ? 3000 : 1500;

async function started(world, name) {
  // Redis gives up those who do not read fast enough, which is another matter.
  const redis = await world.redis({ flags: ['--client-output-buffer-limit', 'pubsub', '0', '0', '0'] });
  const cluster = await Cluster.start(world, of(name), { languages: ['limpet', 'limpet'], redis });
  await cluster.fill();
  await cluster.ready();
  await cluster.room('room', cluster.of());
  cluster.words = vocabulary(cluster.adapter.kind);
  const publish = cluster.adapter.sharded ? 'spublish' : 'publish';
  cluster.publish = (channel, bytes) => cluster.admin[publish](channel, bytes);
  return cluster;
}

// A broadcast in the stream.
const store = (cluster, data) => cluster.admin.xadd('socket.io', '*', 'uid', 'emitter', 'nsp', '/', 'type', '3', 'data', data);

// Some of everything, wrong in all ways.
async function flood(cluster, chance, messages) {
  const channels = cluster.words.channels({ sid: cluster.of()[0].id, uid: cluster.uid ?? 'abcdef' });
  for (let round = 0; round < rounds; round += 1) {
    const message = anything(messages, chance);
    const sent = cluster.adapter.kind === 'streams' && chance.below(3)
      ? cluster.admin.xadd('socket.io', '*', ...entry(message, chance))
      : cluster.publish(chance.pick(channels), body(message, chance));
    if (round % 100 === 99) await sent;
  }
}

// The nodes still do all that they can, and another one, on Node.js, finds them so.
async function works(cluster) {
  await cluster.ready();
  for (const node of cluster.nodes) {
    await cluster.tells(node, {}, () => true, 'all', 1, Buffer.from('x'));
    for (const member of cluster.of()) member.answer = () => 'answer';
    const { error, answers } = await node.do('emitAsk', { timeout: 8000 }, 'ask');
    assert.deepEqual([error, answers], [null, cluster.of().map(() => 'answer')]);
    const asked = await node.do('serverAsk', {}, 'ask', 1);
    assert.deepEqual([asked.error, asked.answers.length], [null, cluster.nodes.length - 1]);
  }
}

function sane(cluster) {
  for (const member of cluster.of()) {
    assert.deepEqual([member.connected, member.ends], [true, []], member.name);
    for (const [event] of member.take()) {
      assert.ok(['string', 'number'].includes(typeof event) && !reserved.includes(event), `${member.name} heard ${JSON.stringify(event)}`);
    }
  }
}

async function total(cluster, name) {
  const states = await Promise.all(cluster.nodes.map((node) => node.state()));
  return states.reduce((sum, state) => sum + state[name], 0);
}

for (const name of kinds) {
  scenario(`${name}: bodies that are wrong`, { seconds: 120, skip }, async (world) => {
    const cluster = await started(world, name);
    const chance = random(1);
    const sizes = cluster.nodes.map((node) => node.resident());
    await flood(cluster, chance, [...cluster.words.messages('request'), ...cluster.words.answers('request')]);
    for (const channel of cluster.words.channels({ sid: cluster.of()[0].id, uid: 'abcdef' })) {
      for (const bytes of monsters()) await cluster.publish(channel, bytes);
    }
    if (cluster.adapter.kind === 'streams') {
      for (const bytes of monsters()) {
        for (const data of [bytes, bytes.toString('base64')]) await store(cluster, data);
      }
    }
    for (const node of cluster.nodes) await cluster.mark(node);
    sane(cluster);
    assert.ok(await total(cluster, 'malformed') > rounds / 4, `${await total(cluster, 'malformed')} are counted`);
    for (const [index, node] of cluster.nodes.entries()) {
      if (slowness === 1) assert.ok(node.resident() - sizes[index] < 64, `${node.resident()} MiB after ${sizes[index]}`);
    }
    await works(cluster);
    cluster.nodes.push(await cluster.node('Node.js', 2));
    await cluster.member(cluster.nodes[2]);
    await works(cluster);
  });

  scenario(`${name}: packets that no client may be given`, { skip }, async (world) => {
    const cluster = await started(world, name);
    const { kind } = cluster.adapter;
    for (const one of poison()) {
      const before = await total(cluster, 'malformed');
      if (kind === 'streams') {
        const data = { packet: one, opts: { rooms: [], except: [], flags: {} } };
        await store(cluster, encode(data).toString('base64'));
      } else {
        await cluster.publish('socket.io#/#', cluster.words.broadcast(one));
      }
      const what = JSON.stringify(one).slice(0, 100);
      await until(async () => await total(cluster, 'malformed') === before + 2, 5000, `${what} is counted by both`);
      for (const node of cluster.nodes) await cluster.mark(node);
      for (const member of cluster.of()) assert.deepEqual([member.take(), member.connected], [[], true], what);
    }
    if (kind === 'streams') await comesBack(cluster);
    await works(cluster);
  });

  scenario(`${name}: answers to open questions that are forged`, { seconds: 120, skip }, async (world) => {
    const cluster = await started(world, name);
    const chance = random(2);
    const spy = world.own(connectTo(cluster.redis));
    // One that is counted as a node, and answers with anything.
    const channel = cluster.adapter.counted();
    let forged = 0;
    spy.on(cluster.adapter.sharded ? 'smessageBuffer' : 'messageBuffer', (at, bytes) => {
      const [, requestId] = bytes.toString('latin1').match(/requestId[^0-9A-Za-z_-]{1,3}([0-9A-Za-z_-]{6,16})/) ?? [];
      const [, uid] = bytes.toString('latin1').match(/uid[^0-9A-Za-z_-]{1,3}([0-9A-Za-z_-]{6,16})/) ?? [];
      if (!requestId) return;
      cluster.uid = uid;
      const to = cluster.adapter.kind === 'classic' ? ['socket.io-response#/#', `socket.io-response#/#${uid}#`]
        : [`socket.io#/#${uid}#`, channel];
      const count = forged < 5000 ? 100 : 1;
      for (let i = 0; i < count; i += 1) {
        const answer = i ? anything(cluster.words.answers(requestId), chance) : chance.pick(cluster.words.answers(requestId));
        cluster.publish(chance.pick(to), body(answer, chance));
        forged += 1;
      }
    });
    await (cluster.adapter.sharded ? spy.ssubscribe(channel) : spy.subscribe(channel));
    for (const member of cluster.of()) member.answer = () => 'answer';
    for (const node of cluster.nodes) {
      const asked = await Promise.all([
        ...Array.from({ length: 5 }, () => node.do('fetch')),
        ...Array.from({ length: 5 }, () => node.do('emitAsk', { timeout: 2000 }, 'ask')),
        ...Array.from({ length: 5 }, () => node.do('serverAsk', {}, 'ask', 1)),
      ]);
      const own = cluster.on(node);
      for (const { sockets } of asked.slice(0, 5)) {
        for (const { id } of own) assert.ok(sockets.some((one) => one.id === id && one.rooms.includes('room')), `${node.name} finds ${id}`);
      }
      // As many as are asked: the other node and the spy.
      for (const { error, answers } of asked.slice(10)) {
        assert.ok(error ? answers.length < 2 : answers.length === 2, `${error}, and ${answers.length} answer ${node.name}`);
      }
    }
    assert.ok(forged > 2000, `${forged} are forged`);
    sane(cluster);
    spy.disconnect();
    await until(async () => await total(cluster, 'up') === 2, 5000, 'they have Redis');
    await works(cluster);
  });

  scenario(`${name}: disconnects that are wrong`, { seconds: 60, skip }, async (world) => {
    const cluster = await started(world, name);
    const chance = random(3);
    await flood(cluster, chance, [cluster.words.kick()]);
    const { members } = cluster;
    for (const member of members) cluster.leaves(member);
    await until(async () => await total(cluster, 'sockets') === 0, 10_000, 'all have left');
    await cluster.fill();
    await works(cluster);
  });
}

// What is not delivered is not replayed either.
async function comesBack(cluster) {
  if (!cluster.adapter.recovery) return;
  const member = cluster.of()[0];
  member.cut();
  await until(async () => await cluster.admin.exists(`sio:session:${member.socket._pid}`) === 1, 10_000, 'its session is saved');
  for (const one of poison()) {
    const data = { packet: one, opts: { rooms: [], except: [], flags: {} } };
    await store(cluster, encode(data).toString('base64'));
  }
  const halves = ['{"packet":1,"opts":1}', '{"packet":{"type":2,"data":["x"]},"opts":{"rooms":5}}'];
  for (const data of ['{', '', 'null', '{}', 'gA==', '%%', ...halves]) {
    await store(cluster, data);
  }
  await cluster.nodes[1].do('emit', {}, 'missed', 1);
  member.moveTo(cluster.nodes[1]);
  await member.connect();
  assert.equal(member.socket.recovered, true);
  await cluster.mark(cluster.nodes[1]);
  assert.deepEqual(member.take(), [['missed', 1]]);
  member.ends = [];
}
