// schakel audit: the log of the running broker, and without it what it handed to outsiders.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "core/app/show.hpp"
#include "core/audit/verify.hpp"

namespace schakel::app {
namespace {

void show_audit(const Json& j) {
  std::cout << (j.value("ok", false) ? "audit: in orde, " : "audit: GEBROKEN, ") << j.value("leaves", 0) << " bladen, "
            << j.value("heads", 0) << " getekende hoofden, " << j.value("anchored", 0)
            << " onder een hoofd van buiten\n";
  for (const auto& p : j.value("problems", Json::array())) std::cout << "  " << p.dump() << "\n";
}

Result<std::string> whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  // An empty file makes the stream of what is read fail, and is a file all the same.
  if (!in || !(out << in.rdbuf() || in.eof())) return fail(ErrorKind::not_found, "FILE_MISSING", "no such file");
  return std::move(out).str();
}

/// The export alone, with the heads that somebody kept and the key: no broker, no store, no configuration.
int verify_offline(const std::string& file, const std::string& heads_file, const std::string& key, const Common& c) {
  auto verifier = audit::Verifier::from_text(key);
  if (!verifier) return report(verifier.error(), c);
  std::vector<std::string> heads;
  if (!heads_file.empty()) {
    auto text = whole_file(heads_file);
    if (!text) return report(text.error(), c);
    auto parsed = audit::parse_heads(*text);
    if (!parsed) return report(parsed.error(), c);
    heads = std::move(*parsed);
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return report({ErrorKind::not_found, "FILE_MISSING", "there is no such export", {}}, c);
  auto found = audit::verify_export(in, heads, *verifier);
  Json out{{"ok", found.ok()},
           {"leaves", found.leaves},
           {"heads", found.heads_checked},
           {"anchored", found.anchored},
           {"problems", Json::array()}};
  for (const auto& b : found.breaks) out["problems"].push_back({{"code", b.code}, {"from", b.from}, {"to", b.to}});
  if (c.json)
    print_json(out);
  else
    show_audit(out);
  return found.ok() ? kOk : kFinding;
}

int verify_proof(const std::string& file, const std::string& key, const Common& c) {
  auto verifier = audit::Verifier::from_text(key);
  if (!verifier) return report(verifier.error(), c);
  auto text = whole_file(file);
  if (!text) return report(text.error(), c);
  auto proof = audit::read_proof(*text);
  if (!proof) return report(proof.error(), c);
  auto head = audit::check_proof(*proof, *verifier);
  if (!head) return report(head.error(), c);
  Json out{{"ok", true}, {"plaats", proof->position}, {"leaves", head->size}, {"at", format_instant(head->at)}};
  if (c.json)
    print_json(out);
  else
    std::cout << fmt::format("audit: blad {} staat in het logboek van {} ({} bladen)\n  {}\n", proof->position,
                             format_instant(head->at), head->size, proof->body);
  return kOk;
}

/// Page by page, so that neither side holds the whole log.
int write_export(const std::string& path, const Common& c) {
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0)
    return report(errno == EEXIST ? Error{ErrorKind::conflict, "FILE_EXISTS", "the file is there already", {}}
                                  : Error{ErrorKind::invalid, "FILE_UNWRITABLE", "the file cannot be made here", {}},
                  c);
  std::uint64_t lines = 0;
  std::optional<Error> failed;
  for (std::string from = "0"; !from.empty() && !failed;) {
    auto page = call(c, "GET", "/v1/beheer/audit/uitvoer?na=" + from);
    if (!page) {
      failed = page.error();
      break;
    }
    auto text = page->value("regels", "");
    lines += static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
    for (std::string_view rest = text; !rest.empty() && !failed;) {
      auto n = ::write(fd, rest.data(), rest.size());
      if (n > 0)
        rest.remove_prefix(static_cast<std::size_t>(n));
      else if (errno != EINTR)
        failed = Error{ErrorKind::io, "AUDIT_EXPORT_IO", "the export could not be written", {}};
    }
    from = page->contains("verder") ? (*page)["verder"].dump() : std::string();
  }
  if (!failed && ::fsync(fd) != 0)
    failed = Error{ErrorKind::io, "AUDIT_EXPORT_IO", "the export could not be written", {}};
  ::close(fd);
  if (failed) {
    // Half an export is told from a whole one only by who has heads: it does not stay.
    std::error_code ec;
    std::filesystem::remove(path, ec);
    return report(*failed, c);
  }
  if (c.json)
    print_json({{"bestand", path}, {"regels", lines}});
  else
    std::cout << fmt::format("uitvoer: {} ({} regels)\n", path, lines);
  return kOk;
}

}  // namespace

