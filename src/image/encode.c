/* A picture as a JPEG file in memory. libjpeg reports errors by longjmp; as in png.c, what must
 * survive lives in one struct. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "image/image.h"

typedef struct encode_job {
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg;
    jmp_buf jump;
    char why[JMSG_LENGTH_MAX];
    unsigned char *bytes;
    unsigned long size;
} encode_job;

static void on_error(j_common_ptr jpeg) {
    encode_job *job = jpeg->client_data;
    jpeg->err->format_message(jpeg, job->why);
    longjmp(job->jump, 1);
}

static void no_output(j_common_ptr jpeg) {
    (void)jpeg;
}

static bool compress(encode_job *job, const hlrp_image *image, int quality) {
    job->jpeg.err = jpeg_std_error(&job->errors);
    job->errors.error_exit = on_error;
    job->errors.output_message = no_output;
    job->jpeg.client_data = job;
    if (setjmp(job->jump))
        return false;
    jpeg_create_compress(&job->jpeg);
    jpeg_mem_dest(&job->jpeg, &job->bytes, &job->size);
    job->jpeg.image_width = (JDIMENSION)image->width;
    job->jpeg.image_height = (JDIMENSION)image->height;
    job->jpeg.input_components = image->channels;
    job->jpeg.in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&job->jpeg);
    jpeg_set_quality(&job->jpeg, quality, TRUE);
    job->jpeg.optimize_coding = TRUE;
    jpeg_start_compress(&job->jpeg, TRUE);
    for (int64_t y = 0; y < image->height; y++) {
        JSAMPROW row = image->data + y * image->width * image->channels;
        jpeg_write_scanlines(&job->jpeg, &row, 1);
    }
    jpeg_finish_compress(&job->jpeg);
    return true;
}

hlrp_status hlrp_jpeg_encode(const hlrp_image *image, int quality, uint8_t **bytes, size_t *size,
                             hlrp_error *err) {
    encode_job *job = NULL;
    *bytes = NULL;
    *size = 0;
    if (image->channels == 4)
        return hlrp_fail(err, HLRP_E_INTERNAL, NULL, NULL, "JPEG has no alpha");
    hlrp_status status = hlrp_calloc(&job, 1, sizeof *job, "a picture's bytes", err);
    if (status != HLRP_OK)
        return status;
    const bool good = compress(job, image, quality);
    jpeg_destroy_compress(&job->jpeg);
    if (good) {
        *bytes = job->bytes;
        *size = job->size;
    } else {
        free(job->bytes);
        status = hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "cannot encode a picture: %s", job->why);
    }
    free(job);
    return status;
}
