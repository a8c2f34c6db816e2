#include "engine/arena.h"

#include <stdlib.h>

static int larger_first(const void *a, const void *b) {
    const hlrp_interval *x = *(hlrp_interval *const *)a, *y = *(hlrp_interval *const *)b;
    if (x->floats != y->floats)
        return x->floats < y->floats ? 1 : -1;
    return x < y ? -1 : x > y; /* by place, so that the same network is always laid out alike */
}

static int lower_first(const void *a, const void *b) {
    const hlrp_interval *x = *(hlrp_interval *const *)a, *y = *(hlrp_interval *const *)b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The lowest offset at which `it` touches none of the placed ones that live at the same time. */
static int64_t lowest_gap(const hlrp_interval *it, hlrp_interval *const *placed, int count,
                          hlrp_interval **near) {
    int n = 0;
    for (int i = 0; i < count; i++)
        if (placed[i]->first <= it->last && it->first <= placed[i]->last)
            near[n++] = placed[i];
    qsort(near, (size_t)n, sizeof(hlrp_interval *), lower_first);
    int64_t at = 0;
    for (int i = 0; i < n && near[i]->offset < at + it->floats; i++)
        at = HLRP_MAX(at, near[i]->offset + near[i]->floats);
    return at;
}

/* Behind each other, each in a place of its own: a search for gaps among so many would take minutes. */
static void pack_side_by_side(hlrp_interval **order, int used, int64_t *floats) {
    for (int i = 0; i < used; i++) {
        order[i]->offset = *floats;
        *floats += order[i]->floats;
    }
}

hlrp_status hlrp_arena_pack(hlrp_interval *intervals, int count, int64_t *floats, hlrp_error *err) {
    hlrp_interval **order = NULL, **near = NULL;
    hlrp_status status = HLRP_OK;
    *floats = 0;
    HLRP_TRY(hlrp_calloc(&order, count, sizeof(hlrp_interval *), "arena", err));
    HLRP_TRY(hlrp_calloc(&near, count, sizeof(hlrp_interval *), "arena", err));
    int used = 0; /* many values share another one's buffer: theirs are empty */
    for (int i = 0; i < count; i++) {
        intervals[i].floats = (intervals[i].floats + 15) / 16 * 16;
        intervals[i].offset = 0;
        if (intervals[i].floats > 0)
            order[used++] = &intervals[i];
    }
    qsort(order, (size_t)used, sizeof(hlrp_interval *), larger_first);
    if (used > HLRP_ARENA_MOST)
        pack_side_by_side(order, used, floats);
    for (int i = 0; used <= HLRP_ARENA_MOST && i < used; i++) {
        order[i]->offset = lowest_gap(order[i], order, i, near);
        *floats = HLRP_MAX(*floats, order[i]->offset + order[i]->floats);
    }
out:
    free(order);
    free(near);
    return status;
}

void hlrp_forward_lives(const hlrp_graph *g, hlrp_interval *lives) {
    for (int v = 0; v < g->value_count; v++)
        lives[v].first = lives[v].last = g->values[v].producer;
    for (int i = 0; i < g->node_count; i++)
        for (int k = 0; k < g->nodes[i].in_count; k++)
            if (g->nodes[i].in[k] >= 0)
                lives[g->nodes[i].in[k]].last = i;
    lives[g->output].last = g->node_count;
}
