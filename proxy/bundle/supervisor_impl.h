// The inside of Supervisor: supervisor.cpp has the order of things, fleet.cpp what operations may do.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "proxy/bundle/child.h"
#include "proxy/bundle/operation.h"
#include "proxy/bundle/supervisor.h"

namespace limpet::bundle {

struct Supervisor::Impl final : Child::Owner, Fleet {
  Impl(net::Loop& l, const RuntimeFolder& f, const Blueprint& b, Settings s, Observer& o)
      : loop_(l), folder(f), blueprint(b), settings(std::move(s)), observer(o) {}

  void on_state(Child& child, State from, State to) override;
  void on_line(const Child& child, std::string_view line) override {
    observer.on_line(child.spec().id, line);
  }

  template <class F>
  void each(F&& f) const {
    if (redis) f(*redis);
    for (const auto& node : node_list) f(*node);
    if (proxy) f(*proxy);
  }
  template <class P>
  bool all(P&& p) const {
    bool yes = true;
    each([&](const Child& child) { yes = yes && p(child); });
    return yes;
  }
  std::string write_files();
  std::string write_pool();
  std::string why_not_now() const;
  void advance();
  void on_patience();
  void advance_start();
  void advance_stop();
  void on_look();
  void stop_nodes();

  net::Loop& loop() override { return loop_; }
  const config::Endpoint& proxy_admin() override { return proxy->spec().check.address; }
  std::vector<Child*> nodes() override;
  Child* add_node() override;
  void remove_node(Child& node) override;
  void give_back(Child& node) override;
  bool owes(const Child& node) const override { return std::ranges::find(drained, &node) != drained.end(); }
  void give_back_ready();
  std::string tell_proxy() override;
  std::string begin(std::unique_ptr<Operation> fresh);
  void end_operation(const std::string& wrong);
  OperationView operation_view() const;

  net::Loop& loop_;
  const RuntimeFolder& folder;
  const Blueprint& blueprint;
  const Settings settings;
  Observer& observer;
  Overview::Stage stage = Overview::Stage::starting;
  std::vector<pid_t> inherited;  // children of whatever became us
  std::unique_ptr<Child> redis, proxy;
  std::vector<std::unique_ptr<Child>> node_list;
  std::vector<std::unique_ptr<Child>> removed;  // until the loop is through with them
  std::vector<Child*> drained;                  // by operations that were given up, of node_list
  std::unique_ptr<PoolAdmin> returning;         // of them
  std::unique_ptr<Operation> operation, over;   // the one under way, and one that has just ended
  OperationView last;                           // of the one that ended
  std::uint32_t operations = 0;
  net::Deferred turn{net::delegate<&Impl::advance>(this)};
  net::Timer patience{loop_, net::delegate<&Impl::on_patience>(this)};
  net::Timer look{loop_, net::delegate<&Impl::on_look>(this)};
  std::unique_ptr<Checker> closed;  // while it stops: whether the proxy still takes connections
  std::uint64_t stopping_since_ms = 0;
  std::uint64_t look_until_ms = 0;
  bool impatient = false;
  bool told_ready = false;
  bool nodes_told = false;  // to stop
  bool told_end = false;
  bool clean = true;
};

}  // namespace limpet::bundle
