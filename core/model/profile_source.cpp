// A profile and the text it came from: what is kept by version, and which file an explanation names.
#include "core/model/rule_reader.hpp"

namespace schakel {

Result<std::shared_ptr<const Profile>> Profile::parse_file(std::string_view file, const Json& region,
                                                           std::shared_ptr<const Vocabulary> vocabulary,
                                                           const Json& base) {
  auto parsed = parse(region, std::move(vocabulary), base);
  // Nobody else has it yet.
  if (parsed) std::const_pointer_cast<Profile>(*parsed)->source_["file"] = file;
  return parsed;
}

Result<std::shared_ptr<const Profile>> Profile::from_source(const Json& source) {
  if (!source.is_object() || !source.contains("region") || !source.contains("vocabulary"))
    return fail(ErrorKind::invalid, "PROFILE_INVALID", "this is not the source of a profile");
  auto vocabulary = Vocabulary::parse(source["vocabulary"]);
  if (!vocabulary) return fail(vocabulary.error());
  auto file = source.find("file");
  return parse_file(file != source.end() && file->is_string() ? file->get<std::string>() : std::string(),
                    source["region"], *vocabulary, source.value("base", Json::object()));
}

std::string Profile::rule_file(std::string_view id, std::string_view quote) const {
  for (const char* part : {"region", "base"}) {
    auto in = source_.find(part);
    if (in == source_.end() || !in->is_object() || !in->contains("rules")) continue;
    for (const Json& r : (*in)["rules"])
      if (r.value("id", "") == id && (quote.empty() || r.value("quote", "") == quote))
        return std::string_view(part) == "base" ? source_["region"].value("extends", "") : source_.value("file", "");
  }
  return {};
}

}  // namespace schakel
