#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/util.h"

static const char *skip_blanks(const char *p) {
    return p + strspn(p, " \t\r\n");
}

bool hlrp_parse_int(const char *text, int64_t *out) {
    char *end = NULL;
    errno = 0;
    const char *p = skip_blanks(text);
    const long long value = strtoll(p, &end, 10);
    if (end == p || errno != 0 || *skip_blanks(end) != '\0')
        return false;
    *out = value;
    return true;
}

/* A decimal number at *p: digits, one point, an exponent; no hex, inf or nan. Moves *p behind it.
 */
static bool number_at(const char **p, double *out) {
    const char *q = skip_blanks(*p);
    if (strspn(q, "+-.0123456789eE") == 0)
        return false;
    locale_t c = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    if (c == (locale_t)0)
        return false;
    char *end = NULL;
    const double value = strtod_l(q, &end, c);
    freelocale(c);
    if (end == q || memchr(q, 'x', (size_t)(end - q)) || memchr(q, 'X', (size_t)(end - q)))
        return false;
    *out = value;
    *p = skip_blanks(end);
    return isfinite(value);
}

bool hlrp_parse_double(const char *text, double *out) {
    double value = 0, divisor = 1;
    const char *p = text;
    if (!number_at(&p, &value))
        return false;
    if (*p == '/') {
        p++;
        if (!number_at(&p, &divisor))
            return false;
    }
    if (*p != '\0' || !isfinite(value / divisor))
        return false;
    *out = value / divisor;
    return true;
}

bool hlrp_parse_bool(const char *text, bool *out) {
    static const char *const words[] = {"off", "on", "false", "true", "no", "yes", "0", "1"};
    const char *p = skip_blanks(text);
    size_t n = strlen(p);
    while (n > 0 && strchr(" \t\r\n", p[n - 1]))
        n--;
    for (size_t i = 0; i < HLRP_COUNT(words); i++)
        if (strlen(words[i]) == n && strncasecmp(words[i], p, n) == 0) {
            *out = i % 2 == 1;
            return true;
        }
    return false;
}
