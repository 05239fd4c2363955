// Who is who: the organisations of config/parties.json, what each may say and where each is reached.
#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/json.hpp"

namespace schakel {

/// Default deny: a message is allowed when one grant names its role, type and region ("*" = all).
struct Grant {
  std::vector<std::string> roles, types, regions;
};

/// Where a role of this party is reached: an adapter instance and what that adapter needs to know.
struct Endpoint {
  std::vector<std::string> roles, regions;
  std::vector<std::string> kinds;  ///< message, documents, notice, filing, invoice, signal; empty = all
  std::string adapter;
  Json address = Json::object();
};

/// What an e-invoice says about a party (interfaces/facturatie.md 2.1).
struct InvoiceIdentity {
  std::string payer_role;  ///< gemeente, swv, schoolbestuur, zorgaanbieder
  std::string name, oin, kvk, vat_number, iban, street, city, postcode, mail, buyer_reference, vat_category = "O";
};

struct Party {
  std::string id, name, oin;
  std::string scope = "own";  ///< own: cases it opened or was sent; region: every case of the regions it may send for
  std::string domain;         ///< care or education: a BSN is never released towards education
  bool may_supply_bsn = false, may_receive_bsn = false;
  std::vector<std::string> certificate_oins, certificate_sans,
      certificate_spki;              ///< sha-256 of SubjectPublicKeyInfo, hex
  std::vector<std::string> sources;  ///< CloudEvents sources it may use; empty = any that carries its OIN
  /// Settings of a region that a case which it opens may have otherwise (profile_overrides), by dotted name or the
  /// beginning of one; "*" is all. None by default: they decide on money and consent.
  std::vector<std::string> may_override;
  std::vector<Grant> may_send;
  std::vector<Endpoint> endpoints;
  std::optional<InvoiceIdentity> invoice;
  /// For whom it works, pays and is paid where its region has several of its kind: gemeenten by name as in
  /// pupil.woongemeente, schools as in pupil.school.
  std::vector<std::string> serves_gemeenten, serves_schools;
  std::int64_t rate_per_minute = 6000;
};

/// Facts of a verified client certificate that may identify a party. Never the CN, never the certificate's own serial
/// number.
struct CertificateFacts {
  std::string oin;
  std::vector<std::string> sans;
  std::string spki_sha256;
};

/// What a case says about which organisations it means.
struct CaseHints {
  std::string named;  ///< party id that the case names for the role (fact party_<role>)
  std::string woongemeente, school;
};

/// The party of a payer or payee. Without one `code` says why: PARTY_AMBIGUOUS (several, and the case names none),
/// PARTY_MISNAMED (the case names one that is not of this role and region), or nothing (there is none at all).
struct PartyChoice {
  const Party* party = nullptr;
  std::string code{};
};

/// Where a role of a case is reached. Without an endpoint `code` says why: PARTY_AMBIGUOUS (several, and nothing says
/// which), or nothing (there is none).
struct Desk {
  const Party* party = nullptr;
  const Endpoint* endpoint = nullptr;
  std::string code{};
};

/// Immutable once read. Thread: any.
class Parties {
 public:
  /// All findings at once under code PARTIES_INVALID: unknown fields, double ids, a certificate that maps to two
  /// parties, malformed OIN, an education party that may receive a BSN.
  static Result<Parties> read(const Json& config);

  /// The first setting among `overrides` that the party may not set; empty: it may set all of them. Pure.
  [[nodiscard]] static std::string not_its_own(const Party& party, const Json& overrides);
  /// nullptr when no party or more than one matches (PKI pin wins over OIN and SAN).
  [[nodiscard]] const Party* identify(const CertificateFacts& facts) const;
  [[nodiscard]] const Party* find(std::string_view id) const;
  [[nodiscard]] static bool may_send(const Party& party, std::string_view role, std::string_view type,
                                     std::string_view region);
  /// Whether some grant covers the type, in whichever role and region.
  [[nodiscard]] static bool may_send_type(const Party& party, std::string_view type);
  /// Where a role (suffixes @gemeente and :provider are tried first, then left out) is reached for a case. Who names
  /// the role goes before who takes all. Of several it is the one that serves the case, else the only one that has to
  /// do with it (`members`, core/journal/members.hpp). Who serves others gets nothing unless it is a member. Never the
  /// first of several.
  [[nodiscard]] Desk desk(std::string_view role, std::string_view region, std::string_view kind, const CaseHints& hints,
                          std::span<const std::string> members) const;
  /// Whether `members` can make a difference to `desk`: two parties are reached for one role, or one serves some only.
  [[nodiscard]] bool members_matter() const { return members_matter_; }
  /// Endpoint of this party alone, by the same order.
  [[nodiscard]] static const Endpoint* endpoint_of(const Party& party, std::string_view role, std::string_view region,
                                                   std::string_view kind);
  /// Parties with invoice data for this role that have to do with the region; never one of another region.
  [[nodiscard]] std::vector<const Party*> invoice_parties(std::string_view payer_role, std::string_view region) const;
  /// The one of them that a case means. Never the first of several.
  [[nodiscard]] PartyChoice invoice_party(std::string_view payer_role, std::string_view region,
                                          const CaseHints& hints) const;
  [[nodiscard]] const std::vector<Party>& all() const { return parties_; }

 private:
  std::vector<Party> parties_;
  bool members_matter_ = false;
};

/// 8 digits of prefix, 9 digits or capitals, 3 zeros: ^[0-9]{8}[0-9A-Z]{9}000$ (interfaces/gemeente-en-api.md section
/// 5).
[[nodiscard]] bool valid_oin(std::string_view text);

}  // namespace schakel
