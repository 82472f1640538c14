// Engine.IO clients that do no more than they are told: one over polling (fetch), one over WebSocket (ws).
import { WebSocket } from 'ws';
import { until, within } from '../../e2e/lib/deadline.mjs';
import { RawConnection } from '../../e2e/lib/raw.mjs';

// The query of a request; null leaves a key out.
export const query = (keys) => new URLSearchParams(Object.entries(keys).filter(([, value]) => value != null));

export class Polling {
  constructor(server, { path = '/engine.io/', eio = '4', ...more } = {}) {
    this.url = `${server.url}${path}`;
    this.keys = { EIO: eio, transport: 'polling', ...more };
  }

  static async open(server, options) {
    const session = new Polling(server, options);
    const { status, text } = await session.request('GET');
    if (status !== 200) throw new Error(`handshake: ${status} ${text}`);
    [, session.keys.sid] = text.match(/sid\\?":\\?"([\w-]{20})/);
    return session;
  }

  async request(method, { body, keys = {}, headers = {}, signal } = {}) {
    const typed = typeof body === 'string' ? { 'Content-Type': 'text/plain;charset=UTF-8' } : {};
    const answer = await fetch(`${this.url}?${query({ ...this.keys, ...keys })}`, {
      method, body, signal, headers: { ...typed, ...headers },
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    return { status: answer.status, headers: answer.headers, bytes, text: bytes.toString() };
  }

  get(options) { return this.request('GET', options); }
  post(body, options) { return this.request('POST', { body, ...options }); }

  // The next packets that are no pings, which are answered.
  async packets() {
    for (;;) {
      const { status, text } = await this.get();
      if (status !== 200) throw new Error(`poll: ${status} ${text}`);
      const packets = text.split('\x1e');
      if (packets.includes('2')) await this.post('3');
      const wanted = packets.filter((packet) => packet !== '2');
      if (wanted.length) return wanted;
    }
  }

  // Waits until the server does not know the session any more. A PUT asks without touching it: 500 while it lives.
  gone(ms = 5000) {
    return until(async () => (await this.request('PUT')).status === 400, ms, 'the session is gone');
  }

  // A poll that the server has read before anything that is sent later: on a connection that it knows already.
  async pollFirst() {
    const { hostname, port, pathname } = new URL(this.url);
    const connection = await RawConnection.open({ host: hostname, port: Number(port) });
    const request = (method) => connection.send(`${method} ${pathname}?${query(this.keys)} HTTP/1.1\r\nHost: a\r\n\r\n`).answer();
    await request('PUT');
    const answer = request('GET').then(({ status, body }) => ({ status, text: body.toString() })).finally(() => connection.destroy());
    await connection.taken();
    return { answer };
  }

  // A second transport for this session.
  websocket(options) {
    return new Socket(this.url, { ...this.keys, transport: 'websocket' }, options);
  }
}

export class Socket {
  received = []; // text as strings, binary as Buffers
  // `pongs`: pings of the server are answered and not shown; it may be changed later.
  constructor(url, keys, { pongs = true, ...options } = {}) {
    this.pongs = pongs;
    this.ws = new WebSocket(`${url.replace(/^http/, 'ws')}?${query(keys)}`, options);
    this.ws.on('message', (data, binary) => {
      const message = binary ? data : data.toString();
      if (this.pongs && message === '2') this.ws.send('3');
      else this.received.push(message);
    });
    this.ws.on('error', (error) => { this.error = error; });
    this.ws.on('close', (code, reason) => { this.closed = { code, reason: reason.toString() }; });
    this.ws.on('open', () => { this.opened = true; });
  }

  static to(server, { path = '/engine.io/', eio = '4', transport = 'websocket', sid, ...options } = {}) {
    return new Socket(`${server.url}${path}`, { EIO: eio, transport, sid }, options);
  }

  // With its open packet received.
  static async open(server, options) {
    const socket = Socket.to(server, options);
    const first = await socket.next();
    if (typeof first !== 'string' || first[0] !== '0') throw new Error(`no open packet: ${first}`);
    socket.handshake = JSON.parse(first.slice(1));
    return socket;
  }

  send(message) { this.ws.send(message); }

  async opens(ms = 5000) {
    await until(() => this.opened || this.error, ms, 'the handshake ends');
    if (this.error) throw this.error;
    return this;
  }

  async next(ms = 5000) {
    await until(() => this.received.length || this.closed, ms, 'a message comes');
    if (!this.received.length) throw new Error(`closed: ${JSON.stringify(this.closed)}`);
    return this.received.shift();
  }

  closes(ms = 10_000) {
    return until(() => this.closed, ms, 'the server closes the WebSocket');
  }

  end() {
    this.ws.close();
    return within(this.closes(), 5000, 'the WebSocket ends');
  }

  close() { this.ws.terminate(); }
}