void add_audit(CLI::App& app, Common& c, int& exit) {
  static std::string party, code, path, export_file, heads_file, proof_file, key;
  static std::int64_t after = 0, place = 0;
  auto* audit = app.add_subcommand("audit", "The tamper-evident log");
  audit->require_subcommand(1);
  auto* verify = audit->add_subcommand("verify", "Is every leaf there, in its place, under every signed head?");
  auto* with_key = verify->add_option("--key", key, "public key of the log: `key` of audit verify --json");
  auto* offline = verify->add_option("--export", export_file, "this export, without a broker")->needs(with_key);
  verify->add_option("--heads", heads_file, "heads that were kept elsewhere (audit-heads.jsonl)")->needs(offline);
  verify->add_option("--proof", proof_file, "this proof of one entry, without a broker")
      ->needs(with_key)
      ->excludes(offline);
  verify->callback([&c, &exit] {
    if (!export_file.empty()) {
      exit = verify_offline(export_file, heads_file, key, c);
      return;
    }
    if (!proof_file.empty()) {
      exit = verify_proof(proof_file, key, c);
      return;
    }
    auto done = call(c, "POST", "/v1/beheer/audit", Json::object());
    bool sound = done && done->value("ok", false);
    exit = shown(c, std::move(done), show_audit);
    if (exit == kOk && !sound) exit = kFinding;
  });

  auto* out = audit->add_subcommand("export", "The whole log as a file that verifies without the broker");
  out->add_option("file", path, "where to; must not exist")->required();
  out->callback([&c, &exit] { exit = write_export(path, c); });

  auto* one = audit->add_subcommand("prove", "A proof for an outsider that one entry is in the log: JSON");
  one->add_option("place", place, "place in the log, as audit list shows it")
      ->required()
      ->check(CLI::NonNegativeNumber);
  one->callback([&c, &exit] {
    exit = shown(c, call(c, "GET", fmt::format("/v1/beheer/audit/bewijs?plaats={}", place)), print_json);
  });

  auto* leaves = audit->add_subcommand("list", "What the log holds: place, moment, kind, ids and codes");
  leaves->add_option("--party", party, "of this party only")->check(plain_word());
  leaves->add_option("--code", code, "with this code only")->check(plain_word());
  leaves->add_option("--after", after, "from this place on; `verder` of the JSON output gives the next")
      ->check(CLI::NonNegativeNumber);
  leaves->callback([&c, &exit] {
    auto query = fmt::format("?na={}", after);
    if (!party.empty()) query += "&partij=" + party;
    if (!code.empty()) query += "&code=" + code;
    exit = shown(c, call(c, "GET", "/v1/beheer/audit" + query), [](const Json& j) {
      for (const auto& leaf : j.value("bladen", Json::array())) {
        std::cout << fmt::format("{:>8}  {}  {}", leaf.value("plaats", 0), text(leaf, "at"), text(leaf, "kind"));
        for (const auto& [name, value] : leaf.value("ids", Json::object()).items())
          std::cout << "  " << name << "=" << value.get<std::string>();
        for (const auto& one : leaf.value("codes", Json::array())) std::cout << "  " << one.get<std::string>();
        std::cout << "\n";
      }
      if (j.contains("verder")) std::cout << "verder: --after " << j["verder"] << "\n";
    });
  });
}

}  // namespace schakel::app
