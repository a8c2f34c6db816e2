/* check_plane A.h5 K B.h5 L: plane K of A's maps has the bits of plane L of B's. Guards: a named
 * target that is not the same as its plane among all. */
#include "check.h"

static const double *plane_of(const dataset *map, int64_t k) {
    demand(k < (int64_t)map->d[0], "no plane %lld", (long long)k);
    return map->v + k * (int64_t)(map->d[1] * map->d[2]);
}

int main(int argc, char **argv) {
    demand(argc == 5, "check_plane A.h5 K B.h5 L");
    const hid_t fa = open_h5(argv[1]), fb = open_h5(argv[3]);
    static const char *const names[] = {"/relevance", "/coverage"};
    for (int i = 0; i < 2; i++) {
        const dataset a = read_dataset(fa, names[i]), b = read_dataset(fb, names[i]);
        const size_t size = (size_t)(a.d[1] * a.d[2]) * sizeof(double);
        demand(a.d[1] == b.d[1] && a.d[2] == b.d[2], "%s: other sizes", names[i]);
        check(memcmp(plane_of(&a, atoll(argv[2])), plane_of(&b, atoll(argv[4])), size) == 0,
              "%s differs", names[i]);
    }
    H5Fclose(fa);
    H5Fclose(fb);
    return verdict();
}
