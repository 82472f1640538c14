// RawConnection: a TCP or Unix-socket connection whose every byte a test decides, and a reader of HTTP/1.1
// answers. Used on both sides: by clients and by scripted servers (origin.mjs).
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { until, within } from './deadline.mjs';

export class RawConnection {
  // Bytes that came and were not consumed yet.
  received = Buffer.alloc(0);
  // 'fin' once the peer has shut its side, 'reset' if the connection broke, undefined while it is open.
  ending;

  constructor(socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes) => { this.received = Buffer.concat([this.received, bytes]); });
    socket.on('end', () => { this.ending ??= 'fin'; });
    socket.on('error', (error) => { this.ending ??= 'reset'; this.error = error; });
    socket.on('close', () => { this.ending ??= 'fin'; });
  }

  // `to` is what net.connect takes ({ host, port } or { path }); localAddress chooses the source address.
  static async open(to, { localAddress } = {}) {
    const socket = net.connect({ ...to, localAddress, allowHalfOpen: true });
    const connection = new RawConnection(socket);
    await within(new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    }), 5000, `connect to ${JSON.stringify(to)}`);
    return connection;
  }

  // Strings are sent byte by byte (latin1), so '\xff' is one byte.
  send(data) {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  // Waits until the other side has read all that was sent. What two connections send may cross even on loopback: a busy
  // kernel delivers each when it finds the time.
  taken(ms = 5000) {
    const { localPort, remotePort } = this.socket;
    const hex = (port) => `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    const queues = (rows, from, to) => rows.find(([, local, remote]) => local?.endsWith(hex(from)) && remote.endsWith(hex(to)))?.[4];
    return until(() => {
      const rows = ['tcp', 'tcp6'].flatMap((name) => readFileSync(`/proc/net/${name}`, 'latin1').split('\n'))
        .map((line) => line.trim().split(/\s+/));
      const unsent = queues(rows, localPort, remotePort)?.split(':')[0];
      const unread = queues(rows, remotePort, localPort)?.split(':')[1];
      return ![unsent, unread].some((queue) => queue && parseInt(queue, 16) !== 0);
    }, ms, 'what was sent is read');
  }

  halfClose() { this.socket.end(); }
  reset() { this.socket.resetAndDestroy(); }
  destroy() { this.socket.destroy(); }

  get text() { return this.received.toString('latin1'); }

  consume(length) {
    const taken = this.received.subarray(0, length);
    this.received = this.received.subarray(length);
    return taken;
  }

  // Waits until `condition(connection)` holds or, given a string or RegExp, until that was received.
  async reads(condition, ms = 5000) {
    const met = typeof condition === 'function' ? () => condition(this)
      : () => (typeof condition === 'string' ? this.text.includes(condition) : condition.test(this.text));
    await until(() => met() || this.ending, ms, `${condition}; received so far: ${JSON.stringify(this.text.slice(0, 2000))}`);
    if (!met()) throw new Error(`${this.ending} before ${condition}; received: ${JSON.stringify(this.text.slice(0, 2000))}`);
    return this;
  }

  // How the peer ended its side: 'fin' or 'reset'.
  ends(ms = 5000) {
    return until(() => this.ending, ms, 'the peer ends the connection');
  }

  // Consumes one head, up to and with its empty line.
  async head(ms = 5000) {
    await this.reads('\r\n\r\n', ms);
    return parseHead(this.consume(this.text.indexOf('\r\n\r\n') + 4).toString('latin1'));
  }

  // Consumes one answer, 1xx ones only if asked for. `to: 'HEAD'` says that no body follows whatever the fields say.
  async answer({ ms = 5000, to = 'GET', interim = false } = {}) {
    let answer = await this.head(ms);
    while (!interim && answer.status < 200 && answer.status !== 101) answer = await this.head(ms);
    if (to === 'HEAD' || answer.status < 200 || answer.status === 204 || answer.status === 304) return { ...answer, body: Buffer.alloc(0) };
    return { ...answer, body: await this.#body(answer, ms) };
  }

  async #body(answer, ms) {
    if (/\bchunked\b/i.test(answer.headers['transfer-encoding'] ?? '')) return this.#chunks(answer, ms);
    if (answer.headers['content-length'] !== undefined) return this.bytes(Number(answer.headers['content-length']), ms);
    await this.ends(ms);
    return this.consume(this.received.length);
  }

  async bytes(length, ms = 5000) {
    await this.reads((c) => c.received.length >= length, ms);
    return this.consume(length);
  }

  async #chunks(answer, ms) {
    const parts = [];
    for (;;) {
      await this.reads('\r\n', ms);
      const line = this.consume(this.text.indexOf('\r\n') + 2).toString('latin1');
      const size = parseInt(line, 16);
      if (size === 0) break;
      parts.push(await this.bytes(size, ms));
      await this.bytes(2, ms);
    }
    await this.reads(/^\r\n|\r\n\r\n/, ms);
    const end = this.text.startsWith('\r\n') ? 2 : this.text.indexOf('\r\n\r\n') + 4;
    answer.trailers = parseFields(this.consume(end).toString('latin1').trim());
    return Buffer.concat(parts);
  }
}

// { line, status, method, target, fields: [[name, value]...], headers: { lower-case name: value, joined by ", " } }
export function parseHead(text) {
  const [line, ...rest] = text.trim().split('\r\n');
  const fields = parseFields(rest.join('\r\n'));
  const headers = {};
  for (const [name, value] of fields) {
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  const words = line.split(' ');
  const isAnswer = line.startsWith('HTTP/');
  return {
    line, fields, headers, text,
    ...(isAnswer ? { status: Number(words[1]) } : { method: words[0], target: words[1] }),
  };
}

function parseFields(text) {
  return text.split('\r\n').filter(Boolean).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}
