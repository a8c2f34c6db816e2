/* An annotation file of any kind: told by content, read, and cleared of what does not count. */
#include "region/annotation.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BYTES (INT64_C(1) << 30)

/* Without the byte order mark and the blanks in front. */
static char *skip_front(char *bytes) {
    if (memcmp(bytes, "\xef\xbb\xbf", strnlen(bytes, 3)) == 0 && strlen(bytes) >= 3)
        bytes += 3;
    return bytes + strspn(bytes, " \t\r\n");
}

/* XML may also be UTF-16, which its parser knows; the others may not. */
static bool is_xml(const char *bytes, int64_t size) {
    return bytes[0] == '<' || (size >= 4 && (memcmp(bytes, "\xff\xfe<\0", 4) == 0 ||
                                             memcmp(bytes, "\xfe\xff\0<", 4) == 0));
}

static hlrp_status read_any(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                            hlrp_error *err) {
    char *front = skip_front(bytes);
    const int64_t left = size - (front - bytes);
    if (left <= 0)
        return hlrp_fail(err, HLRP_E_INPUT, path, "export the annotations again",
                         "the annotation file is empty");
    if (is_xml(front, left))
        return hlrp_read_annotation_xml(front, left, path, out, err);
    if (*front == '{' || *front == '[')
        return hlrp_read_geojson(front, left, path, out, err);
    return hlrp_read_vertex_csv(front, left, path, out, err);
}

/* Detections count where nothing was annotated: a file of cells is meant to be used, but cells
 * beside a pathologist's outline are not. */
static void drop_minor(hlrp_drawing *d) {
    bool annotated = false;
    for (int64_t i = 0; i < d->shape_count; i++)
        annotated = annotated || (!d->shapes[i].minor && d->shapes[i].ring_count > 0);
    int64_t kept = 0;
    for (int64_t i = 0; i < d->shape_count; i++) {
        if (annotated && d->shapes[i].minor)
            hlrp_drawing_slip(d, HLRP_SLIP_MINOR, d->shapes[i].number);
        else
            d->shapes[kept++] = d->shapes[i];
    }
    d->shape_count = kept;
}

static const struct {
    const char *what, *why;
} SLIPS[HLRP_SLIP_KINDS] = {
    [HLRP_SLIP_POINTS] = {"points or lines", "have no area: skipped"},
    [HLRP_SLIP_MINOR] = {"detections", "do not count beside annotations: skipped"},
    [HLRP_SLIP_NOT_FINITE] = {"shapes", "have coordinates that are no numbers: dropped"},
    [HLRP_SLIP_TOO_FEW] = {"rings", "have fewer than three places: dropped"},
    [HLRP_SLIP_SHAPELESS] = {"shapes", "have no geometry that can be read: dropped"},
};

static void warn_of_slips(const hlrp_drawing *d, const char *path, const hlrp_log *log) {
    for (int k = 0; k < HLRP_SLIP_KINDS; k++)
        if (d->slips[k].count > 0)
            hlrp_logf(log, HLRP_LOG_WARN, "%s: %lld %s (the first at shape %lld) %s", path,
                      (long long)d->slips[k].count, SLIPS[k].what, (long long)d->slips[k].first,
                      SLIPS[k].why);
}

/* The first reason why nothing is left. */
static hlrp_status nothing_usable(const hlrp_drawing *d, const char *path, hlrp_error *err) {
    const long long points = d->slips[HLRP_SLIP_POINTS].count;
    const char *why = d->slips[HLRP_SLIP_NOT_FINITE].count > 0
                          ? "its shapes have coordinates that are no numbers, or beyond 1e9"
                      : d->slips[HLRP_SLIP_SHAPELESS].count > 0
                          ? "its shapes have no geometry that can be read (a Polygon's coordinates "
                            "are a list of rings)"
                      : d->slips[HLRP_SLIP_TOO_FEW].count > 0
                          ? "its rings have fewer than three places"
                      : points > 0 ? "it has only points and lines"
                                   : "it has no shapes";
    return hlrp_fail(err, HLRP_E_INPUT, path, "draw closed areas and export them again",
                     "no area in this %s can be used: %s", d->format, why);
}

/* What is missing may be a hole: then what was marked as no tumor is looked at as tumor. */
static hlrp_status check_unreadable(const hlrp_drawing *d, const char *path, hlrp_error *err) {
    static const hlrp_slip kinds[] = {HLRP_SLIP_NOT_FINITE, HLRP_SLIP_SHAPELESS};
    for (size_t k = 0; k < HLRP_COUNT(kinds); k++)
        if (d->slips[kinds[k]].count > 0)
            return hlrp_fail(
                err, HLRP_E_INPUT, path, "mend the file, or set regions.on_unreadable = skip",
                "%lld %s (the first at shape %lld) %s", (long long)d->slips[kinds[k]].count,
                SLIPS[kinds[k]].what, (long long)d->slips[kinds[k]].first,
                kinds[k] == HLRP_SLIP_NOT_FINITE ? "have coordinates that are no numbers"
                                                 : "have no geometry that can be read");
    return HLRP_OK;
}

hlrp_status hlrp_drawing_parse(char *bytes, int64_t size, const char *path, bool skip,
                               const hlrp_log *log, hlrp_drawing *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    bool usable = false;
    HLRP_TRY(read_any(bytes, size, path, out, err));
    drop_minor(out);
    for (int64_t i = 0; i < out->shape_count; i++)
        usable = usable || (out->shapes[i].ring_count > 0 && !out->shapes[i].negative);
    if (!usable)
        status = nothing_usable(out, path, err);
    else if (!skip)
        status = check_unreadable(out, path, err);
    if (status == HLRP_OK)
        warn_of_slips(out, path, log);
out:
    if (status != HLRP_OK)
        hlrp_drawing_free(out);
    return status;
}

hlrp_status hlrp_drawing_read(const char *path, bool skip, const hlrp_log *log, hlrp_drawing *out,
                              hlrp_error *err) {
    char *bytes = NULL;
    int64_t size = 0;
    *out = (hlrp_drawing){0};
    hlrp_status status = hlrp_read_file(path, MOST_BYTES, &bytes, &size, err);
    if (status == HLRP_OK)
        status = hlrp_drawing_parse(bytes, size, path, skip, log, out, err);
    free(bytes);
    return status;
}

bool hlrp_drawing_is_geojson(const hlrp_drawing *d) {
    return d->format && strcmp(d->format, "GeoJSON") == 0;
}
