// What fetch_sockets() shows of a socket's handshake: the object that Socket.IO has there. Pure.
#pragma once

#include <boost/json/value.hpp>

namespace limpet::socketio {

class Socket;

// headers, time, address, xdomain, secure, issued, url, query, auth
boost::json::value handshake_json(const Socket& socket);

}  // namespace limpet::socketio
