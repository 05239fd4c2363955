#include "core/formats/oso.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/formats/values.hpp"

namespace schakel::formats {
namespace {

constexpr std::string_view kFamily = "http://www.edustandaard.nl/oso_gegevensset/";

// Forbidden in both profiles, wherever they stand.
constexpr std::array<std::string_view, 8> kForbidden{
    "geboorteplaats", "nationaliteit",  "vir",           "zat",
    "ingevoerdinvir", "besprokeninzat", "geboortemaand", "postcode4adres"};
constexpr std::array<std::string_view, 7> kForbiddenPo{
    "eindtoets", "eindtoets_basisonderwijs", "examenvak", "examenresultaat", "stage", "certificaat", "competenties"};
constexpr std::array<std::string_view, 2> kForbiddenVo{"voorschools", "vroegschools"};

class Judge {
 public:
  explicit Judge(OsoRead& out) : out_(out) {}

  void run(const XmlElement& root) {
    OsoDossier d;
    auto metadata = root.child("metadata"), school = root.child("huidigeschool"), pupil = school.child("leerling");
    d.transfer = collapse(metadata.child("overstap").text());
    d.brin = collapse(school.child("brincode").text());
    d.vestiging = collapse(school.child("vestigingscode").text());
    d.pupil_key = collapse(pupil.child("leerlingid").text());
    d.address_secret = collapse(pupil.child("adresgeheim").text()) == "true";
    if ((d.transfer != "POSWV" && d.transfer != "VOSWV") ||
        collapse(root.child("overdrachtsoort").text()) != "swv-dossier")
      add(metadata ? metadata : root, "OSO_PROFILE", "not a dossier with the SWV profile");
    auto required = [&](const XmlElement& parent, std::string_view name) {
      if (collapse(parent.child(name).text()).empty() && !parent.child(name).first_child())
        add(parent ? parent : root, "OSO_REQUIRED", fmt::format("{} is required", name));
    };
    required(school, "brincode");
    required(school, "adreslijst");
    required(pupil, "voornaam");
    required(pupil, "achternaam");
    required(pupil, "geboortedatum");
    required(pupil, "adresgeheim");
    required(pupil, "leerlingid");
    required(pupil, "schoolloopbaanlijst");
    if (d.address_secret) {
      for (XmlElement e : pupil.children()) {
        if (e.local() == "adreslijst" || e.local() == "adresbuitenland") secret(e);
        if (e.local() == "verzorger") addresses(e);
      }
    }
    walk(root, d.transfer);
    out_.dossier = std::move(d);
  }

 private:
  void add(const XmlElement& e, std::string_view code, std::string text) {
    if (out_.findings.size() < 200) out_.findings.push_back({e.path(), std::string(code), std::move(text), "OSO SWV"});
  }
  void secret(const XmlElement& e) {
    add(e, "OSO_SECRET_ADDRESS", "the address is secret and may not be in the dossier");
  }

  void addresses(const XmlElement& e) {
    for (XmlElement c : e.children()) {
      if (c.local() == "adreslijst" || c.local() == "adresbuitenland")
        secret(c);
      else
        addresses(c);
    }
  }

  template <std::size_t N>
  static bool in(const std::array<std::string_view, N>& names, std::string_view name) {
    return std::ranges::find(names, name) != names.end();
  }

  void walk(const XmlElement& e, std::string_view transfer) {
    for (XmlElement c : e.children()) {
      auto name = c.local();
      if (name == "bsn" || name == "onderwijsnummer")
        add(c, "OSO_BSN_FORBIDDEN", "no BSN or onderwijsnummer goes to a samenwerkingsverband");
      else if (in(kForbidden, name) || name == "banknummer" || (transfer == "POSWV" && in(kForbiddenPo, name)) ||
               (transfer == "VOSWV" && in(kForbiddenVo, name)))
        add(c, "OSO_FORBIDDEN", fmt::format("{} is forbidden in this profile", name));
      walk(c, transfer);
    }
  }

  OsoRead& out_;
};

}  // namespace

bool is_oso_dossier(std::string_view ns, std::string_view local) {
  return local == "dossier" && ns.starts_with(kFamily);
}

OsoRead read_oso(std::string_view bytes, const XmlLimits& limits) {
  OsoRead out;
  auto xml = read_xml(bytes, limits);
  if (!xml) {
    out.findings.push_back({"", xml.error().code, xml.error().message, ""});
    return out;
  }
  auto root = xml->root();
  if (!is_oso_dossier(root.ns(), root.local()))
    out.findings.push_back({root.path(), "XML_ROOT", "not an OSO dossier", ""});
  else if (root.ns() != kOso2019)
    out.findings.push_back(
        {root.path(), "OSO_VERSION", "a dossier of a year that is not known here; known is 2019.1", ""});
  else
    Judge(out).run(root);
  return out;
}

}  // namespace schakel::formats
