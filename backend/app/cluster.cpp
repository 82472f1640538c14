#include "backend/app/cluster.h"

#include <utility>

namespace limpet::app {
namespace {

constexpr std::uint64_t kCountMs = 2'000;

}  // namespace

Cluster::Cluster(net::Loop& loop, const ClusterSettings& settings, const std::string& node_id,
                 OnEvent on_event)
    : redis_(loop, settings.redis),
      count_(loop, net::delegate<&Cluster::on_count>(this)),
      patience_(loop, net::delegate<&Cluster::left>(this)) {
  redis_.on_event = on_event;
  redis_.on_link = [this](bool up) { on_link(up); };
  if (settings.join) {
    adapter_ = settings.join(redis_, tally_, [on_event](std::string_view what) {
      if (on_event) on_event(true, what);
    });
  }
  if (settings.presence)
    presence_ =
        std::make_unique<presence::Presence>(loop, redis_, presence::Settings{node_id, *settings.presence});
}

Cluster::~Cluster() {
  redis_.on_link = nullptr;  // presence goes before the link does
  redis_.on_event = nullptr;
}

void Cluster::start(socketio::Namespace& counted) {
  counted_ = &counted;
  redis_.start();
  on_count();
}

void Cluster::stop_counting() {
  counted_ = nullptr;
  count_.cancel();
}

void Cluster::on_link(bool up) {
  if (presence_) presence_->on_link(up);
  if (!up) nodes_ = 0;
  if (up && counted_ != nullptr) on_count();
}

void Cluster::on_count() {
  count_.after(kCountMs);
  if (!redis_.up() || counted_ == nullptr || !adapter_) return;
  counted_->server_count([held = std::weak_ptr(self_)](std::size_t nodes) {
    if (const auto me = held.lock()) (*me)->nodes_ = nodes;
  });
}

void Cluster::leave(std::uint64_t within_ms, std::function<void()> done) {
  on_left_ = std::move(done);
  patience_.after(within_ms);
  if (!presence_) return wait_for_answers();
  presence_->leave([this] { wait_for_answers(); });
}

// Sessions, say, that were saved as their sockets went: in a Redis Cluster each on the master of its key.
void Cluster::wait_for_answers() {
  redis_.when_answered([held = std::weak_ptr(self_)] {
    if (const auto me = held.lock()) (*me)->left();
  });
}

void Cluster::left() {
  patience_.cancel();
  if (const auto done = std::exchange(on_left_, {})) done();
}

}  // namespace limpet::app
