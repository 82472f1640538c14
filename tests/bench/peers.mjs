// The proxies that are compared: how each is started, and its version.
//
// Each gets one worker on one core, the same three servers, no access log; its configuration is a template in peers/.
// One is taken from PATH: put another version first there to measure that one.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { freeAddress } from '../e2e/lib/free_address.mjs';
import { Process, limpet, loadTool } from './processes.mjs';
import { whenReady } from './ready.mjs';
import { versionOfProgram } from './versions.mjs';

// `rounds`: at most so many, for what is only there for comparison.
export const peers = {
  limpet: { command: limpet, template: 'limpet.toml', args: (file) => ['run', '-c', file], version: ['--version'] },
  nginx: {
    command: 'nginx', template: 'nginx.conf', version: ['-v'],
    args: (file, dir) => ['-p', dir, '-c', file, '-e', 'stderr', '-g', 'daemon off;'],
  },
  haproxy: { command: 'haproxy', template: 'haproxy.cfg', args: (file) => ['-db', '-f', file], version: ['-v'] },
  caddy: {
    command: 'caddy', template: 'Caddyfile', version: ['version'], rounds: 2,
    args: (file) => ['run', '--config', file, '--adapter', 'caddyfile'],
    env: (dir) => ({ GOMAXPROCS: '1', XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir, HOME: dir }),
  },
  nghttpx: { command: 'nghttpx', template: 'nghttpx.conf', args: (file) => ['--conf', file], version: ['-v'], rounds: 2 },
  // The floor: bytes from one socket to another and nothing else. It is no peer.
  relay: {
    command: loadTool,
    args: (file, dir, to) => ['relay', '--listen', to.listen, '--upstream', to.servers[0]],
  },
};
export const names = Object.keys(peers);
// Who limpet is measured against.
export const rivals = names.filter((name) => name !== 'limpet' && name !== 'relay');

// The version that a peer tells, or nothing where it is not installed.
export function versionOf(name) {
  const { command, version } = peers[name];
  if (!version) return 'limpet-bench-load relay';
  return versionOfProgram(command, version);
}

function configuration(template, to, dir) {
  const [listenHost, listenPort] = to.listen.split(':');
  const values = { LISTEN: to.listen, HOST: listenHost, PORT: listenPort, DIR: dir };
  to.servers.forEach((server, index) => {
    const [serverHost, serverPort] = server.split(':');
    const key = `SERVER${index + 1}`;
    Object.assign(values, { [key]: server, [`${key}_HOST`]: serverHost, [`${key}_PORT`]: serverPort });
  });
  const text = readFileSync(new URL(`peers/${template}`, import.meta.url), 'utf8');
  return text.replace(/@(\w+)@/g, (_, key) => {
    if (!(key in values)) throw new Error(`${template}: @${key}@ is no name`);
    return values[key];
  });
}

// Starts a proxy and waits until it answers; `dir` is its folder.
export async function startProxy(name, servers, dir) {
  const { command, template, args, env = () => ({}) } = peers[name];
  const listen = await freeAddress();
  mkdirSync(dir, { recursive: true });
  const file = template && path.join(dir, template);
  if (file) writeFileSync(file, configuration(template, { listen, servers }, dir));
  const proxy = new Process(name, 'proxy', command, args(file, dir, { listen, servers }), {
    cwd: dir, env: { ...process.env, ...env(dir) },
  });
  proxy.listen = listen;
  return whenReady(name, proxy, '/idle');
}
