#include <fmt/format.h>

#include <charconv>

#include "core/api/routes.hpp"
#include "core/audit/leaf.hpp"

namespace schakel::api {
namespace {

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

}  // namespace

std::vector<Route> document_routes() {
  return {{"POST", "/v1/documenten", Who::party, std::uint64_t{4} << 30, true, post_document},
          {"GET", "/v1/documenten", Who::party, 0, false, get_documents}};
}

}  // namespace schakel::api
