// Dedicated: a link of its own, for a command that blocks.
#include <utility>

#include "backend/redis/impl.h"

namespace limpet::redis {

Dedicated::Dedicated(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {
  impl_->self = this;
}

Dedicated::~Dedicated() {
  impl_->self = nullptr;
  impl_->link->end();
}

void Dedicated::command(Words words, Done done, std::uint64_t blocks_ms) {
  impl_->link->send(words, {.done = std::move(done), .tally = Tally::command, .blocks_ms = blocks_ms});
}

bool Dedicated::up() const {
  return impl_->link->up();
}

std::optional<Endpoint> Dedicated::Impl::link_target(const Link&) {
  const auto behind = redis.lock();
  return behind ? behind->target_of(slot) : std::nullopt;
}

void Dedicated::Impl::on_link_up(Link&) {
  if (self == nullptr) return;
  if (const auto tell = self->on_link) tell(true);
}

void Dedicated::Impl::on_link_lost(Link&, bool was_up, std::string_view) {
  if (self == nullptr || !was_up) return;
  if (const auto tell = self->on_link) tell(false);
}

void Dedicated::Impl::on_link_error(Link& its_link, std::string_view error) {
  if (const auto behind = redis.lock()) behind->on_link_error(its_link, error);
}

}  // namespace limpet::redis
