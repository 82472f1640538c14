// The page of examples/chat in a real browser: the chat node serves it, and the official client that it loads.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { io } from 'socket.io-client';
import { Child } from '../lib/child.mjs';
import { until, within } from '../lib/deadline.mjs';
import { Address, binary } from '../lib/limpet.mjs';
import { sharing } from '../lib/world.mjs';

const executablePath = '/usr/bin/chromium';
const args = ['--headless=new', '--disable-gpu', '--no-first-run', ...(process.getuid() === 0 ? ['--no-sandbox'] : [])];
const program = path.join(path.dirname(binary), '../examples/chat/chat-node');
const client = fileURLToPath(new URL('../node_modules/socket.io-client/dist', import.meta.url));

async function chat(world) {
  const node = world.own(new (class extends Child {
    close() { return this.stop('SIGTERM'); }
  })('chat-node', program, [client, '0']));
  const [, address] = await node.says(/^listening on (\S+)$/m, 10_000);
  return new Address(address).url;
}

async function join(world, browser, url, name) {
  const page = await (await browser.newContext()).newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto(`${url}/?name=${name}`);
  await until(async () => (await page.textContent('#state')) === `as ${name}`, 10_000, `${name} is in`);
  return { page, errors, lines: () => page.$$eval('#lines li', (all) => all.map((one) => one.textContent)) };
}

describe('the chat', () => {
  const shared = sharing(async (world) => {
    const browser = await chromium.launch({ executablePath, args, timeout: 60_000 });
    world.own({ close: () => browser.close() });
    return { browser, url: await chat(world) };
  });

  shared.fact('shows who is there and what they say', async ({ browser, url }, world) => {
    const ann = await join(world, browser, url, 'Ann');
    const bob = await join(world, browser, url, 'Bob');
    await until(async () => (await ann.page.textContent('#who')) === 'Ann, Bob', 10_000, 'Ann sees both');
    await bob.page.fill('#text', 'grüße <b>');
    await bob.page.press('#text', 'Enter');
    await until(async () => (await ann.lines()).includes('Bob: grüße <b>'), 10_000, 'Ann reads what Bob says');
    await until(async () => (await bob.lines()).includes('Bob: grüße <b>'), 10_000, 'Bob has been heard');
    await bob.page.context().close();
    await until(async () => (await ann.lines()).includes('Bob has gone'), 10_000, 'Ann sees him go');
    assert.deepEqual(ann.errors, []);
  });

  shared.fact('lets nobody in without a name', async ({ url }, world) => {
    const socket = io(url, { reconnection: false, auth: {} });
    world.own({ close: () => socket.close() });
    const error = await within(new Promise((resolve) => socket.once('connect_error', resolve)), 10_000, 'an answer');
    assert.deepEqual([error.message, error.data], ['a name, please', { longest: 40 }]);
  });
});

for (const port of ['abc', '80x', '70000', '-1', '']) {
  test(`"${port}" is no port`, async () => {
    const node = new Child('chat-node', program, [client, port]);
    const end = await within(node.ended, 10_000, 'it ends').catch((error) => node.kill().then(() => { throw error; }));
    assert.deepEqual(end, { code: 2, signal: null });
    assert.match(node.stderr, /^usage: chat-node .* \[PORT\]$/m);
  });
}
