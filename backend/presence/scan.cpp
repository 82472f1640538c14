#include "backend/presence/scan.h"

#include <utility>

namespace limpet::presence {
namespace {

constexpr std::string_view kPage = "100";

}  // namespace

std::shared_ptr<Scan> Scan::start(Work work, Done done) {
  auto scan = std::make_shared<Scan>(std::move(work), std::move(done));
  scan->ask();
  return scan;
}

void Scan::ask() {
  const std::string key = work_.names.sockets_of_life(work_.life.name);
  work_.redis.command(
      {"HSCAN", key, cursor_, "COUNT", kPage},
      [self = shared_from_this()](const redis::Result& result) { self->on_page(result); }, key);
}

// One is owed for the page itself: an answer may come from within the call.
void Scan::on_page(const redis::Result& result) {
  if (!done_) return;
  const redis::Reply page = result.reply[1];
  if (!result.ok() || result.reply.size() != 2 || !page.is_array()) return finish(Outcome::failed);
  cursor_ = result.reply[0].text();
  owed_ = 1;
  for (std::size_t i = 0; i + 1 < page.size(); i += 2) {
    const Socket socket = socket_of(page[i].text(), page[i + 1].text());
    if (!work_.stays || !work_.stays(socket)) drop(socket);
  }
  settle();
}

void Scan::drop(const Socket& socket) {
  if (socket.user.empty()) {  // nothing of ours
    const std::string key = work_.names.sockets_of_life(work_.life.name);
    return work_.redis.command({"HDEL", key, socket.id}, {}, key);
  }
  ++owed_;
  work_.store.drop(work_.life, socket, [self = shared_from_this()](Outcome outcome) {
    if (outcome == Outcome::done) ++self->dropped_;
    if (outcome != Outcome::done && self->worst_ != Outcome::alive) self->worst_ = outcome;
    self->settle();
  });
}

void Scan::settle() {
  if (--owed_ > 0 || !done_) return;
  if (worst_ != Outcome::done || cursor_ == "0") return finish(worst_);
  ask();
}

void Scan::finish(Outcome outcome) {
  if (Done done = std::exchange(done_, {})) done(outcome, dropped_);
}

}  // namespace limpet::presence
