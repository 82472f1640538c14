// Roll: the sockets of users that live here, each by its id, and in one of four lists by what is to be done.
//
// A list is joined to another in one step, however long.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "backend/names/hash.h"
#include "backend/presence/store.h"

namespace limpet::presence {

struct Entry : boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
  Socket socket;
  std::uint32_t uses = 1;
  bool fresh = true;          // not written yet
  bool may_be_there = false;  // in Redis
};
using EntryList = boost::intrusive::list<Entry, boost::intrusive::constant_time_size<false>>;

class Roll {
 public:
  Entry* find(std::string_view id) {
    const auto found = entries_.find(id);
    return found == entries_.end() ? nullptr : &found->second;
  }
  Entry& add(const Socket& socket) {
    Entry& entry = entries_.try_emplace(socket.id).first->second;
    entry.socket = socket;
    return entry;
  }
  void remove(std::string_view id) {
    const auto found = entries_.find(id);
    if (found != entries_.end()) entries_.erase(found);
  }
  void move_to(EntryList& list, Entry& entry) {
    entry.unlink();
    list.push_back(entry);
  }
  void write_all_again() {
    again.splice(again.end(), written);
    again.splice(again.end(), failed);
  }
  std::size_t size() const { return entries_.size(); }
  template <class Visit>
  void clear(Visit&& visit) {
    for (const auto& [id, entry] : entries_) visit(entry);
    entries_.clear();
  }

  EntryList fresh, again, written,
      failed;  // to be written now; in its turn; on its way or there; at the next beat

 private:
  std::unordered_map<std::string, Entry, names::Hash, std::equal_to<>> entries_;  // gone before the lists
};

}  // namespace limpet::presence
