#include "core/journal/record.hpp"

#include "core/model/pull.hpp"
#include "core/model/semantics.hpp"

namespace schakel::journal {

std::string record_text(const Message& message, const Draft& draft, const std::map<std::string, Json>& registers) {
  return dump_json(
      {{"message", message}, {"draft", draft}, {"semantics", kSemanticsVersion}, {"registers", registers}});
}

Result<Recorded> read_record(store::MessageSeq seq, std::string_view text, Explained explained) {
  try {
    Recorded out;
    bool message = false, draft = false;
    JsonPull from(text);
    from.object([&](std::string_view key) {
      if (key == "message") {
        read(from, out.message);
        message = true;
      } else if (key == "draft") {
        read(from, out.draft, explained == Explained::unread ? &out.unread : nullptr);
        draft = true;
      } else if (key == "semantics") {
        out.semantics = static_cast<int>(from.integer());
      } else if (key == "registers") {
        out.registers.emplace();
        from.object([&](std::string_view name) {
          auto& value = (*out.registers)[std::string(name)];
          value = from.value();
        });
      } else {
        from.skip();
      }
    });
    from.end();
    if (!message || !draft || (explained == Explained::unread && !out.unread.starts_with('[')))
      return fail(ErrorKind::io, "RECORD_INVALID", "this is not the record of a decision");
    out.message.seq = seq;
    return out;
  } catch (const std::exception&) {
    // The text of the exception may quote the content.
    return fail(ErrorKind::io, "RECORD_INVALID", "this is not the record of a decision");
  }
}

Recalled recalled(store::DecisionRow row, const Opener& opener, Explained explained) {
  Recalled out{row.message, row.decided_at, std::move(row.rules_version), std::move(row.outcome), std::nullopt, ""};
  auto plain = opener("decision", std::to_string(row.message), row.sealed);
  if (!plain) {
    out.gone = plain.error().code;
    return out;
  }
  auto read = read_record(row.message, as_text(*plain), explained);
  if (!read) {
    out.gone = read.error().code;
    return out;
  }
  read->decided_at = out.decided_at;
  read->rules_version = out.rules_version;
  out.content = std::move(*read);
  return out;
}

std::vector<Explanation> read_explanation(const Recorded& recorded) {
  if (recorded.unread.empty()) return recorded.draft.explanation;
  return Json::parse(recorded.unread).get<std::vector<Explanation>>();
}

}  // namespace schakel::journal
