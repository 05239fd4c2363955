// A folder as partner. Its file calls block the loop that decides and delivers: the folder is on a disk that answers.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/drop_folder.hpp"
#include "core/model/message.hpp"
#include "schakel/outcome.hpp"
#include "schakel/plugin.hpp"

namespace schakel::file_drop {
namespace {

constexpr std::size_t kEventBytes = 64 * 1024;
constexpr std::size_t kPiece = 1024 * 1024;

AttemptResult end(Verdict verdict, std::string code) {
  return {verdict, std::move(code), std::nullopt, Json::object()};
}

/// From the media type alone: a partner's file name may say who the pupil is.
std::string_view extension(std::string_view media_type) {
  static constexpr std::pair<std::string_view, std::string_view> kKnown[] = {
      {"application/pdf", "pdf"},
      {"application/xml", "xml"},
      {"text/xml", "xml"},
      {"text/plain", "txt"},
      {"image/png", "png"},
      {"image/jpeg", "jpg"},
      {"application/vnd.openxmlformats-officedocument.wordprocessingml.document", "docx"}};
  for (auto [type, ext] : kKnown)
    if (type == media_type) return ext;
  return "bin";
}

bool folder_there(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && ::access(path.c_str(), W_OK | X_OK) == 0;
}

}  // namespace

class FileDropAdapter final : public Adapter {
 public:
  explicit FileDropAdapter(const Json& c)
      : out_(c.value("out_folder", "")),
        in_(c.value("in_folder", "")),
        party_(c.value("party", "")),
        poll_(c.value("poll_seconds", 10)),
        per_poll_(c.value("files_per_poll", 200)),
        keep_done_(c.value("keep_done", true)) {}

  Task<Result<void>> start(Host& host) override {
    host_ = &host;
    for (const auto& folder : {out_, in_})
      if (!folder.empty() && !folder_there(folder))
        co_return fail(ErrorKind::unavailable, "FOLDER_MISSING", "a drop folder is not there or not writable");
    co_return Result<void>{};
  }

  Task<AttemptResult> send(const Delivery& delivery) override {
    if (out_.empty()) co_return end(Verdict::rejected, "NO_OUT_FOLDER");
    // Names derive from the delivery id, so that a repeat writes the same files.
    // What a person sends again stands beside the first, under a name of its own.
    std::string again = delivery.generation > 0 ? fmt::format("|{}", delivery.generation) : "";
    std::string name = sdk::stable_uuid("file_drop|" + delivery.id + again);
    Json documents = Json::array();
    for (std::size_t i = 0; i < delivery.documents.size(); ++i) {
      const auto& d = delivery.documents[i];
      std::string file = fmt::format("{}-{}.{}", name, i + 1, extension(d.media_type));
      auto written = co_await write_document(d, file);
      if (!written)
        co_return end(written.error().kind == ErrorKind::invalid ? Verdict::rejected : Verdict::retry_later,
                      written.error().code);
      documents.push_back({{"file", file},
                           {"doc_type", d.doc_type},
                           {"media_type", d.media_type},
                           {"version", d.version},
                           {"size", d.size},
                           {"sha256", d.sha256}});
    }
    if (delivery.kind == "invoice") {
      if (!delivery.invoice) co_return end(Verdict::rejected, "INVOICE_NO_DOCUMENT");
      auto written = write_invoice(*delivery.invoice, name, documents);
      if (!written) co_return end(Verdict::retry_later, written.error().code);
    }
    Json content{{"id", delivery.id},
                 {"kind", delivery.kind},
                 {"type", event_type(delivery.type)},
                 {"message", delivery.message_id},
                 {"region", delivery.region},
                 {"role", delivery.role},
                 {"subject", delivery.pseudonym},
                 {"time", format_instant(delivery.first_attempt)},
                 {"data", delivery.body},
                 {"documents", documents}};
    if (delivery.generation > 0) content["resent"] = delivery.generation;
    // Last: who sees it, sees all of its documents.
    auto file = FileOut::open(out_, name + ".json");
    if (!file) co_return end(Verdict::retry_later, file.error().code);
    auto ok = file->write(as_bytes(dump_json(content)));
    if (ok) ok = file->finish();
    if (!ok) co_return end(Verdict::retry_later, ok.error().code);
    co_return AttemptResult{Verdict::delivered, "FILE_WRITTEN", std::nullopt, {{"file", name + ".json"}}};
  }

