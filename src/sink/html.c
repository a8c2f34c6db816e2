#include "sink/html.h"

#include <math.h>
#include <stdlib.h>

void hlrp_html_text(hlrp_str *s, const char *text) {
    for (const char *c = text; *c; c++)
        switch (*c) {
        case '<':
            hlrp_str_add(s, "&lt;");
            break;
        case '>':
            hlrp_str_add(s, "&gt;");
            break;
        case '&':
            hlrp_str_add(s, "&amp;");
            break;
        case '"':
            hlrp_str_add(s, "&quot;");
            break;
        case '\'':
            hlrp_str_add(s, "&#39;");
            break;
        default:
            hlrp_str_addn(s, (unsigned char)*c < ' ' || *c == 127 ? " " : c, 1);
        }
}

void hlrp_html_capital(hlrp_str *s, const char *text) {
    const char first[] = {text[0] >= 'a' && text[0] <= 'z' ? (char)(text[0] - 'a' + 'A') : text[0],
                          '\0'};
    hlrp_html_text(s, first);
    hlrp_html_text(s, text[0] ? text + 1 : "");
}

void hlrp_html_base64(hlrp_str *s, const uint8_t *bytes, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t n = HLRP_MIN(size - i, 3);
        const unsigned three = (unsigned)bytes[i] << 16 |
                               (n > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                               (n > 2 ? (unsigned)bytes[i + 2] : 0);
        const char four[4] = {digits[three >> 18], digits[three >> 12 & 63],
                              n > 1 ? digits[three >> 6 & 63] : '=',
                              n > 2 ? digits[three & 63] : '='};
        hlrp_str_addn(s, four, 4);
    }
}

hlrp_status hlrp_html_image(hlrp_str *s, const hlrp_image *image, int quality, const char *alt,
                            hlrp_error *err) {
    uint8_t *bytes = NULL;
    size_t size = 0;
    const hlrp_status status = hlrp_jpeg_encode(image, quality, &bytes, &size, err);
    if (status != HLRP_OK)
        return status;
    hlrp_str_addf(s, "<img width=\"%lld\" height=\"%lld\" alt=\"", (long long)image->width,
                  (long long)image->height);
    hlrp_html_text(s, alt);
    hlrp_str_add(s, "\" src=\"data:image/jpeg;base64,");
    hlrp_html_base64(s, bytes, size);
    hlrp_str_add(s, "\">");
    free(bytes);
    return HLRP_OK;
}

/* printf's decimal sign is the locale's. */
static void add_number(hlrp_str *s, const char *format, double value) {
    char text[48];
    snprintf(text, sizeof text, format, value);
    for (char *c = text; *c; c++)
        if (*c == ',')
            *c = '.';
    if (text[0] == '-') {
        hlrp_str_add(s, "−");
        hlrp_str_add(s, text + 1);
    } else {
        hlrp_str_add(s, text);
    }
}

void hlrp_html_number(hlrp_str *s, double value) {
    if (isfinite(value))
        add_number(s, fabs(value) >= 100 && fabs(value) < 1e6 ? "%.0f" : "%.3g", value);
    else
        hlrp_str_add(s, "–");
}

void hlrp_html_share(hlrp_str *s, double share) {
    if (!isfinite(share)) {
        hlrp_str_add(s, "–");
        return;
    }
    if (fabs(share) < 5e-4)
        share = 0; /* no "−0.0" */
    add_number(s, fabs(share) < 0.0995 ? "%.1f" : "%.0f", 100 * share);
    hlrp_str_add(s, " %");
}

void hlrp_html_probability(hlrp_str *s, double p) {
    if (p > 0 && p < 5e-4)
        hlrp_str_add(s, "under 0.1 %");
    else if (p < 1 && p > 1 - 5e-4)
        hlrp_str_add(s, "over 99.9 %");
    else if (p < 1 && p > 0.9005) {
        add_number(s, "%.1f", 100 * p);
        hlrp_str_add(s, " %");
    } else
        hlrp_html_share(s, p);
}

void hlrp_html_bar(hlrp_str *s, const char *css_class, double share) {
    const double width = isfinite(share) ? fmin(fmax(share, 0), 1) : 0;
    hlrp_str_addf(s, "<span class=\"bar %s\" aria-hidden=\"true\"><i style=\"width:%d%%\">",
                  css_class, (int)lround(100 * width));
    hlrp_str_add(s, "</i></span>");
}
