/* The journal's header: who may go on with it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch/record.h"

#define MAGIC "HLRPJNL1"
#define VERSION 3u /* 2: a tile's sum of magnitudes, abs[K]; 3: its features */
#define BYTE_ORDER_MARK 0x01020304u
#define TEXT_MOST (INT64_C(16) << 20)

static const char remove_it[] = "remove the file, or start the slide over with --force";

typedef struct fixed {
    char magic[8];
    uint32_t order, version;
    int64_t classes, planes, tiles, layer_values, parts_max, features, text;
} fixed;

_Static_assert(sizeof(fixed) == 72, "the header has no holes");

int64_t hlrp_header_size(const hlrp_journal_key *key) {
    return (int64_t)sizeof(fixed) + (int64_t)strlen(key->text) + 4;
}

void hlrp_header_encode(const hlrp_journal_key *key, hlrp_str *out) {
    fixed f = {.order = BYTE_ORDER_MARK, .version = VERSION};
    memcpy(f.magic, MAGIC, sizeof f.magic);
    f.classes = key->classes;
    f.planes = key->planes;
    f.tiles = key->tiles;
    f.layer_values = key->layer_values;
    f.parts_max = key->parts_max;
    f.features = key->features;
    f.text = (int64_t)strlen(key->text);
    const size_t start = out->length;
    hlrp_str_addn(out, (const char *)&f, sizeof f);
    hlrp_str_add(out, key->text);
    if (out->failed)
        return;
    const uint32_t crc = hlrp_crc32(0, out->text + start, out->length - start);
    hlrp_str_addn(out, (const char *)&crc, sizeof crc);
}

static hlrp_status foreign(const char *path, const fixed *f, hlrp_error *err) {
    if (memcmp(f->magic, MAGIC, sizeof f->magic) != 0)
        return hlrp_fail(err, HLRP_E_INPUT, path, remove_it, "this is no journal of histolrp");
    if (f->order != BYTE_ORDER_MARK)
        return hlrp_fail(err, HLRP_E_INPUT, path, "finish it on the kind of machine that began it",
                         "the journal was written in another byte order");
    if (f->version != VERSION)
        return hlrp_fail(err, HLRP_E_INPUT, path, remove_it,
                         "the journal has version %u, this program writes %u", f->version, VERSION);
    if (f->text < 0 || f->text > TEXT_MOST)
        return hlrp_fail(err, HLRP_E_INPUT, path, remove_it, "the journal's header is damaged");
    return HLRP_OK;
}

hlrp_status hlrp_header_read(int fd, const char *path, hlrp_journal_key *key, char **text,
                             int64_t *size, bool *cut, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    fixed f = {0};
    uint32_t crc = 0, have = 0;
    char *body = NULL;
    const char *short_file = "the journal ends inside its header";
    *cut = false;
    int64_t n = hlrp_pread_all(fd, &f, sizeof f, 0);
    if (n < 0)
        return hlrp_fail(err, HLRP_E_IO, path, NULL, "cannot read the journal: %s",
                         strerror(errno));
    if (n < (int64_t)sizeof f) {
        *cut = memcmp(f.magic, MAGIC, (size_t)HLRP_MIN(n, 8)) == 0;
        return hlrp_fail(err, HLRP_E_INPUT, path, remove_it, "%s",
                         *cut ? short_file : "this is no journal of histolrp");
    }
    HLRP_TRY(foreign(path, &f, err));
    HLRP_TRY(hlrp_calloc(&body, f.text + 1, 1, "journal header", err));
    n = hlrp_pread_all(fd, body, f.text, sizeof f);
    *cut = n < f.text || hlrp_pread_all(fd, &have, 4, (int64_t)sizeof f + f.text) < 4;
    crc = hlrp_crc32(hlrp_crc32(0, &f, sizeof f), body, (size_t)f.text);
    if (*cut || crc != have || memchr(body, '\0', (size_t)f.text)) {
        status = hlrp_fail(err, HLRP_E_INPUT, path, remove_it, "%s",
                           *cut ? short_file : "the journal's header is damaged");
        goto out;
    }
    *key = (hlrp_journal_key){.text = body,
                              .classes = f.classes,
                              .planes = f.planes,
                              .tiles = f.tiles,
                              .layer_values = f.layer_values,
                              .parts_max = f.parts_max,
                              .features = f.features};
    *size = (int64_t)sizeof f + f.text + 4;
    *text = body;
    body = NULL;
out:
    free(body);
    return status;
}

