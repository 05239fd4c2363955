// The whole of core/api on a store in memory, without sockets: a request goes through on_head and on_request as the
// server calls them.
#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "core/api/routes.hpp"
#include "core/journal/members.hpp"
#include "core/journal/vault_sealer.hpp"
#include "core/store/sqlite/sqlite_store.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/pipeline/road_parts.hpp"

// Services grows with the product; what a test does not name stays as it is.
#pragma clang diagnostic ignored "-Wmissing-designated-field-initializers"

namespace schakel::test {

inline const std::string kSchoolOin = "00000099000010001000";
inline const std::string kGemeenteOin = "00000099000010003000";
inline const std::string kElsewhereOin = "00000099000010005000";
inline const std::string kMuteOin = "00000099000010006000";

inline Json parties_json() {
  auto party = [](std::string id, std::string oin, Json grants) {
    return Json{{"id", id},
                {"name", id},
                {"oin", oin},
                {"domain", id == "school" ? "education" : "care"},
                {"may_send", grants},
                {"rate_per_minute", 60},
                {"certificates", {{{"oin", oin}}}}};
  };
  auto grant = [](std::vector<std::string> roles, std::vector<std::string> types, std::string region) {
    return Json{{{"roles", roles}, {"types", types}, {"regions", {region}}}};
  };
  auto school = party("school", kSchoolOin, grant({"school_ib", "ouder_1"}, {"*"}, "KNH"));
  school["may_supply_bsn"] = true;
  auto gemeente = party("gemeente", kGemeenteOin, grant({"procesregisseur"}, {"intern_overleg"}, "KNH"));
  gemeente["scope"] = "region";
  // Roles of tests alone: one that one party has, and one that two have.
  auto at = [](std::vector<std::string> roles, const char* adapter) {
    return Json{{{"roles", roles}, {"regions", {"KNH"}}, {"adapter", adapter}}};
  };
  gemeente["endpoints"] = at({"proefrol", "dubbelrol"}, "hook");
  auto mute = party("stil", kMuteOin, Json::array());
  mute["endpoints"] = at({"dubbelrol"}, "post");
  return {{"parties", {school, gemeente, party("elders", kElsewhereOin, grant({"school_ib"}, {"*"}, "FRL")), mute}}};
}

struct Reply {
  int status = 0;
  Json body;
  net::Headers headers;
  std::string code;
  bool body_read = false;  ///< false: it was answered on its head
};

class Body final : public net::BodyReader {
 public:
  explicit Body(std::string text) : text_(std::move(text)) {}
  Task<Result<std::size_t>> read(std::span<std::uint8_t> into) override {
    auto n = std::min(into.size(), text_.size() - at_);
    std::copy_n(text_.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    co_return n;
  }

 private:
  std::string text_;
  std::size_t at_ = 0;
};

struct Desk : ::testing::Test {
  struct AllThere final : ingress::DocumentCheck {
    Task<Result<void>> check(const Attachment&, std::string_view, std::string_view) override {
      co_return Result<void>{};
    }
  };

