// Load: what a running mode works with: the epoll loop, the window in which is measured, counters and errors.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load/client.h"
#include "tests/bench/load/histogram.h"
#include "tests/bench/load/run.h"
#include "tests/bench/load/usage.h"

namespace limpet::bench {

class Load {
 public:
  explicit Load(const RunOptions& options);

  const RunOptions& options() const { return options_; }
  Poller& poller() { return poller_; }
  std::span<char> buffer() { return buffer_; }
  // Of the client with this number: broadcasters come first, and may be elsewhere.
  const sockaddr_in& target_of(std::uint32_t index) const {
    return index < options_.in_flight ? from_ : target_;
  }
  const TlsContext* tls() const { return tls_.get(); }
  std::string_view accept() const { return accept_; }  // that every 101 has to carry
  std::uint32_t source_of(std::uint32_t index) const;
  std::string upgrade_request(std::string_view path) const;
  std::string plain_request(std::string_view method, std::string_view path, std::string_view more = {}) const;

  // Handles events until `done` says so or `until` has come; throws when the limit of the whole run has.
  void loop(Handler& handler, const std::function<bool()>& done, std::int64_t until = kNever);
  void loop_for(Handler& handler, double seconds);

  // The window: counters and CPU are taken at its ends, at the same instant.
  void begin_window();
  void end_window();
  void window(Handler& handler);  // warm-up, then as long as was asked for
  bool measuring() const { return measuring_; }
  std::int64_t window_began() const { return window_began_; }

  void unit(double count = 1) { units_ += count; }
  void latency(std::int64_t ns) { latencies_.record(ns); }
  void error(std::string_view text);
  std::uint64_t errors() const { return errors_; }
  // Adds to the line that is printed at the end; `json` is a value.
  void note(const std::string& name, const std::string& json) { notes_ += ", \"" + name + "\": " + json; }

  void check_units();  // a window in which nothing happened is an error
  std::string report() const;

 private:
  std::string report_latency() const;

  RunOptions options_;
  sockaddr_in target_, from_;  // where broadcasters are
  std::shared_ptr<TlsContext> tls_;
  std::string accept_;
  Poller poller_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  CpuMeter cpu_;
  Histogram latencies_;
  std::string first_error_;
  std::string notes_;
  std::uint64_t errors_ = 0;
  double units_ = 0, units_before_ = 0, units_after_ = 0;
  std::int64_t limit_at_;
  std::int64_t window_began_ = 0, window_ended_ = 0;
  bool measuring_ = false;
};

}  // namespace limpet::bench
