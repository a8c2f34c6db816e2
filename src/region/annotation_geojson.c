/* GeoJSON, as QuPath writes it since 0.2: a collection, an array, one feature or a bare geometry. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "region/annotation.h"

/* GeometryCollections within each other; QuPath writes none at all. */
enum { MOST_NESTED = 8 };

/* NaN, Infinity and -Infinity are no JSON, but Java and Python write them. Outside of strings each
 * is blanked to an empty string, which is no number either: a measurement nobody reads, or a
 * coordinate that drops its shape. In place: the text's length stays. */
static void blank_tokens(char *text, int64_t size) {
    static const char *const tokens[] = {"-Infinity", "Infinity", "-NaN", "NaN"};
    bool quoted = false;
    for (int64_t i = 0; i < size; i++) {
        if (text[i] == '\\' && quoted)
            i++;
        else if (text[i] == '"')
            quoted = !quoted;
        for (size_t k = 0; !quoted && k < HLRP_COUNT(tokens); k++) {
            const int64_t n = (int64_t)strlen(tokens[k]);
            if (i + n <= size && memcmp(text + i, tokens[k], (size_t)n) == 0) {
                memset(text + i, ' ', (size_t)n);
                text[i] = text[i + 1] = '"';
                i += n - 1;
                break;
            }
        }
    }
}

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static hlrp_status add_position(hlrp_drawing *d, const json_t *position, hlrp_error *err) {
    const json_t *x = json_array_get(position, 0), *y = json_array_get(position, 1);
    if (!json_is_number(x) || !json_is_number(y)) {
        d->bad = true;
        return HLRP_OK;
    }
    return hlrp_drawing_vertex(d, json_number_value(x), json_number_value(y), err);
}

static hlrp_status add_rings(hlrp_drawing *d, const json_t *rings, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (size_t i = 0; i < json_array_size(rings); i++) {
        const json_t *ring = json_array_get(rings, i);
        HLRP_TRY(hlrp_drawing_ring(d, i > 0, err));
        for (size_t k = 0; k < json_array_size(ring); k++)
            HLRP_TRY(add_position(d, json_array_get(ring, k), err));
    }
out:
    return status;
}

/* The ellipse in the bounding box of the last shape's only ring, in its place. */
static hlrp_status add_ellipse(hlrp_drawing *d, const json_t *rings, hlrp_error *err) {
    const json_t *ring = json_array_get(rings, 0);
    hlrp_vertex low = {0, 0}, high = {0, 0};
    for (size_t k = 0; k < json_array_size(ring); k++) {
        const json_t *place = json_array_get(ring, k);
        const json_t *x = json_array_get(place, 0), *y = json_array_get(place, 1);
        if (!json_is_number(x) || !json_is_number(y)) {
            d->bad = true;
            return HLRP_OK;
        }
        const hlrp_vertex v = {json_number_value(x), json_number_value(y)};
        low = k == 0 ? v : (hlrp_vertex){HLRP_MIN(low.x, v.x), HLRP_MIN(low.y, v.y)};
        high = k == 0 ? v : (hlrp_vertex){HLRP_MAX(high.x, v.x), HLRP_MAX(high.y, v.y)};
    }
    return hlrp_drawing_ellipse(d, low, high, err);
}

/* Whether every ring is a list of positions: a Polygon written without the list around its ring is
 * not guessed at. */
static bool are_rings(const json_t *rings) {
    for (size_t i = 0; i < json_array_size(rings); i++) {
        const json_t *first = json_array_get(json_array_get(rings, i), 0);
        if (first && !json_is_array(first))
            return false;
    }
    return json_array_size(rings) > 0;
}

static bool are_polygons(const json_t *polygons) {
    for (size_t i = 0; i < json_array_size(polygons); i++)
        if (!are_rings(json_array_get(polygons, i)))
            return false;
    return json_array_size(polygons) > 0;
}

typedef struct feature {
    int64_t number, group;
    bool minor;
} feature;

