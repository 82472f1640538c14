// Secrets: texts that are in a variable or a file rather than where everybody reads, and those on a command
// line.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace limpet {

struct Unreadable {
  std::string why;
};
// "env:NAME", "file:PATH" (the file less one line end, at most 64 KiB), or the text itself.
std::variant<std::string, Unreadable> read_secret(std::string_view text);

std::string without_password(std::string text);  // of a URL that is in it: blanked

// Blanks what is secret among the arguments, so that ps(1) does not show it. Once they have been read.
void hide_secrets(int argc, char** argv);

}  // namespace limpet
