#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image.h"
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

/* ---- the file ---- */

/* What libtiff hands back to the procedures below; freed as the file is closed. */
typedef struct tiff_file {
    int fd;
    hlrp_tiff_note *note;
} tiff_file;

static void note_system(tiff_file *file, const char *what) {
    hlrp_tiff_note *note = file->note;
    const int code = errno;
    if (note->text[0] == '\0')
        snprintf(note->text, sizeof note->text, "%s: %s", what, strerror(code));
    if (note->sys == 0 && is_disk_error(code))
        note->sys = code;
}

/* The bytes that were read, never -1: libtiff 4.5.0 takes that for a size and clears memory from the
 * byte before its buffer on. */
static tmsize_t read_file(thandle_t handle, void *buffer, tmsize_t size) {
    tiff_file *file = handle;
    tmsize_t done = 0;
    while (done < size) {
        const ssize_t got = read(file->fd, (char *)buffer + done, (size_t)(size - done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            note_system(file, "cannot read");
        if (got <= 0)
            break;
        done += got;
    }
    return done;
}

static tmsize_t write_file(thandle_t handle, void *buffer, tmsize_t size) {
    tiff_file *file = handle;
    tmsize_t done = 0;
    while (done < size) {
        const ssize_t put = write(file->fd, (const char *)buffer + done, (size_t)(size - done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            note_system(file, "cannot write");
        if (put <= 0)
            break;
        done += put;
    }
    return done;
}

static toff_t seek_file(thandle_t handle, toff_t offset, int whence) {
    const tiff_file *file = handle;
    return offset > INT64_MAX ? (toff_t)-1 : (toff_t)lseek(file->fd, (off_t)offset, whence);
}

static toff_t size_of_file(thandle_t handle) {
    const tiff_file *file = handle;
    struct stat info;
    return fstat(file->fd, &info) == 0 ? (toff_t)info.st_size : 0;
}

static int close_file(thandle_t handle) {
    tiff_file *file = handle;
    const int status = close(file->fd);
    if (status != 0)
        note_system(file, "cannot write");
    free(file);
    return status;
}

TIFF *hlrp_tiff_fdopen(int fd, const char *path, const char *mode, hlrp_tiff_note *note) {
    hlrp_error ignored = {0};
    TIFFOpenOptions *options = new_options(note);
    tiff_file *file = NULL;
    TIFF *tif = NULL;
    errno = 0;
    if (options && hlrp_calloc(&file, 1, sizeof *file, "a TIFF", &ignored) == HLRP_OK) {
        *file = (tiff_file){fd, note};
        /* no mapping: a file that is cut meanwhile is no crash */
        tif = TIFFClientOpenExt(path, mode, file, read_file, write_file, seek_file, close_file,
                                size_of_file, NULL, NULL, options);
    }
    if (!tif) {
        close(fd);
        free(file);
    }
    if (options)
        TIFFOpenOptionsFree(options);
    return tif;
}

TIFF *hlrp_tiff_open(const char *path, const char *mode, hlrp_tiff_note *note) {
    const int flags = mode[0] == 'r' ? O_RDONLY : O_RDWR | O_CREAT | O_TRUNC;
    const int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0) {
        note_system(&(tiff_file){.note = note}, path);
        return NULL;
    }
    return hlrp_tiff_fdopen(fd, path, mode, note);
}

void hlrp_tiff_redirect(hlrp_tiff_say warning, hlrp_tiff_say error) {
    TIFFSetWarningHandler(warning);
    TIFFSetErrorHandler(error);
}

hlrp_status hlrp_tiff_write_failed(const char *path, const hlrp_tiff_note *note, hlrp_error *err) {
    const char *reason = note->sys ? strerror(note->sys) : note->text;
    return hlrp_fail(err, HLRP_E_IO, path, "make room or mend the disk, then run again",
                     "cannot write the file: %s", reason[0] ? reason : "unknown reason");
}
