// limpet-bench-load: servers, the smallest relay, the smallest Socket.IO server and a load, to measure others
// by.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "tests/bench/load/relay.h"
#include "tests/bench/load/run.h"
#include "tests/bench/load/serve.h"
#include "tests/bench/load/socketio/floor.h"

namespace limpet::bench {
namespace {

void add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App& command = *app.add_subcommand("serve", "the server behind the proxy");
  command.add_option("--listen", options.listen, "ADDRESS:PORT, several times; port 0 chooses")->required();
  command.add_option("--tls", options.tls, "certificate and key")->expected(2);
  command.add_option("--ports-file", options.ports_file, "where the addresses are written, one a line");
}

void add_relay(CLI::App& app, RelayOptions& options) {
  CLI::App& command = *app.add_subcommand("relay", "the smallest program that passes bytes on");
  command.add_option("--listen", options.listen, "ADDRESS:PORT")->required();
  command.add_option("--upstream", options.upstream, "ADDRESS:PORT of the server")->required();
  command.add_option("--ports-file", options.ports_file, "where the address is written");
}

void add_floor(CLI::App& app, FloorOptions& options) {
  CLI::App& command = *app.add_subcommand("floor", "the smallest Socket.IO server");
  command.add_option("--listen", options.listen, "ADDRESS:PORT")->required();
  command.add_option("--ports-file", options.ports_file, "where the address is written");
  command.add_flag("--joined", options.joined, "what is due to a client in one wake-up leaves in one send");
  command.add_option("--ping-interval", options.ping_interval, "ms")->check(CLI::PositiveNumber);
  command.add_option("--ping-timeout", options.ping_timeout, "ms")->check(CLI::PositiveNumber);
}

void add_run(CLI::App& app, RunOptions& options) {
  CLI::App& command = *app.add_subcommand("run", "the load; prints one line of JSON");
  command.add_option("--target", options.target, "ADDRESS:PORT of the proxy")->required();
  command.add_option("--from", options.from,
                     "ADDRESS:PORT of the node on which io-fanout's broadcasters are");
  command.add_option("--mode", options.mode)->required()->check(CLI::IsMember(run_modes()));
  command.add_option("--sockets", options.sockets, "connections; 0: the mode's own number")
      ->check(CLI::Range(0, 1'000'000));
  command.add_option("--size", options.size, "bytes of a message or a body");
  command.add_option("--in-flight", options.in_flight, "messages a socket, or connections at once")
      ->check(CLI::Range(0, 100'000));
  command.add_option("--rate", options.rate, "messages a second: of all (paced), to each (push)")
      ->check(CLI::PositiveNumber);
  command.add_option("--seconds", options.seconds, "length of the window")->check(CLI::PositiveNumber);
  command.add_option("--warm-up", options.warm_up, "seconds before it")->check(CLI::NonNegativeNumber);
  command.add_option("--sources", options.sources, "client addresses, from 127.0.1.1 on; 0: any")
      ->check(CLI::Range(0, 250));
  command.add_option("--path", options.path, "instead of the mode's own");
  command.add_option("--host", options.host, "the Host field");
  command.add_flag("--tls", options.tls, "TLS to the target, any certificate");
  command.add_flag("--resume", options.resume, "resume TLS sessions");
  command.add_option("--pid", options.pid, "whose CPU and memory are measured, descendants included");
  command.add_option("--limit", options.limit,
                     "seconds for the whole run; usually what it should take and 30 more");
  command.add_option("--wait-ready", options.wait_ready, "seconds to wait for an answer first");
  command.add_option("--cycles", options.cycles, "of opening and closing (idle)")->check(CLI::Range(1, 1000));
  command.add_flag("--tunnels-done-check", options.tunnels_done_check,
                   "end with a FIN on every socket and wait for the other side's");
}

int main(int argc, char** argv) {
  CLI::App app{
      "Servers, the smallest relay, the smallest Socket.IO server and a load, to measure others by."};
  app.require_subcommand(1);
  ServeOptions serving;
  RelayOptions relaying;
  FloorOptions flooring;
  RunOptions running;
  add_serve(app, serving);
  add_relay(app, relaying);
  add_floor(app, flooring);
  add_run(app, running);
  CLI11_PARSE(app, argc, argv);
  if (app.got_subcommand("serve")) serve(serving);
  if (app.got_subcommand("relay")) relay(relaying);
  if (app.got_subcommand("floor")) floor(flooring);
  return run(running);
}

}  // namespace
}  // namespace limpet::bench

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a closed socket is an error like others
  try {
    return limpet::bench::main(argc, argv);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "limpet-bench-load: %s\n", problem.what());
    return 2;
  }
}
