// Modes of plain HTTP: get, get-close, download and upload.
#include "tests/bench/load/json.h"
#include "tests/bench/load/modes.h"
#include "tests/bench/load/sockets_mode.h"

namespace limpet::bench {
namespace {

constexpr double kMebibyte = 1024 * 1024;

// A request, its answer, the next request. Connections that the other side ends behind an answer, as it
// announced, are opened anew.
class Requests : public Handler {
 public:
  Requests(Load& load, const std::string& request) : load_(load), request_(request, 0) {
    for (std::uint32_t i = 0; i < load.options().sockets; ++i) {
      clients_.push_back(std::make_unique<Client>(load, *this, i));
    }
  }

  void run() {
    for (const auto& each : clients_) connect(*each);
    load_.loop_for(*this, load_.options().warm_up);
    take_count();
    load_.begin_window();
    const std::uint64_t before = answers_;
    load_.loop_for(*this, load_.options().seconds);
    load_.loop(*this, [this, before] { return answers_ > before || load_.errors() > 0; });
    take_count();
    load_.end_window();
    load_.note("reconnects", json(static_cast<double>(reconnects_)));
    for (const auto& each : clients_) each->close();
  }

  void on_head(Client& client) override {
    if (!client.has_length) return client.fail("an answer without Content-Length");
    if (client.body_left == 0) on_answer(client);
  }

  void on_bytes(Client& client, std::span<char> bytes) override {
    if (bytes.size() > client.body_left) return client.fail("more bytes than announced");
    client.body_left -= bytes.size();
    on_body(client, bytes);
    if (client.open() && client.body_left == 0) on_answer(client);
  }

  void on_end(Client& client, std::string_view why) override {
    const bool whole = client.received == client.sent;
    if (whole && client.last && why.empty()) {
      ++reconnects_;
    } else {
      load_.error(why.empty() ? "closed in the middle" : why);
    }
    connect(client);
  }

 protected:
  virtual void on_body(Client&, std::span<char>) {}
  virtual void on_whole(Client&) {}  // its answer has come
  virtual void take_count() {}       // the window begins or ends: bring unit() up to date
  const std::vector<std::unique_ptr<Client>>& clients() const { return clients_; }
  Load& load_;

 private:
  void connect(Client& client) {
    if (!client.connect(request_)) return load_.error(client.why());
    client.sent = 1;
  }

  void on_answer(Client& client) {
    ++client.received;
    ++answers_;
    if (load_.measuring()) load_.latency(now_ns() - client.started);
    on_whole(client);
    if (client.last) return client.finish();
    client.started = now_ns();
    ++client.sent;
    client.expect_head();
    client.send(request_, 1);
  }

  const Pattern request_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t answers_ = 0, reconnects_ = 0;
};

std::string_view path_of(const Load& load, std::string_view usual) {
  return load.options().path.empty() ? usual : load.options().path;
}

class Get : public Requests {
 public:
  Get(Load& load, std::string_view more)
      : Requests(load, load.plain_request("GET", path_of(load, "/"), more)) {}
  void on_whole(Client&) override { load_.unit(); }
};

class Download : public Requests {
 public:
  explicit Download(Load& load)
      : Requests(load, load.plain_request("GET", "/bytes/" + std::to_string(load.options().size))) {}

  void on_head(Client& client) override {
    if (client.body_left != load_.options().size) return client.fail("a body of another length");
    Requests::on_head(client);
  }
  void on_body(Client&, std::span<char> bytes) override {
    load_.unit(static_cast<double>(bytes.size()) / kMebibyte);
  }
};

class Upload : public Requests {
 public:
  explicit Upload(Load& load)
      : Requests(load, load.plain_request("POST", "/sink",
                                          "Content-Length: " + std::to_string(load.options().size) + "\r\n")),
        size_(load.options().size),
        size_text_(std::to_string(size_)),
        body_("b", 256 * 1024),
        in_body_(load.options().sockets) {}

  void on_flushed(Client& client) override {
    if (in_body_[client.index]) return;
    in_body_[client.index] = true;
    begun_ += size_;
    client.send(body_, size_);
  }

  void on_head(Client& client) override {
    if (client.body_left != size_text_.size()) return client.fail("an answer of another length");
    Requests::on_head(client);
  }

  // The server says how many bytes it got.
  void on_body(Client& client, std::span<char> bytes) override {
    const std::size_t at = size_text_.size() - static_cast<std::size_t>(client.body_left) - bytes.size();
    if (!std::ranges::equal(bytes, std::string_view(size_text_).substr(at, bytes.size()))) {
      client.fail("the body came incomplete");
    }
  }

  void on_whole(Client& client) override { in_body_[client.index] = false; }

  void on_end(Client& client, std::string_view why) override {
    in_body_[client.index] = false;
    Requests::on_end(client, why);
  }

  void take_count() override {
    std::uint64_t sent = begun_;
    for (const auto& each : clients()) sent -= in_body_[each->index] ? each->unsent() : 0;
    load_.unit(static_cast<double>(sent - std::exchange(counted_, sent)) / kMebibyte);
  }

 private:
  const std::uint64_t size_;
  const std::string size_text_;
  const Pattern body_;
  std::vector<bool> in_body_;              // by socket
  std::uint64_t begun_ = 0, counted_ = 0;  // bytes
};

}  // namespace

void run_get(Load& load) {
  Get(load, "").run();
}
void run_get_close(Load& load) {
  Get(load, "Connection: close\r\n").run();
}
void run_download(Load& load) {
  Download(load).run();
}
void run_upload(Load& load) {
  Upload(load).run();
}

}  // namespace limpet::bench
