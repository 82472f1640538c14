// checks: what is wrong between tables: each says something sound, together they do not.
#pragma once

#include "proxy/config/read.h"

namespace limpet::config {

void check_document(Draft& draft, Findings& findings);  // all of it

void check_listeners(const Draft& draft, Findings& findings);  // and [admin]: no address twice
void check_routes(Draft& draft, Findings& findings);           // and fills in the pool of a file with one
void check_cookies(const Draft& draft, Findings& findings);    // of pools that would overwrite each other's

}  // namespace limpet::config
