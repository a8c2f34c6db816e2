/* Names to ids by open addressing: a file may have a hundred thousand names. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "onnx/internal.h"

/* FNV-1a, from a start that a file cannot know: names that all fall into one place would otherwise make
 * every search go through all of them. */
static uint64_t hash(const char *key, uint64_t start) {
    uint64_t h = UINT64_C(14695981039346656037) ^ start;
    for (; *key != '\0'; key++)
        h = (h ^ (unsigned char)*key) * UINT64_C(1099511628211);
    return h ^ h >> 32;
}

/* The slot where key is or would be; capacity is above count, so that there is one. */
static struct onnx_name *slot_of(const onnx_names *names, const char *key) {
    uint64_t mask = (uint64_t)names->capacity - 1;
    uint64_t at = hash(key, names->start) & mask;
    while (names->slots[at].key && strcmp(names->slots[at].key, key) != 0)
        at = (at + 1) & mask;
    return &names->slots[at];
}

int onnx_names_find(const onnx_names *names, const char *key) {
    if (names->capacity == 0)
        return -1;
    const struct onnx_name *slot = slot_of(names, key);
    return slot->key ? slot->id : -1;
}

static hlrp_status widen(onnx_names *names, hlrp_error *err) {
    onnx_names wide = {.count = names->count,
                       .capacity = HLRP_MAX(64, names->capacity * 2),
                       .start = names->start};
    if (names->capacity == 0)
        (void)!getrandom(&wide.start, sizeof wide.start, GRND_NONBLOCK);
    hlrp_status status =
        hlrp_calloc(&wide.slots, wide.capacity, sizeof *wide.slots, "names of a network", err);
    if (status != HLRP_OK)
        return status;
    for (int64_t k = 0; k < names->capacity; k++)
        if (names->slots[k].key)
            *slot_of(&wide, names->slots[k].key) = names->slots[k];
    free(names->slots);
    *names = wide;
    return HLRP_OK;
}

hlrp_status onnx_names_add(onnx_names *names, const char *key, int id, hlrp_error *err) {
    if (2 * (names->count + 1) > names->capacity) {
        hlrp_status status = widen(names, err);
        if (status != HLRP_OK)
            return status;
    }
    struct onnx_name *slot = slot_of(names, key);
    if (slot->key)
        return hlrp_fail(err, HLRP_E_MODEL, key, "export the network again",
                         "two tensors of the network have the same name");
    slot->key = hlrp_strdup(key, err);
    if (!slot->key)
        return HLRP_E_MEMORY;
    slot->id = id;
    names->count++;
    return HLRP_OK;
}

void onnx_names_free(onnx_names *names) {
    for (int64_t k = 0; k < names->capacity; k++)
        free(names->slots[k].key);
    free(names->slots);
    *names = (onnx_names){0};
}
