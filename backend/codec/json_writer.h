// JSON text as JavaScript's JSON.stringify writes it. Pure.
//
// Numbers as JavaScript prints them (1, 1e+21, 1e-7; -0 is 0; infinite ones and NaN are null); 64-bit
// integers keep all their digits. Text stays raw UTF-8; a lone surrogate is escaped, other bytes that are no
// UTF-8 become U+FFFD, so that what comes out is always valid. Members in the order of insertion, but array
// indexes first, ascending.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "backend/codec/args.h"

namespace limpet::codec {

void write_string(std::string& out, std::string_view text);  // with its quotes
void write_number(std::string& out, double number);
void write_json(std::string& out, const boost::json::value& value);

// As above; what stands for bytes in `args` is numbered anew, in the order in which it is written, and its
// bytes are added to `binaries`, once for each time.
void write_json(std::string& out, const boost::json::value& value, const Args& args,
                std::vector<const std::string*>& binaries);

// Bytes as Node.js's JSON.stringify writes a Buffer: {"type":"Buffer","data":[1,2]}.
void write_json_with_buffers(std::string& out, const boost::json::value& value, const Args& args);

}  // namespace limpet::codec
