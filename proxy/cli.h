// The command line: subcommands, their flags and --help.
#pragma once

namespace limpet {

int run_command_line(int argc, char** argv);

}  // namespace limpet
