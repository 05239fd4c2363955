// The road with what the routes need around it.
#pragma once
#include "core/api/routes.hpp"
#include "tests/unit/delivery/delivery_road.hpp"

namespace schakel::test {

struct NoDocumentCheck final : ingress::DocumentCheck {
  Task<Result<void>> check(const Attachment&, std::string_view, std::string_view) override { co_return Result<void>{}; }
};

struct ApiRoad : DeliveryRoad {
  boost::asio::io_context io{1};  ///< the broker's work runs on it, and so does who asks
  vault::Participants participants{*vault, *store};
  vault::Bsn bsn{*vault, *store};
  ingress::TypeCatalogue types = ingress::TypeCatalogue::load(SCHAKEL_SOURCE_DIR "/config/schemas/messages").value();
  NoDocumentCheck check;
  ingress::Ingress ingress{journal, parties, types, check, {"KNH"}};

  api::Services services() {
    return {io.get_executor(),
            *store,
            journal,
            ingress,
            *pipeline,
            dispatcher,
            delivering,
            *vault,
            documents,
            participants,
            bsn,
            parties,
            clock,
            0,
            "",
            {},
            {},
            {},
            {},
            nullptr,
            SCHAKEL_SOURCE_DIR "/config/schemas/messages",
            {}};
  }
};

}  // namespace schakel::test
