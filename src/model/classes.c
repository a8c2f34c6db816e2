/* Which classes a network has, and which of them are explained, gated and shown. */
#include <stdlib.h>
#include <string.h>

#include "model/internal.h"

/* ---- names ---- */

hlrp_status hlrp_network_name_classes(hlrp_network *net, hlrp_error *err) {
    const hlrp_config *c = net->config;
    const int64_t given = c->model.classes.count, told = net->graph->classes.count;
    const int64_t have = given > 0 ? given : told;
    const bool of_features =
        strcmp(c->lrp.start, "norm") == 0 || strncmp(c->lrp.start, "feature:", 8) == 0;
    char where[300];
    if (have > 0 && have != net->classes)
        return hlrp_fail(err, HLRP_E_CONFIG,
                         given > 0 ? hlrp_config_where(c, "model.classes", where, sizeof where)
                                   : c->model.path,
                         "name one class for each output in model.classes, in output order",
                         "%lld class names do not fit the network's %lld classes", (long long)have,
                         (long long)net->classes);
    hlrp_status status =
        hlrp_calloc(&net->class_names, net->classes, sizeof *net->class_names, "classes", err);
    for (int64_t k = 0; status == HLRP_OK && k < net->classes; k++)
        status = given > 0 ? hlrp_format(&net->class_names[k], err, "%s", c->model.classes.items[k])
                 : told > 0
                     ? hlrp_format(&net->class_names[k], err, "%s", net->graph->classes.items[k])
                     : hlrp_format(&net->class_names[k], err, "%s%lld",
                                   of_features ? "feature" : "class", (long long)k);
    return status;
}

static hlrp_status unknown_class(const hlrp_network *net, const char *name, const char *where,
                                 hlrp_error *err) {
    hlrp_str list = {0};
    for (int64_t k = 0; k < net->classes; k++)
        hlrp_str_addf(&list, "%s%s", k ? ", " : "the network's classes are ", net->class_names[k]);
    hlrp_fail(err, HLRP_E_CONFIG, where, list.failed ? NULL : list.text, "unknown class '%s'",
              name);
    hlrp_str_free(&list);
    return HLRP_E_CONFIG;
}

hlrp_status hlrp_network_class(const hlrp_network *net, const char *name, const char *where,
                               int64_t *out, hlrp_error *err) {
    for (int64_t k = 0; k < net->classes; k++)
        if (strcmp(net->class_names[k], name) == 0) {
            *out = k;
            return HLRP_OK;
        }
    int64_t number = -1;
    if (hlrp_parse_int(name, &number) && number >= 0 && number < net->classes) {
        *out = number;
        return HLRP_OK;
    }
    return unknown_class(net, name, where, err);
}

