// E-invoices that are sound and still not for us to pass on.
#include <algorithm>

#include "splitter.hpp"

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

}  // namespace schakel::zorgaanbieder
