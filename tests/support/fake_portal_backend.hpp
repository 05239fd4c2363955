// A broker for the portal that fits in one file: KNH's document routing with everybody agreeing, documents in memory.
#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/base/calendar.hpp"
#include "core/portal/backend.hpp"

namespace schakel::test {

/// Thread: any; one lock around everything.
class FakePortalBackend final : public portal::PortalBackend {
 public:
  struct Stored {
    portal::DocumentView view;
    Bytes content;
  };
  struct Sent {
    portal::DeliveryView view;
    std::string link;
  };

  explicit FakePortalBackend(const Clock& clock) : clock_(clock) {}

  portal::LinkService* links = nullptr;  ///< when set, submit() issues real links
  std::function<void(const std::string& role, const std::string& url)> on_mail;
  std::vector<std::string> refuse;  ///< codes that open_request answers; empty: granted
  bool silent = false;              ///< open_request fails
  int submits = 0;
  std::vector<std::pair<std::string, std::string>> opened;  ///< (role, document)

  std::string add(std::string doc_type, Bytes content, std::string status = "compleet",
                  std::string media_type = "application/pdf") {
    const std::lock_guard lock(mutex_);
    return add_locked(std::move(doc_type), std::move(content), std::move(status), std::move(media_type));
  }
  void mark(const std::string& link, const std::string& state) {
    const std::lock_guard lock(mutex_);
    for (auto& s : sent_)
      if (s.link == link && s.view.state != "ingetrokken") {
        s.view.state = state;
        s.view.at = clock_.now();
      }
  }

