/* What libtiff says of files that OpenSlide has it read: lines of our log instead of its own on
 * standard error. libtiff tells nobody which file it is about. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "image/image.h"

/* Each line once: every worker opens every slide, and a damaged one has much to say. */
enum { MOST = 20, LENGTH = 300 };

static struct {
    pthread_mutex_t mutex;
    const hlrp_log *log;
    int count;
    char lines[MOST][LENGTH];
} said = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static bool is_new(const char *line) {
    for (int i = 0; i < said.count; i++)
        if (strcmp(said.lines[i], line) == 0)
            return false;
    return true;
}

__attribute__((format(printf, 2, 0))) static void say(const char *part, const char *format,
                                                      va_list args) {
    char text[LENGTH - 100], line[LENGTH];
    vsnprintf(text, sizeof text, format, args);
    snprintf(line, sizeof line, "libtiff: %.60s: %s", part ? part : "", text);
    /* tags of the makers' own are the rule in slides, and harm nobody */
    const bool tag = strncmp(text, "Unknown field with tag", 22) == 0;
    pthread_mutex_lock(&said.mutex);
    const bool first = said.count < MOST && is_new(line);
    if (first)
        memcpy(said.lines[said.count++], line, sizeof line);
    hlrp_logf(said.log, first && !tag ? HLRP_LOG_WARN : HLRP_LOG_DEBUG, "%s", line);
    if (first && said.count == MOST)
        hlrp_logf(said.log, HLRP_LOG_WARN, "libtiff has more to say: -v shows it");
    pthread_mutex_unlock(&said.mutex);
}

void hlrp_catch_tiff(const hlrp_log *log) {
    pthread_mutex_lock(&said.mutex);
    said.log = log;
    pthread_mutex_unlock(&said.mutex);
    hlrp_tiff_redirect(say, say);
}
