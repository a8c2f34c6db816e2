#include "config/mil.h"

#include <string.h>

/* "P%" or "P %" with 0 < P ≤ 100. */
static bool percent(const char *text, double *share) {
    char number[40];
    const size_t n = strcspn(text, "%");
    if (n == 0 || n >= sizeof number || strcmp(text + n, "%") != 0)
        return false;
    memcpy(number, text, n);
    number[n] = '\0';
    for (size_t end = n; end > 0 && number[end - 1] == ' '; end--)
        number[end - 1] = '\0';
    if (!hlrp_parse_double(number, share) || !(*share > 0 && *share <= 100))
        return false;
    *share /= 100;
    return true;
}

static const char *after(const char *text, const char *word) {
    const size_t n = strlen(word);
    if (strncmp(text, word, n) != 0 || text[n] != ' ')
        return NULL;
    return text + n + strspn(text + n, " ");
}

bool hlrp_mil_pixels_parse(const char *text, hlrp_mil_pixels *out) {
    const char *top = after(text, "top"), *mass = after(text, "mass");
    *out = (hlrp_mil_pixels){.mass = mass, .share = strcmp(text, "all") == 0};
    if (strcmp(text, "none") == 0 || strcmp(text, "all") == 0)
        return true;
    return (top || mass) && percent(top ? top : mass, &out->share);
}

bool hlrp_mil_baselines_parse(const hlrp_text_list *names, int64_t *bits) {
    static const char *const known[] = {"attention", "single", "drop", "gradient-x-input"};
    *bits = 0;
    if (names->count == 1 && strcmp(names->items[0], "none") == 0)
        return true;
    for (int64_t i = 0; i < names->count; i++) {
        size_t k = 0;
        while (k < HLRP_COUNT(known) && strcmp(names->items[i], known[k]) != 0)
            k++;
        if (k == HLRP_COUNT(known))
            return false;
        *bits |= INT64_C(1) << k;
    }
    return true;
}
