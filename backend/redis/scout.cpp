#include "backend/redis/scout.h"

#include <algorithm>
#include <utility>

namespace limpet::redis {
namespace {

constexpr std::uint64_t kBetweenMs = 50;  // two questions, however often one is told to ask

}  // namespace

Scout::Scout(std::shared_ptr<Context> context, Plan plan, std::vector<Endpoint> candidates, Read read,
             Trouble trouble)
    : context_(std::move(context)),
      plan_(std::move(plan)),
      candidates_(std::move(candidates)),
      read_(std::move(read)),
      trouble_(std::move(trouble)),
      timer_(context_->loop, net::delegate<&Scout::on_time>(this)),
      link_(std::make_shared<Link>(context_, *this, Link::Use::commands, plan_.greeting)) {}

Scout::~Scout() {
  link_->end();
}

void Scout::ask() {
  if (!link_->up() || waiting_) return;
  const std::uint64_t now = net::now_ms();
  timer_.after(now - asked_ms_ >= kBetweenMs ? 0 : kBetweenMs - (now - asked_ms_));
}

void Scout::doubt() {
  const std::uint64_t now = net::now_ms();
  const bool often = now - doubted_ms_ < plan_.doubt_ms;
  if (!answered_ || candidates_.size() < 2 || often) return ask();
  doubted_ms_ = now;
  link_->drop("what it says is not so");
}

void Scout::set_candidates(std::vector<Endpoint> candidates) {
  const Endpoint here = link_->endpoint();
  candidates_ = std::move(candidates);
  const auto found = std::ranges::find(candidates_, here);
  at_ = found == candidates_.end() ? 0 : static_cast<std::size_t>(found - candidates_.begin());
}

std::optional<Endpoint> Scout::link_target(const Link&) {
  if (candidates_.empty()) return std::nullopt;
  return candidates_[at_ % candidates_.size()];
}

void Scout::on_link_up(Link&) {
  on_time();
}

void Scout::on_link_lost(Link& link, bool was_up, std::string_view why) {
  const auto pin = shared_from_this();
  timer_.cancel();
  waiting_ = answered_ = false;
  at_ = candidates_.empty() ? 0 : (at_ + 1) % candidates_.size();
  if (!was_up) trouble_("cannot connect to " + shown(link.endpoint()) + ": " + std::string(why));
}

void Scout::on_time() {
  const auto pin = shared_from_this();
  if (!link_->up() || waiting_) return;
  waiting_ = true;
  asked_ms_ = net::now_ms();
  std::vector<std::string_view> words(plan_.question.begin(), plan_.question.end());
  link_->send(words, {.done = [this](const Result& result) { on_answer(result); }});
}

void Scout::on_answer(const Result& result) {
  waiting_ = false;
  if (!link_->up()) return;  // lost with its link, of which we are told
  const auto pin = shared_from_this();
  const Endpoint from = link_->endpoint();
  const bool good = result.ok() && read_(result.reply, from);
  if (!link_->up()) return;
  if (good) {
    answered_ = true;
    return timer_.after(plan_.every_ms);
  }
  trouble_(shown(from) + " does not know: " + (result.ok() ? "no answer of use" : std::string(result.error)));
  link_->drop("it does not know");
}

}  // namespace limpet::redis
