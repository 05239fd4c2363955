// The published vocabulary of facts (config/schemas/facts.json) and the view through which rules read them.
#pragma once
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/json.hpp"
#include "core/model/case_file.hpp"
#include "core/model/message.hpp"

namespace schakel {

class Profile;
struct Rule;
enum class Stage : std::uint8_t;

/// Facts that code asks for by name: their slots are found when the vocabulary is read.
enum class KnownFact : std::uint8_t {
  case_custody,
  case_measure,
  case_meetings,
  case_voogdij_end,
  case_provider,
  derived_age_years,
  derived_link_first_opening,
  message_at,
  message_meeting
};
inline constexpr std::size_t kKnownFacts = 9;

enum class FactType { boolean, integer, text, date, list, object };

/// A fact as a rule sees it: a typed view into the case file, the message or a setting. `text` views memory that lives
/// as long as these; a value made by a function is kept by the FactView. Absent and null are both "not there" for
/// exists.
struct FactValue {
  enum class Kind : std::uint8_t { absent, null, boolean, integer, text, list, object };
  Kind kind = Kind::absent;
  bool flag = false;
  std::int64_t number = 0;
  std::string_view text;
  const Json* json = nullptr;  ///< list and object

  [[nodiscard]] bool there() const { return kind != Kind::absent && kind != Kind::null; }
  [[nodiscard]] bool is_true() const { return kind == Kind::boolean && flag; }
  [[nodiscard]] Json to_json() const;
  /// Puts the value on its own into an explanation.
  void tell(std::string_view name, SeenFacts& into) const;
  static FactValue of(const Json& v) {
    switch (v.type()) {
      case Json::value_t::null:
        return {Kind::null, false, 0, {}, nullptr};
      case Json::value_t::boolean:
        return of(*v.get_ptr<const bool*>());
      case Json::value_t::number_integer:
      case Json::value_t::number_unsigned:
        return of(*v.get_ptr<const std::int64_t*>());
      case Json::value_t::string:
        return of(std::string_view(*v.get_ptr<const std::string*>()));
      case Json::value_t::array:
        return {Kind::list, false, 0, {}, &v};
      case Json::value_t::object:
        return {Kind::object, false, 0, {}, &v};
      default:
        return {};
    }
  }
  static FactValue of(bool v) { return {Kind::boolean, v, 0, {}, nullptr}; }
  static FactValue of(std::int64_t v) { return {Kind::integer, false, v, {}, nullptr}; }
  static FactValue of(std::string_view v) { return {Kind::text, false, 0, v, nullptr}; }
};
/// Equal as JSON values are; absent equals null.
[[nodiscard]] bool same(const FactValue& a, const FactValue& b);

/// For names out of rule data: their length, their beginning and their end tell nearly all of them apart.
struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view s) const {
    std::uint64_t first = 0, last = 0;
    if (s.size() >= 8) {
      std::memcpy(&first, s.data(), 8);
      std::memcpy(&last, s.data() + s.size() - 8, 8);
    } else {
      for (char c : s) first = first << 8 | static_cast<unsigned char>(c);
    }
    std::uint64_t h = (first ^ std::rotl(last, 29) ^ s.size()) * 0x9e3779b97f4a7c15;
    return h ^ h >> 32;
  }
};

/// A payload field by which a message type states a fact of the case. Several fields are added up.
struct Statement {
  int slot = -1;
  std::vector<std::string> fields;
};

struct FactDef {
  enum class From : std::uint8_t { payload, envelope, case_fact, pupil, document, past, deadline, function };
  std::string name;    ///< case.wijkteam_involved, message.kind, document.opp.complete ...
  std::string field;   ///< the name behind the prefix
  std::string aspect;  ///< of a document: present, complete or status
  std::string unit, meaning, who;
  std::vector<std::string> parts;  ///< of a document that a message states part by part: those that must be there
  FactType type = FactType::text;
  From from = From::payload;
  int function = -1;  ///< number of the named function
  Json fallback;      ///< value where nobody stated it; null = absent
};

/// Immutable after parse. Thread: any.
class Vocabulary {
 public:
  /// Reads facts.json. VOCABULARY_INVALID with one finding per mistake.
  [[nodiscard]] static Result<std::shared_ptr<const Vocabulary>> parse(const Json& facts);
  [[nodiscard]] int slot(std::string_view name) const;  ///< -1 when unknown
  [[nodiscard]] int slot(KnownFact fact) const { return known_[static_cast<std::size_t>(fact)]; }
  [[nodiscard]] int document_slot(std::string_view doc_type) const;  ///< of document.<doc_type>.status, -1 when unknown
  [[nodiscard]] const FactDef& at(int slot) const { return facts_[static_cast<std::size_t>(slot)]; }
  [[nodiscard]] int size() const { return static_cast<int>(facts_.size()); }
  /// What the payload of this type states about the case and its documents.
  [[nodiscard]] std::span<const Statement> statements(std::string_view type) const;
  /// Slots of the documents (status) that a message of this type is itself.
  [[nodiscard]] std::span<const int> carried(std::string_view type) const;
  [[nodiscard]] const Json& source() const { return source_; }  ///< facts.json as it was read

