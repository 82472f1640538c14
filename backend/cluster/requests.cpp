#include "backend/cluster/requests.h"

#include <iterator>
#include <utility>

namespace limpet::cluster {

struct Requests::Open {
  Open(Requests& the_owner, std::string the_id, net::Loop& loop)
      : owner(the_owner), id(std::move(the_id)), timer(loop, net::delegate<&Open::on_timeout>(this)) {}
  void on_timeout();
  void found(std::vector<adapter::RemoteSocket> more) {
    sockets.insert(sockets.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }

  Requests& owner;
  std::string id;
  net::Timer timer;
  Fetched fetched;  // one of the three is set
  Answered answered;
  Asked asked;
  bool counted = false;  // the nodes
  std::size_t expected = 0, current = 0;
  std::vector<adapter::RemoteSocket> sockets;
  codec::Args answers;
  std::size_t clients = 0, acks = 0;
};

Requests::Requests(net::Loop& loop, Tally tally, Manner manner)
    : loop_(loop), tally_(std::move(tally)), manner_(std::move(manner)) {}

Requests::~Requests() {
  close();
}

void Requests::close() {
  while (!open_.empty()) finish(*open_.begin()->second, "the namespace is no more");
}

Requests::Open& Requests::add(std::uint64_t timeout_ms, std::string& id) {
  id = manner_.draw_id();
  auto& open = open_[id] = std::make_unique<Open>(*this, id, loop_);
  open->timer.after(timeout_ms);
  return *open;
}

std::string Requests::fetch(std::uint64_t timeout_ms, Fetched done,
                            std::vector<adapter::RemoteSocket> found) {
  std::string id;
  Open& open = add(timeout_ms, id);
  open.fetched = std::move(done);
  open.sockets = std::move(found);
  return id;
}

std::string Requests::emit(std::uint64_t timeout_ms, Answered done) {
  std::string id;
  add(timeout_ms, id).answered = std::move(done);
  return id;
}

std::string Requests::broadcast(std::uint64_t timeout_ms, Asked asked) {
  std::string id;
  add(timeout_ms, id).asked = std::move(asked);
  return id;
}

Requests::Open* Requests::find(std::string_view id) {
  const auto at = open_.find(id);
  return at == open_.end() ? nullptr : at->second.get();
}

void Requests::expect(std::string_view id, std::size_t others) {
  Open* open = find(id);
  if (open == nullptr) return;
  open->counted = true;
  open->expected = others;
  if (others == 0) finish(*open, {});
}

void Requests::fail(std::string_view id, std::string_view error) {
  if (Open* open = find(id)) finish(*open, error);
}

bool Requests::on_sockets(std::string_view id, std::vector<adapter::RemoteSocket> sockets) {
  Open* open = find(id);
  if (open == nullptr || !open->counted) return true;
  if (!open->fetched) return false;
  open->found(std::move(sockets));
  count(*open);
  return true;
}

bool Requests::on_answer(std::string_view id, const codec::Args& answer) {
  Open* open = find(id);
  if (open == nullptr || !open->counted) return true;
  if (!open->answered) return false;
  open->answers.add(open->answers.adopt(answer, answer[0]));
  count(*open);
  return true;
}

void Requests::count(Open& open) {
  if (++open.current == open.expected) finish(open, {});
}

bool Requests::on_clients(std::string_view id, std::size_t count) {
  Open* open = find(id);
  if (open == nullptr) return true;
  if (!open->asked.on_clients) return false;
  open->clients += count;
  const auto call = open->asked.on_clients;  // it may end the question
  call(count);
  return true;
}

bool Requests::on_ack(std::string_view id, const codec::Args& answer) {
  Open* open = find(id);
  if (open == nullptr) return true;
  if (!open->asked.on_ack || open->acks == open->clients) return false;
  ++open->acks;
  const auto call = open->asked.on_ack;
  call(answer);
  return true;
}

// Out of the table first: whoever is called may ask again.
void Requests::finish(Open& open, std::string_view error) {
  const auto node = open_.extract(open_.find(open.id));
  open.timer.cancel();
  if (open.fetched) open.fetched(error, std::move(open.sockets));
  if (open.answered) open.answered(error, open.answers);
}

// A broadcast's is no fault: its host knows who has not answered.
void Requests::Open::on_timeout() {
  if (asked.on_ack) return owner.finish(*this, {});
  ++owner.tally_->unanswered;
  if (fetched && !owner.manner_.fetch_timeout.empty())
    return owner.finish(*this, owner.manner_.fetch_timeout);
  const std::string error = counted ? "timeout reached: only " + std::to_string(current) +
                                          " responses received out of " + std::to_string(expected)
                                    : "timeout reached: the nodes could not be counted";
  owner.finish(*this, error);
}

}  // namespace limpet::cluster
