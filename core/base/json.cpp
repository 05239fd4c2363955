#include "core/base/json.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>

namespace schakel {
namespace {

/// Builds the value while it checks: depth and duplicate keys are refused where they stand, before more is read.
class StrictReader final : public nlohmann::json_sax<Json> {
 public:
  explicit StrictReader(const JsonLimits& limits) : limits_(limits) {}
  Json root;
  Error error{ErrorKind::invalid, "", "", {}};

  bool null() override { return put(nullptr); }
  bool boolean(bool v) override { return put(v); }
  bool number_integer(number_integer_t v) override { return put(v); }
  bool number_unsigned(number_unsigned_t v) override {
    if (v > static_cast<number_unsigned_t>(INT64_MAX)) return stop("JSON_NUMBER", "an integer does not fit 64 bit");
    return put(static_cast<std::int64_t>(v));
  }
  bool number_float(number_float_t v, const string_t& text) override {
    if (!std::isfinite(v)) return stop("JSON_NUMBER", "a number is not finite");
    if (text.find_first_of(".eE") == string_t::npos) return stop("JSON_NUMBER", "an integer does not fit 64 bit");
    return put(v);
  }
  bool string(string_t& v) override {
    if (v.size() > limits_.string_bytes) return stop("JSON_STRING_TOO_LONG", "a string is too long");
    return put(std::move(v));
  }
  bool binary(binary_t&) override { return stop("JSON_SYNTAX", "binary values are not JSON"); }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool key(string_t& v) override {
    if (v.size() > limits_.string_bytes) return stop("JSON_STRING_TOO_LONG", "a key is too long");
    if (stack_.back()->contains(v)) return stop("JSON_DUPLICATE_KEY", "an object has the same key twice");
    key_ = std::move(v);
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& ex) override {
    // 101 is also used for bytes that are not UTF-8; the message is not passed on, since it quotes the input.
    std::string what = ex.what();
    bool utf8 = what.find("UTF-8") != std::string::npos || what.find("surrogate") != std::string::npos;
    return stop(utf8 ? "JSON_UTF8" : "JSON_SYNTAX",
                fmt::format("{} at byte {}", utf8 ? "not valid UTF-8" : "not valid JSON", position));
  }

 private:
  bool stop(std::string code, std::string message) {
    error.code = std::move(code);
    error.message = std::move(message);
    return false;
  }
  template <class V>
  Json* place(V&& v) {
    if (stack_.empty()) {
      root = std::forward<V>(v);
      return &root;
    }
    if (stack_.back()->is_array()) {
      stack_.back()->push_back(std::forward<V>(v));
      return &stack_.back()->back();
    }
    auto& slot = (*stack_.back())[key_];
    slot = std::forward<V>(v);
    return &slot;
  }
  template <class V>
  bool put(V&& v) {
    place(std::forward<V>(v));
    return true;
  }
  bool open(Json v) {
    if (static_cast<int>(stack_.size()) >= limits_.depth)
      return stop("JSON_DEPTH", fmt::format("nested deeper than {}", limits_.depth));
    stack_.push_back(place(std::move(v)));
    return true;
  }
  bool close() {
    stack_.pop_back();
    return true;
  }
  const JsonLimits& limits_;
  std::vector<Json*> stack_;
  std::string key_;
};

std::string dump(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// ASCII of which nothing is escaped, as most of what we hash and send is: so all of it is looked at without a way out.
bool plain(std::string_view text) {
  unsigned odd = 0;
  for (signed char c : text) odd |= static_cast<unsigned>((c < 0x20) | (c == '"') | (c == '\\'));
  return odd == 0;
}

void write(std::string& out, const std::string& text) {
  if (plain(text))
    out.append(1, '"').append(text).append(1, '"');
  else
    out += dump(text);
}

/// What nlohmann's own writer writes, which goes over every text character by character (held against it in json_test).
void write(std::string& out, const Json& value) {
  auto number = [&out](auto n) {
    std::array<char, 24> digits;  // of 64 bits, with a sign
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), n).ptr);
  };
  switch (value.type()) {
    case Json::value_t::object:
      out += '{';
      for (const auto& [key, member] : value.get_ref<const Json::object_t&>()) {
        if (out.back() != '{') out += ',';
        write(out, key);
        out += ':';
        write(out, member);
      }
      out += '}';
      break;
    case Json::value_t::array:
      out += '[';
      for (const auto& element : value.get_ref<const Json::array_t&>()) {
        if (out.back() != '[') out += ',';
        write(out, element);
      }
      out += ']';
      break;
    case Json::value_t::string:
      write(out, value.get_ref<const std::string&>());
      break;
    case Json::value_t::number_integer:
      number(value.get_ref<const std::int64_t&>());
      break;
    case Json::value_t::number_unsigned:
      number(value.get_ref<const std::uint64_t&>());
      break;
    default:
      out += dump(value);
  }
}

}  // namespace

Result<Json> parse_json(std::string_view text, const JsonLimits& limits) {
  if (text.size() > limits.bytes)
    return fail(ErrorKind::too_large, "JSON_TOO_LARGE", fmt::format("larger than {} bytes", limits.bytes));
  StrictReader reader(limits);
  if (!Json::sax_parse(text.begin(), text.end(), &reader)) {
    if (reader.error.code.empty()) reader.error = {ErrorKind::invalid, "JSON_SYNTAX", "not valid JSON", {}};
    return fail(std::move(reader.error));
  }
  return std::move(reader.root);
}

std::string dump_json(const Json& value) {
  std::string out;
  write(out, value);
  return out;
}

}  // namespace schakel
