// Child: what its end does to the process.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Child } from './child.mjs';

// Says what it is told, and ends a little after SIGTERM, so that what comes with that is heard.
const listener = `
  process.on('SIGCONT', () => console.log('continued'));
  process.on('SIGTERM', () => setTimeout(() => process.exit(0), 100));
  setInterval(() => {}, 1000);
  console.log('ready');`;

async function start() {
  const child = new Child('listener', process.execPath, ['-e', listener]);
  await child.says(/ready/, 10_000);
  return child;
}

test('a process that runs is told to end and nothing else', async () => {
  const child = await start();
  assert.deepEqual(await child.stop(), { code: 0, signal: null });
  assert.equal(child.stdout, 'ready\n');
});

test('a process that was frozen is let go on, so that it can end', async () => {
  const child = await start();
  await child.suspend();
  assert.deepEqual(await child.stop(), { code: 0, signal: null });
  assert.equal(child.stdout, 'ready\ncontinued\n');
});
