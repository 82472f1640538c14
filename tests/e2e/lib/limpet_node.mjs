// LimpetNode: `limpet node`, as a process with flags.
import assert from 'node:assert/strict';
import { Child } from './child.mjs';
import { until } from './deadline.mjs';
import { Address, binary, request, sanitizerReport } from './limpet.mjs';

export class LimpetNode extends Child {
  // `flags` come after `--listen 127.0.0.1:0 --drain-window 200ms`, and go before them. `expect` is how it must end on
  // close(); a test that makes it end otherwise says so there.
  static async start(flags = [], { expect = { code: 0, signal: null }, env = {} } = {}) {
    const args = ['node', '--listen', '127.0.0.1:0', '--drain-window', '200ms', ...flags];
    const node = new LimpetNode('limpet node', binary, args, { env: { ...process.env, ...env } });
    node.expect = expect;
    const [, address] = await node.says(/listening on (\S+)$/m, 10_000, 'stderr');
    node.address = new Address(address);
    const admin = node.stderr.match(/admin on (\S+)$/m);
    if (admin) node.adminAddress = new Address(admin[1]);
    return node;
  }

  get url() { return this.address.url; }

  health() { return request(this.address, '/health'); }

  // One sample of the metrics, all label sets that contain the given labels added up.
  async metric(name, labels = {}) {
    const { body } = await request(this.adminAddress, '/metrics');
    const samples = [...body.matchAll(/^([\w:]+)(?:\{(.*)\})? (\S+)$/gm)].filter(([, metric]) => metric === name);
    assert.ok(samples.length, `there is a metric ${name}`);
    return samples
      .filter(([, , set = '']) => Object.entries(labels).every(([key, want]) => `,${set},`.includes(`,${key}="${want}",`)))
      .reduce((sum, [, , , value]) => sum + Number(value), 0);
  }

  becomes(name, value, labels) {
    return until(async () => await this.metric(name, labels) === value, 5000, `${name} becomes ${value}`);
  }

  async close() {
    const end = this.end ?? await this.stop('SIGTERM', 15_000);
    assert.deepEqual(end, this.expect, `limpet node's end\n${this.log()}`);
    assert.doesNotMatch(this.stderr, sanitizerReport);
  }
}

// Runs `limpet node FLAGS...` to its end, which is to come at once.
export async function nodeEnds(...flags) {
  const child = new Child(`limpet node ${flags.join(' ')}`, binary, ['node', ...flags]);
  await until(() => child.end, 10_000, `limpet node ${flags.join(' ')} ends`).catch(async (error) => {
    await child.kill();
    throw error;
  });
  return { ...child.end, stdout: child.stdout, stderr: child.stderr };
}
