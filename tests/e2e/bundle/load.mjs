// Load: clients of a bundle while its operator changes it, and what each of them saw: which node had it, from when to
// when, how that ended; and every request that was not answered as it should be.
import assert from 'node:assert/strict';
import http from 'node:http';
import { until } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { Client, Crowd } from '../socketio/client.mjs';

const ways = [['websocket'], ['polling'], ['polling', 'websocket']];
const eager = { reconnectionDelay: 100, reconnectionDelayMax: 500 };

// A client's time on one node; its sid ends in the node's tag.
class Visit {
  constructor(engine, turn) {
    this.sid = engine.id;
    this.tag = engine.id.slice(-8);
    this.turn = turn;
    this.engine = engine;
  }

  finish(reason, details) {
    this.transport = this.engine.transport.name;
    this.end = details?.context?.code ?? reason;
  }

  // A WebSocket with 1012, a poll with Engine.IO's close packet.
  get endedWell() { return this.end === (this.transport === 'websocket' ? 1012 : 'transport close'); }
}

export class Load {
  failed = [];  // requests, and who found no place
  visits = [];  // of everybody, those that a client ended itself left out
  passers = [];  // { began: turn, visit } of each who came and went
  tags = new Map();
  answers = 0;
  #own = new Set();  // how sids begin of sessions that their clients ended
  #going = true;
  #tasks = [];

  // `turn` says where the operation is; a visit knows at which it began.
  static async start(world, bundle, { residents, turn = () => 0 }) {
    const load = world.own(new Load());
    Object.assign(load, { bundle, turn, agent: new http.Agent({ keepAlive: true }), residents: [] });
    await load.join(world, residents);
    for (let i = 0; i < 3; i += 1) load.#repeat(() => load.#pass(ways[i]));
    for (let i = 0; i < 2; i += 1) load.#repeat(() => load.#ask());
    load.#repeat(() => load.#askAgain());
    load.#repeat(() => load.#talk());
    return load;
  }

  // More clients that stay, and come back when they are closed.
  async join(world, size) {
    const { clients } = await Crowd.join(world, this.bundle, size, (i) => ({ ...eager, transports: ways[i % ways.length] }));
    for (const client of clients) {
      client.visits = [];
      this.#follow(client, client.visits);
    }
    this.residents.push(...clients);
    await this.learn();
  }

  #follow(client, visits) {
    const begin = () => visits.push(new Visit(client.engine, this.turn()));
    client.socket.io.on('open', begin);  // and perhaps closed before it is connected to a namespace
    client.socket.on('disconnect', (reason, details) => {
      visits.at(-1).finish(reason, details);
      if (reason === 'io client disconnect') this.#own.add(visits.at(-1).sid.slice(0, 6));
      else this.visits.push(visits.at(-1));
    });
    if (client.socket.connected) begin();
  }

  // Which tag is which node's: those that are connected are asked.
  async learn() {
    await Promise.all(this.residents.map(async (client) => {
      const { id } = client.engine;
      const node = await client.who().catch(() => undefined);
      if (node && client.engine.id === id) this.tags.set(id.slice(-8), node);
    }));
  }

  nodeOf(visit) {
    assert.ok(this.tags.has(visit.tag), `whose sid is ${visit.sid}?`);
    return this.tags.get(visit.tag);
  }

  // Every client's nodes, one after the other.
  moves() { return this.residents.map(({ visits }) => visits.map((visit) => this.nodeOf(visit))); }

  #repeat(what) {
    const run = async () => {
      while (this.#going) await what().catch((error) => this.failed.push(error.message));
    };
    this.#tasks.push(run());
  }

  // Somebody who comes, says something and goes. Who is moved meanwhile does not come back.
  async #pass(transports) {
    const client = new Client(this.bundle, { transports, reconnection: false });
    const visits = [];
    const began = this.turn();
    this.#follow(client, visits);
    try {
      const { socket, refusals, disconnects } = client;
      await until(() => socket.connected || refusals.length || disconnects.length, 10_000, 'somebody who passes by is there');
      if (refusals.length) throw new Error(`somebody who passes by: ${refusals}`);
      const node = await client.who().catch((error) => { if (!disconnects.length) throw error; });
      if (node) this.tags.set(visits[0].tag, node);
      this.passers.push({ began, visit: visits[0] });
    } finally {
      client.close();
    }
  }

  async #ask() {
    const { status } = await request(this.bundle.address, '/health');
    if (status !== 200) throw new Error(`GET /health: ${status}`);
    this.answers += 1;
  }

  // On a connection that is kept.
  async #askAgain() {
    const { host, port } = this.bundle.address;
    const status = await new Promise((resolve, reject) => {
      http.get({ host, port, path: '/health', agent: this.agent }, (answer) => {
        answer.on('error', reject).on('end', () => resolve(answer.statusCode)).resume();
      }).on('error', reject);
    });
    if (status !== 200) throw new Error(`GET /health on a kept connection: ${status}`);
    this.answers += 1;
  }

  // Those that stay speak in turn, over whatever carries them.
  async #talk() {
    for (const { socket } of this.residents) {
      if (socket.connected) await socket.timeout(5000).emitWithAck('echo', 'x').catch(() => {});
    }
  }

  async stop() {
    this.#going = false;
    await Promise.all(this.#tasks);
    this.agent.destroy();
  }

  async back() {
    await until(() => this.residents.every(({ socket }) => socket.connected), 15_000, 'everybody is connected');
    await this.learn();
  }

  // Nobody was refused or got an error, and whoever was closed was closed as it should be.
  assertWell() {
    assert.deepEqual(this.failed, []);
    assert.deepEqual(this.residents.flatMap(({ refusals }) => refusals), [], 'who stays was refused');
    const badly = this.visits.filter((visit) => !visit.endedWell);
    assert.deepEqual(badly.map(({ transport, end }) => `${transport}: ${end}`), []);
    const requests = this.requests();
    assert.ok(requests.length > this.answers, 'the access log has them');
    assert.deepEqual(requests.filter(({ status }) => status !== 200).map(({ line }) => line), []);
  }

  // Every request that the proxy's access log tells of, but for those of clients that were leaving: their last poll and
  // their farewell take no account of each other.
  requests() {
    const lines = this.bundle.stdout.matchAll(/^proxy \| .*" (\S+) kind=request .* sid=(\S+) .*$/gm);
    return [...lines].filter(([, , sid]) => !this.#own.has(sid)).map(([line, status]) => ({ line, status: Number(status) }));
  }

  close() {
    this.#going = false;
    this.agent.destroy();
  }
}
