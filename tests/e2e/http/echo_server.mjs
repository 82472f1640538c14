// EchoServer: a server that can be stopped with its queue full, so that whoever connects to it has to wait.
import { fileURLToPath } from 'node:url';
import { Child } from '../lib/child.mjs';
import { Address } from '../lib/limpet.mjs';
import { RawConnection } from '../lib/raw.mjs';
import { Fifo } from './fifo.mjs';

const script = fileURLToPath(new URL('echo_process.mjs', import.meta.url));
const backlog = 1;

export class EchoServer {
  // On a port of its own, or on the Unix socket `path`.
  static async start(world, { path } = {}) {
    const server = world.own(new EchoServer());
    server.gate = await Fifo.create(world);
    const where = { ...(path ? { path } : { host: '127.0.0.1', port: 0 }), backlog };
    server.child = new Child('echo server', process.execPath, [script, JSON.stringify(where), server.gate.path]);
    [, server.address] = await server.child.says(/^listening on (\S+)$/m, 10_000);
    return server;
  }

  #waiting = [];

  // Stops it. Nobody is accepted any more.
  async freeze() {
    await this.child.suspend();
    await this.fill();
  }

  thaw() {
    this.empty();
    this.child.signal('SIGCONT');
  }

  // While it accepts nobody: the kernel takes one more than the backlog before connects wait.
  async fill() {
    while (this.#waiting.length <= backlog) this.#waiting.push(await RawConnection.open(new Address(this.address).to));
  }

  empty() { this.#waiting.splice(0).forEach((one) => one.destroy()); }

  // Lets a server that stands at its gate, or soon will, take one step.
  pass() { return this.gate.write('go'); }

  close() {
    this.empty();
    return this.child.end ?? this.child.kill();
  }

  log() { return this.child.log(); }
}