hlrp_status hlrp_network_start(const hlrp_network *net, const char *text, hlrp_start *out,
                               hlrp_error *err) {
    static const char *const names[] = {"logit", "probability", "one", "logodds"};
    if (strcmp(text, "auto") == 0) {
        const bool odds = net->probability == HLRP_PROBABILITY_SOFTMAX && net->outputs > 1;
        *out = (hlrp_start){.kind = odds ? HLRP_START_EVIDENCE : HLRP_START_LOGIT};
        return HLRP_OK;
    }
    for (size_t i = 0; i < HLRP_COUNT(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (hlrp_start){.kind = (hlrp_start_kind)i};
            return HLRP_OK;
        }
    if (strcmp(text, "norm") == 0 || strncmp(text, "feature:", 8) == 0) {
        *out = (hlrp_start){.kind = text[0] == 'n' ? HLRP_START_NORM : HLRP_START_LOGIT};
        return HLRP_OK;
    }
    if (strncmp(text, "pair:", 5) == 0) {
        *out = (hlrp_start){.kind = HLRP_START_PAIR};
        return hlrp_network_class(net, text + 5, "lrp.start", &out->against, err);
    }
    return hlrp_fail(err, HLRP_E_CONFIG, "lrp.start",
                     "use auto, logit, probability, one, logodds, pair:NAME, norm or feature:K",
                     "unknown start '%s'", text);
}

/* ---- what the configuration asks of the network ---- */

static hlrp_status add_plane(hlrp_targets *t, int64_t class_index, hlrp_error *err) {
    for (int64_t k = 0; k < t->planes; k++)
        if (t->classes[k] == class_index)
            return hlrp_fail(err, HLRP_E_CONFIG, "lrp.target", "name each class once",
                             "a class is listed twice");
    t->classes[t->planes++] = class_index;
    return HLRP_OK;
}

/* A start that is no class's: the squared norm of all outputs, or one of them by its number. */
static hlrp_status target_of_features(hlrp_network *net, hlrp_error *err) {
    const char *text = net->config->lrp.start;
    int64_t k = 0;
    if (net->config->lrp.target.count > 0)
        return hlrp_fail(err, HLRP_E_CONFIG, "lrp.target", "remove lrp.target",
                         "lrp.start = %s says what is explained", text);
    if (text[0] == 'f' && (!hlrp_parse_int(text + 8, &k) || k < 0 || k >= net->outputs))
        return hlrp_fail(err, HLRP_E_CONFIG, "lrp.start", "write feature:0 for the first",
                         "the network gives %lld features, not a %.40s", (long long)net->outputs,
                         text);
    return add_plane(&net->targets, k, err);
}

/* The gate's class and the shown one, where they are named: what nobody asked for by name would be
 * explained in patches, where it happens to be predicted. */
static hlrp_status target_named(hlrp_network *net, hlrp_error *err) {
    const char *shown = net->config->outputs.class_name;
    int64_t index = -1;
    hlrp_status status = HLRP_OK;
    if (net->gate >= 0)
        HLRP_TRY(add_plane(&net->targets, net->gate, err));
    if (shown[0] != '\0')
        HLRP_TRY(hlrp_network_class(net, shown, "outputs.class", &index, err));
    if (index >= 0 && index != net->gate)
        status = add_plane(&net->targets, index, err);
out:
    return status;
}

/* Where nothing is said: the classes that gate and outputs name, else the predicted one. */
hlrp_status hlrp_network_settle_targets(hlrp_network *net, hlrp_error *err) {
    const hlrp_text_list *asked = &net->config->lrp.target;
    hlrp_targets *t = &net->targets;
    hlrp_status status = hlrp_calloc(&t->classes, net->classes, sizeof *t->classes, "targets", err);
    if (status != HLRP_OK)
        return status;
    if (strcmp(net->config->lrp.start, "norm") == 0 ||
        strncmp(net->config->lrp.start, "feature:", 8) == 0)
        return target_of_features(net, err);
    if (asked->count == 0 && (net->gate >= 0 || net->config->outputs.class_name[0] != '\0'))
        return target_named(net, err);
    t->predicted = asked->count == 0 || strcmp(asked->items[0], "predicted") == 0;
    if (t->predicted || strcmp(asked->items[0], "all") == 0) {
        for (int64_t k = 0; k < net->classes; k++)
            t->classes[t->planes++] = k;
        return HLRP_OK;
    }
    for (int64_t i = 0; status == HLRP_OK && i < asked->count; i++) {
        int64_t index = 0;
        status = hlrp_network_class(net, asked->items[i], "lrp.target", &index, err);
        if (status == HLRP_OK)
            status = add_plane(t, index, err);
    }
    return status;
}

hlrp_status hlrp_network_settle_gate(hlrp_network *net, hlrp_error *err) {
    net->gate = -1;
    if (net->config->gate.class_name[0] == '\0')
        return HLRP_OK;
    return hlrp_network_class(net, net->config->gate.class_name, "gate.class", &net->gate, err);
}

/* outputs.class, else the gate's, else the last plane. Asked before anything runs: a name that
 * cannot be shown must not come to light when all is computed. */
hlrp_status hlrp_network_settle_shown(hlrp_network *net, hlrp_error *err) {
    const char *name = net->config->outputs.class_name;
    int64_t wanted = net->gate;
    hlrp_status status = HLRP_OK;
    net->shown = net->targets.planes - 1;
    if (name[0] != '\0')
        status = hlrp_network_class(net, name, "outputs.class", &wanted, err);
    if (status != HLRP_OK || wanted < 0)
        return status;
    for (int64_t k = 0; k < net->targets.planes; k++)
        if (net->targets.classes[k] == wanted) {
            net->shown = k;
            return HLRP_OK;
        }
    if (name[0] == '\0')
        return HLRP_OK;
    return hlrp_fail(err, HLRP_E_CONFIG, "outputs.class", "add it to lrp.target",
                     "the class '%s' is not explained, so it cannot be shown", name);
}
