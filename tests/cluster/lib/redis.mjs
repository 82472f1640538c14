// What a test's Redis says of those who use it.
import { Redis } from 'ioredis';
import { until } from '../../e2e/lib/deadline.mjs';

// A connection of the test's own to a RedisServer.
export function connectTo({ socket, host, port }) {
  const place = socket ? { path: socket } : { host, port };
  const client = new Redis({ ...place, retryStrategy: () => 50, maxRetriesPerRequest: null });
  client.on('error', () => {});
  client.close = () => client.disconnect();
  return client;
}

// How many subscribe to a channel, by PUBSUB NUMSUB or SHARDNUMSUB.
export async function subscribers(client, channel, sharded = false) {
  const [, count] = await client.pubsub(sharded ? 'SHARDNUMSUB' : 'NUMSUB', channel);
  return Number(count);
}

export function becomes(what, ask, wanted, ms = 10_000) {
  let seen;
  return until(async () => {
    seen = await ask();
    return seen === wanted;
  }, ms, `${what} becomes ${wanted}`).catch((error) => { throw new Error(`${error.message}; it is ${seen}`); });
}

// Connections, without the asker's own.
export async function connections(client) {
  const list = (await client.client('LIST')).trim().split('\n');
  return list.length - 1;
}
