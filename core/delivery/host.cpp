#include "core/delivery/host.hpp"

#include <fmt/format.h>

#include "core/audit/leaf.hpp"
#include "core/delivery/declared_http.hpp"

namespace schakel::delivery {
namespace {

Error not_declared(std::string_view what) {
  return {
      ErrorKind::forbidden, "ACCESS_NOT_DECLARED", fmt::format("the adapter's schema does not declare {}", what), {}};
}

class NoMail final : public MailAccess {
 public:
  Task<Result<std::string>> send(Mail) override {
    co_return fail(ErrorKind::unavailable, "MAIL_LATER",
                   "no mail server is configured, or the adapter did not declare mail");
  }
};

class NoLinks final : public Links {
 public:
  Task<Result<IssuedLink>> issue(LinkOrder) override {
    co_return fail(ErrorKind::unavailable, "LINKS_OFF", "this process makes no links");
  }
};

class StoredProgress final : public Progress {
 public:
  StoredProgress(store::Store& store, journal::Sealer& sealer, std::string instance)
      : store_(store), sealer_(sealer), space_("progress." + std::move(instance)) {}
  Task<Result<std::optional<Json>>> get(std::string key) override {
    auto row = co_await store_.row(space_, key);
    if (!row) co_return fail(std::move(row.error()));
    if (!*row) co_return std::optional<Json>{};
    auto plain = co_await sealer_.open("", space_, key, std::move((*row)->value));
    if (!plain) co_return fail(std::move(plain.error()));
    co_return std::optional<Json>(Json::parse(plain->begin(), plain->end()));
  }
  Task<Result<std::vector<std::optional<Json>>>> get_all(std::vector<std::string> keys) override {
    auto rows = co_await store_.rows_at(space_, std::move(keys));
    if (!rows) co_return fail(std::move(rows.error()));
    std::vector<std::optional<Json>> out(rows->size());
    // The system key opens all of it, and waits for nothing: one look-up of it instead of one a row.
    auto opener = co_await sealer_.opener("");
    if (!opener) co_return fail(std::move(opener.error()));
    for (std::size_t i = 0; i < rows->size(); ++i) {
      const auto& row = (*rows)[i];
      if (!row) continue;
      auto plain = (*opener)(space_, row->key, row->value);
      if (!plain) co_return fail(std::move(plain.error()));
      out[i] = Json::parse(plain->begin(), plain->end());
    }
    co_return out;
  }
  Task<Result<void>> put(std::string key, Json value) override {
    store::Transaction tx;
    auto sealed = co_await sealer_.seal("", space_, key, to_bytes(dump_json(value)), tx);
    if (!sealed) co_return fail(std::move(sealed.error()));
    tx.ops.push_back(store::PutRow{space_, std::move(key), std::move(*sealed), std::nullopt});
    auto done = co_await store_.commit(std::move(tx));
    if (!done) co_return fail(std::move(done.error()));
    co_return Result<void>{};
  }
  Task<Result<void>> write(std::vector<std::pair<std::string, std::optional<Json>>> changes) override {
    store::Transaction tx;
    for (auto& [key, value] : changes) {
      if (!value) {
        tx.ops.push_back(store::EraseRow{space_, std::move(key), std::nullopt});
        continue;
      }
      auto sealed = co_await sealer_.seal("", space_, key, to_bytes(dump_json(*value)), tx);
      if (!sealed) co_return fail(std::move(sealed.error()));
      tx.ops.push_back(store::PutRow{space_, std::move(key), std::move(*sealed), std::nullopt});
    }
    auto done = co_await store_.commit(std::move(tx));
    if (!done) co_return fail(std::move(done.error()));
    co_return Result<void>{};
  }
  Task<Result<std::vector<std::string>>> keys(std::string prefix, std::string after, int limit) override {
    auto rows = co_await store_.rows(space_, std::move(prefix), std::move(after), limit);
    if (!rows) co_return fail(std::move(rows.error()));
    std::vector<std::string> out;
    for (auto& row : *rows) out.push_back(std::move(row.key));
    co_return out;
  }

