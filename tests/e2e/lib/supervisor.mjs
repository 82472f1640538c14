// Supervisor: hears what a process tells systemd (sd_notify(3)), one line of `stdout` a datagram.
//
// `address` is for NOTIFY_SOCKET: a path, or with "@" before it a name in the abstract namespace. In Perl, as Node.js
// has no datagrams over Unix sockets.
import { Child } from './child.mjs';

const program = `
  use Socket;
  $| = 1;
  my $name = shift;
  $name =~ s/^@/\\0/;
  my $socket;
  socket($socket, AF_UNIX, SOCK_DGRAM, 0) && bind($socket, pack_sockaddr_un($name)) || die $!;
  print "bound\\n";
  while (defined recv($socket, my $state, 4096, 0)) { print "$state\\n" }`;

export class Supervisor extends Child {
  static async start(address) {
    const supervisor = new Supervisor('supervisor', 'perl', ['-e', program, address]);
    await supervisor.says(/^bound$/m, 10_000);
    return supervisor;
  }

  hears(state) { return this.says(new RegExp(`^${state}$`, 'm'), 5000); }

  get heard() { return this.stdout.split('\n').slice(1, -1); }

  close() { return this.kill(); }
}
