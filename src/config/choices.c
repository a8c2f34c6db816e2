#include <string.h>

#include "config/choices.h"

static bool matches(const char *choice, size_t n, const char *text, size_t text_n) {
    const char *star = memchr(choice, '*', n);
    const size_t head = star ? (size_t)(star - choice) : n;
    return (star ? text_n > head : text_n == head) && strncmp(choice, text, head) == 0;
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

static const char *choice_at(const char *choices, int i) {
    const char *p = choices;
    for (; i > 0 && *p; i--) {
        p += strcspn(p, "|");
        p += *p == '|';
    }
    return p;
}

void hlrp_choice_name(const char *choices, int i, char *buf, size_t size) {
    const char *p = choice_at(choices, i);
    const size_t n = strcspn(p, "|"), head = strcspn(p, "*|");
    const size_t tail = head < n ? head + 1 : n; /* behind the star */
    snprintf(buf, size, "%.*s%.*s", (int)head, p, (int)(n - tail), p + tail);
}

/* Of a choice with a tail its head counts: "pair:" is nearer to pair:NAME than to anything else. */
void hlrp_choice_nearest(const char *choices, const char *text, char *buf, size_t size) {
    char head[80];
    int least = 0;
    buf[0] = '\0';
    for (int i = 0;; i++) {
        const char *p = choice_at(choices, i);
        if (p[0] == '\0')
            return;
        snprintf(head, sizeof head, "%.*s", (int)strcspn(p, "*|"), p);
        const int distance = hlrp_edit_distance(text, head);
        if (buf[0] == '\0' || distance < least) {
            hlrp_choice_name(choices, i, buf, size);
            least = distance;
        }
    }
}
