// The page of `limpet up` in a real browser: two tabs on two nodes chat, and see the cluster.
//
// E2E_SCREENSHOTS=DIR keeps pictures.
import assert from 'node:assert/strict';
import path from 'node:path';
import { until } from '../lib/deadline.mjs';
import { scenario } from '../lib/world.mjs';
import { Bundle } from '../bundle/bundle.mjs';
import { Client } from '../socketio/client.mjs';
import { launch } from './chromium.mjs';

async function tab(context, url) {
  const page = await context.newPage();
  const errors = [];
  const foreign = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') errors.push(message.text()); });
  page.on('request', (request) => { if (![url, 'data:'].some((start) => request.url().startsWith(start))) foreign.push(request.url()); });
  await page.goto(url);
  const node = () => page.textContent('#state').then((text) => text.match(/^this tab is served by (\S+)$/)?.[1]);
  await until(node, 10_000, 'the tab is served');
  return {
    page, errors, foreign, node,
    lines: () => page.$$eval('#lines li', (all) => all.map((one) => one.textContent)),
    nodes: () => page.$$eval('#nodes tr', (all) => all.map((row) => [...row.children].map((cell) => cell.textContent))),
  };
}

scenario('two tabs on two nodes chat and see the cluster', { seconds: 90 }, async (world) => {
  const bundle = await Bundle.start(world);
  const browser = await launch(world);
  const context = await browser.newContext({ viewport: { width: 900, height: 600 } });
  const one = await tab(context, bundle.url);
  const other = await tab(context, bundle.url);
  const [home, away] = [await one.node(), await other.node()];
  assert.notEqual(home, away);

  await one.page.fill('#text', 'grüße <img src=x onerror=alert(1)>');
  await one.page.press('#text', 'Enter');
  const said = (lines) => lines.some((line) => line.includes(`on ${home}`) && line.endsWith('grüße <img src=x onerror=alert(1)>'));
  await until(async () => said(await other.lines()), 5000, 'the other tab reads it');
  await until(async () => said(await one.lines()), 5000, 'and so does the one that said it');
  await other.page.fill('#text', 'hello yourself');
  await other.page.click('button');
  const answers = (line) => line.includes(`on ${away}`) && line.endsWith('hello yourself');
  await until(async () => (await one.lines()).some(answers), 5000, 'an answer');

  for (const { nodes, node } of [one, other]) {
    const mine = await node();
    await until(async () => {
      const rows = await nodes();
      return [home, away].every((id) => rows.some((row) => row[0] === id && row[1] === '1' && row[2] === (id === mine ? 'this tab' : '')));
    }, 10_000, 'both nodes are there, each with a session');
  }
  if (process.env.E2E_SCREENSHOTS) await one.page.screenshot({ path: path.join(process.env.E2E_SCREENSHOTS, 'cluster_page.png') });

  // Its node dies: the tab comes back by itself, and the chat goes on.
  await bundle.hit(away, 'SIGKILL');
  await until(() => other.node(), 10_000, 'the tab is served again');
  await other.page.fill('#text', 'still here');
  await other.page.press('#text', 'Enter');
  await until(async () => (await one.lines()).some((line) => line.endsWith('still here')), 10_000, 'it is heard');
  assert.deepEqual([one.errors, one.foreign, other.foreign], [[], [], []]);

  await other.page.setViewportSize({ width: 360, height: 640 });
  assert.ok(await other.page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'nothing is cut off on a phone');
  if (process.env.E2E_SCREENSHOTS) await other.page.screenshot({ path: path.join(process.env.E2E_SCREENSHOTS, 'cluster_page_narrow.png') });
});

scenario('what others send breaks no tab', { seconds: 60 }, async (world) => {
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 1\n[node]\npage = true\n');
  const browser = await launch(world);
  const one = await tab(await browser.newContext(), bundle.url);
  const stranger = world.own(await new Client(bundle, { transports: ['websocket'] }).connected());
  const odd = [{ toString: 1 }, undefined, null, 7, ['n1']].map((node) => ({ from: 'x', text: 'odd', node }));
  for (const message of [null, 'text', [], ...odd]) await stranger.call('broadcast', 'lobby', message);
  await stranger.call('broadcast', 'lobby', { from: 'somebody', text: 'hello', node: 'n1' });
  await until(async () => (await one.lines()).join() === 'someboon n1hello', 5000, 'what is a message is shown, alone');

  // Names that a server may send, and that mean something to every object, or to the page itself.
  const names = ['toString', 'constructor', '__proto__', '__defineGetter__', 'connect', 'disconnect', 'refused'];
  for (const name of names) await one.page.evaluate(`client.packet(${JSON.stringify(`42${JSON.stringify([name, 'odd'])}`)})`);
  assert.ok(await one.node(), 'the page is as it was');
  assert.deepEqual(one.errors, []);
});

scenario('with a file of its own the page is asked for', { seconds: 60 }, async (world) => {
  const without = await Bundle.start(world, '[bundle]\nnodes = 2\n');
  assert.equal((await fetch(without.url)).status, 404);
  const bundle = await Bundle.start(world, '[bundle]\nnodes = 2\n[node]\npage = true\n');
  const answer = await fetch(bundle.url);
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-security-policy'), /^default-src 'none'; script-src 'self';/);
  assert.match(await answer.text(), /<title>limpet<\/title>/);
});
