#include "schakel/plugin.hpp"

#include "plugins/invoicing/decider.hpp"

namespace {
constexpr const char* kSchema =
#include "schema.inc"
    ;
}  // namespace

SCHAKEL_DECIDER(schakel::invoicing::InvoicingDecider, kSchema)
