// Operations over nodes that are real programs, and a proxy that says what a test wants it to say.
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

#include "proxy/bundle/operation.h"
#include "proxy/net/signals.h"

namespace limpet::bundle {
namespace {

using testing::Contains;
using testing::ElementsAre;

constexpr std::uint64_t kPatienceMs = 60'000;

// The admin socket of a proxy with the pool "nodes". What it says and does is under its lock.
class SaidProxy {
 public:
  explicit SaidProxy(const std::string& path) : listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener_, 16) != 0)
      std::abort();
    thread_ = std::thread([this] { run(); });
  }
  ~SaidProxy() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  void set(const std::string& id, const std::string& state, const std::string& wanted = "serving") {
    const std::lock_guard lock(mutex_);
    pool_[id] = {state, wanted};
  }
  void move(const std::string& id, const std::string& state) {
    const std::lock_guard lock(mutex_);
    pool_.at(id).state = state;
  }
  std::string wanted(const std::string& id) {
    const std::lock_guard lock(mutex_);
    return pool_.at(id).wanted;
  }
  std::vector<std::string> asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  int looks() {
    const std::lock_guard lock(mutex_);
    return looks_;
  }
  // "n1/drain" is not heard.
  void deaf_to(const std::string& what) {
    const std::lock_guard lock(mutex_);
    deaf_to_ = what;
  }
  // After "n1/drain" was heard the first time the state of another one is this.
  void after(const std::string& what, const std::string& id, const std::string& state) {
    const std::lock_guard lock(mutex_);
    after_ = what;
    then_ = {id, state};
  }

 private:
  void run() {
    for (int peer; (peer = ::accept(listener_, nullptr, nullptr)) >= 0; ::close(peer)) {
      std::string in;
      char bytes[1024];
      for (ssize_t got;
           in.find("\r\n\r\n") == std::string::npos && (got = ::read(peer, bytes, sizeof(bytes))) > 0;)
        in.append(bytes, static_cast<std::size_t>(got));
      const std::string out = answer(in);
      if (!out.empty()) (void)!::write(peer, out.data(), out.size());
    }
  }

  std::string answer(const std::string& in) {
    const std::lock_guard lock(mutex_);
    std::string body = "{}";
    const std::string post = "POST /pools/nodes/servers/";
    if (in.starts_with(post)) {
      const std::string what = in.substr(post.size(), in.find(' ', post.size()) - post.size());
      if (what == deaf_to_) return {};
      asked_.push_back(what);
      const std::size_t slash = what.find('/');
      pool_[what.substr(0, slash)].wanted = what.substr(slash + 1) == "drain" ? "draining" : "serving";
      if (what == after_) {
        after_.clear();
        pool_[then_.first].state = then_.second;
      }
    } else {
      ++looks_;
      std::string servers;
      for (const auto& [id, server] : pool_)
        servers += (servers.empty() ? "" : ",") + std::string(R"({"id":")") + id + R"(","state":")" +
                   server.state + R"(","wanted":")" + server.wanted + "\"}";
      body = R"({"pools":[{"name":"nodes","servers":[)" + servers + "]}]}";
    }
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  const int listener_;
  std::mutex mutex_;
  PoolState pool_;
  std::vector<std::string> asked_;
  std::string deaf_to_, after_;
  std::pair<std::string, std::string> then_;
  int looks_ = 0;
  std::thread thread_;
};

class OperationsTest : public testing::Test, public Child::Owner, public Fleet {
 protected:
  void SetUp() override {
    char name[] = "/tmp/limpet-unit-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder = name;
    admin.kind = config::Endpoint::Kind::unix_socket;
    admin.path = folder + "/proxy";
    proxy = std::make_unique<SaidProxy>(admin.path);
  }
  void TearDown() override {
    operation.reset();
    for (const auto& each : children) {
      if (runs(each->state())) each->kill();
    }
    EXPECT_TRUE(comes([this] {
      return std::ranges::none_of(children, [](const auto& each) { return runs(each->state()); });
    }));
    children.clear();
    proxy.reset();
    std::filesystem::remove_all(folder);
  }

