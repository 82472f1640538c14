// Three processes `limpet node` behind `limpet run`. They share nothing: a client must be on one node all the time.
import { Child } from '../lib/child.mjs';
import { binary, sanitizerReport } from '../lib/limpet.mjs';

export class LimpetNode extends Child {
  static async start(id, flags = []) {
    const node = new LimpetNode(`node ${id}`, binary, ['node', '--listen', '127.0.0.1:0', '--id', id, '--drain-window', '500ms', ...flags]);
    [, node.address] = await node.says(/listening on (127\.\S+)/, 10_000, 'stderr');
    return Object.assign(node, { id });
  }

  get entry() { return `"${this.id}=${this.address}"`; }

  async close() {
    if (!this.end) await this.stop('SIGTERM', 15_000);
    if (sanitizerReport.test(this.stderr)) throw new Error(`${this.name} ended badly\n${this.log()}`);
  }
}

// `pool` and `more` are TOML for [pool.ws] and for what comes after it. By default nothing but the sid holds a session.
export async function threeNodes(world, { pool = 'affinity = ["sid"]\nbalance = "round_robin"', more = '', flags = [] } = {}) {
  const nodes = await Promise.all(['ws1', 'ws2', 'ws3'].map(async (id) => world.own(await LimpetNode.start(id, flags))));
  const proxy = await world.limpet(
    `[pool.ws]\nservers = [${nodes.map((node) => node.entry).join(', ')}]\n${pool}\n[pool.ws.health]\n`
      + `interval = "200ms"\nfast_interval = "50ms"\n${more}`,
  );
  return { nodes, proxy, node: (id) => nodes.find((one) => one.id === id) };
}
