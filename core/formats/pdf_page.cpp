#include "core/formats/pdf_page.hpp"

#include <fmt/format.h>

#include <atomic>
#include <charconv>
#include <cmath>

namespace schakel::formats::pdf {
namespace {

cairo_status_t append(void* self, const unsigned char* data, unsigned int size) {
  static_cast<std::string*>(self)->append(reinterpret_cast<const char*>(data), size);
  return CAIRO_STATUS_SUCCESS;
}

std::unexpected<Error> broken(const char* what) { return fail(ErrorKind::internal, "PDF_RENDER", what); }

/// Adds /Lang and a preference for the title to the catalog, as an incremental update behind what cairo wrote.
Result<std::string> with_language(std::string pdf) {
  auto start = pdf.rfind("startxref"), trailer = pdf.rfind("trailer");
  if (start == std::string::npos || trailer == std::string::npos) return broken("cairo's file has no trailer");
  auto number_after = [&](std::string_view key, std::size_t from) -> long {
    auto at = pdf.find(key, from);
    if (at == std::string::npos) return -1;
    at += key.size();
    while (at < pdf.size() && (pdf[at] == ' ' || pdf[at] == '\n')) ++at;
    long v = -1;
    std::from_chars(pdf.data() + at, pdf.data() + pdf.size(), v);
    return v;
  };
  auto previous = number_after("startxref", start), size = number_after("/Size", trailer),
       root = number_after("/Root", trailer), info = number_after("/Info", trailer);
  auto object = pdf.rfind(fmt::format("\n{} 0 obj", root));
  auto body = object == std::string::npos ? object : pdf.find("<<", object);
  auto end = body == std::string::npos ? body : pdf.find("endobj", body);
  auto close = end == std::string::npos ? end : pdf.rfind(">>", end);
  if (previous < 0 || size < 0 || root < 0 || info < 0 || close == std::string::npos || close <= body)
    return broken("cairo's file has no catalog");
  auto catalog = pdf.substr(body, close - body);
  auto at = pdf.size();
  pdf += fmt::format("{} 0 obj\n{}   /Lang (nl-NL)\n   /ViewerPreferences << /DisplayDocTitle true >>\n>>\nendobj\n",
                     root, catalog);
  auto table = pdf.size();
  pdf += fmt::format(
      "xref\n{} 1\n{:010} 00000 n \ntrailer\n<< /Size {}\n   /Root {} 0 R\n   /Info {} 0 R\n   /Prev "
      "{}\n>>\nstartxref\n{}\n%%EOF\n",
      root, at, size, root, info, previous, table);
  return pdf;
}

}  // namespace

Flow::Flow(const Info& info, int pages, Layouts& layouts, std::function<void(Flow&)> footer)
    : landscape_(info.landscape),
      surface_(cairo_pdf_surface_create_for_stream(&append, &out_, landscape_ ? kHeight : kWidth,
                                                   landscape_ ? kWidth : kHeight)),
      cairo_(cairo_create(surface_)),
      pages_(pages),
      layouts_(layouts),
      footer_(std::move(footer)) {
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_TITLE, info.title.c_str());
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_AUTHOR, info.author.c_str());
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_SUBJECT, info.subject.c_str());
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_CREATOR, "Schakel");
  // Without it cairo takes the clock and no two drawings are alike.
  cairo_pdf_surface_set_metadata(surface_, CAIRO_PDF_METADATA_CREATE_DATE,
                                 fmt::format("{}T00:00:00Z", format_date(info.date)).c_str());
  begin("Document");
}

Flow::~Flow() {
  cairo_destroy(cairo_);
  cairo_surface_destroy(surface_);
}

