// SocketIoNode: a real socket.io server in a process of its own, so that it can be killed, stopped and started
// again at the same address.
import { fileURLToPath } from 'node:url';
import { Child } from './child.mjs';
import { within } from './deadline.mjs';

const script = fileURLToPath(new URL('socketio_process.mjs', import.meta.url));

export class SocketIoNode {
  // Options: `id`; `listen`, as net.Server.listen() takes it (a free port of 127.0.0.1); `cookie`,
  // `selfNamingSids`, `redisUrl` and `socketio` as createNode() of the example takes them.
  static async start({ id = 'ws1', listen = { host: '127.0.0.1', port: 0 }, ...options } = {}) {
    const node = new SocketIoNode();
    Object.assign(node, { id, listen, options, past: [] });
    await node.start();
    return node;
  }

  async start() {
    if (this.child) this.past.push(this.child);
    const options = { id: this.id, listen: this.listen, ...this.options };
    this.child = new Child(`node ${this.id}`, process.execPath, [script, JSON.stringify(options)], { ipc: true });
    this.child.process.on('message', ({ done }) => this.#waiting.shift()?.(done));
    const [, address] = await this.child.says(/^listening on (\S+) id=/m, 10_000);
    this.address = address;
    if (!this.listen.path) this.listen = { ...this.listen, port: Number(address.match(/:(\d+)$/)[1]) };
  }

  #waiting = [];

  #ask(name, value) {
    const answer = new Promise((resolve) => this.#waiting.push(resolve));
    this.child.process.send({ do: name, with: value });
    return within(answer, 5000, `node ${this.id} answers "${name}"`);
  }

  // As the pool's `servers` wants it.
  get entry() { return `${this.id}=${this.address}`; }

  requests() { return this.#ask('requests'); }
  clients() { return this.#ask('clients'); }
  sids() { return this.#ask('sids'); }
  // Whether /health says 503; sessions go on.
  drain(on = true) { return this.#ask('drain', on); }

  kill() { return this.child.kill(); }
  freeze() { this.child.signal('SIGSTOP'); }
  thaw() { this.child.signal('SIGCONT'); }

  close() { return this.child.end ?? this.kill(); }
  log() { return [...this.past, this.child].map((child) => child.log()).join('\n'); }
}
