// The seams between the road and the vault, the portal and the adapters.
#pragma once
#include "core/ingress/ingress.hpp"
#include "core/net/mail.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/portal/authenticators.hpp"
#include "core/portal/links.hpp"
#include "core/vault/bsn.hpp"
#include "core/vault/documents.hpp"
#include "core/vault/participants.hpp"
#include "schakel/adapter.hpp"

namespace schakel::app {

/// Claim check against the vault: the document is there, of this case, brought by this party, and is what the message
/// says.
class VaultDocumentCheck final : public ingress::DocumentCheck {
 public:
  explicit VaultDocumentCheck(vault::Documents& documents) : documents_(documents) {}
  Task<Result<void>> check(const Attachment& attachment, std::string_view party, std::string_view case_id) override;

 private:
  vault::Documents& documents_;
};

/// An app is answerable once the operator enrolled it; what goes by SMS always is.
class EnrolledApps final : public ingress::FactorCheck {
 public:
  EnrolledApps(store::Store& store, vault::Vault& vault, const Clock& clock) : apps_(store, vault, clock) {}
  Task<Result<bool>> answerable(std::string factor) override;

 private:
  portal::Authenticators apps_;
};

/// People of a case from the vault, and what a decision changes outside the outbox.
class CaseDirectory final : public pipeline::Directory {
 public:
  CaseDirectory(store::Store& store, vault::Participants& participants, portal::LinkService* links, const Clock& clock)
      : store_(store), participants_(participants), links_(links), clock_(clock) {}
  Task<Result<std::vector<outbox::Contact>>> contacts(std::string case_id) override;
  /// Deelnemers of a new case; links and waiting deliveries that a withdrawn consent or a cancelled meeting ends; links
  /// of a meeting that moved.
  Task<Result<void>> extend(const Message& message, const Draft& draft, store::Transaction& with) override;

 private:
  Task<Result<void>> move(const Message& message, const Json& meeting, store::Transaction& with);
  /// Of every role where none is named.
  Task<Result<void>> revoke(const Message& message, std::string message_id, std::string role, std::string reason,
                            store::Transaction& with);
  store::Store& store_;
  vault::Participants& participants_;
  portal::LinkService* links_;
  const Clock& clock_;
};

/// What one adapter instance brings in goes the same way as what comes over HTTP. Its events have a source of their
/// party, or `source`, the one that the configuration of the instance names (empty: none): what a partner wrote
/// decides nothing about that.
class AdapterInbox final : public Inbox {
 public:
  AdapterInbox(ingress::Ingress& ingress, journal::Journal& journal, vault::Documents& documents, vault::Bsn& bsn,
               std::shared_ptr<const Parties> parties, std::int64_t document_limit, std::string source = {})
      : ingress_(ingress),
        journal_(journal),
        documents_(documents),
        bsn_(bsn),
        parties_(std::move(parties)),
        limit_(document_limit),
        source_(std::move(source)) {}
  Task<Result<bool>> accept(std::string party, Json event) override;
  Task<Result<void>> not_taken(NotTaken what) override;
  Task<Result<std::string>> store_document(std::string party, std::string case_id, DocumentInfo info,
                                           Bytes content) override;
  Task<Result<std::optional<std::string>>> case_of(std::string party, std::string foreign_id) override;
  Task<Result<std::optional<std::string>>> case_of_bsn(const Secret& bsn) override;
  Task<Result<std::vector<std::optional<std::string>>>> cases_of_bsn(std::vector<Secret> bsns) override;

 private:
  ingress::Ingress& ingress_;
  journal::Journal& journal_;
  vault::Documents& documents_;
  vault::Bsn& bsn_;
  std::shared_ptr<const Parties> parties_;
  std::int64_t limit_;
  std::string source_;
};

/// A Message-ID without its angle brackets, as the mail writer wants it.
[[nodiscard]] std::string bare_id(std::string_view id);

/// The mail server of the configuration, as adapters see it.
class ConfiguredMail final : public MailAccess {
 public:
  ConfiguredMail(net::MailSender& sender, const Clock& clock, std::string from)
      : sender_(sender), clock_(clock), from_(std::move(from)) {}
  Task<Result<std::string>> send(Mail mail) override;

 private:
  net::MailSender& sender_;
  const Clock& clock_;
  std::string from_;
};

}  // namespace schakel::app
