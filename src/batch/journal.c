#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch/record.h"

/* Where a tile's record is. `status` is a hlrp_record_status, or NONE. */
typedef struct place {
    int64_t offset, size;
    int32_t file;
    int32_t status;
} place;

enum { NONE = -1 };

typedef struct part {
    int fd;
    char *path;
    int64_t end; /* of the last whole record */
} part;

struct hlrp_journal {
    hlrp_journal_key key;
    char *text; /* of the key */
    int64_t most, torn, part_count;
    part *parts;
    place *index;                                   /* [tiles] */
    _Atomic int64_t count[HLRP_RECORD_FORWARD + 1]; /* read while others append */
    bool append, broken;   /* open for appending; a failed append could not be undone */
    unsigned char *record; /* [most], guarded by mutex with all that append changes */
    pthread_mutex_t mutex;
    bool has_mutex;
};

static hlrp_status io_error(const char *path, const char *doing, hlrp_error *err) {
    const int code = errno;
    const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    return hlrp_fail(err, HLRP_E_IO, path,
                     full ? "make room and run again: finished tiles are kept"
                          : "check the file system and run again: finished tiles are kept",
                     "cannot %s the journal: %s", doing, strerror(code));
}

static hlrp_status new_journal(const hlrp_journal_key *key, int64_t files, hlrp_journal **out,
                               hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_journal *j = NULL;
    HLRP_TRY(hlrp_calloc(&j, 1, sizeof *j, "journal", err));
    j->key = *key;
    j->has_mutex = pthread_mutex_init(&j->mutex, NULL) == 0;
    j->text = hlrp_strdup(key->text, err);
    if (!j->text || !j->has_mutex || key->tiles < 0) {
        status = hlrp_fail(err, j->text ? HLRP_E_INTERNAL : HLRP_E_MEMORY, "journal", NULL,
                           "the journal cannot be set up");
        goto out;
    }
    j->key.text = j->text;
    HLRP_TRY(hlrp_record_most(key, &j->most, err));
    HLRP_TRY(hlrp_calloc(&j->parts, files, sizeof *j->parts, "journal", err));
    for (int64_t i = 0; i < files; i++)
        j->parts[i].fd = -1;
    j->part_count = files;
    HLRP_TRY(hlrp_calloc(&j->index, key->tiles, sizeof *j->index, "journal index", err));
    for (int64_t t = 0; t < key->tiles; t++)
        j->index[t].status = NONE;
    HLRP_TRY(hlrp_calloc_aligned(&j->record, j->most, 1, "journal record", err));
    *out = j;
    j = NULL;
out:
    if (j)
        (void)hlrp_journal_close(j, err);
    return status;
}

static void note(hlrp_journal *j, int64_t tile, place at) {
    place *have = &j->index[tile];
    if (have->status != NONE && have->file < at.file)
        return; /* an earlier journal of the list counts */
    if (have->status != NONE)
        j->count[have->status]--;
    j->count[at.status]++;
    *have = at;
}

/* Reads every record of a part; stops at the first that is not whole. */
static hlrp_status scan(hlrp_journal *j, int32_t file, int64_t start, hlrp_error *err) {
    part *p = &j->parts[file];
    struct stat info;
    if (fstat(p->fd, &info) != 0)
        return io_error(p->path, "look at", err);
    p->end = start;
    while (p->end + HLRP_RECORD_HEAD <= info.st_size) {
        hlrp_record r = {0};
        int64_t n = hlrp_pread_all(p->fd, j->record, HLRP_RECORD_HEAD, p->end);
        if (n < 0)
            return io_error(p->path, "read", err);
        const int64_t size = n == HLRP_RECORD_HEAD ? hlrp_record_size(j->record, j->most) : 0;
        if (size == 0 || p->end + size > info.st_size)
            break;
        n = hlrp_pread_all(p->fd, j->record, size, p->end);
        if (n < 0)
            return io_error(p->path, "read", err);
        if (n < size || !hlrp_record_decode(&j->key, j->record, size, &r))
            break;
        note(j, r.tile, (place){p->end, size, file, (int32_t)r.status});
        p->end += size;
    }
    j->torn += info.st_size - p->end;
    return HLRP_OK;
}

/* Checks the header of part `file` and indexes its records. *cut: not even its header is whole. */
static hlrp_status load(hlrp_journal *j, int32_t file, bool *cut, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_journal_key have = {0};
    char *text = NULL;
    int64_t start = 0;
    const part *p = &j->parts[file];
    HLRP_TRY(hlrp_header_read(p->fd, p->path, &have, &text, &start, cut, err));
    HLRP_TRY(hlrp_header_compare(&have, &j->key, p->path, err));
    HLRP_TRY(scan(j, file, start, err));
out:
    free(text);
    return status;
}

