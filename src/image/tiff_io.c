#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "image/tiff_io.h"

#define MAX_ALLOCATION ((tmsize_t)1 << 30)

static bool is_disk_error(int code) {
    return code == ENOSPC || code == EFBIG || code == EDQUOT || code == EIO || code == EROFS;
}

/* Returning 1 keeps libtiff from calling its global handlers, which print. */
__attribute__((format(printf, 4, 0))) static int
keep_error(TIFF *tif, void *user, const char *module, const char *format, va_list args) {
    const int code = errno;
    hlrp_tiff_note *note = user;
    (void)tif;
    (void)module;
    if (note->text[0] == '\0')
        vsnprintf(note->text, sizeof note->text, format, args);
    if (note->sys == 0 && is_disk_error(code))
        note->sys = code;
    return 1;
}

__attribute__((format(printf, 4, 0))) static int
count_warning(TIFF *tif, void *user, const char *module, const char *format, va_list args) {
    hlrp_tiff_note *note = user;
    note->warnings++;
    (void)tif;
    (void)module;
    (void)format;
    (void)args;
    return 1;
}

static TIFFOpenOptions *new_options(hlrp_tiff_note *note) {
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (!options) {
        snprintf(note->text, sizeof note->text, "out of memory");
        return NULL;
    }
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, MAX_ALLOCATION);
    TIFFOpenOptionsSetErrorHandlerExtR(options, keep_error, note);
    TIFFOpenOptionsSetWarningHandlerExtR(options, count_warning, note);
    return options;
}

TIFF *hlrp_tiff_open(const char *path, const char *mode, hlrp_tiff_note *note) {
    TIFFOpenOptions *options = new_options(note);
    if (!options)
        return NULL;
    errno = 0;
    TIFF *tif = TIFFOpenExt(path, mode, options);
    TIFFOpenOptionsFree(options);
    return tif;
}

TIFF *hlrp_tiff_fdopen(int fd, const char *path, const char *mode, hlrp_tiff_note *note) {
    TIFFOpenOptions *options = new_options(note);
    TIFF *tif = NULL;
    errno = 0;
    if (options)
        tif = TIFFFdOpenExt(fd, path, mode, options);
    if (!tif)
        close(fd);
    if (options)
        TIFFOpenOptionsFree(options);
    return tif;
}

hlrp_status hlrp_tiff_write_failed(const char *path, const hlrp_tiff_note *note, hlrp_error *err) {
    const char *reason = note->sys ? strerror(note->sys) : note->text;
    return hlrp_fail(err, HLRP_E_IO, path, "make room or mend the disk, then run again",
                     "cannot write the file: %s", reason[0] ? reason : "unknown reason");
}
