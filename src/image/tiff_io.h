/* libtiff without its global handlers: each handle keeps its first error in a note of its own. All
 * files are opened here: libtiff's own read procedure makes it write outside its buffer on an input
 * error. */
#ifndef HLRP_IMAGE_TIFF_IO_H
#define HLRP_IMAGE_TIFF_IO_H

#include <tiffio.h>

#include "util/util.h"

/* The first error of a handle; must outlive the handle. Zero-initialise. */
typedef struct hlrp_tiff_note {
    char text[400];
    int sys; /* errno where the system refused the write, else 0 */
    int warnings;
} hlrp_tiff_note;

/* As TIFFOpen ("r", or "w…"), never mapped; NULL on failure with *note filled, and so is a read that
 * fails later. No single allocation over 1 GB. */
TIFF *hlrp_tiff_open(const char *path, const char *mode, hlrp_tiff_note *note);

/* The same on a file descriptor, which is closed with it; on failure it is closed here. */
TIFF *hlrp_tiff_fdopen(int fd, const char *path, const char *mode, hlrp_tiff_note *note);

/* HLRP_E_IO "cannot write the file: …" with the system's reason, or libtiff's. */
hlrp_status hlrp_tiff_write_failed(const char *path, const hlrp_tiff_note *note, hlrp_error *err);

#endif
