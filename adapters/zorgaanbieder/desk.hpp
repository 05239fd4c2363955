// Splitter and Aggregator of declarations, with their memory in Progress.
//
// Keys, where AGB is the sender:
//   jw323/<agb>/<id>            the declaration: hash, party, parts and their lines; for ever, so that a repeat is
//                               known. No BSN.
//   body/<agb>/<id>/<n>         its XML in pieces: holds BSNs; erased when the JW325 is made
//   begun/<agb>/<id>            a large one that is being written or erased piece by piece: {pieces, parts, at}
//   jw325/<answer id>           the JW325: holds the BSNs of rejected lines; erased keep_answer_days after it was made
//   nummer/<agb>/<nr>           the declaration that used a DeclaratieNummer
//   open/<agb>/<id>             it is not decided, and
//   claim/<agb>/<id>            these references, debits and credits are its until then (books.hpp)
//   ref/<agb>/<reference>       the line that was granted with this ReferentieNummer: {key, number, cents, debet,
//   kind},
//                               and credited_by
//   debet/<agb>/<toewijzing>/…  the granted debit that stands for a toewijzing, product and period (TR389)
//   event/<event id>            the message of a part, until it is handed over; erased when the JW325 is made at the
//                               latest
//   volgt/<agb>/<id>            its parts are handed over after the 202, or one of them waits for the decision on
//                               another
//   part/<event id>             which declaration an event is of, and what was decided; handed/<event id>: the broker
//                               has it
//   due/<date>/<agb>/<id>       the last day for its JW325; drop/<date>/<answer id>: when the JW325 goes
//   unsent/<answer id>          wacht/<answer id>: who may ask for an answer that is not made yet
//   ubl/<event id>              an e-invoice: number, names, whether it is answered; ublnr/<party>/<number>: the event
//                               that was granted
//   ublronde/<event id>         how often these bytes came again after a refusal: {round}
//
// What rests here is sealed under the system key, as a declaration is of many pupils at once and of some that have no
// case here; it cannot be sealed per case. Its end is therefore the erasure of the row, which the store overwrites on
// disk (secure_delete).
#pragma once
#include <map>

#include "books.hpp"
#include "core/formats/invoice_response.hpp"
#include "schakel/adapter.hpp"
#include "splitter.hpp"
#include "turns.hpp"

namespace schakel::zorgaanbieder {

/// What became of a document that came in.
struct Received {
  int status = 202;    ///< HTTP status that says so
  std::string code;    ///< stable, no personal data
  std::string answer;  ///< id of the JW325 that there is or will be; empty for UBL
  std::vector<Finding> findings;
  Json envelope = Json::object();  ///< of the StUF-GGk envelope it came in: {referentie, organisatie, applicatie, soap}
};

using Changes = std::vector<std::pair<std::string, std::optional<Json>>>;

/// Today in the Netherlands.
[[nodiscard]] formats::Date today_of(const Clock& clock);
/// An error that passes: ask again.
[[nodiscard]] bool not_now(const Error& error);
/// Of one row; a declaration of up to one is kept with everything else in one commit.
inline constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
[[nodiscard]] std::vector<std::string_view> pieces_of(std::string_view text);
[[nodiscard]] std::string piece_key(const std::string& id, std::size_t n);
/// The claims of the lines that go on.
void mark_lines(const formats::Jw323& declaration, const std::vector<Part>& parts, Marks& claims);
/// Marks the declaration answered and puts its JW325 beside it. `events` are forgotten once it was sent.
void keep_answer(Json& record, std::string text, const Settings& settings, const Clock& clock, Changes& changes,
                 Json events = Json::array());

class Desk {
 public:
  Desk(const Settings& settings, Host& host) : settings_(settings), host_(host) {}

  /// A JW323 or a UBL document. `party` empty: taken from the document's sender (a folder). 503: not now, ask again;
  /// the same bytes again continue where it stopped and have no second effect. In a StUF-GGk envelope (bare or in SOAP)
  /// or bare; the answer then goes back in one too.
  /// `bytes` are the caller's until this returns: they may be 25 MB.
  Task<Received> receive(std::string_view bytes, std::string party, Inbox& inbox);

  /// The broker's decision on one of our events (`outcome` delivered, recorded, dropped_duplicate, blocked,
  /// quarantined), with its reason; `detail` is CODE:fact where a code has several (core/model/code_words.hpp).
  Task<AttemptResult> decided(std::string event_id, std::string outcome, std::string reason, std::string detail);

  /// What became of an e-invoice of `party` after it was answered: `signal` {code, number, payer, reason}. Sent as one
  /// more Invoice Response; NO_WAY_TO_TELL (rejected) where the provider cannot be reached with it.
  Task<AttemptResult> told_later(std::string delivery, std::string party, Json signal);

  /// The JW325 of a declaration, or the Invoice Response to an e-invoice, of this sender, to it or to its hub: text, or
  /// empty while it is not decided; NOT_FOUND (not_found).
  Task<Result<std::string>> answer(std::string answer_id, std::string party);

