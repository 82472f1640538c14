// FakeHost: a namespace of one node, with sockets that keep what they hear, as JSON.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "backend/adapter/adapter.h"
#include "backend/adapter/rooms.h"
#include "backend/codec/json_writer.h"

namespace limpet::cluster {

struct FakeSocket final : adapter::Member {
  explicit FakeSocket(std::string_view id) { name(id); }
  std::vector<std::string> heard;
  boost::json::value data = boost::json::object();
};

class FakeHost final : public adapter::Host {
 public:
  using Args = adapter::Args;
  using Reply = std::function<void(const Args&)>;

  explicit FakeHost(net::Loop& loop, std::string name = "/") : loop_(loop), name_(std::move(name)) {}
  ~FakeHost() {
    for (auto& socket : sockets_) rooms_.remove(*socket);
  }

  FakeSocket& add(std::string_view id, const std::vector<std::string>& rooms = {}) {
    FakeSocket& socket = *sockets_.emplace_back(std::make_unique<FakeSocket>(id));
    rooms_.join(socket, id);
    for (const std::string& room : rooms) rooms_.join(socket, room);
    rooms_.add(socket);
    return socket;
  }
  std::vector<std::string> rooms_of(const FakeSocket& socket) { return rooms_.names_of(socket); }
  static std::string json(const Args& args) {
    std::string text;
    boost::json::array values = args.values();
    codec::write_json_with_buffers(text, std::move(values), args);
    return text;
  }

  std::string_view name() const override { return name_; }
  bool stopped() const override { return stop; }
  net::Loop& loop() override { return loop_; }
  adapter::Rooms& rooms() override { return rooms_; }
  adapter::Encoded encode(const adapter::Event& event, std::optional<std::string_view> offset) override {
    return {ws::Message::make(ws::Kind::text, {text_of(event, offset)}), {}};
  }
  void check(const adapter::Event& event) const override { (void)text_of(event, std::nullopt); }
  void deliver(const adapter::Encoded& event, const adapter::Target& target) override {
    last = target;
    rooms_.visit(target, [&](adapter::Member& member) {
      static_cast<FakeSocket&>(member).heard.emplace_back(event.head->body());
    });
  }
  // Those who are asked answer by answer().
  std::size_t deliver_with_ack(const adapter::Event& event, const adapter::Target& target,
                               Reply on_ack) override {
    const std::string text = text_of(event, std::nullopt);
    last = target;
    std::size_t count = 0;
    rooms_.visit(target, [&](adapter::Member& member) {
      static_cast<FakeSocket&>(member).heard.push_back(text);
      ++count;
    });
    asked.assign(count, std::move(on_ack));
    return count;
  }
  void answer(const Args& args) {
    for (const Reply& reply : std::exchange(asked, {})) reply(args);
  }
  void fetch(const adapter::Target& target, std::vector<adapter::RemoteSocket>& found) override {
    rooms_.visit(target, [&](adapter::Member& member) {
      found.push_back({std::string(member.id()),
                       {{"url", "/" + std::string(member.id())}},
                       rooms_.names_of(member),
                       static_cast<FakeSocket&>(member).data});
    });
  }
  void join(const adapter::Target& target, const std::vector<std::string>& rooms) override {
    for (FakeSocket* socket : chosen(target)) {
      for (const std::string& room : rooms) rooms_.join(*socket, room);
    }
  }
  void leave(const adapter::Target& target, const std::vector<std::string>& rooms) override {
    for (FakeSocket* socket : chosen(target)) {
      for (const std::string& room : rooms) rooms_.leave(*socket, room);
    }
  }
  void disconnect(const adapter::Target& target, bool close) override {
    for (FakeSocket* socket : chosen(target)) {
      gone.push_back(std::string(socket->id()) + (close ? " closed" : ""));
      rooms_.remove(*socket);
    }
    if (on_disconnect) on_disconnect();
  }
  void supersede(std::string_view id) override { superseded.emplace_back(id); }
  void save(std::string_view id) override { saved.emplace_back(id); }
  bool on_server_side_event(std::string_view event, const Args& args, Reply reply) override {
    const auto at = handlers.find(std::string(event));
    if (at == handlers.end()) return false;
    if (reply)  // once, as a Host has it
      reply = [reply, used = std::make_shared<bool>(false)](const Args& answer) {
        if (!std::exchange(*used, true)) reply(answer);
      };
    at->second(args, std::move(reply));
    return true;
  }

  std::map<std::string, std::function<void(const Args&, Reply)>> handlers;  // of server-side events
  std::vector<Reply> asked;
  std::vector<std::string> gone, superseded, saved;
  adapter::Target last;
  std::function<void()> on_disconnect;
  bool stop = false;

 private:
  std::vector<FakeSocket*> chosen(const adapter::Target& target) {
    std::vector<FakeSocket*> sockets;
    rooms_.visit(target,
                 [&](adapter::Member& member) { sockets.push_back(static_cast<FakeSocket*>(&member)); });
    return sockets;
  }
  static std::string text_of(const adapter::Event& event, std::optional<std::string_view> offset) {
    if (event.name == "connect" && !event.name_is_number) throw std::invalid_argument("reserved event");
    std::string text = "[";
    if (event.name_is_number)
      text += event.name;
    else
      codec::write_string(text, event.name);
    for (const auto& value : event.args.values()) {
      text += ',';
      codec::write_json_with_buffers(text, value, event.args);
    }
    if (offset) codec::write_string(text += ',', *offset);
    return text += ']';
  }

  net::Loop& loop_;
  std::string name_;
  adapter::Rooms rooms_;
  std::vector<std::unique_ptr<FakeSocket>> sockets_;
};

}  // namespace limpet::cluster
