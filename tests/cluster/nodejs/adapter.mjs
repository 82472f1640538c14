// The adapter that the flags ask for, with either driver of Redis.
import { createAdapter, createShardedAdapter } from '@socket.io/redis-adapter';
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { adapterOptions, flags } from './flags.mjs';

// unix:PATH, redis://HOST:PORT, or redis+sentinel://HOST:PORT,HOST:PORT/MASTER, which is for ioredis alone.
function place(url) {
  if (url.startsWith('unix:')) return { path: url.replace(/^unix:(\/\/)?/, '') };
  const [, kind, hosts, master] = url.match(/^redis(\+sentinel)?:\/\/([^/]+)\/?(.*)$/);
  const at = hosts.split(',').map((one) => ({ host: one.split(':')[0], port: Number(one.split(':')[1]) }));
  return kind ? { sentinels: at, name: master } : at[0];
}

const clients = [];

async function connect() {
  const where = place(flags.redis);
  if (flags.driver === 'redis') {
    const client = createClient({ socket: { ...where, reconnectStrategy: (tries) => Math.min(50 * 2 ** tries, 500) } });
    client.on('error', () => {}).setMaxListeners(0);
    return client.connect();
  }
  const client = new Redis({
    ...where, retryStrategy: (tries) => Math.min(50 * 2 ** tries, 500), sentinelRetryStrategy: () => 100, maxRetriesPerRequest: null,
  });
  client.on('error', () => {}).setMaxListeners(0);
  return client;
}

async function connected() {
  clients.push(await connect());
  return clients.at(-1);
}

// Waits for what is on its way to Redis.
export const quit = () => Promise.allSettled(clients.map((client) => client.quit()));

export async function adapter() {
  const client = await connected();
  if (flags.adapter === 'streams') return createStreamsAdapter(client, adapterOptions);
  const create = flags.adapter === 'sharded' ? createShardedAdapter : createAdapter;
  return create(client, await connected(), adapterOptions);
}