 private:
  friend class Profile;
  struct Rule;
  enum class Stage : std::uint8_t;
  Json source_;
  std::vector<FactDef> facts_;
  template <class T>
  using ByName = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;
  ByName<int> index_, documents_;
  std::array<int, kKnownFacts> known_{};
  ByName<std::vector<Statement>> statements_;
  ByName<std::vector<int>> carried_;
};

/// The facts of one case at one message: what the payload states goes before the case file ("for the message itself
/// always", domain.md 14.2), and what a rule sets goes before both. Values are read once and kept; the deciders of one
/// message share one view. Thread: one decision on one thread. Lifetime: within the lifetime of all it was made of.
class FactView {
 public:
  FactView(const CaseFile& file, const Message& message, const Profile& profile, Instant at);
  FactView(const FactView&) = delete;
  FactView& operator=(const FactView&) = delete;

  /// Valid until the next set or adopt.
  [[nodiscard]] const FactValue& get(int slot) const {
    const FactValue* known = place_[static_cast<std::size_t>(slot)];
    return known ? *known : first(slot);
  }
  [[nodiscard]] FactValue get(std::string_view name) const;  ///< absent when the name is unknown
  [[nodiscard]] FactValue get(KnownFact fact) const;
  /// For facts of code by KnownFact, for those that data name by their name.
  [[nodiscard]] bool is(auto fact) const { return get(fact).is_true(); }
  [[nodiscard]] std::string_view text(auto fact) const { return get(fact).text; }

  /// Sets a fact of the case (slot of a `case.` name) for what is evaluated after it.
  void set(int slot, Json value);
  /// What this message states or a rule set: name without prefix, value. Becomes effects.
  struct Change {
    std::string_view key;
    bool document = false;
    const Json* value = nullptr;  ///< of a fact, or of a document that an earlier decider changed
    std::string_view status;      ///< of a document
    bool gone = false;            ///< a document that is no more
    int version = 1;              ///< of a document
    [[nodiscard]] Json json() const;
  };
  [[nodiscard]] std::span<const Change> changes() const { return changes_; }
  /// Takes over what an earlier decider of the same message found (its effects of kind fact and document).
  void adopt(std::span<const Effect> effects);
  /// As a new view that adopts these effects; costs nothing where that is what this view has already.
  void restart(std::span<const Effect> effects);

  [[nodiscard]] const CaseFile& file() const { return *file_; }
  [[nodiscard]] const Message& message() const { return *message_; }
  [[nodiscard]] const Profile& profile() const { return *profile_; }
  [[nodiscard]] Instant at() const { return at_; }
  /// The case has no settings of its own: those of the region hold.
  [[nodiscard]] bool as_region() const { return as_region_; }
  /// Rules of a stage for the type of this message: Profile::rules.
  [[nodiscard]] std::span<const Rule* const> rules(Stage stage) const {
    return rules_[static_cast<std::size_t>(stage)];
  }
  /// Amsterdam calendar date of `at`, also as YYYY-MM-DD.
  [[nodiscard]] Date day() const;
  [[nodiscard]] std::string_view today() const;
  /// Keeps a text that a function made, for as long as this view lives.
  std::string_view keep(std::string_view text) const;
  /// Status of a document as the case file and this message have it; empty when there is none.
  [[nodiscard]] std::string_view document_status(std::string_view doc_type) const;

 private:
  [[nodiscard]] const FactValue& first(int slot) const;
  [[nodiscard]] FactValue read(int slot) const;
  void state_message();
  void state(int slot, const Json& value);
  void state_document(const FactDef& d, std::string_view status, bool gone);
  void attached(const FactDef& d, const Attachment& attachment, std::size_t by_payload);
  void named(int slot);
  void put(int slot, Json value);
  [[nodiscard]] bool has(const Effect& effect) const;
  void forget() const;
  const CaseFile* file_;
  const Message* message_;
  const Profile* profile_;
  Instant at_;
  std::span<const std::vector<const Rule*>> rules_;  ///< by stage
  bool as_region_ = false;
  bool as_stated_ = true;  ///< nothing but what the message states, each document once
  // A decision is made in microseconds: what a view needs for common cases lies in the view itself.
  alignas(std::max_align_t) mutable std::array<std::byte, 5120> room_;
  mutable std::pmr::monotonic_buffer_resource memory_{room_.data(), room_.size()};
  std::pmr::vector<Change> changes_{&memory_};
  mutable std::pmr::deque<FactValue> known_{&memory_};  ///< in the order of their reading; they stay where they are
  std::span<const FactValue*> place_;                   ///< by slot; null = not read
  mutable std::vector<std::unique_ptr<Json>> set_;
  std::vector<std::pair<int, const Json*>> stated_;
  mutable std::optional<Date> day_;
  mutable std::string today_;
};

}  // namespace schakel
