#include "backend/engine/polling.h"

#include <algorithm>
#include <utility>

#include "backend/engine/compression.h"
#include "backend/engine/jsonp.h"
#include "backend/engine/live_session.h"
#include "backend/engine/server_impl.h"
#include "backend/engine/text.h"
#include "backend/http/field.h"

namespace limpet::engine {
namespace {

constexpr std::uint64_t kCloseTimeoutMs = 30'000;    // engine.io's
constexpr std::size_t kMostCompressed = 256 * 1024;  // more would hold everybody up
constexpr std::size_t kWeightOfPacket = 64;          // beside its bytes, as ws counts it
constexpr std::size_t kQueueKept = 16;               // pointers
constexpr std::size_t kMostAnswered = 1024 * 1024;   // bytes in one answer, unless one packet has more
constexpr int kPacketsATurn = 64;                    // of one body, and no more
constexpr std::size_t kBytesATurn = 64 * 1024;

using http::value_of;

// As Node.js answers whose head has gone out before it knew that there is no body.
void answer_empty(http::Exchange& exchange, int status, std::string_view fields) {
  exchange.answer({.status = status, .fields = fields, .chunked = true});
}

}  // namespace

Polling::Polling(LiveSession& session, const Query& query)
    : session_(session),
      deadline_(session.server().loop, net::delegate<&Polling::expire>(this)),
      base64_(query.base64 || query.jsonp),
      jsonp_(query.jsonp),
      index_digits_(query.index_digits) {
  std::ranges::copy(query.index(), index_);
  deadline_.after(session.server().options.asked_within_ms);
  session.server().unasked.push_back(*this);
}

Polling::~Polling() {
  stop_waiting();
  if (poll_ != nullptr) poll_->destroy();
  if (post_ != nullptr) post_->destroy();
}

void Polling::stop_waiting() {
  if (is_linked()) session_.server().unasked.erase(boost::intrusive::list<Polling>::s_iterator_to(*this));
}

void Polling::asked() {
  stop_waiting();
  if (!close_due_) deadline_.cancel();
}

void Polling::on_request(http::Exchange& exchange) {
  if (!first_) asked();
  switch (exchange.head().method) {
    case wire::Method::get: return on_poll(exchange);
    case wire::Method::post: return on_post(exchange);
    default: return answer_empty(exchange, 500, session_.server().cors_fields_for(exchange));
  }
}

// --- polls ---

void Polling::on_poll(http::Exchange& exchange) {
  if (poll_ != nullptr) {
    session_.finish(Reason::transport_error);
    return answer_empty(exchange, 400, session_.server().cors_fields_for(exchange));
  }
  poll_ = &exchange;
  exchange.watch(&poll_watcher_);
  flush();
  if (poll_ == nullptr || !close_due_) return;
  const ControlPackets& control = session_.server().control;
  const ws::MessageRef last[] = {control.noop, control.close};
  answer_poll(last);
  session_.finish_closing();
}

void Polling::send(const ws::MessageRef& packet) {
  queued_ += packet->body().size() + kWeightOfPacket;
  queue_.push_back(packet);
  count_places();
  if (poll_ != nullptr) return flush();
  // One that finds nothing before it is always taken, however long.
  if (queue_.size() > 1 && queued_ > session_.server().options.max_queued) session_.overflow();
}

void Polling::count_places() {
  places_.set(queue_.capacity() * sizeof(ws::MessageRef));
}

void Polling::send_now(const ws::MessageRef& packet) {
  answer_poll({&packet, 1});
}

std::vector<ws::MessageRef> Polling::take_queue() {
  queued_ = 0;
  places_.set(0);
  return std::exchange(queue_, {});
}

// As much as one answer takes: what it holds is a copy, of which no bound of the queue knows. The rest waits
// for the next poll.
void Polling::flush() {
  if (poll_ == nullptr || queue_.empty()) return;
  std::vector<ws::MessageRef> packets = take_queue();
  std::size_t count = 0;
  for (std::size_t bytes = 0; count < packets.size(); ++count) {
    bytes += packets[count]->body().size();
    if (bytes > kMostAnswered && count > 0) break;
  }
  const auto left = packets.begin() + static_cast<std::ptrdiff_t>(count);
  for (auto each = left; each != packets.end(); ++each) queued_ += (*each)->body().size() + kWeightOfPacket;
  queue_.assign(left, packets.end());
  count_places();
  answer_poll({packets.data(), count});
  if (!queue_.empty()) return;
  packets.clear();
  if (packets.capacity() <= kQueueKept) queue_ = std::move(packets);
  session_.on_queue_flushed();
}

Form Polling::form_of(std::span<const ws::MessageRef> packets) const {
  if (session_.revision() == 4) return Form::separated;
  const auto is_binary = [](const ws::MessageRef& packet) { return packet->kind() == ws::Kind::binary; };
  return !base64_ && std::ranges::any_of(packets, is_binary) ? Form::bytes : Form::counted;
}

void Polling::answer_poll(std::span<const ws::MessageRef> packets) {
  Server::Impl& server = session_.server();
  http::Exchange& exchange = *std::exchange(poll_, nullptr);
  const Form form = form_of(packets);
  std::string& body = server.body;
  body.clear();
  append_payload(body, form, packets);
  if (jsonp_) {
    server.compressed.clear();
    append_jsonp(server.compressed, {index_, index_digits_}, body);
    body.swap(server.compressed);
  }
  http::Answer answer{.content_type =
                          form == Form::bytes ? "application/octet-stream" : "text/plain; charset=UTF-8"};
  Coding coding = Coding::identity;
  if (server.options.http_compression && body.size() >= server.options.compression_threshold &&
      body.size() <= kMostCompressed) {
    coding = choose_coding(value_of(exchange.head(), wire::FieldId::accept_encoding));
  }
  server.compressed.clear();
  if (coding != Coding::identity && compress(server.compressed, coding, body)) {
    answer.body = server.compressed;
    answer.chunked = true;
  } else {
    coding = Coding::identity;
    answer.body = body;
  }
  answer.fields =
      server.poll_fields_for(exchange, coding, std::exchange(first_, false) ? session_.sid() : "");
  exchange.answer(answer);
  server.shrink_scratch();
}

// --- bodies ---

void Polling::on_post(http::Exchange& exchange) {
  if (post_ != nullptr) {
    rest_.reset();  // the one before it is cut
    session_.finish(Reason::transport_error);
    return answer_empty(exchange, 400, session_.server().cors_fields_for(exchange));
  }
  octets_ = value_of(exchange.head(), wire::FieldId::content_type) == "application/octet-stream";
  if (octets_ && session_.revision() == 4) {
    session_.finish(Reason::transport_error);
    return answer_empty(exchange, 400, session_.server().cors_fields_for(exchange));
  }
  post_ = &exchange;
  exchange.watch(&body_watcher_);
  exchange.read_body(session_.server().options.max_payload);
}

void Polling::BodyWatcher::on_body(std::string_view body) {
  polling.take(body);
  if (!polling.rest_) polling.body_done();
}

// Once all its packets are handed up. A session that ended over one of them still says it.
void Polling::body_done() {
  http::Exchange& exchange = *std::exchange(post_, nullptr);
  exchange.answer(
      {.content_type = "text/html", .fields = session_.server().poll_fields_for(exchange), .body = "ok"});
}

void Polling::BodyWatcher::on_body_too_large() {
  http::Exchange& exchange = *std::exchange(polling.post_, nullptr);
  answer_empty(exchange, 413, polling.session_.server().cors_fields_for(exchange));
}

void Polling::take(std::string_view body) {
  session_.server().totals.bytes_in += body.size();
  std::string text_room;
  if (octets_ && !jsonp_) return take_packets(Form::bytes, body);
  const Form form = session_.revision() == 4 ? Form::separated : Form::counted;
  body = as_utf8(body, text_room);
  if (!jsonp_) return take_packets(form, body);
  std::optional<std::string> payload = payload_of_form(body);
  if (!payload) return;
  text_room.clear();
  take_packets(form, as_utf8(*payload, text_room));
}

void Polling::take_packets(Form form, std::string_view payload) {
  PayloadReader reader(form, payload);
  take_some(reader);
  if (session_.closed() || reader.over()) return;
  rest_ = std::make_unique<Rest>(*this, form, reader.rest());
  go_on_with_rest();
}

void Polling::go_on_with_rest() {
  if (!session_.paused()) session_.server().loop.at_end_of_turn(rest_->turn_end);
}

void Polling::resume() {
  if (rest_) go_on_with_rest();
}

// A turn's share.
void Polling::take_some(PayloadReader& reader) {
  taking_ = true;
  Packet packet;
  std::size_t bytes = 0;
  for (int i = 0; i < kPacketsATurn && bytes < kBytesATurn; ++i) {
    if (session_.closed() || session_.paused()) break;
    const PayloadReader::Step step = reader.next(packet);
    if (step == PayloadReader::Step::end) break;
    bytes += packet.data.size();
    if (step == PayloadReader::Step::bad) {
      session_.on_bad_packet();
    } else if (packet.type == Type::close) {
      session_.on_close_packet();
    } else {
      session_.on_packet(packet);
    }
  }
  taking_ = false;
}

void Polling::on_rest() {
  take_some(rest_->reader);
  if (!session_.closed() && !rest_->reader.over()) return go_on_with_rest();
  rest_.reset();
  body_done();
}

// --- the end ---

void Polling::PollWatcher::on_gone() {
  polling.poll_ = nullptr;
  polling.session_.finish(Reason::transport_error);
}

void Polling::BodyWatcher::on_gone() {
  polling.post_ = nullptr;
  polling.rest_.reset();
  polling.session_.finish(Reason::transport_error);
}

void Polling::close_with_next_poll() {
  close_due_ = true;
  deadline_.after(kCloseTimeoutMs);
}

void Polling::expire() {
  if (close_due_) return session_.finish_closing();
  session_.finish(Reason::ping_timeout);
}

void Polling::end(const ws::MessageRef& farewell) {
  stop_waiting();
  deadline_.cancel();
  take_queue();
  if (rest_ && !taking_) {  // a body that has come whole was taken, as far as there was a session for it
    rest_.reset();
    body_done();
  } else if (post_ != nullptr && !taking_) {
    std::exchange(post_, nullptr)->destroy();
  }
  if (poll_ != nullptr) answer_poll({&farewell, 1});
}

}  // namespace limpet::engine
