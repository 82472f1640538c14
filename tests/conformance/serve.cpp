#include "tests/conformance/serve.h"

#include <signal.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "proxy/net/address.h"
#include "proxy/net/listener.h"
#include "proxy/net/signals.h"

namespace limpet::conformance {
namespace {

// Flags whose words are not the options' own.
struct Words {
  std::string transports = "polling,websocket", cors = "*", deflate = "off";
  bool cookie = false, no_compression = false, no_upgrades = false, ask_again = false;
  std::uint64_t recovery_ms = 0;
};

void declare(CLI::App& app, Settings& settings, Words& words) {
  engine::Options& engine = settings.options.engine;
  app.add_option("--port", settings.port);
  app.add_option("--ping-interval", engine.ping_interval_ms);
  app.add_option("--ping-timeout", engine.ping_timeout_ms);
  app.add_option("--upgrade-timeout", engine.upgrade_timeout_ms);
  app.add_option("--connect-timeout", settings.options.connect_timeout_ms);
  app.add_option("--max-payload", engine.max_payload);
  app.add_option("--transports", words.transports);
  app.add_option("--cors", words.cors, "origins, separated by commas; empty: none");
  app.add_flag("--credentials", engine.cors.credentials);
  app.add_flag("--cookie", words.cookie);
  app.add_flag("--eio3", engine.allow_eio3);
  app.add_option("--deflate", words.deflate)->check(CLI::IsMember({"off", "shared", "dedicated"}));
  app.add_flag("--no-compression", words.no_compression);
  app.add_flag("--no-upgrades", words.no_upgrades);
  app.add_option("--recovery", words.recovery_ms, "how long a session is kept; 0: not at all");
  app.add_flag("--ask-again", words.ask_again, "middlewares, about who comes back");
  app.add_option("--serve-client", settings.options.serve_client, "a folder");
}

void apply(const Words& words, Settings& settings) {
  engine::Options& engine = settings.options.engine;
  engine.polling = words.transports.find("polling") != std::string::npos;
  engine.websocket = words.transports.find("websocket") != std::string::npos;
  engine.allow_upgrades = !words.no_upgrades;
  engine.http_compression = !words.no_compression;
  engine.cors.enabled = !words.cors.empty();
  engine.cors.origins = CLI::detail::split(words.cors, ',');
  if (words.cookie) engine.cookie.name = "io";
  engine.deflate =
      std::map<std::string, ws::Deflate>{
          {"off", ws::Deflate::off}, {"shared", ws::Deflate::shared}, {"dedicated", ws::Deflate::dedicated}}
          .at(words.deflate);
  settings.options.recovery.enabled = words.recovery_ms > 0;
  settings.options.recovery.skip_middlewares = !words.ask_again;
  if (words.recovery_ms > 0) settings.options.recovery.max_disconnection_ms = words.recovery_ms;
}

Settings defaults(const char* path) {
  Settings settings;
  engine::Options& engine = settings.options.engine;
  engine.path = path;
  engine.node_id = "conformance";
  engine.ping_interval_ms = 300;
  engine.ping_timeout_ms = 200;
  settings.options.connect_timeout_ms = 1'000;
  return settings;
}

}  // namespace

int serve(int argc, char** argv, const char* path, const Begin& begin) {
  ::signal(SIGPIPE, SIG_IGN);
  net::hold_signals({SIGTERM});
  Settings settings = defaults(path);
  Words words;
  CLI::App app;
  app.option_defaults()->multi_option_policy(
      CLI::MultiOptionPolicy::TakeLast);  // tests repeat what their harness gives
  declare(app, settings, words);
  CLI11_PARSE(app, argc, argv);
  apply(words, settings);

  net::Loop loop;
  http::Server http(loop, {});
  const std::shared_ptr<void> served = begin(loop, http, settings);
  net::BoundListener bound =
      net::bind_listener(net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), settings.port), 1);
  if (!bound.error.empty()) {
    std::fprintf(stderr, "%s\n", bound.error.c_str());
    return 1;
  }
  http.listen(std::move(bound.sockets.front()));
  net::Signals signals(loop, {SIGTERM}, [&loop](int) { loop.stop(); });
  std::printf("listening on %s\n", bound.address.text().c_str());
  std::fflush(stdout);
  loop.run();
  return 0;
}

}  // namespace limpet::conformance
