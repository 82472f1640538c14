// Each kind of child killed or stopped under five hundred clients that talk all the time.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';

const run = promisify(execFile);
const size = 500;
const three = '[bundle]\nnodes = 3\n[node]\ndrain_window = "1s"\n';

// Clients in rooms of ten; the first of each room counts aloud until it is told to stop.
async function talking(world) {
  const bundle = await Bundle.start(world, three);
  const crowd = await Crowd.join(world, bundle, size, (i) => ({ transports: ['websocket'], auth: { userId: `user${i}` } }));
  const nodes = await crowd.who();
  await Promise.all(crowd.clients.map((client, i) => client.call('join', `room${i % 50}`)));
  const speakers = crowd.clients.slice(0, 50);
  const said = speakers.map(() => 0);
  const timer = setInterval(() => speakers.forEach((speaker, i) => {
    if (speaker.undisturbed) speaker.socket.emit('broadcast', `room${i}`, said[i] += 1);
  }), 100);
  world.own({ close: () => clearInterval(timer) });
  return { bundle, crowd, nodes, said, hush: () => clearInterval(timer) };
}

async function redis(bundle, ...words) {
  const { stdout } = await run('redis-cli', ['--json', '-s', `${bundle.folder}/redis.sock`, ...words]);
  return JSON.parse(stdout);
}

// Redis says of every user what the user's own node says.
const presence = (bundle, crowd) => until(async () => {
  const seen = await redis(bundle, 'HGETALL', 'user:connections');
  const nodes = await crowd.who();
  assert.deepEqual(seen, Object.fromEntries(nodes.map((node, i) => [`user${i}`, node])));
  return true;
}, 30_000, 'presence is right');

for (const signal of ['SIGKILL', 'SIGSTOP']) {
  scenario(`${signal} of a node`, { seconds: 180 }, async (world) => {
    const { bundle, crowd, nodes, said, hush } = await talking(world);
    const lost = crowd.clients.filter((_, i) => nodes[i] === 'n1');
    const others = crowd.clients.filter((_, i) => nodes[i] !== 'n1');
    const back = bundle.hit('n1', signal, { ms: 20_000 });
    const gone = until(() => lost.every(({ disconnects }) => disconnects.length), 15_000, 'its clients have lost it');
    await gone;
    await until(() => lost.every(({ socket }) => socket.connected), 5000, 'all of them are back 5 s later');
    await back;
    hush();
    assert.ok(others.every((client) => client.undisturbed));
    // What those on other nodes said to each other arrived, all of it, once, in order.
    await until(() => others.every((client) => {
      const i = crowd.clients.indexOf(client) % 50;
      return nodes[i] === 'n1' || client.messages.at(-1) === said[i];
    }), 10_000, 'the last messages arrive');
    for (const client of others) {
      const i = crowd.clients.indexOf(client) % 50;
      if (nodes[i] !== 'n1') assert.deepEqual(client.messages, Array.from({ length: said[i] }, (_, n) => n + 1));
    }
    await presence(bundle, crowd);
  });

  scenario(`${signal} of Redis`, { seconds: 180 }, async (world) => {
    const { bundle, crowd, nodes, hush } = await talking(world);
    await bundle.hit('redis', signal, { ms: 20_000 });
    hush();
    await presence(bundle, crowd);
    // Nodes meet in it again: from each of them a word reaches all of a room.
    for (const id of ['n1', 'n2', 'n3']) {
      const speaker = crowd.clients.find((_, i) => nodes[i] === id);
      const room = crowd.clients.indexOf(speaker) % 50;
      speaker.socket.emit('broadcast', `room${room}`, `from ${id}`);
      const heard = ({ messages }, i) => i % 50 !== room || messages.includes(`from ${id}`);
      await until(() => crowd.clients.every(heard), 10_000, `what is said on ${id} is heard`);
    }
    assert.ok(crowd.clients.every((client) => client.undisturbed));
  });

  scenario(`${signal} of the proxy`, { seconds: 180 }, async (world) => {
    const { bundle, crowd, hush } = await talking(world);
    await bundle.hit('proxy', signal, { ms: 20_000 });
    hush();
    const back = ({ disconnects, socket }) => disconnects.length && socket.connected;
    await until(() => crowd.clients.every(back), 5000, 'everybody is back 5 s later');
    await presence(bundle, crowd);
  });
}

scenario('SIGKILL of the bundle', { seconds: 120 }, async (world) => {
  const { bundle, hush } = await talking(world);
  bundle.expect = { code: null, signal: 'SIGKILL' };
  await bundle.kill();
  hush();
  await until(() => !bundle.left().length, 5000, 'nothing is left');
});

scenario('a rolling restart: nobody is refused, everybody is back, presence is right', { seconds: 180 }, async (world) => {
  const { bundle, crowd, hush } = await talking(world);
  const end = bundle.traffic();
  const { code, stdout, stderr } = await bundle.command('restart');
  const statuses = await end();
  hush();
  assert.equal(code, 0, stdout + stderr);
  assert.deepEqual(statuses, [200]);
  await until(() => crowd.clients.every(({ socket }) => socket.connected), 10_000, 'everybody is back');
  assert.deepEqual(crowd.clients.flatMap(({ refusals }) => refusals), []);
  await presence(bundle, crowd);
});
