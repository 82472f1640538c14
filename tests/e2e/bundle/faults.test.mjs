// Children that die or hang while clients are connected.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { Child } from '../lib/child.mjs';
import { until } from '../lib/deadline.mjs';
import { Address, binary, request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';

const three = '[bundle]\nnodes = 3\n[node]\ndrain_window = "300ms"\n';
const eager = { transports: ['websocket'], reconnectionDelay: 100, reconnectionDelayMax: 500 };

// A bundle with clients on every node; `on(id)` are those of one.
async function crowded(world, size = 12) {
  const bundle = await Bundle.start(world, three);
  const crowd = await Crowd.join(world, bundle, size, eager);
  const nodes = await crowd.who();
  const on = (id) => crowd.clients.filter((_, i) => nodes[i] === id);
  for (const id of ['n1', 'n2', 'n3']) assert.ok(on(id).length > 0, `somebody is on ${id}: ${nodes}`);
  const others = (id) => crowd.clients.filter((_, i) => nodes[i] !== id);
  return { bundle, crowd, on, others };
}

// The rest of a shell's words: it becomes a server that says its id.
const httpServer = 'exec node -e "require(\'http\').createServer((q, a) => a.end(process.env.SERVER_ID)).listen(process.env.PORT, \'127.0.0.1\')"';

const isSleeper = (line) => /^\d+ sleep 1000 $/.test(line);

const undisturbed = (clients) => assert.ok(clients.every((client) => client.undisturbed && client.engine.id === client.sid));

async function chat({ clients }) {
  await Promise.all(clients.map((client) => client.call('join', 'after')));
  const before = clients.map(({ messages }) => messages.length);
  clients[0].socket.emit('broadcast', 'after', 'still here');
  await until(() => clients.every(({ messages }, i) => messages.length > before[i]), 10_000, 'a message reaches everybody');
}

for (const [how, whom, options] of [
  ['SIGKILL', 'a node', {}], ['SIGSTOP', 'a node', {}], ['SIGKILL', 'the guard of a node', { guard: true }],
]) {
  scenario(`${how} of ${whom}: the others' clients notice nothing, its own come back`, { seconds: 60 }, async (world) => {
    const { bundle, crowd, on, others } = await crowded(world);
    await bundle.hit('n1', how, options);
    await until(() => on('n1').every((client) => client.disconnects.length && client.socket.connected), 10_000, 'its clients are back');
    undisturbed(others('n1'));
    await chat(crowd);
    undisturbed(others('n1'));
    assert.deepEqual(bundle.zombies(), []);
  });
}

scenario('a node that hangs is named as one', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, three);
  await bundle.hit('n2', 'SIGSTOP');
  assert.match(bundle.stdout, /n2: hangs, its process lives and 3 checks in a row found no answer .*: it is replaced$/m);
});

for (const how of ['SIGKILL', 'SIGSTOP']) {
  scenario(`${how} of Redis: nobody is disconnected, and messages cross nodes again`, { seconds: 60 }, async (world) => {
    const { bundle, crowd } = await crowded(world);
    await bundle.hit('redis', how, { ms: 20_000 });
    await until(async () => {
      await chat(crowd);
      return true;
    }, 30_000, 'nodes are joined again');
    undisturbed(crowd.clients);
  });

  scenario(`${how} of the proxy: everybody is back at the same address`, { seconds: 60 }, async (world) => {
    const { bundle, crowd } = await crowded(world);
    await bundle.hit('proxy', how, { ms: 20_000 });
    await until(() => crowd.clients.every((client) => client.disconnects.length && client.socket.connected), 10_000, 'all are back');
    await chat(crowd);
  });
}

const nothingLeft = (bundle) => until(() => !bundle.left().length, 5000, 'nothing is left')
  .catch((error) => assert.fail(`${error.message}: ${bundle.left()}`));

