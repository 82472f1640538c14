// Tapped: an official client, current or 2.x, and a record of everything that it sends, gets and is told.
import { io } from 'socket.io-client';
import io2 from 'socket.io-client-2';
import { until, within } from '../../e2e/lib/deadline.mjs';

export class Tapped {
  // Packets of either way, and what the client's own code is told. What happens at once on two of these has no order.
  record = { sent: [], got: [], told: [] };

  // `version`: 4 or 2. Options are the client's; the namespace is at the end of `url`.
  constructor(url, version, options) {
    this.version = version;
    this.socket = (version === 2 ? io2 : io)(url, { forceNew: true, autoConnect: false, reconnection: false, ...options });
    const manager = this.socket.io;
    const open = manager.open;
    manager.open = (...values) => {
      const before = manager.engine;
      const result = open.apply(manager, values);
      if (manager.engine !== before) this.tap(manager.engine);
      return result;
    };
    manager.connect = manager.open;
    this.listen();
  }

  // The client in another namespace, on the same connection and in the same record.
  of(namespace, { auth } = {}) {
    this.others ??= {};
    if (!this.others[namespace]) {
      const other = Object.create(Tapped.prototype);
      this.others[namespace] = Object.assign(other, {
        record: this.record,
        version: this.version,
        socket: this.socket.io.socket(namespace),
      });
      other.listen(namespace);
    }
    const other = this.others[namespace];
    other.refusal = undefined;
    other.socket.auth = auth ?? {};
    return other;
  }

  tap(engine) {
    const note = (way) => ({ type, data }) => { if (type === 'message') this.record[way].push(data); };
    engine.on('packet', note('got'));
    engine.on('packetCreate', note('sent'));
  }

  listen(name = '/') {
    const { socket } = this;
    this.events = [];
    const onevent = socket.onevent;
    socket.onevent = (packet) => {
      this.record.told.push([name, ...packet.data]);
      this.events.push(packet.data);
      onevent.call(socket, packet);
    };
    socket.on('connect', () => this.record.told.push([name, 'connect', Boolean(socket.recovered)]));
    socket.on('disconnect', (reason) => this.record.told.push([name, 'disconnect', reason]));
    const refused = (error) => {
      this.refusal = error ?? true;
      this.record.told.push([name, 'refused', error?.message ?? error ?? null, error?.data ?? null]);
    };
    socket.on(this.version === 2 ? 'error' : 'connect_error', refused);
  }

  async connects() {
    if (!this.socket.connected) this.socket.connect();
    await until(() => this.socket.connected || this.refusal, 5000, 'the client connects');
    return this;
  }

  // Connected, greeted, and on the last of its transports.
  async settles(transports) {
    await this.connects();
    await this.hears('welcome');
    await until(() => this.socket.io.engine.transport.name === transports.at(-1), 5000, 'the transport is the last');
    return this;
  }

  // The answer to an event: its values.
  call(event, ...values) {
    return within(
      new Promise((resolve) => this.socket.emit(event, ...values, (...answer) => resolve(answer))),
      5000,
      `an answer to ${event}`,
    );
  }

  tell(event, ...values) { this.socket.emit(event, ...values); }

  // Waits for an event that was not waited for before.
  async hears(event) {
    await until(() => this.events.some(([name]) => name === event), 5000, `the client hears ${event}`);
    return this.events.splice(this.events.findIndex(([name]) => name === event), 1)[0];
  }

  leaves() { return until(() => !this.socket.connected, 5000, 'the client is disconnected'); }

  close() { this.socket.disconnect(); }
}
