// Origin: a scripted server behind the proxy. It parses no more than a test asks it to, keeps every byte that
// reached it, and answers health probes by itself so that the rest is what clients caused.
import net from 'node:net';
import { RawConnection } from './raw.mjs';
import { until } from './deadline.mjs';

export class Origin {
  // Connections that were not probes, in the order in which their first request head was complete.
  connections = [];
  // Everything those connections brought, as latin1 text, in order of arrival.
  seen = '';
  probes = 0;
  // The head of the last one, as text.
  lastProbe;
  // What a probe is answered with; a function may answer itself: (connection) => {...}.
  health = 200;

  // `script(connection, number)` plays the server on each connection that is no probe; nothing is answered
  // without it. Its errors after the connection has ended are of no interest.
  static async start({ script, host = '127.0.0.1', path, port = 0 } = {}) {
    const origin = new Origin();
    origin.script = script;
    origin.server = net.createServer({ allowHalfOpen: true }, (socket) => origin.#accept(socket));
    await new Promise((resolve, reject) => {
      origin.server.once('error', reject);
      origin.server.listen(path ? { path } : { host, port }, resolve);
    });
    const bound = origin.server.address();
    origin.port = bound.port;
    origin.address = path ? `unix:${path}` : host.includes(':') ? `[${host}]:${bound.port}` : `${host}:${bound.port}`;
    return origin;
  }

  #sockets = new Set();

  #accept(socket) {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const connection = new RawConnection(socket);
    let raw = Buffer.alloc(0);
    let kind;
    socket.on('data', (bytes) => {
      raw = Buffer.concat([raw, bytes]);
      const text = raw.toString('latin1');
      if (kind === 'client') this.seen += bytes.toString('latin1');
      if (kind === undefined && (!'GET /health '.startsWith(text.slice(0, 12)) || text.length >= 12)) {
        kind = text.startsWith('GET /health ') ? 'probe' : 'client';
        if (kind === 'client') this.#begin(connection, text);
      }
      if (kind === 'probe') this.#answerProbes(connection);
    });
  }

  #begin(connection, text) {
    this.seen += text;
    this.connections.push(connection);
    Promise.resolve(this.script?.(connection, this.connections.length)).catch((error) => {
      if (!connection.ending) this.failure ??= error;
    });
  }

  #answerProbes(connection) {
    for (let end; (end = connection.text.indexOf('\r\n\r\n')) >= 0;) {
      this.lastProbe = connection.consume(end + 4).toString('latin1');
      this.probes += 1;
      if (typeof this.health === 'function') this.health(connection);
      else connection.send(`HTTP/1.1 ${this.health} Health\r\nContent-Length: 2\r\n\r\nok`);
    }
  }

  // The n-th connection (from 1) that is no probe.
  connection(n = 1, ms = 5000) {
    return until(() => this.connections[n - 1], ms, `connection ${n} to the origin`);
  }

  // Stops listening, for a server that "is down"; resume() listens at the same address again.
  async pause() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.#sockets.forEach((socket) => socket.destroy());
    await closed;
  }

  resume() {
    const [, host, port] = this.address.match(/^\[?(.*?)\]?:(\d+)$/);
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ host, port: Number(port) }, resolve);
    });
  }

  async close() {
    if (this.server.listening) await this.pause();
    this.#sockets.forEach((socket) => socket.destroy());
    if (this.failure) throw this.failure;
  }

  log() {
    return `--- origin ${this.address}, ${this.probes} probes, ${this.connections.length} connections\n`
      + `${JSON.stringify(this.seen.slice(0, 4000))}`;
  }
}
