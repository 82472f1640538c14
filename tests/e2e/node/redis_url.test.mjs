// Where a node is told of its Redis, and that no password of it is shown.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../lib/deadline.mjs';
import { LimpetNode, nodeEnds } from '../lib/limpet_node.mjs';
import { scenario } from '../lib/world.mjs';

const password = 'hunter2@:/%';

async function begin(world) {
  const redis = await world.redis({ flags: ['--requirepass', password] });
  return { redis, url: `unix://:${encodeURIComponent(password)}@${redis.socket}` };
}

const isWell = (node) => until(async () => (await node.health()).body === 'ok', 5000, 'it has its Redis');
const hides = (text) => assert.doesNotMatch(text, /hunter2/);

scenario('from a variable, from a file, and from its command line, which is blanked', async (world) => {
  const { url } = await begin(world);
  const file = path.join(await world.directory(), 'url');
  await writeFile(file, `${url}\n`);
  for (const [flag, env] of [['env:LIMPET_TEST_URL', { LIMPET_TEST_URL: url }], [`file:${file}`, {}], [url, {}]]) {
    const node = world.own(await LimpetNode.start(['--id', 'ws1', '--redis', flag], { env }));
    await isWell(node);
    hides(node.log());
    hides(await readFile(`/proc/${node.pid}/cmdline`, 'utf8'));
  }
});

scenario('from a configuration, whose errors do not show it', async (world) => {
  const { url } = await begin(world);
  const file = path.join(await world.directory(), 'limpet.toml');
  await writeFile(file, `[node]\nredis = "${url}"\n`);
  const node = world.own(await LimpetNode.start(['--id', 'ws1', '-c', file]));
  await isWell(node);
  hides(node.log());
  await writeFile(file, '[node]\nredis = "redis://:hunter2@host:port"\n');
  const { code, stderr } = await nodeEnds('-c', file);
  assert.equal(code, 1);
  assert.match(stderr, /:2:9: node\.redis: /);
  hides(stderr);
});

scenario('what cannot be read, or is no URL, is said', async (world) => {
  const empty = path.join(await world.directory(), 'empty');
  await writeFile(empty, '\n');
  for (const [flag, said, ...more] of [
    ['env:LIMPET_NOT_SET', /redis: LIMPET_NOT_SET is not set/],
    ['file:/nowhere/url', /redis: \/nowhere\/url: No such file or directory/],
    [`file:${empty}`, /redis: .*empty is empty/],
    ['file:/etc/hostname', /redis: a Redis URL begins with/],
    ['rediss://127.0.0.1:1', /redis: the CAs of \/nowhere\/ca/, '--redis-ca', '/nowhere/ca'],
    ['rediss://127.0.0.1:1', /redis: the certificate \/etc\/hostname/, '--redis-cert', '/etc/hostname', '--redis-key', '/etc/hostname'],
  ]) {
    const { code, stderr } = await nodeEnds('--listen', '127.0.0.1:0', '--redis', flag, ...more);
    assert.equal(code, 1);
    assert.match(stderr, said);
  }
});

scenario('a URL where none is due is not shown', async () => {
  const url = 'redis://:hunter2@127.0.0.1:1';
  for (const args of [[url], ['--redis', 'env:A', url], ['--redis', `env:${url}`], ['--redis', `file:${url}`]]) {
    const { code, stderr } = await nodeEnds(...args);
    assert.equal(code, 2);
    assert.match(stderr, /^limpet node: [^\n]+\n$/);
    hides(stderr);
  }
});

scenario('a wrong password is said, without it', async (world) => {
  const { redis } = await begin(world);
  const node = world.own(await LimpetNode.start(['--id', 'ws1', '--redis', `unix://:hunter2-wrong@${redis.socket}`]));
  await node.says(/redis: .*(WRONGPASS|password)/, 5000, 'stderr');
  assert.equal((await node.health()).body, 'degraded');
  hides(node.log());
});
