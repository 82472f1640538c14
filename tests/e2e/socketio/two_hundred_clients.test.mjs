// The defaults: three servers, no word about affinity. Clients that keep no cookies are held by their sid.
import { twoHundredClients } from './two_hundred_clients.mjs';
import { loopback } from './cluster.mjs';

twoHundredClients('by default, 200 clients of 50 addresses', {
  client: (i) => ({ source: () => loopback(i % 50) }),
});
