/* Einsum of one or two tensors, as attention is written with it: a product of matrices between transposes.
 *
 * Letters of the equation are of four kinds: those of both tensors and of the result (stacked), those of
 * both and not of the result (summed over), and those of one tensor and the result (its own). With one
 * summed and one own letter each, "bhid,bhjd->bhij" is A[b,h,i,d] · B[b,h,d,j]. */
#include <string.h>

#include "onnx/internal.h"

enum { MOST = HLRP_MAX_RANK };

/* Letters in the order of axes. */
typedef struct letters {
    char of[MOST + 1];
    int count;
} letters;

static bool has(const letters *l, char c) {
    return memchr(l->of, c, (size_t)l->count) != NULL;
}

static bool add(letters *l, char c) {
    if (l->count == MOST || has(l, c)) /* a diagonal */
        return false;
    l->of[l->count++] = c;
    return true;
}

static void add_all(letters *to, const letters *from) {
    for (int k = 0; k < from->count; k++)
        add(to, from->of[k]);
}

/* Up to two terms, and the result; false where it is anything else. */
static bool parse(const char *text, size_t size, letters term[2], int *terms, letters *out) {
    letters *now = &term[0];
    *terms = 1;
    for (size_t i = 0; i < size; i++) {
        const char c = text[i];
        if (c == ' ')
            continue;
        if (c == ',' && *terms == 1 && now != out)
            now = &term[(*terms)++];
        else if (c == '-' && now != out && i + 1 < size && text[++i] == '>')
            now = out;
        else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) || !add(now, c))
            return false;
    }
    return now == out;
}

/* The permutation that brings axes in order `from` into order `to`. */
static hlrp_dims permutation(const letters *from, const letters *to) {
    hlrp_dims perm = {.rank = to->count};
    for (int k = 0; k < to->count; k++)
        perm.d[k] = (const char *)memchr(from->of, to->of[k], (size_t)from->count) - from->of;
    return perm;
}

static hlrp_status turn(onnx_reader *r, int in, const letters *from, const letters *to,
                        const char *suffix, int *out, hlrp_error *err) {
    hlrp_node *n = NULL;
    hlrp_status status = onnx_add_between(r, suffix, out, err);
    if (status == HLRP_OK)
        status = onnx_emit_to(r, &hlrp_op_transpose, &in, 1, *out, &n, err);
    if (status == HLRP_OK)
        n->ints = permutation(from, to);
    return status;
}

/* Stacked letters, one own letter of either, and one that is summed over. */
typedef struct product {
    letters stacked, summed, own[2];
} product;

static bool is_product(const letters term[2], const letters *out, product *p) {
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < term[k].count; i++) {
            const char c = term[k].of[i];
            const bool both = has(&term[1 - k], c), kept = has(out, c);
            if (!both && !kept) /* a sum over one tensor alone */
                return false;
            add(both && kept ? &p->stacked : both ? &p->summed : &p->own[k], c);
        }
    /* without stacked letters the first may have several of its own: a layer over tokens */
    return p->summed.count == 1 && p->own[1].count == 1 && p->own[0].count > 0 &&
           (p->own[0].count == 1 || p->stacked.count == 0) &&
           out->count == p->stacked.count + p->own[0].count + 1;
}

static hlrp_status emit_product(onnx_reader *r, const letters term[2], const letters *out,
                                const product *p, hlrp_error *err) {
    letters a = p->stacked, b = p->stacked, y = p->stacked;
    hlrp_status status = HLRP_OK;
    hlrp_node *n = NULL;
    int in[2] = {-1, -1}, between = -1;
    add_all(&a, &p->own[0]);
    add_all(&a, &p->summed);
    add_all(&b, &p->summed);
    add_all(&b, &p->own[1]);
    add_all(&y, &p->own[0]);
    add_all(&y, &p->own[1]);
    HLRP_TRY(turn(r, r->in[0], &term[0], &a, "left", &in[0], err));
    HLRP_TRY(turn(r, r->in[1], &term[1], &b, "right", &in[1], err));
    HLRP_TRY(onnx_add_between(r, "product", &between, err));
    HLRP_TRY(onnx_emit_to(r, &hlrp_op_matmul, in, 2, between, NULL, err));
    HLRP_TRY(onnx_emit(r, &hlrp_op_transpose, &between, 1, &n, err));
    n->ints = permutation(&y, out);

out:
    return status;
}

hlrp_status onnx_einsum(onnx_reader *r, hlrp_error *err) {
    const pb_attribute *equation = onnx_attribute(r, "equation");
    letters term[2] = {{{0}, 0}, {{0}, 0}}, out = {{0}, 0};
    product p = {0};
    hlrp_node *n = NULL;
    int terms = 0;
    if (!equation || !parse((const char *)equation->s.data, equation->s.len, term, &terms, &out) ||
        terms != r->in_count)
        return onnx_refuse(r, err, NULL, "this equation");
    if (terms == 1 && out.count == term[0].count) {
        for (int k = 0; k < out.count; k++)
            if (!has(&term[0], out.of[k]))
                return onnx_refuse(r, err, NULL, "this equation");
        const hlrp_status status = onnx_emit(r, &hlrp_op_transpose, r->in, 1, &n, err);
        if (status == HLRP_OK)
            n->ints = permutation(&term[0], &out);
        return status;
    }
    if (terms != 2 || !is_product(term, &out, &p))
        return onnx_refuse(r, err, NULL, "an equation that is no product of matrices");
    return emit_product(r, term, &out, &p, err);
}