static int64_t write_all(int fd, const unsigned char *bytes, int64_t size, int64_t at) {
    int64_t done = 0;
    while (done < size) {
        const ssize_t n = pwrite(fd, bytes + done, (size_t)(size - done), (off_t)(at + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return -1;
        }
        done += n;
    }
    return done;
}

/* Makes the file's name durable: its folder has to be synced, too. */
static hlrp_status sync_folder(const char *path, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *folder = NULL;
    const size_t n = (size_t)(hlrp_path_name(path) - path);
    HLRP_TRY(hlrp_format(&folder, err, "%.*s", n ? (int)n : 1, n ? path : "."));
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd); /* some file systems refuse to sync a folder: then there is no need */
        close(fd);
    }
out:
    free(folder);
    return status;
}

static hlrp_status begin(hlrp_journal *j, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_str head = {0};
    part *p = &j->parts[0];
    hlrp_header_encode(&j->key, &head);
    if (head.failed) {
        status = hlrp_fail(err, HLRP_E_MEMORY, p->path, NULL, "out of memory for the header");
        goto out;
    }
    if (ftruncate(p->fd, 0) != 0 ||
        write_all(p->fd, (const unsigned char *)head.text, (int64_t)head.length, 0) < 0 ||
        fsync(p->fd) != 0) {
        status = io_error(p->path, "begin", err);
        goto out;
    }
    p->end = (int64_t)head.length;
    HLRP_TRY(sync_folder(p->path, err));
out:
    hlrp_str_free(&head);
    return status;
}

/* A second process that appends would tear records apart. The kernel drops the lock with the
 * process; file systems without locks are trusted to the lock on the slide's folder. */
