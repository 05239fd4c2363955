#include "core/formats/sniff.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/json.hpp"
#include "core/formats/ggk.hpp"
#include "core/formats/ijw.hpp"
#include "core/formats/oso.hpp"
#include "core/formats/soap.hpp"
#include "core/formats/ubl.hpp"

namespace schakel::formats {
namespace {

/// Name and namespace of the root element, from its start tag alone.
struct Root {
  std::string_view local, ns;
};

/// Good enough to choose a reader; the reader then judges for itself.
Root root_of(std::string_view s) {
  auto end_of = [&](std::size_t at, std::string_view mark) {
    at = s.find(mark, at);
    return at == std::string_view::npos ? s.size() : at + mark.size();
  };
  std::size_t at = 0;
  while ((at = s.find('<', at)) != std::string_view::npos) {
    auto rest = s.substr(at);
    if (rest.starts_with("<?")) {
      at = end_of(at, "?>");
    } else if (rest.starts_with("<!--")) {
      at = end_of(at, "-->");
    } else if (rest.starts_with("<!")) {
      at = end_of(at, ">");
    } else {
      break;
    }
  }
  if (at == std::string_view::npos) return {};
  auto tag = s.substr(at + 1, s.find('>', at) - at - 1);
  auto name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  auto colon = name.find(':');
  auto declaration =
      colon == std::string_view::npos ? std::string("xmlns") : fmt::format("xmlns:{}", name.substr(0, colon));
  Root root{colon == std::string_view::npos ? name : name.substr(colon + 1), {}};
  for (auto found = tag.find(declaration); found != std::string_view::npos; found = tag.find(declaration, found + 1)) {
    auto value = tag.substr(found + declaration.size());
    auto first = value.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || value[first] != '=') continue;
    auto quote = value.find_first_of("\"'", first);
    if (quote == std::string_view::npos) break;
    auto close = value.find(value[quote], quote + 1);
    if (close != std::string_view::npos) root.ns = value.substr(quote + 1, close - quote - 1);
    break;
  }
  return root;
}

MessageKind json_kind(std::string_view bytes) {
  auto json = parse_json(bytes, {.bytes = 10 * 1024 * 1024, .depth = 32});
  if (!json) return MessageKind::unknown;
  auto event = [](const Json& j) {
    return j.is_object() && j.contains("specversion") && j.contains("type") && j.contains("source");
  };
  if (event(*json)) return MessageKind::cloud_event;
  return json->is_array() && !json->empty() && event((*json)[0]) ? MessageKind::cloud_event_batch
                                                                 : MessageKind::unknown;
}

void take(MessageReport& report, std::vector<Finding>& structure, const std::vector<IjwFinding>& rules) {
  report.findings = std::move(structure);
  for (const auto& r : rules) report.findings.push_back(r.finding);
}

/// An envelope is as good as what is in it; one in another is none.
void judge_envelope(std::string_view bytes, std::optional<Date> today, MessageReport& report) {
  auto r = read_ggk(bytes);
  if (!r) {
    report.findings = r.error().findings;
    if (report.findings.empty()) report.findings.push_back({"", r.error().code, r.error().message, ""});
    return;
  }
  if (auto held = sniff(r->bericht); held == MessageKind::ggk_envelope || held == MessageKind::soap) {
    report.findings.push_back(
        {"/parameters/bericht", "GGK_CONTENT", "an envelope holds a message, not an envelope", ""});
    return;
  }
  auto inner = check_message(r->bericht, today);
  report.findings = std::move(inner.findings);
  report.warnings = std::move(inner.warnings);
}

void judge_soap(std::string_view bytes, std::optional<Date> today, MessageReport& report) {
  auto r = read_soap(bytes);
  if (!r) {
    report.findings.push_back({"", r.error().code, r.error().message, ""});
  } else if (!r->fault() && r->body().ns() == kGgkNs) {
    report.kind = MessageKind::ggk_envelope;
    judge_envelope(bytes, today, report);
  }
}

}  // namespace

