// What is compared: nodes of a cluster, each with a Redis of its own, and, where deliveries are measured, beside another
// node of limpet on which others speak.
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freeAddress } from '../../e2e/lib/free_address.mjs';
import { redisArguments } from '../../e2e/lib/redis.mjs';
import { Process, limpet } from '../processes.mjs';
import { whenReady } from '../ready.mjs';
import { packagesOf, versionOfProgram } from '../versions.mjs';

const script = fileURLToPath(new URL('node/server.js', import.meta.url));
const adapters = { classic: 'redis', streams: 'redis_streams' };

const ofLimpet = (listen, redis, kind, id) => [
  limpet, ['node', '--listen', listen, '--id', id, '--redis', `unix://${redis}`, '--adapter', adapters[kind]],
];
const ofNode = (driver) => (listen, redis, kind) => [process.execPath, [script, listen, redis, kind, driver]];
export const peers = { limpet: { command: ofLimpet }, nodejs: { command: ofNode('redis') }, ioredis: { command: ofNode('ioredis') } };
export const names = Object.keys(peers);

const packaged = packagesOf(script);

export function versionOf(name) {
  if (name === 'limpet') return versionOfProgram(limpet, ['--version']);
  const driver = name === 'nodejs' ? 'redis' : 'ioredis';
  const [socketio, client] = [packaged('socket.io'), packaged(driver)];
  return socketio && client && `${process.versions.node} with socket.io ${socketio} and ${driver} ${client}`;
}

const upgrade = '/socket.io/?EIO=4&transport=websocket';

// Starts a Redis, the node, and who speaks; the node answers, and takes the others along when it ends.
export async function startServer(name, { kind, speaker }, dir) {
  mkdirSync(dir, { recursive: true });
  const socket = path.join(dir, 'redis.sock');
  const options = { cwd: dir, env: { ...process.env, NODE_ENV: 'production' } };
  const beside = [new Process('redis', 'load', 'redis-server', redisArguments({ dir, socket }))];
  try {
    await beside[0].says(/ready to accept connections/i, 10_000);
    const started = async (role, command, id) => {
      const listen = await freeAddress();
      const one = new Process(id, role, ...command(listen, socket, kind, id), options);
      one.listen = listen;
      return whenReady(id, one, upgrade);
    };
    const flags = [];
    if (speaker) {
      beside.push(await started('load', ofLimpet, 'speaker'));
      flags.push('--from', beside[1].listen);
    }
    const node = await started('proxy', peers[name].command, name === 'limpet' ? 'bench' : name);
    const { finish } = node;
    node.loadFlags = flags;
    node.finish = async () => {
      await finish.call(node);
      for (const one of beside) await one.finish();
    };
    return node;
  } catch (error) {
    for (const one of beside) await one.finish();
    throw error;
  }
}
