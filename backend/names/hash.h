// Hash: of names that strangers choose: rooms, topics, ids. For tables that are looked into by string_view.
//
// XXH3 with a secret that each process draws for itself: nobody can prepare names that fall into one bucket.
#pragma once

#include <cstddef>
#include <string_view>

namespace limpet::names {

struct Hash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const;  // the standard tables keep it: not noexcept
};

}  // namespace limpet::names
