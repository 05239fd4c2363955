#include "core/delivery/attempt.hpp"

#include "core/delivery/standing.hpp"
#include "core/journal/members.hpp"
#include "core/model/consent_check.hpp"
#include "core/outbox/invoice_parties.hpp"
#include "core/outbox/invoice_rows.hpp"
#include "core/outbox/restored.hpp"
#include "core/pipeline/credited.hpp"
#include "core/pipeline/settlement.hpp"
#include "core/runtime/deadline.hpp"
#include "schakel/outcome.hpp"

namespace schakel::delivery {

void Delivering::add(Instance instance) {
  auto name = instance.name;
  instances_.insert_or_assign(std::move(name), std::move(instance));
}

bool Delivering::repeatable(std::string_view target) const {
  auto it = instances_.find(std::string(target));
  return it == instances_.end() || it->second.repeatable;
}

Task<Result<outbox::Planned>> Delivering::open(store::DeliveryRow row) {
  auto plain = co_await journal_.sealer().open(row.case_id, "delivery", row.id, std::move(row.sealed));
  if (!plain) co_return fail(std::move(plain.error()));
  auto record = Json::parse(plain->begin(), plain->end());
  auto planned = outbox::Planned::from_json(record);
  planned.body["message_id"] = record.value("message_id", "");
  planned.body["region"] = record.value("region", "");
  co_return planned;
}

Task<Result<std::optional<SealedInvoice>>> Delivering::sealed_document(std::string case_id, std::string delivery) {
  auto row = co_await journal_.store().row(std::string(kInvoiceDocument), delivery);
  if (!row) co_return fail(std::move(row.error()));
  if (!*row) co_return std::optional<SealedInvoice>{};
  auto plain = co_await journal_.sealer().open(std::move(case_id), "invoice_document", std::move(delivery),
                                               std::move((*row)->value));
  if (!plain) co_return fail(std::move(plain.error()));
  auto document = unpack_document(*plain);
  if (!document) co_return fail(std::move(document.error()));
  co_return std::optional<SealedInvoice>(std::move(*document));
}

Task<Result<InvoiceDocument>> Delivering::made(const Delivery& delivery, const Json& config, Json* stated) {
  if (!drawing_) co_return make_document(delivery, config, stated);
  auto done = co_await drawing_->run([&] { return make_document(delivery, config, stated); });
  if (!done) co_return fail(std::move(done.error()));
  co_return std::move(*done);
}

Task<Result<InvoiceDocument>> Delivering::document(const Delivery& delivery, const Json& config, bool named) {
  Json stated;
  auto made = co_await this->made(delivery, config, &stated);
  if (!made) co_return fail(std::move(made.error()));
  store::Transaction tx;
  auto packed = pack_document({*made, delivery.endpoint});
  auto sealed =
      co_await journal_.sealer().seal(delivery.case_id, "invoice_document", delivery.id, std::move(packed), tx);
  if (!sealed) co_return fail(std::move(sealed.error()));
  tx.ops.push_back(store::PutRow{std::string(kInvoiceDocument), delivery.id, std::move(*sealed), 0});
  // By this a bounce finds its invoice (core/pipeline/settlement.hpp), also one that is here before the attempt is
  // settled.
  tx.ops.push_back(
      store::PutRow{std::string(outbox::kInvoiceOfMail), made->message_id, to_bytes(delivery.id), std::nullopt});
  // What it says is written where the books of a month find it (core/pipeline/reconcile.hpp).
  outbox::InvoiceMade known{std::move(stated), named, {}, {}};
  if (named) {
    auto invoice = sdk::object_at(delivery.body, "invoice");
    known.buyer_party = sdk::text_at(invoice, "buyer_party"),
    known.seller_party = sdk::text_at(invoice, "seller_party");
    if (!known.buyer_party.empty()) tx.ops.push_back(journal::member(delivery.case_id, known.buyer_party));
  }
  auto written = co_await outbox::made_invoice(journal_.store(), delivery.id, std::move(known), tx);
  if (!written) co_return fail(std::move(written.error()));
  auto done = co_await journal_.store().commit(std::move(tx));
  if (done) co_return std::move(*made);
  if (done.error().kind != ErrorKind::conflict) co_return fail(std::move(done.error()));
  // Another process sealed one meanwhile: the next attempt goes by that one.
  co_return fail(std::move(done.error()));
}

Task<Result<bool>> Delivering::name_parties(outbox::Planned& planned, std::string case_id) {
  auto& invoice = planned.body["invoice"];
  if (!invoice.is_object()) co_return fail(ErrorKind::invalid, "INVOICE_MALFORMED", "this delivery holds no invoice");
  if (!parties_ || (invoice.value("seller", Json()).is_object() && invoice.value("buyer", Json()).is_object()))
    co_return false;
  auto file = co_await journal_.load(std::move(case_id));
  if (!file) co_return fail(std::move(file.error()));
  // A credit may have been planned while its invoice had no parties yet.
  auto credited = co_await pipeline::credited_of(journal_.store(), *file, invoice);
  if (!credited) co_return fail(std::move(credited.error()));
  if (*credited) outbox::put_credited(invoice, **credited);
  auto region = planned.body.value("region", "");
  auto code = outbox::name_parties(invoice, *file, region, *parties_);
  if (!code.empty()) co_return fail(ErrorKind::invalid, code, "the case does not say whose invoice this is");
  const Party* buyer = parties_->find(invoice.value("buyer_party", ""));
  if (!buyer || planned.address.contains("party")) co_return true;
  if (const auto* endpoint = Parties::endpoint_of(*buyer, planned.role, region, "invoice")) {
    auto otherwise = planned.address.value("mail", "");
    planned.address = endpoint->address;
    if (!planned.address.contains("mail")) planned.address["mail"] = otherwise;
  }
  planned.address["party"] = buyer->id;
  co_return true;
}

Task<Result<InvoiceDocument>> Delivering::invoice_document(store::DeliveryRow row) {
  if (row.kind != "invoice") co_return fail(ErrorKind::not_found, "DELIVERY_UNKNOWN", "this delivery is no invoice");
  auto known = co_await sealed_document(row.case_id, row.id);
  if (!known) co_return fail(std::move(known.error()));
  if (*known) co_return std::move((*known)->document);
  auto it = instances_.find(row.target);
  std::string domain = it == instances_.end()     ? row.target
                       : it->second.party.empty() ? it->second.name
                                                  : it->second.party;
  auto case_id = row.case_id;
  auto planned = co_await open(std::move(row));
  if (!planned) co_return fail(std::move(planned.error()));
  auto named = co_await name_parties(*planned, case_id);
  if (!named) co_return fail(std::move(named.error()));
  Delivery d;
  d.endpoint = planned->address;
  d.body = std::move(planned->body);
  if (!domain.empty()) {
    auto pseudonym = co_await vault_.pseudonym(case_id, domain);
    if (!pseudonym) co_return fail(std::move(pseudonym.error()));
    d.pseudonym = *pseudonym;
  }
  const Json config = it == instances_.end() ? Json::object() : it->second.config;
  auto document = co_await made(d, config, nullptr);
  co_return document;
}

std::string refused_now(const outbox::Planned& planned, const CaseFile& file, const Profile& profile, Instant now) {
  Message message;
  message.type = planned.type;
  message.subject = file.id;
  message.region = file.region;
  message.time = now;
  FactView view(file, message, profile, now);
  auto role = planned.role.substr(0, planned.role.find_first_of(":@"));
  if (planned.kind != "filing") {
    auto content = planned.body.value("content", std::vector<std::string>{});
    return std::string(consent::check_delivery(view, file.consents, planned.type, role, content).code);
  }
  // What is filed is what the role that files it was sent (CORE-CONSENT-05).
  auto filing = planned.body.value("filing", Json::object());
  role = filing.value("by", "");
  auto sent_by = planned.body.value("filed_from", "");
  for (auto m = file.messages.rbegin(); m != file.messages.rend(); ++m) {
    const Recipient* sent = sent_by.empty() || m->id == sent_by ? consent::link_of(*m, role) : nullptr;
    if (sent) return std::string(consent::check_delivery(view, file.consents, m->type, role, sent->content).code);
  }
  return "CONSENT_MISSING";
}

Task<AttemptResult> Delivering::attempt(store::DeliveryRow row, int number) {
  auto it = instances_.find(row.target);
  if (it == instances_.end())
    co_return AttemptResult{Verdict::retry_later, "ADAPTER_UNKNOWN", std::nullopt, Json::object()};
  const auto& instance = it->second;
  if (!instance.adapter)
    co_return AttemptResult{Verdict::retry_later, "ADAPTER_DEGRADED", std::nullopt, Json::object()};
  auto created = row.created_at;
  auto case_id = row.case_id;
  auto decided = row.message;
  auto planned = co_await open(std::move(row));
  if (!planned) {
    bool erased = planned.error().kind == ErrorKind::not_found;
    co_return AttemptResult{erased ? Verdict::rejected : Verdict::retry_later, planned.error().code, std::nullopt,
                            Json::object()};
  }
  bool carries = planned->kind == "documents" || (planned->kind == "filing" && !planned->documents.empty());
  if (carries) {
    // Consent is judged again at the moment of sending: hours of retries may lie behind (CORE-CONSENT-04, -05).
    auto file = co_await journal_.load(case_id);
    if (!file) co_return AttemptResult{Verdict::retry_later, file.error().code, std::nullopt, Json::object()};
    auto rules = co_await rules_of(decided, planned->body.value("region", ""));
    if (!rules) co_return AttemptResult{Verdict::retry_later, rules.error().code, std::nullopt, Json::object()};
    auto refused = refused_now(*planned, *file, **rules, journal_.clock().now());
    if (!refused.empty()) co_return AttemptResult{Verdict::rejected, refused, std::nullopt, Json::object()};
    planned->valid_until = valid_until_now(*planned, *file);
  }
  auto generation = co_await outbox::generation_of(journal_.store(), planned->id);
  if (!generation) co_return AttemptResult{Verdict::retry_later, generation.error().code, std::nullopt, Json::object()};
  std::optional<SealedInvoice> sealed;
  bool named_now = false;
  if (planned->kind == "invoice") {
    auto arrived = co_await pipeline::has_arrived(journal_.store(), planned->id);
    if (!arrived) co_return AttemptResult{Verdict::retry_later, arrived.error().code, std::nullopt, Json::object()};
    if (*arrived)
      co_return AttemptResult{Verdict::delivered, std::string(pipeline::kReported), std::nullopt, Json::object()};
    // It may have left before the store was lost. What a person sends again since then, leaves.
    auto waits = co_await outbox::restored_since(journal_.store());
    if (!waits) co_return AttemptResult{Verdict::retry_later, waits.error().code, std::nullopt, Json::object()};
    if (*waits) {
      auto meant = co_await outbox::was_sent_by_person(journal_.store(), planned->id, **waits);
      if (!meant) co_return AttemptResult{Verdict::retry_later, meant.error().code, std::nullopt, Json::object()};
      if (!*meant)
        co_return AttemptResult{Verdict::unknown, std::string(outbox::kRestored), std::nullopt, Json::object()};
    }
    auto known = co_await sealed_document(case_id, planned->id);
    if (!known) co_return AttemptResult{Verdict::retry_later, known.error().code, std::nullopt, Json::object()};
    sealed = std::move(*known);
    if (sealed && !sealed->address.empty()) {
      // What it says and where it goes were settled together.
      planned->address = sealed->address;
    } else {
      auto named = co_await name_parties(*planned, case_id);
      if (!named)
        co_return AttemptResult{named.error().kind == ErrorKind::invalid ? Verdict::rejected : Verdict::retry_later,
                                named.error().code, std::nullopt, Json::object()};
      named_now = *named;
    }
  }
  Delivery d;
  d.id = planned->id;
  d.kind = planned->kind;
  d.type = planned->type;
  d.role = planned->role;
  d.message_id = planned->body.value("message_id", "");
  d.region = planned->body.value("region", "");
  d.case_id = case_id;
  d.endpoint = planned->address;
  d.attempt = number;
  d.generation = *generation;
  d.first_attempt = created;
  d.valid_until = planned->valid_until;
  d.body = planned->body;
  if (case_id.empty()) co_return AttemptResult{Verdict::rejected, "CASE_UNKNOWN", std::nullopt, Json::object()};
  auto pseudonym = co_await vault_.pseudonym(case_id, instance.party.empty() ? instance.name : instance.party);
  if (!pseudonym)
    co_return AttemptResult{pseudonym.error().kind == ErrorKind::not_found ? Verdict::rejected : Verdict::retry_later,
                            pseudonym.error().code, std::nullopt, Json::object()};
  d.pseudonym = *pseudonym;
  for (const auto& id : planned->documents) {
    auto info = co_await documents_.info(id);
    if (!info)
      co_return AttemptResult{info.error().kind == ErrorKind::not_found ? Verdict::rejected : Verdict::retry_later,
                              info.error().code, std::nullopt, Json::object()};
    d.documents.push_back(
        {info->id, info->doc_type, info->media_type, info->file_name, info->sha256, info->version, info->size});
  }
  bool writes = std::ranges::any_of(instance.grants.fields,
                                    [](const std::string& f) { return f == "/body" || f == "/body/invoice"; });
  if (sealed && writes) {
    d.invoice = std::move(sealed->document);
  } else if (d.kind == "invoice" && writes) {
    // Durable before the adapter has it: whatever happens from here on, this is the document.
    auto made = co_await document(d, instance.config, named_now);
    if (!made) {
      bool never = made.error().kind == ErrorKind::invalid || made.error().kind == ErrorKind::not_found;
      co_return AttemptResult{never ? Verdict::rejected : Verdict::retry_later, formats::code_with_rules(made.error()),
                              std::nullopt, Json::object()};
    }
    d.invoice = std::move(*made);
  }
  auto narrowed = plugin::restrict(std::move(d), instance.grants.fields);
  auto result = co_await runtime::with_deadline(instance.adapter->send(narrowed), instance.deadline);
  if (!result) co_return AttemptResult{Verdict::unknown, "ADAPTER_TIMEOUT", std::nullopt, Json::object()};
  co_return std::move(*result);
}

Task<Result<store::Transaction>> Delivering::settlement(const store::DeliveryRow& row, const AttemptResult& result) {
  store::Transaction tx;
  if (result.verdict == Verdict::delivered && !result.receipt.empty()) {
    Json receipt = result.receipt;
    auto sealed = co_await journal_.sealer().seal(row.case_id, "receipt", row.id, to_bytes(dump_json(receipt)), tx);
    if (!sealed) co_return fail(std::move(sealed.error()));
    tx.ops.push_back(store::PutRow{"receipt", row.id, std::move(*sealed), std::nullopt});
  }
  co_return tx;
}

}  // namespace schakel::delivery
