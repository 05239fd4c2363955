// A value that must not be printed, copied around or left in memory.
#pragma once
#include <openssl/crypto.h>

#include <string>
#include <utility>

#include "core/base/bytes.hpp"

namespace schakel {

/// Owns key material or a password. Move-only; zeroed when it goes. There is no operator<< and no formatter on purpose:
/// reveal() is the one place where the value leaves, so every use can be found.
class Secret {
 public:
  Secret() = default;
  explicit Secret(Bytes value) : value_(std::move(value)) {}
  explicit Secret(std::string_view value) : value_(value.begin(), value.end()) {}
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.value_.clear(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      wipe();
      value_ = std::move(other.value_);
      other.value_.clear();
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  /// Valid until this object changes or goes.
  [[nodiscard]] ByteView reveal() const { return value_; }
  [[nodiscard]] std::string_view reveal_text() const { return as_text(value_); }
  [[nodiscard]] bool empty() const { return value_.empty(); }
  [[nodiscard]] Secret clone() const { return Secret(Bytes(value_)); }

 private:
  void wipe() {
    if (!value_.empty()) OPENSSL_cleanse(value_.data(), value_.size());
    value_.clear();
  }
  Bytes value_;
};

}  // namespace schakel
