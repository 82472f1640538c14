// DnsServer: a real dnsmasq on a loopback port, whose names a test changes at once.
//
//   const dns = await world.dns({ 'ws.test': ['127.0.0.2', '127.0.0.3'] }, { ttl: 1 });
//   await dns.says({ 'ws.test': ['127.0.0.2'] });
//
// Of .test it knows everything: a name that it was not told does not exist. Of other names it knows nobody to ask, and
// refuses. It can be frozen, killed and started again.
import dgram from 'node:dgram';
import { writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Child } from './child.mjs';
import { until } from './deadline.mjs';

// A port that no UDP socket has; dnsmasq takes no other word than a number, and needs that of TCP, too.
async function freePort() {
  const socket = dgram.createSocket('udp4');
  await new Promise((bound) => { socket.bind(0, '127.0.0.1', bound); });
  const { port } = socket.address();
  await new Promise((closed) => { socket.close(closed); });
  return port;
}

export class DnsServer {
  static async start(dir, names, { ttl = 1 } = {}) {
    const dns = new DnsServer();
    dns.file = path.join(dir, 'hosts');
    dns.ttl = ttl;
    dns.past = [];
    dns.#write(names);
    for (let tries = 0; ; tries += 1) {
      dns.port = await freePort();
      dns.address = `127.0.0.1:${dns.port}`;
      try {
        await dns.start();
        return dns;
      } catch (error) {
        if (tries === 20 || !/Address already in use/.test(error.message)) throw error;
      }
    }
  }

  async start() {
    if (this.child) this.past.push(this.child);
    this.child = new Child('dnsmasq', 'dnsmasq', [
      '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', `--user=${os.userInfo().username}`,
      '--no-resolv', '--no-hosts', `--addn-hosts=${this.file}`, '--local=/test/', `--local-ttl=${this.ttl}`,
      '--listen-address=127.0.0.1', '--bind-interfaces', `--port=${this.port}`, '--log-queries', '--log-facility=-',
    ], { env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` } });
    await this.child.says(/read .*hosts - /, 10_000, 'stderr');
  }

  #write(names) {
    writeFileSync(this.file, Object.entries(names).flatMap(([name, all]) => all.map((one) => `${one} ${name}\n`)).join(''));
  }

  // From now on.
  async says(names) {
    const reads = () => this.child.stderr.match(/read .*hosts - /g).length;
    const before = reads();
    this.#write(names);
    this.child.signal('SIGHUP');
    await until(() => reads() > before, 5000, 'dnsmasq has read its names');
  }

  // How often `name` was asked for, by one kind of records.
  asked(name, kind = 'A') {
    return this.child.stderr.split('\n').filter((line) => line.includes(`query[${kind}] ${name} from`)).length;
  }

  kill() { return this.child.kill(); }
  freeze() { this.child.signal('SIGSTOP'); }
  thaw() { this.child.signal('SIGCONT'); }
  close() { return this.child.end ?? this.kill(); }
  log() { return [...this.past, this.child].map((child) => child.log()).join('\n'); }
}
