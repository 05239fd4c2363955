// Internal to the PDF renderers: a flow of pages with a cursor, on cairo and pango.
#pragma once
#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.hpp"
#include "core/formats/values.hpp"

namespace schakel::formats::pdf {

inline constexpr double kWidth = 595.28, kHeight = 841.89;  // A4 in points
/// Edges of what is drawn on a page that stands; Flow::right and Flow::bottom are those of this one.
inline constexpr double kLeft = 56, kRight = kWidth - 56, kTop = 56, kBottom = kHeight - 64;

struct Info {
  std::string title, author, subject;
  Date date{};
  bool landscape = false;
};

struct Font {
  double size = 9.5;
  bool bold = false;
  double grey = 0.0;  ///< 0 black
};

enum class Align { left, right, center };

/// The texts of one document as they are laid out. Each is asked for up to six times (does it fit, how high is it, draw
/// it; to count the pages and to draw them), and laying out is most of the work. Thread: one, as pango's fonts.
class Layouts {
 public:
  /// Bytes of text that are kept, each text counted as 64 more; then all are forgotten. Laid out they are fifty times
  /// that.
  static constexpr std::size_t kMost = 512 * 1024;
  /// Valid until the next call. `cairo` is of any run over this document: their surfaces are alike.
  PangoLayout* get(cairo_t* cairo, std::string_view what, double width, const Font& font, Align align, int max_lines);

 private:
  struct Free {
    void operator()(gpointer object) const { g_object_unref(object); }
    void operator()(PangoFontDescription* font) const { pango_font_description_free(font); }
    void operator()(PangoAttrList* attributes) const { pango_attr_list_unref(attributes); }
  };
  struct Key {
    std::string what;
    double width = 0, size = 0;
    bool bold = false;
    Align align = Align::left;
    int max_lines = 0;
    auto operator<=>(const Key&) const = default;
  };
  std::unique_ptr<PangoContext, Free> context_;
  std::unique_ptr<PangoAttrList, Free> attributes_;
  std::map<Key, std::unique_ptr<PangoLayout, Free>> known_;
  std::size_t bytes_ = 0;
};

/// One run over the whole document: first to count its pages, then to draw them.
class Flow {
 public:
  /// `pages`: total that the footers name; 0 counts them and draws nothing.
  Flow(const Info& info, int pages, Layouts& layouts, std::function<void(Flow&)> footer);
  ~Flow();
  Flow(const Flow&) = delete;

  double y = kTop;

  [[nodiscard]] double right() const { return (landscape_ ? kHeight : kWidth) - (kWidth - kRight); }
  [[nodiscard]] double bottom() const { return (landscape_ ? kWidth : kHeight) - (kHeight - kBottom); }
  [[nodiscard]] int page() const { return page_; }
  [[nodiscard]] int pages() const { return pages_; }

  /// Draws in a column and returns the height. `tag` is a PDF structure type; texts longer than `max_lines` end in an
  /// ellipsis.
  double text(std::string_view what, double x, double width, const Font& font, Align align = Align::left,
              const char* tag = "P", int max_lines = 0);
  /// Like text at the cursor over the full width, line by line over page ends, and moves the cursor.
  void paragraph(std::string_view what, double indent, const Font& font, const char* tag = "P");
  [[nodiscard]] double height(std::string_view what, double width, const Font& font, int max_lines = 0);
  /// How many bytes of it, whole lines, fit in `height`; 0 when not one line does.
  [[nodiscard]] std::size_t fits(std::string_view what, double width, const Font& font, double height);
  /// `to` 0: the right edge.
  void rule(double at, double from = kLeft, double to = 0, double weight = 0.6);

  /// Starts a page when less than `height` is left; true when it did.
  bool room(double height);
  void begin(const char* tag) {
    if (drawing()) cairo_tag_begin(cairo_, tag, nullptr);
  }
  void end(const char* tag) {
    if (drawing()) cairo_tag_end(cairo_, tag);
  }

  /// Ends the last page. The bytes, with the document language added (cairo 1.16 cannot set it).
  [[nodiscard]] Result<std::string> finish();

 private:
  [[nodiscard]] bool drawing() const { return pages_ > 0; }
  void end_page();

  bool landscape_;
  std::string out_;
  cairo_surface_t* surface_;
  cairo_t* cairo_;
  int page_ = 1;
  int pages_;
  Layouts& layouts_;
  std::function<void(Flow&)> footer_;
};

/// `draw` is called with a fresh Flow twice, to count the pages and to draw them, as the footers name the total. It
/// makes the same pages both times.
[[nodiscard]] Result<std::string> draw_document(const Info& info, const std::function<void(Flow&)>& draw,
                                                const std::function<void(Flow&)>& footer);

}  // namespace schakel::formats::pdf
