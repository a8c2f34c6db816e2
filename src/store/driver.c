#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/driver.h"

#define ADDRESS_MOST (((haddr_t)1 << 62) - 1)

typedef struct info {
    int *fault;
} info;

typedef struct drive {
    H5FD_t pub; /* libhdf5's part; has to be first */
    int fd;
    haddr_t eoa, eof;
    int *fault;
} drive;

static void note(drive *d, int code) {
    if (*d->fault == 0)
        *d->fault = code ? code : EIO;
}

static H5FD_t *drive_open(const char *name, unsigned flags, hid_t list, haddr_t most) {
    const info *with = H5Pget_driver_info(list);
    drive *d = calloc(1, sizeof *d); /* allowed: HDF5 calls this */
    (void)flags;                     /* this driver only makes new files */
    (void)most;
    if (!d || !with) {
        free(d);
        return NULL;
    }
    d->fault = with->fault;
    d->fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (d->fd < 0) {
        note(d, errno);
        free(d);
        return NULL;
    }
    return &d->pub;
}

static herr_t drive_close(H5FD_t *file) {
    drive *d = (drive *)file;
    if (close(d->fd) != 0)
        note(d, errno);
    free(d);
    return 0;
}

static int drive_compare(const H5FD_t *a, const H5FD_t *b) {
    return a < b ? -1 : a > b;
}

static herr_t drive_query(const H5FD_t *file, unsigned long *flags) {
    (void)file;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
             H5FD_FEAT_AGGREGATE_SMALLDATA | H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t drive_eoa(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const drive *)file)->eoa;
}

static herr_t drive_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t at) {
    (void)type;
    ((drive *)file)->eoa = at;
    return 0;
}

static haddr_t drive_eof(const H5FD_t *file, H5FD_mem_t type) {
    (void)type;
    return ((const drive *)file)->eof;
}

/* What was never written reads as zeros. */
static herr_t drive_read(H5FD_t *file, H5FD_mem_t type, hid_t list, haddr_t at, size_t size,
                         void *to) {
    drive *d = (drive *)file;
    size_t done = 0;
    (void)type;
    (void)list;
    while (done < size) {
        const ssize_t n = pread(d->fd, (char *)to + done, size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            note(d, errno);
        if (n <= 0)
            break;
        done += (size_t)n;
    }
    memset((char *)to + done, 0, size - done);
    return 0;
}

static herr_t drive_write(H5FD_t *file, H5FD_mem_t type, hid_t list, haddr_t at, size_t size,
                          const void *from) {
    drive *d = (drive *)file;
    (void)type;
    (void)list;
    for (size_t done = 0; done < size && *d->fault == 0;) {
        const ssize_t n = pwrite(d->fd, (const char *)from + done, size - done, (off_t)(at + done));
        if (n > 0)
            done += (size_t)n;
        else if (n == 0 || errno != EINTR)
            note(d, n == 0 ? EIO : errno);
    }
    d->eof = at + size > d->eof ? at + size : d->eof;
    return 0;
}

static herr_t drive_truncate(H5FD_t *file, hid_t list, hbool_t closing) {
    drive *d = (drive *)file;
    (void)list;
    (void)closing;
    if (d->eoa != d->eof && *d->fault == 0 && ftruncate(d->fd, (off_t)d->eoa) != 0)
        note(d, errno);
    d->eof = d->eoa;
    return 0;
}

static const H5FD_class_t DRIVER = {
#if H5_VERSION_GE(1, 13, 0)
    .version = H5FD_CLASS_VERSION,
    .value = (H5FD_class_value_t)511, /* of the range that is left to programs */
#endif
    .name = "histolrp",
    .maxaddr = ADDRESS_MOST,
    .fc_degree = H5F_CLOSE_STRONG,
    .fapl_size = sizeof(info),
    .open = drive_open,
    .close = drive_close,
    .cmp = drive_compare,
    .query = drive_query,
    .get_eoa = drive_eoa,
    .set_eoa = drive_set_eoa,
    .get_eof = drive_eof,
    .read = drive_read,
    .write = drive_write,
    .truncate = drive_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

int hlrp_driver_use(hid_t access_list, int *fault) {
    const info with = {fault};
    const hid_t driver = H5FDregister(&DRIVER);
    if (driver < 0)
        return 0;
    const int good = H5Pset_driver(access_list, driver, &with) >= 0;
    H5FDunregister(driver); /* list and file hold it */
    return good;
}