PangoLayout* Layouts::get(cairo_t* cairo, std::string_view what, double width, const Font& font, Align align,
                          int max_lines) {
  if (bytes_ > kMost) known_.clear(), bytes_ = 0;
  auto [at, added] = known_.try_emplace({std::string(what), width, font.size, font.bold, align, max_lines});
  if (!added) return at->second.get();
  bytes_ += what.size() + 64;
  if (!context_) {
    context_.reset(pango_cairo_create_context(cairo));
    pango_context_set_language(context_.get(), pango_language_from_string("nl"));
    // A number that is broken over two lines has no hyphen that is not its own.
    attributes_.reset(pango_attr_list_new());
    pango_attr_list_insert(attributes_.get(), pango_attr_insert_hyphens_new(FALSE));
  }
  auto& l = at->second;
  l.reset(pango_layout_new(context_.get()));
  std::unique_ptr<PangoFontDescription, Free> description(pango_font_description_new());
  pango_font_description_set_family_static(description.get(), "DejaVu Sans, Noto Sans, Liberation Sans, Sans");
  pango_font_description_set_weight(description.get(), font.bold ? PANGO_WEIGHT_BOLD : PANGO_WEIGHT_NORMAL);
  pango_font_description_set_absolute_size(description.get(), font.size * PANGO_SCALE);
  pango_layout_set_font_description(l.get(), description.get());
  pango_layout_set_width(l.get(), static_cast<int>(std::lround(width * PANGO_SCALE)));
  pango_layout_set_wrap(l.get(), PANGO_WRAP_WORD_CHAR);
  pango_layout_set_alignment(l.get(), align == Align::left    ? PANGO_ALIGN_LEFT
                                      : align == Align::right ? PANGO_ALIGN_RIGHT
                                                              : PANGO_ALIGN_CENTER);
  pango_layout_set_line_spacing(l.get(), 1.15F);
  if (max_lines > 0) {
    pango_layout_set_height(l.get(), -max_lines);
    pango_layout_set_ellipsize(l.get(), PANGO_ELLIPSIZE_END);
  }
  pango_layout_set_text(l.get(), what.data(), static_cast<int>(what.size()));
  pango_layout_set_attributes(l.get(), attributes_.get());
  return l.get();
}

double Flow::height(std::string_view what, double width, const Font& font, int max_lines) {
  if (what.empty()) return 0;
  int w = 0, h = 0;
  pango_layout_get_size(layouts_.get(cairo_, what, width, font, Align::left, max_lines), &w, &h);
  return static_cast<double>(h) / PANGO_SCALE;
}

std::size_t Flow::fits(std::string_view what, double width, const Font& font, double height) {
  // More than a page holds is not laid out: a long text is asked for page by page. The cut is between characters.
  constexpr std::size_t kMost = 8'000, kMostBreaks = 120;
  auto head = what.substr(0, kMost);
  for (std::size_t at = 0, n = 0; (at = head.find('\n', at)) != std::string_view::npos; ++at)
    if (++n == kMostBreaks) head = head.substr(0, at + 1);
  while (head.size() < what.size() && (static_cast<unsigned char>(what[head.size()]) & 0xC0) == 0x80)
    head.remove_suffix(1);
  if (head.empty()) return 0;
  auto* l = layouts_.get(cairo_, head, width, font, Align::left, 0);
  std::unique_ptr<PangoLayoutIter, void (*)(PangoLayoutIter*)> at(pango_layout_get_iter(l), &pango_layout_iter_free);
  do {
    PangoRectangle logical;
    pango_layout_iter_get_line_extents(at.get(), nullptr, &logical);
    if (static_cast<double>(logical.y + logical.height) / PANGO_SCALE > height)
      return static_cast<std::size_t>(pango_layout_iter_get_line_readonly(at.get())->start_index);
  } while (pango_layout_iter_next_line(at.get()));
  return head.size();
}

