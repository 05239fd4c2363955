// The reader behind Profile::parse, shared with the check of rules, which needs to know where a rule stands.
#pragma once
#include <initializer_list>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/model/profile.hpp"

namespace schakel {

/// The place of a compiled rule: row `row` of the rules of the base, or of the region.
struct RuleOrigin {
  bool base = false;
  std::size_t row = 0;
};

/// Reads one region file; collects every finding instead of stopping at the first.
class RuleReader {
 public:
  /// What Profile::parse does; `origins` is filled where it is asked for.
  static Result<std::shared_ptr<const Profile>> compile(const Json& region,
                                                        std::shared_ptr<const Vocabulary> vocabulary, const Json& base,
                                                        std::vector<RuleOrigin>* origins);

  /// The rows of `$name`, in order; empty when there is no such entry in roles.
  static std::span<const RoleAlias> role_rows(const Profile& profile, std::string_view name);

  RuleReader(Profile& profile, std::vector<Finding>& findings) : p_(profile), findings_(findings) {}

  void head(const Json& file);
  void rules(const Json& file, bool base, const std::map<std::string, std::set<std::string>>& replaced);

  /// Where each compiled rule stands in its file, in the order of Profile::all_rules().
  [[nodiscard]] std::vector<RuleOrigin> take_origins() { return std::move(origins_); }

 private:
  void wrong(std::string pointer, std::string code, std::string message);
  void only(const Json& j, const std::string& at, std::initializer_list<std::string_view> keys);
  std::string need(const Json& j, const std::string& at, const std::string& key);
  const Json& object(const Json& j, const std::string& at, const std::string& key);
  const Json& array(const Json& j, const std::string& at, const std::string& key);
  std::vector<std::string> texts(const Json& j, const std::string& at, const std::string& key);
  bool flag(const Json& j, const std::string& at, const std::string& key);
  int integer(const Json& j, const std::string& at, const std::string& key);
  int fact(const std::string& name, const std::string& at);
  std::string known_setting(const std::string& name, const std::string& at);
  std::string known_code(std::string code, const std::string& at);
  std::string known_role(std::string role, const std::string& at);
  std::vector<std::string> known_roles(const Json& j, const std::string& at, const std::string& key);
  Operand operand(const Json& v, const std::string& at, FactType type);
  Condition comparison(const std::string& name, const Json& v, const std::string& at);
  Condition condition(const Json& j, const std::string& at);
  void then(Rule& rule, const Json& t, const std::string& at);
  void timer(Then& out, const Json& j, const std::string& here);
  /// The names of the elements of a setting that is a list.
  void parts(const Json& setting, const std::string& key, const std::string& at);

  /// Each stage has its own outcomes; a rule at the wrong stage would silently do nothing.
  void fits(const Rule& rule, const std::string& at);

  Profile& p_;
  std::vector<Finding>& findings_;
  std::set<std::string, std::less<>> codes_;
  std::vector<RuleOrigin> origins_;
};

}  // namespace schakel
