#include <fmt/format.h>

#include <charconv>

#include "core/api/routes.hpp"
#include "core/audit/leaf.hpp"
#include "core/base/calendar.hpp"
#include "core/runtime/hop.hpp"
#include "core/store/every.hpp"

namespace schakel::api {
namespace {

/// How long a party can fetch what was sent for no meeting.
constexpr std::chrono::days kFetchDays{30};

/// Streams an upload into the vault; the answer is the claim check (Enterprise Integration Patterns).
Task<net::Response> post_document(Call& call) {
  auto zaak = call.query["zaak"];
  auto member = co_await require_member(call.services, *call.party, zaak);
  if (!member) co_return problem(member.error());
  std::vector<Finding> findings;
  auto type = call.query["docType"];
  auto plain_name = [](std::string_view s) {
    return !s.empty() && s.size() <= 60 &&
           std::ranges::all_of(s, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
  };
  if (!plain_name(type)) findings.push_back({"/docType", "REQUIRED", "a document type of domain.md section 4", ""});
  auto status = call.query.contains("status") ? call.query["status"] : std::string("compleet");
  if (!plain_name(status)) findings.push_back({"/status", "VALUE", "a status such as concept or compleet", ""});
  int version = 1;
  if (call.query.contains("versie")) {
    auto v = call.query["versie"];
    auto [end, ec] = std::from_chars(v.data(), v.data() + v.size(), version);
    if (ec != std::errc() || end != v.data() + v.size() || version < 1)
      findings.push_back({"/versie", "VALUE", "a whole number from 1", ""});
  }
  auto media = std::string(call.request.head.headers.get("Content-Type"));
  if (media.empty() || media.size() > 100 || !net::valid_header("Content-Type", media))
    findings.push_back({"/Content-Type", "REQUIRED", "the media type of the document", ""});
  if (!findings.empty())
    co_return problem({ErrorKind::invalid, "DOCUMENT_INVALID", "the upload is not valid", findings});
  vault::DocumentRecord record;
  record.case_id = zaak;
  record.doc_type = type;
  record.status = status;
  record.media_type = media;
  record.version = version;
  record.party = call.party->id;
  // A name made by us: what the sender calls a file may name a child.
  record.file_name = fmt::format("{}-v{}{}", type, version, media == "application/pdf" ? ".pdf" : "");
  auto upload = co_await call.services.documents.begin(std::move(record), call.services.document_limit);
  if (!upload) co_return problem(upload.error());
  Bytes chunk(64 * 1024);
  std::int64_t total = 0;
  for (;;) {
    auto n = co_await call.request.stream->read(chunk);
    if (!n) co_return problem(n.error());
    if (*n == 0) break;
    total += static_cast<std::int64_t>(*n);
    auto written = co_await (*upload)->write(Bytes(chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(*n)));
    if (!written) co_return problem(written.error());
  }
  if (total == 0) co_return problem({ErrorKind::invalid, "DOCUMENT_EMPTY", "the document has no content", {}});
  auto finished = co_await (*upload)->finish();
  if (!finished) co_return problem(finished.error());
  store::Transaction tx{std::move(finished->ops)};
  const auto& made = finished->record;
  tx.ops.push_back(audit::leaf(
      call.services.clock.now(), "document.stored",
      {.ids =
           {{"document", made.id}, {"case", zaak}, {"party", call.party->id}, {"type", type}, {"sha256", made.sha256}},
       .counts = {{"bytes", made.size}}}));
  auto done = co_await call.services.store.commit(std::move(tx));
  if (!done) co_return problem(done.error());
  auto response = json(201, {{"id", made.id},
                             {"zaak", zaak},
                             {"soort", made.doc_type},
                             {"versie", made.version},
                             {"status", made.status},
                             {"sha256", made.sha256},
                             {"omvang", made.size}});
  co_return response;
}

Task<net::Response> get_documents(Call& call) {
  auto zaak = call.query["zaak"];
  auto member = co_await require_member(call.services, *call.party, zaak);
  if (!member) co_return problem(member.error());
  auto all = co_await call.services.documents.of_case(zaak);
  if (!all) co_return problem(all.error());
  Json out = Json::array();
  for (const auto& d : *all)
    if (d.party == call.party->id)
      out.push_back({{"id", d.id},
                     {"soort", d.doc_type},
                     {"versie", d.version},
                     {"status", d.status},
                     {"sha256", d.sha256},
                     {"omvang", d.size},
                     {"opgeslagenOp", format_instant(d.stored_at)}});
  co_return json(200, {{"documenten", out}});
}

/// Whose a delivery became: the party it was addressed to, or that of the instance a person sent it to instead. Empty
/// for a deelnemer.
std::string received_by(const outbox::Planned& planned, const store::DeliveryRow& row,
                        const delivery::Delivering& delivering) {
  if (planned.target == row.target) {
    if (planned.address.contains("person")) return {};
    if (auto party = planned.address.value("party", ""); !party.empty()) return party;
  }
  auto it = delivering.instances().find(row.target);
  return it == delivering.instances().end() ? std::string() : it->second.party;
}

/// A delivery by which a party was sent a document.
struct SentDocument {
  std::string delivery;
  outbox::Planned planned;
  Instant made{};
};

/// Those that arrived, or are arriving: who gets an event may fetch its documents before it answers.
Task<Result<std::vector<SentDocument>>> sent_to(Services& s, std::string party, std::string case_id,
                                                std::string document) {
  std::vector<SentDocument> out;
  store::DeliveryFilter filter;
  filter.case_id = std::move(case_id);
  auto rows = co_await store::every_delivery(s.store, filter);
  if (!rows) co_return fail(std::move(rows.error()));
  for (const auto& row : *rows) {
    bool went = row.state == store::DeliveryState::delivered || row.state == store::DeliveryState::attempting;
    if (!went || (row.kind != "documents" && row.kind != "filing")) continue;
    auto planned = co_await runtime::on(s.broker, s.delivering.open(row));
    if (!planned) co_return fail(std::move(planned.error()));
    if (received_by(*planned, row, s.delivering) != party ||
        std::ranges::find(planned->documents, document) == planned->documents.end())
      continue;
    out.push_back({row.id, std::move(*planned), row.created_at});
  }
  co_return out;
}

/// Until the day of the meeting that it was sent for has ended, as that stands now: moved or cancelled.
Instant fetchable_until(const SentDocument& sent, const CaseFile& file) {
  if (!sent.planned.valid_until) return sent.made + kFetchDays;
  auto message = sent.planned.body.value("message_id", "");
  for (const auto& m : file.messages)
    if (m.id == message && m.meeting) return end_of_day(local_date(m.meeting->at));
  return *sent.planned.valid_until;
}

/// Why the party may not have it any more: the check of every attempt to send it, made at this moment. Empty when it
/// may (CORE-CONSENT-04, -05).
Task<Result<std::string>> refusal_of(Services& s, const SentDocument& sent, std::string case_id) {
  auto file = co_await s.journal.load(std::move(case_id));
  if (!file) co_return fail(std::move(file.error()));
  auto now = s.clock.now();
  const auto& profiles = s.pipeline.profiles();
  auto rules = profiles.find(sent.planned.body.value("region", ""));
  if (rules == profiles.end()) co_return std::string("REGION_UNKNOWN");
  auto refused = delivery::refused_now(sent.planned, *file, *rules->second, now);
  if (refused.empty() && now > fetchable_until(sent, *file)) refused = "DOCUMENT_EXPIRED";
  co_return refused;
}

/// A document while it is opened, piece by piece.
class DocumentBody final : public net::BodyProducer {
 public:
  explicit DocumentBody(std::unique_ptr<vault::DocumentContent> content) : content_(std::move(content)) {}
  [[nodiscard]] Task<Result<std::size_t>> produce(std::span<std::uint8_t> into) override {
    auto piece = co_await content_->read(at_, into.size());
    if (!piece) co_return fail(std::move(piece.error()));
    if (piece->size() > into.size()) co_return fail(ErrorKind::internal, "DOCUMENT_PIECE", "more than was asked for");
    std::ranges::copy(*piece, into.begin());
    at_ += static_cast<std::int64_t>(piece->size());
    co_return piece->size();
  }
  [[nodiscard]] std::optional<std::uint64_t> size() const override {
    return static_cast<std::uint64_t>(content_->record().size);
  }

 private:
  std::unique_ptr<vault::DocumentContent> content_;
  std::int64_t at_ = 0;
};

/// Our own name of a document, with nothing in it that a header could not carry.
std::string header_name(std::string name) {
  for (char& c : name) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  return name.empty() ? "document" : name;
}

/// The bytes, for the party that a delivery with this document went to: an event names documents and carries none.
Task<net::Response> get_document(Call& call) {
  auto& s = call.services;
  const auto id = call.path["id"], party = call.party->id;
  // One answer for what is not there and for what was never sent to this party.
  const Error unknown{ErrorKind::not_found, "DOCUMENT_UNKNOWN", "no such document was sent to this party", {}};
  auto record = co_await s.documents.info(id);
  if (!record && (record.error().kind == ErrorKind::not_found || record.error().kind == ErrorKind::invalid))
    co_return problem(unknown);
  if (!record) co_return problem(record.error());
  auto all = co_await sent_to(s, party, record->case_id, id);
  if (!all) co_return problem(all.error());
  if (all->empty()) co_return problem(unknown);
  std::string by, refused;
  for (const auto& sent : *all) {
    auto why = co_await refusal_of(s, sent, record->case_id);
    if (!why) co_return problem(why.error());
    refused = std::move(*why);
    if (!refused.empty()) continue;
    by = sent.delivery;
    break;
  }
  if (!refused.empty())
    co_return problem({ErrorKind::forbidden, refused, "this document may not be fetched any more", {}});
  auto content = co_await s.documents.open(id);
  if (!content) co_return problem(content.error());
  if (call.request.head.method != "HEAD") {
    // Durable before the first byte: no download without its leaf.
    auto noted = co_await s.store.commit(
        {{audit::leaf(s.clock.now(), "document.downloaded",
                      {.ids = {{"document", id}, {"case", record->case_id}, {"party", party}, {"delivery", by}},
                       .counts = {{"bytes", record->size}}})}});
    if (!noted) co_return problem(noted.error());
  }
  net::Response response;
  bool typed = !record->media_type.empty() && net::valid_header("Content-Type", record->media_type);
  response.headers.set("Content-Type", typed ? record->media_type : "application/octet-stream");
  response.headers.set("Content-Disposition",
                       fmt::format("attachment; filename=\"{}\"", header_name(record->file_name)));
  response.headers.set("Cache-Control", "no-store");
  response.stream = std::make_unique<DocumentBody>(std::move(*content));
  co_return response;
}

}  // namespace

std::vector<Route> document_routes() {
  return {{"POST", "/v1/documenten", Who::party, std::uint64_t{4} << 30, true, post_document},
          {"GET", "/v1/documenten", Who::party, 0, false, get_documents},
          {"GET", "/v1/documenten/{id}", Who::party, 0, false, get_document}};
}

}  // namespace schakel::api
