// The same input on both sides: what is seen must be equal, but for what is random.
//
// CONFORMANCE_SHOW=1 prints what Node.js does.
import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { inspect } from 'node:util';
import { request } from '../../e2e/lib/limpet.mjs';
import { sharing } from '../../e2e/lib/world.mjs';
import { Server, sides } from './servers.mjs';

// `cases(same)`: same(name, async (server, world) => what was seen), which runs against a server of each side.
export function sameOnBothSides(title, [program, ...flags], cases, { concurrency = 8 } = {}) {
  describe(title, { concurrency }, () => {
    const shared = sharing(async (world) => {
      const servers = [];
      for (const side of sides) servers.push(world.own(await Server.start(side, program, flags)));
      return servers;
    });
    cases((name, body) => shared.fact(name, async (servers, world) => {
      const [control, ours] = await Promise.all(servers.map(async (server) => masked(await body(server, world))));
      if (process.env.CONFORMANCE_SHOW) console.log(`${name}: ${inspect(control, { depth: 9, breakLength: 150 })}`);
      if (servers.length === 2) assert.deepEqual(ours, control, `limpet (actual) and Node.js (expected)`);
    }));
  });
}

// Ids are random, wherever they stand.
const id = /^[A-Za-z0-9_-]{20}$/;
const sid = /(\\?"[sp]id\\?":\\?"|io=)[A-Za-z0-9_-]{20}/g;

export function masked(value) {
  if (typeof value === 'string') return value.replace(sid, '$1*');
  if (Buffer.isBuffer(value) || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(masked);
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, /^[sp]id$/.test(key) && id.test(one) ? '*' : masked(one)]));
}

// Fields that belong to the connection, or to a clock.
const apart = ['date', 'connection', 'keep-alive'];

// What counts of an answer.
export function essence({ status, headers, body }) {
  const fields = Object.entries(headers).filter(([name]) => !apart.includes(name)).map(([name, value]) => `${name}: ${value}`);
  return { status, fields: fields.sort(), body: body.toString() };
}

// One request on a connection of its own, and what counts of its answer.
export async function ask(server, target, options) {
  return essence(await request(server.address, target, options));
}
