#include "engine/strided.h"

#include <string.h>

void hlrp_row_steps(const hlrp_dims *dims, int64_t *step) {
    int64_t next = 1;
    for (int k = dims->rank - 1; k >= 0; k--) {
        step[k] = next;
        next *= dims->d[k];
    }
}

hlrp_strided hlrp_strided_turned(const hlrp_strided *s) {
    hlrp_strided turned = {.box = s->box, .from = s->to, .to = s->from};
    memcpy(turned.from_step, s->to_step, sizeof turned.from_step);
    memcpy(turned.to_step, s->from_step, sizeof turned.to_step);
    return turned;
}

/* Without axes of one element, and with neighbouring axes that lie as one joined: the last axis becomes
 * as long as it can. */
static hlrp_strided joined(const hlrp_strided *s) {
    hlrp_strided j = {.from = s->from, .to = s->to};
    for (int k = 0; k < s->box.rank; k++) {
        const int last = j.box.rank - 1;
        const int64_t extent = s->box.d[k];
        if (extent == 1)
            continue;
        if (last >= 0 && j.from_step[last] == extent * s->from_step[k] &&
            j.to_step[last] == extent * s->to_step[k]) {
            j.box.d[last] *= extent;
            j.from_step[last] = s->from_step[k];
            j.to_step[last] = s->to_step[k];
            continue;
        }
        j.box.d[j.box.rank] = extent;
        j.from_step[j.box.rank] = s->from_step[k];
        j.to_step[j.box.rank++] = s->to_step[k];
    }
    if (j.box.rank == 0)
        j.box = (hlrp_dims){.rank = 1, .d = {1}};
    return j;
}

typedef void (*run_fn)(int64_t count, const float *from, int64_t from_step, float *to,
                       int64_t to_step);

static void copy_run(int64_t count, const float *from, int64_t from_step, float *to,
                     int64_t to_step) {
    if (from_step == 1 && to_step == 1)
        memcpy(to, from, (size_t)count * sizeof *to);
    else
        for (int64_t i = 0; i < count; i++)
            to[i * to_step] = from[i * from_step];
}

static void add_run(int64_t count, const float *from, int64_t from_step, float *to,
                    int64_t to_step) {
    if (to_step == 0) { /* a sum: float64, whatever its length */
        double sum = 0;
        for (int64_t i = 0; i < count; i++)
            sum += (double)from[i * from_step];
        *to += (float)sum;
    } else {
        for (int64_t i = 0; i < count; i++)
            to[i * to_step] += from[i * from_step];
    }
}

/* Runs along the last axis, for every place along the others. */
static void every_run(const hlrp_strided *given, const float *from, float *to, run_fn run) {
    const hlrp_strided s = joined(given);
    const int last = s.box.rank - 1;
    int64_t place[HLRP_MAX_RANK] = {0}, f = s.from, t = s.to;
    for (;;) {
        run(s.box.d[last], from + f, s.from_step[last], to + t, s.to_step[last]);
        int k = last - 1;
        for (; k >= 0; k--) {
            f += s.from_step[k];
            t += s.to_step[k];
            if (++place[k] < s.box.d[k])
                break;
            f -= s.from_step[k] * s.box.d[k];
            t -= s.to_step[k] * s.box.d[k];
            place[k] = 0;
        }
        if (k < 0)
            return;
    }
}

void hlrp_strided_copy(const hlrp_strided *s, const float *from, float *to) {
    every_run(s, from, to, copy_run);
}

void hlrp_strided_add(const hlrp_strided *s, const float *from, float *to) {
    every_run(s, from, to, add_run);
}
