// Turns: in each round, for each cell, everyone who is measured has a turn, in an order that moves on by one each time:
// what disturbs the machine for a while disturbs all of them. A round has fresh processes, a cell of memory its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { until } from '../e2e/lib/deadline.mjs';
import { Process, loadTool, machine, pins, top } from './processes.mjs';

// The words of the command line, for the program of this name: { quick, rounds, named, cells, complete }.
export function options(program, cells, names) {
  const fail = (text) => {
    console.error(`${program}: ${text}`);
    process.exit(2);
  };
  const chosen = (option, list, known) => {
    if (list === undefined) return undefined;
    const words = list.split(',').filter(Boolean);
    const strange = words.find((word) => !known.includes(word));
    if (strange !== undefined) fail(`${option}: there is no ${strange}; known: ${known.join(' ')}`);
    return words;
  };
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
    fail, quick: values.quick, rounds, named,
    cells: only ?? Object.keys(cells).filter((name) => !values.quick || cells[name].quick),
    // What a README may quote: all of it.
    complete: !values.quick && !only && !named,
  };
}

// Which of `names` take part, with their versions; `limpet`, and who was named, has to.
export function present(names, { named, fail }, versionOf) {
  const found = {};
  for (const name of named ?? names) {
    const version = versionOf(name);
    if (version) found[name] = version;
    else if (named || name === 'limpet') fail(`${name} is not installed`);
    else console.log(`${name}: not installed, left out`);
  }
  return found;
}

// The load tool's arguments for a cell.
export function loadFlags(cell, { quick }) {
  const seconds = quick ? Math.min(cell.seconds ?? 0.5, 0.5) : cell.seconds ?? 2;
  const warmUp = quick ? 0.2 : cell.warmUp ?? 0.5;
  const flags = { mode: cell.mode, ...cell.flags, ...(quick && cell.quick), seconds, 'warm-up': warmUp };
  return Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

export class Turns {
  // `peers[name].rounds`: at most so many rounds. `start(name, cell, dir)` resolves to a Process that answers at its
  // `listen`. `peers[name].takes(cell)`: whether it can. Processes serve all cells that have the same `variant`.
  constructor({ settings, versions, cells, peers, start, out }) {
    Object.assign(this, { settings, versions, cells, peers, start });
    this.out = path.join(top, 'build/bench', out);
    this.logs = path.join(this.out, 'logs');
    this.dir = mkdtempSync(path.join(os.tmpdir(), 'limpet-bench-'));
    process.on('exit', () => rmSync(this.dir, { recursive: true, force: true }));
    this.readings = Object.fromEntries(settings.cells.map((cell) => [cell, {}]));
    this.running = new Map();
    this.starts = 0;
  }

  // Takes all turns, writes results.json, and returns what stands there.
  async run() {
    console.log(pins
      ? `load on core ${pins.load}, what is measured on core ${pins.proxy}`
      : 'one core only: nothing is pinned, and figures say little');
    rmSync(this.logs, { recursive: true, force: true });
    const began = Date.now();
    const before = machine();
    for (this.round = 0; this.round < this.settings.rounds; ++this.round) await this.takeRound();
    const results = {
      machine: before, versions: this.versions, rounds: this.settings.rounds,
      seconds: Math.round((Date.now() - began) / 1000), quick: this.settings.quick, readings: this.readings,
    };
    mkdirSync(this.out, { recursive: true });
    writeFileSync(path.join(this.out, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
    return results;
  }

  async takeRound() {
    for (const [index, cell] of this.settings.cells.entries()) {
      if (this.round >= (this.cells[cell].rounds ?? Infinity)) continue;
      for (const name of this.turn(this.round + index, cell)) await this.take(cell, name);
    }
    await Promise.all([...this.running.values()].map((one) => one.finish()));
    this.running.clear();
  }

  // Who takes part in this round, beginning with another one each time.
  turn(shift, cell) {
    const all = Object.keys(this.versions).filter((name) => this.round < (this.peers[name].rounds ?? Infinity)
      && (this.peers[name].takes?.(this.cells[cell]) ?? true));
    const first = shift % Math.max(all.length, 1);
    return [...all.slice(first), ...all.slice(0, first)];
  }

  async process(name, cell, key) {
    const at = this.running.get(key);
    if (at && !at.end) return at;
    this.running.delete(key);
    const started = await this.start(name, this.cells[cell], path.join(this.dir, `${name}-${++this.starts}`));
    started.idleDescriptors = started.descriptors();
    this.running.set(key, started);
    return started;
  }

  // One reading: the JSON of the load tool, or { failed: text }.
  async take(cell, name) {
    const { memory, variant } = this.cells[cell];
    const key = memory ? `${name}, its own` : `${name} ${variant ?? ''}`;
    let one;
    let reading;
    try {
      one = await this.process(name, cell, key);
      reading = await this.load(cell, one);
      await this.settled(one);
    } catch (error) {
      reading = { ...reading, failed: error.message.split('\n')[0] };
      one ??= { log: () => error.message };
    }
    if (reading.failed) this.keepLogs(cell, name, reading, one);
    // What went wrong once may go wrong again in the same process.
    if (one.finish && (memory || reading.failed)) {
      await one.finish();
      this.running.delete(key);
    }
    (this.readings[cell][name] ??= []).push(reading);
    this.tell(cell, name, reading);
  }

  async load(cell, { listen, pid, loadFlags: more = [] }) {
    const args = ['run', '--target', listen, '--pid', String(pid), ...loadFlags(this.cells[cell], this.settings), ...more];
    const load = new Process('load', 'load', loadTool, args);
    const { code } = await load.ended;
    let reading = {};
    try { reading = JSON.parse(load.stdout.trim().split('\n').at(-1)); } catch { /* told below */ }
    if (code !== 0) reading.failed = reading.error || load.stderr.trim().split('\n')[0] || `the load ended: ${code}`;
    return reading;
  }

  // Before the next one has its turn everything of this one is closed.
  async settled(one) {
    const most = one.idleDescriptors + 256;
    await until(() => one.end ?? one.descriptors() <= most, 10_000, 'it has closed its connections');
    if (one.end) throw new Error('the process ended');
  }

  keepLogs(cell, name, reading, one) {
    mkdirSync(this.logs, { recursive: true });
    const text = `${JSON.stringify(reading)}\n${one.log()}\n`;
    writeFileSync(path.join(this.logs, `${cell}-${name}-${this.round + 1}.log`), text);
  }

  tell(cell, name, reading) {
    const value = reading.failed ? `failed: ${reading.failed}`
      : this.cells[cell].memory ? 'done' : reading.cpu_us_per_unit;
    console.log(`${this.round + 1}/${this.settings.rounds}  ${cell.padEnd(15)} ${name.padEnd(8)} ${value}`);
  }
}
