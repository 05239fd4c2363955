#include "core/ingress/ingress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "core/audit/leaf.hpp"
#include "core/base/log.hpp"
#include "core/journal/members.hpp"

namespace schakel::ingress {

Result<TypeCatalogue> TypeCatalogue::load(const std::string& folder) {
  TypeCatalogue out;
  std::error_code ec;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ec)) {
    auto name = entry.path().filename().string();
    constexpr std::string_view kSuffix = ".schema.json";
    if (!name.ends_with(kSuffix)) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(in)), {});
    auto json = parse_json(text, {4 * 1024 * 1024, 64, 1024 * 1024});
    if (!json)
      return fail(ErrorKind::invalid, "CONFIG_UNREADABLE", "a message schema is not JSON",
                  {{name, json.error().code, json.error().message, ""}});
    auto schema = SchemaCheck::compile(*json);
    if (!schema)
      return fail(ErrorKind::invalid, "SCHEMA_INVALID", "a message schema is no schema",
                  {{name, schema.error().code, schema.error().message, ""}});
    out.schemas_.emplace(name.substr(0, name.size() - kSuffix.size()), std::move(*schema));
  }
  if (ec || out.schemas_.empty())
    return fail(ErrorKind::invalid, "CONFIG_UNREADABLE", "the folder of message schemas is missing or empty");
  return out;
}

bool TypeCatalogue::knows(std::string_view type) const { return schemas_.find(type) != schemas_.end(); }

std::vector<Finding> TypeCatalogue::check(const Message& m) const {
  auto it = schemas_.find(m.type);
  if (it == schemas_.end())
    return {{"/type", "MESSAGE_TYPE_UNKNOWN", "there is no such message type", "domain.md section 3"}};
  auto findings = it->second.findings(m.payload);
  for (auto& f : findings) f.pointer = "/data" + f.pointer;
  return findings;
}

std::vector<std::string> TypeCatalogue::types() const {
  std::vector<std::string> out;
  for (const auto& [name, schema] : schemas_) out.push_back(name);
  return out;
}

Ingress::Ingress(journal::Journal& journal, std::shared_ptr<const Parties> parties, const TypeCatalogue& catalogue,
                 DocumentCheck& documents, std::vector<std::string> regions, FactorCheck* factors)
    : journal_(journal),
      parties_(std::move(parties)),
      catalogue_(catalogue),
      documents_(documents),
      regions_(std::move(regions)),
      factors_(factors) {}

namespace {

/// What the broker says itself has ids that can be guessed: who could say it first would silence the broker.
constexpr std::string_view kBrokerSources = "urn:schakel:";

bool own_source(const Party& party, std::string_view source) {
  if (source.starts_with(kBrokerSources)) return false;
  if (!party.sources.empty()) return std::ranges::find(party.sources, source) != party.sources.end();
  return !party.oin.empty() && source.starts_with(fmt::format("urn:nld:oin:{}:systeem:", party.oin));
}

Error not_own_source() {
  return {ErrorKind::forbidden, "SOURCE_NOT_YOURS", "source must be urn:nld:oin:<your OIN>:systeem:<name>", {}};
}

}  // namespace

Result<void> Ingress::head_allows(const Party& party, const HeaderPairs& headers) const {
  auto refuse = [](std::string text) { return fail(ErrorKind::forbidden, "PARTY_NOT_ALLOWED", std::move(text)); };
  if (party.may_send.empty()) return refuse("this party may not send messages");
  auto one = [&](std::string_view name) -> std::optional<std::string> {
    std::optional<std::string> out;
    for (const auto& [key, value] : headers) {
      if (key.size() != name.size() ||
          !std::ranges::equal(key, name, {}, [](unsigned char c) { return std::tolower(c); }))
        continue;
      auto text = decode_header(value);
      if (out || !text) return std::nullopt;  // the reader of events names what is wrong with it
      out = std::move(*text);
    }
    return out;
  };
  if (auto source = one("ce-source"); source && !own_source(party, *source)) return fail(not_own_source());
  auto type = one("ce-type");
  auto name = type ? short_type(*type) : std::nullopt;
  if (name && catalogue_.knows(*name) && !Parties::may_send_type(party, *name))
    return refuse("this party may not send this type");
  return {};
}

