// How often a person had a delivery sent again.
#pragma once
#include <string>
#include <string_view>

#include "core/store/store.hpp"

namespace schakel::outbox {

/// Row: how often a person had a delivery sent again after it was settled (key delivery id, value the count).
inline constexpr std::string_view kGeneration = "delivery.generation";

/// 0 where nobody did. STORE_CORRUPT_ROW.
[[nodiscard]] Task<Result<int>> generation_of(store::Store& store, std::string delivery);
/// Counts one more; to be committed together with what sends it again. Of two at once one conflicts.
[[nodiscard]] Task<Result<store::PutRow>> next_generation(store::Store& store, std::string delivery);

}  // namespace schakel::outbox
