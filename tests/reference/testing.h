/* What every program here includes first. */
#ifndef TESTING_H
#define TESTING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/util.h"

static inline void *room(int64_t count, size_t size) {
    void *p = calloc((size_t)HLRP_MAX(count, 1), size);
    assert_non_null(p);
    return p;
}

/* Says what the library says before it fails the test. */
static inline void check(hlrp_status status, const hlrp_error *err) {
    char line[2000];
    if (status != HLRP_OK)
        fail_msg("%s", hlrp_error_line(err, line, sizeof line));
}

#endif
