#include "mil/head.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/operator.h"

/* ---- opening ---- */

/* Whether factor k of a matrix product runs over all instances where they are summed up. */
static bool sums_instances(const hlrp_dims *d, int k, int64_t instances) {
    return d->rank >= 2 && d->d[k == 0 ? d->rank - 1 : d->rank - 2] == instances;
}

/* The last product in running order that sums instances up by weights. */
static void find_pooling(hlrp_head *head) {
    const hlrp_graph *g = head->net->graph;
    const hlrp_structure *s = hlrp_lrp_structure(head->net->lrp);
    head->pooling = -1;
    for (int i = 0; i < g->node_count; i++) {
        const hlrp_node *n = &g->nodes[i];
        const int to =
            n->op->product == HLRP_PRODUCT_OF_MATRICES ? hlrp_structure_to(s, g, i, true) : -1;
        if (to < 0 || to > 1 || !s->weight[n->in[1 - to]])
            continue;
        const hlrp_dims *weights = &g->values[n->in[1 - to]].dims;
        int64_t count = 0;
        hlrp_error ignored = {0};
        if (!sums_instances(weights, 1 - to, head->instances) ||
            hlrp_dims_count(weights, &count, &ignored) != HLRP_OK)
            continue;
        head->pooling = n->in[1 - to];
        head->by_branch = to == 1;
        head->branches = count / head->instances;
    }
}

/* Floats of one instance in a value that is made of each by itself. */
static int64_t floats_of(const hlrp_head *head, int value) {
    const hlrp_dims *d = &head->net->graph->values[value].dims;
    int64_t count = 1;
    for (int k = 0; k < d->rank; k++)
        count *= d->d[k];
    return count / head->instances;
}

static void add_crossing(hlrp_head *head, int value) {
    const hlrp_value *v = &head->net->graph->values[value];
    if (v->constant || v->producer >= head->net->rest.from)
        return;
    for (int i = 0; i < head->crossing_count; i++)
        if (head->crossing[i] == value)
            return;
    head->crossing[head->crossing_count++] = value;
}

static void find_crossing(hlrp_head *head) {
    const hlrp_graph *g = head->net->graph;
    for (int i = head->net->rest.from; i < head->net->rest.to; i++)
        for (int k = 0; k < g->nodes[i].in_count; k++)
            if (g->nodes[i].in[k] >= 0)
                add_crossing(head, g->nodes[i].in[k]);
}

static int64_t room_of(const hlrp_head *head) {
    int64_t most = head->width;
    for (int i = 0; i < head->crossing_count; i++) {
        const int64_t floats = floats_of(head, head->crossing[i]);
        most = HLRP_MAX(most, floats);
    }
    return HLRP_BAG_BLOCK * most;
}

static hlrp_status make_room(hlrp_head *head, hlrp_error *err) {
    const hlrp_network *net = head->net;
    const int64_t nodes = net->graph->node_count;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_calloc(&head->crossing, net->graph->value_count, sizeof(int), "a bag", err));
    find_crossing(head);
    HLRP_TRY(hlrp_calloc_aligned(&head->block, HLRP_BAG_BLOCK * head->width, sizeof(float), "a bag",
                                 err));
    HLRP_TRY(hlrp_calloc_aligned(&head->room, room_of(head), sizeof(float), "a bag", err));
    HLRP_TRY(hlrp_calloc(&head->start, net->outputs, sizeof(float), "a bag", err));
    HLRP_TRY(hlrp_calloc(&head->slope, net->outputs, sizeof(float), "a bag", err));
    HLRP_TRY(hlrp_calloc(&head->account, nodes, sizeof *head->account, "a bag", err));
    HLRP_TRY(hlrp_calloc(&head->layers, nodes * HLRP_ACCOUNT_FIELDS, sizeof(double), "a bag", err));
    HLRP_TRY(hlrp_lrp_worker_new(net->lrp, &head->rest, err));
    if (net->row_lrp)
        status = hlrp_lrp_worker_new(net->row_lrp, &head->rows, err);
out:
    return status;
}

hlrp_status hlrp_head_open(hlrp_head *head, hlrp_config *own, int64_t instances, int64_t features,
                           const hlrp_log *log, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    *head = (hlrp_head){.own = own, .instances = instances, .pooling = -1};
    HLRP_TRY(hlrp_network_load_bag(own, instances, features, log, &head->net, err));
    head->width = head->net->values / instances;
    find_pooling(head);
    status = make_room(head, err);
out:
    return status;
}

void hlrp_head_close(hlrp_head *head) {
    void *const all[] = {head->crossing, head->block,   head->room,  head->start,
                         head->slope,    head->account, head->layers};
    hlrp_lrp_worker_free(head->rest);
    hlrp_lrp_worker_free(head->rows);
    for (size_t i = 0; i < HLRP_COUNT(all); i++)
        free(all[i]);
    hlrp_network_free(head->net);
    hlrp_config_free(head->own);
    *head = (hlrp_head){0};
}

