#include "backend/raw/topics.h"

#include <algorithm>

#include "backend/raw/connection.h"

namespace limpet::raw {
namespace {

template <class Memberships>
auto find_in(Memberships& its, std::string_view name) {
  return std::find_if(its.begin(), its.end(),
                      [&](const Topics::Membership& each) { return each.topic->name == name; });
}

}  // namespace

const Topics::Topic* Topics::find(std::string_view name) const {
  const auto found = topics_.find(name);
  return found == topics_.end() ? nullptr : &found->second;
}

bool Topics::subscribed(const std::vector<Membership>& its, std::string_view name) {
  return find_in(its, name) != its.end();
}

bool Topics::subscribe(Connection& connection, std::vector<Membership>& its, std::string_view name) {
  if (find_in(its, name) != its.end()) return false;
  auto found = topics_.find(name);
  if (found == topics_.end()) found = topics_.emplace(name, Topic{std::string(name), {}}).first;
  Topic& topic = found->second;
  its.push_back({&topic, topic.members.size()});
  topic.members.push_back(&connection);
  return true;
}

bool Topics::unsubscribe(std::vector<Membership>& its, std::string_view name) {
  const auto found = find_in(its, name);
  if (found == its.end()) return false;
  const Membership membership = *found;
  its.erase(found);
  remove(membership);
  return true;
}

void Topics::leave(std::vector<Membership>& its) {
  for (const Membership& each : std::exchange(its, {})) remove(each);
}

// The last member takes the place of who goes, and is told so.
void Topics::remove(const Membership& membership) {
  Topic& topic = *membership.topic;
  Connection* const last = topic.members.back();
  topic.members.pop_back();
  if (membership.place < topic.members.size()) {
    topic.members[membership.place] = last;
    find_in(last->memberships(), topic.name)->place = membership.place;
  }
  if (topic.members.empty()) topics_.erase(topics_.find(topic.name));
}

}  // namespace limpet::raw