  Task<Result<portal::OpenOutcome>> open_request(portal::LinkView link, std::string document) override {
    const std::lock_guard lock(mutex_);
    opened.emplace_back(link.role, document);
    if (silent) co_return fail(ErrorKind::timeout, "TIMEOUT", "no decision in time");
    co_return portal::OpenOutcome{refuse.empty(), refuse};
  }
  Task<Result<portal::DeliveryContent>> content(portal::LinkView link) override {
    const std::lock_guard lock(mutex_);
    if (!refuse.empty()) co_return fail(ErrorKind::forbidden, refuse.front(), "");
    portal::DeliveryContent c;
    c.sender = "Intern begeleider, Basisschool De Verzonnen Vuurtoren";
    c.case_name = "OZA-7K3F-9Q2M";
    c.type = "documentlevering";
    c.sent_at = clock_.now();
    c.meeting = meeting();
    if (!note_.empty()) c.text = {note_};
    for (const auto& id : link.documents)
      if (auto it = documents_.find(id); it != documents_.end()) c.documents.push_back(it->second.view);
    co_return c;
  }
  Task<Result<std::unique_ptr<portal::Download>>> download(portal::LinkView, std::string document) override {
    const std::lock_guard lock(mutex_);
    auto it = documents_.find(document);
    if (it == documents_.end()) co_return fail(ErrorKind::not_found, "DOCUMENT_UNKNOWN", "no such document");
    co_return std::make_unique<MemoryDownload>(it->second);
  }
  Task<Result<portal::CaseView>> case_view(portal::LinkView) override {
    const std::lock_guard lock(mutex_);
    portal::CaseView v;
    v.case_name = "OZA-7K3F-9Q2M";
    v.school = "Basisschool De Verzonnen Vuurtoren";
    v.region_name = "Kop van Noord-Holland PO";
    v.meeting = meeting();
    v.question_kind = "onderwijs_zorg";
    v.doc_types = {"groeidocument", "opp", "handelingsplan", "evaluatie", "lvs"};
    for (const auto& [id, d] : documents_) v.documents.push_back(d.view);
    std::ranges::sort(v.documents, {}, &portal::DocumentView::stored_at);
    for (const auto& s : sent_) v.deliveries.push_back(s.view);
    v.consents = {{"ouder_1",
                   "documents",
                   "alle documenten, alle betrokkenen",
                   clock_.now() - std::chrono::hours(24 * 30),
                   {},
                   {}},
                  {"ouder_2",
                   "documents",
                   "alle documenten, alle betrokkenen",
                   clock_.now() - std::chrono::hours(24 * 30),
                   {},
                   {}}};
    Deadline d;
    d.name = "documents_due:procesregisseur";
    d.date = add_days(local_date(clock_.now()), 14).str();
    v.deadlines = {d};
    co_return v;
  }
  Task<Result<std::unique_ptr<portal::Upload>>> begin_upload(portal::LinkView, portal::UploadInfo info) override {
    co_return std::make_unique<MemoryUpload>(*this, std::move(info));
  }
  Task<Result<Draft>> preview(portal::LinkView, portal::SendForm form) override {
    const std::lock_guard lock(mutex_);
    co_return judge(form);
  }
  Task<Result<portal::Submitted>> submit(portal::LinkView link, portal::SendForm form, std::string key) override {
    Draft draft;
    std::vector<LinkOrder> orders;
    {
      const std::lock_guard lock(mutex_);
      ++submits;
      draft = judge(form);
      auto [known, first] = keys_.try_emplace(key, form, draft);
      if (!first) {
        // One key is one message: with other content it is refused, with the same it has the answer that it had.
        if (!(known->second.first == form))
          co_return fail(ErrorKind::conflict, "MESSAGE_CONFLICT", "another form had this key");
        draft = known->second.second;
        if (draft.outcome == Outcome::delivered) draft.outcome = Outcome::dropped_duplicate;
      } else if (draft.outcome == Outcome::delivered) {
        note_ = form.note;
        for (const auto& r : draft.recipients) {
          portal::DeliveryView v;
          v.id = "d" + std::to_string(sent_.size() + 1);
          v.message_id = key;
          v.role = r.role;
          v.documents = r.content;
          v.state = "verzonden";
          v.at = clock_.now();
          v.can_withdraw = true;
          LinkOrder o;
          o.delivery = v.id, o.message_id = key, o.case_id = link.case_id, o.role = r.role, o.person = r.role,
          o.documents = form.documents;
          o.expires = form.meeting.at + std::chrono::hours(12);
          o.second_factor = r.role == "procesregisseur" ? "totp:app-1" : "sms:+31612345678";
          orders.push_back(o);
          sent_.push_back({v, {}});
        }
      }
    }
    for (auto& o : orders) {
      if (links == nullptr) continue;
      const auto role = o.role, delivery = o.delivery;
      auto issued = co_await links->issue(std::move(o));
      if (!issued) co_return fail(issued.error());
      const std::lock_guard lock(mutex_);
      for (auto& s : sent_)
        if (s.view.id == delivery) s.link = issued->id;
      if (on_mail) on_mail(role, issued->url);
    }
    co_return portal::Submitted{key, draft};
  }
  Task<Result<void>> withdraw(portal::LinkView, std::string delivery) override {
    std::string link;
    {
      const std::lock_guard lock(mutex_);
      for (auto& s : sent_)
        if (s.view.id == delivery) {
          s.view.state = "ingetrokken";
          s.view.can_withdraw = false;
          s.view.at = clock_.now();
          link = s.link;
        }
    }
    if (link.empty()) co_return fail(ErrorKind::not_found, "DELIVERY_UNKNOWN", "no such delivery");
    if (links != nullptr) {
      auto done = co_await links->revoke(link, "BY_SENDER");
      if (!done) co_return fail(done.error());
    }
    co_return Result<void>{};
  }
  [[nodiscard]] std::size_t documents() const {
    const std::lock_guard lock(mutex_);
    return documents_.size();
  }
  [[nodiscard]] Bytes document_content(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    return documents_.at(id).content;
  }

