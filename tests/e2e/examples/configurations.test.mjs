// Every configuration that examples/ shows is one that the program takes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binary } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { Bundle } from '../bundle/bundle.mjs';

const run = promisify(execFile);
const examples = fileURLToPath(new URL('../../../examples', import.meta.url));

function* files(folder, suffix) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules') yield* files(name, suffix);
    else if (entry.name.endsWith(suffix)) yield name;
  }
}

for (const file of files(examples, '.toml')) {
  test(`limpet check takes ${path.relative(examples, file)}, without a warning`, async () => {
    const { stdout, stderr } = await run(binary, ['check', '-c', file]);
    assert.deepEqual([stdout.trim(), stderr], [`${file}: ok`, '']);
  });
}

test('the production case is ten lines', () => {
  const lines = readFileSync(path.join(examples, 'bundle/limpet.toml'), 'utf8').split('\n');
  assert.ok(lines.filter((line) => line && !line.startsWith('#')).length <= 10);
});

test('the unit waits for readiness, and longer than the bundle needs to end', () => {
  const unit = readFileSync(path.join(examples, 'bundle/limpet.service'), 'utf8');
  assert.match(unit, /^Type=notify$/m);
  assert.match(unit, /^ExecStart=\S+\/limpet up -c \S+\.toml$/m);
  assert.match(unit, /^KillMode=mixed$/m);
  assert.match(unit, /^TimeoutStartSec=infinity$/m);
  assert.ok(Number(unit.match(/^TimeoutStopSec=(\d+)$/m)[1]) > 30);
});

// The variant with a command of one's own, with the server that examples/ has, on a listener of this test.
scenario('Node.js servers run in the bundle as its README says', { seconds: 60 }, async (world) => {
  const toml = readFileSync(path.join(examples, 'bundle/nodejs.toml'), 'utf8')
    .replace(/^\[\[listener\]\]\n(\w.*\n)+/m, '')
    .replace('nodes = 8', 'nodes = 2')
    .replace('/srv/chat/server.js', path.join(examples, 'node-socketio/server.js'))
    .replace('{ NODE_ENV = "production" }', '{ NODE_ENV = "production", SHUTDOWN_DELAY = "0", COOKIE = "off" }');
  const bundle = await Bundle.start(world, toml);
  const answer = await fetch(`${bundle.url}/socket.io/?EIO=4&transport=polling`);
  assert.equal(answer.status, 200);
  assert.match(await answer.text(), /^0\{"sid":/);
});