  void make(int count) {
    for (int i = 1; i <= count; ++i) {
      const std::string id = "n" + std::to_string(i), socket = folder + "/" + id;
      ChildSpec spec;
      spec.id = id;
      spec.command = {"redis-server", "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder};
      spec.environment = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
      spec.check.type = Check::Type::redis;
      spec.check.address.kind = config::Endpoint::Kind::unix_socket;
      spec.check.address.path = socket;
      spec.check.interval_ms = 50;
      spec.check.http.timeout_ms = 500;
      spec.check.patience_ms = kPatienceMs;
      children.emplace_back(std::make_unique<Child>(net_loop, std::move(spec), *this))->start();
      proxy->set(id, "up");
    }
    ASSERT_TRUE(comes([this] {
      return std::ranges::all_of(children, [](const auto& each) { return each->state() == State::ready; });
    }));
  }
  void begin(std::unique_ptr<Operation> fresh) {
    operation = std::move(fresh);
    operation->start();
  }
  void restart() { begin(rolling_restart(*this, done())); }
  Operation::Done done() {
    return [this](const std::string& wrong) { ended = wrong; };
  }
  bool ends() {
    return comes([this] { return ended.has_value(); });
  }
  std::vector<std::uint32_t> restarts() const {
    std::vector<std::uint32_t> out;
    for (const auto& each : children) out.push_back(each->view().restarts);
    return out;
  }

  bool comes(std::function<bool()> what) {
    const std::uint64_t end = net::now_ms() + kPatienceMs;
    while (!what() && net::now_ms() < end) {
      tick.after(10);
      net_loop.run();
      if (std::exchange(changed, false) && operation && !ended) operation->on_change();
    }
    return what();
  }
  void on_tick() { net_loop.stop(); }
  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      for (const auto& each : children) {
        if (pid == each->guard()) each->on_end(status);
      }
    }
  }
  void on_state(Child&, State, State) override { changed = true; }
  void on_line(const Child&, std::string_view) override {}

  net::Loop& loop() override { return net_loop; }
  const config::Endpoint& proxy_admin() override { return admin; }
  std::vector<Child*> nodes() override {
    std::vector<Child*> out;
    for (const auto& each : children) out.push_back(each.get());
    return out;
  }
  Child* add_node() override { return nullptr; }
  void remove_node(Child&) override {}
  void give_back(Child& node) override { given_back.push_back(node.spec().id); }
  bool owes(const Child& node) const override { return node.spec().id == owed; }
  std::string tell_proxy() override { return {}; }

  std::string folder, owed;
  config::Endpoint admin;
  std::unique_ptr<SaidProxy> proxy;
  net::Loop net_loop;
  net::Timer tick{net_loop, net::delegate<&OperationsTest::on_tick>(this)};
  net::Signals signals{net_loop, {SIGCHLD}, [this](int) { reap(); }};
  std::vector<std::unique_ptr<Child>> children;
  std::unique_ptr<Operation> operation;
  std::optional<std::string> ended;
  std::vector<std::string> given_back;
  bool changed = false;
};

TEST_F(OperationsTest, ARestartDrainsTheNextInLineFirstAndGivesAllBack) {
  make(3);
  restart();
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "");
  EXPECT_THAT(restarts(), ElementsAre(1, 1, 1));
  EXPECT_THAT(proxy->asked(), ElementsAre("n2/drain", "n1/drain", "n1/ready", "n3/drain", "n2/drain",
                                          "n2/ready", "n3/drain", "n3/ready"));
}

TEST_F(OperationsTest, ARestartWhoseNextInLineCannotBeDrainedIsGivenUp) {
  make(3);
  proxy->deaf_to("n2/drain");
  restart();
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "the proxy does not answer");
  EXPECT_THAT(restarts(), ElementsAre(0, 0, 0));
}

TEST_F(OperationsTest, ANodeThatFailsWhileAnotherIsDrainedHasItsTurnBeforeThat) {
  make(3);
  proxy->after("n1/drain", "n3", "refusing");
  restart();
  ASSERT_TRUE(comes([this] { return children[2]->view().restarts == 1; }));
  EXPECT_THAT(restarts(), ElementsAre(0, 0, 1));
  proxy->move("n3", "up");
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "");
  EXPECT_THAT(restarts(), ElementsAre(1, 1, 1));
  for (const char* id : {"n1", "n2", "n3"}) EXPECT_EQ(proxy->wanted(id), "serving") << id;
}

TEST_F(OperationsTest, ARestartWaitsUntilTheProxySeesTheOtherOneUp) {
  make(2);
  proxy->move("n2", "suspect");
  restart();
  ASSERT_TRUE(comes([this] { return proxy->looks() >= 3; }));
  EXPECT_THAT(proxy->asked(), ElementsAre());
  proxy->move("n2", "up");
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "");
}

TEST_F(OperationsTest, TheNextInLineServesWhileNobodyElseDoes) {
  make(3);
  proxy->after("n1/drain", "n1", "down");  // until it is asked for
  restart();
  ASSERT_TRUE(comes([this] { return children[0]->view().restarts == 1; }));
  proxy->move("n3", "down");
  ASSERT_TRUE(comes([this] { return proxy->wanted("n2") == "serving"; }));
  proxy->move("n3", "up");
  ASSERT_TRUE(comes([this] { return proxy->wanted("n2") == "draining"; }));
  proxy->move("n1", "up");
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "");
  EXPECT_THAT(restarts(), ElementsAre(1, 1, 1));
}

TEST_F(OperationsTest, WhoIsOwedSessionsIsNotTakenForDrainedByAnOperator) {
  make(2);
  owed = "n2";
  proxy->set("n2", "up", "draining");
  restart();
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "");
  EXPECT_EQ(proxy->wanted("n2"), "serving");
}

TEST_F(OperationsTest, FewerNodesWhoseDrainIsNotHeardStayAndServe) {
  make(3);
  proxy->deaf_to("n3/drain");
  begin(scale(*this, 1, done()));
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "the proxy does not answer");
  EXPECT_THAT(proxy->asked(), Contains("n2/ready"));
  for (const auto& each : children) EXPECT_EQ(each->state(), State::ready);
}

TEST_F(OperationsTest, FewerNodesAreGivenUpIfThoseThatStayFailMeanwhile) {
  make(3);
  proxy->after("n3/drain", "n1", "refusing");
  begin(scale(*this, 1, done()));
  ASSERT_TRUE(ends());
  EXPECT_EQ(*ended, "n1 is not up: nobody who stays would serve");
  for (const char* id : {"n2", "n3"}) EXPECT_EQ(proxy->wanted(id), "serving") << id;
  for (const auto& each : children) EXPECT_EQ(each->state(), State::ready);
}

}  // namespace
}  // namespace limpet::bundle
