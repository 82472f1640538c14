#include "proxy/config/load.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "proxy/config/checks.h"

namespace limpet::config {
namespace {

constexpr std::size_t kMostBytes = 16 * 1024 * 1024;

void sort_by_place(std::vector<Problem>& problems) {
  std::stable_sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
}

Problem syntax_problem(const toml::parse_error& error) {
  constexpr std::size_t kMostShown = 200;
  const auto& at = error.source().begin;
  const std::string text = quoted(error.description(), kMostShown);
  // quoted() escapes what toml++ repeats of the file; its quotation marks are not wanted here.
  return {static_cast<int>(at.line), static_cast<int>(at.column), text.substr(1, text.size() - 2)};
}

Problem unreadable(int error) {
  constexpr Place kNowhere{};
  std::string why = error == EISDIR ? "is a directory; a file is expected"
                                    : std::string("cannot be read: ") + std::strerror(error);
  return {kNowhere.line, kNowhere.column, std::move(why)};
}

}  // namespace

Loaded load_text(std::string_view toml, std::string name) {
  Loaded loaded;
  Findings findings;
  try {
    toml::table root = toml::parse(toml, name);
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

std::variant<std::string, Problem> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, decltype(&std::fclose)> file(std::fopen(path.c_str(), "rbe"),
                                                                &std::fclose);
  if (!file) return unreadable(errno);
  std::string text;
  char chunk[65536];
  while (const std::size_t got = std::fread(chunk, 1, sizeof(chunk), file.get())) {
    text.append(chunk, got);
    if (text.size() > kMostBytes)
      return Problem{kWholeFile.line, kWholeFile.column,
                     "the file is larger than 16 MiB, the most that is read"};
  }
  if (std::ferror(file.get())) return unreadable(errno);
  return text;
}

Loaded load_file(const std::string& path) {
  const auto text = read_file(path);
  if (const auto* no = std::get_if<Problem>(&text)) return {nullptr, {*no}, {}};
  return load_text(std::get<std::string>(text), path);
}

std::string format(std::string_view file, const Problem& problem) {
  std::string out(file);
  if (problem.line > 0) out += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
  return out + ": " + problem.message;
}

}  // namespace limpet::config
