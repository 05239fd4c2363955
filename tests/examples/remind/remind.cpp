// The smallest decider: a pure function that adds a signal to the draft it gets. See docs/writing-a-plugin.md.
#include "schakel/plugin.hpp"

namespace schakel::remind {

class RemindDecider final : public Decider {
 public:
  [[nodiscard]] std::string_view stage() const override { return "deadlines"; }
  [[nodiscard]] Draft decide(FactView& view, const Facts&, Draft draft) const override {
    const Message& message = view.message();
    if (message.type == "ot_verslag" && !view.file().meeting)
      draft.signals.push_back({"MEETING_NOT_KNOWN", message.sender_role, "", "", "EXAMPLE-01"});
    return draft;
  }
};

}  // namespace schakel::remind

SCHAKEL_DECIDER(schakel::remind::RemindDecider,
                R"({"type": "object", "additionalProperties": false, "properties": {}})")
