// A Redis of a test, and what it says of those who use it.
import path from 'node:path';
import { Redis } from 'ioredis';
import { Child } from '../../e2e/lib/child.mjs';
import { until } from '../../e2e/lib/deadline.mjs';
import { freePort } from '../../e2e/lib/redis.mjs';

const inMemory = ['--save', '', '--appendonly', 'no'];

// `tcp`: on a port of 127.0.0.1, as Sentinel wants it; else on a Unix socket. It can be started again at its address.
// `config`: a file that is read first; then `flags`.
export class RedisAt extends Child {
  static async start(dir, { tcp = false, config = [], flags = inMemory, port, name = 'redis-server' } = {}) {
    // Somebody else may take a port before redis-server does.
    for (let tries = 0; ; tries += 1) {
      const at = tcp ? port ?? await freePort() : 0;
      const socket = path.join(dir, 'redis.sock');
      const redis = new RedisAt(name, 'redis-server', [
        ...config, '--port', `${at}`, '--bind', '127.0.0.1', ...(tcp ? [] : ['--unixsocket', socket]), ...flags,
        '--dir', dir, '--daemonize', 'no',
      ]);
      Object.assign(redis, { dir, options: { tcp, config, flags, name }, port: at });
      redis.url = tcp ? `redis://127.0.0.1:${at}` : `unix://${socket}`;
      redis.place = tcp ? { host: '127.0.0.1', port: at } : { path: socket };
      try {
        await redis.says(/ready to accept connections|Sentinel ID is/i, 10_000);
        return redis;
      } catch (error) {
        if (!tcp || port !== undefined || tries > 5) throw error;
      }
    }
  }

  // Another one, at the address of this one, which has ended.
  again() { return RedisAt.start(this.dir, { ...this.options, port: this.port }); }

  // A connection of the test's own.
  client() {
    const client = new Redis({ ...this.place, retryStrategy: () => 50, maxRetriesPerRequest: null, lazyConnect: false });
    client.on('error', () => {});
    client.close = () => client.disconnect();
    return client;
  }

  close() { return this.end ?? this.kill(); }
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
