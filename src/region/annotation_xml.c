/* XML of ASAP, and of Aperio ImageScope and HALO: all is in attributes, so that one pass of events
 * does and no tree is built. Nothing outside the file is ever read, and a file with a document type
 * is refused before an entity can be used. */
#include <stdlib.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#include "region/annotation.h"

typedef enum dialect { UNKNOWN, ASAP, IMAGESCOPE, FOREIGN } dialect;

typedef struct place {
    double x, y;
    int64_t order, index; /* ASAP's Order; the place in the file */
} place;

/* ASAP's Group: its name, and that of the group around it. */
typedef struct nesting {
    char *name, *parent;
} nesting;

typedef struct reader {
    hlrp_drawing *drawing;
    hlrp_error *err;
    const char *path;
    xmlParserCtxtPtr parser;
    hlrp_status status;
    dialect dialect;
    char root[64];
    int64_t number; /* of the annotation or region, from 1 */
    bool in_shape;  /* inside an Annotation (ASAP) or a Region (ImageScope) */
    char *class;    /* of the annotation; NULL: none yet */
    char kind[32];  /* its Type */
    bool negative, bad, region_seen;
    bool unnamed;    /* the layer has no class: its regions have */
    char *attribute; /* the layer's attribute's name, where it may be a class */
    place *places;
    int64_t place_count, place_capacity;
    nesting *nestings;
    int64_t nesting_count, nesting_capacity;
} reader;

/* ---- attributes ---- */

typedef struct attributes {
    const xmlChar **list; /* name, prefix, URI, value's begin and end, each */
    int count;
} attributes;

static bool is(const xmlChar *name, const char *text) {
    return strcmp((const char *)name, text) == 0;
}

static const xmlChar *const *find(const attributes *a, const char *name) {
    for (int i = 0; i < a->count; i++)
        if (is(a->list[5 * i], name))
            return a->list + 5 * i + 3;
    return NULL;
}

/* The attribute's text; "" where it is absent. A value that does not fit is cut. */
static void copy_text(const attributes *a, const char *name, char *out, size_t size) {
    const xmlChar *const *value = find(a, name);
    size_t n = value ? (size_t)(value[1] - value[0]) : 0;
    n = HLRP_MIN(n, size - 1);
    if (n > 0)
        memcpy(out, value[0], n);
    out[n] = '\0';
}

/* The same, allocated; at most 1 KiB of it. */
static hlrp_status take_text(const attributes *a, const char *name, char **out, hlrp_error *err) {
    char text[1025];
    copy_text(a, name, text, sizeof text);
    free(*out);
    *out = hlrp_strdup(text, err);
    return *out ? HLRP_OK : err->status;
}

/* A number, its decimal point a comma where the program's locale had one. */
static bool take_number(const attributes *a, const char *name, double *out) {
    char text[64];
    copy_text(a, name, text, sizeof text);
    char *comma = strchr(text, ',');
    if (comma)
        *comma = '.';
    return !strchr(text, '/') && hlrp_parse_double(text, out);
}

/* ---- shapes ---- */

static hlrp_status add_place(reader *r, const attributes *a) {
    place p = {.index = r->place_count, .order = r->place_count};
    char order[32];
    copy_text(a, "Order", order, sizeof order);
    if (*order && !hlrp_parse_int(order, &p.order))
        r->bad = true;
    if (!take_number(a, "X", &p.x) || !take_number(a, "Y", &p.y))
        r->bad = true;
    hlrp_status status =
        hlrp_grow(&r->places, &r->place_capacity, r->place_count + 1, sizeof p, r->err);
    if (status == HLRP_OK)
        r->places[r->place_count++] = p;
    return status;
}

static int by_order(const void *a, const void *b) {
    const place *p = a, *q = b;
    if (p->order != q->order)
        return p->order < q->order ? -1 : 1;
    return (p->index > q->index) - (p->index < q->index);
}

static hlrp_status add_polygon(reader *r, int64_t group) {
    hlrp_status status = HLRP_OK;
    hlrp_drawing *d = r->drawing;
    HLRP_TRY(hlrp_drawing_begin(d, HLRP_SHAPE_POLYGON, group, r->number, r->err));
    d->shapes[d->shape_count - 1].negative = r->negative;
    d->bad = r->bad;
    HLRP_TRY(hlrp_drawing_ring(d, false, r->err));
    for (int64_t i = 0; i < r->place_count; i++)
        HLRP_TRY(hlrp_drawing_vertex(d, r->places[i].x, r->places[i].y, r->err));
    hlrp_drawing_end(d);
out:
    return status;
}

