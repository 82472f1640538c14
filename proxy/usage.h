// Usage: what is said of a command line that cannot be read: by which command, why, and what may have been
// meant.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace limpet {

std::string usage_fault(const CLI::App& app, const CLI::ParseError& error);  // one line, without its end

}  // namespace limpet
