// The smaller parts of a region file: typed fields, names that must exist, conditions.
#include <algorithm>

#include "core/model/rule_reader.hpp"

namespace schakel {

void RuleReader::wrong(std::string pointer, std::string code, std::string message) {
  findings_.push_back({std::move(pointer), std::move(code), std::move(message), ""});
}

void RuleReader::only(const Json& j, const std::string& at, std::initializer_list<std::string_view> keys) {
  if (!j.is_object()) return wrong(at, "TYPE", "an object is expected");
  for (const auto& [key, value] : j.items())
    if (std::ranges::find(keys, key) == keys.end()) wrong(at + "/" + key, "UNKNOWN_KEY", "no such key here");
}

std::string RuleReader::need(const Json& j, const std::string& at, const std::string& key) {
  auto it = j.find(key);
  if (it == j.end() || !it->is_string() || it->get_ref<const std::string&>().empty()) {
    wrong(at + "/" + key, "MISSING", "a text is expected");
    return {};
  }
  return it->get<std::string>();
}

const Json& RuleReader::object(const Json& j, const std::string& at, const std::string& key) {
  static const Json none = Json::object();
  auto it = j.find(key);
  if (it == j.end()) return none;
  if (!it->is_object()) {
    wrong(at + "/" + key, "TYPE", "an object is expected");
    return none;
  }
  return *it;
}

const Json& RuleReader::array(const Json& j, const std::string& at, const std::string& key) {
  static const Json none = Json::array();
  auto it = j.find(key);
  if (it == j.end()) return none;
  if (!it->is_array()) {
    wrong(at + "/" + key, "TYPE", "a list is expected");
    return none;
  }
  return *it;
}

std::vector<std::string> RuleReader::texts(const Json& j, const std::string& at, const std::string& key) {
  std::vector<std::string> out;
  auto it = j.find(key);
  if (it == j.end()) return out;
  if (it->is_string()) return {it->get<std::string>()};
  if (!it->is_array()) {
    wrong(at + "/" + key, "TYPE", "a text or a list of texts is expected");
    return out;
  }
  for (const Json& v : *it) {
    if (v.is_string())
      out.push_back(v.get<std::string>());
    else
      wrong(at + "/" + key, "TYPE", "a list of texts is expected");
  }
  return out;
}

bool RuleReader::flag(const Json& j, const std::string& at, const std::string& key) {
  auto it = j.find(key);
  if (it == j.end()) return false;
  if (!it->is_boolean()) wrong(at + "/" + key, "TYPE", "true or false is expected");
  return it->is_boolean() && it->get<bool>();
}

int RuleReader::integer(const Json& j, const std::string& at, const std::string& key) {
  auto it = j.find(key);
  if (it == j.end()) return 0;
  if (!it->is_number_integer()) {
    wrong(at + "/" + key, "TYPE", "an integer is expected");
    return 0;
  }
  return it->get<int>();
}

int RuleReader::fact(const std::string& name, const std::string& at) {
  int slot = p_.vocabulary_->slot(name);
  if (slot < 0) wrong(at, "UNKNOWN_FACT", "the vocabulary has no such fact");
  return slot;
}

std::string RuleReader::known_setting(const std::string& name, const std::string& at) {
  if (!p_.settings_.contains(name)) wrong(at, "UNKNOWN_SETTING", "the region has no such setting");
  return name;
}

std::string RuleReader::known_code(std::string code, const std::string& at) {
  if (!codes_.contains(code)) wrong(at, "UNKNOWN_CODE", "neither a gate nor the list of codes has it");
  return code;
}

std::string RuleReader::known_role(std::string role, const std::string& at) {
  if (role.starts_with('$') && !p_.aliases_.contains(std::string_view(role).substr(1)))
    wrong(at, "UNKNOWN_ROLE", "no such entry in roles");
  return role;
}

std::vector<std::string> RuleReader::known_roles(const Json& j, const std::string& at, const std::string& key) {
  auto out = texts(j, at, key);
  for (auto& r : out) known_role(r, at + "/" + key);
  return out;
}

Operand RuleReader::operand(const Json& v, const std::string& at, FactType type) {
  Operand o;
  if (v.is_object()) {
    only(v, at, {"setting", "fact", "append"});
    if (v.contains("setting"))
      o.setting = known_setting(v.value("setting", ""), at + "/setting");
    else if (v.contains("fact"))
      o.slot = fact(v.value("fact", ""), at + "/fact");
    else if (v.contains("append")) {
      o.slot = fact(v.value("append", ""), at + "/append");
      o.append = true;
    } else
      wrong(at, "MISSING", "setting or fact");
    return o;
  }
  o.value = v;
  bool fits = v.is_null();
  switch (type) {
    case FactType::boolean:
      fits = fits || v.is_boolean();
      break;
    case FactType::integer:
      fits = fits || v.is_number_integer();
      break;
    case FactType::text:
    case FactType::date:
      fits = fits || v.is_string();
      break;
    default:
      fits = true;
  }
  if (!fits) wrong(at, "TYPE", "the value does not have the type of the fact");
  return o;
}

Condition RuleReader::comparison(const std::string& name, const Json& v, const std::string& at) {
  Condition c;
  FactType type = FactType::text;
  if (name.starts_with("setting.")) {
    c.setting = known_setting(name.substr(8), at);
    type = FactType::object;  // any
  } else {
    c.slot = fact(name, at);
    if (c.slot >= 0) type = p_.vocabulary_->at(c.slot).type;
  }
  using Op = Condition::Op;
  if (!v.is_object()) {
    c.op = Op::equal;
    c.operands.push_back(operand(v, at, type));
    return c;
  }
  static const std::map<std::string, Op, std::less<>> ops = {{"equal", Op::equal},
                                                             {"not", Op::not_equal},
                                                             {"in", Op::in},
                                                             {"not_in", Op::not_in},
                                                             {"at_least", Op::at_least},
                                                             {"more_than", Op::more_than},
                                                             {"less_than", Op::less_than},
                                                             {"exists", Op::exists},
                                                             {"contains", Op::contains},
                                                             {"count_less_than", Op::count_less_than},
                                                             {"count_not", Op::count_not}};
  std::vector<Condition> parts;
  for (const auto& [word, right] : v.items()) {
    std::string here = at + "/" + word;
    auto op = ops.find(word);
    if (op == ops.end()) {
      wrong(here, "UNKNOWN_COMPARISON",
            "equal, not, in, not_in, at_least, more_than, less_than, exists, contains, count_less_than or count_not");
      continue;
    }
    Condition one = c;
    one.op = op->second;
    FactType element = one.op == Op::count_less_than || one.op == Op::count_not ? FactType::integer
                       : type == FactType::list                                 ? FactType::object
                                                                                : type;
    if (one.op == Op::exists) {
      if (!right.is_boolean())
        wrong(here, "TYPE", "true or false is expected");
      else
        one.flag = right.get<bool>();
    } else if (right.is_array()) {
      if (one.op != Op::in && one.op != Op::not_in && one.op != Op::contains)
        wrong(here, "TYPE", "one value is expected");
      for (const Json& each : right) one.operands.push_back(operand(each, here, element));
    } else {
      one.operands.push_back(operand(right, here, element));
    }
    parts.push_back(std::move(one));
  }
  if (parts.size() == 1) return parts[0];
  Condition all;
  all.op = Op::all;
  all.children = std::move(parts);
  return all;
}

Condition RuleReader::condition(const Json& j, const std::string& at) {
  Condition all;
  if (!j.is_object()) {
    wrong(at, "TYPE", "a condition is an object");
    return all;
  }
  if (j.empty()) return all;
  all.op = Condition::Op::all;
  for (const auto& [name, v] : j.items()) {
    std::string here = at + "/" + name;
    if (name == "all" || name == "any" || name == "none") {
      Condition group;
      group.op = name == "all" ? Condition::Op::all : name == "any" ? Condition::Op::any : Condition::Op::none;
      if (!v.is_array())
        wrong(here, "TYPE", "a list of conditions is expected");
      else
        for (std::size_t i = 0; i < v.size(); ++i)
          group.children.push_back(condition(v[i], here + "/" + std::to_string(i)));
      all.children.push_back(std::move(group));
    } else {
      all.children.push_back(comparison(name, v, here));
    }
  }
  if (all.children.size() == 1) return all.children[0];
  return all;
}

}  // namespace schakel