/* Rectangles and ellipses are given by two corners: HALO names them, ImageScope numbers them 1 and 2. */
static bool is_ellipse(const reader *r) {
    return strcmp(r->kind, "Ellipse") == 0 ||
           (r->dialect == IMAGESCOPE && strcmp(r->kind, "2") == 0);
}

static bool is_box(const reader *r) {
    return strcmp(r->kind, "Rectangle") == 0 || is_ellipse(r) ||
           (r->dialect == IMAGESCOPE && strcmp(r->kind, "1") == 0);
}

/* ImageScope's other numbers are arrows and rulers, however many places they have. */
static bool is_pointer(const reader *r) {
    int64_t number = 0;
    return r->dialect == IMAGESCOPE && hlrp_parse_int(r->kind, &number) && number > 2;
}

static hlrp_status add_box(reader *r, int64_t group) {
    hlrp_status status = HLRP_OK;
    hlrp_drawing *d = r->drawing;
    const bool ellipse = is_ellipse(r);
    const place *p = r->places;
    const hlrp_vertex low = {HLRP_MIN(p[0].x, p[1].x), HLRP_MIN(p[0].y, p[1].y)};
    const hlrp_vertex high = {HLRP_MAX(p[0].x, p[1].x), HLRP_MAX(p[0].y, p[1].y)};
    HLRP_TRY(hlrp_drawing_begin(d, ellipse ? HLRP_SHAPE_ELLIPSE : HLRP_SHAPE_POLYGON, group,
                                r->number, r->err));
    d->shapes[d->shape_count - 1].negative = r->negative;
    d->bad = r->bad;
    if (ellipse) {
        HLRP_TRY(hlrp_drawing_ellipse(d, low, high, r->err));
    } else {
        HLRP_TRY(hlrp_drawing_ring(d, false, r->err));
        HLRP_TRY(hlrp_drawing_vertex(d, low.x, low.y, r->err));
        HLRP_TRY(hlrp_drawing_vertex(d, high.x, low.y, r->err));
        HLRP_TRY(hlrp_drawing_vertex(d, high.x, high.y, r->err));
        HLRP_TRY(hlrp_drawing_vertex(d, low.x, high.y, r->err));
    }
    hlrp_drawing_end(d);
out:
    return status;
}

/* ImageScope's Type 0 is not to be trusted: there the number of places decides. */
static hlrp_status finish_shape(reader *r) {
    hlrp_status status = HLRP_OK;
    int64_t group = 0;
    r->in_shape = false;
    HLRP_TRY(hlrp_drawing_group(r->drawing, r->class, &group, r->err));
    if (r->dialect == ASAP && r->place_count > 1)
        qsort(r->places, (size_t)r->place_count, sizeof *r->places, by_order);
    if (r->place_count == 2 && is_box(r))
        return add_box(r, group);
    if (r->place_count == 0)
        hlrp_drawing_slip(r->drawing, HLRP_SLIP_SHAPELESS, r->number);
    else if (strcmp(r->kind, "Dot") == 0 || strcmp(r->kind, "PointSet") == 0 || r->place_count == 1)
        return hlrp_drawing_skip(r->drawing, HLRP_SHAPE_POINT, group, r->number, r->err);
    else if (strcmp(r->kind, "Measurement") == 0 || r->place_count == 2 || is_pointer(r))
        return hlrp_drawing_skip(r->drawing, HLRP_SHAPE_LINE, group, r->number, r->err);
    else
        return add_polygon(r, group);
out:
    return status;
}

static void begin_shape(reader *r, const attributes *a) {
    char negative[8];
    copy_text(a, "Type", r->kind, sizeof r->kind);
    copy_text(a, "NegativeROA", negative, sizeof negative);
    r->negative = strcmp(negative, "1") == 0 || strcasecmp(negative, "true") == 0;
    r->place_count = 0;
    r->bad = false;
    r->in_shape = true;
    r->number++;
}

/* ---- ASAP ---- */

/* Without a group the annotation goes by its name only where that is not ASAP's own "Annotation N".
 */
static hlrp_status asap_class(reader *r, const attributes *a) {
    hlrp_status status = take_text(a, "PartOfGroup", &r->class, r->err);
    if (status != HLRP_OK || (*r->class && strcmp(r->class, "None") != 0))
        return status;
    status = take_text(a, "Name", &r->class, r->err);
    if (status == HLRP_OK && hlrp_glob_match("annotation [0-9]*", r->class, true))
        r->class[0] = '\0';
    return status;
}

