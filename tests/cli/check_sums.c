/* check_sums FILE.h5: at overlap 0, what the maps hold is what the tiles sent to the slide: the
 * finite sum of a plane equals the sum of (relevance_sum − relevance_outside) to 1e-5 of the
 * absolute sum. With one plane per predicted class every tile counts in its own plane only. Guards:
 * relevance lost or doubled where map pixels and tiles do not divide, padding counted as slide. */
#include "check.h"

int main(int argc, char **argv) {
    demand(argc == 2, "check_sums FILE.h5");
    const hid_t file = open_h5(argv[1]);
    const dataset map = read_dataset(file, "/relevance"), d = read_dataset(file, "/coverage");
    const dataset sum = read_dataset(file, "/tiles/relevance_sum");
    const dataset outside = read_dataset(file, "/tiles/relevance_outside");
    const int64_t planes = (int64_t)map.d[0], pixels = map.count / planes;
    const int64_t tiles = (int64_t)sum.d[0];
    double largest = 0;
    for (int64_t k = 0; k < planes; k++) {
        double have = 0, absolute = 0, want = 0;
        for (int64_t p = k * pixels; p < (k + 1) * pixels; p++) {
            check(isfinite(map.v[p]) == (d.v[p] > 0), "pixel %lld: coverage %g, relevance %g",
                  (long long)p, d.v[p], map.v[p]);
            if (isfinite(map.v[p])) {
                have += map.v[p];
                absolute += fabs(map.v[p]);
            }
        }
        for (int64_t t = 0; t < tiles; t++)
            if (isfinite(sum.v[t * planes + k]))
                want += sum.v[t * planes + k] - outside.v[t * planes + k];
        check(fabs(have - want) <= 1e-5 * absolute,
              "plane %lld: %.9g on the map, %.9g in the tiles", (long long)k, have, want);
        printf("plane %lld: sum %.9g, absolute %.9g\n", (long long)k, have, absolute);
        largest = fmax(largest, absolute);
    }
    check(largest > 0, "no relevance at all");
    H5Fclose(file);
    return verdict();
}
