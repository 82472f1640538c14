#include "backend/app/roster.h"

#include <utility>

#include "proxy/net/loop.h"

namespace limpet::app {
namespace {

namespace json = boost::json;
using socketio::Args;

constexpr std::string_view kQuestion = "limpet:nodes";
constexpr std::uint64_t kBetweenMs = 1'000;
constexpr std::size_t kMostNodes = 1'024, kMostId = 64;

}  // namespace

NodeSessions read_answers(const Args& answers, std::string_view own) {
  NodeSessions out;
  for (std::size_t i = 0; i < answers.size() && out.size() < kMostNodes; ++i) {
    const json::object* const node = answers[i].if_object();
    const json::value* const id = node != nullptr ? node->if_contains("id") : nullptr;
    const json::value* const sessions = node != nullptr ? node->if_contains("sessions") : nullptr;
    if (id == nullptr || !id->is_string() || id->get_string().size() > kMostId || sessions == nullptr)
      continue;
    json::error_code error;
    const auto count = sessions->to_number<std::uint64_t>(error);
    if (!error && id->get_string() != own) out[std::string(id->get_string())] = count;
  }
  return out;
}

Roster::Roster(socketio::Namespace& nsp, std::string id, std::function<std::size_t()> sessions)
    : nsp_(nsp), id_(std::move(id)), sessions_(std::move(sessions)) {
  nsp_.on("nodes", [this](const Args&, const socketio::Ack& ack) {
    ack(nodes());
    look();
  });
  nsp_.on_server_event(kQuestion, [this](const Args&, const std::function<void(const Args&)>& reply) {
    reply(Args::of(json::object{{"id", id_}, {"sessions", sessions_()}}));
  });
}

json::array Roster::nodes() const {
  json::array out;
  out.push_back(json::object{{"id", id_}, {"sessions", sessions_()}});
  for (const auto& [id, sessions] : others_) out.push_back(json::object{{"id", id}, {"sessions", sessions}});
  return out;
}

void Roster::look() {
  const std::uint64_t now = net::now_ms();
  if (asking_ || (asked_ms_ != 0 && now - asked_ms_ < kBetweenMs)) return;
  asked_ms_ = now;
  asking_ = true;
  nsp_.server_side_emit(kQuestion, Args(),
                        [held = std::weak_ptr(self_)](std::string_view, const Args& answers) {
                          if (const auto me = held.lock()) {
                            (*me)->asking_ = false;
                            (*me)->others_ = read_answers(answers, (*me)->id_);
                          }
                        });
}

}  // namespace limpet::app