 private:
  class MemoryDownload final : public portal::Download {
   public:
    explicit MemoryDownload(Stored s) : s_(std::move(s)) {}
    [[nodiscard]] const portal::DocumentView& info() const override { return s_.view; }
    Task<Result<Bytes>> read(std::int64_t offset, std::size_t length) override {
      const auto at = std::min<std::size_t>(static_cast<std::size_t>(offset), s_.content.size());
      const auto n = std::min(length, s_.content.size() - at);
      co_return Bytes(s_.content.begin() + static_cast<std::ptrdiff_t>(at),
                      s_.content.begin() + static_cast<std::ptrdiff_t>(at + n));
    }

   private:
    Stored s_;
  };
  class MemoryUpload final : public portal::Upload {
   public:
    MemoryUpload(FakePortalBackend& owner, portal::UploadInfo info) : owner_(owner), info_(std::move(info)) {}
    Task<Result<void>> write(Bytes piece) override {
      content_.insert(content_.end(), piece.begin(), piece.end());
      co_return Result<void>{};
    }
    Task<Result<portal::DocumentView>> finish() override {
      const std::lock_guard lock(owner_.mutex_);
      auto id = owner_.add_locked(info_.doc_type, std::move(content_), info_.status, info_.media_type);
      co_return owner_.documents_.at(id).view;
    }

   private:
    FakePortalBackend& owner_;
    portal::UploadInfo info_;
    Bytes content_;
  };

  std::string add_locked(std::string doc_type, Bytes content, std::string status, std::string media_type) {
    portal::DocumentView v;
    v.id = "doc-" + std::to_string(documents_.size() + 1);
    v.doc_type = std::move(doc_type);
    v.status = std::move(status);
    v.media_type = std::move(media_type);
    v.size = static_cast<std::int64_t>(content.size());
    v.stored_at = clock_.now();
    auto id = v.id;
    documents_[id] = {std::move(v), std::move(content)};
    return id;
  }
  [[nodiscard]] portal::MeetingView meeting() const {
    return {"OT", start_of_day(add_days(local_date(clock_.now()), 28)) + std::chrono::hours(10)};
  }

  Draft judge(const portal::SendForm& form) const {
    Draft d;
    std::vector<std::string> types;
    for (const auto& id : form.documents)
      if (auto it = documents_.find(id); it != documents_.end()) types.push_back(it->second.view.doc_type);
    const std::string mis_k = "Onderwijs-Zorg Routing Model Integraal Samenwerken (MIS-K), 2 september 2022";
    if (form.note == "zonder toestemming") {
      d.outcome = Outcome::blocked;
      d.codes = {"CONSENT_MISSING"};
      d.explanation = {{"KNH-CONSENT-01",
                        "consent",
                        "blocked",
                        "CONSENT_MISSING",
                        "met toestemming van ouders, middels een beveiligde link verstuurd",
                        mis_k,
                        {}}};
      return d;
    }
    d.recipients.push_back({"orthopedagoog", types, "secure_link", {}, {"KNH-ROUTE-03"}});
    if (form.question_kind != "onderwijs")
      d.recipients.push_back({"procesregisseur", types, "secure_link", {}, {"KNH-ROUTE-04"}});
    d.suppressed.push_back({"jeugdhulpdeskundige", "AUDIENCE_NOT_INVOLVED", "CORE-AUD-02"});
    d.signals.push_back({"LEAD_TIME_SHORT", "school_ib", "procesregisseur", "", "KNH-TIMER-03"});
    d.explanation = {{"KNH-ROUTE-03",
                      "routing",
                      "fired",
                      "orthopedagoog",
                      "De orthopedagoog van het samenwerkingsverband ontvangt de documenten",
                      mis_k,
                      {}},
                     {"KNH-ROUTE-04",
                      "routing",
                      "fired",
                      "procesregisseur",
                      "Bij wijkteam betrokkenheid: betrokken procesregisseur",
                      mis_k,
                      {}}};
    return d;
  }

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Stored> documents_;
  std::vector<Sent> sent_;
  std::map<std::string, std::pair<portal::SendForm, Draft>> keys_;
  std::string note_;
};

}  // namespace schakel::test
