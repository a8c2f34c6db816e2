/* The ground floor: checked memory, growing strings, strict parsing, paths, atomic files, clock,
 * hashes. Nothing here knows of slides or networks. Thread-safe throughout: no shared state. */
#ifndef HLRP_UTIL_H
#define HLRP_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <histolrp/error.h>
#include <histolrp/log.h>

#define HLRP_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define HLRP_MIN(a, b) ((a) < (b) ? (a) : (b))
#define HLRP_MAX(a, b) ((a) > (b) ? (a) : (b))

/* In a function with `hlrp_status status`, `hlrp_error *err` and a label `out:`. */
#define HLRP_TRY(call)                                                                             \
    do {                                                                                           \
        status = (call);                                                                           \
        if (status != HLRP_OK)                                                                     \
            goto out;                                                                              \
    } while (0)

/* ---- memory ---- */

/* a·b in *out; false where it overflows or an argument is negative. */
bool hlrp_mul_size(int64_t a, int64_t b, int64_t *out);

/* count·size bytes, zeroed, in *out (typed: pass the address of your pointer). A count of 0 gives a
 * valid pointer. Fails with HLRP_E_MEMORY where the product overflows or memory is short, naming
 * `what`. The caller frees with free(). */
hlrp_status hlrp_calloc(void *out, int64_t count, size_t size, const char *what, hlrp_error *err);

/* HLRP_E_MEMORY unless so many bytes could be had now; takes none. For calls into libraries that crash, or
 * end the program, where an allocation fails: asked before, the caller gets an error instead. */
hlrp_status hlrp_memory_left(int64_t bytes, const char *what, hlrp_error *err);

/* Like hlrp_calloc, aligned to 64 bytes (vector loads). Free with free(). */
hlrp_status hlrp_calloc_aligned(void *out, int64_t count, size_t size, const char *what,
                                hlrp_error *err);

/* Makes room for `need` items of `size` bytes at *ptr, doubling *capacity. New items are not
 * zeroed. */
hlrp_status hlrp_grow(void *ptr, int64_t *capacity, int64_t need, size_t size, hlrp_error *err);

/* A copy of text; NULL only where memory is short (err set). */
char *hlrp_strdup(const char *text, hlrp_error *err);

/* A formatted string in *out, the caller's to free. */
hlrp_status hlrp_format(char **out, hlrp_error *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- strings ---- */

/* A growing string; zero-initialise. `failed` is sticky: append freely, look once at the end. */
typedef struct hlrp_str {
    char *text; /* NUL-terminated, or NULL while empty */
    size_t length, capacity;
    bool failed;
} hlrp_str;

void hlrp_str_add(hlrp_str *s, const char *text);
void hlrp_str_addn(hlrp_str *s, const char *bytes, size_t n);
void hlrp_str_addf(hlrp_str *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void hlrp_str_free(hlrp_str *s);

/* A list of strings, owned. Zero-initialise. */
typedef struct hlrp_strings {
    char **items;
    int64_t count, capacity;
} hlrp_strings;

hlrp_status hlrp_strings_add(hlrp_strings *list, const char *text, hlrp_error *err);
void hlrp_strings_sort(hlrp_strings *list); /* bytewise */
void hlrp_strings_free(hlrp_strings *list);

/* Splits at commas outside quotes, trims blanks, drops nothing: "a,,b" is three. "" is none. */
hlrp_status hlrp_split_commas(const char *text, hlrp_strings *out, hlrp_error *err);

/* Edit distance, for "did you mean"; strings over 64 bytes count as far. */
int hlrp_edit_distance(const char *a, const char *b);

/* Whether name matches the shell glob, letter case aside where nocase. */
bool hlrp_glob_match(const char *glob, const char *name, bool nocase);

/* ---- strict parsing: the whole text or nothing; blanks around it are allowed; locale-free ---- */

bool hlrp_parse_int(const char *text, int64_t *out);
bool hlrp_parse_double(const char *text, double *out); /* finite; also a quotient: "1/255" */
bool hlrp_parse_bool(const char *text, bool *out);     /* on/off, true/false, yes/no, 1/0 */

/* ---- paths and files ---- */

bool hlrp_file_exists(const char *path);
bool hlrp_is_folder(const char *path);
/* Whether both are there and are one file, by whatever names. */
bool hlrp_same_file(const char *a, const char *b);
hlrp_status hlrp_make_folders(const char *path, hlrp_error *err); /* as mkdir -p */

/* "dir/name" in *out, the caller's to free. */
hlrp_status hlrp_path_join(const char *dir, const char *name, char **out, hlrp_error *err);
const char *hlrp_path_name(const char *path); /* after the last '/'; borrowed */
/* The file's name without its folder and last extension, in *out. */
hlrp_status hlrp_path_stem(const char *path, char **out, hlrp_error *err);

/* The whole file in *out, NUL-terminated besides, the caller's to free. Refuses more than limit. */
hlrp_status hlrp_read_file(const char *path, int64_t limit, char **out, int64_t *size,
                           hlrp_error *err);

/* A file that appears whole under its final name or not at all. Begin names a temporary file in the
 * same folder (it does not create it); write that by any means; commit syncs it, renames it and
 * syncs the folder; abort removes it. After commit or abort the struct is empty again; both accept
 * an empty one, so `out:` can always abort. */
typedef struct hlrp_atomic {
    char *final_path;
    char *path; /* write here */
} hlrp_atomic;

hlrp_status hlrp_atomic_begin(hlrp_atomic *file, const char *final_path, hlrp_error *err);
hlrp_status hlrp_atomic_commit(hlrp_atomic *file, hlrp_error *err);
void hlrp_atomic_abort(hlrp_atomic *file);

/* Text to a file, atomically. */
hlrp_status hlrp_write_file(const char *path, const char *bytes, size_t n, hlrp_error *err);

/* ---- clock and hashes ---- */

double hlrp_seconds(void);         /* monotonic */
double hlrp_cpu_seconds(void);     /* that the calling thread has computed */
void hlrp_timestamp(char buf[32]); /* UTC, ISO 8601, now */
int64_t hlrp_peak_memory(void);    /* bytes of peak resident memory of this process */

/* The processor's model, "AMD EPYC, family 25, model 17", as /proc/cpuinfo or its text in `info`
 * says; "unknown" where it says nothing of the kind. One line. */
enum { HLRP_PROCESSOR_SIZE = 128 };
void hlrp_processor(char name[HLRP_PROCESSOR_SIZE]);
void hlrp_processor_of(const char *info, char name[HLRP_PROCESSOR_SIZE]);

/* Hex digests. */
hlrp_status hlrp_sha256_file(const char *path, char hex[65], hlrp_error *err);
void hlrp_sha256_bytes(const void *bytes, size_t n, char hex[65]);
/* Versions of the libraries used here; borrowed, static. zlib's is that of the library in memory.
 */
const char *hlrp_glib_version(void);
const char *hlrp_zlib_version(void);

uint32_t hlrp_crc32(uint32_t crc, const void *bytes, size_t n); /* start with 0 */

/* Bytes that are no UTF-8, which a file's name may hold, become U+FFFD. */
void hlrp_str_make_utf8(hlrp_str *s);
/* Text as a JSON string with its quotes, control characters and invalid UTF-8 made safe. */
void hlrp_str_add_json(hlrp_str *s, const char *text);

#endif