 private:
  store::Store& store_;
  journal::Sealer& sealer_;
  std::string space_;
};

class VaultDocuments final : public Documents {
 public:
  VaultDocuments(vault::Documents& documents, bool declared) : documents_(documents), declared_(declared) {}
  Task<Result<DocumentInfo>> info(std::string id) override {
    if (!declared_) co_return fail(not_declared("documents"));
    auto r = co_await documents_.info(std::move(id));
    if (!r) co_return fail(std::move(r.error()));
    co_return DocumentInfo{r->id, r->doc_type, r->media_type, r->file_name, r->sha256, r->version, r->size};
  }
  Task<Result<Bytes>> read(std::string id, std::int64_t offset, std::size_t length) override {
    if (!declared_) co_return fail(not_declared("documents"));
    auto bytes = co_await documents_.read(std::move(id), offset, length);
    co_return bytes;
  }

 private:
  vault::Documents& documents_;
  bool declared_;
};

class LabelledMetrics final : public Metrics {
 public:
  LabelledMetrics(runtime::MetricsRegistry& registry, std::string instance)
      : registry_(registry), instance_(std::move(instance)) {}
  void count(std::string_view name, std::map<std::string, std::string> labels, double by) override {
    labels["instance"] = instance_;
    registry_.count(fmt::format("schakel_adapter_{}_total", name), std::move(labels), by);
  }

 private:
  runtime::MetricsRegistry& registry_;
  std::string instance_;
};

}  // namespace

struct InstanceHost::Parts {
  HostServices services;
  std::string instance, party;
  plugin::Grants grants;
  DeclaredHttp http;
  StoredProgress progress;
  VaultDocuments documents;
  LabelledMetrics metrics;
  NoMail no_mail;
  NoLinks no_links;

  Parts(HostServices s, std::string i, std::string p, plugin::Grants g)
      : services(std::move(s)),
        instance(std::move(i)),
        party(std::move(p)),
        grants(std::move(g)),
        http(grants.hosts, services.tls),
        progress(services.store, services.sealer, instance),
        documents(services.documents, grants.access.contains("documents")),
        metrics(services.metrics, instance) {}
};

InstanceHost::InstanceHost(HostServices services, std::string instance, std::string party, plugin::Grants grants)
    : parts_(std::make_unique<Parts>(std::move(services), std::move(instance), std::move(party), std::move(grants))) {}
InstanceHost::~InstanceHost() = default;

HttpAccess& InstanceHost::http() { return parts_->http; }
MailAccess& InstanceHost::mail() {
  if (parts_->services.mail && parts_->grants.access.contains("mail")) return *parts_->services.mail;
  return parts_->no_mail;
}
Progress& InstanceHost::progress() { return parts_->progress; }
Documents& InstanceHost::documents() { return parts_->documents; }
Links& InstanceHost::links() {
  if (parts_->services.links && parts_->grants.access.contains("links")) return *parts_->services.links;
  return parts_->no_links;
}
Metrics& InstanceHost::metrics() { return parts_->metrics; }
const Clock& InstanceHost::clock() { return parts_->services.clock; }

Task<Result<void>> InstanceHost::aside(std::function<void()> work) {
  if (!parts_->services.pool) {
    work();
    co_return Result<void>{};
  }
  auto done = co_await parts_->services.pool->run(std::move(work));
  co_return done;
}

Result<Secret> InstanceHost::secret(std::string_view name) {
  if (!parts_->grants.secrets.contains(std::string(name)))
    return fail(ErrorKind::not_found, "SECRET_UNKNOWN", "the configuration of this adapter names no such secret");
  return parts_->services.secret(name);
}

Task<Result<Secret>> InstanceHost::bsn(std::string case_id, std::string reason) {
  if (!parts_->grants.access.contains("bsn")) co_return fail(not_declared("bsn"));
  bool allowed = parts_->services.may_receive_bsn(parts_->party);
  // The reason stands in the audit as a code.
  for (auto& c : reason)
    if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : '_';
  if (reason.size() > 64) reason.resize(64);
  auto released = co_await parts_->services.bsn.release(case_id, reason, allowed);
  if (!released) co_return fail(std::move(released.error()));
  // The proof of the release is durable before the number is used.
  auto done = co_await parts_->services.store.commit({{audit::leaf(
      parts_->services.clock.now(), "bsn.released",
      {.ids = {{"case", case_id}, {"party", parts_->party}, {"instance", parts_->instance}, {"reason", reason}}})}});
  if (!done) co_return fail(std::move(done.error()));
  co_return std::move(*released);
}

}  // namespace schakel::delivery
