/* Messages on the way. The library prints nothing by itself: it calls the sink it was given. */
#ifndef HISTOLRP_LOG_H
#define HISTOLRP_LOG_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum hlrp_log_level {
    HLRP_LOG_ERROR,
    HLRP_LOG_WARN,
    HLRP_LOG_INFO,
    HLRP_LOG_DEBUG
} hlrp_log_level;

/* `write` gets one line without its newline; it may be called from several threads at once and
 * has to cope. Messages above `level` are not formatted. */
typedef struct hlrp_log {
    hlrp_log_level level;
    void (*write)(void *ctx, hlrp_log_level level, const char *line);
    void *ctx;
} hlrp_log;

/* A NULL log is silent. Lines over 2,000 bytes are cut. */
void hlrp_logf(const hlrp_log *log, hlrp_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#ifdef __cplusplus
}
#endif
#endif