int64_t hlrp_head_bytes(const hlrp_head *head) {
    const hlrp_network *net = head->net;
    return hlrp_lrp_worker_bytes(net->lrp) +
           (net->row_lrp ? hlrp_lrp_worker_bytes(net->row_lrp) : 0) +
           (HLRP_BAG_BLOCK * head->width + room_of(head)) * (int64_t)sizeof(float);
}

/* ---- forward ---- */

/* Of a block; the rows past `count` become copies of the last: it always runs at one size. */
static hlrp_status run_rows(hlrp_head *head, const hlrp_head_features *features, int64_t first,
                            int64_t count, hlrp_error *err) {
    const int64_t width = head->width;
    hlrp_lrp_worker *w = head->rows;
    const hlrp_status status = features->read(features->ctx, first, count, head->block, err);
    if (status != HLRP_OK)
        return status;
    for (int64_t i = count; i < HLRP_BAG_BLOCK; i++)
        memcpy(head->block + i * width, head->block + (i - 1) * width,
               (size_t)width * sizeof(float));
    hlrp_segment_set(w, head->net->row_graph->input, head->block);
    return hlrp_segment_forward(w, hlrp_lrp_whole(head->net->row_lrp), err);
}

static hlrp_status bring_rows(hlrp_head *head, const hlrp_head_features *features, int64_t first,
                              int64_t count, hlrp_error *err) {
    const hlrp_status status = run_rows(head, features, first, count, err);
    for (int i = 0; status == HLRP_OK && i < head->crossing_count; i++) {
        const int value = head->crossing[i];
        const int64_t floats = floats_of(head, value);
        memcpy(hlrp_segment_place(head->rest, value) + first * floats,
               hlrp_segment_place(head->rows, value), (size_t)(count * floats) * sizeof(float));
    }
    return status;
}

static hlrp_status check_finite(const hlrp_head *head, hlrp_error *err) {
    const float *logits = hlrp_head_logits(head);
    for (int64_t k = 0; k < head->net->outputs; k++)
        if (!isfinite(logits[k]))
            return hlrp_fail(
                err, HLRP_E_INPUT, head->own->model.path, "check the features, and the head itself",
                "the score of a bag of %lld tiles is not finite", (long long)head->instances);
    return HLRP_OK;
}

hlrp_status hlrp_head_forward(hlrp_head *head, const hlrp_head_features *features,
                              hlrp_error *err) {
    float *input = hlrp_segment_place(head->rest, head->net->graph->input);
    hlrp_status status = HLRP_OK;
    for (int64_t first = 0; first < head->instances; first += HLRP_BAG_BLOCK) {
        const int64_t count = HLRP_MIN(HLRP_BAG_BLOCK, head->instances - first);
        HLRP_TRY(head->rows ? bring_rows(head, features, first, count, err)
                            : features->read(features->ctx, first, count,
                                             input + first * head->width, err));
    }
    HLRP_TRY(hlrp_head_forward_rest(head, err));
    status = check_finite(head, err);
out:
    return status;
}

hlrp_status hlrp_head_forward_rest(hlrp_head *head, hlrp_error *err) {
    return hlrp_segment_forward(head->rest, hlrp_lrp_whole(head->net->lrp), err);
}

bool hlrp_head_is_parted_as(const hlrp_head *head, const hlrp_head *other) {
    bool same = head->net->rest.from == other->net->rest.from &&
                head->crossing_count == other->crossing_count;
    for (int i = 0; same && i < head->crossing_count; i++)
        same = head->crossing[i] == other->crossing[i];
    return same;
}

void hlrp_head_copy(hlrp_head *head, int64_t at, const hlrp_head *from, int64_t first,
                    int64_t count) {
    for (int i = 0; i < head->crossing_count; i++) {
        const int64_t floats = floats_of(head, head->crossing[i]);
        memcpy(hlrp_segment_place(head->rest, head->crossing[i]) + at * floats,
               hlrp_segment_place(from->rest, from->crossing[i]) + first * floats,
               (size_t)(count * floats) * sizeof(float));
    }
}

const float *hlrp_head_logits(const hlrp_head *head) {
    return hlrp_lrp_logits(head->rest);
}

hlrp_status hlrp_head_attention(const hlrp_head *head, float *weights, hlrp_error *err) {
    const int64_t n = head->instances, branches = head->branches;
    float *rows = NULL;
    hlrp_status status = HLRP_OK;
    if (!head->by_branch) {
        hlrp_segment_value(head->rest, head->pooling, weights);
        return HLRP_OK;
    }
    HLRP_TRY(hlrp_calloc(&rows, n * branches, sizeof *rows, "attention", err));
    hlrp_segment_value(head->rest, head->pooling, rows);
    for (int64_t i = 0; i < n; i++)
        for (int64_t b = 0; b < branches; b++)
            weights[i * branches + b] = rows[b * n + i];
out:
    free(rows);
    return status;
}

/* ---- back ---- */

