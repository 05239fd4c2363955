// The resumable steps of filing in a zaak. Every step looks before it makes, so that a step which was done before a
// crash, by another delivery or by hand is found and not repeated; Progress saves the looking and keeps the lock of a
// large document.
#pragma once
#include "zgw_client.hpp"

namespace schakel::gemeente {

class Dossier {
 public:
  Dossier(const Settings& settings, Host& host, const Delivery& delivery)
      : settings_(settings), host_(host), delivery_(delivery), client_(settings, host) {}

  /// Reads what earlier attempts of this delivery did.
  Task<Step<void>> load();
  /// Finds the zaak by identificatie, or makes it. Afterwards zaak() is its URL.
  Task<Step<void>> ensure_zaak(bool may_create);
  /// The jeugdige as natuurlijk_persoon with BSN; before the first status, as consumers take that for "complete".
  Task<Step<void>> ensure_rol();
  Task<Step<void>> ensure_eigenschap(std::string type_url, std::string value);
  Task<Step<void>> ensure_document(DocumentInfo document);
  Task<Step<void>> ensure_status(std::string type_url);

  [[nodiscard]] const std::string& zaak() const { return zaak_; }
  [[nodiscard]] Json receipt() const;

 private:
  std::string natural_key() const;
  Task<Step<std::string>> find_zaak(std::string identificatie);
  Task<Step<void>> save();
  Task<Step<std::string>> document_url(DocumentInfo document);
  Task<Step<std::string>> make_small(DocumentInfo document, Json body);
  Task<Step<std::string>> make_large(DocumentInfo document, Json body, std::string key);
  Task<Step<void>> upload_parts(DocumentInfo document, std::string key);
  Task<Step<void>> link(std::string information_object, std::string title);

  const Settings& settings_;
  Host& host_;
  const Delivery& delivery_;
  Client client_;
  Json state_ = Json::object();  ///< {zaak, uuid, documents: {<id>: {url, lock, round, linked}}}
  std::string zaak_, uuid_;
};

}  // namespace schakel::gemeente
