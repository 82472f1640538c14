// A time as JavaScript's Date.prototype.toISOString writes it: "2026-11-27T03:30:00.000Z". Pure.
#pragma once

#include <optional>
#include <string>

namespace limpet::codec {

// Milliseconds since 1970, fractions cut off. Nothing: NaN, or beyond what a Date can be.
std::optional<std::string> iso_time(double ms);

}  // namespace limpet::codec
