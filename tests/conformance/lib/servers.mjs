// Server: one of the servers of this folder, by Node.js (the control) or by limpet, as a process.
//
// The control shows that a test is right: what it fails on Node.js, it does not ask of limpet.
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../../e2e/lib/child.mjs';
import { slowness } from '../../e2e/lib/deadline.mjs';
import { Address, binary, sanitizerReport } from '../../e2e/lib/limpet.mjs';

// CONFORMANCE_SIDE=Node.js tries the tests alone, before there is a limpet.
export const sides = process.env.CONFORMANCE_SIDE ? [process.env.CONFORMANCE_SIDE] : ['Node.js', 'limpet'];

const built = path.join(path.dirname(binary), '../tests/conformance');
const control = fileURLToPath(new URL('../control', import.meta.url));

// No server says anything of its own accord while a test runs, however loaded the machine is: none takes longer than
// this. What waits for a clock sets that clock alone, as `flags`, which count before these.
export const clocks = { pingInterval: 30_000 * slowness, pingTimeout: 25_000 * slowness };
const patient = [
  '--ping-interval', `${clocks.pingInterval}`, '--ping-timeout', `${clocks.pingTimeout}`,
  '--upgrade-timeout', `${30_000 * slowness}`, '--connect-timeout', `${30_000 * slowness}`,
];

// Pings come soon; who answers late is still in time.
export const brisk = ['--ping-interval', `${300 * slowness}`, '--ping-timeout', `${2000 * slowness}`];

export class Server extends Child {
  // `program`: engine_server, socketio_server or app_server; `flags` as control/flags.mjs lists them.
  static async start(side, program, flags = []) {
    const args = ['--port', '0', ...patient, ...flags];
    const server = side === 'limpet'
      ? new Server(side, path.join(built, `limpet_${program}`), args)
      : new Server(side, process.execPath, [path.join(control, `${program}.mjs`), ...args]);
    const [, address] = await server.says(/^listening on (\S+)$/m, 10_000);
    server.address = new Address(address);
    return server;
  }

  get url() { return this.address.url; }

  // It must have lived until now, and end without a complaint.
  async close() {
    const early = this.end;
    if (!early) await this.stop();
    if (early || this.end.code !== 0 || sanitizerReport.test(this.stderr)) throw new Error(`${this.name} ended badly\n${this.log()}`);
  }
}
