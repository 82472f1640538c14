// Discovery: the names of the pools ("dns:NAME:PORT"), asked for all the time; what is found goes to whoever
// builds the pools.
//
// Owned by the Service, on the control thread. Knows neither workers nor states: `on_change` is told that
// another configuration is there.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "proxy/config/config.h"
#include "proxy/discovery/name.h"
#include "proxy/net/loop.h"

namespace limpet::discovery {

class Discovery {
 public:
  explicit Discovery(net::Loop& loop);
  ~Discovery();

  // Asks for the names of this file, for new ones at once. Who is in both files keeps what is known of it.
  void follow(std::shared_ptr<const config::Config> written);
  // Once: when every name has its first answer, be it none, or 1 s has passed. At once if there are no names.
  void when_first_answers(std::function<void()> then);
  // After that, whenever the addresses of a name have changed.
  std::function<void()> on_change;
  void stop();  // no more questions

  // The file with the servers that are known now. What has to be left out is told once.
  std::shared_ptr<const config::Config> whole();

 private:
  struct Entry;
  void ask(Entry& entry);
  void on_answer(Entry& entry, const net::DnsAnswer& answer);
  bool all_answered() const;
  void end_first_round();

  net::Loop& loop_;
  std::shared_ptr<const config::Config> written_;
  std::vector<net::Address> servers_;
  std::map<std::string, std::unique_ptr<Entry>> entries_;  // by host
  std::set<std::string> left_out_;                         // told already
  std::function<void()> first_answers_;
  net::Timer first_round_;
  std::mt19937_64 engine_{std::random_device{}()};
};

}  // namespace limpet::discovery
