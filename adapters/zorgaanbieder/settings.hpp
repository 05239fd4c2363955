// What one instance is told: whom it knows and which product is which kind of line.
#pragma once
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "core/base/json.hpp"

namespace schakel::zorgaanbieder {

struct Settings {
  explicit Settings(const Json& config);
  std::string region, gemeente_code, source, sender_role, default_retour, answer_url, answer_folder, in_folder;
  std::map<std::string, std::string> afzenders, leveranciers, retourcodes;
  struct Product {
    std::string categorie, code, kind;
  };
  std::vector<Product> producten;
  int poll_seconds, keep_answer_days;
  std::string ggk_applicatie;

  /// scheme:id of whom an e-invoice may be for; empty: anybody.
  std::vector<std::string> afnemers;
  /// scheme:id of a seller to the accounts it may ask payment on; a seller that is not here may use any.
  std::map<std::string, std::vector<std::string>> rekeningen;

  /// Parties that may post for any of `afzenders` and `leveranciers`: a hub (VECOZO, a service bureau).
  std::vector<std::string> knooppunten;

  /// The kind of line that a product is, or the return code that says why it is none: 9340 nobody configured it, S329
  /// the code belongs to another category. `categorie` empty: a UBL line. There is no kind by default: what nobody
  /// configured is not paid by whoever happens to be last.
  [[nodiscard]] std::expected<std::string, std::string_view> kind_of(const std::string& categorie,
                                                                     const std::string& code) const;
  /// May this party post what is of `owner`? Empty: a folder.
  [[nodiscard]] bool may_post(const std::string& party, const std::string& owner) const;
  [[nodiscard]] std::string retour_of(const std::string& reason) const;
};

}  // namespace schakel::zorgaanbieder
