/* How far the work is, in one line. */
#include "sched/sched.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BAR_PERIOD 0.2   /* seconds between two drawings on a terminal */
#define LINE_PERIOD 60.0 /* seconds between two plain lines */

enum { BAR_CELLS = 24, LINE_BYTES = 300 };

double hlrp_progress_rate(const hlrp_progress *p, double now) {
    double seconds = now - p->started;
    return seconds > 0 && p->done > p->before ? (double)(p->done - p->before) / seconds : 0;
}

double hlrp_progress_eta(const hlrp_progress *p, double now) {
    double rate = hlrp_progress_rate(p, now);
    if (p->done >= p->total)
        return 0;
    return rate > 0 ? (double)(p->total - p->done) / rate : -1;
}

const char *hlrp_progress_duration(double seconds, char *buf, size_t size) {
    if (!isfinite(seconds) || seconds < 0 || seconds > 8.64e8) { /* 10,000 days */
        snprintf(buf, size, "--:--");
        return buf;
    }
    long long s = llround(seconds);
    if (s < 3600)
        snprintf(buf, size, "%lld:%02lld", s / 60, s % 60);
    else if (s < 48 * 3600)
        snprintf(buf, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(buf, size, "%lld d %lld h", s / 86400, s / 3600 % 24);
    return buf;
}

/* n with a comma between thousands, n ≥ 0. */
static const char *grouped(int64_t n, char buf[32]) {
    char digits[32] = "";
    int length = snprintf(digits, sizeof digits, "%lld", (long long)HLRP_MAX(n, 0));
    char *to = buf;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return buf;
}

static double fraction(const hlrp_progress *p) {
    if (p->total <= 0)
        return 1;
    double f = (double)p->done / (double)p->total;
    return f < 0 ? 0 : f > 1 ? 1 : f;
}

static void bar(const hlrp_progress *p, char out[BAR_CELLS + 4]) {
    int full = p->terminal ? (int)(fraction(p) * BAR_CELLS) : 0;
    out[0] = 0;
    if (!p->terminal)
        return;
    out[0] = '[';
    for (int i = 0; i < BAR_CELLS; i++)
        out[i + 1] = i < full ? '#' : '-';
    out[BAR_CELLS + 1] = ']';
    out[BAR_CELLS + 2] = ' ';
    out[BAR_CELLS + 3] = 0;
}

/* Bytes of the label that fit beside `rest` bytes on one line, whole UTF-8 characters only. */
static int label_bytes(const hlrp_progress *p, int rest) {
    int length = (int)strlen(p->label ? p->label : "");
    int room = p->columns - 1 - rest;
    if (!p->terminal || p->columns <= 0 || length <= room)
        return length;
    room = HLRP_MAX(room, 0);
    while (room > 0 && ((unsigned char)p->label[room] & 0xC0) == 0x80)
        room--;
    return room;
}

const char *hlrp_progress_line(const hlrp_progress *p, double now, char *buf, size_t size) {
    char cells[BAR_CELLS + 4], done[32], total[32], time[40], rest[LINE_BYTES];
    double rate = hlrp_progress_rate(p, now);
    bool over = p->done >= p->total;
    bar(p, cells);
    hlrp_progress_duration(over ? now - p->started : hlrp_progress_eta(p, now), time, sizeof time);
    int n = snprintf(rest, sizeof rest, " %s%3d%% %s/%s %s, %.*f/s, %s%s", cells,
                     (int)(100 * fraction(p)), grouped(p->done, done), grouped(p->total, total),
                     p->unit ? p->unit : "items", rate < 9.95 ? 1 : 0, rate,
                     over ? "took " : "left ", time);
    int label = label_bytes(p, n);
    snprintf(buf, size, "%.*s%s", label, p->label ? p->label : "", label > 0 ? rest : rest + 1);
    return buf;
}

/* On a terminal the line is drawn over the last one, blanks over what that had more. */
static void show(hlrp_progress *p, double now, bool last) {
    char line[LINE_BYTES], text[2 * LINE_BYTES + 8];
    hlrp_progress_line(p, now, line, sizeof line);
    int width = (int)strlen(line);
    int blanks = p->terminal ? HLRP_MAX(p->width - width, 0) : 0;
    snprintf(text, sizeof text, "%s%s%*s%s", p->terminal ? "\r" : "", line, blanks, "",
             last || !p->terminal ? "\n" : "");
    p->width = width;
    p->shown = now;
    p->write(p->ctx, text);
}

void hlrp_progress_start(hlrp_progress *p, double now) {
    p->started = now;
    p->shown = now;
    p->done = p->before;
    p->width = 0;
    if (p->terminal)
        show(p, now, false);
}

void hlrp_progress_update(hlrp_progress *p, int64_t done, double now) {
    p->done = done;
    if (now - p->shown >= (p->terminal ? BAR_PERIOD : LINE_PERIOD))
        show(p, now, false);
}

void hlrp_progress_finish(hlrp_progress *p, double now) {
    show(p, now, true);
}
