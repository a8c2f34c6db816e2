/* The table of keys: the one place that knows what a configuration may say. */
#ifndef HLRP_CONFIG_TABLE_H
#define HLRP_CONFIG_TABLE_H

#include <stddef.h>

#include <histolrp/config.h>

/* How a value is written, and the C type of its field. */
typedef enum hlrp_key_type {
    HLRP_KEY_TEXT,    /* char *; `choices` may limit it */
    HLRP_KEY_PATH,    /* char *, made absolute */
    HLRP_KEY_INT,     /* int64_t */
    HLRP_KEY_SIZE,    /* int64_t bytes: 8G, 512M, 1048576 */
    HLRP_KEY_DOUBLE,  /* double */
    HLRP_KEY_BOOL,    /* bool */
    HLRP_KEY_ENUM,    /* an enum: the number of the choice */
    HLRP_KEY_FLAGS,   /* int64_t: choices joined by &; bit = 1 << number of the choice */
    HLRP_KEY_TEXTS,   /* hlrp_text_list */
    HLRP_KEY_PATHS,   /* hlrp_text_list, made absolute, also behind an "@" */
    HLRP_KEY_NUMBERS, /* hlrp_number_list */
    HLRP_KEY_TYPE_COUNT
} hlrp_key_type;

/* What a change of the key means to results that are already there. */
typedef enum hlrp_key_kind {
    HLRP_KIND_RESULT,  /* other numbers in relevance.h5 */
    HLRP_KIND_OUTPUT,  /* other files made from relevance.h5 */
    HLRP_KIND_COMPUTE, /* nothing: how it is computed */
    HLRP_KIND_PLACE    /* nothing by itself: where a file is; its content counts */
} hlrp_key_kind;

typedef struct hlrp_key {
    const char *section, *name;
    hlrp_key_type type;
    hlrp_key_kind kind;
    size_t offset;         /* of the field in hlrp_config */
    const char *initial;   /* the default as INI text; "" where there is none */
    const char *automatic; /* what "auto" or nothing stands for; NULL: no such form */
    const char *range;     /* "[0, 1)": for numbers; NULL: any */
    const char *choices; /* "a|b|c"; "x:*NAME" takes any tail, "#" a number in the range; or NULL */
    const char *help;
} hlrp_key;

extern const hlrp_key hlrp_keys[];
extern const int hlrp_key_count;

/* The keys of a [slide:NAME] section; offsets are into hlrp_config_slide. */
extern const hlrp_key hlrp_slide_keys[];
extern const int hlrp_slide_key_count;

#define HLRP_RULES_SECTION "rules"
#define HLRP_SLIDE_SECTION "slide:" /* NAME follows */

/* The key of a section; NULL: unknown. */
const hlrp_key *hlrp_key_find(const char *section, const char *name);

/* "section.name" → key; NULL: unknown. */
const hlrp_key *hlrp_key_find_dotted(const char *dotted);

/* The key that an unknown one was most likely meant to be (never NULL for a known section), and
 * the nearest section. Borrowed. */
const hlrp_key *hlrp_key_nearest(const char *section, const char *name);
const char *hlrp_section_nearest(const char *section);
bool hlrp_section_known(const char *section);

/* The bounds of "[0, 1)". Whether value lies within. A NULL range takes everything. */
typedef struct hlrp_range {
    double low, high;
    bool low_open, high_open;
} hlrp_range;

bool hlrp_range_parse(const char *text, hlrp_range *out);
bool hlrp_range_holds(const char *text, double value);

#endif
