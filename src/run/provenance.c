#include "run/provenance.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 1 << 24 };

hlrp_status hlrp_provenance_write(const hlrp_slide_folder *f, const hlrp_fact *facts, int64_t count,
                                  hlrp_error *err) {
    hlrp_str s = {0};
    hlrp_str_add(&s, "{\n");
    for (int64_t i = 0; i < count; i++) {
        hlrp_str_addf(&s, "  \"%s\": ", facts[i].name);
        if (facts[i].text)
            hlrp_str_add_json(&s, facts[i].text);
        else if (facts[i].json)
            hlrp_str_add(&s, facts[i].json);
        else
            hlrp_str_addf(&s, "%.17g", facts[i].number);
        hlrp_str_add(&s, i + 1 < count ? ",\n" : "\n}\n");
    }
    const hlrp_status status = hlrp_slide_folder_write(f, "run.json", &s, err);
    hlrp_str_free(&s);
    return status;
}

hlrp_status hlrp_provenance_text(const char *folder, const char *name, char **out,
                                 hlrp_error *err) {
    char *path = NULL, *text = NULL;
    int64_t size = 0;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_path_join(folder, "run.json", &path, err));
    HLRP_TRY(hlrp_read_file(path, MOST_BYTES, &text, &size, err));
    status = hlrp_json_text(text, name, path, out, err);
out:
    free(path);
    free(text);
    return status;
}

bool hlrp_provenance_is_whole(const hlrp_slide_folder *f) {
    hlrp_error ignored = {0};
    char *outcome = NULL;
    const bool whole = hlrp_provenance_text(f->path, "outcome", &outcome, &ignored) == HLRP_OK &&
                       strcmp(outcome, HLRP_OUTCOME_BEGUN) != 0;
    free(outcome);
    return whole;
}
