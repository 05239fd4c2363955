// Facts that a table cannot say: each is a fact of the vocabulary (derived.<name>) whose value a function finds.
#pragma once
#include <span>
#include <string_view>

#include "core/model/rule_facts.hpp"

namespace schakel {

struct FactFunction {
  std::string_view name;  ///< behind "derived."
  FactValue (*call)(const FactView&);
};

/// All of them; FactDef::function is a place in this list.
[[nodiscard]] std::span<const FactFunction> fact_functions();

}  // namespace schakel
