/* CSV of vertices: a header with ROI_name, X_base and Y_base (in any case and order, among other
 * columns), then one row per vertex. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "region/annotation.h"

enum { MOST_COLUMNS = 64 };

/* One line, its fields cut apart in place. */
typedef struct row {
    char *fields[MOST_COLUMNS];
    int count;
} row;

typedef struct table {
    char *next; /* the text that is left */
    int64_t line;
    char separator;
    int name, x, y; /* columns */
} table;

static char *trim(char *text) {
    text += strspn(text, " \t\r");
    size_t n = strlen(text);
    while (n > 0 && strchr(" \t\r", text[n - 1]))
        text[--n] = '\0';
    return text;
}

/* A field that ends at the separator or the text's end; quotes around it go, doubled ones inside
 * become one. Moves *p behind it; false at the end. */
static bool take_field(char **p, char separator, char **out) {
    char *from = *p + strspn(*p, " "), *to = from;
    if (*from != '"') {
        char *end = strchr(from, separator);
        *p = end ? end + 1 : from + strlen(from);
        *out = from;
        if (end)
            *end = '\0';
        *out = trim(from);
        return end;
    }
    char *q = from + 1;
    *out = from;
    for (; *q && !(*q == '"' && q[1] != '"'); q++) {
        q += *q == '"';
        *to++ = *q;
    }
    char *end = strchr(q, separator);
    *p = end ? end + 1 : q + strlen(q);
    *to = '\0';
    return end;
}

/* The next line that is not blank; false at the end. Fields beyond the most are passed over. */
static bool take_row(table *t, row *out) {
    while (*t->next) {
        char *line = t->next, *end = strchr(line, '\n');
        t->next = end ? end + 1 : line + strlen(line);
        if (end)
            *end = '\0';
        t->line++;
        line = trim(line);
        out->count = 0;
        if (!*line)
            continue;
        char *ignored = NULL;
        while (take_field(&line, t->separator,
                          out->count < MOST_COLUMNS ? &out->fields[out->count] : &ignored))
            out->count += out->count < MOST_COLUMNS;
        out->count += out->count < MOST_COLUMNS;
        return true;
    }
    return false;
}

static int column(const row *header, const char *name) {
    for (int i = 0; i < header->count; i++)
        if (strcasecmp(header->fields[i], name) == 0)
            return i;
    return -1;
}

static bool read_header(table *t) {
    row header = {.count = 0};
    const size_t n = strcspn(t->next, "\n");
    t->separator = memchr(t->next, ';', n) ? ';' : memchr(t->next, '\t', n) ? '\t' : ',';
    if (!take_row(t, &header))
        return false;
    t->name = column(&header, "ROI_name");
    t->x = column(&header, "X_base");
    t->y = column(&header, "Y_base");
    return t->name >= 0 && t->x >= 0 && t->y >= 0;
}

/* A number; a decimal comma where commas do not separate. */
static bool take_number(const table *t, const row *r, int i, double *out) {
    if (i >= r->count || strchr(r->fields[i], '/'))
        return false;
    char *comma = t->separator == ',' ? NULL : strchr(r->fields[i], ',');
    if (comma)
        *comma = '.';
    return hlrp_parse_double(r->fields[i], out);
}

/* The polygon being read: rows of one name that follow each other, up to the row that is the first
 * again (then the next row begins another polygon of that name). */
typedef struct polygon {
    bool open, closed;
    int64_t group, number, places;
    hlrp_vertex first;
} polygon;

static hlrp_status begin(hlrp_drawing *d, polygon *p, int64_t group, hlrp_error *err) {
    if (p->open)
        hlrp_drawing_end(d);
    *p = (polygon){.open = true, .group = group, .number = p->number + 1};
    hlrp_status status = hlrp_drawing_begin(d, HLRP_SHAPE_POLYGON, group, p->number, err);
    return status == HLRP_OK ? hlrp_drawing_ring(d, false, err) : status;
}

static hlrp_status add_row(const table *t, const row *r, hlrp_drawing *d, polygon *p,
                           hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t group = 0;
    hlrp_vertex v = {0, 0};
    HLRP_TRY(hlrp_drawing_group(d, t->name < r->count ? r->fields[t->name] : "", &group, err));
    if (!p->open || p->closed || group != p->group)
        HLRP_TRY(begin(d, p, group, err));
    if (!take_number(t, r, t->x, &v.x) || !take_number(t, r, t->y, &v.y)) {
        d->bad = true;
        return HLRP_OK;
    }
    if (p->places++ == 0)
        p->first = v;
    else
        p->closed = p->places > 3 && v.x == p->first.x && v.y == p->first.y;
    return hlrp_drawing_vertex(d, v.x, v.y, err);
out:
    return status;
}

hlrp_status hlrp_read_vertex_csv(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                                 hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    table t = {.next = bytes};
    polygon p = {.open = false};
    row r = {.count = 0};
    out->format = "CSV of vertices";
    if (memchr(bytes, '\0', (size_t)size))
        return hlrp_fail(err, HLRP_E_INPUT, path, "save it as UTF-8 text",
                         "the file is not text: it has a zero byte");
    if (!read_header(&t))
        return hlrp_fail(
            err, HLRP_E_INPUT, path,
            "use GeoJSON, the XML of ASAP, ImageScope or HALO, or CSV with these three",
            "the file is neither JSON nor XML, and line 1 does not name the columns "
            "ROI_name, X_base and Y_base");
    while (take_row(&t, &r))
        HLRP_TRY(add_row(&t, &r, out, &p, err));
    if (p.open)
        hlrp_drawing_end(out);
out:
    return status;
}
