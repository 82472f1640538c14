// Screen: a terminal with lines that scroll and, under the last of them, a table that stays.
//
// Lines come through a pipe, which the log writes to as to a file, so that there is one order of all of them
// and nothing tears; a thread of its own reads it and writes to the terminal: who stops that (Ctrl-S) stops
// nobody else. It draws at most twice a second. Echo is off while it lives; its end puts the terminal back.
#pragma once

#include <termios.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proxy/bundle/table.h"
#include "proxy/net/fd.h"

namespace limpet::bundle {

class Screen {
 public:
  using Draw = std::function<std::vector<std::string>(const Paper&)>;  // on the Screen's thread

  // Null where standard output is no terminal that can do it, or not ours at the moment.
  static std::unique_ptr<Screen> open();
  ~Screen();
  Screen(const Screen&) = delete;

  const std::string& log_path() const { return log_path_; }  // as the name of a file
  void show(Draw draw);                                      // instead of the last one
  // Before we are stopped: no table, and the terminal as it was; and after that. One that takes nothing is
  // not waited for long.
  void leave();
  void come_back();

 private:
  Screen(net::Fd terminal, net::Fd lines, net::Fd log, net::Fd wake);
  void run();
  void go_away();
  bool read_lines();
  void draw(bool last);
  Paper paper() const;
  void write(std::string_view text);
  void tell_thread() const;
  void be_quiet();
  void put_back() const;

  const net::Fd terminal_, lines_, log_, wake_;
  const std::string log_path_;
  termios before_{};
  bool quiet_ = false;  // echo is off, before_ is how it was

  std::mutex mutex_;
  std::condition_variable has_left_;
  Draw draw_;                                                           // under mutex_
  bool changed_ = false;                                                // under mutex_
  bool ending_ = false;                                                 // under mutex_
  enum class At : std::uint8_t { here, leaving, away } at_ = At::here;  // under mutex_

  // Of the thread:
  std::string waiting_;                 // lines that are not on the terminal yet; the last may be unfinished
  std::vector<std::size_t> on_screen_;  // columns of each row of the table
  bool gone_ = false;                   // the terminal is
  std::thread thread_;
};

// What removes a table from the end of the terminal: `rows` of so many columns each, on one that is `width`
// columns wide by now. Pure.
std::string take_off(const std::vector<std::size_t>& rows, std::size_t width);

}  // namespace limpet::bundle
