// RedisServer: a real redis-server on a Unix socket of its own, with nothing kept on disk. It can be killed, frozen and
// started again, empty.
import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { Child } from './child.mjs';

const run = promisify(execFile);

// For those who name each other by ports. Somebody else may take it before it is used.
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class RedisServer {
  static async start(dir, flags = []) {
    const redis = new RedisServer();
    redis.socket = path.join(dir, 'redis.sock');
    redis.url = `unix:${redis.socket}`;
    redis.arguments = [
      '--port', '0', '--unixsocket', redis.socket, '--save', '', '--appendonly', 'no', '--dir', dir, '--daemonize', 'no', ...flags,
    ];
    redis.past = [];
    await redis.start();
    return redis;
  }

  async start() {
    if (this.child) this.past.push(this.child);
    this.child = new Child('redis-server', 'redis-server', this.arguments);
    await this.child.says(/ready to accept connections/i, 10_000);
  }

  // The answer to one command, as redis-cli's JSON; a hash is an object.
  async ask(...words) {
    const { stdout } = await run('redis-cli', ['--json', '-s', this.socket, ...words.map(String)]);
    return JSON.parse(stdout);
  }

  kill() { return this.child.kill(); }
  freeze() { this.child.signal('SIGSTOP'); }
  thaw() { this.child.signal('SIGCONT'); }

  close() { return this.child.end ?? this.kill(); }
  log() { return [...this.past, this.child].map((child) => child.log()).join('\n'); }
}