Task<Result<Message>> Ingress::check(const Party& party, const Event& event, std::string adapter_source) {
  auto message = to_message(event);
  if (!message) co_return fail(std::move(message.error()));
  bool of_adapter = !message->source.starts_with(kBrokerSources) && message->source == adapter_source;
  if (!of_adapter && !own_source(party, message->source)) co_return fail(not_own_source());
  if (!catalogue_.knows(message->type))
    co_return fail(ErrorKind::invalid, "MESSAGE_TYPE_UNKNOWN", "there is no such message type",
                   {{"/type", "MESSAGE_TYPE_UNKNOWN", "there is no such message type", "domain.md section 3"}});
  if (!Parties::may_send(party, message->sender_role, message->type, message->region))
    co_return fail(ErrorKind::forbidden, "PARTY_NOT_ALLOWED",
                   "this party may not send this type in this role for this region");
  if (message->type == "zaak_opening" && message->payload.is_object())
    if (auto it = message->payload.find("profile_overrides"); it != message->payload.end())
      if (auto name = Parties::not_its_own(party, *it); !name.empty())
        co_return fail(
            ErrorKind::forbidden, "OVERRIDE_NOT_YOURS",
            "this party may not give a case settings of its own (may_override of parties.json)",
            {{"/data/profile_overrides", "OVERRIDE_NOT_YOURS", "a setting that this party may not set", ""}});
  if (std::ranges::find(regions_, message->region) == regions_.end())
    co_return fail(ErrorKind::invalid, "REGION_UNKNOWN", "this region is not configured",
                   {{"/data/region", "REGION_UNKNOWN", "this region is not configured", ""}});
  auto findings = catalogue_.check(*message);
  if (!findings.empty())
    co_return fail(ErrorKind::invalid, "SCHEMA_VIOLATION", "the payload does not fit its schema", std::move(findings));
  message->party = party.id;
  co_return std::move(*message);
}

Task<Result<void>> Ingress::resolve_case(const Party& party, Message& m, store::Transaction& with) {
  if (m.type == "zaak_opening") {
    if (!m.subject.empty())
      co_return fail(ErrorKind::invalid, "SUBJECT_GIVEN", "a new case gets its id from the broker");
    m.subject = journal::new_case_id();
    with.ops.push_back(journal::member(m.subject, party.id));
    if (!m.reference.empty()) {
      // A number that leads to a case never moves to another one.
      auto number = journal_.correlate(party.id, m.reference, m.subject);
      number.expect_version = 0;
      with.ops.push_back(std::move(number));
    }
    co_return Result<void>{};
  }
  if (m.subject.empty() && !m.reference.empty()) {
    auto found = co_await journal_.case_of(party.id, m.reference);
    if (!found) co_return fail(std::move(found.error()));
    m.subject = *found;
  }
  bool known = false;
  if (!m.subject.empty()) {
    auto yes = co_await journal::is_member(journal_.store(), party, m.subject);
    if (!yes) co_return fail(std::move(yes.error()));
    known = *yes;
  }
  // One answer for a case that is not there and for one of somebody else.
  if (!known) co_return fail(ErrorKind::not_found, "CASE_UNKNOWN", "there is no such case for this party");
  // The rules of a case are those of its own region, whichever others this party may send for.
  auto first = co_await journal::opening(journal_.store(), m.subject);
  if (!first) co_return fail(std::move(first.error()));
  if (*first && (*first)->region != m.region)
    co_return fail(ErrorKind::invalid, "REGION_MISMATCH", "the case is of another region",
                   {{"/data/region", "REGION_MISMATCH", "the case is of another region", ""}});
  co_return Result<void>{};
}

Task<Result<void>> Ingress::check_factors(const Message& m) {
  if (!factors_ || m.type != "zaak_opening" || !m.payload.contains("participants")) co_return Result<void>{};
  std::vector<Finding> findings;
  std::size_t at = 0;
  for (const auto& p : m.payload["participants"]) {
    auto factor = p.value("second_factor", "");
    if (!factor.empty()) {
      auto good = co_await factors_->answerable(std::move(factor));
      if (!good) co_return fail(std::move(good.error()));
      if (!*good)
        findings.push_back({fmt::format("/data/participants/{}/second_factor", at), "AUTHENTICATOR_UNKNOWN",
                            "no app of this name was enrolled", ""});
    }
    ++at;
  }
  if (findings.empty()) co_return Result<void>{};
  // An opening that was accepted stays so, also when an app of it is gone since: its repeat is a repeat.
  auto before = co_await journal_.store().find_message(m.source, m.id);
  if (!before) co_return fail(std::move(before.error()));
  if (*before) co_return Result<void>{};
  co_return fail(ErrorKind::invalid, "AUTHENTICATOR_UNKNOWN", "an authenticator app was not enrolled at the broker",
                 std::move(findings));
}

