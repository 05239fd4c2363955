// OSO dossiers with the SWV profile (POSWV, VOSWV): what the profile demands and forbids beyond its schema, which
// official software checks with a stylesheet that libxslt cannot run. Source: onderwijs.md section 2. Pure; a dossier
// is personal data throughout: findings carry paths and codes only.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.hpp"
#include "core/formats/xml.hpp"

namespace schakel::formats {

/// The namespace carries the year and changes with it, so a dossier of another year is refused and not guessed at.
inline constexpr std::string_view kOso2019 = "http://www.edustandaard.nl/oso_gegevensset/2019/dossier";
/// True for a dossier of any year.
[[nodiscard]] bool is_oso_dossier(std::string_view ns, std::string_view local);

struct OsoDossier {
  std::string transfer;  ///< POSWV or VOSWV
  std::string brin, vestiging;
  std::string pupil_key;  ///< leerlingid of the school's system: never a BSN
  bool address_secret = false;
};

struct OsoRead {
  std::optional<OsoDossier> dossier;
  std::vector<Finding> findings;
  [[nodiscard]] bool accepted() const { return dossier && findings.empty(); }
};

/// Codes: XML_* as read_xml, OSO_VERSION, OSO_PROFILE (not an SWV dossier), OSO_REQUIRED, OSO_BSN_FORBIDDEN,
/// OSO_FORBIDDEN, OSO_SECRET_ADDRESS.
[[nodiscard]] OsoRead read_oso(std::string_view bytes, const XmlLimits& limits = {});

}  // namespace schakel::formats
