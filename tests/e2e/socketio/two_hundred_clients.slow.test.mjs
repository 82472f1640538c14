// The same two hundred clients, held in each of the other ways.
import assert from 'node:assert/strict';
import { twoHundredClients } from './two_hundred_clients.mjs';
import { loopback } from './cluster.mjs';
import { Crowd } from './client.mjs';

const ofFiftyAddresses = (i) => ({ source: () => loopback(i % 50) });

// A source address that changes with every connection, of any client.
let connections = 0;
const wanderers = () => ({ source: () => loopback(connections += 1) });
const wanderersWithCookies = () => ({ ...wanderers(), withCredentials: true });

twoHundredClients('cookies off, held by the source address alone', {
  setup: { cookie: false, pool: 'affinity = ["source"]' },
  client: ofFiftyAddresses,
  also: (shared) => shared.fact('all clients of one address share a node', async ({ proxy }, world) => {
    const crowd = await Crowd.join(world, proxy, 100, (i) => ({ source: () => loopback(i % 20), transports: ['websocket'] }));
    const nodes = await crowd.who();
    for (let i = 0; i < 100; i += 1) assert.equal(nodes[i], nodes[i % 20]);
  }),
});

twoHundredClients('held by the cookie that the node sets, seen by the proxy', {
  setup: { pool: 'affinity = ["cookie", "source"]\ncookie = { mode = "passive" }' },
  client: wanderersWithCookies,
});

twoHundredClients('held by the cookie that the proxy sets', {
  setup: { cookie: false, pool: 'affinity = ["cookie", "source"]\ncookie = { mode = "insert" }' },
  client: wanderersWithCookies,
});

twoHundredClients('held by the cookie that the node sets and the proxy rewrites', {
  setup: { pool: 'affinity = ["cookie", "source"]\ncookie = { mode = "rewrite" }' },
  client: wanderersWithCookies,
});

twoHundredClients('no cookies and another address with every request: held by learned sids', {
  setup: { cookie: false, pool: 'affinity = ["sid", "source"]' },
  client: wanderers,
});

twoHundredClients('no cookies and another address with every request: held by self-naming sids', {
  setup: { cookie: false, selfNamingSids: true, pool: 'affinity = ["sid", "source"]' },
  client: wanderers,
});
