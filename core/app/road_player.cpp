#include "core/app/road_player.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>

#include "core/app/broker.hpp"
#include "core/app/edges.hpp"
#include "core/delivery/attempt.hpp"
#include "core/journal/vault_sealer.hpp"
#include "core/model/region_files.hpp"
#include "core/net/mail_message.hpp"
#include "core/outbox/dispatcher.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/store/sqlite/sqlite_store.hpp"

namespace schakel::app {
namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace {

template <class T>
T run_now(asio::io_context& io, Task<T> task) {
  auto future = asio::co_spawn(io, std::move(task), asio::use_future);
  io.restart();
  io.run();
  return future.get();
}

/// Every role of the scenario is reached through the recorder; nobody needs a mail address.
Json recording_parties(const Json& identities) {
  Json list = Json::array();
  for (const auto& [region, parties] : identities.at("regions").items()) {
    for (const auto& [role, identity] : parties.items()) {
      Json party{{"id", fmt::format("{}-{}", role, region)},
                 {"name", identity.at("name")},
                 {"domain", role == "gemeente" || role == "zorgaanbieder" ? "care" : "education"},
                 {"scope", "region"},
                 {"may_send", {{{"roles", {"*"}}, {"types", {"*"}}, {"regions", {region}}}}},
                 {"invoice", identity}};
      party["invoice"]["payer_role"] = role;
      if (role == "gemeente")
        party["endpoints"] = {
            {{"roles", {"*"}},
             {"regions", {region}},
             {"kinds", {"invoice"}},
             {"adapter", "mail"},
             {"address", Json::object()}},
            {{"roles", {"*"}}, {"regions", {region}}, {"adapter", "recorder"}, {"address", Json::object()}}};
      if (role == "zorgaanbieder") {
        // A second one, for scenarios in which the provider is another.
        auto other = party;
        other["id"] = fmt::format("andere-{}-{}", role, region);
        other["name"] = "Andere " + identity.at("name").get<std::string>();
        list.push_back(std::move(other));
      }
      list.push_back(std::move(party));
    }
  }
  return {{"parties", list}};
}

void write(const fs::path& file, std::string_view text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

/// Writes what would have gone to a partner as a file instead.
class Recorder final : public Adapter {
 public:
  explicit Recorder(fs::path folder) : folder_(std::move(folder)) {}
  Task<Result<void>> start(Host&) override { co_return Result<void>{}; }
  Task<AttemptResult> send(const Delivery& d) override {
    if (!folder_.empty()) {
      Json j{{"id", d.id},
             {"kind", d.kind},
             {"type", d.type},
             {"role", d.role},
             {"region", d.region},
             {"body", d.body},
             {"documents", d.documents.size()}};
      auto name = fmt::format("{:03}-{}-{}.json", ++count_, d.kind, d.role);
      std::ranges::replace_if(name, [](char c) { return c == ':' || c == '@' || c == '/'; }, '_');
      write(folder_ / "calls" / name, j.dump(2));
    }
    co_return AttemptResult{Verdict::delivered, "RECORDED", std::nullopt, Json::object()};
  }

 private:
  fs::path folder_;
  int count_ = 0;
};

/// A mail server that keeps what it is given.
class RecordingMail final : public MailAccess {
 public:
  RecordingMail(fs::path folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}
  Task<Result<std::string>> send(Mail mail) override {
    if (!folder_.empty()) {
      net::MailMessage m{{"schakel@schakel.example", "Schakel"},
                         {{mail.to}},
                         mail.subject,
                         mail.text,
                         bare_id(mail.message_id),
                         clock_.now(),
                         {},
                         {}};
      for (const auto& a : mail.attachments) {
        write(folder_ / a.name, as_text(a.content));
        m.attachments.push_back({a.name, a.media_type, a.content});
      }
      auto text = net::write_mail(m);
      if (!text) co_return fail(std::move(text.error()));
      write(folder_ / fmt::format("{:03}.eml", ++count_), *text);
    }
    co_return std::string("SMTP_250");
  }

 private:
  fs::path folder_;
  const Clock& clock_;
  int count_ = 0;
};

class MemoryProgress final : public Progress {
 public:
  Task<Result<std::optional<Json>>> get(std::string key) override {
    auto it = values_.find(key);
    co_return it == values_.end() ? std::optional<Json>{} : std::optional<Json>(it->second);
  }
  Task<Result<void>> put(std::string key, Json value) override {
    values_[key] = std::move(value);
    co_return Result<void>{};
  }
  Task<Result<void>> write(std::vector<std::pair<std::string, std::optional<Json>>> changes) override {
    for (auto& [key, value] : changes) {
      if (value)
        values_[key] = std::move(*value);
      else
        values_.erase(key);
    }
    co_return Result<void>{};
  }
  Task<Result<std::vector<std::string>>> keys(std::string prefix, std::string after, int limit) override {
    std::vector<std::string> out;
    for (auto it = values_.lower_bound(prefix);
         it != values_.end() && it->first.starts_with(prefix) && std::cmp_less(out.size(), limit); ++it)
      if (it->first > after) out.push_back(it->first);
    co_return out;
  }

 private:
  std::map<std::string, Json> values_;
};

struct NoHttp final : HttpAccess {
  Task<Result<HttpReply>> request(HttpRequest) override {
    co_return fail(ErrorKind::unavailable, "HTTP_REFUSED", "a scenario calls nobody");
  }
};
struct NoDocuments final : Documents {
  Task<Result<DocumentInfo>> info(std::string) override {
    co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "a scenario has no documents");
  }
  Task<Result<Bytes>> read(std::string, std::int64_t, std::size_t) override {
    co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "a scenario has no documents");
  }
};
struct NoLinks final : Links {
  Task<Result<IssuedLink>> issue(LinkOrder) override {
    co_return fail(ErrorKind::unavailable, "LINKS_OFF", "a scenario makes no links");
  }
};
struct NoMetrics final : Metrics {
  void count(std::string_view, std::map<std::string, std::string>, double) override {}
};

class StageHost final : public Host {
 public:
  StageHost(MailAccess& mail, const Clock& clock) : mail_(mail), clock_(clock) {}
  HttpAccess& http() override { return http_; }
  MailAccess& mail() override { return mail_; }
  Progress& progress() override { return progress_; }
  Documents& documents() override { return documents_; }
  Links& links() override { return links_; }
  Metrics& metrics() override { return metrics_; }
  const Clock& clock() override { return clock_; }
  Result<Secret> secret(std::string_view) override {
    return fail(ErrorKind::not_found, "SECRET_UNKNOWN", "a scenario has no secrets");
  }
  Task<Result<Secret>> bsn(std::string, std::string) override {
    co_return fail(ErrorKind::not_found, "BSN_UNKNOWN", "a scenario has no BSN");
  }

