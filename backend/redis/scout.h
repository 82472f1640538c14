// Scout: asks one of several servers the same question: when it has reached one, when told to, and now and
// then. Who cannot be reached, or does not know, is left for the next one. It asks sentinels who the master
// is, and a cluster's nodes where the slots are. Held by a shared_ptr.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/redis/link.h"

namespace limpet::redis {

class Scout final : public Link::Owner, public std::enable_shared_from_this<Scout> {
 public:
  // False: not an answer that is of use. May give the Scout up, after end().
  using Read = std::function<bool(const Reply& reply, const Endpoint& from)>;
  using Trouble = std::function<void(const std::string& what)>;
  struct Plan {
    Greeting greeting;
    std::vector<std::string> question;
    std::uint64_t every_ms = 0;
    std::uint64_t doubt_ms = 0;  // at least, before the next one is asked
  };

  Scout(std::shared_ptr<Context> context, Plan plan, std::vector<Endpoint> candidates, Read read,
        Trouble trouble);
  ~Scout();

  void start() { link_->wake(); }
  void end() { link_->end(); }
  void ask();    // soon: what was answered last may not be so any more
  void doubt();  // what this server says proves wrong: the next one
  void set_candidates(std::vector<Endpoint> candidates);

 private:
  std::optional<Endpoint> link_target(const Link& link) override;
  void on_link_up(Link& link) override;
  void on_link_lost(Link& link, bool was_up, std::string_view why) override;
  void on_time();
  void on_answer(const Result& result);

  const std::shared_ptr<Context> context_;
  const Plan plan_;
  std::vector<Endpoint> candidates_;
  const Read read_;
  const Trouble trouble_;
  std::size_t at_ = 0;     // of candidates_
  bool waiting_ = false;   // for an answer
  bool answered_ = false;  // by this server, to good use
  std::uint64_t asked_ms_ = 0, doubted_ms_ = 0;
  net::Timer timer_;
  std::shared_ptr<Link> link_;
};

}  // namespace limpet::redis
