#include "backend/app/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <limits>
#include <utility>

#include "backend/budget/budget.h"

namespace limpet::app {
namespace {

constexpr std::uint64_t kTickMs = 1'000;
constexpr double kWheelS = 0.008;  // a timer of the wheel may be that late by itself

using Label = std::pair<const char*, std::string>;

class Page {
 public:
  void gauge(const char* name, const char* help, double value) {
    add(prometheus::MetricType::Gauge, name, help, {{}, value});
  }
  void counter(const char* name, const char* help, double value) {
    add(prometheus::MetricType::Counter, name, help, {{}, value});
  }
  struct Sample {
    std::vector<Label> labels;
    double value;
  };
  void both_ways(const char* name, const char* help, std::uint64_t in, std::uint64_t out) {
    add(prometheus::MetricType::Counter, name, help,
        {{{{"direction", "in"}}, static_cast<double>(in)},
         {{{"direction", "out"}}, static_cast<double>(out)}});
  }
  void add(prometheus::MetricType type, const char* name, const char* help, const Sample& sample) {
    add(type, name, help, std::vector<Sample>{sample});
  }
  void add(prometheus::MetricType type, const char* name, const char* help,
           const std::vector<Sample>& samples) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = type;
    for (const Sample& each : samples) {
      prometheus::ClientMetric& metric = family.metric.emplace_back();
      for (const auto& [label, value] : each.labels) metric.label.push_back({label, value});
      (type == prometheus::MetricType::Counter ? metric.counter.value : metric.gauge.value) = each.value;
    }
  }
  void histogram(const char* name, const char* help, const LagMeter::Lag& lag) {
    prometheus::MetricFamily& family = families_.emplace_back();
    family.name = name;
    family.help = help;
    family.type = prometheus::MetricType::Histogram;
    prometheus::ClientMetric::Histogram& out = family.metric.emplace_back().histogram;
    out.sample_count = lag.count;
    out.sample_sum = lag.sum_s;
    std::uint64_t so_far = 0;
    for (std::size_t i = 0; i < lag.buckets.size(); ++i) {
      so_far += lag.buckets[i];
      const bool last = i == std::size(LagMeter::kBounds);
      out.bucket.push_back({so_far, last ? std::numeric_limits<double>::infinity() : LagMeter::kBounds[i]});
    }
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  std::vector<prometheus::MetricFamily> families_;
};

std::uint64_t resident_bytes() {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen("/proc/self/statm", "re"),
                                                                &std::fclose);
  unsigned long long all = 0, resident = 0;
  if (!file || std::fscanf(file.get(), "%llu %llu", &all, &resident) != 2) return 0;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double number(std::uint64_t count) {
  return static_cast<double>(count);
}

void add_sessions(Page& page, const Counted& counted) {
  constexpr auto kGauge = prometheus::MetricType::Gauge, kCounter = prometheus::MetricType::Counter;
  const engine::Totals& engine = counted.io.engine().totals();
  page.gauge("websocket_connections", "Sessions over WebSocket; what an autoscaler looks at.",
             engine.websockets);
  page.add(kGauge, "limpet_node_sessions", "Engine.IO sessions by transport.",
           {{{{"transport", "websocket"}}, double(engine.websockets)},
            {{{"transport", "polling"}}, double(engine.pollings)}});
  page.gauge("limpet_node_max_connections", "Sessions that are served at the most.", counted.max_connections);
  page.counter("limpet_node_sessions_opened_total", "Engine.IO sessions that were opened.",
               number(engine.opened));
  std::vector<Page::Sample> ended;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(engine::Reason::server_shutting_down); ++i) {
    ended.push_back({{{"reason", std::string(engine::text_of(static_cast<engine::Reason>(i)))}},
                     number(engine.by_reason[i])});
  }
  page.add(kCounter, "limpet_node_sessions_closed_total", "Engine.IO sessions that ended, by reason.", ended);
  page.both_ways("limpet_node_packets_total", "Engine.IO packets.", engine.packets_in, engine.packets_out);
  page.both_ways("limpet_node_bytes_total", "Bytes of Engine.IO packets.", engine.bytes_in, engine.bytes_out);
}

void add_sockets(Page& page, const socketio::Totals& io) {
  page.gauge("limpet_node_sockets", "Socket.IO sockets, of all namespaces.", number(io.sockets));
  page.gauge("limpet_node_rooms", "Rooms, those of single sockets not counted.", number(io.rooms));
  page.gauge("limpet_node_namespaces", "Namespaces.", number(io.namespaces));
  page.both_ways("limpet_node_events_total", "Events; out: times delivered.", io.events_in, io.events_out);
  page.both_ways("limpet_node_acks_total", "Acknowledgements.", io.acks_in, io.acks_out);
  page.counter("limpet_node_sockets_connected_total", "Sockets that were let in.", number(io.connected));
  page.counter("limpet_node_sockets_refused_total", "Sockets that were not.", number(io.refused));
  page.counter("limpet_node_sockets_recovered_total", "Sockets that were given back what they had.",
               number(io.recovered));
  page.counter("limpet_node_invalid_total", "Connections closed for what they sent.", number(io.invalid));
  page.counter("limpet_node_over_limit_total", "Clients that asked for more than they may.",
               number(io.over_limit));
  page.counter("limpet_node_throttled_total", "Times when a client was read no more for a while.",
               number(io.throttled));
  page.counter("limpet_node_exceptions_total", "Exceptions that left handlers.", number(io.exceptions));
}

void add_raw(Page& page, const raw::Endpoint& endpoint) {
  const raw::Totals& raw = endpoint.totals();
  page.gauge("limpet_node_raw_connections", "Connections of the plain WebSocket endpoint.",
             number(endpoint.connections()));
  page.gauge("limpet_node_raw_topics", "Topics that somebody is subscribed to.", number(endpoint.topics()));
  page.counter("limpet_node_raw_opened_total", "Connections of it that were opened.", number(raw.opened));
  page.counter("limpet_node_raw_refused_total", "Those that were not.", number(raw.refused));
  page.both_ways("limpet_node_raw_messages_total", "Its messages; out: times sent.", raw.messages_in,
                 raw.messages_out);
  page.counter("limpet_node_raw_left_out_total", "Messages that slow readers missed.", number(raw.left_out));
  page.counter("limpet_node_raw_timed_out_total", "Connections of it that fell silent.",
               number(raw.timed_out));
}

void add_redis(Page& page, const redis::Redis& redis) {
  const redis::Totals totals = redis.totals();
  page.gauge("limpet_node_redis_up", "1 while there is a link to Redis.", redis.up() ? 1 : 0);
  page.gauge("limpet_node_redis_lag_seconds", "How long Redis took to answer the last command.",
             number(totals.last_answer_us) / 1e6);
  page.gauge("limpet_node_redis_pending_bytes", "Commands that wait to leave or to be answered.",
             number(totals.pending_bytes));
  page.counter("limpet_node_redis_commands_total", "Commands.", number(totals.commands));
  page.counter("limpet_node_redis_commands_failed_total", "Those that had no answer, or an error.",
               number(totals.failed));
  page.counter("limpet_node_redis_published_total", "Messages to other nodes.", number(totals.published));
  page.counter("limpet_node_redis_publishes_failed_total", "Those that Redis did not take: they are lost.",
               number(totals.publishes_failed));
  page.counter("limpet_node_redis_messages_total", "Messages that came by subscriptions.",
               number(totals.messages));
  page.counter("limpet_node_redis_connects_total", "Connections to Redis.", number(totals.connects));
  page.counter("limpet_node_redis_reconnects_total", "Those in place of one that was lost.",
               number(totals.reconnects));
  page.counter("limpet_node_redis_connects_failed_total", "Attempts that failed.",
               number(totals.connects_failed));
  page.both_ways("limpet_node_redis_bytes_total", "Bytes to and from Redis.", totals.bytes_in,
                 totals.bytes_out);
}

void add_presence(Page& page, const presence::Totals& presence) {
  page.gauge("limpet_node_presence_sockets", "Sockets of users here.", number(presence.sockets));
  page.gauge("limpet_node_presence_waiting", "Of them, those that Redis is still to be told of.",
             number(presence.waiting));
  page.counter("limpet_node_presence_written_total", "Sockets that were written to Redis.",
               number(presence.written));
  page.counter("limpet_node_presence_removed_total", "Sockets that were taken out.",
               number(presence.dropped));
  page.counter("limpet_node_presence_failed_total", "Either that failed, and is tried again.",
               number(presence.failed));
  page.counter("limpet_node_presence_repairs_total", "Times when all were written again.",
               number(presence.repairs));
  page.counter("limpet_node_presence_nodes_swept_total", "Dead nodes that this one cleared up after.",
               number(presence.nodes_swept));
  page.counter("limpet_node_presence_sockets_swept_total", "Their sockets.", number(presence.sockets_swept));
}

void add_cluster(Page& page, const Cluster& cluster) {
  const cluster::Totals& totals = cluster.totals();
  page.gauge("limpet_node_cluster_nodes", "Nodes of the cluster, this one included; 0: not known.",
             number(cluster.nodes()));
  page.counter("limpet_node_cluster_received_total", "Messages of other nodes.", number(totals.received));
  page.counter("limpet_node_cluster_malformed_total", "Messages that could not be read.",
               number(totals.malformed));
  page.counter("limpet_node_cluster_unanswered_total",
               "Questions to other nodes that ended by their timeout.", number(totals.unanswered));
  page.counter("limpet_node_cluster_gaps_total", "Times when messages may have been lost.",
               number(totals.gaps));
  page.counter("limpet_node_cluster_sessions_saved_total", "Sessions that were saved.",
               number(totals.sessions_saved));
  page.counter("limpet_node_cluster_sessions_restored_total", "Sessions that were given back.",
               number(totals.sessions_restored));
  add_redis(page, cluster.redis());
  if (cluster.presence() != nullptr) add_presence(page, cluster.presence()->totals());
}

void add_budget(Page& page, budget::Budget& budget) {
  page.gauge("limpet_node_buffered_bytes",
             "What clients make the node hold: unsent messages, parts of messages.", number(budget::total));
  page.gauge("limpet_node_max_buffered_bytes", "Where those who hold most are closed.",
             number(budget.most()));
  page.counter("limpet_node_evicted_total", "Connections closed there.", number(budget.evicted()));
  page.counter("limpet_node_recovery_forgotten_total",
               "Packets kept for recovery that went there, before anybody was closed.",
               number(budget.forgotten()));
}

void add_http(Page& page, const http::Server& server) {
  const http::Totals& http = server.totals();
  page.gauge("limpet_node_http_connections", "HTTP connections, upgraded ones not counted.",
             number(server.connections()));
  page.counter("limpet_node_http_accepted_total", "Connections that were accepted.", number(http.accepted));
  page.counter("limpet_node_http_refused_total", "Connections that were one too many.", number(http.refused));
  page.counter("limpet_node_http_yielded_total", "Silent connections that made room for new ones.",
               number(http.yielded));
  page.counter("limpet_node_http_requests_total", "HTTP requests.", number(http.requests));
  page.counter("limpet_node_http_faults_total", "Requests that are no clean HTTP.", number(http.faults));
  page.counter("limpet_node_http_timeouts_total", "HTTP connections that a deadline ended.",
               number(http.timeouts));
}

}  // namespace

