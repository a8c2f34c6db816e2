/* Private to src/sink: pieces of HTML. */
#ifndef HLRP_SINK_HTML_H
#define HLRP_SINK_HTML_H

#include "image/image.h"
#include "util/util.h"

/* Text that stays text, between tags and in quoted attributes, of XML, too. Control characters become
 * blanks. */
void hlrp_html_text(hlrp_str *s, const char *text);

/* The same, with a capital for the first letter (ASCII). */
void hlrp_html_capital(hlrp_str *s, const char *text);

/* The bytes in base64. */
void hlrp_html_base64(hlrp_str *s, const uint8_t *bytes, size_t size);

/* <img> with the picture inside, as JPEG. */
hlrp_status hlrp_html_image(hlrp_str *s, const hlrp_image *image, int quality, const char *alt,
                            hlrp_error *err);

/* A number for people: 3 digits, thousands as they are, "–" for NaN. */
void hlrp_html_number(hlrp_str *s, double value);

/* "12.3 %"; "–" for NaN. */
void hlrp_html_share(hlrp_str *s, double share);

/* The same of a probability: what is nearly certain does not look as if it were: "99.8 %", "over 99.9 %". */
void hlrp_html_probability(hlrp_str *s, double p);

/* A horizontal bar of a share 0…1 in a cell: class names its color. */
void hlrp_html_bar(hlrp_str *s, const char *css_class, double share);

#endif
