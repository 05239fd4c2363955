// Vault, documents and outbox behind the road, up to the adapters that a test adds.
#pragma once
#include "core/delivery/attempt.hpp"
#include "tests/unit/pipeline/real_road.hpp"
#include "tests/unit/vault/support.hpp"

namespace schakel::test {

struct DeliveryRoad : RealRoad {
  TempFolder folder;
  runtime::BlockingPool pool{1, 16};
  std::unique_ptr<vault::Vault> vault = std::move(*run_now(vault::Vault::open(*store, clock, master(1))));
  vault::Documents documents{*vault, *store, clock, pool, std::move(*vault::Blobs::open(folder.path() / "blobs"))};
  delivery::Delivering delivering{journal, *vault, documents, pipeline->profiles()};
  outbox::Dispatcher dispatcher{*store, delivering, clock, outbox::DispatcherOptions{}};
};

}  // namespace schakel::test
