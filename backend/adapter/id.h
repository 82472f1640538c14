// Id: a short text that never changes. 24 bytes; up to 23 characters need no more.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace limpet::adapter {

class Id {
 public:
  Id() = default;
  explicit Id(std::string_view text) { assign(text); }
  Id(const Id&) = delete;
  Id& operator=(const Id&) = delete;
  ~Id() { clear(); }

  void assign(std::string_view text) {
    clear();
    char* at = bytes_;
    if (text.size() > kInside) {
      at = new char[text.size()];
      const auto size = static_cast<std::uint32_t>(text.size());
      std::memcpy(bytes_, &at, sizeof at);
      std::memcpy(bytes_ + sizeof at, &size, sizeof size);
      length_ = kOutside;
    } else {
      length_ = static_cast<std::uint8_t>(text.size());
    }
    if (!text.empty()) std::memcpy(at, text.data(), text.size());
  }

  std::string_view view() const {
    if (length_ != kOutside) return {bytes_, length_};
    std::uint32_t size = 0;
    std::memcpy(&size, bytes_ + sizeof(char*), sizeof size);
    return {outside(), size};
  }

 private:
  static constexpr std::uint8_t kInside = 23, kOutside = 255;
  char* outside() const {
    char* at = nullptr;
    std::memcpy(&at, bytes_, sizeof at);
    return at;
  }
  void clear() {
    if (length_ == kOutside) delete[] outside();
    length_ = 0;
  }
  char bytes_[kInside];
  std::uint8_t length_ = 0;
};

}  // namespace limpet::adapter
