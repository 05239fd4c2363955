// A decision in words: outcome, rules, facts and what would have had to be different. One record, two languages, and
// nothing beyond the rights of who asks.
#pragma once
#include <set>

#include "core/model/party.hpp"
#include "core/pipeline/counterfactual.hpp"
#include "core/pipeline/replay.hpp"

namespace schakel::pipeline {

enum class Lang { nl, en };
/// Of an Accept-Language header or $LANG; Dutch unless English is preferred.
[[nodiscard]] Lang language_of(std::string_view text);
[[nodiscard]] std::string_view to_string(Lang lang);

/// Which party knows which fact of a case: who stated it, and who was sent the message that did. Built by learning
/// every decision in order. What members of a case may read anyway (consents, documents, deadlines, the meeting)
/// everybody here knows.
class Knowledge {
 public:
  /// `members`: the parties that have to do with the case; by them and by the case is told who was meant by a role.
  explicit Knowledge(const Parties& parties, std::vector<std::string> members = {})
      : parties_(parties), members_(std::move(members)) {}
  void learn(const Step& step);
  /// `name` of the vocabulary or of an explanation; `sender`: the party sent the message that is explained. A fact that
  /// nobody stated is known to those who would state it. Default: not known.
  [[nodiscard]] bool knows(const Party& party, bool sender, std::string_view name, const Profile* profile) const;
  /// The roles in which this party got the message.
  [[nodiscard]] std::vector<std::string> roles(const Party& party, const Step& step) const;

 private:
  [[nodiscard]] const Party* reached(const Recipient& recipient, std::string_view kind, const Step& step) const;

  const Parties& parties_;
  std::vector<std::string> members_;
  std::map<std::string, std::set<std::string>, std::less<>> known_;  ///< fact -> ids of parties
};

/// A decision with what is needed to explain it.
struct Explained {
  const journal::Recorded* recorded = nullptr;
  std::shared_ptr<const Profile> profile;  ///< nullptr: its rule data are not there
  Reason reason;                           ///< why there is no counterfactual
  std::optional<replay::Counterfactual> what_if;
};

/// Who asks. Without a party: the operator, who sees all.
struct Asker {
  const Party* party = nullptr;
  bool sender = false;
  std::vector<std::string> roles;
  std::function<bool(std::string_view fact)> knows;
  bool masked = false;  ///< an operator who gave no reason: what is stated about the child stays out
};

/// What stands for a value that is masked.
inline constexpr std::string_view kMasked = "***";
/// Whether a fact is stated about the child: of the pupil, the case or a message. Consents, documents, terms and the
/// meeting are not.
[[nodiscard]] bool about_child(std::string_view fact);

[[nodiscard]] Json explanation(const Explained& e, const Asker& asker, Lang lang);

/// What a reason code, a fact and a change mean, in a few words. `profile` may be null: then without the words that the
/// region has for codes of its own. Of an explanation: for the reason that its facts show.
[[nodiscard]] std::string code_words(std::string_view code, Lang lang, const Profile* profile);
[[nodiscard]] std::string code_words(const Explanation& e, Lang lang, const Profile* profile);
[[nodiscard]] std::string fact_words(const Vocabulary& vocabulary, int slot, Lang lang);
[[nodiscard]] std::string change_words(const replay::Change& change, Lang lang);

}  // namespace schakel::pipeline
