// The key that wraps all others. It never enters the store.
#pragma once
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/base/secret.hpp"

namespace schakel::vault {

/// Thread: any, once made. Lifetime: the process; zeroed when it goes.
class MasterKey {
 public:
  /// A file of 32 raw bytes, 64 hex digits or base64, readable by its owner only (mode 0600 or 0400); a symbolic link
  /// is refused. MASTER_KEY_MISSING, MASTER_KEY_MODE (group or others may read it), MASTER_KEY_FORMAT.
  [[nodiscard]] static Result<MasterKey> from_file(const std::string& path);
  /// systemd: the file `name` below $CREDENTIALS_DIRECTORY, whose value the caller hands in. Its group may read it: the
  /// access that systemd gives shows as that, and the folder is closed to others.
  [[nodiscard]] static Result<MasterKey> from_credential(const std::string& credentials_directory,
                                                         std::string_view name);
  /// Writes a fresh key with mode 0600 and fsyncs it. MASTER_KEY_EXISTS when the file is there: a key is never
  /// overwritten.
  [[nodiscard]] static Result<MasterKey> create_file(const std::string& path);
  /// For tests and the scenario runner: 32 bytes.
  [[nodiscard]] static Result<MasterKey> from_bytes(Secret key);

  /// Tells keys apart in the store without telling anything of the key.
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const Secret& key() const { return key_; }
  [[nodiscard]] MasterKey clone() const { return MasterKey(key_.clone()); }

 private:
  explicit MasterKey(Secret key);
  Secret key_;
  std::string id_;
};

}  // namespace schakel::vault