static hlrp_status add_area(hlrp_drawing *d, const json_t *geometry, const feature *f,
                            hlrp_shape_kind kind, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const json_t *places = json_object_get(geometry, "coordinates");
    if (!(kind == HLRP_SHAPE_MULTIPOLYGON ? are_polygons(places) : are_rings(places))) {
        hlrp_drawing_slip(d, HLRP_SLIP_SHAPELESS, f->number);
        return HLRP_OK;
    }
    HLRP_TRY(hlrp_drawing_begin(d, kind, f->group, f->number, err));
    d->shapes[d->shape_count - 1].minor = f->minor;
    if (kind == HLRP_SHAPE_ELLIPSE)
        HLRP_TRY(add_ellipse(d, places, err));
    else if (kind == HLRP_SHAPE_POLYGON)
        HLRP_TRY(add_rings(d, places, err));
    else
        for (size_t i = 0; i < json_array_size(places); i++)
            HLRP_TRY(add_rings(d, json_array_get(places, i), err));
    hlrp_drawing_end(d);
out:
    return status;
}

static hlrp_status add_geometry(hlrp_drawing *d, const json_t *geometry, const feature *f,
                                int nested, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const char *type = text_of(geometry, "type");
    const bool ellipse = json_is_true(json_object_get(geometry, "isEllipse"));
    const json_t *members = json_object_get(geometry, "geometries");
    if (strcmp(type, "Polygon") == 0)
        return add_area(d, geometry, f, ellipse ? HLRP_SHAPE_ELLIPSE : HLRP_SHAPE_POLYGON, err);
    if (strcmp(type, "MultiPolygon") == 0)
        return add_area(d, geometry, f, HLRP_SHAPE_MULTIPOLYGON, err);
    if (strcmp(type, "Point") == 0 || strcmp(type, "MultiPoint") == 0)
        return hlrp_drawing_skip(d, HLRP_SHAPE_POINT, f->group, f->number, err);
    if (strcmp(type, "LineString") == 0 || strcmp(type, "MultiLineString") == 0)
        return hlrp_drawing_skip(d, HLRP_SHAPE_LINE, f->group, f->number, err);
    if (strcmp(type, "GeometryCollection") != 0 || nested >= MOST_NESTED) {
        hlrp_drawing_slip(d, HLRP_SLIP_SHAPELESS, f->number);
        return HLRP_OK;
    }
    for (size_t i = 0; i < json_array_size(members); i++)
        HLRP_TRY(add_geometry(d, json_array_get(members, i), f, nested + 1, err));
out:
    return status;
}

/* The object that a text holds, in *owned, the caller's to release: GDAL and geopandas write members
 * that are objects as JSON in a text. Any other value as it is. */
static const json_t *opened(const json_t *value, json_t **owned) {
    const char *text = json_string_value(value);
    *owned = text && text[0] == '{' ? json_loads(text, JSON_DECODE_INT_AS_REAL, NULL) : NULL;
    return *owned ? *owned : value;
}

/* The class of a feature: QuPath's classification (a text, or an object with a name or the names of
 * a derived class, which QuPath itself joins by ": "); else the label that other programs write;
 * else the name. In *out; empty where there is none. */
static void class_name(const json_t *properties, hlrp_str *out) {
    json_t *owned = NULL;
    const json_t *class = opened(json_object_get(properties, "classification"), &owned);
    const json_t *names = json_object_get(class, "names");
    if (json_is_string(class))
        hlrp_str_add(out, json_string_value(class));
    else if (*text_of(class, "name"))
        hlrp_str_add(out, text_of(class, "name"));
    else
        for (size_t i = 0; i < json_array_size(names); i++) {
            const char *name = json_string_value(json_array_get(names, i));
            if (name)
                hlrp_str_addf(out, "%s%s", out->length > 0 ? ": " : "", name);
        }
    if (out->length == 0)
        hlrp_str_add(out, text_of(properties, "label"));
    if (out->length == 0)
        hlrp_str_add(out, text_of(properties, "name"));
    json_decref(owned);
}

