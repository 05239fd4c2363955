#include "plugins/invoicing/decider.hpp"
#include "schakel/plugin.hpp"

namespace {
constexpr const char* kSchema =
#include "schema.inc"
    ;
}  // namespace

SCHAKEL_DECIDER(schakel::invoicing::InvoicingDecider, kSchema)
