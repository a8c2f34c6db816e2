#include "sink/report_fragment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (INT64_C(16) << 20)

/* The text up to the next TAB; moves on behind it. */
static char *next(char **line) {
    char *start = *line, *tab = strchr(start, '\t');
    if (tab)
        *tab = '\0';
    *line = tab ? tab + 1 : start + strlen(start);
    return start;
}

static double number(const char *text) {
    double value = 0;
    return hlrp_parse_double(text, &value) ? value : NAN;
}

static void take_kind(hlrp_fragment *f, char *line) {
    if (f->kind_count == HLRP_GROUND_MOST)
        return;
    hlrp_fragment_kind *k = &f->kinds[f->kind_count++];
    const char *judged = next(&line);
    k->accused = strcmp(judged, "accused") == 0;
    k->suspect = k->accused || strcmp(judged, "suspect") == 0;
    k->pixels = number(next(&line));
    k->plus = number(next(&line));
    k->minus = number(next(&line));
    snprintf(k->name, sizeof k->name, "%s", line);
}

static void take(hlrp_fragment *f, char *line) {
    const char *key = next(&line);
    const struct {
        const char *key;
        double *value;
    } numbers[] = {{"plus", &f->plus}, {"minus", &f->minus},         {"pixels", &f->pixels},
                   {"mean", &f->mean}, {"predicted", &f->predicted}, {"score", &f->score}};
    for (size_t i = 0; i < HLRP_COUNT(numbers); i++)
        if (strcmp(key, numbers[i].key) == 0)
            *numbers[i].value = number(line);
    if (strcmp(key, "class") == 0)
        snprintf(f->class_name, sizeof f->class_name, "%s", line);
    if (strcmp(key, "called") == 0)
        snprintf(f->called, sizeof f->called, "%s", line);
    if (strcmp(key, "signs") == 0)
        f->signs_differ = strcmp(line, "differ") == 0;
    if (strcmp(key, "kind") == 0)
        take_kind(f, line);
}

hlrp_status hlrp_fragment_read(const char *path, hlrp_fragment *f, char **text, const char **body,
                               hlrp_error *err) {
    static const char mark[] = "histolrp-report\t1\n";
    int64_t size = 0;
    hlrp_status status = HLRP_OK;
    *f = (hlrp_fragment){
        .plus = NAN, .minus = NAN, .pixels = NAN, .mean = NAN, .predicted = NAN, .score = NAN};
    *text = NULL;
    HLRP_TRY(hlrp_read_file(path, MOST_BYTES, text, &size, err));
    char *end = strstr(*text, "\n\n");
    if (strncmp(*text, mark, sizeof mark - 1) != 0 || !end) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, "remove it and run the slide again",
                           "this is no part of a report");
        goto out;
    }
    *body = end + 2;
    end[1] = '\0';
    for (char *line = *text + sizeof mark - 1; *line;) {
        char *stop = strchr(line, '\n');
        *stop = '\0';
        take(f, line);
        line = stop + 1;
    }
out:
    return status;
}

double hlrp_fragment_suspect(const hlrp_fragment *f) {
    double plus = 0;
    for (int64_t k = 0; k < f->kind_count; k++)
        plus += f->kinds[k].suspect ? f->kinds[k].plus : 0;
    return f->plus > 0 ? plus / f->plus : NAN;
}

bool hlrp_fragment_accused(const hlrp_fragment *f) {
    for (int64_t k = 0; k < f->kind_count; k++)
        if (f->kinds[k].accused)
            return true;
    return false;
}
