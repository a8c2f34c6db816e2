#include <string.h>

#include "config/choices.h"

static bool matches(const char *choice, size_t n, const char *text, size_t text_n) {
    if (n > 0 && choice[n - 1] == '*')
        return text_n > n - 1 && strncmp(choice, text, n - 1) == 0;
    return n == text_n && strncmp(choice, text, n) == 0;
}

int hlrp_choice_find(const char *choices, const char *text, size_t n) {
    const char *p = choices;
    for (int i = 0;; i++) {
        const size_t length = strcspn(p, "|");
        if (matches(p, length, text, n))
            return i;
        if (p[length] == '\0')
            return -1;
        p += length + 1;
    }
}

void hlrp_choice_name(const char *choices, int i, char *buf, size_t size) {
    const char *p = choices;
    for (; i > 0 && *p; i--) {
        p += strcspn(p, "|");
        p += *p == '|';
    }
    snprintf(buf, size, "%.*s", (int)strcspn(p, "|"), p);
}

void hlrp_choice_nearest(const char *choices, const char *text, char *buf, size_t size) {
    char name[80];
    int least = 0;
    buf[0] = '\0';
    for (int i = 0;; i++) {
        hlrp_choice_name(choices, i, name, sizeof name);
        if (name[0] == '\0')
            return;
        const int distance = hlrp_edit_distance(text, name);
        if (buf[0] == '\0' || distance < least) {
            snprintf(buf, size, "%s", name);
            least = distance;
        }
    }
}
