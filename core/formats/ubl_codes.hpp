// Internal to the UBL reader and writer: the code lists of EN 16931, and what the whole tree of a document must hold
// to.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/formats/ubl.hpp"

namespace schakel::formats {

enum class CodeList {
  country,
  currency,
  unit,
  icd,
  endpoint,
  payment_means,
  exemption,
  allowance_reason,
  charge_reason,
  item_class,
  reference,
  note_subject,
  vat_category,
};
[[nodiscard]] bool in_code_list(CodeList list, std::string_view code);

/// What rules say of elements wherever they stand, also of those that we pass over: no empty element (SI-UBL-2), codes
/// (BR-CL-*), decimals of amounts (UBL-DT-01), and the groups that we do not read (BR-17 to -20, -28, -56, -57).
[[nodiscard]] std::vector<Finding> check_ubl_tree(const XmlElement& root);
/// Does UBL 2.1 have this element in that one? Of what stands in extensions nothing is known: true.
[[nodiscard]] bool in_ubl(const XmlElement& parent, const XmlElement& child);
/// The attributes, without namespace, that UBL 2.1 gives an element; an aggregate has none.
[[nodiscard]] std::span<const std::string_view> ubl_attributes(std::string_view ns, std::string_view name);
/// The VAT rules of a document, however it was made.
[[nodiscard]] std::vector<Finding> check_ubl_vat(const UblDocument& document);

/// read_ubl of what was written from `checked`, a document that check_ubl passed, with the same verdict: when the same
/// document is read back and holds nothing that only the tree could be wrong about, it keeps the same rules and is not
/// held against them again (ubl_again_test.cpp and ubl_fuzz hold the two against each other).
[[nodiscard]] UblRead read_back_ubl(std::string_view bytes, const UblDocument& checked);

}  // namespace schakel::formats
