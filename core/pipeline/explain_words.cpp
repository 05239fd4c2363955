// The words of an explanation, Dutch and English.
#include <fmt/format.h>

#include "core/model/code_words.hpp"
#include "core/pipeline/explain.hpp"

namespace schakel::pipeline {
namespace {

std::string ew_value(const Json& v, Lang lang) {
  const bool nl = lang == Lang::nl;
  if (v.is_null()) return nl ? "niets" : "nothing";
  if (v.is_boolean()) return v.get<bool>() ? (nl ? "waar" : "true") : (nl ? "niet waar" : "false");
  if (v.is_string()) return v.get<std::string>();
  if (v.is_array()) {
    std::string out;
    for (const Json& e : v) out += (out.empty() ? "" : ", ") + ew_value(e, lang);
    return out.empty() ? (nl ? "niemand" : "nobody") : out;
  }
  return v.dump();
}

}  // namespace

Lang language_of(std::string_view text) {
  // Accept-Language without the weights' arithmetic: the first of our two languages that is named without q=0.
  while (!text.empty()) {
    auto comma = text.find(',');
    auto one = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (one.starts_with(' ')) one.remove_prefix(1);
    if (one.find(";q=0") != std::string_view::npos && one.find(";q=0.") == std::string_view::npos) continue;
    auto is = [&](std::string_view tag) {
      return one.size() >= 2 && (one[0] | 0x20) == tag[0] && (one[1] | 0x20) == tag[1] &&
             (one.size() == 2 || one[2] == '-' || one[2] == '_' || one[2] == ';' || one[2] == '.');
    };
    if (is("en")) return Lang::en;
    if (is("nl")) return Lang::nl;
  }
  return Lang::nl;
}

std::string_view to_string(Lang lang) { return lang == Lang::nl ? "nl" : "en"; }

std::string code_words(std::string_view code, Lang lang, const Profile* profile) {
  return schakel::code_words(code, lang == Lang::nl, profile);
}

std::string code_words(const Explanation& e, Lang lang, const Profile* profile) {
  // One code may have several reasons; which one it was tell the facts that were seen.
  for (const auto& [fact, value] : e.facts.items())
    if (auto words = code_words(e.code + ":" + fact, lang, profile); !words.empty()) return words;
  return code_words(e.code, lang, profile);
}

std::string fact_words(const Vocabulary& vocabulary, int slot, Lang lang) {
  const FactDef& fact = vocabulary.at(slot);
  if (lang == Lang::en) return fact.meaning;
  // Rule data of before the Dutch meanings have the English ones.
  const Json& all = vocabulary.source()["facts"];
  const auto at = static_cast<std::size_t>(slot);
  if (at < all.size() && all[at].value("name", "") == fact.name)
    if (auto it = all[at].find("meaning_nl"); it != all[at].end() && it->is_string()) return it->get<std::string>();
  return fact.meaning;
}

std::string change_words(const replay::Change& c, Lang lang) {
  const bool nl = lang == Lang::nl;
  if (c.fact.starts_with("consent:")) {
    auto rest = c.fact.substr(8);
    auto giver = rest.substr(0, rest.find(':')), purpose = rest.substr(rest.find(':') + 1);
    if (c.would_be == Json("withdrawn"))
      return fmt::format(
          fmt::runtime(nl ? "{} de toestemming voor {} had ingetrokken" : "{} had withdrawn consent for {}"), giver,
          purpose);
    if (c.would_be == Json("given_for_all"))
      return fmt::format(fmt::runtime(nl ? "{} toestemming voor {} had gegeven zonder beperking"
                                         : "{} had consented to {} without restriction"),
                         giver, purpose);
    return fmt::format(fmt::runtime(nl ? "{} toestemming voor {} had gegeven" : "{} had consented to {}"), giver,
                       purpose);
  }
  if (c.fact.starts_with("register:"))
    return fmt::format(fmt::runtime(nl ? "{} niet eerder was gezien" : "{} had not been seen before"),
                       c.fact.substr(9));
  if (c.fact == "message.time")
    return fmt::format(fmt::runtime(nl ? "het bericht op {} was gekomen" : "the message had come on {}"),
                       ew_value(c.would_be, lang).substr(0, 10));
  if (c.fact == "meeting.at")
    return fmt::format(fmt::runtime(nl ? "het overleg op {} was" : "the meeting were on {}"),
                       ew_value(c.would_be, lang).substr(0, 10));
  if (c.fact.starts_with("past.")) {
    if (c.would_be == Json(true))
      return fmt::format(fmt::runtime(nl ? "er al een {} was bezorgd" : "a {} had been delivered before"),
                         c.fact.substr(5));
    return fmt::format(fmt::runtime(nl ? "er nog geen {} was bezorgd" : "no {} had been delivered before"),
                       c.fact.substr(5));
  }
  return fmt::format(fmt::runtime(nl ? "{} {} was (nu {})" : "{} were {} (now {})"), c.fact, ew_value(c.would_be, lang),
                     ew_value(c.was, lang));
}

}  // namespace schakel::pipeline
