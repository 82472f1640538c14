// Child: one process that a test started, what it wrote, and its end.
//
// Only processes started here are ever signalled, by pid. Whatever still runs when the test process ends, in
// whichever way, is killed then.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { until, within } from './deadline.mjs';

const running = new Set();
process.on('exit', () => running.forEach((child) => child.process.kill('SIGKILL')));
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));

export class Child {
  // `options` are those of child_process.spawn; `ipc: true` opens a message channel, for children that are Node.js.
  constructor(name, command, args, { ipc = false, ...options } = {}) {
    this.name = name;
    this.stdout = '';
    this.stderr = '';
    const stdio = ['ignore', 'pipe', 'pipe', ...(ipc ? ['ipc'] : [])];
    this.process = spawn(command, args, { ...options, stdio });
    running.add(this);
    this.process.stdout.setEncoding('utf8').on('data', (text) => { this.stdout += text; });
    this.process.stderr.setEncoding('utf8').on('data', (text) => { this.stderr += text; });
    // { code, signal }; `close` comes after the last byte of both streams, unlike `exit`.
    this.ended = new Promise((resolve) => {
      this.process.once('error', (error) => { this.stderr += `${error.message}\n`; });
      this.process.once('close', (code, signal) => {
        running.delete(this);
        this.end = { code, signal };
        resolve(this.end);
      });
    });
  }

  get pid() { return this.process.pid; }

  signal(name) {
    if (name === 'SIGSTOP') this.frozen = true;
    if (name === 'SIGCONT') this.frozen = false;
    if (!this.end) this.process.kill(name);
  }

  // Stops it, all of its threads; signal('SIGCONT') lets it go on.
  async suspend() {
    this.signal('SIGSTOP');
    const stopped = (thread) => / T /.test(readFileSync(`/proc/${this.pid}/task/${thread}/stat`, 'utf8'));
    await until(() => readdirSync(`/proc/${this.pid}/task`).every(stopped), 2000, `${this.name} is stopped`);
  }

  // The first match of `pattern` in what was written to `stream`; an error as soon as the child ends without it.
  async says(pattern, ms, stream = 'stdout') {
    const match = await until(() => this[stream].match(pattern) ?? this.end, ms, `${this.name}: ${pattern}`);
    if (match === this.end) throw new Error(`${this.name} ended before it said ${pattern}\n${this.log()}`);
    return match;
  }

  async stop(signal = 'SIGTERM', ms = 10_000) {
    this.signal(signal);
    // A stopped process takes no signal but SIGKILL until it is continued. To others SIGCONT is no blank: it makes the
    // leak sanitizer of a process that is just ending wait for ever.
    if (this.frozen && signal !== 'SIGKILL') this.signal('SIGCONT');
    try {
      return await within(this.ended, ms, `${this.name} (pid ${this.pid}) ends on ${signal}`);
    } catch (error) {
      this.signal('SIGKILL');
      await this.ended;
      throw error;
    }
  }

  kill() { return this.stop('SIGKILL'); }

  log() {
    const tail = (text) => (text.length > 20_000 ? `[...]${text.slice(-20_000)}` : text);
    const end = this.end ? `ended: ${JSON.stringify(this.end)}` : 'running';
    return `--- ${this.name}, pid ${this.pid}, ${end}\n--- stdout\n${tail(this.stdout)}\n--- stderr\n${tail(this.stderr)}`;
  }
}