scenario('SIGKILL of the bundle: nothing of it is left after 5 s', { seconds: 60 }, async (world) => {
  const shell = `sh -c "sleep 1000 & sleep 1000" & setsid sleep 1000 & ${httpServer}`;
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 2\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`,
    { expect: { code: null, signal: 'SIGKILL' } });
  assert.ok(bundle.left().filter(isSleeper).length >= 6, 'children of children');
  assert.ok(bundle.left().some((line) => /^\d+ redis-server 127\.0\.0\.1:\d+/.test(line)), `Redis with a port: ${bundle.left()}`);
  await bundle.kill();
  await nothingLeft(bundle);
});

scenario('nor if all guards were stopped', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 2\n', { expect: { code: null, signal: 'SIGKILL' } });
  const guards = ['redis', 'n1', 'n2', 'proxy'].map((id) => bundle.guardOf(id));
  guards.forEach((guard) => process.kill(guard, 'SIGSTOP'));
  await bundle.kill();
  await nothingLeft(bundle).finally(() => bundle.left().map(parseFloat).forEach((pid) => process.kill(pid, 'SIGKILL')));
});

scenario('a guard that was stopped hands on what its program is told', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 2\n[node]\ndrain_window = "300ms"\n');
  const pool = async () => (await bundle.admin('/status')).json().pools.find(({ name }) => name === 'nodes').servers.map(({ id }) => id);
  for (const nodes of [3, 1]) {
    process.kill(bundle.guardOf('proxy'), 'SIGSTOP');
    assert.equal((await bundle.command('scale', String(nodes))).code, 0);
    await until(async () => (await pool()).length === nodes, 5000, `the proxy has ${nodes}`);
  }
});

scenario('what a node leaves behind does not outlive it', { seconds: 60 }, async (world) => {
  const shell = `setsid sleep 1000 & sh -c "sleep 1000 & sleep 1000" & ${httpServer}`;
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 1\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`);
  const sleepers = () => bundle.left().filter(isSleeper).map((line) => line.split(' ')[0]);
  for (const guard of [false, true]) {
    const before = sleepers();
    assert.equal(before.length, 3, 'two of its group, and one who has left it');
    await bundle.hit('n1', 'SIGKILL', { guard });
    await until(() => sleepers().length === 3 && !sleepers().some((pid) => before.includes(pid)), 5000, 'as many are there, others');
  }
});

scenario('a crash loop is named and held back while the rest serve', { seconds: 60 }, async (world) => {
  const shell = `[ $SERVER_ID = n2 ] && exit 3; ${httpServer}`;
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 3\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`, { wait: false });
  const named = /n2: crash loop: it ended (\d+) times in \d+ s, now with exit code (\d+); held back, tried again in \d+ s$/m;
  const [, ends, code] = await bundle.says(named, 20_000);
  assert.deepEqual([ends, code], ['5', '3']);
  const [, address] = await bundle.says(/^proxy \| .* listening on (\S+)$/m, 10_000);
  const answers = await until(async () => {
    const bodies = await Promise.all(Array.from({ length: 10 }, () => request(new Address(address), '/')));
    return bodies.every(({ status }) => status === 200) && bodies.map(({ body }) => body);
  }, 10_000, 'the others serve');
  assert.deepEqual([...new Set(answers)].sort(), ['n1', 'n3']);
  assert.doesNotMatch(bundle.stdout, /everything is healthy/);
});

scenario('a command that is not there is told by its name', async (world) => {
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 1\ncommand = ["no-such-program"]\n', { wait: false });
  await bundle.says(/^n1 \| limpet: cannot start no-such-program: No such file or directory$/m, 10_000);
  await bundle.says(/n1: crash loop: .* exit code 127;/m, 20_000);
  const [said, ended] = [/^n1 \| limpet: cannot start/m, / n1: ended, exit code 127/].map((line) => bundle.stdout.search(line));
  assert.ok(said < ended, bundle.stdout);
});

scenario('a terminal that is closed ends the bundle in order', { seconds: 60 }, async (world) => {
  const dir = await world.directory();
  const env = { ...process.env, RUNTIME_DIRECTORY: dir };
  const file = `${dir}/log`;
  const terminal = world.own(new Child('script', 'script', ['-qfc', `exec ${binary} up`, file], { env }));
  terminal.close = () => terminal.end ?? terminal.kill();
  const log = () => readFileSync(file, 'utf8');
  await until(() => log().includes('everything is healthy'), 20_000, 'it is ready');
  const [folder] = readdirSync(dir).filter((name) => name.startsWith('limpet-up.'));
  assert.ok(folder);
  await terminal.kill();
  await until(() => !readdirSync(dir).includes(folder), 15_000, 'its directory is gone, as after every orderly end');
});
