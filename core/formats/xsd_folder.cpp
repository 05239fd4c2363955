#include "core/formats/xsd_folder.hpp"

#include <array>
#include <filesystem>
#include <utility>

namespace schakel::formats {
namespace {

constexpr std::array<std::pair<std::string_view, MessageKind>, 3> kXsdFiles{{
    {"JW323.xsd", MessageKind::jw323},
    {"UBL-Invoice-2.1.xsd", MessageKind::ubl_invoice},
    {"UBL-CreditNote-2.1.xsd", MessageKind::ubl_credit_note},
}};

}  // namespace

Result<XsdFolder> XsdFolder::open(const std::string& folder) {
  namespace fs = std::filesystem;
  XsdFolder out;
  std::error_code ec;
  for (fs::recursive_directory_iterator it(folder, fs::directory_options::skip_permission_denied, ec), end;
       !ec && it != end; it.increment(ec)) {
    for (const auto& [name, kind] : kXsdFiles) {
      if (it->path().filename().string() != name || out.schemas_.contains(kind)) continue;
      auto schema = XsdSchema::load(it->path().string());
      if (!schema) return fail(std::move(schema.error()));
      out.schemas_.emplace(kind, std::make_shared<const XsdSchema>(std::move(*schema)));
    }
  }
  if (out.schemas_.empty())
    return fail(ErrorKind::invalid, "XSD_UNAVAILABLE",
                "there is no JW323.xsd, UBL-Invoice-2.1.xsd or UBL-CreditNote-2.1.xsd below this folder");
  return out;
}

std::vector<Finding> XsdFolder::check(MessageKind kind, std::string_view bytes) const {
  auto it = schemas_.find(kind);
  if (it == schemas_.end()) return {};
  auto findings = it->second->check(bytes);
  if (!findings) return {{"", findings.error().code, findings.error().message, ""}};
  return std::move(*findings);
}

}  // namespace schakel::formats
