// What one instance is told: whom it knows and which product is which kind of line.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "core/base/json.hpp"

namespace schakel::zorgaanbieder {

struct Settings {
  explicit Settings(const Json& config);
  std::string region, gemeente_code, source, sender_role, default_kind, default_retour, answer_url, answer_folder,
      in_folder;
  std::map<std::string, std::string> afzenders, leveranciers, retourcodes;
  struct Product {
    std::string categorie, code, kind;
  };
  std::vector<Product> producten;
  int poll_seconds, keep_answer_days;
  std::string ggk_applicatie;

  [[nodiscard]] std::string kind_of(const std::string& categorie, const std::string& code) const;
  [[nodiscard]] std::string retour_of(const std::string& reason) const;
};

}  // namespace schakel::zorgaanbieder