/* Whether QuPath made the object by detection: objectType since 0.4, object_type in 0.3, and in 0.2
 * the type's name for an id. What says nothing was annotated. */
static bool is_minor(const json_t *object, const json_t *properties) {
    static const char *const kinds[] = {"detection",      "cell",           "tile",
                                        "tma_core",       "tmacore",        "PathDetectionObject",
                                        "PathCellObject", "PathTileObject", "TMACoreObject"};
    const char *kind = text_of(properties, "objectType");
    if (!*kind)
        kind = text_of(properties, "object_type");
    if (!*kind)
        kind = text_of(object, "id");
    for (size_t i = 0; i < HLRP_COUNT(kinds); i++)
        if (hlrp_glob_match(kinds[i], kind, true))
            return true;
    return false;
}

static hlrp_status add_feature(hlrp_drawing *d, const json_t *object, int64_t number,
                               hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str name = {0};
    feature f = {.number = number};
    json_t *owned = NULL;
    const json_t *properties = opened(json_object_get(object, "properties"), &owned);
    const json_t *geometry = object;
    if (strcmp(text_of(object, "type"), "Feature") == 0)
        geometry = json_object_get(object, "geometry");
    class_name(properties, &name);
    f.minor = is_minor(object, properties);
    if (name.failed)
        status = hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "no memory left for a class name");
    else
        status = hlrp_drawing_group(d, name.text, &f.group, err);
    if (status == HLRP_OK)
        status = add_geometry(d, geometry, &f, 0, err);
    json_decref(owned);
    hlrp_str_free(&name);
    return status;
}

static bool is_geojson(const json_t *object) {
    static const char *const types[] = {"Feature",         "Polygon",           "MultiPolygon",
                                        "Point",           "MultiPoint",        "LineString",
                                        "MultiLineString", "GeometryCollection"};
    for (size_t i = 0; i < HLRP_COUNT(types); i++)
        if (strcmp(text_of(object, "type"), types[i]) == 0)
            return true;
    return false;
}

/* The list of features in *list, or NULL and the one object that the file is. */
static hlrp_status find_features(const json_t *root, const char *path, const json_t **list,
                                 hlrp_error *err) {
    const json_t *sample = root;
    *list = json_is_array(root) ? root : NULL;
    if (strcmp(text_of(root, "type"), "FeatureCollection") == 0) {
        *list = json_object_get(root, "features");
        if (!json_is_array(*list))
            return hlrp_fail(err, HLRP_E_INPUT, path, "export the annotations again",
                             "the FeatureCollection has no list of features");
    }
    if (*list)
        sample = json_array_get(*list, 0);
    if (sample && !is_geojson(sample))
        return hlrp_fail(err, HLRP_E_INPUT, path, "export the annotations as GeoJSON",
                         "the file is JSON, but not GeoJSON: it has no features");
    return HLRP_OK;
}

hlrp_status hlrp_read_geojson(char *bytes, int64_t size, const char *path, hlrp_drawing *out,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    json_error_t bad = {0};
    const json_t *list = NULL;
    out->format = "GeoJSON";
    blank_tokens(bytes, size);
    json_t *root = json_loadb(bytes, (size_t)size, JSON_DECODE_INT_AS_REAL, &bad);
    if (!root)
        return hlrp_fail(err, HLRP_E_INPUT, path, "export the annotations again",
                         "the file is not valid JSON: line %d, column %d: %s", bad.line, bad.column,
                         bad.text);
    HLRP_TRY(find_features(root, path, &list, err));
    if (!list)
        HLRP_TRY(add_feature(out, root, 1, err));
    for (size_t i = 0; i < json_array_size(list); i++)
        HLRP_TRY(add_feature(out, json_array_get(list, i), (int64_t)i + 1, err));
out:
    json_decref(root);
    return status;
}
