// The live table of `limpet up` on a terminal: tmux is one, and shows what is on it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../lib/deadline.mjs';
import { Address, binary } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle } from './bundle.mjs';

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// A terminal with a shell in it, on a tmux server of its own.
class Terminal {
  static async start(world, { width = 100, height = 30, env = {} } = {}) {
    if (!existsSync('/usr/bin/tmux')) throw new Error('/usr/bin/tmux is missing: apt-get install tmux');
    const terminal = new Terminal();
    terminal.dir = await world.directory();
    terminal.runtime = path.join(terminal.dir, 'run');
    await mkdir(terminal.runtime);
    const all = { ...process.env, RUNTIME_DIRECTORY: terminal.runtime, PS1: '$ ', ...env };
    delete all.TMUX;
    terminal.env = all;
    terminal.tmux('-f', '/dev/null', 'new-session', '-d', '-x', String(width), '-y', String(height), 'sh');
    world.own(terminal);
    await until(() => /\S/.test(terminal.screen()), 5000, 'a shell is there');
    return terminal;
  }

  tmux(...args) { return execFileSync('tmux', ['-S', path.join(this.dir, 'tmux'), ...args], { env: this.env }).toString(); }
  screen(...flags) { return this.tmux('capture-pane', '-p', ...flags).trimEnd(); }
  all() { return this.tmux('capture-pane', '-p', '-J', '-S', '-'); }
  get stdout() { return this.log(); }
  type(...keys) { this.tmux('send-keys', ...keys); }
  // The table at the end of the screen.
  rows() { return this.screen().split('\n').slice(-5); }
  log() { try { return this.all(); } catch { return ''; } }

  async up(args = '') {
    this.type(`${quote(binary)} up ${args}; echo "ended: $?"`, 'Enter');
    const [, address] = await until(() => this.all().match(/ready: everything is healthy; visit ([^\s,]+)/), 20_000, 'it is ready');
    this.address = new Address(address);
    this.url = this.address.url;
  }

  async down() {
    this.type('C-c');
    await until(() => /ended: \d+/.test(this.screen()), 40_000, 'it has ended');
  }

  close() {
    try { this.tmux('kill-server'); } catch { /* it has ended */ }
  }
}

scenario('a terminal has a table that stays under the lines, and is as it was at the end', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world);
  terminal.type(`cd ${terminal.dir}; stty -a > before`, 'Enter');
  await terminal.up();
  await until(() => terminal.rows().every((row) => !/^(redis|n\d|proxy) /.test(row) || / ready /.test(row))
    && /^proxy/.test(terminal.rows().at(-1)), 5000, 'all are ready');
  const crowd = await Crowd.join(world, terminal, 6, { transports: ['websocket'] });
  await until(() => /^proxy +ready +6 /m.test(terminal.screen()), 5000, 'six connections are counted');
  await until(() => terminal.screen().match(/^n\d+ +ready +\d+ +\d+ +0 +\d+s {2}GET \/health: 200/gm)?.length >= 2,
    5000, 'so are the messages of nodes');
  // Messages, as long as they are looked for.
  await until(async () => {
    await crowd.each((client) => client.call('echo', 'x'));
    return /^n1 +ready +\d+ +[1-9]\d* /m.test(terminal.screen());
  }, 10_000, 'messages are counted');

  const before = process.env.E2E_SCREENSHOTS && terminal.screen('-e');
  if (before) process.stdout.write(`${before}\n`);
  crowd.clients.forEach((client) => client.socket.close());
  await terminal.down();
  assert.match(terminal.screen(), /ended: 0/);
  assert.equal(terminal.all().match(/^name +state/gm), null, 'no table is left');
  assert.match(terminal.all(), /shutting down/);
  terminal.type('stty -a > after', 'Enter');
  terminal.type('cmp before after && echo && echo sa""me', 'Enter');  // the prompt may be late, and on that line
  await until(() => /^same$/m.test(terminal.screen()), 5000, 'the terminal is as it was');
});

scenario('a terminal that is stopped stops nobody, at the end neither', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world);
  await terminal.up();
  await until(() => /^proxy +ready/m.test(terminal.screen()), 5000, 'a table');
  const processes = () => Bundle.prototype.left.call(terminal).filter((line) => /limpet (run|node|up)|redis-server/.test(line));
  assert.ok(processes().length >= 5, processes().join('\n'));
  terminal.type('C-s');
  const crowd = await Crowd.join(world, terminal, 4, { transports: ['websocket'] });
  await crowd.each((client) => client.call('echo', 'x'));
  crowd.clients.forEach((client) => client.socket.close());
  const up = Number(processes().find((line) => / up $/.test(line)).split(' ')[0]);
  process.kill(up, 'SIGTERM');
  await until(() => !processes().length, 40_000, 'all of it has ended');
  assert.doesNotMatch(terminal.screen(), /ended: \d/, 'the terminal was stopped');
  terminal.type('C-q');
  await until(() => /ended: 0/.test(terminal.screen()), 5000, 'it has ended well');
});

scenario('forty columns are enough, and a terminal may change its size', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world, { width: 120 });
  await terminal.up();
  for (const width of [40, 77, 41, 200]) {
    terminal.tmux('resize-window', '-x', String(width), '-y', '24');
    await until(() => {
      const lines = terminal.screen().split('\n');
      return lines.filter((line) => /^name +state/.test(line)).length === 1 && /^proxy +ready/.test(lines.at(-1))
        && lines.filter((line) => /^redis +(ready)/.test(line)).length === 1
        && (width < 70) === !/health$/m.test(lines.find((line) => /^name/.test(line)));
    }, 5000, `one whole table at ${width} columns`);
  }
  await terminal.down();
});

scenario('what is no terminal, or a dumb one, has lines alone', { seconds: 90 }, async (world) => {
  const dumb = await Terminal.start(world);
  dumb.type('export TERM=dumb', 'Enter');
  await dumb.up();
  await dumb.down();
  assert.doesNotMatch(dumb.all(), /^name +state/m);
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 2\n');
  assert.ok(!bundle.stdout.includes('\x1b['));
});

scenario('NO_COLOR: a table without colours', { seconds: 90 }, async (world) => {
  const terminal = await Terminal.start(world);
  await terminal.up();
  await until(() => terminal.screen('-e').includes('\x1b[32mready'), 5000, 'colours');
  await terminal.down();
  const plain = await Terminal.start(world, { env: { NO_COLOR: '1' } });
  await plain.up();
  await until(() => /^proxy +ready/m.test(plain.screen()), 5000, 'a table');
  assert.ok(!plain.screen('-e').includes('\x1b[32m'));
  await plain.down();
});
