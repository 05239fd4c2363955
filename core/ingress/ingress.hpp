// Ingress: who is it, may it say this, is it valid, was it here before; then into the journal.
#pragma once
#include <map>
#include <memory>

#include "core/base/schema_check.hpp"
#include "core/ingress/cloud_event.hpp"
#include "core/journal/journal.hpp"
#include "core/model/party.hpp"

namespace schakel::ingress {

/// JSON Schemas of the payloads, one per message type (config/schemas/messages/<type>.schema.json). Immutable.
class TypeCatalogue {
 public:
  /// CONFIG_UNREADABLE, SCHEMA_INVALID; findings name the file.
  static Result<TypeCatalogue> load(const std::string& folder);
  [[nodiscard]] bool knows(std::string_view type) const;
  /// All findings at once, pointers below /data; MESSAGE_TYPE_UNKNOWN when there is no schema.
  [[nodiscard]] std::vector<Finding> check(const Message& message) const;
  [[nodiscard]] std::vector<std::string> types() const;

 private:
  std::map<std::string, SchemaCheck, std::less<>> schemas_;
};

/// Claim check: does this document exist, was it uploaded by this party for this case, is its hash what the message
/// says?
class DocumentCheck {
 public:
  virtual ~DocumentCheck() = default;
  /// DOCUMENT_UNKNOWN (invalid) for a missing and for a foreign one alike, DOCUMENT_HASH (invalid).
  virtual Task<Result<void>> check(const Attachment& attachment, std::string_view party, std::string_view case_id) = 0;
};

/// Whether somebody can answer a second factor that an opening names for a deelnemer.
class FactorCheck {
 public:
  virtual ~FactorCheck() = default;
  /// False for an authenticator app that was not enrolled here.
  virtual Task<Result<bool>> answerable(std::string factor) = 0;
};

struct Receipt {
  store::MessageSeq seq = 0;
  std::string id;
  std::string case_id;
  bool duplicate = false;
  std::string outcome;
};

/// Thread: any coroutine. Lifetime: needs journal, documents, catalogue and factors to outlive it.
class Ingress {
 public:
  Ingress(journal::Journal& journal, std::shared_ptr<const Parties> parties, const TypeCatalogue& catalogue,
          DocumentCheck& documents, std::vector<std::string> regions, FactorCheck* factors = nullptr);

  /// Everything that arrived in one request. Nothing is accepted when one event of a batch is invalid in form,
  /// type, rights or schema; they are then accepted in order, and one that fails on its case or documents ends the
  /// request there. The sender repeats the batch: what was accepted is recognised. A value comes after all are durable.
  /// Every refusal of a known party leaves an audit leaf with its code.
  Task<Result<std::vector<Receipt>>> receive(const Party& party, std::string content_type, HeaderPairs headers,
                                             std::string body);
  /// One event that came through an adapter or the pages: the same checks.
  Task<Result<Receipt>> receive_event(const Party& party, Event event);
  /// The same for an adapter. Beside the party's own sources it may speak under `adapter_source`, which its
  /// configuration names; empty: none.
  Task<Result<Receipt>> receive_from_adapter(const Party& party, Event event, std::string adapter_source);
  /// As receive_event without the wire checks, for messages the broker itself makes.
  Task<Result<Receipt>> admit(const Party& party, Message message);

  /// What the head alone tells, before a byte of the body is read: PARTY_NOT_ALLOWED for a party without any right to
  /// send, and for a binary event (ce-type) of a type it may not send in any role or region; SOURCE_NOT_YOURS for its
  /// ce-source.
  [[nodiscard]] Result<void> head_allows(const Party& party, const HeaderPairs& headers) const;

  /// The checks alone: what receive would say. All findings. A source must be the party's own or `adapter_source`, and
  /// is never one of the broker itself (urn:schakel:): SOURCE_NOT_YOURS.
  Task<Result<Message>> check(const Party& party, const Event& event, std::string adapter_source = {});

 private:
  Task<Result<void>> resolve_case(const Party& party, Message& message, store::Transaction& with);
  /// AUTHENTICATOR_UNKNOWN (invalid) with a finding for each deelnemer whose app nobody enrolled: the links to such a
  /// person could never be opened, and the sender can mend that now.
  Task<Result<void>> check_factors(const Message& message);
  Task<Result<Receipt>> take(const Party& party, Event event, std::string adapter_source);
  Task<Result<Receipt>> into_journal(const Party& party, Message message);
  Task<void> refused(const Party& party, std::string id, const Error& error);
  journal::Journal& journal_;
  std::shared_ptr<const Parties> parties_;
  const TypeCatalogue& catalogue_;
  DocumentCheck& documents_;
  std::vector<std::string> regions_;
  FactorCheck* factors_;
};

}  // namespace schakel::ingress
