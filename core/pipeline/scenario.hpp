// Scenario files (oza-scenario/1): read strictly, played through any Player, every part of `expect` compared
// (domain.md 14.2).
#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/model/profile.hpp"
#include "core/pipeline/decide.hpp"

namespace schakel::scenario {

struct Scenario {
  std::string id, region, title;
  Json given;                     ///< as in the file
  Message opening;                ///< zaak_opening; its payload is `given` without name and BSN
  std::vector<Message> messages;  ///< seq, id, type, sender_role, addressed_to, time and payload are set
  Json expect;
  std::vector<std::string> rules;
};

/// One file. SCENARIO_INVALID with findings (JSON pointer) for an unknown key, a missing part, a wrong type, an instant
/// without offset, a seq that is not 1, 2, 3 ... or a delivery_seq that is no message. Messages are played in the order
/// of seq, each at its own instant. Ids are deterministic: <scenario id>/<seq>. `delivery_seq` of a payload becomes
/// `delivery`, the id of that message. Beyond the format a message may have `attachments` (doc_type, status, version)
/// and `party`: which of several providers sends it, by the id that a zorgtoewijzing of the scenario names it by.
[[nodiscard]] Result<Scenario> read(std::string_view text);

/// Plays one case. The order of calls: open, then play for each message, then file.
class Player {
 public:
  virtual ~Player() = default;
  /// Opens the case: `opening` is decided and recorded before any message.
  virtual Result<void> open(const Message& opening) = 0;
  /// The decision on the next message; later messages see what it changed.
  virtual Result<Draft> play(const Message& message) = 0;
  /// The case file after the last message; valid until the next call.
  [[nodiscard]] virtual const CaseFile& file() const = 0;
};

/// Everything in this process and nothing stored: decide() and apply(). Registers live as long as the player.
class PurePlayer final : public Player {
 public:
  PurePlayer(std::vector<const Decider*> deciders, std::shared_ptr<const Profile> profile);
  Result<void> open(const Message& opening) override;
  Result<Draft> play(const Message& message) override;
  [[nodiscard]] const CaseFile& file() const override { return file_; }

 private:
  std::vector<const Decider*> deciders_;
  std::shared_ptr<const Profile> profile_;
  CaseFile file_;
  Facts registers_;
};

/// One thing that is not as expected. `part` is the key of expect; `expected` and `got` are rows, null where there is
/// none.
struct Difference {
  std::string part;
  std::int64_t seq = 0;  ///< 0 where it is not about one message
  Json expected, got;
  [[nodiscard]] std::string text() const;
};

struct Played {
  std::string id, region, title;
  std::vector<Draft> drafts;  ///< of the messages, in order
  Json got;                   ///< in the shape of `expect`
  std::vector<Difference> differences;
  std::optional<Error> error;  ///< the player failed
  [[nodiscard]] bool passed() const { return !error && differences.empty(); }
};

[[nodiscard]] Played run(const Scenario& scenario, Player& player);

/// What the decisions and the case file amount to, in the shape of `expect`.
[[nodiscard]] Json outcome_of(const Scenario& scenario, std::span<const Draft> drafts, const CaseFile& file);
/// Exactly equal, but for the order inside lists; `codes` keep their order.
[[nodiscard]] std::vector<Difference> compare(const Json& expect, const Json& got);

}  // namespace schakel::scenario
