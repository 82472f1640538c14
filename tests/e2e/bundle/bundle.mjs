// Bundle: `limpet up` as a process, its children as it names them, and who is left of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import path from 'node:path';
import { readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { Child } from '../lib/child.mjs';
import { until } from '../lib/deadline.mjs';
import { Address, binary, request } from '../lib/limpet.mjs';

// A port that stays the same while the proxy is started again.
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export class Bundle extends Child {
  // `toml` is a file without listener; undefined: `limpet up` alone. `expect` is how it must end on close();
  // `shell` is what a shell does before it becomes the bundle: `ulimit -n 100`, `exec > FILE`.
  static async start(world, toml, { env = {}, expect = { code: 0, signal: null }, wait = true, shell = ':' } = {}) {
    const dir = await world.directory();
    const args = ['up'];
    if (toml !== undefined) {
      const file = path.join(dir, 'limpet.toml');
      const admin = `[admin]\naddress = "unix:${dir}/admin.sock"\n`;
      await writeFile(file, `[[listener]]\naddress = "127.0.0.1:${await freePort()}"\n${toml}${admin}`);
      args.push('-c', file);
    }
    const runtime = path.join(dir, 'run');
    await mkdir(runtime);
    const bundle = world.own(new Bundle('limpet up', '/bin/sh', ['-c', `${shell}; exec "$0" "$@"`, binary, ...args],
      { env: { ...process.env, RUNTIME_DIRECTORY: runtime, ...env } }));
    Object.assign(bundle, { dir, runtime, expect });
    if (wait) await bundle.ready();
    return bundle;
  }

  async ready(ms = 20_000) {
    const [, address] = await this.says(/ready: everything is healthy; visit http:\/\/([^\s,]+)/, ms);
    this.address = new Address(address);
  }

  // A request to the admin address of a bundle with a file.
  admin(target, options) { return request(new Address(`unix:${this.dir}/admin.sock`), target, options); }

  // What GET /bundle says.
  async overview() { return (await this.admin('/bundle')).json(); }

  // The nodes as the proxy sees them: [{ id, state, wanted, ... }].
  async servers() {
    const { pools } = (await this.admin('/status')).json();
    return pools.find(({ name }) => name === 'nodes').servers;
  }

  // Runs `limpet ARGS...` as its operator would.
  async command(...args) {
    const child = new Child(`limpet ${args.join(' ')}`, binary, [...args, '-c', path.join(this.dir, 'limpet.toml')]);
    return { ...(await child.ended), stdout: child.stdout, stderr: child.stderr };
  }

  // Requests, one after another, until what it returns is called: the statuses that were seen.
  traffic(target = '/health') {
    const seen = new Set();
    let going = true;
    const ended = (async () => {
      while (going) seen.add((await request(this.address, target)).status);
    })();
    return async () => {
      going = false;
      await ended;
      return [...seen];
    };
  }

  get url() { return this.address.url; }

  // The bundle's private directory.
  get folder() { return this.stdout.match(/runtime directory (\S+)$/m)[1]; }

  // How often a child has been ready.
  times(id) { return [...this.stdout.matchAll(new RegExp(` ${id}: ready, pid (\\d+)$`, 'gm'))].length; }

  // The pid of a child's program as it was last ready.
  pidOf(id) { return Number([...this.stdout.matchAll(new RegExp(` ${id}: ready, pid (\\d+)$`, 'gm'))].at(-1)[1]); }

  guardOf(id) { return Number(readFileSync(`/proc/${this.pidOf(id)}/stat`, 'utf8').match(/\) \S (\d+)/)[1]); }

  // Signals a child's program, or its guard, and waits for it to be ready again.
  async hit(id, signal, { guard = false, ms = 15_000 } = {}) {
    const before = this.times(id);
    process.kill(guard ? this.guardOf(id) : this.pidOf(id), signal);
    await until(() => this.times(id) > before, ms, `${id} is ready again after ${signal}`);
  }

  // Command lines of all processes that have something to do with this bundle, itself left out.
  left() {
    const named = new Set([...this.stdout.matchAll(/: ready, pid (\d+)$/gm)].map(([, pid]) => pid));
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== this.pid).flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        // Redis writes its title over its environment, and with a port its title has no path.
        const ours = environment.includes(`RUNTIME_DIRECTORY=${this.runtime}\0`) || command.includes(this.runtime)
          || readlinkSync(`/proc/${pid}/cwd`).startsWith(`${this.runtime}/`)
          || (named.has(pid) && command.startsWith('redis-server'));  // others may have a number again
        return ours ? [`${pid} ${command}`] : [];
      } catch {
        return [];  // it has just ended
      }
    });
  }

  // Zombies among its children.
  zombies() {
    const states = execFileSync('ps', ['--no-headers', '-o', 'stat', '--ppid', String(this.pid)]).toString().split('\n');
    return states.filter((state) => state.startsWith('Z'));
  }

  async close() {
    const end = this.end ?? await this.stop('SIGTERM', 40_000);
    await until(() => !this.left().length, 5000, `nothing is left of ${this.name}: ${this.left()}`);
    assert.deepEqual(end, this.expect, `the end of limpet up\n${this.log()}`);
    assert.doesNotMatch(this.stdout + this.stderr, /ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:/);
  }
}

// Three nodes that end with 3 at every start but the first, until heal().
export async function startsOnce(world) {
  const dir = await world.directory();
  const server = 'require(\'http\').createServer((q, a) => a.end(process.env.SERVER_ID)).listen(process.env.PORT, \'127.0.0.1\')';
  const shell = `[ -e ${dir}/$SERVER_ID -a ! -e ${dir}/healed ] && exit 3; touch ${dir}/$SERVER_ID; exec node -e "${server}"`;
  const bundle = await Bundle.start(world, `[bundle]\nnodes = 3\ncommand = ["sh", "-c", ${JSON.stringify(shell)}]\n`);
  bundle.heal = () => writeFileSync(`${dir}/healed`, '');
  return bundle;
}
