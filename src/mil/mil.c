#include "mil/mil.h"

#include <stdlib.h>
#include <string.h>

#include "mil/encoder.h"
#include "mil/head.h"
#include "sched/sched.h"

/* Tiles of the bag that the head is opened with to see what it is: no square, which heads that lay tiles out in
 * one take for a special case. */
enum { NOMINAL = 23 };

/* Tiles of a record, where no encoder says how many run at once. */
enum { TILES_AT_ONCE = 64 };

static bool has_features(const hlrp_config *c) {
    return c->mil.features[0] != '\0';
}

/* What means something for tiles that are explained one by one, but nothing here. */
static hlrp_status refuse_keys(const hlrp_config *c, hlrp_error *err) {
    char where[300];
    if (c->gate.class_name[0] != '\0')
        return hlrp_fail(err, HLRP_E_CONFIG,
                         hlrp_config_where(c, "gate.class", where, sizeof where),
                         "leave it out, or choose tiles with mil.pixels",
                         "the tiles of a bag have no classes of their own");
    if (c->model.head[0] != '\0')
        return hlrp_fail(err, HLRP_E_CONFIG,
                         hlrp_config_where(c, "model.head", where, sizeof where), "set one of them",
                         "model.head and mil.head are both set");
    if (c->tiles.overlap > 0 && has_features(c))
        return hlrp_fail(err, HLRP_E_CONFIG,
                         hlrp_config_where(c, "tiles.overlap", where, sizeof where), "leave it out",
                         "the tiles lie where the file of mil.features says");
    return HLRP_OK;
}

/* The encoder runs on each slide's tiles; relevance of its features comes from the head. */
static hlrp_status open_encoder(hlrp_mil *m, const hlrp_config *config, const hlrp_log *log,
                                hlrp_error *err) {
    hlrp_status status = HLRP_OK;
    HLRP_TRY(hlrp_encoder_config(config, &m->below, err));
    HLRP_TRY(hlrp_network_prepare(m->below, m->pixels.share == 0, log, &m->encoder, err));
    m->width = m->encoder->outputs;
out:
    return status;
}

typedef struct opening {
    hlrp_mil *mil;
    const hlrp_log *log;
    hlrp_head head;
} opening;

/* The head of a nominal bag, of which only the network is kept. */
static hlrp_status open_head(void *ctx, hlrp_error *err) {
    opening *o = ctx;
    hlrp_mil *m = o->mil;
    hlrp_config *own = m->own;
    m->own = NULL;
    const hlrp_status status = hlrp_head_open(&o->head, own, NOMINAL, m->width, o->log, err);
    m->own = o->head.own;
    m->head = o->head.net;
    m->width = o->head.width;
    o->head.own = NULL;
    o->head.net = NULL;
    hlrp_head_close(&o->head);
    return status;
}

/* What all else that a run does asks of a network: the tiles'. */
static void take_tiles(hlrp_mil *m, const hlrp_config *config) {
    hlrp_network *head = m->head;
    const hlrp_network *e = m->encoder;
    head->config = config;
    head->mpp = e ? e->mpp : config->model.mpp;
    head->height = e ? e->height : config->tiles.size;
    head->width = e ? e->width : config->tiles.size;
    head->batch = e ? e->batch : TILES_AT_ONCE;
    if (e) {
        char both[2 * 65];
        snprintf(both, sizeof both, "%s%s", e->hash, head->hash);
        hlrp_sha256_bytes(both, strlen(both), head->hash);
    }
}

hlrp_status hlrp_mil_prepare(const hlrp_config *config, const hlrp_log *log, hlrp_mil **out,
                             hlrp_error *err) {
    hlrp_mil *m = NULL;
    hlrp_status status = HLRP_OK;
    HLRP_TRY(refuse_keys(config, err));
    HLRP_TRY(hlrp_calloc(&m, 1, sizeof *m, "networks", err));
    hlrp_mil_pixels_parse(config->mil.pixels, &m->pixels);
    hlrp_mil_baselines_parse(&config->mil.baselines, &m->baselines);
    if (!has_features(config) || m->pixels.share > 0)
        HLRP_TRY(open_encoder(m, config, log, err));
    HLRP_TRY(hlrp_head_config(config, NULL, &m->own, err));
    opening o = {.mil = m, .log = log};
    HLRP_TRY(hlrp_sched_single(open_head, &o, err));
    HLRP_TRY(hlrp_bag_check_rules(config, m->head, m->encoder, err));
    take_tiles(m, config);
    *out = m;
    m = NULL;
out:
    hlrp_mil_free(m);
    return status;
}

void hlrp_mil_free(hlrp_mil *m) {
    if (!m)
        return;
    hlrp_network_free(m->head);
    hlrp_network_free(m->encoder);
    hlrp_config_free(m->own);
    hlrp_config_free(m->below);
    free(m);
}
