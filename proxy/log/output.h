// Output: a file, a named pipe or an inherited descriptor that lines are written to. Two writers whose logs
// end in one file share one Output, so that neither cuts the other's lines.
//
// Written by writers' threads alone. Knows nothing of lanes and does not say what went wrong: it returns it.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

namespace limpet::log {

class Output {
 public:
  explicit Output(int inherited) : fd_(inherited) {}  // not closed
  // Appends; made with mode 0640. Throws std::runtime_error: "PATH: why". Does not wait for a named pipe's
  // reader.
  explicit Output(std::string path);
  ~Output();
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // "/dev/stdout" and "/dev/stderr" are the inherited descriptors, which need not be files that can be
  // opened.
  static std::shared_ptr<Output> open(const std::string& path, int if_empty);
  // Whether lines of both end in one place, whatever its names are.
  static bool same_place(const Output& a, const Output& b);

  // Writes whole lines, and blocks while a pipe is full. Returns 0, or the errno of what could not be
  // written; `lost` is then the number of lines that were not.
  int write(std::string_view lines, std::size_t& lost);
  // Opens the path anew; 0, or errno, and then the old file stays open.
  int reopen(std::size_t& lost);

  bool reopens() const { return !path_.empty(); }
  std::string name() const;

 private:
  int put(std::string_view& bytes);

  std::mutex mutex_;  // two writers, one file
  const std::string path_;
  int fd_;
  // The rest of a line whose beginning is in the file: a full disk took no more. Written before all else, so
  // that no line in the file is cut.
  std::string rest_;
};

}  // namespace limpet::log
