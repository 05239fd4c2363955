// From a decision to what goes out: one delivery per recipient, filing, invoice and signal. Pure.
#pragma once
#include <string>
#include <vector>

#include "core/model/case_file.hpp"
#include "core/model/decision.hpp"
#include "core/model/message.hpp"
#include "core/model/party.hpp"
#include "core/store/store.hpp"

namespace schakel::outbox {

/// A person in a case, from the vault.
struct Contact {
  std::string person, role, mail, second_factor;
};

/// A delivery before it is sealed. `address` is where it goes: the endpoint of a party, or the contact of a deelnemer.
struct Planned {
  std::string id, kind, target, role, type, code;
  std::string desk;  ///< id of the party whose desk it is, where that was known; empty: whom the case means by the role
  Json address = Json::object();
  Json body = Json::object();
  std::vector<std::string> documents;  ///< ids in the blob store
  std::optional<Instant> valid_until;
  [[nodiscard]] Json to_json() const;
  static Planned from_json(const Json& j);
};

/// The parties of an invoice.
struct Between {
  std::string seller, buyer;
  std::vector<std::string> buyers{};  ///< of all documents of its source
};

struct PlanInput {
  const Message& message;
  const Draft& draft;
  const CaseFile& file;  ///< the case with this decision applied
  const Parties& parties;
  const std::vector<Contact>& contacts;
  /// Attachments of earlier messages that a filing names, by message id.
  const std::map<std::string, std::vector<Attachment>>& earlier_attachments;
  /// Payloads of earlier messages whose invoices this decision releases, by message id.
  const std::map<std::string, Json>* released_payloads = nullptr;
  /// Parties that have to do with the case, where that can matter (Parties::members_matter).
  std::vector<std::string> members{};
  /// Between whom the invoices went out that credits of this decision are on, by delivery id of the credit.
  const std::map<std::string, Between>* credited = nullptr;
};

/// One entry per recipient; nobody to reach is a delivery without target and code RECIPIENT_UNKNOWN: visible, never
/// dropped (design.md, the message on the wire). Ids are derived from the message and the recipient, so that a repeated
/// decision plans the same deliveries.
[[nodiscard]] std::vector<Planned> plan(const PlanInput& in);
/// Id of the delivery that carries this invoice of a decision on `message`.
[[nodiscard]] std::string invoice_delivery_id(const Message& message, const InvoiceOut& invoice);
/// Id of the message with an invoice that `message` released and that made no document, as nothing was asked in it;
/// empty of any other effect.
[[nodiscard]] std::string released_without_document(const Effect& effect, const Message& message);

}  // namespace schakel::outbox
