// examples/quickstart, with a program that is built: what it says, what it runs, its end.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { freePort } from '../bundle/bundle.mjs';
import { Child } from '../lib/child.mjs';
import { binary } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';

const script = fileURLToPath(new URL('../../../examples/quickstart', import.meta.url));

class Quickstart extends Child {
  static async start(world, ...args) {
    const env = { ...process.env, LIMPET: binary, RUNTIME_DIRECTORY: await world.directory() };
    return world.own(new Quickstart('quickstart', script, args, { env }));
  }

  async close() { if (!this.end) await this.stop('SIGINT', 40_000); }
}

// A node's answer to what is none of Engine.IO's transports: no session that would have to end first.
async function assertServes(address) {
  const answer = await fetch(`http://${address}/socket.io/?EIO=4&transport=none`);
  assert.deepEqual([answer.status, await answer.json()], [400, { code: 0, message: 'Transport unknown' }]);
  const page = await fetch(`http://${address}/`);
  assert.deepEqual([page.status, page.headers.get('content-type')], [200, 'text/html; charset=utf-8']);
}

scenario('a cluster that answers, until Ctrl-C', { seconds: 60 }, async (world) => {
  const child = await Quickstart.start(world);
  const [, address] = await child.says(/ready: everything is healthy; visit http:\/\/([^\s,]+)/, 30_000);
  await assertServes(address);
  assert.match(child.stdout, /Ctrl-C ends all of it/);
  assert.deepEqual(await child.stop('SIGINT', 40_000), { code: 0, signal: null });
});

scenario('--port is where it listens', { seconds: 60 }, async (world) => {
  const port = String(await freePort());
  const child = await Quickstart.start(world, '--port', port);
  const [, address] = await child.says(/listening on (127\.0\.0\.1:\d+)/, 30_000);
  assert.equal(address, `127.0.0.1:${port}`);
  await child.says(/ready: everything is healthy/, 30_000);
  await assertServes(address);
  assert.deepEqual(await child.stop('SIGINT', 40_000), { code: 0, signal: null });
});

scenario('--port 0 is a port that is free, and it is said which', { seconds: 60 }, async (world) => {
  const child = await Quickstart.start(world, '--port', '0');
  const [, address] = await child.says(/ready: everything is healthy; visit http:\/\/([^\s,]+)/, 30_000);
  assert.doesNotMatch(address, /:0$/);
  await assertServes(address);
  assert.deepEqual(await child.stop('SIGINT', 40_000), { code: 0, signal: null });
});

scenario('what it does not understand is said', async (world) => {
  for (const args of [['--port', 'x'], ['--port', '65536'], ['--port'], ['--nodes']]) {
    const child = await Quickstart.start(world, ...args);
    assert.deepEqual(await child.ended, { code: 2, signal: null }, args.join(' '));
    assert.match(child.stderr, /^examples\/quickstart: /);
  }
  const help = await Quickstart.start(world, '--help');
  assert.deepEqual(await help.ended, { code: 0, signal: null });
  assert.match(help.stdout, /examples\/quickstart \[-y\] \[--port PORT\]/);
});
