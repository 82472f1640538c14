// Terminal: a shell on a terminal of its own; tmux is one, and shows what is on it.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../lib/deadline.mjs';
import { Address, binary } from '../lib/limpet.mjs';
import { Bundle } from './bundle.mjs';

export const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

export class Terminal {
  // Its tmux server is its own, too.
  static async start(world, { width = 100, height = 30, env = {}, shell = 'sh' } = {}) {
    if (!existsSync('/usr/bin/tmux')) throw new Error('/usr/bin/tmux is missing: apt-get install tmux');
    const terminal = new Terminal();
    terminal.dir = await world.directory();
    terminal.runtime = path.join(terminal.dir, 'run');
    await mkdir(terminal.runtime);
    const all = { ...process.env, RUNTIME_DIRECTORY: terminal.runtime, PS1: '$ ', ...env };
    delete all.TMUX;
    terminal.env = all;
    terminal.tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(width), '-y', String(height), shell);
    world.own(terminal);
    await until(() => /\S/.test(terminal.screen()), 5000, 'a shell is there');
    return terminal;
  }

  tmux(...args) { return execFileSync('tmux', ['-S', path.join(this.dir, 'tmux'), ...args], { env: this.env }).toString(); }
  screen(...flags) { return this.tmux('capture-pane', '-p', ...flags).trimEnd(); }
  get stdout() { return this.log(); }
  all() { return this.tmux('capture-pane', '-p', '-J', '-S', '-'); }
  type(...keys) { this.tmux('send-keys', ...keys); }
  // The table at the end of the screen.
  rows() { return this.screen().split('\n').slice(-5); }
  log() { try { return this.all(); } catch { return ''; } }

  async up(args = '') {
    this.type(`${quote(binary)} up ${args}; echo "ended: $?"`, 'Enter');
    const ready = /ready: everything is healthy; visit http:\/\/([^\s,]+)/;
    const [, address] = await until(() => this.all().match(ready), 20_000, 'it is ready');
    this.address = new Address(address);
    this.url = this.address.url;
  }

  async down(key = 'C-c') {
    this.type(key);
    await until(() => /ended: \d+/.test(this.screen()), 40_000, 'it has ended');
  }

  // Processes of the bundle that was started in it.
  processes() { return Bundle.prototype.left.call(this).filter((line) => /limpet (run|node|up)|redis-server/.test(line)); }

  close() {
    try { this.tmux('kill-server'); } catch { /* it has ended */ }
  }
}
