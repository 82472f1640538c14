// PollingClient: Engine.IO 4 over polling by hand, for what official clients cannot do: choose the source address,
// the fields and the target of each single request.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { loopback } from './cluster.mjs';

export class PollingClient {
  #packets = [];
  #ack = 0;

  // `source(n)` and `headers(n)` are asked for the n-th request.
  constructor(address, { source = () => undefined, headers = () => ({}) } = {}) {
    Object.assign(this, { address, source, headers, count: 0 });
  }

  request(method, query, body) {
    const n = this.count += 1;
    const headers = { ...this.headers(n), ...(body && { 'Content-Type': 'text/plain;charset=UTF-8' }) };
    return request(this.address, `/socket.io/?EIO=4&transport=polling${query}`, {
      method, headers, body, localAddress: this.source(n), ms: 30_000,
    });
  }

  // Begins a session; the whole answer is kept in `opened`.
  async open() {
    this.opened = await this.request('GET', '');
    assert.equal(this.opened.status, 200, this.opened.body);
    Object.assign(this, JSON.parse(this.opened.body.slice(1)));
    return this;
  }

  async connect() {
    await this.post('40');
    await this.#until((packet) => packet.startsWith('40'));
    return this;
  }

  async post(packet) {
    const { status, body } = await this.request('POST', `&sid=${this.sid}`, packet);
    assert.deepEqual({ status, body }, { status: 200, body: 'ok' });
  }

  poll() { return this.request('GET', `&sid=${this.sid}`); }

  // Sends an event and polls until its acknowledgement is there.
  async call(event, ...values) {
    const id = this.#ack += 1;
    await this.post(`42${id}${JSON.stringify([event, ...values])}`);
    const head = `43${id}`;
    const packet = await this.#until((one) => one.startsWith(head));
    return JSON.parse(packet.slice(head.length))[0];
  }

  who() { return this.call('who'); }

  async #until(wanted) {
    for (;;) {
      const at = this.#packets.findIndex(wanted);
      if (at >= 0) return this.#packets.splice(at, 1)[0];
      const { status, body } = await this.poll();
      assert.equal(status, 200, body);
      this.#packets.push(...body.split('\x1e'));
    }
  }
}

// Opens sessions from new addresses until `id` gets one.
export function takesNewSessions(proxy, id, ms = 10_000) {
  let n = 1000;
  return until(async () => {
    const client = new PollingClient(proxy.address, { source: () => loopback(n) });
    n += 1;
    return await (await (await client.open()).connect()).who() === id;
  }, ms, `${id} takes new sessions`);
}