 private:
  MailAccess& mail_;
  const Clock& clock_;
  NoHttp http_;
  MemoryProgress progress_;
  NoDocuments documents_;
  NoLinks links_;
  NoMetrics metrics_;
};

class NoPeople final : public pipeline::Directory {
 public:
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string) override {
    co_return std::vector<outbox::Contact>{};
  }
  Task<Result<void>> extend(const Message&, const Draft&, store::Transaction&) override { co_return Result<void>{}; }
};

}  // namespace

struct Stage::Parts {
  std::unique_ptr<plugin::Registry> registry;
  std::vector<std::unique_ptr<Decider>> deciders;
  Profiles profiles;
  std::shared_ptr<const Parties> parties;
  const plugin::Plugin* mail = nullptr;
};

Stage::Stage(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Stage::~Stage() = default;
const Profiles& Stage::profiles() const { return parts_->profiles; }

Result<std::unique_ptr<Stage>> Stage::build(const fs::path& config_dir, const fs::path& plugins_dir,
                                            std::span<const fs::path> more) {
  auto parts = std::make_unique<Parts>();
  parts->registry = std::make_unique<plugin::Registry>(plugins_dir);
  auto deciders = load_deciders(*parts->registry);
  if (!deciders) return fail(std::move(deciders.error()));
  parts->deciders = std::move(*deciders);
  auto profiles = load_profiles(config_dir, more);
  if (!profiles) return fail(std::move(profiles.error()));
  parts->profiles = std::move(*profiles);
  auto identities = read_region_json(config_dir / "scenario-parties.json");
  if (!identities) return fail(ErrorKind::invalid, "CONFIG_INVALID", "scenario-parties.json is missing or not JSON");
  for (const auto& folder : more) {
    if (!fs::exists(folder / "scenario-parties.json")) continue;
    auto own = read_region_json(folder / "scenario-parties.json");
    if (!own || !own->is_object() || !own->value("regions", Json()).is_object())
      return fail(ErrorKind::invalid, "CONFIG_INVALID", "scenario-parties.json of a further folder cannot be used");
    (*identities)["regions"].update((*own)["regions"]);
  }
  auto parties = Parties::read(recording_parties(*identities));
  if (!parties) return fail(std::move(parties.error()));
  parts->parties = std::make_shared<const Parties>(std::move(*parties));
  auto mail = parts->registry->load(plugin::Kind::adapter, "mail");
  if (!mail) return fail(std::move(mail.error()));
  parts->mail = *mail;
  return std::unique_ptr<Stage>(new Stage(std::move(parts)));
}

namespace {

/// One case on its own store. Messages go through the journal as if they had passed the ingress.
class RoadPlayer final : public scenario::Player {
 public:
  RoadPlayer(Stage::Parts& stage, const scenario::Scenario& scenario, fs::path folder)
      : stage_(stage),
        folder_(std::move(folder)),
        region_(scenario.region),
        mail_(folder_.empty() ? fs::path() : folder_ / "mail", clock_),
        host_(mail_, clock_),
        recorder_(folder_) {}

  Result<void> open(const Message& opening) override {
    clock_.set(opening.time);
    auto store = store::SqliteStore::open(":memory:", clock_);
    if (!store) return fail(std::move(store.error()));
    store_ = std::move(*store);
    auto master = vault::MasterKey::from_bytes(Secret(Bytes(32, 1)));
    if (!master) return fail(std::move(master.error()));
    auto vault = run_now(io_, vault::Vault::open(*store_, clock_, std::move(*master)));
    if (!vault) return fail(std::move(vault.error()));
    vault_ = std::move(*vault);
    sealer_ = std::make_unique<journal::VaultSealer>(*vault_);
    journal_ = std::make_unique<journal::Journal>(*store_, *sealer_, clock_, Secret(Bytes(32, 2)));
    std::vector<const Decider*> deciders;
    for (const auto& d : stage_.deciders) deciders.push_back(d.get());
    pipeline_ = std::make_unique<pipeline::Pipeline>(*journal_, deciders, stage_.profiles, stage_.parties, people_);
    if (!folder_.empty()) {
      pool_ = std::make_unique<runtime::BlockingPool>(1, 16);
      auto blobs = vault::Blobs::open(folder_ / ".blobs");
      if (!blobs) return fail(std::move(blobs.error()));
      documents_ = std::make_unique<vault::Documents>(*vault_, *store_, clock_, *pool_, std::move(*blobs));
      delivering_ =
          std::make_unique<delivery::Delivering>(*journal_, *vault_, *documents_, stage_.profiles, stage_.parties);
      const Json kMail{{"message_id_domain", "schakel.example"}};
      auto adapter = stage_.mail->make_adapter(kMail);
      if (!adapter) return fail(std::move(adapter.error()));
      mail_adapter_ = std::move(*adapter);
      if (auto started = run_now(io_, mail_adapter_->start(host_)); !started) return started;
      auto grants = stage_.mail->check(kMail);
      if (!grants) return fail(std::move(grants.error()));
      delivery::Instance mail{.name = "mail",
                              .plugin = "mail",
                              .adapter = mail_adapter_.get(),
                              .degraded = "",
                              .grants = *grants,
                              .repeatable = true,
                              .party = "",
                              .inbox = nullptr};
      delivering_->add(std::move(mail));
      plugin::Grants all;
      all.fields = {"/case_id", "/pseudonym", "/endpoint", "/body", "/documents"};
      delivering_->add({.name = "recorder",
                        .plugin = "recorder",
                        .adapter = &recorder_,
                        .degraded = "",
                        .grants = all,
                        .repeatable = true,
                        .party = "",
                        .inbox = nullptr});
      dispatcher_ = std::make_unique<outbox::Dispatcher>(*store_, *delivering_, clock_, outbox::DispatcherOptions{});
    }
    auto draft = one(opening);
    if (!draft) return fail(std::move(draft.error()));
    if (draft->outcome != Outcome::recorded)
      return fail(ErrorKind::invalid, "SCENARIO_OPENING", "the case could not be opened");
    return {};
  }

  Result<Draft> play(const Message& message) override {
    clock_.set(message.time);
    return one(message);
  }

  [[nodiscard]] const CaseFile& file() const override { return file_; }

 private:
  Result<Draft> one(Message m) {
    m.subject = case_;
    m.region = region_;
    // Money rules know a creditor by the organisation; a scenario has one per role.
    if (m.party.empty())
      m.party =
          fmt::format("{}-{}", m.sender_role.starts_with("zorgaanbieder") ? "zorgaanbieder" : m.sender_role, region_);
    if (m.source.empty()) m.source = "urn:schakel:scenario";
    // What comes along has no content in a scenario: what is delivered is a page that says so.
    if (documents_)
      for (Attachment& a : m.attachments) {
        vault::DocumentRecord record;
        record.case_id = case_;
        record.doc_type = a.doc_type;
        record.status = a.status;
        record.media_type = "text/plain";
        record.file_name = "document.txt";
        record.version = a.version;
        record.party = m.party;
        auto stored = run_now(io_, documents_->store(std::move(record), to_bytes("Een document uit een scenario.\n")));
        if (!stored) return fail(std::move(stored.error()));
        a.document = stored->id;
        a.sha256 = stored->sha256;
      }
    auto accepted = run_now(io_, journal_->accept(std::move(m)));
    if (!accepted) return fail(std::move(accepted.error()));
    auto decided = run_now(io_, pipeline_->step());
    if (!decided) return fail(std::move(decided.error()));
    if (dispatcher_)
      for (;;) {
        auto sent = run_now(io_, dispatcher_->step());
        if (!sent) return fail(std::move(sent.error()));
        if (*sent == 0) break;
      }
    auto recorded = run_now(io_, journal_->decision(accepted->seq));
    if (!recorded) return fail(std::move(recorded.error()));
    if (!*recorded) return fail(ErrorKind::internal, "NOT_DECIDED", "the message was not decided");
    auto file = run_now(io_, journal_->load(case_));
    if (!file) return fail(std::move(file.error()));
    file_ = std::move(*file);
    return (*recorded)->draft;
  }

  Stage::Parts& stage_;
  fs::path folder_;
  std::string region_, case_ = journal::new_case_id();
  ManualClock clock_;
  asio::io_context io_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<vault::Vault> vault_;
  std::unique_ptr<journal::VaultSealer> sealer_;
  std::unique_ptr<journal::Journal> journal_;
  NoPeople people_;
  std::unique_ptr<pipeline::Pipeline> pipeline_;
  std::unique_ptr<runtime::BlockingPool> pool_;
  std::unique_ptr<vault::Documents> documents_;
  RecordingMail mail_;
  StageHost host_;
  Recorder recorder_;
  std::unique_ptr<Adapter> mail_adapter_;
  std::unique_ptr<delivery::Delivering> delivering_;
  std::unique_ptr<outbox::Dispatcher> dispatcher_;
  CaseFile file_;
};

}  // namespace

scenario::Played Stage::play(const scenario::Scenario& scenario, const fs::path& artifacts) {
  RoadPlayer player(*parts_, scenario, artifacts.empty() ? fs::path() : artifacts / scenario.id);
  auto played = scenario::run(scenario, player);
  if (!artifacts.empty()) {
    std::error_code ec;
    fs::remove_all(artifacts / scenario.id / ".blobs", ec);
  }
  return played;
}

}  // namespace schakel::app
