#include "run/folder.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch/lock.h"

hlrp_status hlrp_slide_folders(const char *output, const char *name, hlrp_strings *out,
                               hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    char *path = NULL;
    DIR *dir = opendir(output);
    if (!dir)
        return hlrp_fail(err, HLRP_E_OUTPUT, output, "check the path and its permissions",
                         "cannot list the folder: %s", strerror(errno));
    for (const struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (entry->d_name[0] == '.')
            continue;
        HLRP_TRY(hlrp_format(&path, err, "%s/%s/%s", output, entry->d_name, name));
        if (hlrp_file_exists(path))
            HLRP_TRY(hlrp_strings_add(out, entry->d_name, err));
        free(path);
        path = NULL;
    }
    hlrp_strings_sort(out);
out:
    free(path);
    closedir(dir);
    return status;
}

bool hlrp_slide_is_held(const char *folder, const char *except, char who[256]) {
    hlrp_error ignored = {0};
    bool held = false;
    DIR *dir = opendir(folder);
    who[0] = '\0';
    for (const struct dirent *entry = dir ? readdir(dir) : NULL; entry && !held;
         entry = readdir(dir)) {
        char *path = NULL;
        const char *name = entry->d_name;
        const bool lock = strcmp(name, ".lock") == 0 || strncmp(name, ".lock-", 6) == 0;
        const bool asked = lock && !(except && strcmp(name, except) == 0);
        if (asked && hlrp_path_join(folder, name, &path, &ignored) == HLRP_OK)
            held = hlrp_lock_held(path, HLRP_LOCK_TIMEOUT, who);
        free(path);
    }
    if (dir)
        closedir(dir);
    return held;
}
