#include "run/shards.h"

#include <stdlib.h>
#include <string.h>

#include "geometry/geometry.h"
#include "run/folder.h"

/* ---- which tiles ---- */

void hlrp_shard_tiles(int64_t tiles, int64_t batch, int64_t shard, int64_t shards, int64_t *from,
                      int64_t *to) {
    const int64_t batches = hlrp_ceil_div(tiles, batch);
    *from = HLRP_MIN(batches * (shard - 1) / shards * batch, tiles);
    *to = HLRP_MIN(batches * shard / shards * batch, tiles);
}

void hlrp_journal_tally(const hlrp_journal *journal, hlrp_slide_progress *where) {
    where->explained = hlrp_journal_count(journal, HLRP_RECORD_EXPLAINED);
    where->gated = hlrp_journal_count(journal, HLRP_RECORD_GATED);
    where->unreadable = hlrp_journal_count(journal, HLRP_RECORD_UNREADABLE);
    where->done = where->explained + where->gated + where->unreadable;
}

/* ---- the journals ---- */

static bool is_whole(const char *path) {
    hlrp_journal_key key = {0};
    hlrp_error ignored = {0};
    char *text = NULL;
    const hlrp_status status = hlrp_journal_peek(path, &key, &text, &ignored);
    free(text);
    return status == HLRP_OK;
}

hlrp_status hlrp_shards_journals(const char *folder, const char *name, hlrp_strings *out,
                                 hlrp_error *err) {
    hlrp_strings names = {0};
    char *path = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_folder_names(folder, name, &names, err));
    for (int64_t i = 0; i < names.count; i++) {
        HLRP_TRY(hlrp_path_join(folder, names.items[i], &path, err));
        if (is_whole(path))
            HLRP_TRY(hlrp_strings_add(out, path, err));
        free(path);
        path = NULL;
    }
out:
    free(path);
    hlrp_strings_free(&names);
    return status;
}

/* N of ".journal-I-of-N"; 1 where no shard is among them. */
static int64_t shards_of(const hlrp_strings *journals) {
    int64_t shards = 1;
    for (int64_t i = 0; i < journals->count; i++) {
        const char *of = strstr(hlrp_path_name(journals->items[i]), "-of-");
        if (of && hlrp_parse_int(of + 4, &shards))
            break;
    }
    return HLRP_MAX(shards, 1);
}

/* ---- what is missing ---- */

static int64_t missing_tiles(const hlrp_journal *journal, int64_t from, int64_t to) {
    int64_t missing = 0;
    for (int64_t t = from; t < to; t++) {
        hlrp_record_status status = HLRP_RECORD_FORWARD;
        missing +=
            !journal || !hlrp_journal_has(journal, t, &status) || status == HLRP_RECORD_FORWARD;
    }
    return missing;
}

/* "shard 2/4 lacks 17 of 40, …" */
static hlrp_status say_missing(const hlrp_journal *journal, const char *slide, int64_t tiles,
                               int64_t batch, int64_t shards, hlrp_error *err) {
    hlrp_str text = {0};
    for (int64_t i = 1; i <= shards && text.length < 400; i++) {
        int64_t from = 0, to = 0;
        hlrp_shard_tiles(tiles, batch, i, shards, &from, &to);
        const int64_t lacks = missing_tiles(journal, from, to);
        if (lacks > 0)
            hlrp_str_addf(&text, "%s%lld/%lld lacks %lld of %lld", text.length ? ", " : "",
                          (long long)i, (long long)shards, (long long)lacks,
                          (long long)(to - from));
    }
    const hlrp_status status = hlrp_fail(
        err, HLRP_E_INTERRUPTED, slide, "run those shards, then merge again",
        "%lld of %lld tiles are missing: shard %s", (long long)missing_tiles(journal, 0, tiles),
        (long long)tiles, text.text ? text.text : "");
    hlrp_str_free(&text);
    return status;
}

hlrp_status hlrp_shards_join(const char *folder, const char *name, const char *slide,
                             const hlrp_journal_key *key, int64_t batch, hlrp_journal **out,
                             hlrp_error *err) {
    hlrp_strings journals = {0};
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_shards_journals(folder, name, &journals, err));
    if (journals.count > 0)
        HLRP_TRY(hlrp_journal_open_read((const char *const *)journals.items, journals.count, key,
                                        out, err));
    if (missing_tiles(*out, 0, key->tiles) > 0)
        status = say_missing(*out, slide, key->tiles, batch, shards_of(&journals), err);
out:
    hlrp_strings_free(&journals);
    return status;
}
