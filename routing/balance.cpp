#include "routing/balance.h"

namespace limpet::routing {
namespace {

bool less_loaded(const Candidate& a, const Candidate& b) {
  return a.load * b.weight < b.load * a.weight;
}

// A position by weight; `without` (or from.size()) is left out.
std::size_t draw_by_weight(std::span<const Candidate> from, std::size_t without, Random& random) {
  double total = 0;
  for (std::size_t i = 0; i < from.size(); ++i) total += i == without ? 0 : from[i].weight;
  double left = random.fraction() * total;
  std::size_t last = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (i == without) continue;
    last = i;
    left -= from[i].weight;
    if (left < 0) break;
  }
  return last;
}

}  // namespace

std::uint64_t Random::next() {
  std::uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

std::uint64_t Random::below(std::uint64_t bound) {
  return static_cast<std::uint64_t>(fraction() * static_cast<double>(bound));
}

double Random::fraction() {
  return (static_cast<double>(next() >> 12) + 0.5) * 0x1p-52;
}

std::size_t least_connections(std::span<const Candidate> from, Random& random) {
  std::size_t best = 0;
  std::uint64_t equals = 1;
  for (std::size_t i = 1; i < from.size(); ++i) {
    if (less_loaded(from[i], from[best])) {
      best = i;
      equals = 1;
    } else if (!less_loaded(from[best], from[i]) && random.below(++equals) == 0) {
      best = i;  // the k-th equal one takes the place with 1/k: each is as likely in the end
    }
  }
  return best;
}

std::size_t random_two(std::span<const Candidate> from, Random& random) {
  const std::size_t one = draw_by_weight(from, from.size(), random);
  if (from.size() == 1) return one;
  const std::size_t two = draw_by_weight(from, one, random);
  return less_loaded(from[two], from[one]) ? two : one;
}

std::size_t Turns::next(std::uint64_t pool_serial, std::size_t members, std::span<const Candidate> from,
                        Random& random) {
  constexpr std::size_t most_pools = 1024;
  auto found = credit_.find(pool_serial);
  if (found == credit_.end()) {
    if (credit_.size() >= most_pools) credit_.clear();
    found = credit_.emplace(pool_serial, std::vector<double>(members)).first;
    for (double& each : found->second) each = random.fraction();
  }
  std::vector<double>& credit = found->second;
  double total = 0;
  std::size_t best = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    credit[from[i].index] += from[i].weight;
    total += from[i].weight;
    if (credit[from[i].index] > credit[from[best].index]) best = i;
  }
  credit[from[best].index] -= total;
  return best;
}

}  // namespace limpet::routing
