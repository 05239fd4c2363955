// What the deciders say about one message: a draft while they work, a decision once recorded.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.hpp"
#include "core/base/json.hpp"
#include "core/model/explanation.hpp"

namespace schakel {

/// domain.md 14.2, expect.outcomes.
enum class Outcome { delivered, recorded, blocked, held, dropped_duplicate, quarantined };
[[nodiscard]] std::string_view to_string(Outcome outcome);
[[nodiscard]] std::optional<Outcome> outcome_from(std::string_view text);

/// One effective recipient. `channel`: secure_link, broker, onderwijstransparant. `content`: doc types, gezinsplan,
/// notice, a message type, or empty. `role` may carry a suffix (zorgaanbieder:C, lokaal_team@Gouda).
struct Recipient {
  std::string role;
  std::vector<std::string> content;
  std::string channel = "broker";
  std::vector<std::string> without;  ///< plan sections taken out for this role, e.g. bekostiging
  std::vector<std::string> rules;
  bool operator==(const Recipient&) const = default;
};

/// An addressed or candidate role that gets nothing, and why.
struct Suppressed {
  std::string role;
  std::string code;
  std::string rule;
  bool operator==(const Suppressed&) const = default;
};

struct Signal {
  std::string code;
  std::string to;
  std::string role;   ///< whom it is about, may be empty
  std::string timer;  ///< may be empty
  std::string rule;
  bool operator==(const Signal&) const = default;
};

/// A deadline of the case as it stands after this message. `date` is an Amsterdam calendar date, YYYY-MM-DD.
struct Deadline {
  std::string name;
  std::string date;
  std::string warn_date;  ///< may be empty
  std::string rule;
  std::string severity;       ///< hard, firm, target, warn, statutory, or *_replaced
  std::string responsible;    ///< role that is warned
  std::string state = "set";  ///< set, met, breached, replaced, cancelled
  bool operator==(const Deadline&) const = default;
};

struct Filing {
  std::string operation;  ///< dossier.create or dossier.append
  std::string by;
  std::string system;
  std::vector<std::string> doc_types;
  std::string delivery_message;  ///< id of the message whose documents are filed
  bool operator==(const Filing&) const = default;
};

/// Everything the broker forwards or creates as an invoice (domain.md section 9). Amounts are cents; credits negative.
struct InvoiceOut {
  std::string number;
  std::string kind;   ///< factuur, doorbelasting, declaratie, creditnota
  std::string payer;  ///< gemeente, swv, schoolbestuur
  std::string payee;
  std::string address;
  std::int64_t amount_cents = 0;
  std::optional<std::int64_t> vat_cents, net_cents, minutes;
  std::string status = "forwarded";
  std::int64_t released_by = 0;  ///< seq of the releasing message, 0 when never held
  std::string source_number;     ///< the invoice it comes from
  std::string source_message;    ///< id of the message that brought it
  std::string
      payee_party;  ///< party of the payee where that is who sent the source; the releasing message has another sender
  std::string credits;             ///< number of the invoice a credit note refers to
  std::string vat_treatment;       ///< O, E or S as the agreement says; empty: as the creditor's invoice data say
  Json vat_rates = Json::array();  ///< [{percent, net_cents, vat_cents}] as charged; empty: the source named no rates
  std::string period_from, period_to;
  Json split;                  ///< null or {swv_cents, gemeente_cents, ..., total_cents}
  Json lines = Json::array();  ///< [{kind, cents, share_cents, description, percent?, category?}]
  bool operator==(const InvoiceOut&) const = default;
};

/// A change of the case file that this decision makes. The case file is the fold over these, in order (design.md).
/// `what` names the change (fact, consent, document, meeting, participant, opened, ...), `value` is its content.
struct Effect {
  std::string what;
  std::string key;
  Json value;
  bool operator==(const Effect&) const = default;
};

/// A register entry that reaches across cases (invoice key seen, OT count, odd cent turn); written with the decision.
struct RegisterWrite {
  std::string key;
  Json value;
  bool operator==(const RegisterWrite&) const = default;
};

/// What the deciders hand on from one to the next; the last one's draft is the decision.
struct Draft {
  Outcome outcome = Outcome::delivered;
  std::vector<std::string> codes;  ///< blocking or holding, in the order of the gate
  std::string for_role;            ///< only at link_geopend
  std::vector<Recipient> recipients;
  std::vector<Suppressed> suppressed;
  std::vector<Signal> signals;
  std::vector<Deadline> deadlines;  ///< new or changed by this message
  std::vector<Filing> filings;
  std::vector<InvoiceOut> invoices;
  std::vector<std::string> revoked_links;  ///< ids of messages whose unopened links end now, "<message id>/<role>"
  std::vector<Effect> effects;
  std::vector<RegisterWrite> registers;
  std::vector<Explanation> explanation;
  bool operator==(const Draft&) const = default;
};

void to_json(Json& j, const Recipient& v);
void from_json(const Json& j, Recipient& v);
void to_json(Json& j, const Draft& v);
void from_json(const Json& j, Draft& v);

}  // namespace schakel
