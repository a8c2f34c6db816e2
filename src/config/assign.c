#include "config/assign.h"

#include <stdlib.h>
#include <string.h>

#include "config/value.h"

/* Where a setting was given. */
static const char *place(const hlrp_config *config, const hlrp_setting *s, char *buf, size_t size) {
    if (s->line > 0)
        snprintf(buf, size, "%.400s line %d", config->path, s->line);
    else
        snprintf(buf, size, "-s %.200s.%.200s", s->section, s->key);
    return buf;
}

static hlrp_status unknown_section(const hlrp_config *config, const hlrp_setting *s,
                                   hlrp_error *err) {
    char where[560], mend[300];
    place(config, s, where, sizeof where);
    snprintf(mend, sizeof mend, "did you mean [%s]? `histolrp config` prints all",
             hlrp_section_nearest(s->section));
    return hlrp_fail(err, HLRP_E_CONFIG, where, mend, "unknown section [%s]", s->section);
}

static hlrp_status unknown_key(const hlrp_config *config, const hlrp_setting *s, hlrp_error *err) {
    char where[560], mend[300];
    const hlrp_key *nearest = hlrp_key_nearest(s->section, s->key);
    snprintf(mend, sizeof mend, "did you mean \"%s\" in [%s]? `histolrp config` prints all",
             nearest->name, nearest->section);
    return hlrp_fail(err, HLRP_E_CONFIG, place(config, s, where, sizeof where), mend,
                     "unknown key \"%s\" in [%s]", s->key, s->section);
}

/* Adds where the value stands to what hlrp_value_set said. */
static hlrp_status set_at(const hlrp_config *config, const hlrp_key *key, void *object,
                          const hlrp_setting *s, const char *folder, hlrp_error *err) {
    const hlrp_status status = hlrp_value_set(key, object, s->value, folder, err);
    if (status == HLRP_E_CONFIG)
        place(config, s, err->where, sizeof err->where);
    return status;
}

/* ---- [rules] ---- */

static hlrp_status check_rule(const hlrp_config *config, const hlrp_setting *s, hlrp_error *err) {
    char where[560];
    const char *what = NULL;
    if (s->value[0] == '\0')
        what = "has no rule";
    else if (s->key[0] == '\0' || strchr("[#;", s->key[0]))
        what = "cannot be written in an INI file";
    for (const char *p = s->value; *p; p++)
        if ((unsigned char)*p < 0x20 && *p != '\t')
            what = "has a control character in its rule";
    if (!what)
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, place(config, s, where, sizeof where),
                     "give NODE = RULE, such as @first = zbox", "\"%s\" %s", s->key, what);
}

static void free_rule(hlrp_config_rule *rule) {
    free(rule->node);
    free(rule->rule);
}

/* An override replaces the rule of the same name and becomes the last one. */
static void drop_rule(hlrp_config *config, const char *node) {
    for (int64_t i = 0; i < config->rule_count; i++)
        if (strcmp(config->rules[i].node, node) == 0) {
            free_rule(&config->rules[i]);
            memmove(&config->rules[i], &config->rules[i + 1],
                    (size_t)(config->rule_count - i - 1) * sizeof *config->rules);
            config->rule_count--;
            return;
        }
}

static hlrp_status assign_rule(hlrp_config *config, const hlrp_setting *s, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t capacity = config->rule_count;
    hlrp_config_rule rule = {.line = s->line};
    HLRP_TRY(check_rule(config, s, err));
    if (s->line == HLRP_ORIGIN_OVERRIDE)
        drop_rule(config, s->key);
    HLRP_TRY(hlrp_grow(&config->rules, &capacity, config->rule_count + 1, sizeof rule, err));
    rule.node = hlrp_strdup(s->key, err);
    rule.rule = hlrp_strdup(s->value, err);
    if (!rule.node || !rule.rule) {
        free_rule(&rule);
        status = HLRP_E_MEMORY;
        goto out;
    }
    config->rules[config->rule_count++] = rule;
out:
    return status;
}

