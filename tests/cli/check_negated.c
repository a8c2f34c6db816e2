/* check_negated A.h5 B.h5: /relevance of B is minus that of A. Guards: class 0 of a network of one
 * output explained as class 1. */
#include "check.h"

int main(int argc, char **argv) {
    demand(argc == 3, "check_negated A.h5 B.h5");
    const hid_t fa = open_h5(argv[1]), fb = open_h5(argv[2]);
    const dataset a = read_dataset(fa, "/relevance"), b = read_dataset(fb, "/relevance");
    bool any = false;
    demand(a.count == b.count, "other shapes");
    for (int64_t p = 0; p < a.count; p++) {
        any |= a.v[p] != 0;
        check(a.v[p] == -b.v[p], "value %lld: %g and %g", (long long)p, a.v[p], b.v[p]);
    }
    check(any, "nothing but zeros");
    H5Fclose(fa);
    H5Fclose(fb);
    return verdict();
}
