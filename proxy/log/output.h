// Output: a file or an inherited descriptor that lines are written to. Shared by writers that name the same file.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

namespace limpet::log {

class Output {
 public:
  explicit Output(int inherited) : fd_(inherited) {}   // not closed
  explicit Output(std::string path);                   // throws std::runtime_error: "PATH: why"
  ~Output();
  Output(const Output&) = delete;

  // Writes whole lines. Blocks while a pipe is full. Returns 0, or the errno of what could not be written;
  // `lost` is then the number of lines that were not.
  int write(std::string_view lines, std::size_t& lost);
  // Opens the path anew; 0, or errno, and then the old file stays open.
  int reopen();
  const std::string& path() const { return path_; }

 private:
  std::mutex mutex_;  // two writers, one file
  std::string path_;
  int fd_;
  bool mid_line_ = false;  // the last write stopped inside a line
};

}  // namespace limpet::log
