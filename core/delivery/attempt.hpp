// Delivery: one attempt of one delivery through one adapter.
#pragma once
#include <map>
#include <memory>

#include "core/delivery/invoice_document.hpp"
#include "core/journal/journal.hpp"
#include "core/model/profile.hpp"
#include "core/outbox/dispatcher.hpp"
#include "core/outbox/generation.hpp"
#include "core/outbox/plan.hpp"
#include "core/pipeline/rule_store.hpp"
#include "core/plugin/registry.hpp"
#include "core/runtime/blocking_pool.hpp"
#include "core/vault/documents.hpp"
#include "schakel/adapter.hpp"

namespace schakel::delivery {

/// An adapter as configuration named it, after it started.
struct Instance {
  std::string name;            ///< of the instance: gemeente-zandoever
  std::string plugin;          ///< of the adapter: gemeente
  Adapter* adapter = nullptr;  ///< null while it has not started: its channel is degraded
  std::string degraded;        ///< code why, empty when it runs
  plugin::Grants grants;
  bool repeatable = true;                        ///< x-repeatable: a partner recognises a repeat by our key
  std::string party;                             ///< whose profile decides on a BSN
  milliseconds deadline{plugin::kAttemptLimit};  ///< of one attempt: attempt_seconds, or what its adapter declares
  Inbox* inbox = nullptr;                        ///< for what comes in through it
  Json config = Json::object();                  ///< as it was checked; how its invoices are written is in there
};

/// Why documents that wait may not go any more: the check of the decision (core/model/consent_check.hpp) on the case as
/// it is now, for the role, the documents, the custody and the pupil's age of `now`. Empty when they may. Pure.
[[nodiscard]] std::string refused_now(const outbox::Planned& planned, const CaseFile& file, const Profile& profile,
                                      Instant now);

/// Row: the sealed document of an invoice (key delivery id).
inline constexpr std::string_view kInvoiceDocument = "invoice.document";

/// Thread: one io_context, that of the dispatcher. Lifetime: the adapters are never unloaded.
class Delivering final : public outbox::Attempter {
 public:
  /// `parties` name the payer of an invoice that was held because its case did not; without them it stays held.
  /// `drawing` makes the documents of invoices, as the PDF of a hundred lines takes a tenth of a second; without it
  /// they are made where they are asked for.
  Delivering(journal::Journal& journal, vault::Vault& vault, vault::Documents& documents, Profiles profiles,
             std::shared_ptr<const Parties> parties = nullptr, runtime::BlockingPool* drawing = nullptr)
      : journal_(journal),
        vault_(vault),
        documents_(documents),
        profiles_(std::move(profiles)),
        parties_(std::move(parties)),
        drawing_(drawing),
        rules_(journal.store()) {}

  void add(Instance instance);
  [[nodiscard]] const std::map<std::string, Instance>& instances() const { return instances_; }

  /// ADAPTER_UNKNOWN and ADAPTER_DEGRADED are retry_later: configuration is mended without losing what waits.
  Task<AttemptResult> attempt(store::DeliveryRow row, int number) override;
  Task<Result<store::Transaction>> settlement(const store::DeliveryRow& row, const AttemptResult& result) override;
  [[nodiscard]] bool repeatable(std::string_view target) const override;

  /// What is in a delivery, unsealed; for the pages of a recipient and `schakel dlq show`.
  Task<Result<outbox::Planned>> open(store::DeliveryRow row);
  /// The document of an invoice as it was sealed before its first attempt; one that was never attempted as it would be
  /// made now. DELIVERY_UNKNOWN when it is no invoice.
  Task<Result<InvoiceDocument>> invoice_document(store::DeliveryRow row);

 private:
  /// Names the parties of an invoice that was held for want of them; true where it did. PARTY_AMBIGUOUS,
  /// PARTY_MISNAMED.
  Task<Result<bool>> name_parties(outbox::Planned& planned, std::string case_id);
  /// The rules that the decision on this message was made by: a case in flight keeps its own. Today's where they were
  /// not kept; REGION_UNKNOWN.
  Task<Result<std::shared_ptr<const Profile>>> rules_of(store::MessageSeq decided, std::string region);
  /// Made and sealed, durably, with the address; `named`: whose it is was found out now, and is written down as well.
  Task<Result<InvoiceDocument>> document(const Delivery& delivery, const Json& config, bool named);
  Task<Result<InvoiceDocument>> made(const Delivery& delivery, const Json& config, Json* stated);
  Task<Result<std::optional<SealedInvoice>>> sealed_document(std::string case_id, std::string delivery);
  journal::Journal& journal_;
  vault::Vault& vault_;
  vault::Documents& documents_;
  Profiles profiles_;
  std::shared_ptr<const Parties> parties_;
  runtime::BlockingPool* drawing_;
  pipeline::RuleStore rules_;
  std::map<std::string, Instance> instances_;
};

}  // namespace schakel::delivery
