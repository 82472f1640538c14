// Bulk: a server and measures for bodies of many megabytes. Nothing is kept; bytes are counted and hashed.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import http from 'node:http';

// What `seed` repeats to: the same for whoever asks.
export function block(size, seed = 7) {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at < size; at += 4) bytes.writeUInt32LE(state = (Math.imul(state, 1664525) + 1013904223) >>> 0, at);
  return bytes;
}

export const md5 = (bytes) => createHash('md5').update(bytes).digest('hex');

// Hashes what a stream gives; `length` and `done()`.
export class Digest {
  #hash = createHash('md5');
  length = 0;
  add(bytes) {
    this.#hash.update(bytes);
    this.length += bytes.length;
  }
  done() { return this.#hash.digest('hex'); }
}

// An HTTP server of Node.js as a thing that a World owns; probes are answered, `listener` has the rest.
export async function httpServer(world, listener, { host = '127.0.0.1' } = {}) {
  const server = http.createServer((request, response) => {
    if (request.url === '/health') response.end('ok');
    else listener(request, response);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve) => { server.listen(0, host, resolve); });
  const stop = () => {
    server.close();
    server.closeAllConnections();
  };
  world.own({ close: stop });
  return { stop, at: `${host}:${server.address().port}` };
}

async function statusOf(pid, key) {
  const text = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(text.match(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm'))[1]) * 1024;
}
export const residentBytes = (pid) => statusOf(pid, 'VmRSS');
export const mostResidentBytes = (pid) => statusOf(pid, 'VmHWM');

// CPU seconds that a process has used.
export async function cpuSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
