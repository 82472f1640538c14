// Descriptors and local ports run out: who is open lives, who comes is told at once, and all of it passes.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { cpuSeconds } from './bulk.mjs';
import { holder, launch, namespaces, setLimit } from './launched.mjs';
import { talk } from './talk.mjs';
import { upgrade, webSockets } from './websocket.mjs';

const echo = webSockets({ then: (connection) => {
  const back = () => connection.send(connection.consume(connection.received.length));
  connection.socket.on('data', back);
  connection.socket.on('end', () => connection.socket.end());
  back();
} });

// `count` upgrades at once: { open, refused }, each refusal with its time.
async function rush(world, address, count) {
  const all = await Promise.all(Array.from({ length: count }, async () => {
    const begun = performance.now();
    const client = await world.connect(address).catch((error) => ({ error }));
    if (client.error) return { refused: 'connect', ms: performance.now() - begun };
    client.send(upgrade());
    await until(() => client.ending || client.text.includes('\r\n\r\n'), 5000, 'an answer or the end').catch(() => {});
    const ms = performance.now() - begun;
    if (client.text.startsWith('HTTP/1.1 101 ')) {
      await client.head();
      return { client, ms };
    }
    const status = Number(client.text.slice(9, 12)) || client.ending;
    client.destroy();
    return { refused: status, ms };
  }));
  return { open: all.filter(({ client }) => client).map(({ client }) => client), refused: all.filter(({ client }) => !client) };
}

async function echoes(clients) {
  for (const client of clients) client.send('ping');
  for (const client of clients) assert.equal((await client.bytes(4, 3000)).toString(), 'ping');
}

const idles = async (limpet) => {
  const before = await cpuSeconds(limpet.pid);
  await holds(() => true, 2000);
  const used = await cpuSeconds(limpet.pid) - before;
  if (slowness === 1) assert.ok(used < 0.04 + 0.01, `${used} s of CPU in 2 s`);
};

// Each is told: by an answer or a refused connect. In a rush of hundreds, ours in the same process, that takes longer
// than the 100 ms that one alone may wait.
const areTold = (refused) => {
  assert.deepEqual(refused.filter((one) => one.refused !== 503 && one.refused !== 'connect'), []);
  assert.deepEqual(refused.filter(({ ms }) => ms > 500 * slowness), []);
};

async function isToldPromptly(limpet) {
  const times = [];
  for (let i = 0; i < 7; i += 1) {
    const begun = performance.now();
    const { answers: [answer] } = await talk(limpet.address, upgrade(), { ms: 3000 });
    times.push(performance.now() - begun);
    assert.equal(answer?.status, 503);
    assert.equal(answer.headers['retry-after'], '1');
  }
  times.sort((a, b) => a - b);
  assert.ok(times[3] < 100 * slowness, `${times}`);
}

describe('descriptors', () => {
  for (const when of ['from the start', 'while it runs']) {
    scenario(`128 of them ${when}`, { seconds: 60 }, async (world) => {
      const origin = await world.origin({ script: echo });
      const toml = `[[listener]]\naddress = "127.0.0.1:0"\n[pool.web]\nservers = ["a=${origin.address}"]\n[proxy]\ndrain_timeout = "0s"\n`;
      const limpet = await launch(world, toml, when === 'from the start' ? ['prlimit', '--nofile=128:128'] : ['env']);
      if (when !== 'from the start') await setLimit(limpet.pid, 128);

      const { open, refused } = await rush(world, limpet.address, 200);
      assert.ok(open.length >= 25, `${open.length} are open`);
      assert.equal(open.length + refused.length, 200);
      areTold(refused);
      // Whoever accepts has a descriptor in reserve for that, and gets it back each time.
      for (let again = 0; again < 3; again += 1) areTold((await rush(world, limpet.address, 200)).refused);
      await echoes(open);

      await isToldPromptly(limpet);
      await idles(limpet);
      await echoes(open);

      // Nothing of it is the server's fault. Admin has its part of what is known to be there from the start.
      assert.doesNotMatch(limpet.stderr, /is (down|suspect|refusing)/);
      if (when === 'from the start') assert.equal((await limpet.server('web', 'a')).state, 'up');

      const half = open.splice(0, 10);
      half.forEach((client) => client.destroy());
      await until(async () => (await rush(world, limpet.address, 1)).open.length === 1, 3000, 'there is room again');
      await echoes(open);
      open.forEach((client) => client.destroy());
    });
  }
});

describe('local ports to one server', () => {
  const ports = 40;
  const toml = (world, address, more = '') =>
    `[[listener]]\naddress = "unix:${world.dir}/front.sock"\n[pool.web]\nservers = ["a=${address}"]\n`
      + `health = { interval = "300ms", fast_interval = "100ms" }\nbalance = "least_connections"\n${more}\n[proxy]\n`
      + `drain_timeout = "0s"\n`;

  scenario('run out: 503 in 100 ms, nobody marked down, and room that came free is used', { seconds: 60 }, async (world) => {
    const make = await namespaces();
    if (!make) return console.error('skipped: no network namespace may be made here (needs root or user namespaces)');
    const { address, enter } = await holder(world, make, ports);
    const limpet = await launch(world, toml(world, address), enter);
    const { open, refused } = await rush(world, limpet.address, 60);
    assert.ok(open.length >= ports - 5 && open.length <= ports, `${open.length} are open`);
    assert.equal(open.length + refused.length, 60);
    areTold(refused);
    assert.equal(await limpet.metric('limpet_refusals_total', { reason: 'local_shortage' }), refused.length);
    await isToldPromptly(limpet);
    // Probes find no port either, and hold it against nobody.
    await holds(async () => (await limpet.server('web', 'a')).state === 'up', 2000, 'the server stays up');
    assert.doesNotMatch(limpet.stderr, /is (down|suspect|refusing)/);
    await echoes(open);
    await idles(limpet);
    open.splice(0, 5).forEach((client) => client.destroy());
    await until(async () => (await rush(world, limpet.address, 1)).open.length === 1, 3000, 'there is room again');
    return open.forEach((client) => client.destroy());
  });

  scenario('more source addresses give more of them', { seconds: 60 }, async (world) => {
    const make = await namespaces();
    if (!make) return console.error('skipped: no network namespace may be made here (needs root or user namespaces)');
    const { address, enter } = await holder(world, make, ports);
    const limpet = await launch(world, toml(world, address, 'source_addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]'), enter);
    const { open, refused } = await rush(world, limpet.address, 110);
    assert.deepEqual(refused, []);
    await echoes(open);
    return open.forEach((client) => client.destroy());
  });
});
