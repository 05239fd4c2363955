// Which rules of the region stand behind a money decision, with their quotes.
#pragma once
#include <string_view>

#include "core/model/decision.hpp"
#include "core/model/profile.hpp"

namespace schakel::invoicing {

/// Adds one explanation per rule of the stage `invoicing` whose `then.explains` names the topic and whose condition
/// holds, and one for the derived CORE rule behind the topic. Topics: core/model/money_topics.hpp.
void explain(Draft& draft, const FactView& facts, std::string_view type, std::string_view topic, Word result,
             std::string_view code, const Json& seen);

}  // namespace schakel::invoicing
