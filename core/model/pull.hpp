// Messages and decisions out of the text that was kept of them.
#pragma once
#include "core/base/json_pull.hpp"
#include "core/model/decision.hpp"
#include "core/model/message.hpp"

namespace schakel {

/// Both throw a std::exception for what is no message or no decision.
void read(JsonPull& from, Message& into);
/// `explanation`: where its text goes instead of being read; null: it is read.
void read(JsonPull& from, Draft& into, std::string* explanation);

}  // namespace schakel