double Flow::text(std::string_view what, double x, double width, const Font& font, Align align, const char* tag,
                  int max_lines) {
  if (what.empty()) return 0;
  auto* l = layouts_.get(cairo_, what, width, font, align, max_lines);
  if (drawing()) {
    begin(tag);
    cairo_set_source_rgb(cairo_, font.grey, font.grey, font.grey);
    cairo_move_to(cairo_, x, y);
    pango_cairo_show_layout(cairo_, l);
    end(tag);
  }
  int w = 0, h = 0;
  pango_layout_get_size(l, &w, &h);
  return static_cast<double>(h) / PANGO_SCALE;
}

void Flow::paragraph(std::string_view what, double indent, const Font& font, const char* tag) {
  // Kept for itself: a footer in between asks for others.
  std::unique_ptr<PangoLayout, void (*)(gpointer)> l(
      g_object_ref(layouts_.get(cairo_, what, right() - kLeft - indent, font, Align::left, 0)), &g_object_unref);
  std::unique_ptr<PangoLayoutIter, void (*)(PangoLayoutIter*)> at(pango_layout_get_iter(l.get()),
                                                                  &pango_layout_iter_free);
  begin(tag);
  do {
    PangoRectangle logical;
    pango_layout_iter_get_line_extents(at.get(), nullptr, &logical);
    auto h = static_cast<double>(logical.height) / PANGO_SCALE;
    if (y + h > bottom()) {
      end(tag);
      room(kHeight);
      begin(tag);
    }
    auto base = static_cast<double>(pango_layout_iter_get_baseline(at.get()) - logical.y) / PANGO_SCALE;
    if (drawing()) {
      cairo_set_source_rgb(cairo_, font.grey, font.grey, font.grey);
      cairo_move_to(cairo_, kLeft + indent, y + base);
      pango_cairo_show_layout_line(cairo_, pango_layout_iter_get_line_readonly(at.get()));
    }
    y += h;
  } while (pango_layout_iter_next_line(at.get()));
  end(tag);
}

void Flow::rule(double at, double from, double to, double weight) {
  if (!drawing()) return;
  cairo_set_source_rgb(cairo_, 0.55, 0.55, 0.55);
  cairo_set_line_width(cairo_, weight);
  cairo_move_to(cairo_, from, at);
  cairo_line_to(cairo_, to > 0 ? to : right(), at);
  cairo_stroke(cairo_);
}

void Flow::end_page() {
  if (!drawing()) return;
  auto keep = y;
  footer_(*this);
  y = keep;
  cairo_show_page(cairo_);
}

bool Flow::room(double height) {
  if (y + height <= bottom()) return false;
  end_page();
  ++page_;
  y = kTop;
  return true;
}

Result<std::string> Flow::finish() {
  end_page();
  end("Document");
  cairo_surface_finish(surface_);
  if (auto status = cairo_status(cairo_); status != CAIRO_STATUS_SUCCESS) return broken(cairo_status_to_string(status));
  if (auto status = cairo_surface_status(surface_); status != CAIRO_STATUS_SUCCESS)
    return broken(cairo_status_to_string(status));
  return with_language(std::move(out_));
}

namespace {
/// Looked up until there is one: the list of families is not free.
bool have_font() {
  static std::atomic<bool> known = false;
  if (known) return true;
  PangoFontFamily** families = nullptr;
  int count = 0;
  pango_font_map_list_families(pango_cairo_font_map_get_default(), &families, &count);
  g_free(static_cast<gpointer>(families));
  known = count > 0;
  return known;
}
}  // namespace

Result<std::string> draw_document(const Info& info, const std::function<void(Flow&)>& draw,
                                  const std::function<void(Flow&)>& footer) {
  if (!have_font()) return fail(ErrorKind::unavailable, "PDF_FONT", "no font is installed (Debian: fonts-dejavu-core)");
  Layouts layouts;
  Flow count(info, 0, layouts, footer);
  draw(count);
  Flow flow(info, count.page(), layouts, footer);
  draw(flow);
  return flow.finish();
}

}  // namespace schakel::formats::pdf
