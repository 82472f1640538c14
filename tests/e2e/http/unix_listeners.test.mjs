// Listeners on Unix sockets: whose the file is, and who may have it.
import assert from 'node:assert/strict';
import { existsSync, unlinkSync } from 'node:fs';
import { slowness, until, within } from '../lib/deadline.mjs';
import { request } from '../lib/limpet.mjs';
import { scenario } from '../lib/world.mjs';
import { EchoServer } from './echo_server.mjs';
import { answering, ok } from './requests.mjs';

const toml = (origin, path, drain = '10s') =>
  `[[listener]]\naddress = "unix:${path}"\n[pool.web]\nservers = ["a=${origin.address}"]\n[proxy]\ndrain_timeout = "${drain}"\n`;

// A limpet with a request in flight, which waits for `held[0]` to answer it.
async function busy(world) {
  const held = [];
  const path = `${world.dir}/front.sock`;
  const origin = await world.origin({
    script: answering(({ target }, connection) => (target === '/held' ? void held.push(connection) : ok(target))),
  });
  const proxy = await world.limpet(toml(origin, path));
  const client = await world.connect(proxy.address);
  client.send('GET /held HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => held.length, 2000, 'it is in flight');
  return { path, origin, proxy, client, held };
}

scenario('one that drains leaves the file to its successor, and does not take it along at its end', async (world) => {
  const { path, origin, proxy, client, held } = await busy(world);
  proxy.signal('SIGTERM');
  await proxy.says(/listeners closed/, 2000, 'stderr');
  const successor = await world.limpet(toml(origin, path));
  held[0].send(ok('late'));
  assert.equal((await client.answer()).body.toString(), 'late');
  client.destroy();
  assert.deepEqual(await within(proxy.ended, 3000, 'it ends'), { code: 0, signal: null });
  assert.ok(existsSync(path));
  assert.equal((await request(successor.address, '/new')).body, '/new');
  await successor.stop();
  assert.ok(!existsSync(path), 'its own it takes along');
});

scenario('one whose file was replaced by hand leaves what stands there', async (world) => {
  const { path, origin, proxy, client, held } = await busy(world);
  held[0].send(ok());
  await client.answer();
  unlinkSync(path);
  const other = await world.limpet(toml(origin, path));
  await proxy.stop();
  assert.equal((await request(other.address, '/new')).body, '/new');
});

scenario('a second signal leaves no file behind, of a listener or of admin', async (world) => {
  const { path, proxy } = await busy(world);
  proxy.signal('SIGTERM');
  await proxy.says(/listeners closed/, 2000, 'stderr');
  proxy.signal('SIGTERM');
  proxy.expect = await within(proxy.ended, 2000, 'it ends at once');
  assert.deepEqual([existsSync(path), existsSync(proxy.adminAddress.path)], [false, false]);
});

const refused = (holder) => new RegExp(`ended: \\{"code":1,[^]*taken\\.sock: [^\\n]*in use${holder}`);

scenario('a socket that is in use: limpet names its owner, and ends', async (world) => {
  const path = `${world.dir}/taken.sock`;
  const owner = await EchoServer.start(world, { path });
  await assert.rejects(world.limpet(toml(owner, path)), refused(` \\(held by pid ${owner.child.pid}, `));
  assert.equal((await request({ path }, '/its-own')).body, 'GET /its-own ');
});

scenario('a socket whose owner does not accept, with a full queue, is in use: limpet says so at once, and ends', async (world) => {
  const path = `${world.dir}/taken.sock`;
  const owner = await EchoServer.start(world, { path });
  await owner.freeze();
  const begun = performance.now();
  await assert.rejects(world.limpet(toml(owner, path)), refused(''));
  assert.ok(performance.now() - begun < 5000 * slowness);
  owner.thaw();
  await until(async () => (await request({ path }, '/its-own')).body === 'GET /its-own ', 3000, 'the owner goes on');
});

scenario('the owner of a socket with a full queue is named too', async (world) => {
  // Connections that nobody has accepted bear its name as well: the kernel's list has them in any order.
  for (let i = 0; i < 5; i += 1) {
    const path = `${world.dir}/${i}-taken.sock`;
    const owner = await EchoServer.start(world, { path });
    await owner.freeze();
    await assert.rejects(world.limpet(toml(owner, path)), refused(` \\(held by pid ${owner.child.pid}, `));
  }
});
