// The hostile and faulty set: what may not be paid, one test by name for each way to try. The file goes through the
// adapter and what it lets through is decided by the invoicing rules of the region; nothing may leave for a payer, and
// the provider is answered where the standard says so.
#include "tests/unit/adapters/declaration_desk.hpp"
#include "tests/unit/pipeline/money_road.hpp"

namespace schakel::test {
namespace {

/// A desk, and behind it a case of Kop van Noord-Holland with an agreement.
struct Counter {
  std::unique_ptr<PluginBench> desk = fresh_desk();
  MoneyRoad road;
  std::size_t decided_events = 0;
  std::map<std::string, Json> decided;  ///< by number: status and codes

  explicit Counter(bool agreed = true) {
    desk->world.case_by_bsn = {{"999990019", "Z-1"}};
    desk->world.case_by_foreign["ARR-77"] = "Z-1";
    if (!road.open_case(agreed)) throw std::runtime_error("no case");
    road.run();
  }

  HttpReply bring(const std::string& file) {
    auto reply = post(*desk, file);
    decide();
    return reply;
  }

  /// Everything the adapter handed over, through journal, decider and outbox, and the decisions back to the adapter.
  void decide() {
    for (; decided_events < desk->world.events.size(); ++decided_events) {
      const Json& e = desk->world.events[decided_events];
      Message m;
      m.id = e["id"];
      m.source = e["source"];
      m.type = e["type"].get<std::string>().substr(11);
      m.type.resize(m.type.rfind('.'));
      m.subject = e["subject"];
      m.region = e["data"]["region"];
      m.party = "hoeve";
      m.sender_role = e["data"]["sender"]["role"];
      m.payload = e["data"];
      m.payload.erase("region");
      m.payload.erase("sender");
      if (!road.accept(m)) throw std::runtime_error("not accepted");
      road.run();
      auto row = run_now(road.disk->row("invoice.in", "Z-1/" + m.id)).value();
      if (!row) throw std::runtime_error("not decided");
      auto j = Json::parse(row->value.begin(), row->value.end());
      decided[j["nummer"]] = j;
      (void)desk->send(decision(m.id, j["status"], j["codes"].get<std::vector<std::string>>()));
    }
  }

