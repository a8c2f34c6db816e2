/* What the tests of the configuration share. */
#ifndef CONFIG_TEST_H
#define CONFIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <histolrp/config.h>

#include "util/util.h"

/* Writes text to a file of its own; remove_file takes it away again. */
static inline void make_file(const char *text, size_t n, char path[64]) {
    strcpy(path, "/tmp/hlrp-config-XXXXXX");
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, n), (ssize_t)n);
    close(fd);
}

/* Loads text as a file. NULL where that fails; *err then says why. */
static inline hlrp_config *load_bytes(const char *text, size_t n, hlrp_error *err) {
    char path[64];
    hlrp_config *config = NULL;
    make_file(text, n, path);
    const hlrp_status status = hlrp_config_load(path, NULL, 0, &config, err);
    unlink(path);
    assert_true((status == HLRP_OK) == (config != NULL));
    assert_int_equal(status, err->status);
    return config;
}

static inline hlrp_config *load_text(const char *text, hlrp_error *err) {
    return load_bytes(text, strlen(text), err);
}

/* Loads defaults and one override. */
static inline hlrp_config *load_override(const char *override, hlrp_error *err) {
    hlrp_config *config = NULL;
    hlrp_config_load(NULL, &override, 1, &config, err);
    return config;
}

/* The text must be refused as a configuration error that mentions all three. */
static inline void assert_refused(const char *text, const char *what, const char *where,
                                  const char *mend) {
    hlrp_error err = {0};
    hlrp_config *config = load_text(text, &err);
    assert_null(config);
    assert_int_equal(err.status, HLRP_E_CONFIG);
    if (!strstr(err.what, what) || !strstr(err.where, where) || !strstr(err.mend, mend))
        fail_msg("got: %s (%s): %s", err.what, err.where, err.mend);
}

static inline void assert_override_refused(const char *override, const char *what,
                                           const char *mend) {
    hlrp_error err = {0};
    assert_null(load_override(override, &err));
    assert_int_equal(err.status, HLRP_E_CONFIG);
    if (!strstr(err.what, what) || err.where[0] == '\0' || !strstr(err.mend, mend))
        fail_msg("got: %s (%s): %s", err.what, err.where, err.mend);
}

#endif
