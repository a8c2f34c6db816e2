/* The command line: a table of commands, each with a table of options.
 *
 * A new command is one file that defines `const hlrp_command hlrp_command_NAME` and one line in
 * HLRP_COMMANDS below: help, option parsing and the exit status follow from the tables. */
#ifndef HLRP_CLI_H
#define HLRP_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/util.h"

/* In the order of `histolrp help`. */
#define HLRP_COMMANDS(X)                                                                           \
    X(run)                                                                                         \
    X(merge)                                                                                       \
    X(explain)                                                                                     \
    X(compare)                                                                                     \
    X(report)                                                                                      \
    X(inspect)                                                                                     \
    X(config)                                                                                      \
    X(phantom)                                                                                     \
    X(help)

/* What an option's value is stored as, at its offset in the command's options struct. */
typedef enum hlrp_option_type {
    HLRP_OPTION_FLAG,   /* bool */
    HLRP_OPTION_TEXT,   /* const char * */
    HLRP_OPTION_INT,    /* int64_t */
    HLRP_OPTION_DOUBLE, /* double */
    HLRP_OPTION_TEXTS   /* hlrp_arguments: may be given again and again */
} hlrp_option_type;

/* Texts of the command line, borrowed from argv; the array is freed with the call. */
typedef struct hlrp_arguments {
    const char **items;
    int64_t count, capacity;
} hlrp_arguments;

typedef struct hlrp_option {
    const char *name; /* without "--"; NULL ends the table */
    char letter;      /* '\0': none */
    hlrp_option_type type;
    size_t offset;
    const char *argument; /* "FILE", for help; NULL for flags */
    const char *help;
} hlrp_option;

/* Of `run` and `merge`. */
#define HLRP_ANY_PROCESSOR_HELP "go on with tiles of another kind of machine: last bits may differ"

struct hlrp_call;

typedef struct hlrp_command {
    const char *name;
    const char *summary;  /* one line */
    const char *operands; /* "CONFIG.ini INPUT", for help; "" */
    const char *details;  /* further lines of help, or NULL */
    int least_operands, most_operands;
    bool takes_config;           /* -s */
    const hlrp_option *options;  /* NULL: none of its own */
    size_t options_size;         /* of the struct the offsets point into */
    void (*init)(void *options); /* sets defaults; NULL: all zero */
    /* Does the work. An error in *err is printed; a status without one has been reported before. */
    hlrp_status (*run)(const struct hlrp_call *call, hlrp_error *err);
} hlrp_command;

/* A command line, taken apart. */
typedef struct hlrp_call {
    const hlrp_command *command; /* NULL: help or version was asked for */
    void *options;               /* the command's struct */
    hlrp_arguments operands;
    bool quiet, verbose, help, version;
    int64_t threads;         /* 0: not given */
    hlrp_arguments settings; /* -s, for hlrp_config_load */
    hlrp_log log;            /* to stderr */
} hlrp_call;

#define HLRP_DECLARE_COMMAND(name) extern const hlrp_command hlrp_command_##name;
HLRP_COMMANDS(HLRP_DECLARE_COMMAND)

/* The n-th command, NULL past the end; the command of a name, NULL for none; the nearest name. */
const hlrp_command *hlrp_command_at(int n);
const hlrp_command *hlrp_command_find(const char *name);
const char *hlrp_command_nearest(const char *name);

/* The options every command has, with offsets into hlrp_call; -s only where it
 * takes a configuration.
 */
const hlrp_option *hlrp_shared_options(void);
bool hlrp_option_applies(const hlrp_option *shared, const hlrp_command *command);

/* Takes argv apart (argv[0] is the program). HLRP_E_USAGE names what is wrong and the nearest known
 * name. Free *call in any case. */
hlrp_status hlrp_call_parse(int argc, const char *const *argv, hlrp_call *call, hlrp_error *err);
void hlrp_call_free(hlrp_call *call);

/* "1024" or "2048x1024" (also "×") in *width and *height. */
bool hlrp_parse_extent(const char *text, int64_t *width, int64_t *height);

/* --log-json: a JSON object a line, {"time", "level", "message"} or {"time", "slide": {…}}, each
 * written at once, so that several programs may append to one file. */
typedef struct hlrp_json_log {
    const hlrp_log *said; /* where the messages go besides */
    int fd;
} hlrp_json_log;
/* *both: a log that writes to file and terminal; it borrows *json. HLRP_E_OUTPUT. */
hlrp_status hlrp_json_log_open(hlrp_json_log *json, const char *path, hlrp_log *both,
                               hlrp_error *err);
void hlrp_json_log_event(void *json, const char *object);
/* Writes the command's end, and closes; nothing where it was not opened. */
void hlrp_json_log_close(hlrp_json_log *json, hlrp_status status, const hlrp_error *err);

/* What libtiff says of files that OpenSlide reads goes to this log from now on, which is borrowed;
 * NULL: nowhere. From any thread. */
void hlrp_catch_tiff(const hlrp_log *log);

/* SIGINT, SIGTERM and SIGUSR1 from now on: the first makes hlrp_signal_arrived say so, and ends the
 * program with status 75 if it is still there after some seconds; a second one does so at once. */
void hlrp_catch_signals(void);
bool hlrp_signal_arrived(void *ctx); /* for hlrp_run_options.stop; ctx is not used */

/* Writes to out. */
void hlrp_print_help(FILE *out);
void hlrp_print_command_help(FILE *out, const hlrp_command *command);
void hlrp_print_versions(FILE *out);

/* One line on stderr: "histolrp: error: …". */
void hlrp_print_error(const hlrp_error *err);

/* A sink for hlrp_log that writes "histolrp: warning: …" to stderr, whole lines at a time. */
hlrp_log hlrp_terminal_log(bool quiet, bool verbose);

#endif
