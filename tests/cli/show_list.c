/* show_list FILE.h5 /dataset: its whole numbers, separated by commas: what --target takes. */
#include "check.h"

int main(int argc, char **argv) {
    demand(argc == 3, "show_list FILE.h5 /dataset");
    const hid_t file = open_h5(argv[1]);
    const dataset values = read_dataset(file, argv[2]);
    for (int64_t i = 0; i < values.count; i++)
        printf("%s%lld", i ? "," : "", (long long)values.v[i]);
    printf("\n");
    H5Fclose(file);
    return 0;
}
