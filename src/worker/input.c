#include "worker/input.h"

#include <math.h>
#include <stdlib.h>

#include "tile/tile.h"

/* µm per pixel of slides and what is cut from them; other resolutions are those of screens and print. */
#define LEAST_MPP 0.05
#define MOST_MPP 10.0
/* As near as this the picture is taken as it is: no network was trained at a more exact scale. */
#define SAME_SCALE 0.01

static bool of_a_slide(double mpp) {
    return mpp >= LEAST_MPP && mpp <= MOST_MPP;
}

static hlrp_mpp resolution(const hlrp_image *picture, double mpp) {
    if (mpp > 0)
        return (hlrp_mpp){mpp, mpp};
    return of_a_slide(picture->mpp.x) && of_a_slide(picture->mpp.y) ? picture->mpp : (hlrp_mpp){0};
}

/* Size that the network takes; 0 where it takes any. */
static hlrp_size size_of(const hlrp_network *net) {
    const int64_t side = net->config->tiles.size;
    if (side > 0)
        return (hlrp_size){side, side};
    return net->open_size ? (hlrp_size){0, 0} : (hlrp_size){net->declared.d[3], net->declared.d[2]};
}

/* A side in the network's pixels. Where rounding decides, it is the side that is wanted. */
static int64_t side_of(int64_t side, double factor, int64_t wanted) {
    const double exact = (double)side * factor;
    return wanted > 0 && fabs(exact - (double)wanted) <= 1 ? wanted : HLRP_MAX(1, llround(exact));
}

static hlrp_status resample(hlrp_image *picture, hlrp_size size, hlrp_error *err) {
    const hlrp_size in = {picture->width, picture->height};
    const hlrp_rect box = {0, 0, (double)in.w, (double)in.h};
    hlrp_resampler *resampler = NULL;
    hlrp_image out = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_resampler_new(&resampler, err));
    HLRP_TRY(hlrp_image_init(&out, size.w, size.h, 3, err));
    HLRP_TRY(hlrp_resample(resampler, picture->data, in, box, size, out.data, err));
    hlrp_image_free(picture);
    *picture = out;
    out = (hlrp_image){0};
out:
    hlrp_image_free(&out);
    hlrp_resampler_free(resampler);
    return status;
}

static hlrp_status other_size(const char *path, const hlrp_image *picture, hlrp_size was,
                              hlrp_size wanted, bool scaled, hlrp_error *err) {
    char mend[200];
    if (scaled)
        snprintf(mend, sizeof mend, "give a piece of %lld × %lld such pixels",
                 (long long)llround((double)was.w * (double)wanted.w / (double)picture->width),
                 (long long)llround((double)was.h * (double)wanted.h / (double)picture->height));
    else
        snprintf(mend, sizeof mend,
                 "say its µm per pixel (--mpp), or cut a tile at the network's resolution");
    return hlrp_fail(err, HLRP_E_INPUT, path, mend,
                     "the picture is %lld × %lld pixels%s, the network takes %lld × %lld",
                     (long long)picture->width, (long long)picture->height,
                     scaled ? " at the network's resolution" : "", (long long)wanted.w,
                     (long long)wanted.h);
}

static hlrp_status fit(const char *path, double mpp, const hlrp_network *net, const hlrp_log *log,
                       hlrp_image *picture, hlrp_error *err) {
    const hlrp_mpp own = resolution(picture, mpp);
    const hlrp_size was = {picture->width, picture->height}, wanted = size_of(net);
    hlrp_status status = HLRP_OK;
    if (mpp != 0 && !of_a_slide(mpp))
        return hlrp_fail(err, HLRP_E_USAGE, "--mpp", "give µm per pixel, 0.05 to 10",
                         "%g µm per pixel is no slide's resolution", mpp);
    if (mpp > 0 && !(net->mpp > 0))
        return hlrp_fail(err, HLRP_E_CONFIG, "model.mpp",
                         "set it to the micrometres per pixel that the network was trained at",
                         "--mpp says the picture's resolution, but nothing says the network's");
    const double x = own.x / net->mpp, y = own.y / net->mpp;
    const bool known = own.x > 0 && net->mpp > 0;
    const bool scaled = known && (fabs(x - 1) > SAME_SCALE || fabs(y - 1) > SAME_SCALE);
    if (scaled) {
        const hlrp_size size = {side_of(was.w, x, wanted.w), side_of(was.h, y, wanted.h)};
        HLRP_TRY(resample(picture, size, err));
        hlrp_logf(log, HLRP_LOG_INFO, "%s: %lld × %lld pixels of %g µm become %lld × %lld of %g µm",
                  path, (long long)was.w, (long long)was.h, own.x, (long long)size.w,
                  (long long)size.h, net->mpp);
    }
    if (wanted.w > 0 && (picture->width != wanted.w || picture->height != wanted.h))
        status = other_size(path, picture, was, wanted, scaled, err);
out:
    return status;
}

hlrp_status hlrp_tile_input_network(hlrp_tile_input *in, const hlrp_config *config, int64_t most,
                                    hlrp_network **net, hlrp_error *err) {
    const hlrp_size size = {in->dims.d[3], in->dims.d[2]};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_network_load(config, &size, in->log, net, err));
    if (!in->tensor && !in->fitted)
        HLRP_TRY(fit(in->name, in->mpp, *net, in->log, &in->picture, err));
    if (!in->tensor)
        in->dims = (hlrp_dims){4, {1, 3, in->picture.height, in->picture.width}};
    in->fitted = true;
    if (in->start)
        status = hlrp_network_start(*net, in->start, &(*net)->start, err);
    if (status != HLRP_OK) {
        snprintf(err->where, sizeof err->where, "--start");
        goto out;
    }
    status = hlrp_network_ready(*net, most, in->dims.d[2], in->dims.d[3], err);
out:
    return status;
}

/* ---- opening and reading ---- */

hlrp_status hlrp_tile_input_open(hlrp_tile_input *in, hlrp_error *err) {
    hlrp_status status = hlrp_tensor_open_spec(in->name, &in->tensor, err);
    if (status != HLRP_OK)
        return status;
    if (in->tensor) {
        in->dims = *hlrp_tensor_file_dims(in->tensor);
        return in->dims.rank == 4 && in->dims.d[1] == 3
                   ? HLRP_OK
                   : hlrp_fail(err, HLRP_E_INPUT, in->name, "give a tensor [N,3,H,W]",
                               "the tensor has %lld channels", (long long)in->dims.d[1]);
    }
    status = hlrp_image_read(in->name, &in->picture, err);
    if (status == HLRP_OK)
        in->dims = (hlrp_dims){4, {1, 3, in->picture.height, in->picture.width}};
    return status;
}

void hlrp_tile_input_close(hlrp_tile_input *in) {
    hlrp_tensor_close(in->tensor);
    hlrp_image_free(&in->picture);
    *in = (hlrp_tile_input){0};
}

hlrp_status hlrp_tile_input_read(const hlrp_tile_input *in, const hlrp_network *net, int64_t first,
                                 int64_t count, float *values, hlrp_error *err) {
    if (in->tensor)
        return hlrp_tensor_read(in->tensor, first, count, values, err);
    hlrp_normalize(&net->normalizer, in->picture.data, in->dims.d[2] * in->dims.d[3], values);
    return HLRP_OK;
}