static hlrp_status guard(const part *p, hlrp_error *err) {
    if (flock(p->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_BUSY, p->path, "wait for it to finish, or stop it",
                     "another run is writing this journal");
}

static hlrp_status open_part(part *p, const char *path, int flags, hlrp_error *err) {
    p->path = hlrp_strdup(path, err);
    if (!p->path)
        return HLRP_E_MEMORY;
    p->fd = open(path, flags | O_CLOEXEC, 0666);
    if (p->fd < 0)
        return io_error(path, "open", err);
    return HLRP_OK;
}

/* Reopens a part with bytes in it. One that is shorter than its header died while it was begun: no
 * record can be lost by beginning again. */
static hlrp_status resume(hlrp_journal *j, int64_t bytes, hlrp_error *err) {
    part *p = &j->parts[0];
    bool cut = false;
    const hlrp_status status = load(j, 0, &cut, err);
    if (status != HLRP_OK && cut && bytes < hlrp_header_size(&j->key)) {
        *err = (hlrp_error){0};
        j->torn = bytes;
        return begin(j, err);
    }
    if (status == HLRP_OK && p->end < bytes && ftruncate(p->fd, (off_t)p->end) != 0)
        return io_error(p->path, "cut the torn end of", err);
    return status;
}

hlrp_status hlrp_journal_open(const char *path, const hlrp_journal_key *key, hlrp_journal **out,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_journal *j = NULL;
    struct stat info;
    HLRP_TRY(new_journal(key, 1, &j, err));
    HLRP_TRY(open_part(&j->parts[0], path, O_RDWR | O_CREAT, err));
    HLRP_TRY(guard(&j->parts[0], err));
    if (fstat(j->parts[0].fd, &info) != 0) {
        status = io_error(path, "look at", err);
        goto out;
    }
    HLRP_TRY(info.st_size > 0 ? resume(j, info.st_size, err) : begin(j, err));
    j->append = true;
    *out = j;
    j = NULL;
out:
    if (j) {
        hlrp_error later = {0};
        (void)hlrp_journal_close(j, &later);
    }
    return status;
}

hlrp_status hlrp_journal_open_read(const char *const *paths, int64_t count,
                                   const hlrp_journal_key *key, hlrp_journal **out,
                                   hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    hlrp_journal *j = NULL;
    if (count > INT32_MAX)
        return hlrp_fail(err, HLRP_E_INTERNAL, "journal", NULL, "too many journals");
    HLRP_TRY(new_journal(key, count, &j, err));
    for (int64_t i = 0; i < count; i++) {
        bool cut = false;
        HLRP_TRY(open_part(&j->parts[i], paths[i], O_RDONLY, err));
        HLRP_TRY(load(j, (int32_t)i, &cut, err));
    }
    *out = j;
    j = NULL;
out:
    if (j) {
        hlrp_error later = {0};
        (void)hlrp_journal_close(j, &later);
    }
    return status;
}

hlrp_status hlrp_journal_peek(const char *path, hlrp_journal_key *key, char **text,
                              hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    part p = {.fd = -1};
    int64_t size = 0;
    bool cut = false;
    HLRP_TRY(open_part(&p, path, O_RDONLY, err));
    HLRP_TRY(hlrp_header_read(p.fd, path, key, text, &size, &cut, err));
out:
    free(p.path);
    if (p.fd >= 0)
        close(p.fd);
    return status;
}

int64_t hlrp_journal_torn(const hlrp_journal *journal) {
    return journal->torn;
}

bool hlrp_journal_has(const hlrp_journal *journal, int64_t tile, hlrp_record_status *status) {
    if (tile < 0 || tile >= journal->key.tiles || journal->index[tile].status == NONE)
        return false;
    if (status)
        *status = (hlrp_record_status)journal->index[tile].status;
    return true;
}

int64_t hlrp_journal_count(const hlrp_journal *journal, hlrp_record_status status) {
    return status >= 0 && status <= HLRP_RECORD_FORWARD ? journal->count[status] : 0;
}

hlrp_status hlrp_journal_append(hlrp_journal *journal, const hlrp_record *result, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t size = 0;
    if (!journal->append)
        return hlrp_fail(err, HLRP_E_INTERNAL, "journal", NULL, "this journal is only read");
    pthread_mutex_lock(&journal->mutex);
    part *p = &journal->parts[0];
    if (journal->broken) {
        status = hlrp_fail(err, HLRP_E_IO, p->path, "run again: finished tiles are kept",
                           "an earlier write to the journal failed");
        goto out;
    }
    HLRP_TRY(hlrp_record_encode(&journal->key, result, journal->record, &size, err));
    if (write_all(p->fd, journal->record, size, p->end) < 0) {
        status = io_error(p->path, "write", err);
        /* Half a record would hide nothing: reading stops there. But a later append must follow on.
         */
        journal->broken = ftruncate(p->fd, (off_t)p->end) != 0;
        goto out;
    }
    note(journal, result->tile, (place){p->end, size, 0, (int32_t)result->status});
    p->end += size;
out:
    pthread_mutex_unlock(&journal->mutex);
    return status;
}

hlrp_status hlrp_journal_sync(hlrp_journal *journal, hlrp_error *err) {
    if (!journal->append || fdatasync(journal->parts[0].fd) == 0)
        return HLRP_OK;
    return io_error(journal->parts[0].path, "sync", err);
}

void hlrp_journal_buffer_free(hlrp_journal_buffer *buffer) {
    free(buffer->bytes);
    *buffer = (hlrp_journal_buffer){0};
}

hlrp_status hlrp_journal_read(const hlrp_journal *journal, int64_t tile,
                              hlrp_journal_buffer *buffer, hlrp_record *result, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (!hlrp_journal_has(journal, tile, NULL))
        return hlrp_fail(err, HLRP_E_INPUT, "journal", "run again to compute it",
                         "tile %lld has no record", (long long)tile);
    const place at = journal->index[tile];
    const part *p = &journal->parts[at.file];
    HLRP_TRY(hlrp_grow(&buffer->bytes, &buffer->capacity, at.size / 8 + 1, 8, err));
    unsigned char *bytes = (unsigned char *)buffer->bytes;
    const int64_t n = hlrp_pread_all(p->fd, bytes, at.size, at.offset);
    if (n < 0)
        return io_error(p->path, "read", err);
    if (n < at.size || !hlrp_record_decode(&journal->key, bytes, at.size, result) ||
        result->tile != tile)
        return hlrp_fail(err, HLRP_E_IO, p->path, "run again: damaged tiles are computed anew",
                         "the record of tile %lld was damaged after it was written",
                         (long long)tile);
out:
    return status;
}

hlrp_status hlrp_journal_close(hlrp_journal *journal, hlrp_error *err) {
    if (!journal)
        return HLRP_OK;
    hlrp_status status = hlrp_journal_sync(journal, err);
    for (int64_t i = 0; i < journal->part_count; i++) {
        part *p = &journal->parts[i];
        if (p->fd >= 0 && close(p->fd) != 0 && journal->append && status == HLRP_OK)
            status = io_error(p->path, "close", err);
        free(p->path);
    }
    if (journal->has_mutex)
        pthread_mutex_destroy(&journal->mutex);
    free(journal->parts);
    free(journal->index);
    free(journal->record);
    free(journal->text);
    free(journal);
    return status;
}
