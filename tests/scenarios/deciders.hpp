// The four deciders, linked instead of loaded: for tests that ask for decisions without a broker around them.
#pragma once
#include "plugins/consent/consent.hpp"
#include "plugins/deadlines/deadlines.hpp"
#include "plugins/invoicing/decider.hpp"
#include "plugins/routing/routing.hpp"

namespace schakel::scenario {

inline std::vector<const Decider*> test_deciders() {
  static const routing::RoutingDecider routing;
  static const consent::ConsentDecider consent;
  static const invoicing::InvoicingDecider invoicing;
  static const deadlines::DeadlinesDecider deadlines;
  return {&routing, &consent, &invoicing, &deadlines};
}

}  // namespace schakel::scenario
