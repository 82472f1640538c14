// Limpet: the proxy under test, as a process with a configuration of its own.
//
// The binary is $LIMPET, or the release build of this checkout. Ports are the kernel's choice and are read
// from the lines `listening on ADDRESS`.
import assert from 'node:assert/strict';
import http from 'node:http';
import path from 'node:path';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Child } from './child.mjs';
import { until } from './deadline.mjs';

const checkout = fileURLToPath(new URL('../../../', import.meta.url));
export const binary = path.resolve(checkout, process.env.LIMPET ?? 'build/release/proxy/limpet');

export const sanitizerReport = /ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:/;

// What every test would otherwise repeat: a listener, a private admin socket, a short drain.
function complete(toml, dir) {
  let text = toml;
  if (!/^\[\[listener\]\]/m.test(text)) text += '\n[[listener]]\naddress = "127.0.0.1:0"\n';
  if (!/^\[admin\]/m.test(text)) text += `\n[admin]\naddress = "unix:${dir}/admin.sock"\n`;
  if (!/^\[proxy\]/m.test(text)) text += '\n[proxy]\ndrain_timeout = "1s"\n';
  return text;
}

export class Limpet extends Child {
  // `expect` is how it must end on stop(); a test that makes it end otherwise says so there.
  static async start(toml, { dir, env = {}, expect = { code: 0, signal: null }, wait = true } = {}) {
    const text = complete(toml, dir);
    const file = path.join(dir, 'limpet.toml');
    await writeFile(file, text);
    const limpet = new Limpet('limpet', binary, ['run', '-c', file], { env: { ...process.env, ...env } });
    Object.assign(limpet, { file, dir, expect, toml: text });
    if (wait) await limpet.#listening(text.match(/^\[\[listener\]\]/gm).length);
    return limpet;
  }

  async #listening(count) {
    const find = () => [...this.stderr.matchAll(/listening on (\S+)$/gm)].map(([, text]) => new Address(text));
    await until(() => this.end ?? find().length >= count, 10_000, `limpet opens ${count} listeners`)
      .catch(async (error) => {
        await this.kill();
        throw new Error(`${error.message}\n${this.log()}`);
      });
    if (this.end) throw new Error(`limpet ended at its start\n${this.log()}`);
    this.listeners = find().filter((address) => address.text !== this.adminAddress.text);
  }

  // Where the first listener is; the others are in `listeners`, in the order of the file.
  get address() { return this.listeners[0]; }
  get url() { return this.address.url; }

  get adminAddress() {
    return new Address(this.toml.match(/^\[admin\][^[]*?^address\s*=\s*"(.*?)"/ms)[1]);
  }

  // The answer to a request to the admin address, as request() below gives it.
  admin(target, { method = 'GET' } = {}) {
    return request(this.adminAddress, target, { method });
  }

  async status() { return (await this.admin('/status')).json(); }

  // What /status says of one server.
  async server(pool, id) {
    const { pools } = await this.status();
    return pools.find((one) => one.name === pool).servers.find((one) => one.id === id);
  }

  // Waits for a server's state as health sees it.
  becomes(pool, id, state, ms = 10_000) {
    return until(async () => (await this.server(pool, id)).state === state, ms, `${pool}/${id} becomes ${state}`);
  }

  // One sample of the metrics: metric('limpet_requests_total', { pool: 'ws' }) is the sum over all label sets
  // that contain the given labels.
  async metric(name, labels = {}) {
    const { body } = await this.admin('/metrics');
    let sum = 0;
    for (const line of body.split('\n')) {
      const [, metric, set = '', value] = line.match(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/) ?? [];
      if (metric !== name) continue;
      if (Object.entries(labels).every(([key, want]) => `,${set},`.includes(`,${key}="${want}",`))) sum += Number(value);
    }
    return sum;
  }

  // Runs `limpet ARGS...` as a person would who administers this process.
  async command(...args) {
    const child = new Child(`limpet ${args.join(' ')}`, binary, [...args, '-c', this.file]);
    return { ...(await child.ended), stdout: child.stdout, stderr: child.stderr };
  }

  // Ends it and looks at how it ended; done by World.close() for whatever a test left running.
  async close() {
    const end = this.end ?? await this.stop('SIGTERM', 15_000);
    assert.deepEqual(end, this.expect, `limpet's end\n${this.log()}`);
    assert.doesNotMatch(this.stderr, sanitizerReport);
  }
}

export class Address {
  constructor(text) {
    this.text = text;
    const [, bracketed, plain, port] = text.match(/^(?:\[(.+)\]|([^[\]:]+)):(\d+)$/) ?? [];
    if (text.startsWith('unix:')) this.path = text.slice(5);
    else Object.assign(this, { host: bracketed ?? plain, port: Number(port) });
  }

  // As net.connect() and http.request() want it.
  get to() { return this.path ? { path: this.path } : { host: this.host, port: this.port }; }
  get url() { return `http://${this.text}`; }
}

// A plain request on a connection of its own: { status, headers, bytes, body, json() }. `localAddress` chooses the source
// address.
export function request(address, target, { method = 'GET', headers = {}, body, localAddress, ms = 10_000 } = {}) {
  const where = address.path ? { socketPath: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    const sent = http.request({ ...where, method, path: target, headers, localAddress, agent: false }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part)).on('error', reject).on('end', () => {
        const bytes = Buffer.concat(parts);
        const text = bytes.toString();
        resolve({ status: answer.statusCode, headers: answer.headers, bytes, body: text, json: () => JSON.parse(text) });
      });
    });
    sent.setTimeout(ms, () => sent.destroy(new Error(`no answer to ${method} ${target} for ${ms} ms`)));
    sent.on('error', reject).end(body);
  });
}
