// `limpet node`: its flags, laid over the [node] table of a file, to a NodeService.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace limpet {

class NodeCommand {
 public:
  explicit NodeCommand(CLI::App& app);
  bool parsed() const;
  int run() const;  // the exit code

 private:
  CLI::App* command_;
  std::string file_;
  std::map<std::string, std::vector<std::string>> values_;  // by flag
};

}  // namespace limpet
