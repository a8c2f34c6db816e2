/* Composites: which rule each node gets. A new one is a line of the table below. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lrp/turn.h"

/* A composite names rules for kinds of layer; the lower half of the convolutions is the first floor(n/2)
 * of n in running order, the order of the file. NULL: as the column to the left. */
typedef struct composite {
    const char *name;
    const char *first, *lower, *upper, *linear; /* @first, convolutions, fully connected layers */
    bool gradient;                              /* every other node too is differentiated */
    const char *head;                           /* the last fully connected layer */
    const char *attention; /* fully connected layers of self-attention; NULL: as linear */
    bool share_products, share_gates; /* both factors of those of matrices, of elements; else the
                                         weights among them are constant */
    bool lxt;                         /* its gamma of linear layers is lrp.gamma_linear's */
} composite;

/* lrp0-epsilon-gamma: Montavon et al., "Layer-wise relevance propagation: an overview" (2019),
 * table 10.1 and section 10.3. epsilon-gamma-box: Andeol et al. (2021). epsilon-plus(-flat) and
 * epsilon-alpha2-beta1(-flat): Kohlbrenner et al. (2020). lrp0-gamma: the overview's rule for lower
 * layers in all of them, chosen by the measurements in configs/README.md. attnlrp: Achtibat et al.
 * (2024); cp: the conservative propagation of Ali et al. (2022); vit-gamma: what LXT, the authors'
 * library, sets for vision transformers. Layers of no column (sums, pools, activations) have the rules
 * of default_rule() below. */
static const composite composites[] = {
    {"lrp0-gamma", NULL, "gamma(0.5)", "gamma(0.5)", "gamma(0.5)", .head = "lrp0"},
    {"lrp0-epsilon-gamma", NULL, "gamma", "epsilon(0.25,rms)", "lrp0", .gradient = false},
    {"epsilon-gamma-box", "zbox", "gamma", "gamma", "epsilon(1e-6)", .gradient = false},
    {"epsilon-plus", NULL, "zplus", "zplus", "epsilon(1e-6)", .gradient = false},
    {"epsilon-plus-flat", "flat", "zplus", "zplus", "epsilon(1e-6)", .gradient = false},
    {"epsilon-alpha2-beta1", NULL, "alphabeta(2,1)", "alphabeta(2,1)", "epsilon(1e-6)",
     .gradient = false},
    {"epsilon-alpha2-beta1-flat", "flat", "alphabeta(2,1)", "alphabeta(2,1)", "epsilon(1e-6)",
     .gradient = false},
    {"attnlrp", NULL, "epsilon(1e-6)", "epsilon(1e-6)", "epsilon(1e-6)", .share_products = true,
     .share_gates = true},
    {"attnlrp-gamma", NULL, "gamma(0.25)", "gamma(0.25)", "gamma(0.05)", .share_products = true,
     .share_gates = true, .lxt = true},
    {"cp", NULL, "epsilon(1e-6)", "epsilon(1e-6)", "epsilon(1e-6)", .gradient = false},
    {"vit-gamma", NULL, "gamma(0.25)", "gamma(0.25)", "gamma(0.05)", .attention = "epsilon(1e-6)",
     .share_gates = true, .lxt = true},
    {"vit-gamma-box", "zbox", "gamma(0.25)", "gamma(0.25)", "gamma(0.05)",
     .attention = "epsilon(1e-6)", .lxt = true},
    {"lrp0", NULL, "lrp0", "lrp0", "lrp0", .gradient = false},
    {"epsilon", NULL, "epsilon(1e-6)", "epsilon(1e-6)", "epsilon(1e-6)", .gradient = false},
    {"gamma", NULL, "gamma", "gamma", "gamma", .gradient = false},
    {"zplus", NULL, "zplus", "zplus", "zplus", .gradient = false},
    {"alphabeta", NULL, "alphabeta", "alphabeta", "alphabeta", .gradient = false},
    {"wsquare", NULL, "wsquare", "wsquare", "wsquare", .gradient = false},
    {"flat", NULL, "flat", "flat", "flat", .gradient = false},
    {"gradient-x-input", NULL, "gradient", "gradient", "gradient", .gradient = true},
};

const char *hlrp_composite_name(int index) {
    return index >= 0 && index < (int)HLRP_COUNT(composites) ? composites[index].name : NULL;
}

bool hlrp_composite_is_gradient(const char *name) {
    for (size_t i = 0; i < HLRP_COUNT(composites); i++)
        if (strcmp(composites[i].name, name) == 0)
            return composites[i].gradient;
    return false;
}

hlrp_rule_options hlrp_rule_options_default(void) {
    return (hlrp_rule_options){.composite = "lrp0-epsilon-gamma",
                               .gamma = -1,
                               .gamma_linear = -1,
                               .alpha = 2,
                               .beta = 1,
                               .epsilon = -1};
}

