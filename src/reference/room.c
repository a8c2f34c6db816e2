#include "reference/room.h"

#include <stdlib.h>

#include "util/util.h"

struct hlrp_ref_block {
    hlrp_ref_block *before;
    double *values;
};

double *hlrp_ref_take(hlrp_ref_room *room, int64_t count) {
    hlrp_error ignored = {0};
    hlrp_ref_block *block = NULL;
    if (hlrp_calloc(&block, 1, sizeof *block, "the reference", &ignored) != HLRP_OK)
        longjmp(room->none_left, 1);
    block->before = room->last;
    room->last = block;
    if (hlrp_calloc(&block->values, count, sizeof *block->values, "the reference", &ignored) !=
        HLRP_OK)
        longjmp(room->none_left, 1);
    return block->values;
}

void hlrp_ref_room_clear(hlrp_ref_room *room) {
    while (room->last) {
        hlrp_ref_block *block = room->last;
        room->last = block->before;
        free(block->values);
        free(block);
    }
}
