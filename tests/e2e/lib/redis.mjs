// RedisServer: a real redis-server with nothing kept on disk. It can be killed, frozen and started again at its address,
// empty.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { Child } from './child.mjs';
import { freePort, host } from './free_address.mjs';

const run = promisify(execFile);
const inMemory = ['--save', '', '--appendonly', 'no'];

// What redis-server is started with, on a Unix socket or on a port. `sentinel`: the file of a Sentinel, which it then is.
export function redisArguments({ dir, socket, port, sentinel, flags = [] }) {
  const listens = socket ? ['--port', '0', '--unixsocket', socket] : ['--port', `${port}`, '--bind', host];
  return [...(sentinel ? [sentinel, '--sentinel'] : inMemory), ...listens, '--dir', dir, ...flags];
}

export class RedisServer {
  // `tcp`: on a port, as Sentinel wants it.
  static async start(dir, { tcp = false, sentinel, flags, name = 'redis-server' } = {}) {
    const redis = new RedisServer();
    Object.assign(redis, tcp ? { host, port: await freePort() } : { socket: path.join(dir, 'redis.sock') });
    Object.assign(redis, { name, past: [], arguments: redisArguments({ dir, ...redis, sentinel, flags }) });
    await redis.start();
    return redis;
  }

  get url() { return this.socket ? `unix:${this.socket}` : `redis://${this.host}:${this.port}`; }

  async start() {
    if (this.child) this.past.push(this.child);
    this.child = new Child(this.name, 'redis-server', this.arguments);
    await this.says(/ready to accept connections|Sentinel ID is/i, 10_000);
  }

  // The answer to one command, as redis-cli's JSON; a hash is an object.
  async ask(...words) {
    const place = this.socket ? ['-s', this.socket] : ['-h', this.host, '-p', `${this.port}`];
    const { stdout } = await run('redis-cli', ['--json', ...place, ...words.map(String)]);
    return JSON.parse(stdout);
  }

  says(pattern, ms) { return this.child.says(pattern, ms); }
  kill() { return this.child.kill(); }
  freeze() { return this.child.suspend(); }
  thaw() { this.child.signal('SIGCONT'); }

  close() { return this.child.end ?? this.kill(); }
  log() { return [...this.past, this.child].map((child) => child.log()).join('\n'); }
}

// A master, a replica of it and a Sentinel that fails over within seconds; `url` is how nodes ask it for the master.
export async function watchedRedis(world) {
  const master = await world.redis({ tcp: true, name: 'master' });
  const follows = ['--replicaof', master.host, `${master.port}`, '--replica-announce-ip', master.host];
  const replica = await world.redis({ tcp: true, flags: follows, name: 'replica' });
  await replica.says(/MASTER <-> REPLICA sync: Finished with success/, 20_000);
  const file = path.join(await world.directory(), 'sentinel.conf');
  await writeFile(file, `sentinel monitor mymaster ${master.host} ${master.port} 1
sentinel down-after-milliseconds mymaster 500
sentinel failover-timeout mymaster 3000
`);
  const sentinel = await world.redis({ tcp: true, sentinel: file, name: 'sentinel' });
  await sentinel.says(/\+slave slave/, 20_000);
  return { master, replica, sentinel, url: `redis+sentinel://${sentinel.host}:${sentinel.port}/mymaster` };
}
