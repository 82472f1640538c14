#include "proxy/bundle/table.h"

#include <algorithm>
#include <cstdio>

namespace limpet::bundle {
namespace {

constexpr std::size_t kLeastRows = 3;  // title, head, a child

// Of the columns; 40 with the spaces between the first five.
struct Columns {
  std::size_t name = 6, state = 8, connections = 7, messages = 7;
  static constexpr std::size_t kRestarts = 8, kTime = 5;
  bool time = false;
  std::size_t health = 0;  // 0: not shown
};

Columns columns_for(std::size_t width) {
  Columns out;
  out.time = width >= 46;
  if (width >= 60) {
    out.name = 8;
    out.connections = 11;
    out.messages = 10;
  }
  constexpr std::size_t kFixed = 8 + 1 + 8 + 1 + 11 + 1 + 10 + 1 + 8 + 1 + 5 + 2;
  if (width >= kFixed + 12) out.health = width - kFixed;
  return out;
}

// Other bytes than printable ASCII, which health's text may have from a child, take unknown room.
std::string fit(std::string_view text, std::size_t width) {
  std::string out(text.substr(0, width));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  if (text.size() > width && width > 3) out.replace(width - 3, 3, "...");
  return out;
}

std::string left(std::string_view text, std::size_t width) {
  std::string out = fit(text, width);
  out.resize(width, ' ');
  return out;
}

std::string right(std::string_view text, std::size_t width) {
  const std::string out = fit(text, width);
  return std::string(width - out.size(), ' ') + out;
}

std::string trimmed(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string paint(std::string_view code, std::string text, bool colours) {
  if (!colours) return text;
  return "\x1b[" + std::string(code) + "m" + std::move(text) + "\x1b[0m";
}

std::string_view colour_of(State state) {
  switch (state) {
    case State::ready: return "32";
    case State::hung:
    case State::held: return "31";
    case State::stopped: return "2";
    case State::waiting:
    case State::starting:
    case State::stopping: break;
  }
  return "33";
}

std::string head(const Columns& columns, bool colours) {
  const bool wide = columns.connections > 7;
  std::string row = left("name", columns.name) + " " + left("state", columns.state) + " " +
                    right(wide ? "connections" : "conns", columns.connections) + " " +
                    right(wide ? "messages/s" : "msgs/s", columns.messages) + " " +
                    right("restarts", Columns::kRestarts);
  if (columns.time) row += " " + right("for", Columns::kTime);
  if (columns.health > 0) row += "  health";
  return paint("2", std::move(row), colours);
}

std::string row_of(const ChildView& child, const Reading& reading, std::uint64_t now_ms,
                   const Columns& columns, bool colours) {
  const auto number = [](const auto& value) {
    return short_number(value ? std::optional(static_cast<double>(*value)) : std::nullopt);
  };
  std::string row = right(number(reading.connections), columns.connections) + " " +
                    right(number(reading.messages_per_s), columns.messages) + " " +
                    right(short_number(child.restarts), Columns::kRestarts);
  if (columns.time) row += " " + right(short_time(now_ms - std::min(child.since_ms, now_ms)), Columns::kTime);
  if (columns.health > 0) row += "  " + fit(child.health, columns.health);
  return left(child.id, columns.name) + " " +
         paint(colour_of(child.state), left(name(child.state), columns.state), colours) + " " +
         trimmed(std::move(row));
}

std::string title(const Overview& overview) {
  std::string text = "limpet up: ";
  text += overview.stage == Overview::Stage::starting  ? "starting"
          : overview.stage == Overview::Stage::serving ? "serving"
                                                       : "shutting down";
  for (const ChildView& each : overview.children) {
    if (each.kind == Kind::proxy && overview.stage == Overview::Stage::serving) text += " " + each.address;
  }
  return text;
}

std::string operation(const Overview& overview) {
  const OperationView& now = overview.operation;
  if (now.number != 0)
    return now.name + ": " + std::to_string(now.done) + " of " + std::to_string(now.of) + " nodes";
  const OperationView& last = overview.last_operation;
  return last.number == 0 || last.error.empty() ? "" : last.name + ": given up: " + last.error;
}

// Which children are shown in so many rows: first those that are not ready, in their order.
std::vector<bool> chosen(const std::vector<ChildView>& children, std::size_t room) {
  std::vector<bool> shown(children.size(), false);
  for (const bool ready : {false, true}) {
    for (std::size_t i = 0; i < children.size() && room > 0; ++i) {
      if ((children[i].state == State::ready) != ready) continue;
      shown[i] = true;
      --room;
    }
  }
  return shown;
}

}  // namespace

std::string short_number(std::optional<double> number) {
  if (!number) return "-";
  char text[32];
  if (*number < 99'999.5) {
    std::snprintf(text, sizeof text, "%.0f", *number);
  } else if (*number < 999'500) {
    std::snprintf(text, sizeof text, "%.0fk", *number / 1e3);
  } else if (*number < 99.95e6) {
    std::snprintf(text, sizeof text, "%.1fM", *number / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%.0fM", std::min(*number / 1e6, 9999.0));
  }
  return text;
}

std::string short_time(std::uint64_t ms) {
  const std::uint64_t s = ms / 1000;
  if (s < 100) return std::to_string(s) + "s";
  if (s < 100 * 60) return std::to_string(s / 60) + "m";
  if (s < 72 * 3600) return std::to_string(s / 3600) + "h";
  return std::to_string(std::min<std::uint64_t>(s / 86400, 9999)) + "d";
}

std::size_t columns(std::string_view row) {
  std::size_t out = 0;
  for (std::size_t at = 0; at < row.size(); ++at) {
    if (row[at] != '\x1b') {
      ++out;
      continue;
    }
    at = std::min(row.find('m', at), row.size());
  }
  return out;
}

std::vector<std::string> table(const Overview& overview, const Readings& readings, std::uint64_t now_ms,
                               const Paper& paper) {
  if (paper.height <= kLeastRows || paper.width < 40) return {};
  const std::string doing = operation(overview);
  std::vector<std::string> rows{paint("1", fit(title(overview), paper.width), paper.colours)};
  const Columns columns = columns_for(paper.width);
  rows.push_back(head(columns, paper.colours));
  const bool say = !doing.empty() && paper.height > kLeastRows + 1;
  const std::size_t room = paper.height - 1 - rows.size() - (say ? 1 : 0);
  const auto& children = overview.children;
  const bool all = children.size() <= room;
  const std::vector<bool> shown = chosen(children, all ? room : room - 1);
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (!shown[i]) {
      ++left_out;
      continue;
    }
    const auto found = readings.find(children[i].id);
    rows.push_back(row_of(children[i], found == readings.end() ? Reading{} : found->second, now_ms, columns,
                          paper.colours));
  }
  if (left_out > 0) rows.push_back("and " + std::to_string(left_out) + " more");
  if (say) rows.push_back(fit(doing, paper.width));
  return rows;
}

}  // namespace limpet::bundle
