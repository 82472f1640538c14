// limpet under a launcher (prlimit, nsenter...), and network namespaces of their own where the machine lets us.
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Child } from '../lib/child.mjs';
import { Address, Limpet, binary } from '../lib/limpet.mjs';

const run = promisify(execFile);

// `toml` is a whole file; `launcher` a command that ends in running limpet in its own process.
export async function launch(world, toml, launcher) {
  const dir = await world.directory();
  const file = path.join(dir, 'limpet.toml');
  const text = `${toml}\n[admin]\naddress = "unix:${dir}/admin.sock"\n`;
  await writeFile(file, text);
  const [command, ...args] = launcher;
  const limpet = world.own(new Limpet('limpet', command, [...args, binary, 'run', '-c', file], {}));
  Object.assign(limpet, { file, dir, toml: text, expect: { code: 0, signal: null } });
  const [, address] = await limpet.says(/listening on (\S+)$/m, 10_000, 'stderr');
  limpet.listeners = [new Address(address)];
  return limpet;
}

export const setLimit = (pid, descriptors) => run('prlimit', ['--pid', String(pid), `--nofile=${descriptors}:${descriptors}`]);

// How a namespace of one's own is entered here, or undefined: as root, or as a user who may make user namespaces.
export async function namespaces() {
  for (const make of [['unshare', '-n'], ['unshare', '-rn']]) {
    try {
      await run(make[0], [
        ...make.slice(1), 'sh', '-c',
        'ip link set lo up && echo "40000 40100" > /proc/sys/net/ipv4/ip_local_port_range',
      ]);
      return make;
    } catch {
      // not permitted: the next way, or none
    }
  }
  return undefined;
}

// The launcher that starts limpet with `file` in place of /etc/hosts, or undefined where that is not permitted.
export async function withHosts(file) {
  for (const make of [['unshare', '-m'], ['unshare', '-rm']]) {
    const launcher = [...make, 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', file];
    try {
      await run(launcher[0], [...launcher.slice(1), 'true']);
      return launcher;
    } catch {
      // not permitted: the next way, or none
    }
  }
  return undefined;
}

// A server in a network namespace with few local ports; `enter` is the launcher of whoever shares it.
export async function holder(world, make, ports) {
  const script = fileURLToPath(new URL('holder_process.mjs', import.meta.url));
  const low = 40_000;
  const setUp = `ip link set lo up && echo "${low} ${low + ports - 1}" > /proc/sys/net/ipv4/ip_local_port_range && exec "$0" "$1"`;
  const child = new Child('holder', make[0], [...make.slice(1), 'sh', '-c', setUp, process.execPath, script], {});
  world.own({ close: () => child.end ?? child.kill(), log: () => child.log() });
  const [, address] = await child.says(/^listening on (\S+)$/m, 10_000);
  const flags = make.includes('-rn') ? ['-U', '--preserve-credentials', '-n'] : ['-n'];
  return { address, enter: ['nsenter', '-t', String(child.pid), ...flags] };
}
