/* Names with any character, in a library that knows only some. */
#include <ctype.h>
#include <string.h>

#include "config/ini.h"

static bool is_plain(unsigned char c) {
    return c == '\t' || (c >= 0x20 && c < 0x7f && c != '!' && c != '%' && !(c >= 'A' && c <= 'Z'));
}

/* Bytes of a line that are a name: up to '=' of a key, up to the last ']' of a section; none in
 * comments and continuation lines. */
static size_t name_length(const char *line, size_t n) {
    if (n == 0 || strchr("#; \t\r", line[0]))
        return 0;
    if (line[0] == '[') {
        while (n > 0 && line[n - 1] != ']')
            n--;
        return n;
    }
    const char *equal = memchr(line, '=', n);
    return equal ? (size_t)(equal - line) : 0;
}

hlrp_status hlrp_ini_escape(const char *text, char **out, hlrp_error *err) {
    hlrp_str s = {0};
    hlrp_str_add(&s, "");
    for (const char *line = text; *line;) {
        const size_t n = strcspn(line, "\n"), name = name_length(line, n);
        for (size_t i = 0; i < name; i++) {
            const unsigned char c = (unsigned char)line[i];
            if (is_plain(c))
                hlrp_str_addn(&s, line + i, 1);
            else
                hlrp_str_addf(&s, "%%%02x", c);
        }
        hlrp_str_addn(&s, line + name, n - name + (line[n] == '\n'));
        line += n + (line[n] == '\n');
    }
    if (s.failed) {
        hlrp_str_free(&s);
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory");
    }
    *out = s.text;
    return HLRP_OK;
}

static int hex_digit(char c) {
    const char *digits = "0123456789abcdef",
               *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
    return at ? (int)(at - digits) : -1;
}

void hlrp_ini_unescape(char *name) {
    char *to = name;
    for (const char *p = name; *p; to++) {
        const int high = *p == '%' ? hex_digit(p[1]) : -1;
        const int low = high >= 0 ? hex_digit(p[2]) : -1;
        *to = low >= 0 ? (char)(16 * high + low) : *p;
        p += low >= 0 ? 3 : 1;
    }
    *to = '\0';
}
