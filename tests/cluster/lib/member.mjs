// Member: an official client on one node, which keeps what it hears.
import { Manager } from 'socket.io-client';
import { until } from '../../e2e/lib/deadline.mjs';

const offset = /^\d+-\d+$/;

export class Member {
  // `offsets`: events come with an offset, which is kept apart.
  constructor(node, { nsp = '/', transport = 'websocket', auth, query, extraHeaders, offsets = false } = {}) {
    Object.assign(this, { node, nsp, transport, offsets: offsets ? [] : undefined });
    Object.assign(this, { heard: [], ends: [], marks: new Set(), waiting: new Map() });
    this.manager = new Manager(node.url, { transports: [transport], reconnection: false, autoConnect: false, query, extraHeaders });
    this.socket = this.manager.socket(nsp, { auth });
    this.answer = () => this.name;
    this.socket.onAny((...event) => this.#hear(event));
    this.socket.on('disconnect', (reason) => this.ends.push(reason));
  }

  static async connect(node, options) {
    const member = new Member(node, options);
    await member.connect();
    return member;
  }

  async connect() {
    let refused;
    this.socket.once('connect_error', (error) => { refused = error; });
    this.socket.connect();
    await until(() => refused ?? this.socket.connected, 10_000, `${this.name} connects to ${this.node.name}`);
    if (refused) throw refused;
    this.name = `${this.transport} on ${this.node.name}, ${this.socket.id}`;
  }

  get id() { return this.socket.id; }
  get connected() { return this.socket.connected; }

  // Loses its connection without a word; connect() then comes back, to whatever node.
  cut() { this.manager.engine.close(); }
  moveTo(node) {
    this.node = node;
    this.manager.uri = node.url;
  }

  marked(id) { return this.marks.has(id) || new Promise((resolve) => this.waiting.set(id, resolve)); }

  // What it has heard, and forgets it.
  take() {
    const { heard } = this;
    this.heard = [];
    return heard;
  }

  close() { this.socket.disconnect(); }

  #hear([event, ...values]) {
    const ack = typeof values.at(-1) === 'function' ? values.pop() : undefined;
    if (this.offsets && offset.test(values.at(-1))) this.offsets.push(values.pop());
    if (event === 'mark') {
      this.marks.add(values[0]);
      this.waiting.get(values[0])?.();
      this.waiting.delete(values[0]);
      return;
    }
    if (event === 'welcome') return; // comes with each connection, so that there is an offset
    this.heard.push([event, ...values]);
    if (ack && this.answer) ack(this.answer(...values));
  }
}
