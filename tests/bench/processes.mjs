// The processes of the bench: on a core each, in a process group each, none left behind.
import { readFileSync, readdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child } from '../e2e/lib/child.mjs';
import { usable } from '../e2e/lib/cpus.mjs';

export const top = fileURLToPath(new URL('../../', import.meta.url));
export const loadTool = path.join(top, 'build/bench/tests/bench/limpet-bench-load');
export const limpet = process.env.LIMPET ?? path.join(top, 'build/release/proxy/limpet');

// A master that is killed leaves its workers behind; the group takes them along.
const groups = new Set();
function killGroup(pid) {
  try { process.kill(-pid, 'SIGKILL'); } catch { /* nobody of it is left */ }
}
process.on('exit', () => groups.forEach(killGroup));

// Where the load runs (and servers behind what is measured), and where what is measured does; undefined where one core has to do for all.
export const pins = usable.length > 1 ? { load: usable[0], proxy: usable[1] } : undefined;

export class Process extends Child {
  // `role` is "load" or "proxy".
  constructor(name, role, command, args, options = {}) {
    const pinned = pins ? ['taskset', '-c', String(pins[role]), command, ...args] : [command, ...args];
    super(name, pinned[0], pinned.slice(1), { ...options, detached: true });
    if (this.pid) groups.add(this.pid);
  }

  // Ends all of it. What does not go when asked is killed: a bench has nothing to lose.
  async finish() {
    if (!this.pid) return;
    await this.stop('SIGTERM', 3000).catch(() => {});
    killGroup(this.pid);
    groups.delete(this.pid);
  }

  // Open descriptors of the process and all its descendants.
  descriptors() {
    let sum = 0;
    for (const pid of [this.pid, ...descendants(this.pid)]) {
      try { sum += readdirSync(`/proc/${pid}/fd`).length; } catch { /* it has just ended */ }
    }
    return sum;
  }
}

function descendants(pid) {
  const children = new Map();
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
      children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
    } catch { /* it has just ended */ }
  }
  const below = (one) => (children.get(one) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(pid);
}

export function machine() {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.cpus().length,
    kernel: os.release(),
    load: Number(os.loadavg()[0].toFixed(1)),
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    pinned: pins ?? null,
    date: new Date().toISOString().slice(0, 10),
  };
}
