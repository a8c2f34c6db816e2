#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "util/util.h"

bool hlrp_mul_size(int64_t a, int64_t b, int64_t *out) {
    return a >= 0 && b >= 0 && !__builtin_mul_overflow(a, b, out);
}

static hlrp_status no_memory(int64_t bytes, const char *what, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_MEMORY, what, "use fewer threads, or a machine with more memory",
                     "out of memory for %lld bytes", (long long)bytes);
}

static hlrp_status allocate(void *out, int64_t count, size_t size, size_t align, const char *what,
                            hlrp_error *err) {
    void *memory = NULL;
    int64_t bytes = 0;
    if (!hlrp_mul_size(count, (int64_t)size, &bytes) || bytes > INT64_MAX - 64)
        return hlrp_fail(err, HLRP_E_MEMORY, what, NULL, "a size of %lld × %zu bytes does not fit",
                         (long long)count, size);
    if (align) {
        const size_t rounded = ((size_t)bytes + align) / align * align;
        memory = aligned_alloc(align, rounded);
        if (memory)
            memset(memory, 0, rounded);
    } else {
        memory = calloc((size_t)HLRP_MAX(count, 1), size);
    }
    if (!memory)
        return no_memory(bytes, what, err);
    memcpy(out, &memory, sizeof memory);
    return HLRP_OK;
}

hlrp_status hlrp_calloc(void *out, int64_t count, size_t size, const char *what, hlrp_error *err) {
    return allocate(out, count, size, 0, what, err);
}

hlrp_status hlrp_calloc_aligned(void *out, int64_t count, size_t size, const char *what,
                                hlrp_error *err) {
    return allocate(out, count, size, 64, what, err);
}

hlrp_status hlrp_memory_left(int64_t bytes, const char *what, hlrp_error *err) {
    void *all =
        mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED)
        return no_memory(bytes, what, err);
    munmap(all, (size_t)bytes);
    return HLRP_OK;
}

hlrp_status hlrp_grow(void *ptr, int64_t *capacity, int64_t need, size_t size, hlrp_error *err) {
    if (need <= *capacity)
        return HLRP_OK;
    int64_t wanted = HLRP_MAX(need, *capacity > INT64_MAX / 2 ? need : 2 * *capacity), bytes = 0;
    wanted = HLRP_MAX(wanted, 8);
    if (!hlrp_mul_size(wanted, (int64_t)size, &bytes))
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "a list of %lld items does not fit",
                         (long long)wanted);
    void *old = NULL;
    memcpy(&old, ptr, sizeof old);
    void *memory = realloc(old, (size_t)bytes);
    if (!memory)
        return no_memory(bytes, NULL, err);
    memcpy(ptr, &memory, sizeof memory);
    *capacity = wanted;
    return HLRP_OK;
}

char *hlrp_strdup(const char *text, hlrp_error *err) {
    char *copy = strdup(text);
    if (!copy)
        no_memory((int64_t)strlen(text) + 1, NULL, err);
    return copy;
}

hlrp_status hlrp_format(char **out, hlrp_error *err, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int n = vasprintf(out, format, args);
    va_end(args);
    if (n >= 0)
        return HLRP_OK;
    *out = NULL;
    return no_memory((int64_t)strlen(format), NULL, err);
}
