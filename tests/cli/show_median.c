/* show_median FILE.h5: prints a probability of the last class that lies between those of the tiles:
 * a gate that lets about half of them through. */
#include "check.h"

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv) {
    demand(argc == 2, "show_median FILE.h5");
    const hid_t file = open_h5(argv[1]);
    const dataset p = read_dataset(file, "/tiles/probability");
    const int64_t tiles = (int64_t)p.d[0], classes = (int64_t)p.d[1];
    demand(tiles > 1, "%lld tiles", (long long)tiles);
    for (int64_t i = 0; i < tiles; i++)
        p.v[i] = p.v[i * classes + classes - 1];
    qsort(p.v, (size_t)tiles, sizeof *p.v, by_value);
    demand(p.v[0] < p.v[tiles - 1], "all tiles have the same probability");
    printf("%.9f\n", (p.v[tiles / 2] + p.v[tiles / 2 - 1]) / 2);
    H5Fclose(file);
    return 0;
}
