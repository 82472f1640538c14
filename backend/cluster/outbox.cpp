#include "backend/cluster/outbox.h"

#include <utility>

namespace limpet::cluster {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace

std::uint64_t Outbox::add(adapter::Target target, Deed deed, std::size_t bytes) {
  if (const auto* packet = std::get_if<adapter::Encoded>(&deed)) bytes = packet->bytes();
  bytes_ += bytes;
  waiting_.push_back({std::move(target), std::move(deed), bytes, false, {}});
  return first_ + waiting_.size() - 1;
}

void Outbox::add_settled(adapter::Target target, Deed deed) {
  settle(add(std::move(target), std::move(deed)), std::nullopt);
}

void Outbox::settle(std::uint64_t number, std::optional<std::string_view> offset) {
  if (number < first_) return;  // was not waited for
  Entry& entry = waiting_[number - first_];
  entry.settled = true;
  entry.offset = offset.value_or("");
  flush();
}

// What is done may say something new, or settle something, from within.
void Outbox::flush() {
  if (std::exchange(flushing_, true)) return;
  while (!host_.stopped() && !waiting_.empty() && (waiting_.front().settled || is_too_much())) {
    const Entry entry = std::move(waiting_.front());
    waiting_.pop_front();
    bytes_ -= entry.bytes;
    ++first_;
    perform(entry);
  }
  flushing_ = false;
}

void Outbox::perform(const Entry& entry) {
  const adapter::Target& target = entry.target;
  std::visit(Overloaded{
                 [&](const adapter::Encoded& packet) { host_.deliver(packet, target); },
                 [&](const Said& event) {
                   const auto offset =
                       entry.offset.empty() ? std::nullopt : std::optional<std::string_view>(entry.offset);
                   host_.deliver(host_.encode(event.event(), offset), target);
                 },
                 [&](const Join& join) { host_.join(target, join.rooms); },
                 [&](const Leave& leave) { host_.leave(target, leave.rooms); },
                 [&](const Disconnect& disconnect) { host_.disconnect(target, disconnect.close); },
                 [&](const Other& other) { other.deed(); },
             },
             entry.deed);
}

}  // namespace limpet::cluster
