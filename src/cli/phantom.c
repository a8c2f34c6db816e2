/* `histolrp phantom OUT.svs`. */
#include "phantom/phantom.h"

#include <unistd.h>

#include "cli/cli.h"
#include "sched/sched.h"

typedef struct phantom_options {
    const char *size, *truth;
    int64_t seed, quality, nests;
    double mpp, tumor, stain, vignetting;
    bool pen, faint, normal;
} phantom_options;

#define AT(member) offsetof(phantom_options, member)

static const hlrp_option options[] = {
    {"size", '\0', HLRP_OPTION_TEXT, AT(size), "WxH", "level-0 pixels; one number: a square"},
    {"seed", '\0', HLRP_OPTION_INT, AT(seed), "N", "a seed always gives the same pixels"},
    {"mpp", '\0', HLRP_OPTION_DOUBLE, AT(mpp), "UM", "µm per pixel"},
    {"pen", '\0', HLRP_OPTION_FLAG, AT(pen), NULL, "a pen mark around part of the tissue"},
    {"truth", '\0', HLRP_OPTION_TEXT, AT(truth), "MASK.tif", "write the mask of tumor nuclei"},
    {"tumor", '\0', HLRP_OPTION_DOUBLE, AT(tumor), "SHARE", "of the tissue, 0 to 1"},
    {"nests", '\0', HLRP_OPTION_INT, AT(nests), "N", "small nests are all the tumor, to 16"},
    {"normal", '\0', HLRP_OPTION_FLAG, AT(normal), NULL, "no tumor"},
    {"stain", '\0', HLRP_OPTION_DOUBLE, AT(stain), "FACTOR", "strength of both stains, 0.1 to 3"},
    {"faint", '\0', HLRP_OPTION_FLAG, AT(faint), NULL, "stains that have faded"},
    {"vignetting", '\0', HLRP_OPTION_DOUBLE, AT(vignetting), "SHARE",
     "light lost in the corners, 0 to 0.5"},
    {"quality", '\0', HLRP_OPTION_INT, AT(quality), "N", "of the JPEG tiles, 1 to 100"},
    {0},
};

static void init(void *target) {
    const hlrp_phantom_options d = hlrp_phantom_defaults();
    *(phantom_options *)target = (phantom_options){.seed = (int64_t)d.seed,
                                                   .quality = d.jpeg_quality,
                                                   .mpp = d.mpp,
                                                   .tumor = d.tumor_fraction,
                                                   .stain = d.stain_strength,
                                                   .vignetting = d.vignetting};
}

static void to_stderr(void *ctx, const char *text) {
    (void)ctx;
    fputs(text, stderr);
    fflush(stderr);
}

static bool report(void *ctx, int64_t done, int64_t total) {
    hlrp_progress *bar = ctx;
    const double now = hlrp_seconds();
    if (bar->total == 0) {
        bar->total = total;
        hlrp_progress_start(bar, now);
    }
    hlrp_progress_update(bar, done, now);
    return true;
}

static hlrp_status run_phantom(const hlrp_call *call, hlrp_error *err) {
    const phantom_options *o = call->options;
    hlrp_phantom_options p = hlrp_phantom_defaults();
    if (o->size && !hlrp_parse_extent(o->size, &p.width, &p.height))
        return hlrp_fail(err, HLRP_E_USAGE, "phantom", "give --size 4096 or --size 8192x4096",
                         "--size: \"%.100s\" is not a size", o->size);
    if (o->seed < 0 || o->quality < 1 || o->quality > 100)
        return hlrp_fail(err, HLRP_E_USAGE, "phantom", "give a seed from 0, a quality of 1 to 100",
                         o->seed < 0 ? "--seed is negative" : "--quality is out of range");
    if (o->nests < 0 || o->nests > HLRP_PHANTOM_MAX_NESTS)
        return hlrp_fail(err, HLRP_E_USAGE, "phantom", "give 0 to 16", "--nests is out of range");
    p.seed = (uint64_t)o->seed;
    p.nests = (int)o->nests;
    p.jpeg_quality = (int)o->quality;
    p.mpp = o->mpp;
    p.tumor_fraction = o->tumor;
    p.stain_strength = o->stain;
    p.vignetting = o->vignetting;
    p.pen = o->pen;
    p.faint = o->faint;
    p.normal = o->normal;
    hlrp_progress bar = {.label = hlrp_path_name(call->operands.items[0]),
                         .unit = "rows",
                         .terminal = isatty(STDERR_FILENO) == 1,
                         .write = to_stderr};
    const hlrp_phantom_progress progress = {.report = report, .ctx = &bar};
    const hlrp_status status = hlrp_phantom_write(&p, call->operands.items[0], o->truth, &call->log,
                                                  call->quiet ? NULL : &progress, err);
    if (bar.total > 0)
        hlrp_progress_finish(&bar, hlrp_seconds());
    return status;
}

const hlrp_command hlrp_command_phantom = {
    .name = "phantom",
    .summary = "writes a synthetic H&E slide with known ground truth",
    .operands = "OUT.svs",
    .least_operands = 1,
    .most_operands = 1,
    .options = options,
    .options_size = sizeof(phantom_options),
    .init = init,
    .run = run_phantom,
};
