/* check_targets FILE.h5 predicted|gated P|within WHOLE.h5|negated: what the tiles' rows hold.
 *
 * predicted  a tile explains the class of its highest probability, and is NaN in the other columns
 * gated P    status 0 where the probability of plane 0's class, the last one, is at least P, else
 *            status 1, NaN relevance, and the probability kept, in /probability of the map too
 * within F   the explained tiles, not all, have the very numbers they have in F, where all are
 * negated    a network of one output: class 0 is minus class 1 in maps, logits and sums
 *
 * Guards: relevance of one class in another's plane, a gate that drops probabilities. */
#include "check.h"

typedef struct tiles {
    dataset probability, start, sum, outside, status, logit;
    int64_t count, classes, planes;
} tiles;

static int64_t best(const tiles *t, int64_t i) {
    int64_t k = 0;
    for (int64_t c = 1; c < t->classes; c++)
        if (t->probability.v[i * t->classes + c] > t->probability.v[i * t->classes + k])
            k = c;
    return k;
}

static void check_predicted(const tiles *t) {
    check(t->planes == t->classes, "%lld planes", (long long)t->planes);
    for (int64_t i = 0; i < t->count; i++)
        for (int64_t k = 0; k < t->planes; k++) {
            const int64_t at = i * t->planes + k;
            const bool own = k == best(t, i);
            check(isfinite(t->start.v[at]) == own && isfinite(t->sum.v[at]) == own &&
                      isfinite(t->outside.v[at]) == own,
                  "tile %lld: plane %lld is not as predicted", (long long)i, (long long)k);
            check(!own || fabs(t->start.v[at] - t->logit.v[at]) < 1e-6,
                  "tile %lld: starts at %g, not its logit", (long long)i, t->start.v[at]);
        }
}

static void check_gated(hid_t file, const tiles *t, double limit) {
    const dataset map = read_dataset(file, "/probability");
    const dataset relevance = read_dataset(file, "/relevance");
    int64_t gated = 0, finite = 0, explained = 0;
    for (int64_t i = 0; i < t->count; i++) {
        const double p = t->probability.v[i * t->classes + t->classes - 1];
        const bool through = p >= limit;
        gated += !through;
        check(isfinite(p) && t->status.v[i] == (through ? 0 : 1), "tile %lld: p %g, status %g",
              (long long)i, p, t->status.v[i]);
        check(isfinite(t->sum.v[i]) == through, "tile %lld: relevance %g", (long long)i,
              t->sum.v[i]);
    }
    for (int64_t p = 0; p < (int64_t)(map.d[1] * map.d[2]); p++) {
        finite += isfinite(map.v[p]);
        explained += isfinite(relevance.v[p]);
    }
    printf("%lld of %lld tiles gated out\n", (long long)gated, (long long)t->count);
    check(gated > 0 && gated < t->count, "the gate lets all or nothing through");
    check(explained > 0 && finite > explained, "%lld pixels with probability, %lld explained",
          (long long)finite, (long long)explained);
}

static bool alike(const dataset *a, const dataset *b, int64_t row) {
    const int64_t n = a->count / (int64_t)a->d[0];
    return memcmp(a->v + row * n, b->v + row * n, (size_t)n * sizeof *a->v) == 0;
}

static void check_within(const tiles *t, const char *path) {
    const hid_t file = open_h5(path);
    const dataset start = read_dataset(file, "/tiles/start"),
                  sum = read_dataset(file, "/tiles/relevance_sum"),
                  outside = read_dataset(file, "/tiles/relevance_outside"),
                  logit = read_dataset(file, "/tiles/logit");
    int64_t explained = 0;
    demand(start.d[0] == t->start.d[0] && start.d[1] == t->start.d[1], "other tiles");
    for (int64_t i = 0; i < t->count; i++) {
        check(alike(&t->logit, &logit, i), "tile %lld: other logits", (long long)i);
        if (t->status.v[i] != 0)
            continue;
        explained++;
        check(alike(&t->start, &start, i) && alike(&t->sum, &sum, i) &&
                  alike(&t->outside, &outside, i),
              "tile %lld: other relevance than among all tiles", (long long)i);
    }
    check(explained > 0 && explained < t->count, "%lld explained", (long long)explained);
    H5Fclose(file);
}

static void check_negated(hid_t file, const tiles *t) {
    const dataset map = read_dataset(file, "/relevance");
    const int64_t pixels = map.count / 2;
    bool any = false;
    check(t->classes == 2 && t->planes == 2, "%lld classes", (long long)t->classes);
    for (int64_t p = 0; p < pixels; p++) {
        any |= map.v[p] != 0;
        check(map.v[p] == -map.v[pixels + p], "pixel %lld: %g and %g", (long long)p, map.v[p],
              map.v[pixels + p]);
    }
    check(any, "nothing but zeros");
    for (int64_t i = 0; i < t->count; i++) {
        check(t->logit.v[2 * i] == -t->logit.v[2 * i + 1], "tile %lld: logits", (long long)i);
        check(fabs(t->probability.v[2 * i] + t->probability.v[2 * i + 1] - 1) < 1e-6,
              "tile %lld: probabilities", (long long)i);
        check(fabs(t->probability.v[2 * i + 1] - 1 / (1 + exp(-t->logit.v[2 * i + 1]))) < 1e-6,
              "tile %lld: p1 is no sigmoid", (long long)i);
    }
}

int main(int argc, char **argv) {
    demand(argc >= 3, "check_targets FILE.h5 predicted|gated P|within WHOLE.h5|negated");
    const hid_t file = open_h5(argv[1]);
    tiles t = {.probability = read_dataset(file, "/tiles/probability"),
               .start = read_dataset(file, "/tiles/start"),
               .sum = read_dataset(file, "/tiles/relevance_sum"),
               .outside = read_dataset(file, "/tiles/relevance_outside"),
               .status = read_dataset(file, "/tiles/status"),
               .logit = read_dataset(file, "/tiles/logit")};
    t.count = (int64_t)t.status.d[0];
    t.classes = (int64_t)t.probability.d[1];
    t.planes = (int64_t)t.start.d[1];
    check(t.count > 0, "no tiles");
    if (strcmp(argv[2], "predicted") == 0)
        check_predicted(&t);
    else if (strcmp(argv[2], "gated") == 0 && argc == 4)
        check_gated(file, &t, atof(argv[3]));
    else if (strcmp(argv[2], "within") == 0 && argc == 4)
        check_within(&t, argv[3]);
    else if (strcmp(argv[2], "negated") == 0)
        check_negated(file, &t);
    else
        demand(false, "unknown: %s", argv[2]);
    H5Fclose(file);
    return verdict();
}