  /// Return codes of every JW325 there is: of message, declaration, pupils and lines; reasons of every Invoice Response
  /// that refuses.
  std::set<std::string> returned() {
    std::set<std::string> codes;
    for (const auto& a : answers(*desk)) {
      if (a.find("<ApplicationResponse") != std::string::npos) {
        auto from = a.find("<cbc:StatusReason>");
        if (a.find(">RE<") != std::string::npos && from != std::string::npos)
          codes.insert(a.substr(from + 18, a.find(':', from + 18) - from - 18));
        continue;
      }
      auto read = formats::read_jw325(a);
      if (!read.message) throw std::runtime_error("no JW325");
      codes.insert(read.message->retour.begin(), read.message->retour.end());
      if (!read.message->antwoord) continue;
      codes.insert(read.message->antwoord->retour.begin(), read.message->antwoord->retour.end());
      for (const auto& c : read.message->antwoord->clienten) {
        codes.insert(c.retour.begin(), c.retour.end());
        for (const auto& p : c.prestaties) codes.insert(p.retour.begin(), p.retour.end());
      }
    }
    return codes;
  }
};

struct Hostile {
  std::string name;                          ///< of the test
  std::function<HttpReply(Counter&)> bring;  ///< the last reply of the desk
  int status;                                ///< of it
  std::string rule;                          ///< in its findings, in a JW325, or why it is not paid
  std::int64_t paid = 0;                     ///< cents that may leave: of the good one before it
  bool agreed = true;
};

std::string one_line(const std::function<void(Jw323&)>& change = [](Jw323&) {}) {
  Jw323 d = declaration("A26100500001", "D202609001", {{"999990019", {line("P1", 33333)}}});
  change(d);
  return text(d);
}

std::string replaced(std::string in, const std::string& from, const std::string& to) {
  auto at = in.find(from);
  if (at == std::string::npos) throw std::runtime_error("nothing to replace: " + from);
  return in.replace(at, from.size(), to);
}

std::string behind_declaration(std::string in, const std::string& what) { return in.insert(in.find("?>") + 2, what); }

IjwPrestatie& first(Jw323& d) { return d.clienten[0].prestaties[0]; }

std::string utf16(const std::string& text) {
  std::string out = "\xFF\xFE";
  for (char c : text) out += {c, '\0'};
  return out;
}

/// An invoice that asks for payment otherwise than it should.
std::string paid(const std::function<void(formats::UblDocument&)>& change) {
  auto d = ubl_document();
  change(d);
  return written(d);
}

/// A declaration of one pupil with this many sound lines.
std::string many_lines(std::size_t n) {
  std::vector<IjwPrestatie> lines;
  for (std::size_t i = 0; i < n; ++i) {
    lines.push_back(line(fmt::format("M{}", i).c_str(), 100));
    lines.back().toewijzing = static_cast<std::int64_t>(i);
  }
  return text(declaration("A26100500001", "D202609001", {{"999990019", std::move(lines)}}));
}

auto once(std::string (*file)()) {
  return [file](Counter& c) { return c.bring(file()); };
}

/// A sound declaration under an agreement that is narrowed to something else.
auto under(Json narrowed) {
  return [narrowed = std::move(narrowed)](Counter& c) {
    Json agreed{{"kind", "grijs"}, {"payer", "50/50"}};
    agreed.update(narrowed);
    if (!c.road.accept(c.road.message("fa", "financieringsafspraak", {{"lines", Json::array({agreed})}}, "swv", "swv")))
      throw std::runtime_error("no agreement");
    c.road.run();
    return c.bring(one_line());
  };
}

const char* const kBomb =
    "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;\">]>";
const char* const kXxe = "<!DOCTYPE x [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
const char* const kDtd = "<!DOCTYPE x SYSTEM \"http://evil.example/x.dtd\">";

std::vector<Hostile> hostile_set() {
  return {
      {"WrongTotalOfADeclaration", once([] { return one_line([](Jw323& d) { d.totaal += Cents(1); }); }), 202, "0001"},
      {"WrongTotalOfLinesInAnInvoice", once([] {
         return replaced(ubl(), "<cbc:LineExtensionAmount currencyID=\"EUR\">1383.33",
                         "<cbc:LineExtensionAmount currencyID=\"EUR\">1383.34");
       }),
       422, "BR-CO-10"},
      {"WrongAmountToPayInAnInvoice", once([] {
         return replaced(ubl(), "<cbc:PayableAmount currencyID=\"EUR\">1383.33",
                         "<cbc:PayableAmount currencyID=\"EUR\">1383.32");
       }),
       422, "BR-CO-16"},
      {"AmountIsNotVolumeTimesTariff", once([] {
         return one_line([](Jw323& d) { first(d).eenheid = "16", first(d).tarief = Cents(3), first(d).volume = 2; });
       }),
       202, "9346"},
      {"NegativePriceInAnInvoice", once([] {
         return replaced(ubl(), "<cbc:PriceAmount currencyID=\"EUR\">1050.00",
                         "<cbc:PriceAmount currencyID=\"EUR\">-1050.00");
       }),
       422, "BR-27"},
      {"NegativeAmountInADeclaration", once([] { return replaced(one_line(), "Bedrag>33333<", "Bedrag>-33333<"); }),
       400, "JW323_STRUCTURE"},
      {"UnknownProductCategory", once([] { return one_line([](Jw323& d) { first(d).categorie = "99"; }); }), 400,
       "JW323_STRUCTURE"},
      {"UnknownUnit", once([] { return one_line([](Jw323& d) { first(d).eenheid = "99"; }); }), 400, "JW323_STRUCTURE"},
      {"CreditLargerThanItsDebit",
       [](Counter& c) {
         (void)c.bring(one_line());
         return c.bring(text(declaration("A2", "D2", {{"999990019", {line("P2", 33334, "45A03", "P1")}}})));
       },
       202, "8017", 33333},
      {"CreditLargerThanTheInvoice",
       [](Counter& c) {
         (void)c.bring(ubl());
         auto credit = ubl(true);
         (void)c.bring(credit);  // takes back all of it
         return c.bring(replaced(credit, "ZBC-2026-0031", "ZBC-2026-0032"));
       },
       202, "INVOICE_CONFLICT"},
      {"CreditOfAnInvoiceNobodyKnows", [](Counter& c) { return c.bring(ubl(true)); }, 202, "INVOICE_CONFLICT"},
      {"SameInvoiceAgainWithAnotherDate",
       [](Counter& c) {
         (void)c.bring(ubl());
         return c.bring(replaced(ubl(), "2026-10-05", "2026-10-06"));
       },
       202, "DUPLICATE_INVOICE", 138333},
      {"SameInvoiceNumberWithOtherContent",
       [](Counter& c) {
         (void)c.bring(ubl());
         return c.bring(ubl(false, 21));
       },
       202, "INVOICE_CONFLICT", 138333},
      {"SameDeclarationNumberWithOtherContent",
       [](Counter& c) {
         (void)c.bring(one_line());
         return c.bring(text(declaration("A2", "D202609001", {{"999990019", {line("P2", 500)}}})));
       },
       202, "9333", 33333},
      {"SameMessageIdWithOtherContent",
       [](Counter& c) {
         (void)c.bring(one_line());
         return c.bring(text(declaration("A26100500001", "D2", {{"999990019", {line("P2", 500)}}})));
       },
       202, "9056", 33333},
      {"UnknownProductCode", once([] { return one_line([](Jw323& d) { first(d).product = "45Q99"; }); }), 202, "9340"},
      {"ProductCodeOfAnotherCategory", once([] { return one_line([](Jw323& d) { first(d).product = "50A01"; }); }), 202,
       "S329"},
      {"UnknownItemOfAnInvoice", once([] { return replaced(ubl(), ">GRIJS<", ">NIETBESTAAND<"); }), 422, "SCH-PRODUCT"},
      {"CorrectiveInvoice", once([] {
         auto d = ubl_document();
         d.type_code = "384", d.billing_references = {"ZB-2026-0916"};
         return written(d);
       }),
       422, "SCH-TYPE"},
      {"NumberThatIsABsn", once([] { return replaced(ubl(), ">ZB-2026-0917<", ">999990019<"); }), 422, "SCH-NUMBER"},
      {"OtherCurrency",
       once([] { return replaced(ubl(), "<cbc:DocumentCurrencyCode>EUR", "<cbc:DocumentCurrencyCode>USD"); }), 422,
       "SCH-EUR"},
      {"WrongIban", once([] { return replaced(ubl(), "NL35TEST0001000004", "NL36TEST0001000004"); }), 422, "SCH-IBAN"},
      {"WrongKvk", once([] {
         return replaced(ubl(), "<cbc:CompanyID schemeID=\"0106\">90000004",
                         "<cbc:CompanyID schemeID=\"0106\">9000000");
       }),
       422, "SCH-KVK"},
      {"WrongOin", once([] {
         return replaced(ubl(), "<cbc:CompanyID schemeID=\"0190\">00000099000100001000",
                         "<cbc:CompanyID schemeID=\"0190\">00000000000000000000");
       }),
       422, "SCH-OIN"},
      {"PeriodOutsideTheAgreement", under({{"period", {"2026-01-01", "2026-06-30"}}}), 202, "OUTSIDE_FUNDING_PERIOD", 0,
       false},
      {"ProviderThatTheAgreementDoesNotName", under({{"aanbieder", "een ander"}}), 202, "PROVIDER_IS_ANOTHER", 0,
       false},
      {"ToewijzingThatTheAgreementDoesNotName", under({{"toewijzing", 999999999}}), 202, "ASSIGNMENT_IS_ANOTHER", 0,
       false},
      {"ProductThatTheAgreementDoesNotName", under({{"product", "99999"}}), 202, "PRODUCT_IS_ANOTHER", 0, false},
      {"MoreThanTheAgreement", under({{"max_cents", 1}}), 202, "FUNDING_MAX_EXCEEDED", 0, false},
      {"PeriodAfterTheDeclaredMonth",
       once([] { return one_line([](Jw323& d) { first(d).periode = {day("2026-10-01"), day("2026-10-31")}; }); }), 202,
       "9319"},
      {"PeriodThatEndsBeforeItBegins",
       once([] { return replaced(ubl(), "<cbc:StartDate>2026-09-01", "<cbc:StartDate>2026-10-01"); }), 422, "BR-29"},
      {"DatedInTheFuture",
       once([] { return one_line([](Jw323& d) { d.dagtekening = d.declaratie_dagtekening = day("2031-01-01"); }); }),
       202, "8848"},
      {"DtdInADeclaration", once([] { return behind_declaration(one_line(), kDtd); }), 400, "XML_DTD"},
      {"DtdInAnInvoice", once([] { return behind_declaration(ubl(), kDtd); }), 422, "XML_DTD"},
      {"XxeInADeclaration", once([] { return behind_declaration(one_line(), kXxe); }), 400, "XML_DTD"},
      {"XxeInAnInvoice", once([] { return behind_declaration(ubl(), kXxe); }), 422, "XML_DTD"},
      {"BombInADeclaration", once([] { return behind_declaration(one_line(), kBomb); }), 400, "XML_DTD"},
      {"BombInAnInvoice", once([] { return behind_declaration(ubl(), kBomb); }), 422, "XML_DTD"},
      {"DeclarationAbove25Mb", once([] { return behind_declaration(one_line(), std::string(26 * 1024 * 1024, ' ')); }),
       413, "DECLARATION_TOO_LARGE"},
      {"InvoiceAbove25Mb", once([] { return behind_declaration(ubl(), std::string(26 * 1024 * 1024, ' ')); }), 413,
       "DECLARATION_TOO_LARGE"},
      {"OtherEncodingInADeclaration", once([] { return replaced(one_line(), "UTF-8", "ISO-8859-1"); }), 400,
       "XML_ENCODING"},
      {"OtherEncodingInAnInvoice", once([] { return replaced(ubl(), "UTF-8", "ISO-8859-1"); }), 422, "XML_ENCODING"},
      {"BytesThatAreNoUtf8", once([] { return replaced(ubl(), "De Verzonnen", "De \xff\xfe Verzonnen"); }), 422,
       "XML_UTF8"},
      {"BsnFailsTheElevenTest", once([] { return one_line([](Jw323& d) { d.clienten[0].bsn = "999990018"; }); }), 202,
       "0001"},
      {"DeclarationForAnotherGemeente", once([] { return one_line([](Jw323& d) { d.ontvanger = "0363"; }); }), 403,
       "RECEIVER_IS_ANOTHER"},
      {"InvoiceForAnotherOrganisation",
       once([] { return paid([](auto& d) { d.customer.legal_id = {"0190", "00000099000100009000"}; }); }), 422,
       "SCH-BUYER"},
      {"InvoiceForAnotherOrganisationAtOurEndpoint", once([] {
         return paid([](auto& d) {
           d.customer.endpoint = d.customer.legal_id;
           d.customer.legal_id = {"0106", "90000077"};
         });
       }),
       422, "SCH-BUYER"},
      {"InvoiceThatIsCollected", once([] { return paid([](auto& d) { d.payment_means = "59"; }); }), 422,
       "SCH-PAYMENT"},
      {"InvoiceToBePaidToAnother", once([] {
         return replaced(ubl(), "<cac:PaymentMeans>",
                         "<cac:PayeeParty><cac:PartyName><cbc:Name>Factoring BV</cbc:Name></cac:PartyName>"
                         "</cac:PayeeParty><cac:PaymentMeans>");
       }),
       422, "SCH-PAYEE"},
      {"InvoiceOnAnAccountThatIsNotTheSellers",
       once([] { return replaced(ubl(), "NL35TEST0001000004", "NL19TEST0001000001"); }), 422, "SCH-IBAN-OTHER"},
      {"SameInvoiceAgainOnAnotherAccount",
       [](Counter& c) {
         (void)c.bring(ubl());
         return c.bring(replaced(ubl(), "NL35TEST0001000004", "NL89TEST0001000002"));
       },
       202, "INVOICE_CONFLICT", 138333},
      {"InvoiceDatedInTheFuture",
       once([] { return paid([](auto& d) { d.issue_date = day("2099-01-01"), d.due_date = day("2099-02-01"); }); }),
       422, "SCH-DATE"},
      {"InvoiceDueBeforeItsDate", once([] { return paid([](auto& d) { d.due_date = day("2000-01-01"); }); }), 422,
       "SCH-DATE"},
      {"ElementThatUblHasNot", once([] {
         return replaced(ubl(), "<cac:AccountingSupplierParty>", "<cbc:Foo>1</cbc:Foo><cac:AccountingSupplierParty>");
       }),
       422, "XML_ELEMENT_UNKNOWN"},
      {"NumberThatNoDocumentOfOursCanHave", once([] { return replaced(ubl(), ">ZB-2026-0917<", ">ZB 2026#0917<"); }),
       422, "SCH-NUMBER"},
      {"MoreLinesInAnInvoiceThanAreCarried", once([] {
         return paid([](auto& d) {
           d.lines.resize(10'001, d.lines[1]);
           for (auto& l : d.lines) l.net = Cents(1), l.price = formats::UblDecimal::of(Cents(1)), l.id.clear();
           d.taxes.clear();
           formats::complete_totals(d, "Buiten het toepassingsgebied");
         });
       }),
       422, "SCH-LINES"},
      {"MoreLinesOfAPupilThanAreCarried", once([] { return many_lines(10'001); }), 422, "SCH-LINES"},
      {"Utf16InADeclaration", once([] { return utf16(one_line()); }), 400, "OP192"},
      {"Utf16InAnInvoice", once([] { return utf16(ubl()); }), 422, "XML_ENCODING"},
      {"AmountAtAnHourlyTariffThatIsNone", once([] {
         return one_line([](Jw323& d) {
           first(d).eenheid = "01", first(d).tarief = Cents(117), first(d).volume = 285;
           first(d).bedrag = d.totaal = Cents(33346);  // 70.20 an hour makes 33345, 70.21 makes 33350
         });
       }),
       202, "9346"},
      {"EnvelopeForAnotherGemeente",
       once([] { return replaced(in_envelope(one_line()), "organisatie>0400<", "organisatie>0363<"); }), 403,
       "ENVELOPE_RECEIVER_IS_ANOTHER"},
      {"EnvelopeOfAnotherRelease",
       once([] { return replaced(in_envelope(one_line()), "functieVersie>0003<", "functieVersie>0002<"); }), 403,
       "GGK_VERSION"},
      {"InvoiceWithoutReference",
       once([] { return replaced(ubl(), "<cbc:BuyerReference>ARR-77</cbc:BuyerReference>", ""); }), 422, "BR-NL-2"},
  };
}

TEST(Counter, ALineOfNothingIsGrantedAndNoDocumentIsMade) {
  Counter counter;
  EXPECT_EQ(counter.bring(text(declaration("A1", "D1", {{"999990019", {line("P1", 0)}}}))).status, 202);
  EXPECT_EQ(counter.returned(), (std::set<std::string>{"0200", "8001"}));
  EXPECT_TRUE(run_now(counter.road.disk->rows("invoice.out", "", "", 100)).value().empty());
}

class HostileSet : public ::testing::TestWithParam<Hostile> {};

TEST_P(HostileSet, IsRefusedWithItsRuleAndNothingIsForwarded) {
  const Hostile& h = GetParam();
  Counter counter(h.agreed);
  auto reply = h.bring(counter);
  EXPECT_EQ(reply.status, h.status) << reply.body.substr(0, 400);
  // The rule: in the reply, in the JW325 of the provider, or on the row that finance looks at.
  auto returned = counter.returned();
  bool named = reply.body.find('"' + h.rule + '"') != std::string::npos || returned.contains(h.rule);
  std::string seen;
  for (const auto& [number, row] : counter.decided) seen += number + ' ' + row.dump() + '\n';
  named = named || seen.find('"' + h.rule + '"') != std::string::npos;
  EXPECT_TRUE(named) << h.rule << '\n' << reply.body.substr(0, 400) << '\n' << seen;
  // An e-invoice that was taken and then refused is answered with that rule.
  bool refused_later = seen.find("\"quarantined\"") != std::string::npos;
  if (h.status == 202 && refused_later) EXPECT_TRUE(returned.contains(h.rule)) << h.rule;
  // What left is the good one before it, if any, and to the cent.
  std::int64_t left = 0;
  for (const auto& row : run_now(counter.road.disk->rows("invoice.out", "", "", 100)).value()) {
    auto j = Json::parse(row.value.begin(), row.value.end());
    if (j["betaler"] == "gemeente" || j["betaler"] == "swv") left += j["bedragCent"].get<std::int64_t>();
    if (j["ontvanger"] == "gemeente") left -= j["bedragCent"].get<std::int64_t>();
  }
  EXPECT_EQ(left, h.paid);
  // A declaration that could be read is answered, but for one that the broker holds: that one has its last day.
  bool held = seen.find("\"held\"") != std::string::npos;
  if (h.status == 202 && held)
    EXPECT_EQ(run_now(counter.road.disk->rows("invoice.answer", "", "", 10)).value().size(), 1U);
  for (const char* personal : {"99999", "Testerman"})
    EXPECT_EQ(reply.body.find(personal), std::string::npos) << "no person in an answer of the transport";
  EXPECT_EQ(counter.desk->log_text().find("99999"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Invoices, HostileSet, ::testing::ValuesIn(hostile_set()),
                         [](const auto& i) { return i.param.name; });

}  // namespace
}  // namespace schakel::test
