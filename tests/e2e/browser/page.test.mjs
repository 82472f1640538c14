// The page of examples/node-socketio in a real browser, through limpet.
//
// E2E_SCREENSHOTS=DIR keeps a picture of each test; without it there is one only of a failure, in a temporary
// directory that is named in the error.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe } from 'node:test';
import { until } from '../lib/deadline.mjs';
import { sharing } from '../lib/world.mjs';
import { cluster } from '../socketio/cluster.mjs';
import { launch } from './chromium.mjs';

// A new person: a browser context of its own, hence cookies of its own.
async function person(world, browser, proxy) {
  const context = await browser.newContext({ viewport: { width: 720, height: 480 } });
  world.own({ close: () => context.close() });
  return { context, tab: () => openTab(context, proxy) };
}

async function openTab(context, proxy) {
  const page = await context.newPage();
  const tab = { page, errors: [], urls: [] };
  page.on('pageerror', (error) => tab.errors.push(error.message));
  page.on('requestfailed', (request) => tab.errors.push(`${request.url()}: ${request.failure().errorText}`));
  page.on('websocket', (socket) => tab.urls.push(socket.url()));
  await page.goto(proxy.url);
  await page.waitForSelector('body[data-ready=yes]');
  return tab;
}

const nodeOf = (tab) => tab.page.textContent('#node');
const stateOf = (tab) => tab.page.textContent('#state');
const linesOf = (tab) => tab.page.$$eval('#messages li', (lines) => lines.map((line) => line.lastChild.textContent));

async function say(tab, text) {
  await tab.page.fill('#text', text);
  await tab.page.press('#text', 'Enter');
}

async function keepPictures(tabs, title, failed) {
  const dir = process.env.E2E_SCREENSHOTS || (failed && await mkdtemp(path.join(os.tmpdir(), 'limpet-screenshots-')));
  if (!dir) return;
  await mkdir(dir, { recursive: true });
  for (const [i, tab] of tabs.entries())
    await tab.page.screenshot({ path: path.join(dir, `${title.replaceAll(/\W+/g, '-')}-${i + 1}.png`) });
  if (failed) console.error(`screenshots: ${dir}`);
}

describe("the example's page", () => {
  const shared = sharing(async (world) => ({ ...(await cluster(world, { cookie: false })), browser: await launch(world) }), {
    seconds: 60,
  });

  const inTabs = (title, body) => shared.fact(title, { seconds: 60 }, async (things, world) => {
    const tabs = [];
    const someone = async () => {
      const { context, tab } = await person(world, things.browser, things.proxy);
      return { context, tab: async () => { tabs.push(await tab()); return tabs.at(-1); } };
    };
    let failed = true;
    try {
      await body(someone, things);
      for (const tab of tabs) assert.deepEqual(tab.errors, []);
      failed = false;
    } finally {
      await keepPictures(tabs, title, failed);
    }
  });

  inTabs('names the node that serves it, and goes from polling to WebSocket', async (someone, { nodes }) => {
    const tab = await (await someone()).tab();
    assert.ok(nodes.map((node) => node.id).includes(await nodeOf(tab)));
    await until(async () => (await stateOf(tab)).startsWith('websocket, session '), 5000, 'the transport is WebSocket');
    assert.match(tab.urls[0], /^ws:.*transport=websocket&sid=/);
  });

  inTabs('two tabs of one person are on one node and exchange messages', async (someone) => {
    const one = await someone();
    const [first, second] = [await one.tab(), await one.tab()];
    assert.equal(await nodeOf(first), await nodeOf(second));
    await say(first, 'hello from the first');
    await say(second, 'and from the second, <b>ünescaped</b>');
    for (const tab of [first, second]) {
      await until(async () => (await linesOf(tab)).length === 2, 5000, 'both messages are there');
      assert.deepEqual((await linesOf(tab)).sort(), ['and from the second, <b>ünescaped</b>', 'hello from the first']);
    }
  });

  inTabs('the proxy\'s cookie keeps a person on a node across reloads', async (someone) => {
    const one = await someone();
    const tab = await one.tab();
    const home = await nodeOf(tab);
    const [cookie] = (await one.context.cookies()).filter(({ name }) => name === 'io');
    assert.deepEqual([cookie.value, cookie.path, cookie.httpOnly, cookie.sameSite, cookie.expires], [home, '/', true, 'Lax', -1]);
    for (let i = 0; i < 3; i += 1) {
      tab.page.removeAllListeners('requestfailed');
      await tab.page.reload();
      await tab.page.waitForSelector('body[data-ready=yes]');
      assert.equal(await nodeOf(tab), home);
    }
  });

  inTabs('a page whose node dies is on another within 5 s and exchanges messages again', async (someone, { node }) => {
    const one = await someone();
    const tab = await one.tab();
    const home = await nodeOf(tab);
    await node(home).kill();
    tab.page.removeAllListeners('requestfailed');
    await until(async () => ![home, ''].includes(await nodeOf(tab)), 5000, 'the page shows another node');
    await tab.page.waitForSelector('body[data-ready=yes]');
    await say(tab, 'still here');
    await until(async () => (await linesOf(tab)).includes('still here'), 5000, 'the message is there');
    await node(home).start();
  });
});