std::string_view kind_name(MessageKind kind) {
  switch (kind) {
    case MessageKind::cloud_event:
      return "CloudEvent";
    case MessageKind::cloud_event_batch:
      return "CloudEvents batch";
    case MessageKind::jw323:
      return "JW323";
    case MessageKind::jw325:
      return "JW325";
    case MessageKind::ubl_invoice:
      return "UBL Invoice";
    case MessageKind::ubl_credit_note:
      return "UBL CreditNote";
    case MessageKind::oso_dossier:
      return "OSO dossier";
    case MessageKind::ggk_envelope:
      return "StUF-GGk envelope";
    case MessageKind::soap:
      return "SOAP 1.1";
    case MessageKind::unknown:
      break;
  }
  return "unknown";
}

std::optional<std::size_t> utf16_low(std::string_view bytes) {
  using namespace std::string_view_literals;
  if (bytes.starts_with("\xFF\xFE"sv)) return 2;
  if (bytes.starts_with("\xFE\xFF"sv)) return 3;
  if (bytes.starts_with("<\0"sv)) return 0;
  if (bytes.starts_with("\0<"sv)) return 1;
  return std::nullopt;
}

MessageKind sniff(std::string_view bytes) {
  // UTF-16 is read by nobody here, but its sender should hear that, and not that the message is unknown.
  std::string narrow;
  if (auto low = utf16_low(bytes)) {
    for (auto i = *low; i < std::min<std::size_t>(bytes.size(), 16 * 1024); i += 2) narrow += bytes[i];
    bytes = narrow;
  }
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  auto first = bytes.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return MessageKind::unknown;
  if (bytes[first] == '{' || bytes[first] == '[') return json_kind(bytes);
  if (bytes[first] != '<') return MessageKind::unknown;
  auto root = root_of(bytes);
  if (root.local == "Bericht")
    return root.ns == kJw323Ns ? MessageKind::jw323 : root.ns == kJw325Ns ? MessageKind::jw325 : MessageKind::unknown;
  if (root.local == "Invoice" && root.ns == kUblInvoice) return MessageKind::ubl_invoice;
  if (root.local == "CreditNote" && root.ns == kUblCreditNote) return MessageKind::ubl_credit_note;
  if (root.ns == kGgkNs && root.local.starts_with("envelop")) return MessageKind::ggk_envelope;
  if (root.local == "Envelope" && root.ns == kSoapNs) return MessageKind::soap;
  return is_oso_dossier(root.ns, root.local) ? MessageKind::oso_dossier : MessageKind::unknown;
}

MessageReport check_message(std::string_view bytes, std::optional<Date> today) {
  MessageReport report;
  report.kind = sniff(bytes);
  switch (report.kind) {
    case MessageKind::jw323: {
      auto r = read_jw323(bytes, today);
      take(report, r.structure, r.rules);
      break;
    }
    case MessageKind::jw325: {
      auto r = read_jw325(bytes);
      take(report, r.structure, r.rules);
      break;
    }
    case MessageKind::ubl_invoice:
    case MessageKind::ubl_credit_note: {
      auto r = read_ubl(bytes);
      report.findings = std::move(r.findings);
      report.warnings = std::move(r.warnings);
      if (r.document)
        for (auto& f : check_carried(*r.document, today)) report.findings.push_back(std::move(f));
      break;
    }
    case MessageKind::oso_dossier:
      report.findings = read_oso(bytes).findings;
      break;
    case MessageKind::ggk_envelope:
      judge_envelope(bytes, today, report);
      break;
    case MessageKind::soap:
      judge_soap(bytes, today, report);
      break;
    case MessageKind::cloud_event:
    case MessageKind::cloud_event_batch:
      break;
    case MessageKind::unknown: {
      // A broken or hostile XML file says more by its own error than by "unknown".
      auto first = bytes.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
      if (first != std::string_view::npos && bytes[first] == '<')
        if (auto r = read_xml(bytes); !r) report.findings.push_back({"", r.error().code, r.error().message, ""});
      report.findings.push_back(
          {"", "MESSAGE_UNKNOWN",
           "not a CloudEvent, JW323, JW325, UBL invoice or credit note, OSO dossier or SOAP message", ""});
      break;
    }
  }
  return report;
}

}  // namespace schakel::formats