static void add_layers(hlrp_head *head, hlrp_segment segment) {
    for (int i = segment.from; i < segment.to; i++) {
        double numbers[HLRP_ACCOUNT_FIELDS];
        hlrp_account_numbers(&head->account[i], numbers);
        for (int f = 0; f < HLRP_ACCOUNT_FIELDS; f++)
            head->layers[i * HLRP_ACCOUNT_FIELDS + f] += numbers[f];
    }
}

static hlrp_status back_through(hlrp_head *head, hlrp_lrp_worker *w, const hlrp_lrp *lrp,
                                hlrp_error *err) {
    const hlrp_segment segment = hlrp_lrp_whole(lrp);
    const hlrp_lrp_watch watch = {.account = head->account};
    const hlrp_status status = hlrp_segment_back(w, segment, &watch, err);
    if (status == HLRP_OK)
        add_layers(head, segment);
    return status;
}

/* What rest sent to the values that crossed, to those of a block; its copies get none. */
static void send_rows(hlrp_head *head, int64_t first, int64_t count) {
    for (int i = 0; i < head->crossing_count; i++) {
        const int value = head->crossing[i];
        const int64_t floats = floats_of(head, value);
        const size_t bytes = (size_t)(count * floats) * sizeof(float);
        if (!hlrp_segment_reached(head->rest, value))
            continue;
        memcpy(head->room, hlrp_segment_relevance_place(head->rest, value) + first * floats, bytes);
        memset(head->room + count * floats, 0,
               (size_t)((HLRP_BAG_BLOCK - count) * floats) * sizeof(float));
        hlrp_segment_add(head->rows, value, head->room);
    }
}

/* Gradients become relevance where they are multiplied by what they are of. */
static void multiply_features(const float *features, int64_t count, float *r) {
    for (int64_t i = 0; i < count; i++)
        r[i] *= features[i];
}

/* The relevance of instances [first, first+count), where nothing reached them 0, into head->room. */
static void take_relevance(hlrp_head *head, hlrp_lrp_worker *w, const float *features,
                           int64_t offset, int64_t count) {
    const int input = head->net->graph->input;
    const int64_t floats = count * head->width;
    if (hlrp_segment_reached(w, input))
        memcpy(head->room, hlrp_segment_relevance_place(w, input) + offset * head->width,
               (size_t)floats * sizeof(float));
    else
        memset(head->room, 0, (size_t)floats * sizeof(float));
    if (hlrp_lrp_times_input(head->net->lrp))
        multiply_features(features, floats, head->room);
}

static hlrp_status back_rows(hlrp_head *head, const hlrp_head_features *features, int64_t first,
                             int64_t count, hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(run_rows(head, features, first, count, err));
    hlrp_segment_begin(head->rows, head->slope);
    send_rows(head, first, count);
    HLRP_TRY(back_through(head, head->rows, head->net->row_lrp, err));
    take_relevance(head, head->rows, head->block, 0, count);
out:
    return status;
}

static hlrp_status hand_over(const hlrp_head *head, const hlrp_head_relevance *relevance,
                             int64_t first, int64_t count, hlrp_error *err) {
    for (int64_t i = 0; i < count; i++) {
        const float *r = head->room + i * head->width;
        double sum = 0, magnitude = 0;
        for (int64_t k = 0; k < head->width; k++) {
            sum += (double)r[k];
            magnitude += fabs((double)r[k]);
        }
        relevance->sums[first + i] = sum;
        relevance->magnitudes[first + i] = magnitude;
    }
    return relevance->take ? relevance->take(relevance->ctx, first, count, head->room, err)
                           : HLRP_OK;
}

/* Relevance of the logits; returns its sum. */
static double fill_start(hlrp_head *head, int64_t target) {
    const hlrp_network *net = head->net;
    double total = 0;
    hlrp_start_fill(&net->start, hlrp_head_logits(head), net->outputs, target, head->start,
                    head->slope);
    for (int64_t k = 0; k < net->outputs; k++)
        total += (double)head->start[k];
    return total;
}

hlrp_status hlrp_head_back(hlrp_head *head, const hlrp_head_features *features, int64_t target,
                           const hlrp_head_relevance *relevance, double *start, hlrp_error *err) {
    const hlrp_graph *g = head->net->graph;
    hlrp_status status = HLRP_OK;
    memset(head->layers, 0, (size_t)(g->node_count * HLRP_ACCOUNT_FIELDS) * sizeof *head->layers);
    *start = fill_start(head, target);
    hlrp_segment_begin(head->rest, head->slope);
    hlrp_segment_add(head->rest, g->output, head->start);
    HLRP_TRY(back_through(head, head->rest, head->net->lrp, err));
    for (int64_t first = 0; first < head->instances; first += HLRP_BAG_BLOCK) {
        const int64_t count = HLRP_MIN(HLRP_BAG_BLOCK, head->instances - first);
        if (head->rows)
            HLRP_TRY(back_rows(head, features, first, count, err));
        else
            take_relevance(head, head->rest,
                           hlrp_segment_place(head->rest, g->input) + first * head->width, first,
                           count);
        HLRP_TRY(hand_over(head, relevance, first, count, err));
    }
out:
    return status;
}