  Task<void> run(Inbox& inbox) override {
    if (in_.empty()) co_return;
    for (;;) {
      co_await read_folder(inbox);
      co_await host_->pause(milliseconds(poll_ * 1000));
    }
  }

 private:
  Task<Result<void>> write_document(DocumentInfo document, std::string name) {
    auto file = FileOut::open(out_, name);
    if (!file) co_return fail(file.error());
    Sha256 hash;
    for (std::int64_t at = 0; at < document.size;) {
      auto piece = co_await host_->documents().read(document.id, at, kPiece);
      if (!piece) co_return fail(ErrorKind::unavailable, piece.error().code, "document cannot be read now");
      if (piece->empty()) co_return fail(ErrorKind::unavailable, "DOCUMENT_SHORT", "document is shorter than it says");
      hash.update(*piece);
      if (auto ok = file->write(*piece); !ok) co_return ok;
      at += static_cast<std::int64_t>(piece->size());
    }
    if (!document.sha256.empty() && to_hex(hash.finish()) != document.sha256)
      co_return fail(ErrorKind::invalid, "DOCUMENT_HASH", "document is not what it says");
    auto done = file->finish();
    co_return done;
  }

  Task<void> read_folder(Inbox& inbox) {
    auto names = names_in(in_, ".json", static_cast<std::size_t>(per_poll_));
    if (!names) {
      log(LogLevel::warn, "file_drop.folder", {{"code", names.error().code}});
      co_return;
    }
    for (const auto& name : *names) {
      auto text = read_file(in_ + '/' + name, kEventBytes);
      if (!text && text.error().kind != ErrorKind::too_large) continue;  // taken away meanwhile, or not readable yet
      Result<Json> event = text ? parse_json(*text) : Result<Json>(fail(text.error()));
      if (event && !event->is_object()) event = fail(ErrorKind::invalid, "JSON_NOT_AN_OBJECT", "not an object");
      if (!event) {
        refuse(name, event.error().code);
        continue;
      }
      auto accepted = co_await inbox.accept(party_, std::move(*event));
      if (!accepted) {
        bool later = accepted.error().kind == ErrorKind::unavailable || accepted.error().kind == ErrorKind::timeout ||
                     accepted.error().kind == ErrorKind::io || accepted.error().kind == ErrorKind::internal;
        if (later) co_return;  // the rest would meet the same
        refuse(name, accepted.error().code);
        continue;
      }
      host_->metrics().count("file_drop_files", {{"result", *accepted ? "accepted" : "duplicate"}});
      auto moved = keep_done_ ? move_to(in_, name, "done") : Result<void>{};
      if (!keep_done_) (void)::unlink((in_ + '/' + name).c_str());
      if (!moved) log(LogLevel::warn, "file_drop.move", {{"code", moved.error().code}});
    }
  }

  void refuse(const std::string& name, const std::string& code) {
    host_->metrics().count("file_drop_files", {{"result", "refused"}});
    log(LogLevel::warn, "file_drop.refused", {{"code", code}});  // not the name: a sender may put anything there
    if (auto moved = move_to(in_, name, "error"); !moved) {
      log(LogLevel::warn, "file_drop.move", {{"code", moved.error().code}});
      return;
    }
    auto reason = FileOut::open(in_ + "/error", name + ".reason");
    if (!reason) return;
    if (auto ok = reason->write(as_bytes(code + "\n")); ok) (void)reason->finish();
  }

  /// UBL and PDF of an invoice beside the JSON, as an access point or a bookkeeping package takes them.
  Result<void> write_invoice(const InvoiceDocument& invoice, const std::string& name, Json& documents) {
    for (auto [text, ext, media] :
         {std::tuple{&invoice.xml, "xml", "application/xml"}, std::tuple{&invoice.pdf, "pdf", "application/pdf"}}) {
      std::string file_name = fmt::format("{}-{}.{}", name, invoice.name, ext);
      auto file = FileOut::open(out_, file_name);
      auto ok = file ? file->write(as_bytes(*text)) : Result<void>(fail(file.error()));
      if (ok) ok = file->finish();
      if (!ok) return ok;
      documents.push_back({{"file", file_name},
                           {"doc_type", "factuur"},
                           {"media_type", media},
                           {"size", text->size()},
                           {"sha256", sha256_hex(*text)}});
    }
    return {};
  }

  std::string out_, in_, party_;
  int poll_, per_poll_;
  bool keep_done_;
  Host* host_ = nullptr;
};

}  // namespace schakel::file_drop

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::file_drop::FileDropAdapter, kSchema)
