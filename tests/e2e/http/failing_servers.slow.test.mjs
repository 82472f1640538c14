// Servers that hang, flap or go, at the default pace of probes, while new clients keep coming.
import assert from 'node:assert/strict';
import { holds, slowness, until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
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
  const proxy = await world.limpet(`[pool.web]\nservers = [${Object.entries(servers).map(([id, { address }]) => `"${id}=${address}"`).join(', ')}]\naffinity = ["sid", "source"]\n${health}\n${fromTrusted}`);
  return { hung, servers, proxy };
}

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
  const { hung, proxy } = await three(world, 'health = { interval = "500ms", fast_interval = "250ms", timeout = "200ms" }');
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
