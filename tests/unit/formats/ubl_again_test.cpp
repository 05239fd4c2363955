// What is written is read back before it leaves. That goes a short way where it can; here the short way and the whole
// reader judge the same documents, strange ones among them.
#include <gtest/gtest.h>

#include <random>

#include "core/formats/ubl.hpp"
#include "tests/unit/formats/ubl_sample.hpp"

namespace schakel::formats {
namespace {

using namespace test;

/// Every text that a writer may put in a document.
std::vector<std::string*> texts(UblDocument& d) {
  std::vector<std::string*> out{
      &d.customization,   &d.profile,       &d.id,   &d.type_code,    &d.currency, &d.buyer_reference, &d.payment_id,
      &d.order_reference, &d.payment_means, &d.iban, &d.payment_terms};
  for (auto* p : {&d.supplier, &d.customer})
    for (auto* t : {&p->endpoint.scheme, &p->endpoint.value, &p->name, &p->street, &p->extra, &p->city, &p->zip,
                    &p->country, &p->registration_name, &p->legal_id.scheme, &p->legal_id.value, &p->vat_number,
                    &p->contact, &p->phone, &p->mail})
      out.push_back(t);
  for (auto& n : d.notes) out.push_back(&n);
  for (auto& r : d.billing_references) out.push_back(&r);
  for (auto& a : d.attachments)
    for (auto* t : {&a.id, &a.description, &a.filename, &a.mime}) out.push_back(t);
  for (auto& t : d.taxes)
    for (auto* s : {&t.category, &t.reason, &t.reason_code}) out.push_back(s);
  for (auto& a : d.allowances)
    for (auto* s : {&a.category, &a.reason}) out.push_back(s);
  for (auto& l : d.lines) {
    for (auto* s : {&l.id, &l.note, &l.unit, &l.description, &l.name, &l.seller_item, &l.category}) out.push_back(s);
    for (auto& [name, value] : l.properties) out.push_back(&name), out.push_back(&value);
  }
  return out;
}

constexpr std::array<std::string_view, 26> kStrange{
    "",       " ",           "a ",   " a",   "a  b", "\t",         "\n",         "#AAI#omschrijving",
    "#XYZ#x", "0106",        "0190", "0002", "9999", "DE12345678", "XX123",      "NL1",
    "&<>\"'", "]]>",         "\r\n", "\x01", "\xff", "D\xc3\xa9j", "VATEX-EU-O", "not-code",
    "a\nb\n", "\xe2\x80\x83"};

class Strange {
 public:
  explicit Strange(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t n) { return random_() % n; }

  void change(UblDocument& d) {
    switch (below(12)) {
      case 0:
        d.notes.emplace_back(kStrange[below(kStrange.size())]);
        break;
      case 1:
        d.attachments.push_back({"b", "", "f.pdf", "application/pdf", below(2) == 0 ? Bytes{} : Bytes{65}});
        break;
      case 2:
        d.lines[0].adjustments = Cents(static_cast<std::int64_t>(below(3)) - 1);
        break;
      case 3:
        d.lines[0].period = UblPeriod{Date{std::chrono::year(2026), std::chrono::month(2), std::chrono::day(30)}, {}};
        break;
      case 4:
        d.further_means.emplace_back("30", "x");
        break;
      case 5:
        d.payee = UblId{"0106", "90000003"};
        break;
      case 6:
        d.lines[0].properties.emplace_back("x", kStrange[below(kStrange.size())]);
        break;
      case 7:
        d.lines[0].base_quantity = UblDecimal{static_cast<std::int64_t>(below(3)), static_cast<int>(below(9))};
        break;
      case 8:
        d.period = UblPeriod{};
        break;
      default: {
        auto all = texts(d);
        *all[below(all.size())] = kStrange[below(kStrange.size())];
      }
    }
  }

 private:
  std::mt19937 random_;
};

UblDocument plain() { return invoice(); }
constexpr std::array kSamples{&plain, &taxed, &credit_note, &exempt, &peppol, &with_pdf};

TEST(UblAgain, TheShortWayJudgesAsTheWholeReader) {
  std::size_t written = 0, refused = 0;
  Strange strange(20261123);
  for (int round = 0; round < 20'000; ++round) {
    auto d = kSamples[strange.below(kSamples.size())]();
    for (auto changes = strange.below(4); changes > 0; --changes) strange.change(d);
    if (!check_ubl(d).empty()) continue;
    auto xml = render_ubl(d);
    auto short_way = write_checked_ubl(d);
    bool accepted = xml && read_ubl(*xml).accepted();
    ASSERT_EQ(short_way.has_value(), accepted) << (xml ? *xml : xml.error().code);
    if (accepted) EXPECT_EQ(*short_way, *xml);
    ++(accepted ? written : refused);
  }
  // Both verdicts occur, or this shows nothing.
  EXPECT_GT(written, 3'000U);
  EXPECT_GT(refused, 300U);
}

TEST(UblAgain, WhatOnlyTheTreeSeesIsNotWritten) {
  auto blank = invoice();
  blank.lines[0].description = " ";
  auto subject = invoice();
  subject.notes.emplace_back("#XYZ#betreft");
  auto scheme = invoice();
  scheme.customer.country = "BE", scheme.customer.legal_id = {"9999", "1"};
  auto empty = invoice();
  empty.attachments.push_back({"b", "", "f.pdf", "application/pdf", {}});
  auto reason = invoice();
  reason.taxes[0].reason_code = "VATEX-XX";
  for (const auto& d : {blank, subject, scheme, empty, reason}) {
    EXPECT_EQ(check_ubl(d).size(), 0U);
    auto out = write_checked_ubl(d);
    ASSERT_FALSE(out);
    EXPECT_EQ(out.error().code, "UBL_INVALID");
  }
}

}  // namespace
}  // namespace schakel::formats