static bool computed(const hlrp_graph *g, int value) {
    return value >= 0 && !g->values[value].constant;
}

/* Whether all that the needed values are made of was only moved there from the input. Each node is
 * looked at once, from the last needed one down: values joined with themselves again and again have
 * more ways to the input than there is time. */
static bool made_of_pixels(const hlrp_graph *g, int last, bool *needed) {
    for (int i = last; i >= 0; i--) {
        const hlrp_node *n = &g->nodes[i];
        if (!needed[n->out[0]])
            continue;
        if (!n->op->moves)
            return false;
        for (int k = 0; k < n->in_count; k++)
            if (computed(g, n->in[k]))
                needed[n->in[k]] = true;
    }
    return true;
}

/* Whether a value is the graph's input, or all of it was only moved there from the input. */
static bool holds_pixels(const hlrp_graph *g, int value) {
    const int producer = g->values[value].producer;
    hlrp_error ignored = {0};
    bool *needed = NULL;
    if (value == g->input)
        return true;
    if (producer < 0 || !g->nodes[producer].op->moves ||
        hlrp_calloc(&needed, g->value_count, sizeof *needed, "rules", &ignored) != HLRP_OK)
        return false;
    needed[value] = true;
    const bool result = made_of_pixels(g, producer, needed);
    free(needed);
    return result;
}

bool hlrp_node_is_first(const hlrp_graph *graph, int node) {
    return graph->nodes[node].op->layer != HLRP_NO_LAYER &&
           holds_pixels(graph, graph->nodes[node].in[0]);
}

static hlrp_rule plain_rule(const hlrp_rule_options *o, hlrp_rule_kind kind) {
    return (hlrp_rule){.kind = kind,
                       .epsilon = HLRP_STABILIZER,
                       .gamma = o->gamma >= 0 ? o->gamma : 0.25,
                       .alpha = o->alpha,
                       .beta = o->beta};
}

/* Rules of nodes that have no column. */
static hlrp_rule default_rule(const composite *c, const hlrp_rule_options *o,
                              const hlrp_operator *op) {
    hlrp_rule_kind kind = (hlrp_rule_kind)op->otherwise;
    const hlrp_product_option own =
        op->product == HLRP_PRODUCT_OF_MATRICES ? o->attention : o->gate;
    const bool shares =
        op->product == HLRP_PRODUCT_OF_MATRICES ? c->share_products : c->share_gates;
    if (op->all_to_one && o->batchnorm_pass)
        kind = HLRP_RULE_PASS;
    if (op->product != HLRP_NO_PRODUCT)
        kind = own == HLRP_PRODUCT_SHARE || (own == HLRP_PRODUCT_AUTO && shares)
                   ? HLRP_RULE_SHARE
                   : HLRP_RULE_CONSTANT;
    if (op->normalizes && o->layernorm_pass)
        kind = HLRP_RULE_PASS;
    return plain_rule(o, kind);
}

/* The column of a linear layer. */
static const char *column_of(const composite *c, const hlrp_graph *g, const hlrp_structure *s,
                             int node, bool lower) {
    const bool convolution = g->nodes[node].op->layer == HLRP_CONVOLUTION;
    if (convolution)
        return c->first && hlrp_node_is_first(g, node) ? c->first : lower ? c->lower : c->upper;
    if (c->head && node == g->values[g->output].producer)
        return c->head;
    return c->attention && s->attention[node] ? c->attention : c->linear;
}

static hlrp_status composite_rule(const composite *c, const hlrp_rule_options *o,
                                  const hlrp_graph *g, const hlrp_structure *s, int node,
                                  bool lower, hlrp_rule *out, hlrp_error *err) {
    const hlrp_operator *op = g->nodes[node].op;
    if (c->gradient) {
        *out = plain_rule(o, HLRP_RULE_GRADIENT);
        return HLRP_OK;
    }
    if (op->layer == HLRP_NO_LAYER) {
        *out = default_rule(c, o, op);
        return HLRP_OK;
    }
    const hlrp_rule defaults = plain_rule(o, HLRP_RULE_PASS);
    const hlrp_status status =
        hlrp_rule_parse(column_of(c, g, s, node, lower), &defaults, out, err);
    const double gamma = c->lxt && op->layer == HLRP_FULLY_CONNECTED ? o->gamma_linear : o->gamma;
    if (status == HLRP_OK && out->kind == HLRP_RULE_EPSILON && o->epsilon >= 0)
        out->epsilon = o->epsilon; /* keeps its unit: absolute or rms */
    if (status == HLRP_OK && out->kind == HLRP_RULE_GAMMA && gamma >= 0)
        out->gamma = gamma;
    return status;
}

