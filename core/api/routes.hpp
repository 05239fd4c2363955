// The routes, by subject. Two OpenAPI descriptions name them all: core/api/openapi.json those of parties,
// openapi_beheer.json those of the operator.
#pragma once
#include "core/api/router.hpp"

namespace schakel::api {

[[nodiscard]] std::vector<Route> message_routes();
[[nodiscard]] std::vector<Route> case_routes();
[[nodiscard]] std::vector<Route> document_routes();
[[nodiscard]] std::vector<Route> delivery_routes();
[[nodiscard]] std::vector<Route> operator_routes();
[[nodiscard]] std::vector<Route> audit_routes();
[[nodiscard]] std::vector<Route> finance_routes();
[[nodiscard]] std::vector<Route> public_routes();
[[nodiscard]] std::vector<Route> explain_routes();   ///< why a decision is as it is, and a case as it was
[[nodiscard]] std::vector<Route> rehearse_routes();  ///< recorded history under other rules, and as a scenario
[[nodiscard]] std::vector<Route> register_routes();  ///< what registers are made of, for the operator
/// /in/<instance>/...: the inbound interface of an adapter.
Task<net::Response> adapter_inbound(Call& call);
/// Whether that adapter is there for this party: asked before a byte of the body is read.
Result<void> inbound_admits(const Services& services, const Party& party, const net::RequestHead& head);
/// All of them.
[[nodiscard]] std::vector<Route> all_routes();

/// A whole number from 0 on of a query, 0 when it is not there; nothing for what is none.
[[nodiscard]] std::optional<std::int64_t> whole(const std::string& text);

/// CASE_UNKNOWN for a case that is not there and for one the party has nothing to do with.
Task<Result<void>> require_member(Services& services, const Party& party, std::string case_id);
/// The messages of a case that this party sent itself: of those it may see where they went.
Task<Result<std::set<store::MessageSeq>>> sent_by(Services& services, const Party& party, std::string case_id);

/// What a party or operator may see of a case; names and numbers of people are not in it.
Task<Result<Json>> case_view(Services& services, std::string case_id);
Json delivery_view(const store::DeliveryRow& row);
Json message_view(const journal::Recorded& r, bool explain);
/// One page of the invoices (of a case), with what became of each: what came in, then what went out. `party` limits to
/// those it pays or is paid. `query` has `zaak`, `limit` (1 to 500, as many by default) and `na`, the `verder` of the
/// page before; VALUE for another.
Task<Result<Json>> invoice_view(Services& services, std::map<std::string, std::string> query, const Party* party);
/// Whether this party has that role in an invoice: it is the one `named` in its row.
[[nodiscard]] bool is_invoice_party(const Parties& parties, const Party& party, const std::string& role,
                                    const std::string& named, const std::string& region);

}  // namespace schakel::api