/* ---- [slide:NAME] ---- */

static hlrp_status find_or_add_slide(hlrp_config *config, const char *name, int line,
                                     hlrp_config_slide **out, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    int64_t capacity = config->slide_count;
    for (int64_t i = 0; i < config->slide_count; i++)
        if (strcmp(config->slides[i].name, name) == 0) {
            *out = &config->slides[i];
            return HLRP_OK;
        }
    hlrp_config_slide slide = {.line = line};
    HLRP_TRY(hlrp_grow(&config->slides, &capacity, config->slide_count + 1, sizeof slide, err));
    slide.name = hlrp_strdup(name, err);
    slide.annotation = hlrp_strdup("", err);
    slide.mask = hlrp_strdup("", err);
    *out = &config->slides[config->slide_count++];
    **out = slide;
    status = slide.name && slide.annotation && slide.mask ? HLRP_OK : HLRP_E_MEMORY;
out:
    return status;
}

static hlrp_status assign_slide(hlrp_config *config, const hlrp_setting *s, const char *folder,
                                hlrp_error *err) {
    const char *name = s->section + strlen(HLRP_SLIDE_SECTION);
    char where[560];
    hlrp_config_slide *slide = NULL;
    hlrp_status status = HLRP_OK;
    name += strspn(name, " \t");
    const hlrp_key *key = hlrp_key_find(s->section, s->key);
    if (!key)
        return unknown_key(config, s, err);
    HLRP_TRY(find_or_add_slide(config, name, s->line, &slide, err));
    HLRP_TRY(set_at(config, key, slide, s, folder, err));
    if (slide->mpp.count > 2)
        status = hlrp_fail(err, HLRP_E_CONFIG, place(config, s, where, sizeof where),
                           "give one number, or x and y", "%lld numbers for a slide's mpp",
                           (long long)slide->mpp.count);
out:
    return status;
}

hlrp_status hlrp_config_assign(hlrp_config *config, const hlrp_setting *s, const char *folder,
                               hlrp_error *err) {
    if (!hlrp_section_known(s->section))
        return unknown_section(config, s, err);
    if (s->key[0] == '\0') /* an empty section */
        return HLRP_OK;
    if (strcmp(s->section, HLRP_RULES_SECTION) == 0)
        return assign_rule(config, s, err);
    if (strncmp(s->section, HLRP_SLIDE_SECTION, strlen(HLRP_SLIDE_SECTION)) == 0)
        return assign_slide(config, s, folder, err);
    const hlrp_key *key = hlrp_key_find(s->section, s->key);
    if (!key)
        return unknown_key(config, s, err);
    const hlrp_status status = set_at(config, key, config, s, folder, err);
    if (status == HLRP_OK)
        config->origins->line[key - hlrp_keys] = s->line;
    return status;
}

hlrp_status hlrp_override_parse(const char *text, hlrp_settings *out, hlrp_error *err) {
    const char *mend = "give -s section.key=value, such as -s map.downsample=16";
    const char *equal = strchr(text, '=');
    const size_t left = equal ? (size_t)(equal - text) : 0;
    const bool slide = strncmp(text, HLRP_SLIDE_SECTION, strlen(HLRP_SLIDE_SECTION)) == 0;
    const char *dot = equal ? (slide ? memrchr(text, '.', left) : memchr(text, '.', left)) : NULL;
    if (!dot || dot == text || dot + 1 == equal)
        return hlrp_fail(err, HLRP_E_CONFIG, "-s", mend, "\"%.200s\" sets no key", text);
    char *section = strndup(text, (size_t)(dot - text));
    char *key = strndup(dot + 1, (size_t)(equal - dot - 1));
    hlrp_status status = HLRP_E_MEMORY;
    if (section && key)
        status = hlrp_settings_add(out, section, key, equal + 1, 0, err);
    else
        hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory");
    free(section);
    free(key);
    return status;
}
