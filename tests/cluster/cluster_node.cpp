// A Socket.IO server in a cluster, told by a test what to do (control.h). node.mjs is the same on Node.js.
//
// Says "listening on ADDRESS control ADDRESS". On SIGTERM it ends its clients' connections, and itself once
// Redis has what it was to keep of them.
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "backend/http/server.h"
#include "backend/redis/redis.h"
#include "backend/socketio/server.h"
#include "proxy/net/address.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/signals.h"
#include "tests/cluster/application.h"
#include "tests/cluster/control.h"
#include "tests/cluster/settings.h"

namespace {

using namespace limpet;

// Listens on a free port; its text.
std::string listen(http::Server& http) {
  net::BoundListener bound = net::bind_listener(net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0), 1);
  if (!bound.error.empty()) {
    std::fprintf(stderr, "%s\n", bound.error.c_str());
    std::exit(1);
  }
  http.listen(std::move(bound.sockets.front()));
  return bound.address.text();
}

int run(const cluster_test::Settings& settings) {
  net::Loop loop;
  redis::Redis redis(loop, settings.redis);
  redis.on_event = [](bool bad, std::string_view what) {
    std::fprintf(stderr, "%s: %.*s\n", bad ? "warning" : "info", static_cast<int>(what.size()), what.data());
  };
  redis.start();
  const cluster::Tally tally = std::make_shared<cluster::Totals>();
  http::Server http(loop, {});
  http::Server control_http(loop, {});
  socketio::Options options = settings.options;
  options.adapter = cluster_test::make_adapter(redis, settings, tally);
  auto io = std::make_optional<socketio::Server>(loop, http, options);
  cluster_test::Application application(*io, settings.id, settings.options.recovery.enabled);
  for (const std::string& name : settings.namespaces) io->of(name);
  std::optional<cluster_test::Control> control(std::in_place, loop, control_http,
                                               cluster_test::Control::Node{*io, application, redis, tally});

  const std::string address = listen(http);
  net::Signals signals(loop, {SIGTERM}, [&](int) {
    io->close();
    // Answers come in order, so that all that was said before has arrived; without Redis it fails at once.
    redis.command({"PING"}, [&loop](const redis::Result&) { loop.stop(); });
  });
  std::printf("listening on %s control %s\n", address.c_str(), listen(control_http).c_str());
  std::fflush(stdout);
  loop.run();
  io.reset();  // answers that it owes go to the control connection
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);
  net::hold_signals({SIGTERM});
  const auto flags = cluster_test::read_flags(argc, argv);
  if (const int* status = std::get_if<int>(&flags)) return *status;
  return run(std::get<cluster_test::Settings>(flags));
}
