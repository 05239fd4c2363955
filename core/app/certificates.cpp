#include "core/app/certificates.hpp"

#include "core/base/log.hpp"

namespace schakel::app {

std::vector<CertificateWatch::Stamp> CertificateWatch::stamps(const std::vector<std::filesystem::path>& files) {
  std::vector<Stamp> out;
  for (const auto& file : files) {
    // A file that is not there has the empty stamp: its return is a change.
    std::error_code ec;
    Stamp s;
    s.written = std::filesystem::last_write_time(file, ec);
    s.size = ec ? 0 : std::filesystem::file_size(file, ec);
    out.push_back(ec ? Stamp{} : s);
  }
  return out;
}

void CertificateWatch::add(std::vector<std::string> files, std::function<Result<void>()> reload) {
  Watched w;
  for (auto& file : files)
    if (!file.empty()) w.files.emplace_back(std::move(file));
  if (w.files.empty()) return;
  w.reload = std::move(reload);
  w.seen = stamps(w.files);
  watched_.push_back(std::move(w));
}

int CertificateWatch::look() {
  int read = 0;
  for (auto& w : watched_) {
    auto now = stamps(w.files);
    if (now == w.seen) continue;
    // A certificate and its key are two files: while they do not belong together this fails, and the second one is the
    // next change.
    w.seen = std::move(now);
    auto done = w.reload();
    if (done) {
      ++read;
      log(LogLevel::info, "tls.reloaded");
    } else {
      log(LogLevel::error, "tls.reload_failed", {{"code", done.error().code}});
    }
  }
  return read;
}

}  // namespace schakel::app
