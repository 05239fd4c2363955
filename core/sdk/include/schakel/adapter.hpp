// An adapter knows one partner, not the rules.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "schakel/host.hpp"

namespace schakel {

/// The document of an invoice: made once, before the first attempt, and kept. Every attempt, repeat and export has
/// these bytes; an adapter never makes its own.
struct InvoiceDocument {
  std::string name;  ///< of its files, without extension
  std::string xml, pdf;
  /// Of the mail it goes out in, without brackets: left of the @, and right of it where the first channel named a
  /// domain.
  std::string message_id;
  std::string number, supplier, payment_id;
  std::string arrangement;  ///< what the case is called towards this receiver: a pseudonym, fit for a subject
  bool credit_note = false;
};

/// What goes to one recipient in one attempt. Everything an adapter may see of the message; fields its schema did not
/// declare in `x-fields` are taken out before it gets here.
struct Delivery {
  std::string id;    ///< stable over attempts: the idempotency key towards the partner
  std::string kind;  ///< message, documents, notice, filing, invoice, signal, revocation
  std::string message_id, type, region;
  std::string case_id;
  std::string pseudonym;  ///< of the case towards this partner's domain; what a mail or invoice may name
  std::string role;       ///< recipient role
  Json endpoint =
      Json::object();  ///< address data of the recipient: {"mail":..., "second_factor":...} or of the party record
  Json body = Json::object();  ///< {payload, sender_role, meeting{kind,at}, filing{...}, invoice{...}, signal{...}} as
                               ///< the kind asks
  std::vector<DocumentInfo> documents;
  std::optional<InvoiceDocument> invoice;  ///< of kind invoice, where /body/invoice is declared
  int attempt = 1;
  /// How often a person had it sent again after it was settled: another one is another transaction with the same
  /// content. A retry is not.
  int generation = 0;
  Instant first_attempt{};
  std::optional<Instant> valid_until;
};

enum class Verdict {
  delivered,    ///< the partner has it
  retry_later,  ///< it surely does not have it, and may take it later
  rejected,     ///< it will never take this
  unknown       ///< it may have it: the next attempt must be recognisable as the same, or a person decides
};

struct AttemptResult {
  Verdict verdict = Verdict::unknown;
  std::string code;  ///< stable, no personal data: HTTP_503, ZGW_identificatie-niet-uniek, SMTP_550
  std::optional<std::chrono::seconds> retry_after;
  Json receipt = Json::object();  ///< ids the partner gave us (zaak url uuid, message id); sealed at rest
};

/// A document that an adapter did not take, for a reason that somebody who pays has to know.
struct NotTaken {
  std::string party;     ///< who sent it, as the adapter made sure
  std::string case_id;   ///< empty: not known
  std::string number;    ///< of the invoice
  std::string rule;      ///< why: SCH-IBAN-OTHER
  std::string evidence;  ///< the same for the same document: a hash of it
};

/// A message that came in through an adapter (polling, webhook, file). Same checks as through ingress.
class Inbox {
 public:
  virtual ~Inbox() = default;
  /// `event` is a CloudEvent in structured JSON. Value: true when new, false when it was there already. It is durable
  /// then, so that the adapter may now move its cursor or file.
  virtual Task<Result<bool>> accept(std::string party, Json event) = 0;
  /// Writes a refusal to the audit log, and tells finance of it once per document and rule where the case is known.
  /// The default does nothing.
  virtual Task<Result<void>> not_taken(NotTaken what);
  /// Stores a document that came with it and returns its id for the claim check.
  virtual Task<Result<std::string>> store_document(std::string party, std::string case_id, DocumentInfo info,
                                                   Bytes content) = 0;
  /// Our case for a partner's own number; nullopt when unknown.
  virtual Task<Result<std::optional<std::string>>> case_of(std::string party, std::string foreign_id) = 0;
  /// Our case for a BSN, through a keyed hash (design.md, Identity); nullopt when unknown.
  virtual Task<Result<std::optional<std::string>>> case_of_bsn(const Secret& bsn) = 0;
  /// The same for many, in their order. The default asks one by one.
  virtual Task<Result<std::vector<std::optional<std::string>>>> cases_of_bsn(std::vector<Secret> bsns);
};

/// Thread: one io_context for all of its calls. Lifetime: created at start-up, lives to the end of the process.
class Adapter {
 public:
  virtual ~Adapter() = default;
  /// Called once before anything else. An error degrades this channel only.
  virtual Task<Result<void>> start(Host& host) = 0;
  /// Makes one attempt. The outbox owns retries, deadlines, circuit breaking and dead letters. Never throws on purpose;
  /// what is thrown counts as unknown with code ADAPTER_THREW.
  virtual Task<AttemptResult> send(const Delivery& delivery) = 0;
  /// Brings messages in until it is cancelled. The default has nothing to bring.
  virtual Task<void> run(Inbox& inbox);
  /// Handles an HTTP request on a path of its own below /in/<instance>/ (webhooks). Default: 404.
  virtual Task<Result<HttpReply>> on_request(const HttpRequest& request, std::string party, Inbox& inbox);
};

}  // namespace schakel
