/* Looking things up in the table of keys. */
#include <string.h>

#include "config/table.h"
#include "util/util.h"

bool hlrp_section_known(const char *section) {
    if (strcmp(section, HLRP_RULES_SECTION) == 0)
        return true;
    if (strncmp(section, HLRP_SLIDE_SECTION, strlen(HLRP_SLIDE_SECTION)) == 0)
        return section[strlen(HLRP_SLIDE_SECTION)] != '\0';
    for (int i = 0; i < hlrp_key_count; i++)
        if (strcmp(hlrp_keys[i].section, section) == 0)
            return true;
    return false;
}

static bool is_slide(const char *section) {
    return strncmp(section, HLRP_SLIDE_SECTION, strlen(HLRP_SLIDE_SECTION)) == 0;
}

const hlrp_key *hlrp_key_find(const char *section, const char *name) {
    const bool slide = is_slide(section);
    const hlrp_key *keys = slide ? hlrp_slide_keys : hlrp_keys;
    const int count = slide ? hlrp_slide_key_count : hlrp_key_count;
    for (int i = 0; i < count; i++)
        if ((slide || strcmp(keys[i].section, section) == 0) && strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}

const hlrp_key *hlrp_key_find_dotted(const char *dotted) {
    const char *dot = strchr(dotted, '.');
    for (int i = 0; dot && i < hlrp_key_count; i++) {
        const size_t n = strlen(hlrp_keys[i].section);
        if (n == (size_t)(dot - dotted) && strncmp(hlrp_keys[i].section, dotted, n) == 0 &&
            strcmp(hlrp_keys[i].name, dot + 1) == 0)
            return &hlrp_keys[i];
    }
    return NULL;
}

/* A key put into the wrong section is likelier than two typing errors. */
const hlrp_key *hlrp_key_nearest(const char *section, const char *name) {
    enum { OTHER_SECTION = 3 };
    const bool slide = is_slide(section);
    const hlrp_key *keys = slide ? hlrp_slide_keys : hlrp_keys, *best = NULL;
    const int count = slide ? hlrp_slide_key_count : hlrp_key_count;
    int least = 0;
    for (int i = 0; i < count; i++) {
        const bool here = slide || strcmp(keys[i].section, section) == 0;
        const int distance = hlrp_edit_distance(name, keys[i].name) + (here ? 0 : OTHER_SECTION);
        const bool usable = here || distance == OTHER_SECTION;
        if (usable && (!best || distance < least)) {
            best = &keys[i];
            least = distance;
        }
    }
    return best;
}

const char *hlrp_section_nearest(const char *section) {
    const char *best = is_slide(section) ? "slide:NAME" : HLRP_RULES_SECTION;
    int least = is_slide(section) ? 0 : hlrp_edit_distance(section, best);
    for (int i = 0; i < hlrp_key_count; i++) {
        const int distance = hlrp_edit_distance(section, hlrp_keys[i].section);
        if (distance < least) {
            best = hlrp_keys[i].section;
            least = distance;
        }
    }
    return best;
}

bool hlrp_range_parse(const char *text, hlrp_range *out) {
    char low[32] = "", high[32] = "", open = 0, close = 0;
    if (sscanf(text, "%c%31[^,], %31[^])]%c", &open, low, high, &close) != 4)
        return false;
    out->low_open = open == '(';
    out->high_open = close == ')';
    return (open == '(' || open == '[') && hlrp_parse_double(low, &out->low) &&
           hlrp_parse_double(high, &out->high);
}

bool hlrp_range_holds(const char *text, double value) {
    hlrp_range r = {0};
    if (!text)
        return true;
    if (!hlrp_range_parse(text, &r))
        return false;
    return (r.low_open ? value > r.low : value >= r.low) &&
           (r.high_open ? value < r.high : value <= r.high);
}
