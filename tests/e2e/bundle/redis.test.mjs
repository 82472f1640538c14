// A Redis that is not the bundle's own: a password, TLS, a Sentinel that fails over.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { until } from '../lib/deadline.mjs';
import { watchedRedis } from '../lib/redis.mjs';
import { scenario } from '../lib/world.mjs';
import { Crowd } from '../socketio/client.mjs';
import { Bundle, freePort } from './bundle.mjs';

// A bundle whose nodes meet in that Redis; `say(text)` is heard on both of them.
async function elsewhere(world, url, node = '') {
  const toml = `[bundle]\nnodes = 2\nredis = ${JSON.stringify(url)}\n[node]\ndrain_window = "300ms"\n${node}`;
  const bundle = await Bundle.start(world, toml);
  assert.deepEqual((await bundle.overview()).children.map(({ id }) => id), ['n1', 'n2', 'proxy'], 'no other Redis is started');
  const crowd = await Crowd.join(world, bundle, 4, { transports: ['websocket'] });
  assert.deepEqual([...new Set(await crowd.who())].sort(), ['n1', 'n2']);
  await crowd.each((client) => client.call('join', 'chat'));
  const say = async (text, ms = 5000) => {
    crowd.clients[0].socket.emit('broadcast', 'chat', text);
    await until(() => crowd.clients.every(({ messages }) => messages.includes(text)), ms, `${text} is everywhere`);
  };
  await say('hello');
  return { bundle, say };
}

scenario('with a password, which is shown nowhere', { seconds: 60 }, async (world) => {
  const redis = await world.redis({ tcp: true, flags: ['--requirepass', 'se cret'] });
  const { bundle } = await elsewhere(world, `redis://:se%20cret@${redis.host}:${redis.port}`);
  assert.ok(!bundle.stdout.includes('cret'));
  assert.ok(!bundle.left().some((command) => command.includes('cret')));
});

scenario('over TLS, with an authority of its own', { seconds: 60 }, async (world) => {
  const dir = await world.directory();
  const port = await freePort();
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(dir, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
    '-subj', '/CN=redis', '-addext', 'subjectAltName=DNS:redis.internal', '-keyout', key, '-out', cert], { stdio: 'pipe' });
  const redis = await world.redis({ tcp: true, flags: ['--tls-port', `${port}`, '--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert,
    '--tls-auth-clients', 'no'] });
  await elsewhere(world, `rediss://${redis.host}:${port}`, `redis_ca = ${JSON.stringify(cert)}\nredis_server_name = "redis.internal"\n`);
});

scenario('by a Sentinel, which fails over', { seconds: 90 }, async (world) => {
  const { master, sentinel, url } = await watchedRedis(world);
  const { say } = await elsewhere(world, url);
  await master.kill();
  await sentinel.says(/\+switch-master/, 30_000);
  let number = 0;
  await until(async () => { await say(`again ${number += 1}`, 1000); return true; }, 20_000, 'nodes meet in the other one');
});
