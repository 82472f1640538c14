#include "proxy/config/load.h"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

#include "proxy/config/read.h"

namespace limpet::config {
namespace {

constexpr std::size_t kMostBytes = 16 * 1024 * 1024;

void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
}

Problem syntax_problem(const toml::parse_error& error) {
  const auto& at = error.source().begin;
  const std::string text = quoted(std::string(error.description()).substr(0, 200));
  // quoted() escapes what toml++ repeats of the file; its quotation marks are not wanted here.
  return {static_cast<int>(at.line), static_cast<int>(at.column), text.substr(1, text.size() - 2)};
}

}  // namespace

Loaded load_text(std::string_view toml, std::string name) {
  Loaded loaded;
  Findings findings;
  try {
    const toml::table root = toml::parse(toml, name);
    Draft draft = read_document(root, findings);
    check_document(draft, findings);
    if (findings.problems.empty()) {
      draft.config.file = std::move(name);
      loaded.config = std::make_shared<const Config>(std::move(draft.config));
    }
  } catch (const toml::parse_error& error) {
    findings.problems = {syntax_problem(error)};
  }
  loaded.problems = std::move(findings.problems);
  loaded.warnings = std::move(findings.warnings);
  sort_by_place(loaded.problems);
  sort_by_place(loaded.warnings);
  return loaded;
}

Loaded load_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {nullptr, {{0, 0, std::string("cannot be read: ") + std::strerror(errno)}}, {}};
  std::string text;
  char chunk[65536];
  while (file.read(chunk, sizeof(chunk)) || file.gcount() > 0) {
    text.append(chunk, static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostBytes) return {nullptr, {{0, 0, "is larger than 16 MiB"}}, {}};
  }
  if (file.bad() || text.empty()) {
    return {nullptr, {{0, 0, text.empty() ? "is empty or no file" : "cannot be read"}}, {}};
  }
  return load_text(text, path);
}

std::string format(std::string_view file, const Problem& problem) {
  std::string out(file);
  if (problem.line > 0) out += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  return out + ": " + problem.message;
}

}  // namespace limpet::config
