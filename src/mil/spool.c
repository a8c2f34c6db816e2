/* Relevance of all features of a slide: read again tile by tile, it need not stay in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mil/score_internal.h"

static const char make_room[] = "make room on the disk and run again: finished tiles are kept";

/* Without a name from the start, so that nothing stays behind, whatever happens. */
hlrp_status hlrp_score_spool_open(const char *folder, int *spool, hlrp_error *err) {
    char *path = NULL;
    hlrp_status status = hlrp_path_join(folder, ".relevance-XXXXXX", &path, err);
    if (status != HLRP_OK)
        return status;
    *spool = mkostemp(path, O_CLOEXEC);
    if (*spool < 0 || unlink(path) != 0)
        status =
            hlrp_fail(err, HLRP_E_IO, folder, make_room, "cannot make a file: %s", strerror(errno));
    free(path);
    return status;
}

static int64_t place_of(const hlrp_slide_score *s, int64_t plane, int64_t member) {
    return (plane * s->instances + member) * s->width * (int64_t)sizeof(float);
}

hlrp_status hlrp_score_spool_write(const hlrp_slide_score *s, int64_t plane, int64_t first,
                                   int64_t count, const float *rho, hlrp_error *err) {
    const char *bytes = (const char *)rho;
    const int64_t size = place_of(s, 0, count), at = place_of(s, plane, first);
    int64_t done = 0;
    while (done < size) {
        const ssize_t n = pwrite(s->spool, bytes + done, (size_t)(size - done), (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return hlrp_fail(err, HLRP_E_IO, "relevance of features", make_room,
                             "cannot write it: %s", strerror(n < 0 ? errno : EIO));
        done += n;
    }
    return HLRP_OK;
}

hlrp_status hlrp_slide_score_features(const hlrp_slide_score *s, int64_t plane, int64_t member,
                                      float *rho, hlrp_error *err) {
    char *bytes = (char *)rho;
    const int64_t size = s->width * (int64_t)sizeof(float), at = place_of(s, plane, member);
    int64_t done = 0;
    while (done < size) {
        const ssize_t n = pread(s->spool, bytes + done, (size_t)(size - done), (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return hlrp_fail(err, HLRP_E_IO, "relevance of features", "run again",
                             "cannot read it: %s", strerror(n < 0 ? errno : EIO));
        done += n;
    }
    return HLRP_OK;
}
