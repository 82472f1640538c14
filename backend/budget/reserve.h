// Reserve: memory of the budget that no connection holds: what is kept for those who may come back. It goes
// before anybody who is here has to.
//
// Known to its thread's Budgets as long as it lives.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>

namespace limpet::budget {

class Reserve
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Reserve();
  Reserve(const Reserve&) = delete;
  virtual std::size_t held() const = 0;
  // Lets the oldest go, of this size together or a little more; how many they were. Calls nobody.
  virtual std::size_t let_go(std::size_t bytes) = 0;

 protected:
  ~Reserve() = default;
};

}  // namespace limpet::budget
