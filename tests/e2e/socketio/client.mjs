// Official clients, one or many, with a record of everything that happened to them.
import assert from 'node:assert/strict';
import http from 'node:http';
import { io } from 'socket.io-client';
import { slowness, until } from '../lib/deadline.mjs';

export const transportsOf = {
  'polling, then upgrade': ['polling', 'websocket'],
  'polling only': ['polling'],
  'WebSocket only': ['websocket'],
};

// Gives every connection the source address that `source()` returns at that moment.
export class SourceAgent extends http.Agent {
  constructor(source) {
    super({ keepAlive: false });
    this.source = source;
  }

  createConnection(options, done) {
    return super.createConnection({ ...options, localAddress: this.source() }, done);
  }
}

export class Client {
  disconnects = [];
  refusals = [];
  messages = [];

  // Options are socket.io-client's, plus `source`: a function that gives a source address for each connection.
  constructor(proxy, { source, ...options } = {}) {
    const agent = source ? new SourceAgent(source) : undefined;
    this.socket = (options.io ?? io)(proxy.url, { forceNew: true, autoConnect: true, agent, ...options });
    this.wanted = options.transports?.at(-1);
    this.socket.on('disconnect', (reason) => this.disconnects.push(reason));
    this.socket.on('connect_error', (error) => this.refusals.push(error.message));
    this.socket.on('message', (data) => this.messages.push(data));
  }

  get engine() { return this.socket.io.engine; }
  get transport() { return this.engine.transport.name; }
  get undisturbed() { return this.socket.connected && !this.disconnects.length && !this.refusals.length; }

  async connected(ms = 10_000) {
    await until(() => this.socket.connected, ms, 'the client connects').catch((error) => {
      throw new Error(`${error.message}; refusals: ${this.refusals.slice(0, 5)}; disconnects: ${this.disconnects.slice(0, 5)}`);
    });
    return this;
  }

  // Connected, and on the last of its transports.
  async settled(ms = 10_000) {
    await this.connected(ms);
    await until(() => this.transport === this.wanted, ms, `the client's transport becomes ${this.wanted}`);
    this.sid = this.engine.id;
    return this;
  }

  call(event, ...values) {
    return this.socket.timeout(10_000 * slowness).emitWithAck(event, ...values);
  }

  who() { return this.call('who'); }
  close() { this.socket.disconnect(); }
}

// Many clients that do everything together.
export class Crowd {
  // `options` may be a function of the client's number.
  static async join(world, proxy, size, options = {}) {
    const crowd = new Crowd();
    crowd.clients = Array.from({ length: size }, (_, i) => new Client(proxy, typeof options === 'function' ? options(i) : options));
    world.own(crowd);
    await Promise.all(crowd.clients.map((client) => client.settled(20_000)));
    return crowd;
  }

  each(action) { return Promise.all(this.clients.map(action)); }
  who() { return this.each((client) => client.who()); }
  close() { this.clients.forEach((client) => client.close()); }

  // Nobody was refused, disconnected or given another session since it settled.
  assertUndisturbed() {
    const disturbed = this.clients.filter((client) => !client.undisturbed || client.engine.id !== client.sid);
    assert.deepEqual(disturbed.map(({ refusals, disconnects }) => ({ refusals, disconnects })), []);
  }

  log() {
    const disturbed = this.clients.filter((client) => !client.undisturbed);
    return `--- crowd of ${this.clients.length}, disturbed:\n${disturbed
      .slice(0, 10)
      .map(({ refusals, disconnects, socket }) =>
        JSON.stringify({ connected: socket.connected, disconnects, refusals }).slice(0, 300),
      )
      .join('\n')}`;
  }
}