static hlrp_status add_nesting(reader *r, const attributes *a) {
    hlrp_status status = HLRP_OK;
    nesting n = {NULL, NULL};
    HLRP_TRY(take_text(a, "Name", &n.name, r->err));
    HLRP_TRY(take_text(a, "PartOfGroup", &n.parent, r->err));
    HLRP_TRY(hlrp_grow(&r->nestings, &r->nesting_capacity, r->nesting_count + 1, sizeof n, r->err));
    r->nestings[r->nesting_count++] = n;
    return HLRP_OK;
out:
    free(n.name);
    free(n.parent);
    return status;
}

static hlrp_status asap_start(reader *r, const xmlChar *name, const attributes *a) {
    if (is(name, "Annotation")) {
        begin_shape(r, a);
        return asap_class(r, a);
    }
    if (is(name, "Coordinate") && r->in_shape)
        return add_place(r, a);
    if (is(name, "Group"))
        return add_nesting(r, a);
    return HLRP_OK;
}

static int64_t group_at(const hlrp_drawing *d, const char *name) {
    for (int64_t i = 0; i < d->group_count; i++)
        if (strcmp(d->groups[i].name, name) == 0)
            return i;
    return -1;
}

static bool is_above(const hlrp_drawing *d, int64_t upper, int64_t lower) {
    for (int64_t i = lower; i >= 0; i = d->groups[i].parent)
        if (i == upper)
            return true;
    return false;
}

/* Groups around groups, where the file has areas in them; rings of groups are not followed. Then
 * the rule of the CAMELYON data: what is in "_2" (beside Tumor, "_0" or "_1") and in "normal"
 * (beside "metastases") is no tumor, cut out of the others. */
static hlrp_status asap_finish(reader *r) {
    hlrp_drawing *d = r->drawing;
    hlrp_status status = HLRP_OK;
    int64_t parent = 0;
    for (int64_t i = 0; i < r->nesting_count; i++) {
        const nesting *n = &r->nestings[i];
        const int64_t group = group_at(d, n->name);
        if (group < 0 || !*n->parent || strcmp(n->parent, "None") == 0)
            continue;
        HLRP_TRY(hlrp_drawing_group(d, n->parent, &parent, r->err));
        if (!is_above(d, group, parent))
            d->groups[group].parent = parent;
    }
    const bool camelyon16 =
        group_at(d, "Tumor") >= 0 || group_at(d, "_0") >= 0 || group_at(d, "_1") >= 0;
    if (camelyon16 && group_at(d, "_2") >= 0)
        d->groups[group_at(d, "_2")].cut_out = true;
    if (group_at(d, "metastases") >= 0 && group_at(d, "normal") >= 0)
        d->groups[group_at(d, "normal")].cut_out = true;
out:
    return status;
}

/* ---- ImageScope and HALO ---- */

/* Without a name the layer goes by what its attributes say: the first Value; of a program that has the
 * class for the attribute's name, that. ImageScope's own attribute is called "Description". */
static hlrp_status take_attribute(reader *r, const attributes *a) {
    hlrp_status status = take_text(a, "Value", &r->class, r->err);
    if (status != HLRP_OK || *r->class || (r->attribute && *r->attribute))
        return status;
    status = take_text(a, "Name", &r->attribute, r->err);
    if (status == HLRP_OK && strcmp(r->attribute, "Description") == 0)
        r->attribute[0] = '\0';
    return status;
}

/* The class of a region whose layer has none: its own text, else the attribute's name. */
static hlrp_status take_region_class(reader *r, const attributes *a) {
    hlrp_status status = take_text(a, "Text", &r->class, r->err);
    if (status != HLRP_OK || *r->class || !r->attribute)
        return status;
    free(r->class);
    r->class = hlrp_strdup(r->attribute, r->err);
    return r->class ? HLRP_OK : r->err->status;
}

/* The class is the layer's name, else its attributes' (which stand before the regions), else each
 * region's own. */
static hlrp_status imagescope_start(reader *r, const xmlChar *name, const attributes *a) {
    if (is(name, "Annotation")) {
        r->region_seen = r->unnamed = false;
        free(r->attribute);
        r->attribute = NULL;
        return take_text(a, "Name", &r->class, r->err);
    }
    if (is(name, "Attribute") && !r->region_seen && (!r->class || !*r->class))
        return take_attribute(r, a);
    if (is(name, "Region")) {
        r->unnamed = r->unnamed || !r->class || !*r->class;
        r->region_seen = true;
        begin_shape(r, a);
        return r->unnamed ? take_region_class(r, a) : HLRP_OK;
    }
    if ((is(name, "Vertex") || is(name, "V")) && r->in_shape)
        return add_place(r, a);
    return HLRP_OK;
}

