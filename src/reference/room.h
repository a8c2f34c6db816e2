/* Memory of one node's turn in lrp.c. The formulas take what they need and free nothing: all of it goes
 * at the end of the turn, and where there is none left the turn is broken off by a jump, so that each
 * rule stands here as its definition is written. */
#ifndef HLRP_REFERENCE_ROOM_H
#define HLRP_REFERENCE_ROOM_H

#include <setjmp.h>
#include <stdint.h>

typedef struct hlrp_ref_block hlrp_ref_block;
typedef struct hlrp_ref_room {
    jmp_buf none_left;
    hlrp_ref_block *last;
} hlrp_ref_room;

/* `count` zeros. Jumps to none_left where there is no memory. */
double *hlrp_ref_take(hlrp_ref_room *room, int64_t count);
void hlrp_ref_room_clear(hlrp_ref_room *room);

#endif