Task<Result<Receipt>> Ingress::into_journal(const Party& party, Message message) {
  store::Transaction with;
  // A repeat is recognised before the case is looked up: a repeated opening must find its first case.
  auto resolved = co_await resolve_case(party, message, with);
  if (!resolved) co_return fail(std::move(resolved.error()));
  for (const auto& a : message.attachments) {
    auto there = co_await documents_.check(a, party.id, message.subject);
    if (!there) co_return fail(std::move(there.error()));
  }
  auto reachable = co_await check_factors(message);
  if (!reachable) co_return fail(std::move(reachable.error()));
  auto id = message.id, reference = message.type == "zaak_opening" ? message.reference : std::string();
  auto accepted = co_await journal_.accept(std::move(message), std::move(with));
  if (!accepted && accepted.error().code == "STORE_CONFLICT" && !reference.empty()) {
    auto taken = co_await journal_.case_of(party.id, reference);
    if (taken && !taken->empty())
      co_return fail(ErrorKind::conflict, "REFERENCE_TAKEN", "this number belongs to another case",
                     {{"/data/reference", "REFERENCE_TAKEN", "this number belongs to another case", ""}});
  }
  if (!accepted) co_return fail(std::move(accepted.error()));
  co_return Receipt{accepted->seq, id, accepted->case_id, accepted->duplicate, accepted->outcome};
}

Task<void> Ingress::refused(const Party& party, std::string id, const Error& error) {
  log(LogLevel::info, "ingress.refused", {{"party", party.id}, {"code", error.code}});
  // Overload and broken storage are not the party's doing, and writing then would make them worse.
  if (error.kind == ErrorKind::unavailable || error.kind == ErrorKind::io || error.kind == ErrorKind::internal)
    co_return;
  auto now = journal_.clock().now();
  auto done = co_await journal_.store().commit({{audit::leaf(
      now, "message.refused", {.ids = {{"party", party.id}}, .codes = {error.code}, .hashes = {{"id", sha256(id)}}})}});
  if (!done) log(LogLevel::error, "ingress.audit_failed", {{"code", done.error().code}});
}

Task<Result<Receipt>> Ingress::receive_event(const Party& party, Event event) {
  return take(party, std::move(event), {});
}

Task<Result<Receipt>> Ingress::receive_from_adapter(const Party& party, Event event, std::string adapter_source) {
  return take(party, std::move(event), std::move(adapter_source));
}

Task<Result<Receipt>> Ingress::take(const Party& party, Event event, std::string adapter_source) {
  auto message = co_await check(party, event, std::move(adapter_source));
  Result<Receipt> out = fail(ErrorKind::internal, "UNREACHABLE", "");
  if (message)
    out = co_await into_journal(party, std::move(*message));
  else
    out = fail(std::move(message.error()));
  if (!out) co_await refused(party, event.attributes.contains("id") ? event.attributes.at("id") : "", out.error());
  co_return out;
}

Task<Result<Receipt>> Ingress::admit(const Party& party, Message message) {
  message.party = party.id;
  auto out = co_await into_journal(party, std::move(message));
  co_return out;
}

Task<Result<std::vector<Receipt>>> Ingress::receive(const Party& party, std::string content_type, HeaderPairs headers,
                                                    std::string body) {
  auto events = read_events(content_type, headers, body);
  if (!events) {
    co_await refused(party, "", events.error());
    co_return fail(std::move(events.error()));
  }
  std::vector<Message> messages;
  std::vector<Finding> findings;
  Error first;
  for (std::size_t i = 0; i < events->size(); ++i) {
    auto message = co_await check(party, (*events)[i]);
    if (message) {
      messages.push_back(std::move(*message));
      continue;
    }
    if (first.code.empty()) first = message.error();
    auto prefix = events->size() > 1 ? fmt::format("/{}", i) : std::string();
    if (message.error().findings.empty())
      findings.push_back({prefix, message.error().code, message.error().message, ""});
    for (auto f : message.error().findings) {
      f.pointer = prefix + f.pointer;
      findings.push_back(std::move(f));
    }
  }
  if (!first.code.empty()) {
    first.findings = std::move(findings);
    co_await refused(party, events->size() == 1 ? (*events)[0].attributes["id"] : "", first);
    co_return fail(std::move(first));
  }
  std::vector<Receipt> out;
  for (auto& m : messages) {
    auto id = m.id;
    auto receipt = co_await into_journal(party, std::move(m));
    if (!receipt) {
      co_await refused(party, id, receipt.error());
      co_return fail(std::move(receipt.error()));
    }
    out.push_back(std::move(*receipt));
  }
  co_return out;
}

}  // namespace schakel::ingress
