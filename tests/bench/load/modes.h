// Modes: each is a function that runs one kind of load from its first connect to the end of its window.
#pragma once

#include "tests/bench/load/load.h"

namespace limpet::bench {

void wait_until_ready(Load& load);  // until the target answers a handshake with 101 or 200

void run_echo(Load& load);
void run_paced(Load& load);
void run_push(Load& load);
void run_upgrade(Load& load);  // tls-handshake, too
void run_storm(Load& load);
void run_get(Load& load);
void run_get_close(Load& load);
void run_download(Load& load);
void run_upload(Load& load);
void run_idle(Load& load);
void run_keepalive_idle(Load& load);

// Of Socket.IO clients, in socketio/.
void run_io_echo(Load& load);
void run_io_fanout(Load& load);
void run_io_publish(Load& load);
void run_io_connect(Load& load);
void run_io_polling(Load& load);
void run_io_idle(Load& load);
void run_io_pings(Load& load);

}  // namespace limpet::bench
