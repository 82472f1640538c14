// How malloc is to treat this process.
#pragma once

namespace limpet {

void keep_heap_small();      // where what is hot allocates nothing: small pieces join their neighbours at once
void give_heap_back_soon();  // where small pieces come and go: these stay at hand

}  // namespace limpet
