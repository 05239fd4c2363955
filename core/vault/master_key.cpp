#include "core/vault/master_key.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/hash.hpp"
#include "core/vault/aead.hpp"

namespace schakel::vault {
namespace {

struct Fd {
  int v;
  explicit Fd(int fd) : v(fd) {}
  ~Fd() {
    if (v >= 0) ::close(v);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
};

Result<Secret> decode(Secret raw) {
  auto format = [] {
    return fail(ErrorKind::invalid, "MASTER_KEY_FORMAT",
                "a master key file holds 32 bytes, raw, hexadecimal or base64");
  };
  if (raw.reveal().size() == kKeyBytes) return raw;
  auto text = raw.reveal_text();
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  if (text.size() == 2 * kKeyBytes) {
    auto b = from_hex(text);
    if (!b) return format();
    return Secret(std::move(*b));
  }
  auto b = from_base64(text);
  if (!b || b->size() != kKeyBytes) return format();
  return Secret(std::move(*b));
}

}  // namespace

MasterKey::MasterKey(Secret key) : key_(std::move(key)) {
  auto d = hmac_sha256(key_.reveal(), as_bytes("schakel master key id"));
  id_ = to_hex(ByteView(d).first(8));
  // KEY-7: not swapped and not in core dumps, as far as the limits of the process allow.
  (void)::mlock(key_.reveal().data(), key_.reveal().size());
}

Result<MasterKey> MasterKey::from_bytes(Secret key) {
  if (key.reveal().size() != kKeyBytes)
    return fail(ErrorKind::invalid, "MASTER_KEY_FORMAT", "a master key has 32 bytes");
  return MasterKey(std::move(key));
}

namespace {

Result<Secret> read_key(const std::string& path, mode_t nobody) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (fd.v < 0) return fail(ErrorKind::not_found, "MASTER_KEY_MISSING", "the master key file cannot be opened");
  struct stat st{};
  if (::fstat(fd.v, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & nobody) != 0)
    return fail(ErrorKind::forbidden, "MASTER_KEY_MODE",
                "the master key file must be a plain file that only its owner may read (chmod 600)");
  Bytes raw(256);
  const auto n = ::read(fd.v, raw.data(), raw.size());
  raw.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
  return decode(Secret(std::move(raw)));
}

}  // namespace

Result<MasterKey> MasterKey::from_file(const std::string& path) {
  auto key = read_key(path, 077);
  if (!key) return fail(key.error());
  return MasterKey(std::move(*key));
}

Result<MasterKey> MasterKey::from_credential(const std::string& credentials_directory, std::string_view name) {
  if (credentials_directory.empty() || name.empty() || name.find('/') != name.npos)
    return fail(ErrorKind::invalid, "MASTER_KEY_MISSING", "no such credential");
  // systemd gives its unit access by an access list where it can, which shows as a right of the group.
  auto key = read_key(credentials_directory + "/" + std::string(name), 037);
  if (!key) return fail(key.error());
  return MasterKey(std::move(*key));
}

Result<MasterKey> MasterKey::create_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (fd.v < 0)
    return errno == EEXIST
               ? fail(ErrorKind::conflict, "MASTER_KEY_EXISTS", "the master key file exists and is left as it is")
               : fail(ErrorKind::io, "MASTER_KEY_MISSING", "the master key file cannot be written");
  auto key = random_key();
  const auto text = Secret(to_hex(key.reveal()) + "\n");
  if (::write(fd.v, text.reveal().data(), text.reveal().size()) != static_cast<ssize_t>(text.reveal().size()) ||
      ::fsync(fd.v) != 0) {
    ::unlink(path.c_str());
    return fail(ErrorKind::io, "MASTER_KEY_MISSING", "the master key file cannot be written");
  }
  const auto slash = path.rfind('/');
  const Fd dir(
      ::open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.v < 0 || ::fsync(dir.v) != 0)
    return fail(ErrorKind::io, "MASTER_KEY_MISSING", "the folder of the master key file cannot be synced");
  return MasterKey(std::move(key));
}

}  // namespace schakel::vault