LagMeter::LagMeter(net::Loop& loop) : timer_(loop, net::delegate<&LagMeter::on_tick>(this)) {
  lag_.buckets.resize(std::size(kBounds) + 1);
  due_us_ = net::now_us() + kTickMs * 1000;
  timer_.after(kTickMs);
}

void LagMeter::on_tick() {
  const std::uint64_t now = net::now_us();
  const double late = now > due_us_ ? static_cast<double>(now - due_us_) / 1e6 : 0;
  lag_.last_s = std::max(late - kWheelS, 0.0);
  lag_.most_s = std::max(lag_.most_s, lag_.last_s);
  ++lag_.count;
  lag_.sum_s += lag_.last_s;
  const auto* bound = std::lower_bound(std::begin(kBounds), std::end(kBounds), lag_.last_s);
  ++lag_.buckets[static_cast<std::size_t>(bound - std::begin(kBounds))];
  due_us_ = now + kTickMs * 1000;
  timer_.after(kTickMs);
}

LagMeter::Lag LagMeter::take() {
  const Lag lag = lag_;
  lag_.most_s = 0;
  return lag;
}

std::string metrics_text(const Counted& counted) {
  Page page;
  page.add(prometheus::MetricType::Gauge, "limpet_node_info", "The node.", {{{"id", counted.node_id}}, 1});
  page.gauge("limpet_node_draining", "1 while it shuts down.", counted.draining ? 1 : 0);
  add_sessions(page, counted);
  add_sockets(page, counted.io.totals());
  if (counted.raw != nullptr) add_raw(page, *counted.raw);
  if (counted.cluster != nullptr) add_cluster(page, *counted.cluster);
  add_http(page, counted.http);
  add_budget(page, counted.io.engine().budget());
  page.histogram("limpet_node_event_loop_lag_seconds", "How late the event loop was, once a second.",
                 counted.lag);
  page.gauge("limpet_node_event_loop_lag_max_seconds", "The most since the last scrape.", counted.lag.most_s);
  page.gauge("process_resident_memory_bytes", "Resident memory.", number(resident_bytes()));
  page.counter("process_cpu_seconds_total", "CPU time, user and system.", cpu_seconds());
  return page.text();
}

}  // namespace limpet::app
