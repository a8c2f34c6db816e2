/* libjpeg reports errors by longjmp; as in png.c, what must survive lives in one struct. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#include <jerror.h>

#include "image/read.h"

/* A progressive file of a few bytes per scan can ask for hours of work. */
#define MAX_SCANS 200

typedef struct jpeg_job {
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf jump;
    char why[JMSG_LENGTH_MAX];
    hlrp_status status; /* of an error of our own, else HLRP_OK */
} jpeg_job;

static void on_error(j_common_ptr jpeg) {
    jpeg_job *job = jpeg->client_data;
    jpeg->err->format_message(jpeg, job->why);
    longjmp(job->jump, 1);
}

/* Level −1 is damaged data, which libjpeg would paint over; some of it does no harm. */
static void on_message(j_common_ptr jpeg, int level) {
    const int code = jpeg->err->msg_code;
    const bool harmless =
        code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
    if (level < 0 && !harmless)
        on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg) {
    jpeg_job *job = jpeg->client_data;
    if (job->jpeg.input_scan_number <= MAX_SCANS)
        return;
    snprintf(job->why, sizeof job->why, "it has over %d scans", MAX_SCANS);
    longjmp(job->jump, 1);
}

static void no_output(j_common_ptr jpeg) {
    (void)jpeg;
}

static bool read_header(jpeg_job *job, FILE *stream) {
    job->jpeg.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.emit_message = on_message;
    job->errors.output_message = no_output;
    job->jpeg.client_data = job;
    if (setjmp(job->jump))
        return false;
    jpeg_create_decompress(&job->jpeg);
    job->jpeg.client_data = job;
    job->progress.progress_monitor = on_progress;
    job->jpeg.progress = &job->progress;
    jpeg_stdio_src(&job->jpeg, stream);
    jpeg_read_header(&job->jpeg, TRUE);
    return true;
}

static hlrp_mpp mpp_of(const struct jpeg_decompress_struct *jpeg) {
    const double unit = jpeg->density_unit == 1   ? HLRP_UM_PER_INCH
                        : jpeg->density_unit == 2 ? HLRP_UM_PER_CM
                                                  : 0;
    if (!jpeg->saw_JFIF_marker || jpeg->X_density == 0 || jpeg->Y_density == 0)
        return (hlrp_mpp){0};
    return (hlrp_mpp){unit / jpeg->X_density, unit / jpeg->Y_density};
}

static bool read_pixels(jpeg_job *job, hlrp_image *out, hlrp_error *err) {
    struct jpeg_decompress_struct *jpeg = &job->jpeg;
    if (setjmp(job->jump))
        return false;
    if (jpeg->num_components != 1 && jpeg->num_components != 3) {
        snprintf(job->why, sizeof job->why, "JPEG with %d colors (CMYK) is not supported",
                 jpeg->num_components);
        return false;
    }
    job->status = hlrp_image_init(out, jpeg->image_width, jpeg->image_height, 3, err);
    if (job->status != HLRP_OK)
        return false;
    out->mpp = mpp_of(jpeg);
    jpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = out->data + (size_t)jpeg->output_scanline * jpeg->output_width * 3;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return true;
}

hlrp_status hlrp_image_read_jpeg(const char *path, FILE *stream, hlrp_image *out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    jpeg_job *job = NULL;
    HLRP_TRY(hlrp_calloc(&job, 1, sizeof *job, "a JPEG reader", err));
    if (!read_header(job, stream) || !read_pixels(job, out, err))
        status = job->status != HLRP_OK ? job->status : hlrp_image_bad(path, job->why, err);
    jpeg_destroy_decompress(&job->jpeg);
out:
    free(job);
    return status;
}
