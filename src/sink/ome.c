/* relevance.ome.tif: the planes of the record one after another, each a page chain with SubIFDs;
 * the OME-XML in the first description says nothing about the pyramid, as the format wants it.
 * A slide with one score has no probability of each tile; what else its head said of tiles is there instead. */
#include <stdlib.h>
#include <string.h>

#include "image/image.h"
#include "sink/html.h"
#include "sink/ome.h"
#include "sink/text.h"

#define OME_SCHEMA "http://www.openmicroscopy.org/Schemas/OME/2016-06"
#define MAX_LEVELS 64

/* A map of the record, channel by channel. */
typedef struct group {
    hlrp_map_kind kind;
    int64_t planes;
} group;
enum { GROUPS = 3 };

static void list_groups(const hlrp_result_info *info, group out[GROUPS]) {
    out[0] = (group){HLRP_MAP_RELEVANCE, info->planes};
    out[1] = (group){HLRP_MAP_PROBABILITY, info->bag ? 0 : info->classes};
    out[2] = (group){HLRP_MAP_SCORES, hlrp_score_count(info)};
}

int64_t hlrp_ome_channels(const hlrp_result_info *info) {
    group groups[GROUPS];
    int64_t count = 0;
    list_groups(info, groups);
    for (int g = 0; g < GROUPS; g++)
        count += groups[g].planes;
    return count;
}

void hlrp_ome_channel(const hlrp_result_info *info, int64_t channel, hlrp_str *out) {
    char name[400];
    const int64_t classes = info->bag ? 0 : info->classes;
    if (channel < info->planes)
        hlrp_str_add(out, info->plane_names[channel]);
    else if (channel < info->planes + classes)
        hlrp_str_addf(out, "probability:%s", info->class_names[channel - info->planes]);
    else
        hlrp_str_add(out,
                     hlrp_score_name(info, channel - info->planes - classes, name, sizeof name));
}

static void add_channel(hlrp_str *s, const hlrp_result_info *info, int64_t index) {
    hlrp_str name = {0};
    hlrp_ome_channel(info, index, &name);
    hlrp_str_addf(s, "<Channel ID=\"Channel:0:%lld\" Name=\"", (long long)index);
    hlrp_html_text(s, name.text ? name.text : "");
    hlrp_str_add(s, "\" SamplesPerPixel=\"1\"/>");
    s->failed |= name.failed;
    hlrp_str_free(&name);
}

static void add_size(hlrp_str *s, const char *axis, double mpp, int64_t downsample) {
    hlrp_str_addf(s, " PhysicalSize%s=\"", axis);
    hlrp_text_double(s, mpp * (double)downsample); /* µm, the schema's default unit */
    hlrp_str_add(s, "\"");
}

static void add_ome_xml(hlrp_str *s, const hlrp_sink_input *in, const hlrp_result_info *info) {
    const long long channels = hlrp_ome_channels(info);
    hlrp_str_add(s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><OME xmlns=\"" OME_SCHEMA
                    "\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                    "xsi:schemaLocation=\"" OME_SCHEMA " " OME_SCHEMA "/ome.xsd\" Creator=\"");
    hlrp_html_text(s, in->software ? in->software : "histolrp");
    hlrp_str_add(s, "\"><Image ID=\"Image:0\" Name=\"relevance\"><Pixels ID=\"Pixels:0\" "
                    "DimensionOrder=\"XYCZT\" Type=\"float\"");
    hlrp_str_addf(s,
                  " SizeX=\"%lld\" SizeY=\"%lld\" SizeZ=\"1\" SizeC=\"%lld\" SizeT=\"1\""
                  " BigEndian=\"false\"",
                  (long long)info->map.w, (long long)info->map.h, channels);
    add_size(s, "X", info->mpp.x, info->downsample);
    add_size(s, "Y", info->mpp.y, info->downsample);
    hlrp_str_add(s, ">");
    for (int64_t k = 0; k < channels; k++)
        add_channel(s, info, k);
    hlrp_str_addf(s, "<TiffData IFD=\"0\" PlaneCount=\"%lld\"/></Pixels></Image></OME>", channels);
}

static hlrp_status open_pyramid(const hlrp_sink_input *in, const char *path, hlrp_pyramid **out,
                                hlrp_error *err) {
    const hlrp_result_info *info = hlrp_result_facts(in->result);
    const char *descriptions[MAX_LEVELS] = {NULL};
    hlrp_status status = HLRP_OK;
    hlrp_str xml = {0};
    add_ome_xml(&xml, in, info);
    descriptions[0] = xml.text;
    const hlrp_pyramid_spec spec = {
        .width = info->map.w,
        .height = info->map.h,
        .pixel = HLRP_PIXEL_F32,
        .planes = (int)HLRP_MIN(hlrp_ome_channels(info), INT32_MAX),
        .codec = HLRP_CODEC_DEFLATE,
        .layout = HLRP_LAYOUT_SUBIFDS,
        .mpp = {info->mpp.x * (double)info->downsample, info->mpp.y * (double)info->downsample},
        .software = in->software ? in->software : "histolrp",
        .descriptions = descriptions,
    };
    if (xml.failed)
        status = hlrp_fail(err, HLRP_E_MEMORY, path, NULL, "no memory left for the OME-XML");
    else
        status = hlrp_pyramid_open(path, &spec, out, err);
    hlrp_str_free(&xml);
    return status;
}

static hlrp_status push_plane(const hlrp_sink_input *in, hlrp_map_kind kind, int64_t plane,
                              float *rows, hlrp_pyramid *pyramid, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_size map = hlrp_result_facts(in->result)->map;
    const int64_t chunk_rows = HLRP_MAX(hlrp_chunk_size(map).h, 1);
    for (int64_t y = 0; y < map.h; y += chunk_rows) {
        const int64_t n = HLRP_MIN(chunk_rows, map.h - y);
        HLRP_TRY(hlrp_result_read_rows(in->result, kind, plane, y, n, rows, err));
        HLRP_TRY(hlrp_pyramid_rows(pyramid, rows, n, (size_t)map.w * sizeof *rows, err));
    }
out:
    return status;
}

hlrp_status hlrp_sink_ome_tiff(const hlrp_sink_input *in, const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    const hlrp_result_info *info = hlrp_result_facts(in->result);
    hlrp_pyramid *pyramid = NULL;
    float *rows = NULL;
    group groups[GROUPS];
    const int64_t chunk_rows = HLRP_MAX(hlrp_chunk_size(info->map).h, 1);
    list_groups(info, groups);
    HLRP_TRY(hlrp_calloc(&rows, info->map.w * chunk_rows, sizeof *rows, "rows of the map", err));
    HLRP_TRY(open_pyramid(in, path, &pyramid, err));
    for (int g = 0; g < GROUPS; g++)
        for (int64_t k = 0; k < groups[g].planes; k++)
            HLRP_TRY(push_plane(in, groups[g].kind, k, rows, pyramid, err));
    HLRP_TRY(hlrp_pyramid_finish(pyramid, err));
out:
    hlrp_pyramid_free(pyramid);
    free(rows);
    return status;
}
