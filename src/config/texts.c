/* The configuration as text: reference, effective, and the keys that results are compared by. */
#include <stdlib.h>
#include <string.h>

#include "config/assign.h"
#include "config/value.h"

static hlrp_status finish(hlrp_str *s, char **out, hlrp_error *err) {
    hlrp_str_add(s, "");
    if (s->failed) {
        hlrp_str_free(s);
        return hlrp_fail(err, HLRP_E_MEMORY, NULL, NULL, "out of memory");
    }
    *out = s->text;
    return HLRP_OK;
}

/* ---- reference ---- */

static void print_key_help(const hlrp_key *key, const char *indent, hlrp_str *out) {
    hlrp_str_addf(out, "%s# %s\n%s#   ", indent, key->help, indent);
    hlrp_value_describe(key, out);
    if (key->automatic)
        hlrp_str_addf(out, "; default: auto (%s)\n", key->automatic);
    else
        hlrp_str_addf(out, "; default: %s\n", key->initial[0] ? key->initial : "none");
}

static void print_slide_reference(hlrp_str *out) {
    hlrp_str_add(out, "\n# [slide:NAME], one section for each slide that needs it; NAME is the "
                      "slide's file name,\n# with or without its extension:\n");
    for (int i = 0; i < hlrp_slide_key_count; i++) {
        print_key_help(&hlrp_slide_keys[i], "#   ", out);
        hlrp_str_addf(out, "#   %s =\n", hlrp_slide_keys[i].name);
    }
}

static void print_rules_reference(hlrp_str *out) {
    hlrp_str_add(
        out,
        "\n[rules]\n"
        "# NODE = RULE, which wins over the composite. NODE is the name of an ONNX node, a "
        "glob, or a\n"
        "# kind: @first, @attention, @conv, @linear, @sum, @avgpool, @batchnorm, @layernorm,\n"
        "# @softmax, @matmul, @gate. RULE is one of lrp0,\n"
        "# epsilon(1e-6), epsilon(0.25,rms), gamma(0.25), zbox, zplus, alphabeta(2,1), "
        "wsquare, flat,\n"
        "# pass, norm, gradient, for products constant and share, for layer normalization\n"
        "# detach, for softmax taylor. A full name wins over a glob, a glob over a kind, @first "
        "over @conv;\n"
        "# among equals the later line. `histolrp inspect MODEL.onnx` lists the nodes.\n"
        "#   @first = zbox\n"
        "#   /layer4/*/Conv = epsilon(0.25,rms)\n");
}

static const char reference_head[] =
    "# Every key of a histolrp configuration with its default.\n"
    "# key = value; a line that starts with a blank continues the value before it; # and ; start\n"
    "# comment lines. Lists are separated by commas; \"...\" keeps a comma. auto is what stands "
    "in\n"
    "# parentheses. Relative paths start from this file's folder.\n";

hlrp_status hlrp_config_reference(char **out, hlrp_error *err) {
    hlrp_str s = {0};
    const char *section = "";
    hlrp_str_add(&s, reference_head);
    for (int i = 0; i < hlrp_key_count; i++) {
        const hlrp_key *key = &hlrp_keys[i];
        if (strcmp(key->section, section) != 0) {
            section = key->section;
            hlrp_str_addf(&s, "\n[%s]\n", section);
        }
        print_key_help(key, "", &s);
        hlrp_str_addf(&s, "%s =%s%s\n", key->name, key->initial[0] || key->automatic ? " " : "",
                      key->initial[0]  ? key->initial
                      : key->automatic ? "auto"
                                       : "");
    }
    print_rules_reference(&s);
    print_slide_reference(&s);
    return finish(&s, out, err);
}

/* ---- effective ---- */

static void print_setting(const hlrp_key *key, const char *prefix, const void *object,
                          hlrp_str *out) {
    hlrp_str_addf(out, "%s%s = ", prefix, key->name);
    hlrp_value_print(key, object, out);
    hlrp_str_add(out, "\n");
}

