/* show_tiles FILE.h5: how many tiles it has. */
#include "check.h"

int main(int argc, char **argv) {
    demand(argc == 2, "show_tiles FILE.h5");
    const hid_t file = open_h5(argv[1]);
    const dataset status = read_dataset(file, "/tiles/status");
    printf("%lld\n", (long long)status.count);
    H5Fclose(file);
    return 0;
}
