// Servers that hang, flap, or whose name goes, at the default pace of probes and look-ups.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe } from 'node:test';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { launch, withHosts } from './launched.mjs';
import { answering, ok } from './requests.mjs';
import { talk } from './talk.mjs';
import { upgrade, webSockets } from './websocket.mjs';

const open = '/socket.io/?EIO=4&transport=polling';
const get = (target, fields = '') => `GET ${target} HTTP/1.1\r\nHost: a\r\n${fields}\r\n`;
const fromTrusted = '[proxy]\ntrusted_proxies = ["127.0.0.0/8"]\ndrain_timeout = "0s"\n';

// Three servers that answer with their id, tunnels too, unless `hung.has(id)`: then nothing is answered any more.
async function three(world, health = '') {
  const hung = new Set();
  const servers = {};
  for (const id of ['a', 'b', 'c']) {
    const plain = answering(() => (hung.has(id) ? undefined : ok(id)));
    const ws = webSockets();
    servers[id] = await world.origin({ script: (connection) => {
      if (hung.has(id)) return undefined;
      return /Upgrade: websocket/.test(connection.text) ? ws(connection) : plain(connection);
    } });
    servers[id].health = (connection) => { if (!hung.has(id)) connection.send(ok()); };
  }
  const proxy = await world.limpet(
    `[pool.web]\nservers = [${Object.entries(servers)
      .map(([id, { address }]) => `"${id}=${address}"`)
      .join(', ')}]\naffinity = ["sid", "source"]\n${health}\n${fromTrusted}`,
  );
  return { hung, servers, proxy };
}

describe('failing servers', { concurrency: 4 }, () => {
  scenario('a server that hangs is out of rotation in 3 s; no new handshake waits over 2.5 s or fails', { seconds: 60 }, async (world) => {
    const { hung, proxy } = await three(world);
    const waits = [];
    let clients = 0;
    const arrive = async () => {
      const fields = `X-Forwarded-For: 198.51.100.${(clients += 1) % 250}\r\n`;
      const begun = performance.now();
      const bytes = clients % 2 ? get(open, fields) : upgrade({ 'X-Forwarded-For': fields.slice(17, -2) });
      const { answers: [answer] } = await talk(proxy.address, bytes, { count: 1, ms: 15_000 });
      waits.push({ ms: performance.now() - begun, status: answer?.status });
    };
    const arriving = [];
    hung.add('a');
    const hungAt = performance.now();
    const timer = setInterval(() => arriving.push(arrive()), 25);
    try {
      await until(async () => !['up'].includes((await proxy.server('web', 'a')).state), 3000, 'it is out of rotation');
      assert.ok(performance.now() - hungAt < 3000 * slowness);
      await holds(() => true, 3000);
    } finally {
      clearInterval(timer);
    }
    await Promise.all(arriving);
    assert.ok(waits.length > 100);
    assert.deepEqual(waits.filter(({ status }) => ![200, 101].includes(status)), [], 'no client sees an error');
    assert.deepEqual(waits.filter(({ ms }) => ms > 2500 * slowness), [], 'nobody waits longer');
    // Once it is known to be silent nobody meets it any more.
    assert.ok(waits.slice(-40).every(({ ms }) => ms < 300 * slowness), `${waits.slice(-40).map(({ ms }) => Math.round(ms))}`);
    assert.equal((await proxy.server('web', 'b')).state, 'up');
  });

  scenario('a server that flaps every second: rise and fall hold it, its tunnels stay', { seconds: 60 }, async (world) => {
    const { hung, proxy } = await three(world, 'health = { interval = "500ms", fast_interval = "250ms", timeout = "400ms" }');
    const tunnels = await Promise.all(Array.from({ length: 60 }, async (_, i) => {
      const client = (await world.connect(proxy.address)).send(upgrade({ 'X-Forwarded-For': `198.51.100.${i}` }));
      assert.equal((await client.head()).status, 101);
      return client;
    }));
    const timer = setInterval(() => { if (!hung.delete('a')) hung.add('a'); }, 500);
    try {
      await holds(() => tunnels.every((client) => !client.ending), 7000, 'tunnels stay');
    } finally {
      clearInterval(timer);
      hung.delete('a');
    }
    const changes = proxy.stderr.split('\n').filter((line) => /server web\/a is /.test(line));
    assert.ok(changes.length <= 20, changes.join('\n'));
    assert.doesNotMatch(proxy.stderr, /server web\/[bc] is /);
    await proxy.becomes('web', 'a', 'up');
    tunnels.forEach((client) => client.destroy());
  });

  scenario(
    'a name that no longer resolves keeps its addresses, and the log says so; one that moved is followed',
    { seconds: 120 },
    async (world) => {
      const hosts = `${world.dir}/hosts`;
      await writeFile(hosts, '127.0.0.1 gone.limpet.test moved.limpet.test two.limpet.test\n127.0.0.77 two.limpet.test\n');
      const launcher = await withHosts(hosts);
      if (!launcher) return console.error('skipped: no mount namespace may be made here (needs root or user namespaces)');
      const here = await world.origin({ script: answering(() => ok('here')) });
      const there = await world.origin({ script: answering(() => ok('there')), host: '127.0.0.2', port: here.port });
      const pools = ['gone', 'moved', 'two', 'never'].map(
        (name) =>
          `[[route]]\npath = "/${name}"\npool = "${name}"\n[pool.${name}]\n` +
          `servers = ["a=${name}.limpet.test:${here.port}"]\ncookie = { mode = "off" }\ntimeouts = { keep_alive = "0s" }\n`,
      );
      const limpet = await launch(
        world,
        `[[listener]]\naddress = "127.0.0.1:0"\n${pools.join('')}[proxy]\ndrain_timeout = "0s"\n`,
        launcher,
      );
      const ask = async (name) => {
        const { answers: [{ status, body }] } = await talk(limpet.address, get(`/${name}`), { count: 1 });
        return status === 200 ? body.toString() : status;
      };

      assert.deepEqual([await ask('gone'), await ask('moved'), await ask('two')], ['here', 'here', 'here'], 'of two addresses one answers');
      const never = async () => (await limpet.server('never', 'a')).state;
      await until(async () => await never() === 'down', 5000, 'a name that never resolved is down, not an error');
      assert.equal(await ask('never'), 503);

      await writeFile(hosts, '127.0.0.2 moved.limpet.test\n127.0.0.1 two.limpet.test\n');
      await until(async () => (await ask('moved')) === 'there', 45_000, 'the new address is used');
      await until(() => /gone\.limpet\.test.*kept/.test(limpet.stderr), 5000, 'the log says so');
      assert.equal(await ask('gone'), 'here');
      assert.equal((await limpet.server('gone', 'a')).state, 'up');
      return there;
    },
  );
});
