// What becomes of an invoice after it was decided: what its receiver reports, and what finance refuses.
#pragma once
#include "core/model/case_file.hpp"

namespace schakel::invoicing {

/// Earlier deciders refuse a message by its codes; the outcome follows when all have spoken.
[[nodiscard]] bool refused(const Draft& draft);

/// What the receiver of an invoice reports of it (core/pipeline/settlement.hpp): kept by delivery; a refusal is told to
/// the finance desk of whoever is owed the money, every time one is reported.
[[nodiscard]] Draft follow_status(const CaseFile& file, const Message& message, Draft draft);

}  // namespace schakel::invoicing