  /// Hands over the parts of large declarations, and debits that waited for the credit of what they replace.
  Task<void> follow_up(Inbox& inbox);
  /// Does so whenever a large declaration was accepted, until it is cancelled.
  Task<void> hand_on(Inbox& inbox);

  /// Tries the answers again that could not be sent when they were made; what is still here is counted and logged.
  Task<void> send_unsent();

  /// Counts declarations whose answer is overdue, and erases answers that were sent and whose time is over.
  Task<void> sweep();

 private:
  Task<Received> receive_jw323(std::string_view bytes, std::string party, Json envelope, Inbox& inbox);
  Task<Received> receive_ubl(std::string_view bytes, std::string party, Inbox& inbox);
  struct Incoming;
  /// Judges a declaration that is new and keeps it; its status when it cannot be kept, 202 otherwise.
  Task<Received> keep_new(Incoming& in, Inbox& inbox);
  /// The part of the lines that go on, beside what is kept of every declaration.
  Task<bool> keep_parts(Incoming& in, Inbox& inbox, Changes& changes);
  /// Fills context from the broker and from earlier declarations; false: not now.
  Task<bool> look_around(const formats::Jw323& declaration, const std::string& key, Context& context, Inbox& inbox);
  /// What undecided declarations hold of it; false: not now.
  Task<bool> claims_on(const formats::Jw323& declaration, Claims& claims);
  /// Keeps messages and text of a large declaration before it is accepted, in commits that nobody has to wait long for.
  /// Nothing of it counts before the commit that accepts it; what a crash leaves is known by begun/: `ids` are those of
  /// every part up to these. False: not now.
  Task<bool> keep_events(const std::string& id, std::size_t pieces, const Json& ids, std::vector<Part>& parts);
  Task<bool> keep_pieces(const std::string& id, std::string_view bytes);
  /// Erases what begun/<id> names, and it last; false: not now.
  Task<bool> clear_begun(std::string id);
  Task<void> clear_left_over();
  /// The XML of a declaration; empty when it was erased.
  Task<Result<std::string>> kept_text(const std::string& id, std::int64_t pieces);
  /// A line that was granted: its invoice, and the kind it was sent on as (may be null), whatever the configuration
  /// says by now.
  struct Granted {
    Line line;
    const std::string *number, *kind;
  };
  /// Writes references and debits of the lines that were granted; false: not now.
  Task<bool> book(const formats::Jw323& declaration, const std::string& key, std::vector<Granted> granted);
  enum class Handed { not_now, some, all };
  /// Hands the parts to the broker, but those that wait for another.
  Task<Handed> hand_over(const Json& record, const std::string& key, Inbox& inbox);
  struct Page;
  Task<bool> look_at(const Json& parts, const std::string& key, Page& page);
  Task<bool> follow_once(Inbox& inbox);
  /// The decisions on all parts; `rejected` has the lines that never went on. Empty granted and rejected: not all.
  struct Verdicts;
  Task<Result<bool>> gather(const Json& record, const std::string& key, Verdicts& verdicts);
  /// Makes and sends the JW325 when every part is decided.
  Task<std::expected<void, AttemptResult>> settle(std::string key);
  Task<std::expected<void, AttemptResult>> send_answer(std::string id);
  Task<bool> put(std::string key, Json value);
  /// Answers that were sent and whose day is over; false: not now.
  Task<bool> erase_answers(const std::vector<std::string>& drops, const std::string& today);
  /// Remembers to whom an e-invoice is to be answered, before it is handed over. The id of its event: `first_id`, or
  /// that of a new attempt when the last one of these bytes was refused. nullopt: not now.
  Task<std::optional<std::string>> expect_ubl(const formats::UblDocument& d, std::string first_id,
                                              const std::string& party);
  /// Refusals that who pays has to know of; false: not now.
  Task<bool> tell_not_taken(const formats::UblDocument& d, const std::vector<Finding>& refused,
                            const std::string& party, std::string hash, Inbox& inbox);
  Task<AttemptResult> decided_ubl(std::string event_id, Json row, std::string outcome, std::string reason);
  Task<AttemptResult> answer_ubl(std::string key, Json row, formats::ResponseStatus status, std::string reason);
  const Settings& settings_;
  Host& host_;
  Turns turns_;
  Bell bell_;
  bool following_ = false, again_ = false;
  /// Per declaration a part that was not decided when it was last looked at: while it is not, nothing of a declaration
  /// of thousands of parts has to be read. Only saves looking.
  std::map<std::string, std::string> undecided_;
};

/// Id of the JW325 to a declaration: 12 characters, the same for the same declaration.
[[nodiscard]] std::string answer_id(const std::string& agb, const std::string& identificatie);
/// A code with what it means in Dutch.
[[nodiscard]] std::string in_words(const std::string& code, const std::string& detail = {});
/// Id of the Invoice Response to the e-invoice that became this event.
[[nodiscard]] std::string ubl_answer_id(const std::string& event_id);

}  // namespace schakel::zorgaanbieder