hlrp_status hlrp_config_effective(const hlrp_config *config, char **out, hlrp_error *err) {
    hlrp_str s = {0};
    const char *section = "";
    for (int i = 0; i < hlrp_key_count; i++) {
        if (strcmp(hlrp_keys[i].section, section) != 0) {
            section = hlrp_keys[i].section;
            hlrp_str_addf(&s, "%s[%s]\n", i ? "\n" : "", section);
        }
        print_setting(&hlrp_keys[i], "", config, &s);
    }
    if (config->rule_count > 0)
        hlrp_str_add(&s, "\n[rules]\n");
    for (int64_t i = 0; i < config->rule_count; i++)
        hlrp_str_addf(&s, "%s = %s\n", config->rules[i].node, config->rules[i].rule);
    for (int64_t i = 0; i < config->slide_count; i++) {
        hlrp_str_addf(&s, "\n[slide:%s]\n", config->slides[i].name);
        for (int k = 0; k < hlrp_slide_key_count; k++)
            print_setting(&hlrp_slide_keys[k], "", &config->slides[i], &s);
    }
    return finish(&s, out, err);
}

/* ---- what results are compared by: lines "section.key = value" ---- */

static void print_kind(const hlrp_config *config, hlrp_key_kind kind, hlrp_str *out) {
    char prefix[64];
    for (int i = 0; i < hlrp_key_count; i++) {
        snprintf(prefix, sizeof prefix, "%s.", hlrp_keys[i].section);
        if (hlrp_keys[i].kind == kind)
            print_setting(&hlrp_keys[i], prefix, config, out);
    }
}

hlrp_status hlrp_config_result_key(const hlrp_config *config, const char *slide, char **out,
                                   hlrp_error *err) {
    hlrp_str s = {0};
    const hlrp_config_slide *own = slide ? hlrp_config_find_slide(config, slide) : NULL;
    print_kind(config, HLRP_KIND_RESULT, &s);
    for (int64_t i = 0; i < config->rule_count; i++)
        hlrp_str_addf(&s, "rules.%s = %s\n", config->rules[i].node, config->rules[i].rule);
    for (int k = 0; own && k < hlrp_slide_key_count; k++)
        if (hlrp_slide_keys[k].kind == HLRP_KIND_RESULT &&
            !hlrp_value_is_empty(&hlrp_slide_keys[k], own))
            print_setting(&hlrp_slide_keys[k], "slide.", own, &s);
    return finish(&s, out, err);
}

hlrp_status hlrp_config_output_key(const hlrp_config *config, char **out, hlrp_error *err) {
    hlrp_str s = {0};
    print_kind(config, HLRP_KIND_OUTPUT, &s);
    return finish(&s, out, err);
}

/* One line of such a text: "name = value\n". */
typedef struct line {
    const char *name, *value;
    int name_length, value_length;
} line;

static bool next_line(const char **text, line *out) {
    const char *p = *text, *joint = NULL;
    if (*p == '\0')
        return false;
    const size_t n = strcspn(p, "\n");
    joint = memmem(p, n, " = ", 3);
    out->name = p;
    out->name_length = joint ? (int)(joint - p) : (int)n;
    out->value = joint ? joint + 3 : p + n;
    out->value_length = (int)(p + n - out->value);
    *text = p + n + (p[n] == '\n');
    return true;
}

static bool find_line(const char *text, const line *wanted, line *out) {
    while (next_line(&text, out))
        if (out->name_length == wanted->name_length &&
            strncmp(out->name, wanted->name, (size_t)wanted->name_length) == 0)
            return true;
    *out = (line){.name = "", .value = "none", .value_length = 4};
    return false;
}

static void add_change(const line *key, const line *before, const line *after, hlrp_str *out) {
    hlrp_str_addf(out, "%s%.*s: %.*s -> %.*s", out->length ? "; " : "", key->name_length, key->name,
                  before->value_length, before->value, after->value_length, after->value);
}

hlrp_status hlrp_config_changes(const char *before, const char *after, char **out,
                                hlrp_error *err) {
    hlrp_str s = {0};
    line a = {0}, b = {0};
    for (const char *p = before; next_line(&p, &a);)
        if (!find_line(after, &a, &b) || a.value_length != b.value_length ||
            strncmp(a.value, b.value, (size_t)a.value_length) != 0)
            add_change(&a, &a, &b, &s);
    for (const char *p = after; next_line(&p, &b);)
        if (!find_line(before, &b, &a))
            add_change(&b, &a, &b, &s);
    if (s.length == 0 && strcmp(before, after) != 0)
        hlrp_str_add(&s, "rules: in another order");
    return finish(&s, out, err);
}
