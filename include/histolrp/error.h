/* Errors: a status to act on, and one line for a person: what, where, how to mend it. */
#ifndef HISTOLRP_ERROR_H
#define HISTOLRP_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hlrp_status {
    HLRP_OK = 0,
    HLRP_E_USAGE,       /* the command line */
    HLRP_E_CONFIG,      /* the configuration */
    HLRP_E_MODEL,       /* the network cannot be used */
    HLRP_E_OUTPUT,      /* the output folder cannot be used: nothing was run */
    HLRP_E_INPUT,       /* a slide, annotation, picture or tensor cannot be used */
    HLRP_E_IO,          /* a write, sync or rename failed on the way */
    HLRP_E_MEMORY,      /* an allocation failed, or a size does not fit */
    HLRP_E_INTERRUPTED, /* asked to stop; a rerun finishes */
    HLRP_E_BUSY,        /* another run holds it; a rerun finishes */
    HLRP_E_INTERNAL     /* a bug of this program */
} hlrp_status;

/* Lives on the caller's stack, so that it survives threads. All strings are NUL-terminated;
 * too long ones are cut. Zero-initialise it: hlrp_error err = {0}. */
typedef struct hlrp_error {
    hlrp_status status;
    char what[600];
    char where[600];
    char mend[300];
} hlrp_error;

/* Sets *err (where and mend may be NULL; `what` is a printf format) and returns `status`, so that a
 * failing function ends in `return hlrp_fail(err, HLRP_E_INPUT, path, "check the path", "…", …)`.
 */
hlrp_status hlrp_fail(hlrp_error *err, hlrp_status status, const char *where, const char *mend,
                      const char *what, ...) __attribute__((format(printf, 5, 6)));

/* Writes "WHAT (WHERE): HOW TO MEND IT" on one line (control characters replaced) into buf; parts
 * that are empty are left out with their punctuation. Returns buf. */
const char *hlrp_error_line(const hlrp_error *err, char *buf, unsigned long size);

/* The program's exit status for a library status: 0, 1, 2 or 75. */
int hlrp_exit_status(hlrp_status status);

#ifdef __cplusplus
}
#endif
#endif
