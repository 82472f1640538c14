// JSONP: long polling by <script>, for pages of revision 3's time. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace limpet::engine {

// A string of JSON, and of JavaScript. The text is UTF-8.
void append_quoted(std::string& out, std::string_view text);

// ___eio[7]("...");  The payload is UTF-8.
void append_jsonp(std::string& out, std::string_view index, std::string_view payload);

// The payload in a form's field `d`, its escapes undone. Nothing if there is no `d`, or more than one.
std::optional<std::string> payload_of_form(std::string_view body);

}  // namespace limpet::engine