static const composite *find_composite(const char *name) {
    for (size_t i = 0; i < HLRP_COUNT(composites); i++)
        if (strcmp(composites[i].name, name) == 0)
            return &composites[i];
    return NULL;
}

bool hlrp_composite_shares_gates(const char *name) {
    const composite *c = find_composite(name);
    return c && c->share_gates;
}

const char *hlrp_composite_for(const hlrp_structure *structure) {
    return structure->has_attention ? "vit-gamma" : "lrp0-gamma";
}

static hlrp_status apply_composite(const hlrp_graph *g, const hlrp_rule_options *o,
                                   const hlrp_structure *s, hlrp_rule *rules, hlrp_error *err) {
    const bool chosen = strcmp(o->composite, "auto") != 0;
    const composite *c = find_composite(chosen ? o->composite : hlrp_composite_for(s));
    if (!c)
        return hlrp_fail(err, HLRP_E_CONFIG, "lrp.composite", "see configs/README.md for the list",
                         "unknown composite '%.80s'", o->composite);
    int convs = 0, seen = 0;
    for (int i = 0; i < g->node_count; i++)
        convs += g->nodes[i].op->layer == HLRP_CONVOLUTION;
    hlrp_status status = HLRP_OK;
    for (int i = 0; status == HLRP_OK && i < g->node_count; i++) {
        status = composite_rule(c, o, g, s, i, seen < convs / 2, &rules[i], err);
        seen += g->nodes[i].op->layer == HLRP_CONVOLUTION;
    }
    return status;
}

/* ---- which rule fits which node ---- */

static bool fits(const hlrp_graph *g, int node, const hlrp_rule *rule) {
    const hlrp_rule_cell *cell = hlrp_cell_of(&g->nodes[node], rule);
    return cell->back && (!cell->fits || cell->fits(g, node, rule));
}

/* ---- [rules] ---- */

/* A glob is a way of naming layers: parameter-free nodes that it happens to match, and that the
 * rule is not for, keep theirs. */
static bool passes_over(const hlrp_graph *g, int node, const char *key, const hlrp_rule *rule) {
    return key[0] != '@' && strcmp(key, g->nodes[node].name) != 0 &&
           g->nodes[node].op->layer == HLRP_NO_LAYER && !fits(g, node, rule);
}

static const char *const kind_names[] = {[HLRP_KIND_FIRST] = "@first",
                                         [HLRP_KIND_ATTENTION] = "@attention",
                                         [HLRP_KIND_CONV] = "@conv",
                                         [HLRP_KIND_LINEAR] = "@linear",
                                         [HLRP_KIND_SUM] = "@sum",
                                         [HLRP_KIND_AVGPOOL] = "@avgpool",
                                         [HLRP_KIND_BATCHNORM] = "@batchnorm",
                                         [HLRP_KIND_LAYERNORM] = "@layernorm",
                                         [HLRP_KIND_SOFTMAX] = "@softmax",
                                         [HLRP_KIND_MATMUL] = "@matmul",
                                         [HLRP_KIND_GATE] = "@gate"};

const char *hlrp_kind_name(hlrp_kind kind) {
    return kind > HLRP_NO_KIND && kind < HLRP_COUNT(kind_names) ? kind_names[kind] : NULL;
}

static hlrp_kind find_kind(const char *key) {
    for (hlrp_kind kind = HLRP_NO_KIND + 1; hlrp_kind_name(kind); kind++)
        if (strcmp(key, kind_names[kind]) == 0)
            return kind;
    return HLRP_NO_KIND;
}

/* How strongly an override speaks for a node: 0 not at all; full name over glob over kind, and
 * @first and @attention over the other kinds. */
static int match(const hlrp_graph *g, const hlrp_structure *s, int node, const char *key) {
    const hlrp_node *n = &g->nodes[node];
    if (strcmp(key, n->name) == 0)
        return 4;
    if (key[0] != '@')
        return hlrp_glob_match(key, n->name, false) ? 3 : 0;
    const hlrp_kind kind = find_kind(key);
    if (kind == HLRP_KIND_FIRST)
        return hlrp_node_is_first(g, node) ? 2 : 0;
    if (kind == HLRP_KIND_ATTENTION)
        return s->attention[node] ? 2 : 0;
    return kind != HLRP_NO_KIND && n->op->kind == kind ? 1 : 0;
}

bool hlrp_rule_names_a_node(const hlrp_graph *graph, const char *key) {
    for (int i = 0; i < graph->node_count; i++)
        if (strcmp(key, graph->nodes[i].name) == 0 ||
            hlrp_glob_match(key, graph->nodes[i].name, false))
            return true;
    return find_kind(key) != HLRP_NO_KIND;
}

