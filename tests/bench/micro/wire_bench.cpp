// What heads cost, by their number of fields, and finding a cookie in them.
#include <benchmark/benchmark.h>

#include <array>
#include <string>

#include "proxy/wire/cookie.h"
#include "proxy/wire/engineio.h"
#include "proxy/wire/head.h"

namespace limpet::wire {
namespace {

constexpr std::string_view kTarget = "/socket.io/?EIO=4&transport=polling&t=PHhq7Ya&sid=abcdefghijkl_9OrFaYU";

// As a browser's, the number of fields made up with more of its kind; Cookie comes last.
std::string request_head(std::int64_t fields) {
  std::string head = "GET " + std::string(kTarget) + " HTTP/1.1\r\nHost: chat.example.org\r\n";
  for (std::int64_t i = 2; i < fields; ++i) {
    head += "Accept-Field-" + std::to_string(i) + ": text/html,application/json;q=0.9\r\n";
  }
  if (fields > 1) head += "Cookie: theme=dark; io=ws17\r\n";
  return head + "\r\n";
}

void fields(benchmark::internal::Benchmark* bench) {
  for (const int count : {1, 3, 10, 30, 100}) bench->Arg(count);
}

void head_scanned(benchmark::State& state) {
  const std::string head = request_head(state.range(0));
  for (auto _ : state) {
    HeadScanner scanner(HeadScanner::Kind::request, {});
    if (scanner.feed(head) != HeadScanner::Step::complete) state.SkipWithError("refused");
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(head.size()));
}
BENCHMARK(head_scanned)->Apply(fields);

void head_parsed(benchmark::State& state) {
  const std::string head = request_head(state.range(0));
  FieldList list;
  for (auto _ : state) {
    list.clear();
    const auto parsed = parse_request(head, list);
    if (!std::holds_alternative<RequestHead>(parsed)) state.SkipWithError("refused");
    benchmark::DoNotOptimize(parsed);
  }
}
BENCHMARK(head_parsed)->Apply(fields);

// Byte by byte, as a slow or hostile client sends it: each byte is looked at once.
void head_in_bytes(benchmark::State& state) {
  const std::string head = request_head(state.range(0));
  for (auto _ : state) {
    HeadScanner scanner(HeadScanner::Kind::request, {});
    for (std::size_t n = 1; n <= head.size(); ++n) {
      benchmark::DoNotOptimize(scanner.feed(std::string_view(head).substr(0, n)));
    }
  }
}
BENCHMARK(head_in_bytes)->Apply(fields);

void cookie_found(benchmark::State& state) {
  const std::string head = request_head(state.range(0));
  FieldList list;
  const auto parsed = parse_request(head, list);
  std::array<std::string_view, 8> values;
  for (auto _ : state) benchmark::DoNotOptimize(cookie_values(list, "io", values));
}
BENCHMARK(cookie_found)->Apply(fields);

void engineio_query(benchmark::State& state) {
  const std::string_view query = kTarget.substr(kTarget.find('?') + 1);
  for (auto _ : state) benchmark::DoNotOptimize(parse_engineio_query(query));
}
BENCHMARK(engineio_query);

}  // namespace
}  // namespace limpet::wire
