// E-invoices that are sound and still not for us to pass on.
#include <algorithm>
#include <set>

#include "desk.hpp"
#include "schakel/outcome.hpp"

namespace schakel::zorgaanbieder {

std::vector<Finding> refused_here(const formats::UblDocument& d, const Settings& settings, formats::Date today) {
  auto out = formats::check_carried(d, today);
  const std::string root = d.credit_note ? "/CreditNote/" : "/Invoice/";
  auto add = [&](const char* rule, const char* where, const char* text) {
    out.push_back({root + where, "UBL_RULE", text, rule});
  };
  auto ours = [&](const formats::UblId& id) {
    return !id.value.empty() &&
           std::ranges::find(settings.afnemers, id.scheme + ':' + id.value) != settings.afnemers.end();
  };
  // An endpoint says where it was sent; who has to pay is the legal entity, so that counts where it is named.
  const auto& buyer = d.customer.legal_id.value.empty() ? d.customer.endpoint : d.customer.legal_id;
  if (!settings.afnemers.empty() && !ours(buyer))
    add("SCH-BUYER", "AccountingCustomerParty/Party/PartyLegalEntity/CompanyID",
        "the invoice is for another organisation than those served here");
  auto accounts = settings.rekeningen.find(d.supplier.legal_id.scheme + ':' + d.supplier.legal_id.value);
  if (!d.credit_note && !d.iban.empty() && accounts != settings.rekeningen.end() &&
      std::ranges::find(accounts->second, d.iban) == accounts->second.end())
    add("SCH-IBAN-OTHER", "PaymentMeans/PayeeFinancialAccount/ID",
        "payment is asked on an account that is not known as the seller's: call the seller, on a number of your own "
        "records, before anything is paid or this account is added");
  return out;
}

Task<bool> Desk::tell_not_taken(const formats::UblDocument& d, const std::vector<Finding>& refused,
                                const std::string& party, std::string hash, Inbox& inbox) {
  // Of a mistake in the document its sender hears; these are what a forged or misdirected one looks like.
  std::set<std::string> rules;
  for (const auto& f : refused)
    if (f.rule == "SCH-IBAN-OTHER" || f.rule == "SCH-PAYEE" || f.rule == "SCH-BUYER") rules.insert(f.rule);
  if (rules.empty()) co_return true;
  std::string reference = d.buyer_reference.empty() ? d.order_reference : d.buyer_reference, subject;
  if (!reference.empty()) {
    auto found = co_await inbox.case_of(party, std::move(reference));
    if (!found) co_return false;
    subject = found->value_or("");
  }
  // It goes into a mail: a number that is no number of ours stays out of it.
  bool odd = formats::holds_bsn(d.id) || std::ranges::find(refused, "SCH-NUMBER", &Finding::rule) != refused.end();
  for (const auto& rule : rules) {
    log(LogLevel::warn, "zorgaanbieder.not_taken", {{"rule", rule}, {"party", party}});
    host_.metrics().count("zorgaanbieder_not_taken", {{"rule", rule}});
    auto told = co_await inbox.not_taken({party, subject, odd ? "-" : d.id, rule, hash});
    if (!told) co_return false;
  }
  co_return true;
}

}  // namespace schakel::zorgaanbieder
