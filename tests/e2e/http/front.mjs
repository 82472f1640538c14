// Front: one limpet before one scripted server that records every byte, and what must hold of each refusal.
import assert from 'node:assert/strict';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { answering } from './requests.mjs';
import { talk } from './talk.mjs';

export class Front {
  // What was refused so far: { id, status, reason }.
  refusals = [];

  // `pool`: further keys of the pool; `more`: further tables; `reply`: as answering() takes it; `script` in its place.
  static async start(world, { pool = '', more = '', reply, script = answering(reply) } = {}) {
    const front = new Front();
    front.origin = await world.origin({ script });
    front.requests = script.requests;
    front.proxy = await world.limpet(`[pool.web]\nservers = ["a=${front.origin.address}"]\n${pool}\n${more}`);
    return front;
  }

  get address() { return this.proxy.address; }

  // The access log, a line each.
  get lines() { return this.proxy.stdout.split('\n').slice(0, -1); }

  #sentinels = 0;

  // Runs `body`, then a good request: once that is answered, whatever `body` caused has been dealt with. Gives what
  // the server received beside it.
  async during(body) {
    const from = this.origin.seen.length;
    const result = await body();
    const target = `/sentinel-${this.#sentinels += 1}`;
    assert.equal((await request(this.address, target)).status, 200, 'limpet goes on serving');
    const seen = this.origin.seen.slice(from);
    const mine = new RegExp(`GET ${target} HTTP/1\\.1\\r\\n(?:[^\\r\\n]+\\r\\n)*\\r\\n`);
    assert.match(seen, mine);
    return { result, seen: seen.replace(mine, '') };
  }

  // What comes after a bad message on the same connection is never answered, and never reaches a server.
  static after = 'GET /after HTTP/1.1\r\nHost: a\r\n\r\n';

  // The refusal of a head: one answer, the connection closed, no byte for the server.
  async refuses(bytes, { status, reason, ...options }) {
    const { result, seen } = await this.during(() => talk(this.address, bytes + Front.after, options));
    assert.equal(seen, '', 'no byte of it reaches the server');
    return this.refused(result, { status, reason });
  }

  // What a client must have seen of a refusal; kept for account().
  refused(got, { status, reason }) {
    assert.equal(got.answers.length, 1, `one answer: ${JSON.stringify(got.text.slice(0, 1000))}`);
    assert.equal(got.rest.length, 0);
    const [answer] = got.answers;
    assert.ok([status].flat().includes(answer.status), `${status}: ${answer.line}`);
    assert.match(answer.headers.connection ?? '', /\bclose\b/i);
    assert.notEqual(got.ending, 'open', 'the connection ends');
    const [, said, id] = answer.body.toString().match(/<small>(\S+) (\S+)<\/small>/);
    assert.ok([reason].flat().includes(said), `${reason}: ${said}`);
    this.refusals.push({ id, status: answer.status, reason: said });
    return answer;
  }

  // Each refusal has one line in the access log and is counted, both with its reason.
  async account({ endedBy = 'client' } = {}) {
    const own = (line) => this.refusals.some(({ id }) => line.includes(` id=${id} `));
    await until(() => this.lines.filter(own).length >= this.refusals.length, 3000, 'a line each');
    for (const { id, status, reason } of this.refusals) {
      const lines = this.lines.filter((line) => line.includes(` id=${id} `));
      assert.equal(lines.length, 1, `one line: ${lines.join('\n')}`);
      assert.match(lines[0], new RegExp(` ${status} kind=request `));
      assert.match(lines[0], new RegExp(` end=${endedBy}:${reason} `));
    }
    assert.deepEqual(this.lines.filter((line) => line.includes('/after')), []);
    const blamed = this.lines.filter((line) => line.includes(` end=${endedBy}:`));
    assert.equal(blamed.length, this.refusals.length, 'no line for what was refused beside these');
    for (const reason of new Set(this.refusals.map((one) => one.reason))) {
      const count = this.refusals.filter((one) => one.reason === reason).length;
      assert.equal(await this.proxy.metric('limpet_refusals_total', { reason }), count, `limpet_refusals_total{reason="${reason}"}`);
    }
  }

  // What goes through: the server's view of the one request in `bytes`, and the client's of its answer.
  async passes(bytes, { status = 200, ...options } = {}) {
    const from = this.requests.length;
    const got = await talk(this.address, bytes, { count: 1, ...options });
    const answer = got.answers.at(-1);
    assert.equal(answer?.status, status, got.text.slice(0, 500));
    assert.equal(this.requests.length, from + 1, 'one request reaches the server');
    return { ...got, request: this.requests[from], answer };
  }
}

// Rows of [name, bytes, what differs from `expected`], each a fact in a describe() that shares a Front.
export function refusalTable(shared, expected, rows) {
  for (const [name, bytes, own] of rows) {
    const all = { ...expected, ...own };
    shared.fact(`${name}: ${[all.status].flat().join(' or ')}`, (front) => front.refuses(bytes, all));
  }
}

// The last fact of such a describe().
export function accountFor(shared, options) {
  shared.fact('each refusal was logged once and counted, with its reason', (front) => front.account(options));
}
