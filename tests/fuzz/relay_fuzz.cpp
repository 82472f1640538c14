// The tunnel's byte path on a kernel whose every whim is the input's: see fake_kernel.h for what must hold.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/unit/tunnel/fake_kernel.h"

namespace {

class FromInput : public limpet::tunnel::Choices {
 public:
  FromInput(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  std::uint32_t below(std::uint32_t n) override { return left() ? *at_++ % n : 0; }
  bool left() override { return at_ != end_; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using limpet::tunnel::Rig;
  FromInput choices(data, size);
  Rig rig(choices, Rig::some_sizes(choices));
  rig.run();
  if (rig.complaint().empty()) return 0;
  std::fprintf(stderr, "relay: %s\n", rig.complaint().c_str());
  std::abort();
}