/* ---- events ---- */

static void stop(reader *r, hlrp_status status) {
    if (status == HLRP_OK)
        return;
    r->status = status;
    xmlStopParser(r->parser);
}

static void on_document_type(void *user, const xmlChar *name, const xmlChar *external,
                             const xmlChar *system) {
    reader *r = user;
    (void)name;
    (void)external;
    (void)system;
    stop(r, hlrp_fail(r->err, HLRP_E_INPUT, r->path, "remove its <!DOCTYPE …>",
                      "the XML has a document type, which annotation files have not"));
}

static void find_dialect(reader *r, const xmlChar *name) {
    r->dialect = is(name, "ASAP_Annotations") ? ASAP
                 : is(name, "Annotations")    ? IMAGESCOPE
                                              : FOREIGN;
    snprintf(r->root, sizeof r->root, "%s", (const char *)name);
    r->drawing->format = r->dialect == ASAP ? "ASAP XML" : "ImageScope XML";
    r->drawing->cuts_all = r->dialect == IMAGESCOPE;
    if (r->dialect == FOREIGN)
        stop(r, hlrp_fail(r->err, HLRP_E_INPUT, r->path,
                          "export XML from ASAP, ImageScope or HALO, or GeoJSON",
                          "the XML is of an unknown kind: it begins with <%s>", r->root));
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespaces, const xmlChar **spaces, int count, int defaulted,
                     const xmlChar **list) {
    reader *r = user;
    const attributes a = {list, count};
    (void)prefix;
    (void)uri;
    (void)namespaces;
    (void)spaces;
    (void)defaulted;
    if (r->status != HLRP_OK)
        return;
    if (r->dialect == UNKNOWN)
        find_dialect(r, name);
    else
        stop(r, r->dialect == ASAP ? asap_start(r, name, &a) : imagescope_start(r, name, &a));
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
    reader *r = user;
    (void)prefix;
    (void)uri;
    if (r->status == HLRP_OK && r->in_shape &&
        is(name, r->dialect == ASAP ? "Annotation" : "Region"))
        stop(r, finish_shape(r));
}

static xmlParserInputPtr refuse_external(void *user, const xmlChar *public, const xmlChar *system) {
    (void)user;
    (void)public;
    (void)system;
    return NULL;
}

/* ---- the file ---- */

static hlrp_status parse(reader *r, const char *bytes, int64_t size) {
    /* NOENT has &amp; and its likes in attributes decoded; a file cannot define entities of its own,
     * as document types are refused. */
    const int options = XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlSAXHandler events = {.initialized = XML_SAX2_MAGIC,
                            .internalSubset = on_document_type,
                            .externalSubset = on_document_type,
                            .resolveEntity = refuse_external,
                            .startElementNs = on_start,
                            .endElementNs = on_end};
    r->parser = xmlNewParserCtxt();
    if (!r->parser)
        return hlrp_fail(r->err, HLRP_E_MEMORY, r->path, NULL, "no memory left for an XML parser");
    *r->parser->sax = events;
    r->parser->userData = r;
    xmlDocPtr none = xmlCtxtReadMemory(r->parser, bytes, (int)size, NULL, NULL, options);
    if (none)
        xmlFreeDoc(none);
    if (r->status != HLRP_OK || r->parser->wellFormed)
        return r->status;
    const xmlError *bad = xmlCtxtGetLastError(r->parser);
    const char *why = bad && bad->message ? bad->message : "it cannot be parsed";
    return hlrp_fail(r->err, HLRP_E_INPUT, r->path, "export the annotations again",
                     "the file is not well-formed XML: line %d: %.*s", bad ? bad->line : 0,
                     (int)HLRP_MIN(strcspn(why, "\n"), 200), why);
}

hlrp_status hlrp_read_annotation_xml(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                                     hlrp_error *err) {
    reader r = {.drawing = out, .err = err, .path = path};
    hlrp_status status = parse(&r, bytes, size);
    if (status == HLRP_OK && r.dialect == ASAP)
        status = asap_finish(&r);
    xmlFreeParserCtxt(r.parser);
    for (int64_t i = 0; i < r.nesting_count; i++) {
        free(r.nestings[i].name);
        free(r.nestings[i].parent);
    }
    free(r.nestings);
    free(r.places);
    free(r.class);
    free(r.attribute);
    return status;
}
