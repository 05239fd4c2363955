// Certificates, keys and revocation lists that changed on disk come into use without a restart.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.hpp"

namespace schakel::app {

/// Thread: one at a time. What is read again is a TLS context; a connection keeps the one it began with.
class CertificateWatch {
 public:
  /// `reload` is called when one of `files` (empty names are skipped) is another than before.
  void add(std::vector<std::string> files, std::function<Result<void>()> reload);
  /// Looks at all files; how many contexts were read again. One that cannot be read stays as it was, is logged with its
  /// code, and is tried again at its next change.
  int look();

 private:
  struct Stamp {
    std::filesystem::file_time_type written{};
    std::uintmax_t size = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Watched {
    std::vector<std::filesystem::path> files;
    std::function<Result<void>()> reload;
    std::vector<Stamp> seen;
  };
  static std::vector<Stamp> stamps(const std::vector<std::filesystem::path>& files);
  std::vector<Watched> watched_;
};

}  // namespace schakel::app