  /// Runs a task on the desk's io_context, with the pipeline deciding beside it.
  template <class T>
  T go(Task<T> task) {
    std::optional<T> out;
    std::exception_ptr failure;
    io.restart();
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
      failure = e;
      if (!e) out.emplace(std::move(value));
    });
    auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!out && !failure && std::chrono::steady_clock::now() < end) {
      io.run_for(std::chrono::milliseconds(20));
      io.restart();
      if (out || failure) break;
      boost::asio::co_spawn(io, pipeline.step(), [](std::exception_ptr, auto) {});
    }
    if (failure) std::rethrow_exception(failure);
    if (!out) throw std::runtime_error("the task did not end in time");
    return std::move(*out);
  }

  static net::PeerIdentity organisation(const std::string& oin) {
    net::PeerIdentity p;
    p.kind = net::PeerIdentity::Kind::certificate;
    p.oin = oin;
    return p;
  }
  static net::PeerIdentity operator_() {
    net::PeerIdentity p;
    p.kind = net::PeerIdentity::Kind::local;
    p.uid = 0;
    return p;
  }

  Reply ask(const net::PeerIdentity& peer, std::string method, std::string target, std::string body = "",
            std::vector<std::pair<std::string, std::string>> headers = {{"Content-Type", "application/json"}}) {
    net::Request request;
    request.head.method = std::move(method);
    auto question = target.find('?');
    request.head.path = target.substr(0, question);
    if (question != std::string::npos) request.head.query = target.substr(question + 1);
    for (auto& [name, value] : headers) request.head.headers.add(name, value);
    request.head.peer = peer;
    request.head.listener = listener;
    if (!body.empty()) request.head.content_length = body.size();
    auto decided = go(router.on_head(request.head));
    Reply out;
    auto show = [&](net::Response& r) {
      out.status = r.status;
      out.headers = r.headers;
      if (auto j = parse_json(r.body, {.bytes = std::size_t{4} << 20})) out.body = *j;
      out.code = out.body.is_object() ? out.body.value("code", "") : "";
    };
    if (auto* refusal = std::get_if<net::Response>(&decided)) {
      show(*refusal);
      return out;
    }
    out.body_read = true;
    auto& accept = std::get<net::Accept>(decided);
    request.context = std::move(accept.context);
    Body stream(body);
    if (body.size() > accept.body_limit) {
      go([](api::Router& r, net::Request& q) -> Task<bool> {
        co_await r.on_body_refused(q, "BODY_TOO_LARGE");
        co_return true;
      }(router, request));
      out.status = 413;
      return out;
    }
    if (accept.stream)
      request.stream = &stream;
    else
      request.body = std::move(body);
    auto response = go(router.on_request(request));
    show(response);
    return out;
  }

  std::string open_case() {
    Json data{{"region", "KNH"},
              {"sender", {{"role", "school_ib"}}},
              {"pupil", {{"birth_date", "2017-03-02"}, {"school", "S"}, {"school_type", "PO"}, {"enrolled", true}}},
              {"case", {{"question_kind", "onderwijs_zorg"}, {"custody", {"ouder_1"}}}}};
    auto made = ask(school, "POST", "/v1/zaken", dump_json(data),
                    {{"Content-Type", "application/json"}, {"Idempotency-Key", fmt::format("k-{}", ++opened)}});
    EXPECT_EQ(made.status, 201) << made.body.dump();
    return made.body.value("id", "");
  }
  /// Codes of the leaves that tell of refusals, oldest first.
  std::vector<std::string> refusals() {
    go(store->commit({{store::SequenceLeaves{}}}));
    std::vector<std::string> out;
    for (const auto& row : go(store->leaves(0, 10000)).value()) {
      auto j = Json::parse(row.body);
      if (row.kind.ends_with(".refused"))
        out.push_back(j["ids"].value("party", "") + " " + j["codes"][0].get<std::string>());
    }
    return out;
  }

  boost::asio::io_context io{1};
  TempFolder folder;
  ManualClock clock{parse_instant("2026-11-20T09:00:00Z").value()};
  runtime::BlockingPool pool{1, 16};
  std::unique_ptr<store::SqliteStore> store = store::SqliteStore::open(":memory:", clock).value();
  std::unique_ptr<vault::Vault> vault = std::move(
      *go_early(vault::Vault::open(*store, clock, std::move(*vault::MasterKey::from_bytes(Secret(Bytes(32, 7)))))));
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(folder.path() / "blobs"))};
  vault::Participants participants{*vault, *store};
  vault::Bsn bsn{*vault, *store};
  journal::VaultSealer sealer{*vault};
  journal::Journal journal{*store, sealer, clock, Secret("k")};
  std::shared_ptr<const Parties> parties = std::make_shared<Parties>(Parties::read(parties_json()).value());
  NoPeople people;
  AllThere all_there;
  pipeline::Pipeline pipeline{
      journal, {}, load_profiles(std::string(SCHAKEL_SOURCE_DIR) + "/config").value(), parties, people};
  ingress::TypeCatalogue catalogue =
      ingress::TypeCatalogue::load(std::string(SCHAKEL_SOURCE_DIR) + "/config/schemas/messages").value();
  ingress::Ingress ingress{journal, parties, catalogue, all_there, {"KNH", "FRL"}};
  delivery::Delivering delivering{journal, *vault, documents, pipeline.profiles()};
  outbox::Dispatcher dispatcher{*store, delivering, clock, {}};
  api::Router router{
      api::Services{.broker = io.get_executor(),
                    .store = *store,
                    .journal = journal,
                    .ingress = ingress,
                    .pipeline = pipeline,
                    .dispatcher = dispatcher,
                    .delivering = delivering,
                    .vault = *vault,
                    .documents = documents,
                    .participants = participants,
                    .bsn = bsn,
                    .parties = parties,
                    .clock = clock,
                    .document_limit = 1024 * 1024,
                    .openapi = "{}",
                    .metrics = [] { return std::string("schakel_messages 0\n"); },
                    .health = [this] { return Json{{"ready", ready}}; },
                    .audit_verify = []() -> Task<Result<Json>> { co_return Json{{"ok", true}}; },
                    .links = {},
                    .answered = [this](const std::string& route, int status,
                                       milliseconds) { answers.push_back(route + " " + std::to_string(status)); }},
      api::all_routes()};
  std::string listener = "api";
  bool ready = true;
  std::vector<std::string> answers;  ///< route and status of each
  int opened = 0;
  const net::PeerIdentity school = organisation(kSchoolOin), gemeente = organisation(kGemeenteOin),
                          elsewhere = organisation(kElsewhereOin), mute = organisation(kMuteOin),
                          nobody = organisation("00000099000010009000");

 private:
  /// Before there is a pipeline.
  template <class T>
  T go_early(Task<T> task) {
    std::optional<T> out;
    boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e, T value) {
      if (!e) out.emplace(std::move(value));
    });
    io.run();
    return std::move(out.value());
  }
};

}  // namespace schakel::test
