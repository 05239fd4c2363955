// The publishers' schemas for what comes in as XML, when an operator has them (setting `formats.xsd_dir`). We ship
// none: our own readers check structure and rules by themselves, so this is a second opinion.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/formats/sniff.hpp"
#include "core/formats/table.hpp"

namespace schakel::formats {

/// Thread: any. Files are read when it is opened and never after.
class XsdFolder {
 public:
  /// Looks below `folder` for JW323.xsd, UBL-Invoice-2.1.xsd and UBL-CreditNote-2.1.xsd; those that are not there are
  /// not checked. XSD_UNAVAILABLE when there is none of them, XSD_INVALID when one cannot be compiled.
  [[nodiscard]] static Result<XsdFolder> open(const std::string& folder);
  /// Findings of the schema for a document of this kind; none when there is no schema for it. What is no XML at all has
  /// one, too.
  [[nodiscard]] std::vector<Finding> check(MessageKind kind, std::string_view bytes) const;
  [[nodiscard]] std::size_t size() const { return schemas_.size(); }

 private:
  std::map<MessageKind, std::shared_ptr<const XsdSchema>> schemas_;
};

}  // namespace schakel::formats
