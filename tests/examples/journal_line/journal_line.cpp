// The smallest adapter that does something: every delivery becomes a file with one JSON line. See
// docs/writing-a-plugin.md.
#include "core/base/drop_folder.hpp"
#include "schakel/plugin.hpp"

namespace schakel::journal_line {

class JournalLineAdapter final : public Adapter {
 public:
  // Its configuration passed schema.json before this runs.
  explicit JournalLineAdapter(const Json& config) : folder_(config.at("folder")) {}

  Task<Result<void>> start(Host&) override { co_return Result<void>{}; }

  Task<AttemptResult> send(const Delivery& delivery) override {
    // Named by the delivery, so that a repeat writes the same file: the partner sees one.
    auto file = FileOut::open(folder_, delivery.id + ".json");
    auto done =
        file ? file->write(as_bytes(
                   dump_json({{"type", delivery.type}, {"case", delivery.pseudonym}, {"data", delivery.body}}) + "\n"))
             : Result<void>(fail(file.error()));
    if (done) done = file->finish();
    if (!done) co_return AttemptResult{Verdict::retry_later, done.error().code, std::nullopt, Json::object()};
    co_return AttemptResult{Verdict::delivered, "WRITTEN", std::nullopt, Json::object()};
  }

 private:
  std::string folder_;
};

}  // namespace schakel::journal_line

static const char* const kSchema =
#include "schema.inc"
    ;
SCHAKEL_ADAPTER(schakel::journal_line::JournalLineAdapter, kSchema)
