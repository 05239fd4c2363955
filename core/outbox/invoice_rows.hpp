// The rows of an invoice that goes out: by its case and number, by its delivery, by its mail.
#pragma once
#include <string>
#include <string_view>

#include "core/store/store.hpp"

namespace schakel::outbox {

inline constexpr std::string_view kInvoicesOut = "invoice.out";  ///< key <case>/<number>/<payer>/<delivery>
inline constexpr std::string_view kInvoiceOfDelivery =
    "invoice.delivery";                                             ///< key delivery id, value the key in invoice.out
inline constexpr std::string_view kInvoiceOfMail = "invoice.mail";  ///< key Message-ID, value the delivery id

/// What is known of an invoice from the moment that its document is made.
struct InvoiceMade {
  Json stated;                            ///< what the document asks (formats::stated_amounts): in the row as `gesteld`
  bool named = false;                     ///< whose it is was not known when it was decided, and is now:
  std::string buyer_party, seller_party;  ///< from then on its payer and its creditor find it
};
/// Adds it to `with`. Nothing where there is no such row. STORE_CORRUPT_ROW.
Task<Result<void>> made_invoice(store::Store& store, std::string delivery, InvoiceMade made, store::Transaction& with);

}  // namespace schakel::outbox
