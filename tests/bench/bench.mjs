// Measures limpet and other proxies side by side; started by tests/bench/run, whose --help tells the options.
//
// For each round, for each cell, every proxy has its turn, in an order that moves on by one each time: what disturbs
// the machine for a while disturbs all of them. A round has fresh processes, a cell of memory its own.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../e2e/lib/deadline.mjs';
import { cells, loadFlags } from './cells.mjs';
import { loadTool, names, peers, startProxy, top, versionOf } from './peers.mjs';
import { Process, machine, pins } from './processes.mjs';
import { report } from './report.mjs';

const out = path.join(top, 'build/bench');
const logs = path.join(out, 'logs');

function fail(text) {
  console.error(`tests/bench/run: ${text}`);
  process.exit(2);
}

function chosen(option, list, known) {
  if (list === undefined) return undefined;
  const words = list.split(',').filter(Boolean);
  const strange = words.find((word) => !known.includes(word));
  if (strange !== undefined) fail(`${option}: there is no ${strange}; known: ${known.join(' ')}`);
  return words;
}

function options() {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, only: { type: 'string' },
        peers: { type: 'string' },
      },
    }));
  } catch (error) {
    fail(`${error.message}; see --help`);
  }
  const rounds = Number(values.rounds ?? (values.quick ? 1 : 5));
  if (!Number.isInteger(rounds) || rounds < 1) fail('--rounds takes a number from 1');
  const only = chosen('--only', values.only, Object.keys(cells));
  const named = chosen('--peers', values.peers, names);
  return {
    quick: values.quick, rounds, named,
    cells: only ?? Object.keys(cells).filter((name) => !values.quick || cells[name].quick),
    // What a README may quote: all of it.
    complete: !values.quick && !only && !named,
  };
}

// Which peers take part, with their versions.
function present({ named }) {
  const found = {};
  for (const name of named ?? names) {
    const version = versionOf(name);
    if (version) found[name] = version;
    else if (named || name === 'limpet') fail(`${name} is not installed`);
    else console.log(`${name}: not installed, left out`);
  }
  return found;
}

class Bench {
  constructor(settings, versions) {
    this.settings = settings;
    this.versions = versions;
    this.dir = mkdtempSync(path.join(os.tmpdir(), 'limpet-bench-'));
    process.on('exit', () => rmSync(this.dir, { recursive: true, force: true }));
    this.readings = Object.fromEntries(settings.cells.map((cell) => [cell, {}]));
    this.running = new Map();
    this.starts = 0;
  }

  async run() {
    await this.serve();
    for (this.round = 0; this.round < this.settings.rounds; ++this.round) {
      for (const [index, cell] of this.settings.cells.entries()) {
        if (this.round >= (cells[cell].rounds ?? Infinity)) continue;
        for (const name of this.turn(this.round + index)) await this.take(cell, name);
      }
      await Promise.all([...this.running.values()].map((proxy) => proxy.finish()));
      this.running.clear();
    }
    await this.server.finish();
  }

  // Who takes part in this round, beginning with another one each time.
  turn(shift) {
    const all = Object.keys(this.versions).filter((name) => this.round < (peers[name].rounds ?? Infinity));
    const first = shift % all.length;
    return [...all.slice(first), ...all.slice(0, first)];
  }

  async serve() {
    const file = path.join(this.dir, 'servers');
    const listen = [1, 2, 3].flatMap((number) => ['--listen', `127.0.2.${number}:0`]);
    this.server = new Process('serve', 'load', loadTool, ['serve', ...listen, '--ports-file', file]);
    const read = () => this.server.end ?? readFileSync(file, 'utf8').trim().split('\n');
    this.servers = await until(read, 10_000, 'the servers listen');
    if (this.server.end) throw new Error(this.server.log());
  }

  async proxy(name, fresh) {
    const at = this.running.get(name);
    if (at && !fresh && !at.end) return at;
    if (at && !fresh) this.running.delete(name);
    const proxy = await startProxy(name, this.servers, path.join(this.dir, `${name}-${++this.starts}`));
    proxy.idleDescriptors = proxy.descriptors();
    if (!fresh) this.running.set(name, proxy);
    return proxy;
  }

  // One reading: the JSON of the load tool, or { failed: text }.
  async take(cell, name) {
    const fresh = Boolean(cells[cell].memory);
    let proxy;
    let reading;
    try {
      proxy = await this.proxy(name, fresh);
      reading = await this.load(cell, proxy);
      await this.settled(proxy);
    } catch (error) {
      reading = { failed: error.message.split('\n')[0] };
      proxy ??= { log: () => error.message };
    }
    if (reading.failed) this.keepLogs(cell, name, reading, proxy);
    // What went wrong once may go wrong again in the same process.
    if (proxy.finish && (fresh || reading.failed)) {
      await proxy.finish();
      if (!fresh) this.running.delete(name);
    }
    (this.readings[cell][name] ??= []).push(reading);
    this.tell(cell, name, reading);
  }

  async load(cell, proxy) {
    const args = ['run', '--target', proxy.listen, '--pid', String(proxy.pid), ...loadFlags(cells[cell], this.settings)];
    const load = new Process('load', 'load', loadTool, args);
    const { code } = await load.ended;
    let reading = {};
    try { reading = JSON.parse(load.stdout.trim().split('\n').at(-1)); } catch { /* told below */ }
    if (code !== 0) reading.failed = reading.error || load.stderr.trim().split('\n')[0] || `the load ended: ${code}`;
    return reading;
  }

  // Before the next one has its turn everything of this one is closed.
  async settled(proxy) {
    const most = proxy.idleDescriptors + 256;
    await until(() => proxy.end ?? proxy.descriptors() <= most, 10_000, 'the proxy has closed its connections');
    if (proxy.end) throw new Error('the proxy ended');
  }

  keepLogs(cell, name, reading, proxy) {
    mkdirSync(logs, { recursive: true });
    const text = `${JSON.stringify(reading)}\n${proxy.log()}\n`;
    writeFileSync(path.join(logs, `${cell}-${name}-${this.round + 1}.log`), text);
  }

  tell(cell, name, reading) {
    const value = reading.failed ? `failed: ${reading.failed}` : cells[cell].memory ? 'done' : reading.cpu_us_per_unit;
    console.log(`${this.round + 1}/${this.settings.rounds}  ${cell.padEnd(15)} ${name.padEnd(8)} ${value}`);
  }
}

const settings = options();
const versions = present(settings);
console.log(pins
  ? `load and servers on core ${pins.load}, the proxy on core ${pins.proxy}`
  : 'one core only: nothing is pinned, and figures say little');
rmSync(logs, { recursive: true, force: true });
const began = Date.now();
const before = machine();
const bench = new Bench(settings, versions);
await bench.run();
const results = {
  machine: before, versions, rounds: settings.rounds, seconds: Math.round((Date.now() - began) / 1000),
  quick: settings.quick, readings: bench.readings,
};
mkdirSync(out, { recursive: true });
writeFileSync(path.join(out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
const failed = report(results, { readme: settings.complete });
console.log(`\n${results.seconds} s; all readings: build/bench/results.json`);
process.exit(failed ? 1 : 0);
