// World: everything that one test (or one describe block) started, and its orderly end.
//
//   scenario('a plain request reaches the server', async (world) => {
//     const origin = await world.origin({ script: (c) => c.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi') });
//     const proxy = await world.limpet(`[pool.web]\nservers = ["a=${origin.address}"]`);
//     const client = await world.connect(proxy.address);
//     client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
//     assert.equal((await client.answer()).status, 200);
//   });
//
// What was started last ends first, also when the test fails; a failure prints the logs of all of it.
// limpet must end with 0 on SIGTERM and without a sanitizer's report: that is part of every test.
import { after, before, it, test } from 'node:test';
import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { slowness, within } from './deadline.mjs';
import { DnsServer } from './dns.mjs';
import { Limpet } from './limpet.mjs';
import { Origin } from './origin.mjs';
import { RawConnection } from './raw.mjs';
import { RedisServer } from './redis.mjs';
import { SocketIoNode } from './socketio_node.mjs';

export class World {
  #owned = [];
  #count = 0;

  static async create() {
    const world = new World();
    world.dir = await mkdtemp(path.join(os.tmpdir(), 'limpet-e2e-'));
    return world;
  }

  // Takes over anything with close() and, if it has something to tell after a failure, log().
  own(thing) {
    this.#owned.push(thing);
    return thing;
  }

  disown(thing) {
    this.#owned = this.#owned.filter((other) => other !== thing);
  }

  async directory() {
    const dir = path.join(this.dir, String(this.#count += 1));
    await mkdir(dir);
    return dir;
  }

  async limpet(toml, options) { return this.own(await Limpet.start(toml, { dir: await this.directory(), ...options })); }
  async redis(options) { return this.own(await RedisServer.start(await this.directory(), options)); }
  async dns(names, options) { return this.own(await DnsServer.start(await this.directory(), names, options)); }
  async origin(options) { return this.own(await Origin.start(options)); }
  async node(options) { return this.own(await SocketIoNode.start(options)); }

  // `to`: an Address (proxy.address) or what net.connect() takes.
  async connect(to, options) {
    const connection = await RawConnection.open(to.to ?? to, options);
    this.own({ close: () => connection.destroy() });
    return connection;
  }

  log() {
    return this.#owned.map((thing) => thing.log?.()).filter(Boolean).join('\n');
  }

  async close() {
    const errors = [];
    for (const thing of this.#owned.splice(0).reverse()) {
      try {
        await thing.close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (this.dir) await rm(this.dir, { recursive: true, force: true });
    if (errors.length) throw errors[0];
  }
}

// Runs `body` within its time; what fails is told together with what everybody had logged by then.
async function observed(worlds, seconds, body) {
  try {
    return await within(body(), seconds * 1000, 'the whole test');
  } catch (error) {
    console.error(worlds.map((world) => world.log()).filter(Boolean).join('\n'));
    throw error;
  }
}

// A world for the length of `body`.
async function inWorld(seconds, body, around = []) {
  const world = await World.create();
  try {
    await observed([...around, world], seconds, () => body(world));
  } catch (error) {
    await world.close().catch(() => {});
    throw error;
  }
  await world.close();
}

// One test with a world of its own. Options: `seconds` it may take (30), and those of node:test.
export function scenario(name, options, body) {
  if (typeof options === 'function') return scenario(name, {}, options);
  const { seconds = 30, ...rest } = options;
  return test(name, rest, () => inWorld(seconds, body));
}

// Inside describe(): one world for all of its facts. `shared.fact(name, [options], body)` is a test whose body gets
// what `setup(world)` returned, and a world of its own for what it starts itself.
export function sharing(setup, { seconds = 30 } = {}) {
  const shared = { world: new World(), things: undefined };
  before(async () => {
    shared.world = await World.create();
    try {
      shared.things = await observed([shared.world], seconds, () => setup(shared.world));
    } catch (error) {
      await shared.world.close().catch(() => {});
      throw error;
    }
  }, { timeout: (seconds + 60) * 1000 * slowness });
  after(() => shared.world.close(), { timeout: 60_000 * slowness });
  shared.fact = (name, options, body) => {
    if (typeof options === 'function') return shared.fact(name, {}, options);
    const { seconds: limit = 30, ...rest } = options;
    return it(name, rest, () => inWorld(limit, (world) => body(shared.things, world), [shared.world]));
  };
  return shared;
}
