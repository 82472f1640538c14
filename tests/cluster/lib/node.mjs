// ClusterNode: one node of a cluster, by limpet or by Node.js, as a process, with its control connection.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { io } from 'socket.io-client';
import { Child } from '../../e2e/lib/child.mjs';
import { slowness, until } from '../../e2e/lib/deadline.mjs';
import { binary, sanitizerReport } from '../../e2e/lib/limpet.mjs';

// CLUSTER_SIDE=Node.js is the control: a test that four Node.js nodes fail asks for too much. CLUSTER_SIDE=limpet tries
// four of limpet.
export const sides = {
  mixed: ['limpet', 'Node.js', 'limpet', 'Node.js'],
  'Node.js': ['Node.js', 'Node.js', 'Node.js', 'Node.js'],
  limpet: ['limpet', 'limpet', 'limpet', 'limpet'],
}[process.env.CLUSTER_SIDE ?? 'mixed'];
// Who is tested, where one is enough.
export const side = sides[0];

const built = path.join(path.dirname(binary), '../tests/cluster/limpet_cluster_node');
const script = fileURLToPath(new URL('../nodejs/node.mjs', import.meta.url));
const surprise = /^(uncaught|unhandled): /m; // as node.mjs says it

export class ClusterNode extends Child {
  // `world` owns it from the first moment, also where it never says that it listens.
  static async start(world, language, flags, { driver = 'ioredis' } = {}) {
    const node = language === 'limpet'
      ? new ClusterNode(language, built, flags)
      : new ClusterNode(`${language}, ${driver}`, process.execPath, [script, ...flags, '--driver', driver]);
    world.own(node);
    node.limpet = language === 'limpet';
    const [, address, control] = await node.says(/^listening on (\S+) control (\S+)$/m, 15_000);
    node.url = `http://${address}`;
    node.control = io(`http://${control}`, { transports: ['websocket'], forceNew: true, reconnection: false });
    await until(() => node.control.connected, 10_000, `${node.name}: its control connection`);
    return node;
  }

  // An action of control.cpp; `choice` says who is meant.
  do(action, choice = {}, ...values) {
    return this.control.timeout(15_000 * slowness).emitWithAck(action, choice, ...values).catch((error) => {
      throw new Error(`${this.name}: ${action}: ${error.message}`);
    });
  }

  state() { return this.do('state'); }

  // MiB.
  resident() { return Number(readFileSync(`/proc/${this.pid}/status`, 'utf8').match(/VmRSS:\s+(\d+)/)[1]) / 1024; }

  async die() {
    this.over = true;
    await this.kill();
    this.control.disconnect();
  }

  // It must have lived until now without an exception, and end without a complaint.
  async close() {
    if (this.over) return;
    this.over = true;
    const early = this.end;
    const exceptions = early || !this.control?.connected ? 0 : (await this.state()).exceptions ?? 0;
    this.control?.disconnect();
    const end = early ?? await this.stop('SIGTERM', 15_000);
    assert.ok(!early && end.code === 0, `${this.name} ended badly\n${this.log()}`);
    assert.ok(!sanitizerReport.test(this.stderr) && !surprise.test(this.stderr), `${this.name} complained\n${this.log()}`);
    assert.equal(exceptions, 0, this.name);
  }
}
