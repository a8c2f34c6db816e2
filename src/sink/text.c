#include "sink/text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static hlrp_status failed(const hlrp_text *text, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_IO, text->file.final_path,
                     "make room or mend the disk, then run again", "cannot write the file: %s",
                     strerror(errno));
}

hlrp_status hlrp_text_open(hlrp_text *text, const char *path, hlrp_error *err) {
    const hlrp_status status = hlrp_atomic_begin(&text->file, path, err);
    if (status != HLRP_OK)
        return status;
    text->stream = fopen(text->file.path, "wbe");
    return text->stream ? HLRP_OK : failed(text, err);
}

hlrp_status hlrp_text_flush(hlrp_text *text, hlrp_error *err) {
    hlrp_str *s = &text->pending;
    hlrp_str_make_utf8(s);
    if (s->failed)
        return hlrp_fail(err, HLRP_E_MEMORY, text->file.final_path, NULL,
                         "no memory left for text");
    if (s->length && fwrite(s->text, 1, s->length, text->stream) != s->length)
        return failed(text, err);
    s->length = 0;
    return HLRP_OK;
}

hlrp_status hlrp_text_commit(hlrp_text *text, hlrp_error *err) {
    hlrp_status status = hlrp_text_flush(text, err);
    if (status != HLRP_OK)
        return status;
    FILE *stream = text->stream;
    text->stream = NULL;
    if (fclose(stream) != 0)
        return failed(text, err);
    return hlrp_atomic_commit(&text->file, err);
}

void hlrp_text_close(hlrp_text *text) {
    if (text->stream)
        fclose(text->stream);
    hlrp_atomic_abort(&text->file);
    hlrp_str_free(&text->pending);
    *text = (hlrp_text){0};
}

static bool reads_back(const char *digits, double value, bool single) {
    /* allowed: these are printf's own digits, in whatever locale. */
    return single ? strtof(digits, NULL) == (float)value /* allowed: as above */
                  : strtod(digits, NULL) == value;       /* allowed: as above */
}

static bool add_shortest(hlrp_str *s, double value, bool single) {
    char digits[48];
    if (!isfinite(value))
        return false;
    for (int precision = single ? 6 : 15; precision <= (single ? 9 : 17); precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (reads_back(digits, value, single))
            break;
    }
    for (char *c = digits; *c; c++)
        if (!strchr("0123456789+-e", *c))
            *c = '.'; /* the locale's decimal sign */
    hlrp_str_add(s, digits);
    return true;
}

bool hlrp_text_float(hlrp_str *s, float value) {
    return add_shortest(s, value, true);
}

bool hlrp_text_double(hlrp_str *s, double value) {
    return add_shortest(s, value, false);
}