/* The line at *text, without its newline; steps past it. */
static size_t next_line(const char **text, const char **line) {
    const size_t length = strcspn(*text, "\n");
    *line = *text;
    *text += length + ((*text)[length] == '\n');
    return length;
}

static hlrp_status differs(const char *path, const char *have, size_t have_n, const char *want,
                           size_t want_n, hlrp_error *err) {
    const int a = (int)HLRP_MIN(have_n, 200), b = (int)HLRP_MIN(want_n, 200);
    const bool machine = strncmp(have, HLRP_KEY_MACHINE, strlen(HLRP_KEY_MACHINE)) == 0;
    return hlrp_fail(err, HLRP_E_INPUT, path,
                     machine
                         ? "finish it there, allow last bits to differ with --any-processor, or "
                           "start over with --force"
                         : "undo the change, use another output folder, or start over with "
                           "--force",
                     "the slide was begun %s: it has '%.*s', now it is '%.*s'",
                     machine ? "on another machine" : "with other settings", have_n ? a : 7,
                     have_n ? have : "nothing", want_n ? b : 7, want_n ? want : "nothing");
}

static hlrp_status compare_text(const char *have, const char *want, const char *path,
                                hlrp_error *err) {
    while (*have || *want) {
        const char *a = NULL, *b = NULL;
        const size_t na = next_line(&have, &a), nb = next_line(&want, &b);
        if (na != nb || memcmp(a, b, na) != 0)
            return differs(path, a, na, b, nb, err);
    }
    return HLRP_OK;
}

hlrp_status hlrp_key_portable(const char *text, char **out, hlrp_error *err) {
    hlrp_str rest = {0};
    while (*text) {
        const char *line = NULL;
        const size_t n = next_line(&text, &line);
        if (strncmp(line, HLRP_KEY_MACHINE, strlen(HLRP_KEY_MACHINE)) != 0)
            hlrp_str_addf(&rest, "%.*s\n", (int)n, line);
    }
    const hlrp_status status = rest.failed
                                   ? hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory")
                                   : hlrp_format(out, err, "%s", rest.text ? rest.text : "");
    hlrp_str_free(&rest);
    return status;
}

static hlrp_status compare_keys(const hlrp_journal_key *have, const hlrp_journal_key *want,
                                const char *path, hlrp_error *err) {
    char *theirs = NULL, *ours = NULL;
    hlrp_status status = HLRP_OK;
    if (!want->any_machine)
        return compare_text(have->text, want->text, path, err);
    HLRP_TRY(hlrp_key_portable(have->text, &theirs, err));
    HLRP_TRY(hlrp_key_portable(want->text, &ours, err));
    status = compare_text(theirs, ours, path, err);
out:
    free(theirs);
    free(ours);
    return status;
}

hlrp_status hlrp_header_compare(const hlrp_journal_key *have, const hlrp_journal_key *want,
                                const char *path, hlrp_error *err) {
    const hlrp_status status = compare_keys(have, want, path, err);
    if (status != HLRP_OK)
        return status;
    const struct {
        const char *name;
        int64_t have, want;
    } facts[] = {{"classes", have->classes, want->classes},
                 {"explained planes", have->planes, want->planes},
                 {"tiles", have->tiles, want->tiles},
                 {"account values", have->layer_values, want->layer_values},
                 {"map pixels per tile", have->parts_max, want->parts_max},
                 {"features per tile", have->features, want->features}};
    for (size_t i = 0; i < HLRP_COUNT(facts); i++)
        if (facts[i].have != facts[i].want)
            return hlrp_fail(err, HLRP_E_INPUT, path,
                             "use another output folder, or start over with --force",
                             "the slide was begun with %lld %s, now there are %lld",
                             (long long)facts[i].have, facts[i].name, (long long)facts[i].want);
    return HLRP_OK;
}
