// The servers that are compared: how each is started, and its version. Each is one process on one core.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freeAddress } from '../../e2e/lib/free_address.mjs';
import { Process, limpet, loadTool } from '../processes.mjs';
import { whenReady } from '../ready.mjs';
import { packagesOf, versionOfProgram } from '../versions.mjs';

const script = fileURLToPath(new URL('node/server.js', import.meta.url));
const node = (engine) => (listen, ping) => [process.execPath, [script, listen, engine, String(ping)]];
const overPolling = (cell) => cell.mode === 'io-polling';

export const peers = {
  limpet: {
    command: (listen, ping) => [limpet, ['node', '--listen', listen, '--id', 'bench', '--ping-interval', `${ping}ms`]],
  },
  nodejs: { command: node('ws') },
  eiows: { command: node('eiows') },
  // No peer: the least that it can cost. It speaks WebSocket alone.
  floor: {
    command: (listen, ping, cell) => [loadTool, ['floor', '--listen', listen, '--ping-interval', String(ping),
      ...(cell.variant === 'joined' ? ['--joined'] : [])]],
    takes: (cell) => !overPolling(cell),
  },
};
// eiows is about WebSocket; polling would be the same code as nodejs.
peers.eiows.takes = peers.floor.takes;
export const names = Object.keys(peers);

const packaged = packagesOf(script);

// The version that a server tells, or nothing where it is not installed.
export function versionOf(name) {
  if (name === 'floor') return 'limpet-bench-load floor';
  if (name === 'limpet') return versionOfProgram(limpet, ['--version']);
  const socketio = packaged('socket.io');
  const engine = name === 'eiows' ? packaged('eiows') : packaged('ws');
  return socketio && engine && `${process.versions.node} with socket.io ${socketio} and ${name === 'eiows' ? 'eiows' : 'ws'} ${engine}`;
}

// Starts a server and waits until it answers; `dir` is its folder.
export async function startServer(name, cell, dir, { quick }) {
  const listen = await freeAddress();
  const ping = (quick && cell.quickPingInterval) || cell.pingInterval || 25_000;
  const [command, args] = peers[name].command(listen, ping, cell);
  mkdirSync(dir, { recursive: true });
  const server = new Process(name, 'proxy', command, args, { cwd: dir, env: { ...process.env, NODE_ENV: 'production' } });
  server.listen = listen;
  return whenReady(name, server, '/socket.io/?EIO=4&transport=websocket');
}
