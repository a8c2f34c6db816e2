#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/util.h"

bool hlrp_file_exists(const char *path) {
    struct stat st;
    return stat(path, &st) == 0;
}

bool hlrp_same_file(const char *a, const char *b) {
    struct stat sa = {0}, sb = {0};
    return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
           sa.st_ino == sb.st_ino;
}

bool hlrp_is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

hlrp_status hlrp_make_folders(const char *path, hlrp_error *err) {
    char *copy = hlrp_strdup(path, err);
    if (!copy)
        return HLRP_E_MEMORY;
    hlrp_status status = HLRP_OK;
    for (char *p = copy; status == HLRP_OK && *p; p++) {
        if (p[1] != '/' && p[1] != '\0')
            continue;
        const char kept = p[1];
        p[1] = '\0';
        const int why = mkdir(copy, 0777) == 0 ? 0 : errno;
        if (why != 0 && !hlrp_is_folder(copy))
            status =
                hlrp_fail(err, HLRP_E_OUTPUT, copy, "check the path and its permissions",
                          "cannot make the folder: %s", strerror(why == EEXIST ? ENOTDIR : why));
        p[1] = kept;
    }
    free(copy);
    return status;
}

hlrp_status hlrp_path_join(const char *dir, const char *name, char **out, hlrp_error *err) {
    const size_t n = strlen(dir);
    if (name[0] == '/' || n == 0)
        return hlrp_format(out, err, "%s", name);
    return hlrp_format(out, err, "%s%s%s", dir, dir[n - 1] == '/' ? "" : "/", name);
}

const char *hlrp_path_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

hlrp_status hlrp_path_stem(const char *path, char **out, hlrp_error *err) {
    const char *name = hlrp_path_name(path);
    const char *dot = strrchr(name, '.');
    const int n = (int)(dot && dot != name ? (size_t)(dot - name) : strlen(name));
    return hlrp_format(out, err, "%.*s", n, name);
}

static hlrp_status read_failed(const char *path, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_INPUT, path, "check the path and its permissions",
                     "cannot read the file: %s", strerror(errno));
}

hlrp_status hlrp_read_file(const char *path, int64_t limit, char **out, int64_t *size,
                           hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *bytes = NULL;
    struct stat st;
    size_t n = 0;
    FILE *file = fopen(path, "rb");
    if (!file)
        return read_failed(path, err);
    if (fstat(fileno(file), &st) != 0 || S_ISDIR(st.st_mode)) {
        errno = S_ISDIR(st.st_mode) ? EISDIR : errno;
        status = read_failed(path, err);
        goto out;
    }
    if (st.st_size > limit) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, NULL, "the file has %lld bytes, over %lld",
                           (long long)st.st_size, (long long)limit);
        goto out;
    }
    HLRP_TRY(hlrp_calloc(&bytes, (int64_t)st.st_size + 1, 1, path, err));
    n = fread(bytes, 1, (size_t)st.st_size, file);
    if (n < (size_t)st.st_size && ferror(file)) {
        status = read_failed(path, err);
        goto out;
    }
    bytes[n] = '\0';
    *out = bytes;
    *size = (int64_t)n;
    bytes = NULL;
out:
    free(bytes);
    fclose(file);
    return status;
}

hlrp_status hlrp_atomic_begin(hlrp_atomic *file, const char *final_path, hlrp_error *err) {
    *file = (hlrp_atomic){0};
    const char *name = hlrp_path_name(final_path);
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_format(&file->final_path, err, "%s", final_path));
    /* Hidden, and with the process and a random number in its name: two runs, which may have one
     * number on two machines, never write into one file. */
    uint32_t random = 0;
    (void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
    HLRP_TRY(hlrp_format(&file->path, err, "%.*s.%s.%ld-%08x.tmp", (int)(name - final_path),
                         final_path, name, (long)getpid(), random));
out:
    if (status != HLRP_OK)
        hlrp_atomic_abort(file);
    return status;
}

static hlrp_status write_failed(const char *path, const char *step, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_IO, path, "make room or mend the disk, then run again",
                     "cannot %s the file: %s", step, strerror(errno));
}

static int sync_path(const char *path, int flags) {
    const int fd = open(path, flags | O_CLOEXEC);
    if (fd < 0)
        return -1;
    const int result = fsync(fd);
    const int why = errno;
    close(fd);
    errno = why;
    return result;
}

/* The rename itself must survive a power cut. Some network file systems refuse fsync on folders. */
static int sync_folder_of(const char *path) {
    const char *name = hlrp_path_name(path);
    char *folder = name == path ? strdup(".") : strndup(path, (size_t)(name - path));
    if (!folder)
        return -1;
    const int result = sync_path(folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    return result != 0 && (errno == EINVAL || errno == ENOTSUP) ? 0 : result;
}

hlrp_status hlrp_atomic_commit(hlrp_atomic *file, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    if (!file->path)
        return HLRP_OK;
    if (sync_path(file->path, O_RDONLY) != 0)
        status = write_failed(file->final_path, "sync", err);
    else if (rename(file->path, file->final_path) != 0)
        status = write_failed(file->final_path, "rename", err);
    else if (sync_folder_of(file->final_path) != 0)
        status = write_failed(file->final_path, "sync the folder of", err);
    hlrp_atomic_abort(file);
    return status;
}

void hlrp_atomic_abort(hlrp_atomic *file) {
    if (file->path)
        unlink(file->path);
    free(file->path);
    free(file->final_path);
    *file = (hlrp_atomic){0};
}

hlrp_status hlrp_write_file(const char *path, const char *bytes, size_t n, hlrp_error *err) {
    hlrp_atomic file = {0};
    hlrp_status status = HLRP_OK;
    FILE *stream = NULL;
    HLRP_TRY(hlrp_atomic_begin(&file, path, err));
    stream = fopen(file.path, "wb");
    if (!stream || fwrite(bytes, 1, n, stream) != n || fflush(stream) != 0) {
        status = write_failed(path, "write", err);
        goto out;
    }
    if (fclose(stream) != 0)
        status = write_failed(path, "close", err);
    stream = NULL;
    if (status == HLRP_OK)
        status = hlrp_atomic_commit(&file, err);
out:
    if (stream)
        fclose(stream);
    hlrp_atomic_abort(&file);
    return status;
}
