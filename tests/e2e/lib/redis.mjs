// RedisServer: a real redis-server on a Unix socket of its own, with nothing kept on disk.
import path from 'node:path';
import { Child } from './child.mjs';

export class RedisServer extends Child {
  static async start(dir) {
    const socket = path.join(dir, 'redis.sock');
    const redis = new RedisServer('redis-server', 'redis-server', [
      '--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', dir, '--daemonize', 'no',
    ]);
    redis.url = `unix:${socket}`;
    await redis.says(/ready to accept connections/i, 10_000);
    return redis;
  }

  close() { return this.end ?? this.kill(); }
}
