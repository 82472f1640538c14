// In the steady state a request allocates nothing, its line in the log included.
import { describe } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { Allocations, uncounted } from '../lib/allocations.mjs';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { connected, kinds, plainServer, repeat } from './plain_server.mjs';

const config = (address, log, more = '') => `
${more}
[proxy]
workers = 1
drain_timeout = "1s"
[log]
access = ${log}
[pool.web]
servers = ["ws1=${address}"]
health = { type = "off" }
timeouts = { keep_alive = "60s" }
`;

const connections = 8, warm = 1000, counted = 10_000;

describe('10000 requests on 8 connections allocate nothing', { skip: uncounted }, () => {
  async function count(world, kind, { access, host, more }) {
    const dir = await world.directory();
    const allocations = new Allocations(dir);
    const address = await plainServer(world, host);
    const log = access === 'on' ? `"${dir}/access.log"` : '"off"';
    const proxy = await world.limpet(config(address, log, more), { env: allocations.env });
    const clients = await Promise.all(Array.from({ length: connections }, () => connected(proxy.address)));
    world.own({ close: () => clients.forEach((client) => client.destroy()) });
    const run = (times) => Promise.all(clients.map((client) => repeat(client, kinds[kind], times / connections)));
    // The steady state: each buffer has met its largest content. How bytes come in pieces is chance, so that a buffer
    // may grow late; what grows with the requests never gets there.
    await run(warm);
    await until(async () => {
      const before = allocations.now;
      await run(counted);
      return isDeepStrictEqual(allocations.now, before);
    }, 60_000, `${counted} requests allocate nothing`);
  }

  for (const kind of Object.keys(kinds)) {
    for (const access of ['on', 'off']) {
      scenario(`${kind}, access log ${access}`, { seconds: 120 }, (world) => count(world, kind, { access }));
    }
  }
  scenario('get over IPv6', { seconds: 120 }, (world) => count(world, 'get', {
    access: 'on', host: '::1', more: '[[listener]]\naddress = "[::1]:0"\n',
  }));
});
