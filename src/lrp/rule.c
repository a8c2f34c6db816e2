#include "lrp/rule.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    int parameters; /* most that may be given */
} forms[HLRP_RULE_COUNT] = {
    [HLRP_RULE_LRP0] = {"lrp0", 0},           [HLRP_RULE_EPSILON] = {"epsilon", 2},
    [HLRP_RULE_GAMMA] = {"gamma", 1},         [HLRP_RULE_ZPLUS] = {"zplus", 0},
    [HLRP_RULE_ALPHABETA] = {"alphabeta", 2}, [HLRP_RULE_ZBOX] = {"zbox", 0},
    [HLRP_RULE_WSQUARE] = {"wsquare", 0},     [HLRP_RULE_FLAT] = {"flat", 0},
    [HLRP_RULE_PASS] = {"pass", 0},           [HLRP_RULE_NORM] = {"norm", 0},
    [HLRP_RULE_GRADIENT] = {"gradient", 0},   [HLRP_RULE_CONSTANT] = {"constant", 0},
    [HLRP_RULE_SHARE] = {"share", 0},         [HLRP_RULE_DETACH] = {"detach", 0},
    [HLRP_RULE_TAYLOR] = {"taylor", 0},
};

static int find_kind(const char *name) {
    for (int k = 0; k < HLRP_RULE_COUNT; k++)
        if (strcasecmp(forms[k].name, name) == 0)
            return k;
    return -1;
}

static hlrp_status unknown_rule(const char *name, hlrp_error *err) {
    int best = 0, least = 1000;
    for (int k = 0; k < HLRP_RULE_COUNT; k++) {
        const int d = hlrp_edit_distance(forms[k].name, name);
        if (d < least) {
            least = d;
            best = k;
        }
    }
    char mend[100];
    snprintf(mend, sizeof mend, "did you mean %s? The rules are listed in configs/README.md",
             forms[best].name);
    return hlrp_fail(err, HLRP_E_CONFIG, NULL, mend, "unknown rule '%.80s'", name);
}

static hlrp_status bad_rule(const char *text, const char *why, hlrp_error *err) {
    return hlrp_fail(err, HLRP_E_CONFIG, NULL, why, "the rule '%.80s' cannot be used", text);
}

static hlrp_status set_parameter(const char *text, int k, const char *value, hlrp_rule *out,
                                 hlrp_error *err) {
    if (out->kind == HLRP_RULE_EPSILON && k == 1) {
        out->rms = strcasecmp(value, "rms") == 0;
        return out->rms || strcasecmp(value, "absolute") == 0
                   ? HLRP_OK
                   : bad_rule(text, "the second parameter of epsilon is rms or absolute", err);
    }
    double number = 0;
    if (!hlrp_parse_double(value, &number))
        return bad_rule(text, "its parameters are numbers", err);
    if (number < 0)
        return bad_rule(text, "its parameters are not negative", err);
    if (out->kind == HLRP_RULE_EPSILON) {
        out->epsilon = number;
        out->rms = false;
    } else if (out->kind == HLRP_RULE_GAMMA) {
        out->gamma = number;
    } else if (k == 0) {
        out->alpha = number;
        out->beta = number - 1;
    } else {
        out->beta = number;
    }
    return HLRP_OK;
}

hlrp_status hlrp_rule_parse(const char *text, const hlrp_rule *defaults, hlrp_rule *out,
                            hlrp_error *err) {
    hlrp_strings parameters = {0};
    hlrp_status status = HLRP_OK;
    char name[64] = "", inside[128] = "";
    const size_t blanks = strspn(text, " \t"), n = strcspn(text + blanks, "( \t");
    const char *rest = text + blanks + n + strspn(text + blanks + n, " \t");
    int end = 0;
    if (n >= sizeof name)
        return unknown_rule(text, err);
    memcpy(name, text + blanks, n);
    const int kind = find_kind(name);
    if (kind < 0)
        return unknown_rule(name, err);
    *out = *defaults;
    out->kind = (hlrp_rule_kind)kind;
    if (*rest == '\0')
        return HLRP_OK;
    if (sscanf(rest, "(%127[^()]) %n", inside, &end) != 1 || rest[end] != '\0' || end == 0)
        return bad_rule(text, "write it as name or name(number)", err);
    HLRP_TRY(hlrp_split_commas(inside, &parameters, err));
    if (parameters.count > forms[kind].parameters) {
        status = bad_rule(text, "it has more parameters than the rule takes", err);
        goto out;
    }
    for (int k = 0; k < parameters.count; k++)
        HLRP_TRY(set_parameter(text, k, parameters.items[k], out, err));
    if (kind == HLRP_RULE_ALPHABETA && out->beta < 0)
        status = bad_rule(text, "beta is alpha - 1 and not negative", err);
    else if (kind == HLRP_RULE_ALPHABETA &&
             (out->alpha - out->beta > 1 + 1e-9 || out->alpha - out->beta < 1 - 1e-9))
        status = bad_rule(text, "alpha - beta must be 1, or relevance is not conserved", err);
out:
    hlrp_strings_free(&parameters);
    return status;
}

/* The shortest decimal text that reads back as the same number; returns buf. */
static const char *shortest(double number, char buf[32]) {
    for (int digits = 6; digits <= 17; digits++) {
        double back = 0;
        snprintf(buf, 32, "%.*g", digits, number);
        if (hlrp_parse_double(buf, &back) && back == number)
            break;
    }
    return buf;
}

const char *hlrp_rule_text(const hlrp_rule *rule, char *buf, size_t size) {
    const char *name = forms[rule->kind].name;
    char a[32], b[32];
    if (rule->kind == HLRP_RULE_EPSILON)
        snprintf(buf, size, "%s(%s%s)", name, shortest(rule->epsilon, a), rule->rms ? ",rms" : "");
    else if (rule->kind == HLRP_RULE_GAMMA)
        snprintf(buf, size, "%s(%s)", name, shortest(rule->gamma, a));
    else if (rule->kind == HLRP_RULE_ALPHABETA)
        snprintf(buf, size, "%s(%s,%s)", name, shortest(rule->alpha, a), shortest(rule->beta, b));
    else
        snprintf(buf, size, "%s", name);
    return buf;
}
