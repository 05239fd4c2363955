// The portal's questions, answered by the road.
#pragma once
#include <boost/asio/any_io_executor.hpp>

#include "core/delivery/attempt.hpp"
#include "core/ingress/ingress.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/portal/backend.hpp"
#include "core/vault/documents.hpp"
#include "core/vault/participants.hpp"

namespace schakel::app {

[[nodiscard]] portal::DocumentView document_view(const vault::DocumentRecord& record);

/// Thread: every shard; goes over to the broker's shard for what lives there. Lifetime: needs everything it is given.
class BrokerPortalBackend final : public portal::PortalBackend {
 public:
  BrokerPortalBackend(boost::asio::any_io_executor broker, journal::Journal& journal, pipeline::Pipeline& pipeline,
                      ingress::Ingress& ingress, delivery::Delivering& delivering, vault::Documents& documents,
                      vault::Participants& participants, vault::Vault& vault, portal::LinkService& links,
                      std::shared_ptr<const Parties> parties, std::int64_t document_limit)
      : broker_(std::move(broker)),
        journal_(journal),
        pipeline_(pipeline),
        ingress_(ingress),
        delivering_(delivering),
        documents_(documents),
        participants_(participants),
        vault_(vault),
        links_(links),
        parties_(std::move(parties)),
        limit_(document_limit) {}

  Task<Result<portal::OpenOutcome>> open_request(portal::LinkView link, std::string document) override;
  Task<Result<portal::DeliveryContent>> content(portal::LinkView link) override;
  Task<Result<std::unique_ptr<portal::Download>>> download(portal::LinkView link, std::string document) override;
  Task<Result<portal::CaseView>> case_view(portal::LinkView link) override;
  Task<Result<std::unique_ptr<portal::Upload>>> begin_upload(portal::LinkView link, portal::UploadInfo info) override;
  Task<Result<Draft>> preview(portal::LinkView link, portal::SendForm form) override;
  Task<Result<portal::Submitted>> submit(portal::LinkView link, portal::SendForm form, std::string key) override;
  Task<Result<void>> withdraw(portal::LinkView link, std::string delivery) override;

  /// Called when a delivery was added.
  void on_enqueued(std::function<void()> call) { rang_ = std::move(call); }
  /// `schakel link`: {"do": list|revoke|workplace, ...}.
  Task<Result<Json>> links_for_operator(Json order);

 private:
  /// How long a page waits for the decision on what it sent.
  static constexpr milliseconds kDecision{8000};
  /// The documentlevering that a form stands for; FORM_INVALID with findings.
  Task<Result<Message>> message_of(portal::LinkView link, portal::SendForm form, std::string id);
  /// The organisation whose documents a workplace shows: that of its person, where it may speak in their role in the
  /// region of the case. PARTY_UNKNOWN, ROLE_NOT_ALLOWED (forbidden).
  Task<Result<const Party*>> party_of(std::string case_id, std::string person);
  Task<Result<portal::DeliveryView>> delivery_view(store::DeliveryRow row);
  boost::asio::any_io_executor broker_;
  journal::Journal& journal_;
  pipeline::Pipeline& pipeline_;
  ingress::Ingress& ingress_;
  delivery::Delivering& delivering_;
  vault::Documents& documents_;
  vault::Participants& participants_;
  vault::Vault& vault_;
  portal::LinkService& links_;
  std::shared_ptr<const Parties> parties_;
  std::int64_t limit_;
  std::function<void()> rang_;
};

}  // namespace schakel::app
