/* Loading: defaults, file, overrides, checks. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/assign.h"
#include "config/value.h"

static hlrp_status set_defaults(hlrp_config *config, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    config->origins = NULL;
    HLRP_TRY(hlrp_calloc(&config->origins, 1, sizeof *config->origins, "configuration", err));
    HLRP_TRY(
        hlrp_calloc(&config->origins->line, hlrp_key_count, sizeof(int), "configuration", err));
    for (int i = 0; i < hlrp_key_count; i++) {
        config->origins->line[i] = HLRP_ORIGIN_DEFAULT;
        HLRP_TRY(hlrp_value_set(&hlrp_keys[i], config, hlrp_keys[i].initial, "", err));
    }
out:
    return status;
}

static hlrp_status current_folder(char **out, hlrp_error *err) {
    *out = realpath(".", NULL);
    if (*out)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, ".", "change to a folder that exists",
                     "the current folder cannot be found");
}

/* The absolute folder of path. */
static hlrp_status folder_of(const char *path, char **out, hlrp_error *err) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return current_folder(out, err);
    char *folder = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!folder)
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory");
    *out = realpath(folder, NULL);
    free(folder);
    if (*out)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, path, "check the path", "there is no such folder");
}

static hlrp_status assign_all(hlrp_config *config, const hlrp_settings *settings,
                              const char *folder, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    for (int64_t i = 0; i < settings->count && status == HLRP_OK; i++)
        status = hlrp_config_assign(config, &settings->items[i], folder, err);
    return status;
}

static hlrp_status read_overrides(hlrp_config *config, const char *const *overrides, int64_t count,
                                  hlrp_error *err) {
    hlrp_settings settings = {0};
    char *folder = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(current_folder(&folder, err));
    for (int64_t i = 0; i < count; i++)
        HLRP_TRY(hlrp_override_parse(overrides[i], &settings, err));
    HLRP_TRY(assign_all(config, &settings, folder, err));
out:
    hlrp_settings_free(&settings);
    free(folder);
    return status;
}

/* All but the reading: takes folder, the absolute folder that relative paths start from. */
static hlrp_status make(const char *name, char *folder, const hlrp_settings *settings,
                        const char *const *overrides, int64_t override_count, hlrp_config **out,
                        hlrp_error *err) {
    hlrp_config *config = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&config, 1, sizeof *config, "configuration", err));
    config->folder = folder;
    folder = NULL;
    config->path = hlrp_strdup(name, err);
    if (!config->path) {
        status = HLRP_E_MEMORY;
        goto out;
    }
    HLRP_TRY(set_defaults(config, err));
    HLRP_TRY(assign_all(config, settings, config->folder, err));
    HLRP_TRY(read_overrides(config, overrides, override_count, err));
    HLRP_TRY(hlrp_config_check(config, err));
    *out = config;
    config = NULL;
out:
    free(folder);
    hlrp_config_free(config);
    return status;
}

hlrp_status hlrp_config_load(const char *path, const char *const *overrides, int64_t override_count,
                             hlrp_config **out, hlrp_error *err) {
    hlrp_settings settings = {0};
    char *folder = NULL;
    hlrp_status status = HLRP_OK;
    if (path)
        HLRP_TRY(hlrp_ini_read(path, &settings, err));
    HLRP_TRY(path ? folder_of(path, &folder, err) : current_folder(&folder, err));
    HLRP_TRY(make(path ? path : "", folder, &settings, overrides, override_count, out, err));
out:
    hlrp_settings_free(&settings);
    return status;
}

hlrp_status hlrp_config_parse(const char *text, const char *name, hlrp_config **out,
                              hlrp_error *err) {
    hlrp_settings settings = {0};
    char *folder = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_ini_parse(name, text, (int64_t)strlen(text), &settings, err));
    HLRP_TRY(current_folder(&folder, err));
    HLRP_TRY(make(name, folder, &settings, NULL, 0, out, err));
out:
    hlrp_settings_free(&settings);
    return status;
}

void hlrp_config_free(hlrp_config *config) {
    if (!config)
        return;
    for (int i = 0; i < hlrp_key_count; i++)
        hlrp_value_free(&hlrp_keys[i], config);
    for (int64_t i = 0; i < config->rule_count; i++) {
        free(config->rules[i].node);
        free(config->rules[i].rule);
    }
    for (int64_t i = 0; i < config->slide_count; i++) {
        free(config->slides[i].name);
        for (int k = 0; k < hlrp_slide_key_count; k++)
            hlrp_value_free(&hlrp_slide_keys[k], &config->slides[i]);
    }
    if (config->origins)
        free(config->origins->line);
    free(config->origins);
    free(config->rules);
    free(config->slides);
    free(config->folder);
    free(config->path);
    free(config);
}

const char *hlrp_config_where(const hlrp_config *config, const char *key, char *buf,
                              unsigned long size) {
    const hlrp_key *k = hlrp_key_find_dotted(key);
    const int line = k ? config->origins->line[k - hlrp_keys] : HLRP_ORIGIN_DEFAULT;
    if (line > 0)
        snprintf(buf, size, "%s line %d", config->path, line);
    else if (line == HLRP_ORIGIN_OVERRIDE)
        snprintf(buf, size, "-s %s", key);
    else
        snprintf(buf, size, "default of %s", key);
    return buf;
}

const char *hlrp_config_where_rule(const hlrp_config *config, int64_t i, char *buf,
                                   unsigned long size) {
    const hlrp_config_rule *rule = &config->rules[i];
    if (rule->line > 0)
        snprintf(buf, size, "%s line %d", config->path, rule->line);
    else
        snprintf(buf, size, "-s rules.%s", rule->node);
    return buf;
}

hlrp_status hlrp_config_require(const hlrp_config *config, const char *key, hlrp_error *err) {
    char mend[300];
    const hlrp_key *k = hlrp_key_find_dotted(key);
    if (!k)
        return hlrp_fail(err, HLRP_E_INTERNAL, key, NULL, "no such key");
    if (!hlrp_value_is_empty(k, config))
        return HLRP_OK;
    snprintf(mend, sizeof mend, "set %s in [%s]: %s; or give -s %s=...", k->name, k->section,
             k->help, key);
    return hlrp_fail(err, HLRP_E_CONFIG, config->path, mend, "%s is not set", key);
}

const hlrp_config_slide *hlrp_config_find_slide(const hlrp_config *config, const char *slide) {
    const char *name = hlrp_path_name(slide), *dot = strrchr(name, '.');
    const size_t whole = strlen(name), stem = dot && dot != name ? (size_t)(dot - name) : whole;
    for (int64_t i = 0; i < config->slide_count; i++) {
        const char *given = config->slides[i].name;
        const size_t n = strlen(given);
        if ((n == whole || n == stem) && strncmp(given, name, n) == 0)
            return &config->slides[i];
    }
    return NULL;
}
