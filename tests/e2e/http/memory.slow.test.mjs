// What clients that do nothing cost limpet's own memory, and what they leave behind.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe } from 'node:test';
import { slowness, until } from '../lib/deadline.mjs';
import { uncounted } from '../lib/allocations.mjs';
import { scenario } from '../lib/world.mjs';
import { connected, kinds, plainServer, repeat } from './plain_server.mjs';
import { upgrade } from './websocket.mjs';

const clients = 4000;
const tunnel = {
  request: upgrade({ 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36' }),
  end: '\r\n\r\n',
};
const longest = {
  ...tunnel,
  request: upgrade({
    target: `/${'t'.repeat(2000)}`,
    Host: `${'h'.repeat(60)}.${'h'.repeat(60)}.example.org`,
    'User-Agent': 'u'.repeat(2000),
  }),
};

const kib = (pid, name) => Number(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8').match(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm'))[1]);

async function idling(world) {
  const address = await plainServer(world);
  const proxy = await world.limpet(`
[proxy]
workers = 1
drain_timeout = "5s"
[log]
access = "off"
[pool.web]
servers = ["ws1=${address}"]
bounded_load = "off"
health = { type = "off" }
timeouts = { keep_alive = "1s" }
`);
  const all = [];
  world.own({ close: () => all.forEach((each) => each.destroy()) });
  // `kind` once on each of `count` connections, from several addresses, some at a time.
  const open = async (kind, count) => {
    for (let i = 0; i < count; i += 50) {
      await Promise.all(Array.from({ length: Math.min(50, count - i) }, async (_, at) => {
        const client = await connected(proxy.address, `127.0.0.${2 + (at % 20)}`);
        all.push(client);
        await repeat(client, kind, 1);
      }));
    }
  };
  const close = async () => {
    all.splice(0).forEach((client) => client.destroy());
    await until(async () => (await proxy.metric('limpet_connections')) === 0, 20_000, 'all clients have gone');
  };
  // Code, libraries and thread stacks are there once they have been used.
  for (const kind of [kinds.get, tunnel]) await open(kind, 200);
  await close();
  return { proxy, open, close };
}

describe(`${clients} idle clients`, { skip: uncounted }, () => {
  for (const [name, kind, most] of [
    ['tunnels cost a KiB each at most', tunnel, 1024],
    ['tunnels with the longest texts cost a KiB each at most', longest, 1024],
    ['keep-alive connections cost 2 KiB each at most', kinds.get, 2048],
  ]) {
    scenario(name, { seconds: 120 }, async (world) => {
      const { proxy, open } = await idling(world);
      const before = kib(proxy.pid, 'Pss_Anon');
      await open(kind, clients);
      const each = (kib(proxy.pid, 'Pss_Anon') - before) * 1024 / clients;
      console.log(`${name}: ${each.toFixed(0)} bytes`);
      assert.ok(each <= most, `${each.toFixed(0)} bytes each`);
    });
  }

  for (const [name, kind] of [['tunnels', tunnel], ['keep-alive connections', kinds.get]]) {
    scenario(`${name} that came and went ten times leave 5 % at most`, { seconds: 400 * slowness }, async (world) => {
      const { proxy, open, close } = await idling(world);
      const before = kib(proxy.pid, 'Rss');
      for (let i = 0; i < 10; i += 1) {
        await open(kind, clients);
        await close();
      }
      let after;
      await until(() => (after = kib(proxy.pid, 'Rss')) <= before * 1.05, 10_000, 'RSS is back')
        .catch(() => assert.fail(`RSS was ${before} KiB and is ${after} KiB`));
      console.log(`${name}: RSS ${before} KiB before, ${after} KiB after`);
    });
  }
});
