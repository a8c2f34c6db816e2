/* The reader's insides, for the files of this folder that read. */
#ifndef HLRP_STORE_READER_H
#define HLRP_STORE_READER_H

#include "store/h5.h"
#include "store/store.h"

struct hlrp_result {
    char *path;
    hid_t file, maps[HLRP_MAP_COUNT];
    hlrp_result_info info;
    hlrp_strings planes, classes;
    bool has_agreement;
};

#endif
