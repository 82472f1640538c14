#include "tests/unit/engine/world.h"

#include <charconv>

namespace limpet::engine {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";

bool whole(std::string_view seen) {
  const std::size_t head = seen.find(kEnd);
  if (head == std::string_view::npos) return false;
  if (seen.substr(0, head).find("chunked") != std::string_view::npos) return seen.ends_with("0\r\n\r\n");
  const std::size_t field = seen.find("Content-Length: ");
  if (field > head) return true;
  std::size_t length = 0;
  std::from_chars(seen.data() + field + 16, seen.data() + head, length);
  return seen.size() >= head + kEnd.size() + length;
}

}  // namespace

std::string masked_frame(int opcode, std::string_view body) {
  std::string out(1, static_cast<char>(0x80 | opcode));
  if (body.size() < 126) {
    out += static_cast<char>(0x80 | body.size());
  } else {
    out += static_cast<char>(0x80 | 126);
    out += static_cast<char>(body.size() >> 8);
    out += static_cast<char>(body.size());
  }
  constexpr std::string_view kMask = "mask";
  out += kMask;
  for (std::size_t i = 0; i < body.size(); ++i) out += static_cast<char>(body[i] ^ kMask[i % 4]);
  return out;
}

std::vector<Frame> frames_of(std::string_view bytes) {
  std::vector<Frame> frames;
  while (bytes.size() >= 2) {
    std::size_t head = 2, size = static_cast<unsigned char>(bytes[1]);
    if (size >= 126) {
      const std::size_t more = size == 126 ? 2 : 8;
      if (bytes.size() < head + more) break;
      size = 0;
      for (std::size_t i = 0; i < more; ++i) size = size << 8 | static_cast<unsigned char>(bytes[head + i]);
      head += more;
    }
    if (bytes.size() < head + size) break;
    frames.push_back({bytes[0] & 15, std::string(bytes.substr(head, size))});
    bytes.remove_prefix(head + size);
  }
  return frames;
}

World::World(Options options) {
  options.node_id = "ws1";
  http = std::make_unique<http::Server>(loop, http::Limits{});
  server = std::make_unique<Server>(loop, *http, options, app);
  net::BoundListener bound = net::bind_listener(net::Address::ip(*wire::IpAddress::parse("127.0.0.1"), 0), 1);
  EXPECT_EQ(bound.error, "");
  address = bound.address;
  http->listen(std::move(bound.sockets[0]));
}

bool World::until(std::function<bool()> so) {
  const std::uint64_t end = net::now_ms() + 5'000;
  while (true) {
    for (http::Client& each : clients) each.look();
    if (so()) return true;
    if (net::now_ms() > end) return false;
    net::Timer soon(loop, net::delegate<&net::Loop::stop>(&loop));
    soon.after(1);
    loop.run();
  }
}

void World::run_for(std::uint64_t ms) {
  const std::uint64_t end = net::now_ms() + ms;
  until([&] { return net::now_ms() > end; });
}

http::Client& World::connect() {
  return clients.emplace_back(address);
}

http::Client& World::start_get(std::string_view query, std::string_view fields) {
  http::Client& client = connect();
  client.send("GET /socket.io/?" + std::string(query) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) +
              "\r\n");
  return client;
}

http::Client& World::start_post(std::string_view query, std::string_view body, std::string_view fields) {
  http::Client& client = connect();
  client.send("POST /socket.io/?" + std::string(query) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) +
              "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body));
  return client;
}

bool World::answered(http::Client& client) {
  return until([&] { return client.ended() || whole(client.seen); });
}

std::string World::get(std::string_view query, std::string_view fields) {
  http::Client& client = start_get(query, fields);
  EXPECT_TRUE(answered(client));
  return client.seen;
}

std::string World::post(std::string_view query, std::string_view body, std::string_view fields) {
  http::Client& client = start_post(query, body, fields);
  EXPECT_TRUE(answered(client));
  return client.seen;
}

std::string World::open(std::string_view query) {
  const std::string answer = get(query);
  const std::size_t at = answer.find(R"("sid":")");
  return at == std::string::npos ? "" : answer.substr(at + 7, 20);
}

http::Client& World::websocket(std::string_view query, std::string_view fields) {
  return start_get(query,
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
                       std::string(fields));
}

std::string with_sid(std::string_view sid, std::string_view transport) {
  return "EIO=4&transport=" + std::string(transport) + "&sid=" + std::string(sid);
}

std::string body_of(std::string_view answer) {
  const std::size_t head = answer.find(kEnd);
  if (head == std::string_view::npos) return {};
  const bool chunked = answer.substr(0, head).find("chunked") != std::string_view::npos;
  answer.remove_prefix(head + kEnd.size());
  if (!chunked) return std::string(answer);
  std::string body;
  while (!answer.empty()) {
    std::size_t size = 0;
    std::from_chars(answer.data(), answer.data() + answer.size(), size, 16);
    answer.remove_prefix(answer.find("\r\n") + 2);
    if (size == 0) break;
    body += answer.substr(0, size);
    answer.remove_prefix(size + 2);
  }
  return body;
}

std::vector<Frame> frames_after_head(const http::Client& client) {
  const std::size_t head = client.seen.find(kEnd);
  if (head == std::string::npos) return {};
  return frames_of(std::string_view(client.seen).substr(head + kEnd.size()));
}

}  // namespace limpet::engine
