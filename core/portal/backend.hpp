// What the portal asks of the broker. The application implements it over journal, pipeline, outbox and vault; tests
// with a fake.
//
// Texts that these structs carry are shown as they are, escaped. Codes (roles, document types, reason codes) are turned
// into Dutch words by core/portal/words.hpp.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "core/base/clock.hpp"
#include "core/base/error.hpp"
#include "core/base/task.hpp"
#include "core/model/decision.hpp"
#include "core/portal/links.hpp"

namespace schakel::portal {

/// What the rules said of a `link_geopend`: access only when granted; `codes` say why not.
struct OpenOutcome {
  bool granted = false;
  std::vector<std::string> codes;
};

struct DocumentView {
  std::string id, doc_type, status, media_type;
  int version = 1;
  std::int64_t size = 0;
  Instant stored_at{};
};

struct MeetingView {
  std::string kind;  ///< OT, MDO, CTO
  Instant at{};
};

/// What a recipient sees behind the link.
struct DeliveryContent {
  std::string sender;     ///< "Intern begeleider, Basisschool De Verzonnen Vuurtoren"
  std::string case_name;  ///< pseudonym towards the recipient's domain: OZA-7K3F-9Q2M
  std::string type;       ///< message type: documentlevering
  Instant sent_at{};
  std::optional<MeetingView> meeting;
  std::vector<std::string> text;  ///< paragraphs, for a delivery without documents or with a note
  std::vector<DocumentView> documents;
};

/// One recipient of something the school sent, and what became of it.
struct DeliveryView {
  std::string id, message_id, role, content,
      state;  ///< state: wordt_verzonden, verzonden, geopend, gedownload, ingetrokken, verlopen, geblokkeerd, mislukt
  std::vector<std::string> documents;  ///< document types
  std::string code;                    ///< reason when blocked or failed
  Instant at{};                        ///< when it got that state
  bool can_withdraw = false;
};

struct ConsentView {
  std::string giver, purpose, scope;  ///< scope: roles and document types in words, may be empty
  Instant valid_from{};
  std::optional<Instant> valid_until, withdrawn_at;
};

/// The work place of the school for one case.
struct CaseView {
  std::string case_name, school, region_name;
  std::optional<MeetingView> meeting;
  std::string question_kind;           ///< onderwijs, zorg, onderwijs_zorg; empty when unknown
  std::vector<std::string> doc_types;  ///< that this region knows, for the upload form
  std::vector<DocumentView> documents;
  std::vector<DeliveryView> deliveries;
  std::vector<ConsentView> consents;
  std::vector<Deadline> deadlines;
};

struct UploadInfo {
  std::string doc_type, status, media_type;
};

/// A document on its way in. Without finish() nothing of it is kept. Thread: one coroutine at a time.
class Upload {
 public:
  virtual ~Upload() = default;
  virtual Task<Result<void>> write(Bytes piece) = 0;
  virtual Task<Result<DocumentView>> finish() = 0;
};

/// A document on its way out. Thread: one coroutine at a time.
class Download {
 public:
  virtual ~Download() = default;
  [[nodiscard]] virtual const DocumentView& info() const = 0;
  /// At most `length` bytes from `offset`; empty at the end.
  virtual Task<Result<Bytes>> read(std::int64_t offset, std::size_t length) = 0;
};

/// A documentlevering as the school fills it in.
struct SendForm {
  std::string question_kind;
  MeetingView meeting;
  std::vector<std::string> documents;     ///< document ids of the case
  std::vector<std::string> addressed_to;  ///< roles the school asks for; empty: whom the rules name
  std::string note;
  bool operator==(const SendForm& o) const {
    return question_kind == o.question_kind && meeting.kind == o.meeting.kind && meeting.at == o.meeting.at &&
           documents == o.documents && addressed_to == o.addressed_to && note == o.note;
  }
};

struct Submitted {
  std::string message_id;
  Draft draft;  ///< the decision
};

/// Thread: every shard at once. Lifetime: outlives the portal. Every `link` was proven by secret and code; workplace
/// calls come with a workplace link only. The implementation checks that what is asked for belongs to link.case_id.
class PortalBackend {
 public:
  virtual ~PortalBackend() = default;

  /// A `link_geopend` into the broker, waited for. `document` is empty when the link is opened, else the document about
  /// to be downloaded: consent is judged at each download (CORE-CONSENT-04). No outcome within a few seconds is an
  /// error.
  virtual Task<Result<OpenOutcome>> open_request(LinkView link, std::string document) = 0;
  virtual Task<Result<DeliveryContent>> content(LinkView link) = 0;
  virtual Task<Result<std::unique_ptr<Download>>> download(LinkView link, std::string document) = 0;

  virtual Task<Result<CaseView>> case_view(LinkView link) = 0;
  virtual Task<Result<std::unique_ptr<Upload>>> begin_upload(LinkView link, UploadInfo info) = 0;
  /// Who would get what and why, and who not; nothing is stored or sent.
  virtual Task<Result<Draft>> preview(LinkView link, SendForm form) = 0;
  /// Sends. `key` is fixed for one filled-in form: a second press of the button gives the same message.
  virtual Task<Result<Submitted>> submit(LinkView link, SendForm form, std::string key) = 0;
  /// Ends the access of one recipient.
  virtual Task<Result<void>> withdraw(LinkView link, std::string delivery) = 0;
};

}  // namespace schakel::portal
