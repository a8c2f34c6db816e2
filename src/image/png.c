/* libpng reports errors by longjmp. All that must survive the jump lives in a struct that is set up
 * before setjmp, in a function that owns nothing itself. */
#include <errno.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "image/read.h"

typedef struct png_job {
    jmp_buf jump;
    char why[200];
    int sys; /* errno where the disk refused */
    png_structp png;
    png_infop info;
    png_bytep *rows;
} png_job;

static void on_error(png_structp png, png_const_charp message) {
    png_job *job = png_get_error_ptr(png);
    job->sys = errno;
    snprintf(job->why, sizeof job->why, "%s", message);
    longjmp(job->jump, 1);
}

static void on_warning(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

/* ---- reading ---- */

/* Any kind of PNG becomes 8-bit RGBA. */
static void ask_for_rgba(png_job *job) {
    png_set_expand(job->png); /* palettes, 1–4 bits, tRNS */
    png_set_scale_16(job->png);
    png_set_gray_to_rgb(job->png);
    png_set_add_alpha(job->png, 0xff, PNG_FILLER_AFTER);
    png_set_interlace_handling(job->png);
    png_read_update_info(job->png, job->info);
}

static bool read_header(png_job *job, FILE *stream, hlrp_size *size) {
    if (setjmp(job->jump))
        return false;
    png_init_io(job->png, stream);
    png_set_user_limits(job->png, HLRP_IMAGE_MAX_SIDE, HLRP_IMAGE_MAX_SIDE);
    png_read_info(job->png, job->info);
    *size = (hlrp_size){png_get_image_width(job->png, job->info),
                        png_get_image_height(job->png, job->info)};
    ask_for_rgba(job);
    return true;
}

static bool read_rows(png_job *job) {
    if (setjmp(job->jump))
        return false;
    png_read_image(job->png, job->rows);
    png_read_end(job->png, NULL);
    return true;
}

static hlrp_status make_rows(png_job *job, const hlrp_image *image, hlrp_error *err) {
    const hlrp_status status =
        hlrp_calloc(&job->rows, image->height, sizeof *job->rows, "a picture's rows", err);
    for (int64_t y = 0; status == HLRP_OK && y < image->height; y++)
        job->rows[y] = image->data + y * image->width * image->channels;
    return status;
}

static void drop_alpha(const hlrp_image *rgba, hlrp_image *rgb) {
    const int64_t count = rgba->width * rgba->height;
    for (int64_t i = 0; i < count; i++)
        for (int c = 0; c < 3; c++)
            rgb->data[3 * i + c] = hlrp_over_white(rgba->data[4 * i + c], rgba->data[4 * i + 3]);
}

static hlrp_status start(png_job *job, bool reading, hlrp_error *err) {
    job->png = reading ? png_create_read_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning)
                       : png_create_write_struct(PNG_LIBPNG_VER_STRING, job, on_error, on_warning);
    if (job->png)
        job->info = png_create_info_struct(job->png);
    return job->info ? HLRP_OK
                     : hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "no memory left for a PNG");
}

static hlrp_mpp mpp_of(const png_job *job) {
    const double x = png_get_x_pixels_per_meter(job->png, job->info);
    const double y = png_get_y_pixels_per_meter(job->png, job->info);
    return x > 0 && y > 0 ? (hlrp_mpp){1e6 / x, 1e6 / y} : (hlrp_mpp){0};
}

hlrp_status hlrp_image_read_png(const char *path, FILE *stream, hlrp_image *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    png_job job = {0};
    hlrp_image rgba = {0};
    hlrp_size size = {0, 0};
    HLRP_TRY(start(&job, true, err));
    if (!read_header(&job, stream, &size)) {
        status = hlrp_image_bad(path, job.why, err);
        goto out;
    }
    HLRP_TRY(hlrp_image_init(&rgba, size.w, size.h, 4, err));
    HLRP_TRY(make_rows(&job, &rgba, err));
    if (png_get_rowbytes(job.png, job.info) != (size_t)size.w * 4 || !read_rows(&job)) {
        status = hlrp_image_bad(path, job.why[0] ? job.why : "its kind is unknown", err);
        goto out;
    }
    HLRP_TRY(hlrp_image_init(out, size.w, size.h, 3, err));
    out->mpp = mpp_of(&job);
    drop_alpha(&rgba, out);
out:
    png_destroy_read_struct(&job.png, &job.info, NULL);
    free(job.rows);
    hlrp_image_free(&rgba);
    return status;
}

/* ---- writing ---- */

static bool write_all(png_job *job, FILE *stream, const hlrp_image *image) {
    const int color = image->channels == 1   ? PNG_COLOR_TYPE_GRAY
                      : image->channels == 3 ? PNG_COLOR_TYPE_RGB
                                             : PNG_COLOR_TYPE_RGB_ALPHA;
    if (setjmp(job->jump))
        return false;
    png_init_io(job->png, stream);
    png_set_IHDR(job->png, job->info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 color, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(job->png, job->info);
    png_write_image(job->png, job->rows);
    png_write_end(job->png, NULL);
    return true;
}

static hlrp_status write_failed(const char *path, const char *why, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_IO, path, "make room or mend the disk, then run again",
                     "cannot write the picture: %s", why);
}

static hlrp_status write_stream(const char *path, FILE *stream, const hlrp_image *image,
                                hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    png_job job = {0};
    HLRP_TRY(start(&job, false, err));
    HLRP_TRY(make_rows(&job, image, err));
    errno = 0;
    if (!write_all(&job, stream, image))
        status = write_failed(path, job.sys ? strerror(job.sys) : job.why, err);
out:
    png_destroy_write_struct(&job.png, &job.info);
    free(job.rows);
    return status;
}

hlrp_status hlrp_png_write(const char *path, const hlrp_image *image, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_atomic file = {0};
    FILE *stream = NULL;
    if (image->channels != 1 && image->channels != 3 && image->channels != 4)
        return hlrp_fail(err, HLRP_E_INTERNAL, path, NULL, "a PNG cannot have %d channels",
                         image->channels);
    HLRP_TRY(hlrp_atomic_begin(&file, path, err));
    stream = fopen(file.path, "wbe");
    if (!stream) {
        status = write_failed(path, strerror(errno), err);
        goto out;
    }
    HLRP_TRY(write_stream(path, stream, image, err));
    if (fclose(stream) != 0)
        status = write_failed(path, strerror(errno), err);
    stream = NULL;
    if (status == HLRP_OK)
        status = hlrp_atomic_commit(&file, err);
out:
    if (stream)
        fclose(stream);
    hlrp_atomic_abort(&file);
    return status;
}
