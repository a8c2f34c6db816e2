/* Private to src/sink: a slide's fragment, read back. */
#ifndef HLRP_REPORT_FRAGMENT_H
#define HLRP_REPORT_FRAGMENT_H

#include "sink/report.h"

typedef struct hlrp_fragment_kind {
    char name[128];
    bool suspect, accused;
    double pixels, plus, minus;
} hlrp_fragment_kind;

/* The head of a fragment. Numbers are NaN where it has none. */
typedef struct hlrp_fragment {
    char class_name[128];
    char called[128]; /* a slide with one score: its class, and its probability; else "" and NaN */
    double plus, minus, pixels, mean, predicted, score;
    bool signs_differ; /* map and network do not agree */
    hlrp_fragment_kind kinds[HLRP_GROUND_MOST];
    int64_t kind_count;
} hlrp_fragment;

/* Reads the file; *text is all of it (the caller's to free), *body points into it. HLRP_E_INPUT
 * where it is none. */
hlrp_status hlrp_fragment_read(const char *path, hlrp_fragment *out, char **text, const char **body,
                               hlrp_error *err);

/* Shares of the relevance for the class, and of the area, on suspect ground; NaN where unknown. */
double hlrp_fragment_suspect(const hlrp_fragment *fragment);
bool hlrp_fragment_accused(const hlrp_fragment *fragment);

#endif
