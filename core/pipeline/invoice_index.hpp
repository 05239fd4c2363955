// Rows by which finance finds invoices: what came in and where it stands, what went out. Numbers, codes and cents only.
#pragma once
#include "core/model/decision.hpp"
#include "core/model/message.hpp"
#include "core/outbox/invoice_rows.hpp"
#include "core/outbox/plan.hpp"
#include "core/store/store.hpp"

namespace schakel::pipeline {

inline constexpr std::string_view kInvoicesIn = "invoice.in";       ///< key <case>/<message id>
inline constexpr std::string_view kInvoiceState = "invoice.state";  ///< key delivery id: what its receiver reported
inline constexpr std::string_view kInvoiceAnswer =
    "invoice.answer";  ///< key <case>/<message id>: a held one whose sender is owed an answer by a date (JW325)
inline constexpr std::string_view kInvoiceAside =
    "invoice.aside";  ///< key <case>/<message id>: a quarantined one or a refused credit that a person has dealt with

/// Adds the rows that this decision changes: an invoice that came in, every invoice it sends, held ones it releases.
/// `planned` says which parties a sent one names.
void index_invoices(const Message& message, const Draft& draft, const std::vector<outbox::Planned>& planned,
                    store::Transaction& with);

}  // namespace schakel::pipeline
