// Clients over a limit that never stop sending: they are told and cut off, and nobody else waits for them.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { describe } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child } from '../lib/child.mjs';
import { slowness, until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Front } from './front.mjs';
import { setLimit } from './launched.mjs';

const get = 'GET /ready HTTP/1.1\r\nHost: a\r\n\r\n';
const script = fileURLToPath(new URL('flood_process.mjs', import.meta.url));
// What of a flood the kernel may take beside what limpet reads of it.
const buffers = 16 << 20;

// `client` has its connection already; the one worker answers it, while others flood.
async function isServed(world, { address }, client) {
  const floods = Array.from({ length: 3 }, () => new Child('flood', process.execPath, [script, address.host, String(address.port)]));
  floods.forEach((child) => world.own({ close: () => child.end ?? child.kill() }));
  const taken = () => floods.flatMap(({ stdout }) => stdout.split('\n').slice(0, -1).map(Number));
  await until(() => floods.every(({ stdout }) => stdout.includes('\n')), 5000, 'each was cut off');
  for (let i = 0; i < 50; i += 1) {
    const begun = performance.now();
    assert.equal((await client.send(get).answer()).status, 200);
    const ms = performance.now() - begun;
    assert.ok(ms < 1000 * slowness, `request ${i}: ${ms} ms`);
  }
  await until(() => taken().length > 30, 5000, 'they come again');
  assert.ok(Math.max(...taken()) <= buffers, `${Math.max(...taken())} bytes were taken of one`);
}

const start = (world, proxy) => Front.start(world, {
  more: `[[listener]]\naddress = "127.0.0.1:0"\nready_path = "/ready"\n[proxy]\nworkers = 1\n${proxy}drain_timeout = "1s"\n`,
});

describe('while others never stop sending, a client on the same worker is served', () => {
  scenario('with them over max_connections', async (world) => {
    const front = await start(world, 'max_connections = 2\n');
    const [client, other] = [await world.connect(front.address), await world.connect(front.address)];
    for (const one of [client, other]) assert.equal((await one.send(get).answer()).status, 200);
    await isServed(world, front, client);
    assert.ok(await front.proxy.metric('limpet_refusals_total', { reason: 'no_connections' }) > 30);
  });

  scenario('with no descriptor left for them', async (world) => {
    const front = await start(world, '');
    const client = await world.connect(front.address);
    assert.equal((await client.send(get).answer()).status, 200);
    await setLimit(front.proxy.pid, (await readdir(`/proc/${front.proxy.pid}/fd`)).length + 2);
    for (let status = 200; status !== 503;) ({ status } = await (await world.connect(front.address)).send(get).answer());
    await isServed(world, front, client);
  });
});
