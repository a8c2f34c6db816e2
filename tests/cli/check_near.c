/* check_near A.h5 /dataset B.h5 /dataset TOLERANCE: equal shapes, and in every sample (first axis)
 * the largest difference is at most TOLERANCE of the largest value. */
#include "check.h"

int main(int argc, char **argv) {
    demand(argc == 6, "check_near A.h5 /dataset B.h5 /dataset TOLERANCE");
    const hid_t fa = open_h5(argv[1]), fb = open_h5(argv[3]);
    const dataset a = read_dataset(fa, argv[2]), b = read_dataset(fb, argv[4]);
    const double tolerance = atof(argv[5]);
    demand(a.rank == b.rank && a.count == b.count && a.d[0] == b.d[0] && a.count > 0,
           "other shapes: %lld and %lld values", (long long)a.count, (long long)b.count);
    const int64_t samples = (int64_t)a.d[0], size = a.count / samples;
    for (int64_t i = 0; i < samples; i++) {
        double worst = 0, largest = 0;
        bool finite = true;
        for (int64_t p = i * size; p < (i + 1) * size; p++) {
            worst = fmax(worst, fabs(a.v[p] - b.v[p]));
            largest = fmax(largest, fabs(b.v[p]));
            finite &= isfinite(a.v[p]) && isfinite(b.v[p]);
        }
        check(finite, "sample %lld: not finite", (long long)i);
        check(worst <= tolerance * largest, "sample %lld: %s is %.3g off, of %.3g", (long long)i,
              argv[2], worst, largest);
        check(largest > 0, "sample %lld: nothing but zeros", (long long)i);
    }
    H5Fclose(fa);
    H5Fclose(fb);
    return verdict();
}