static hlrp_status no_such_node(const hlrp_graph *g, const hlrp_rule_override *o, hlrp_error *err) {
    char where[100], mend[200];
    int best = -1, least = 1000;
    for (int i = 0; i < g->node_count; i++) {
        const int d = hlrp_edit_distance(g->nodes[i].name, o->key);
        if (d < least) {
            least = d;
            best = i;
        }
    }
    snprintf(where, sizeof where, o->line > 0 ? "[rules], line %d" : "[rules]", o->line);
    snprintf(mend, sizeof mend, "`histolrp inspect MODEL.onnx` lists the nodes%s%.120s",
             best >= 0 ? "; the nearest is " : "", best >= 0 ? g->nodes[best].name : "");
    return hlrp_fail(err, HLRP_E_CONFIG, where, mend, "no node of the network matches '%.120s'",
                     o->key);
}

static hlrp_status apply_override(const hlrp_graph *g, const hlrp_rule_options *options,
                                  const hlrp_structure *s, const hlrp_rule_override *o,
                                  int *strength, hlrp_rule *rules, hlrp_error *err) {
    hlrp_rule rule;
    const hlrp_rule defaults = plain_rule(options, HLRP_RULE_PASS);
    const hlrp_status status = hlrp_rule_parse(o->rule, &defaults, &rule, err);
    if (status != HLRP_OK) {
        char where[160];
        snprintf(where, sizeof where, o->line > 0 ? "[rules] %.100s, line %d" : "[rules] %.100s",
                 o->key, o->line);
        return hlrp_fail(err, status, where, err->mend, "%s", err->what);
    }
    int found = 0;
    for (int i = 0; i < g->node_count; i++) {
        const int m = passes_over(g, i, o->key, &rule) ? 0 : match(g, s, i, o->key);
        found += m > 0;
        if (m == 0 || m < strength[i])
            continue;
        strength[i] = m;
        rules[i] = rule;
    }
    const bool known = found > 0 || find_kind(o->key) != HLRP_NO_KIND || options->names_others;
    return known ? HLRP_OK : no_such_node(g, o, err);
}

static const char *reason(const hlrp_node *n, const hlrp_rule *rule) {
    const char *own = hlrp_cell_of(n, rule)->unfit;
    return own ? own : n->op->unfit;
}

static hlrp_status check_fit(const hlrp_graph *g, const hlrp_rule *rules, hlrp_error *err) {
    char text[64];
    for (int i = 0; i < g->node_count; i++)
        if (!fits(g, i, &rules[i]))
            return hlrp_fail(err, HLRP_E_CONFIG, g->nodes[i].name, reason(&g->nodes[i], &rules[i]),
                             "the rule %s does not fit the node's operator %s",
                             hlrp_rule_text(&rules[i], text, sizeof text), g->nodes[i].op->name);
    return HLRP_OK;
}

static void head_by_lrp0(const hlrp_graph *g, const hlrp_rule_options *o, const int *strength,
                         hlrp_rule *rules) {
    const int last = g->values[g->output].producer;
    if (last < 0 || g->nodes[last].op->layer == HLRP_NO_LAYER)
        return;
    const bool other = strength[last] > 0 || rules[last].kind == HLRP_RULE_GRADIENT;
    if (!(o->head_yields && other))
        rules[last] = plain_rule(o, HLRP_RULE_LRP0);
}

hlrp_status hlrp_assign_rules(const hlrp_graph *graph, const hlrp_rule_options *options,
                              hlrp_rule *rules, hlrp_error *err) {
    hlrp_structure s = {0};
    int *strength = NULL;
    hlrp_status status = HLRP_OK;
    if (options->alpha - options->beta > 1 + 1e-9 || options->alpha - options->beta < 1 - 1e-9)
        return hlrp_fail(err, HLRP_E_CONFIG, "lrp.alpha, lrp.beta", "set beta to alpha - 1",
                         "alpha %g and beta %g do not differ by 1, so relevance is not conserved",
                         options->alpha, options->beta);
    if (options->beta < 0)
        return hlrp_fail(err, HLRP_E_CONFIG, "lrp.beta", "use 0 or more",
                         "beta %g must not be negative", options->beta);
    HLRP_TRY(hlrp_calloc(&strength, graph->node_count, sizeof *strength, "rules", err));
    HLRP_TRY(hlrp_structure_find(graph, &s, err));
    HLRP_TRY(apply_composite(graph, options, &s, rules, err));
    for (int i = 0; i < options->override_count; i++)
        HLRP_TRY(apply_override(graph, options, &s, &options->overrides[i], strength, rules, err));
    if (options->head_lrp0)
        head_by_lrp0(graph, options, strength, rules);
    status = check_fit(graph, rules, err);
out:
    free(strength);
    hlrp_structure_free(&s);
    return status;
}
