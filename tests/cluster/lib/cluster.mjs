// Cluster: nodes that share one Redis, and the clients on them.
//
// What one node broadcasts in one namespace reaches each client in order. So each test ends with a mark on the same path:
// who has heard the mark has heard all that he will ever hear of what came before.
import assert from 'node:assert/strict';
import { until, within } from '../../e2e/lib/deadline.mjs';
import { Member } from './member.mjs';
import { ClusterNode, sides } from './node.mjs';
import { connectTo } from './redis.mjs';

let marks = 0;
const drivers = ['ioredis', 'redis'];

export class Cluster {
  // Nodes with an adapter of adapters.mjs; `flags` are for all of them.
  static async start(world, adapter, { languages = sides, flags = [], redis, url, driver } = {}) {
    const cluster = new Cluster();
    Object.assign(cluster, { world, adapter, members: [], flags, driver });
    cluster.redis = redis ?? await world.redis();
    cluster.url = url ?? cluster.redis.url;
    cluster.admin = world.own(connectTo(cluster.redis));
    const started = await Promise.allSettled(languages.map((language, index) => cluster.node(language, index)));
    for (const { reason } of started) if (reason) throw reason;
    cluster.nodes = started.map(({ value }) => value);
    return cluster;
  }

  async node(language, index, flags = []) {
    const all = [...this.adapter.flags, '--redis', this.url, '--id', `node${index}`, ...this.flags, ...flags];
    const driver = this.driver ?? drivers[(index >> 1) % 2];
    const node = await ClusterNode.start(this.world, language, all, { driver });
    node.id = `node${index}`;
    node.index = index;
    return node;
  }

  async member(node, options) {
    const member = this.world.own(await Member.connect(node, { offsets: this.adapter.recovery, ...options }));
    this.members.push(member);
    return member;
  }

  // One member by each transport on each node.
  async fill(options) {
    for (const node of this.nodes) {
      for (const transport of ['websocket', 'polling']) await this.member(node, { transport, ...options });
    }
  }

  leaves(member) {
    member.close();
    this.members = this.members.filter((one) => one !== member);
  }

  of(nsp = '/') { return this.members.filter((member) => member.nsp === nsp); }
  on(node, nsp = '/') { return this.of(nsp).filter((member) => member.node === node); }
  peers(node) { return this.nodes.filter((other) => other !== node); }

  async mark(node, nsp = '/', among = this.of(nsp)) {
    const id = `mark ${marks += 1}`;
    await node.do('emit', { nsp }, 'mark', id);
    const heard = Promise.all(among.map((member) => member.marked(id)));
    await within(heard, 15_000, `${id} of ${node.name} in ${nsp} is heard`).catch((error) => {
      throw new Error(`${error.message}; not by ${among.filter((member) => !member.marks.has(id)).map((member) => member.name)}`);
    });
  }

  // Does `act`; then what each member of the namespace has heard of it, in the order of members.
  async heardAfter(node, nsp, act) {
    for (const member of this.of(nsp)) member.take();
    await act();
    await this.mark(node, nsp);
    return this.of(nsp).map((member) => member.take());
  }

  // `events` are what those for whom `hears` holds have to hear, once and in order; all others nothing.
  expect(heard, hears, events, nsp = '/', what = '') {
    this.of(nsp).forEach((member, index) => {
      assert.deepEqual(heard[index], hears(member) ? events : [], `${what}: what ${member.name} hears`);
    });
  }

  // Emits one event and expects it at those for whom `hears` holds.
  async tells(node, choice, hears, event, ...values) {
    const { nsp } = choice;
    const heard = await this.heardAfter(node, nsp, () => node.do('emit', choice, event, ...values));
    this.expect(heard, hears, [[event, ...values]], nsp, `${node.name} to ${JSON.stringify(choice)}`);
  }

  // Everybody hears and finds everybody.
  async ready(nsp = '/') {
    for (const node of this.nodes) {
      await until(async () => (await node.do('fetch', { nsp })).sockets.length === this.of(nsp).length, 20_000,
        `${node.name} finds all of ${nsp}`);
      // Messages before a subscription are lost, so that some marks may be.
      await until(async () => {
        await this.mark(node, nsp, []);
        return this.of(nsp).every((member) => member.marks.has(`mark ${marks}`) || member.marks.has(`mark ${marks - 1}`));
      }, 15_000, `${node.name} is heard in ${nsp}`);
    }
    for (const node of this.nodes) await this.mark(node, nsp);
    for (const member of this.of(nsp)) member.take();
  }

  // Puts members into a room, each on its own node, until all nodes reach all of them there.
  async room(room, members, nsp = '/') {
    for (const member of members) await member.node.do('seat', { nsp }, member.id, [room]);
    await this.reached(room, members, nsp);
  }

  async reached(room, members, nsp = '/') {
    for (const node of this.nodes) {
      await until(async () => {
        const heard = await this.heardAfter(node, nsp, () => node.do('emit', { nsp, to: [room] }, 'probe'));
        return this.of(nsp).every((member, index) => heard[index].length === (members.includes(member) ? 1 : 0));
      }, 15_000, `${node.name} reaches room ${room}`);
    }
  }
}
