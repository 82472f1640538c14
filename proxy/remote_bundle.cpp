// What the command line does with a running `limpet up`.
#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <thread>

#include "proxy/log/escape.h"
#include "proxy/remote.h"

namespace limpet {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kLook{200};

struct Progress {
  std::int64_t number = 0, done = 0, of = 0;
  std::string name, error;
};

// Of "operation" or "last_operation"; number 0: there is none.
Progress read_progress(const json::value& bundle, std::string_view key) {
  const json::value& from = bundle.at(key);
  if (from.is_null()) return {};
  const auto text = [&](std::string_view name) {
    return log::escaped(std::string_view(from.at(name).as_string()), log::Style::message, 400);
  };
  return {from.at("number").to_number<std::int64_t>(), from.at("done").to_number<std::int64_t>(),
          from.at("of").to_number<std::int64_t>(), text("name"), text("error")};
}

void say(const Progress& progress) {
  std::cout << progress.name << ": " << progress.done << " of " << progress.of << " nodes" << std::endl;
}

// Until the operation with this number has ended.
int follow(const Remote& remote, std::int64_t number) {
  std::int64_t said = -1;
  for (;;) {
    const auto text = ask(remote, "GET", "/bundle");
    if (!text) return 1;
    const json::value bundle = json::parse(*text);
    const Progress now = read_progress(bundle, "operation"), last = read_progress(bundle, "last_operation");
    if (last.number >= number) {
      if (remote.json) std::cout << *text;
      if (!remote.json && last.error.empty()) std::cout << last.name << ": done" << std::endl;
      if (!last.error.empty()) std::cerr << "limpet: " << last.name << ": given up: " << last.error << '\n';
      return last.error.empty() ? 0 : 1;
    }
    if (now.number != number) {
      std::cerr << "limpet: the bundle ended it\n";
      return 1;
    }
    if (!remote.json && now.done != std::exchange(said, now.done)) say(now);
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

std::optional<std::string> children_text(const std::string& overview) try {
  constexpr std::string_view kRow = "{:<24} {:<12} {:<9} {:>8} {:>9}  {}\n";
  const json::value bundle = json::parse(overview);
  std::string out = fmt::format(kRow, "CHILD", "STATE", "FOR", "RESTARTS", "PID", "HEALTH");
  for (const json::value& child : bundle.at("children").as_array()) {
    const auto text = [&](std::string_view name) {
      const json::value& value = child.at(name);
      return log::escaped(value.is_string() ? std::string(value.as_string()) : json::serialize(value),
                          log::Style::message, 400);
    };
    out += fmt::format(kRow, text("id"), text("state"),
                       duration_text(child.at("state_for_ms").to_number<std::uint64_t>()), text("restarts"),
                       text("pid"), text("health"));
  }
  return out;
} catch (const std::exception&) {
  return std::nullopt;  // another program's answer
}

int run_operation(const Remote& remote, const std::string& what) try {
  const auto text = ask(remote, "POST", "/bundle/" + what);
  if (!text) return 1;
  const json::value bundle = json::parse(*text);
  const Progress now = read_progress(bundle, "operation");
  // One that had nothing to do has ended already.
  return follow(remote, now.number != 0 ? now.number : read_progress(bundle, "last_operation").number);
} catch (const std::exception&) {
  std::cerr << "limpet: the answer is not that of limpet up; is this its [admin] address?\n";
  return 1;
}

}  // namespace limpet
