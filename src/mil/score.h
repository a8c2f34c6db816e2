/* What a head says of all tiles of a slide: its score, and how much each tile speaks for and against it. */
#ifndef HLRP_MIL_SCORE_H
#define HLRP_MIL_SCORE_H

#include "mil/mil.h"
#include "store/store.h"

/* Where the features of a slide's tiles are. Called from one thread. */
typedef struct hlrp_feature_source {
    void *ctx;
    /* Whether there are features of tile t; tiles that cannot be read have none, and are in no bag. */
    bool (*has)(void *ctx, int64_t tile);
    /* Those of tiles [first, first+count), all of which have some, into values [count][D]. */
    hlrp_status (*read)(void *ctx, int64_t first, int64_t count, float *values, hlrp_error *err);
} hlrp_feature_source;

typedef struct hlrp_slide_score {
    const hlrp_network *head;         /* mil->head; borrowed */
    int64_t tiles, instances, width;  /* T of the slide, N of the bag, D */
    int64_t *members;                 /* [N]: the bag's tiles, ascending */
    float *logit, *probability;       /* [C] */
    double *start;                    /* [K]; NaN of planes that are not explained */
    double *relevance;                /* [T][K]; NaN likewise, and of tiles in no bag */
    double *taken;                    /* [K][HLRP_ACCOUNT_FIELDS]: sums over the head's nodes */
    double *layers;                   /* [hlrp_account_count(head)], of all planes together */
    int64_t widths[HLRP_SCORE_KINDS]; /* as in hlrp_result_info; M their sum */
    int64_t score_count;
    float *scores;   /* [T][M]; NaN of tiles in no bag */
    bool *to_pixels; /* [T] */
    int spool; /* file of relevance [K][N][D] of the features; -1 where nothing goes to pixels */
} hlrp_slide_score;

/* What a score is made of. */
typedef struct hlrp_score_job {
    const hlrp_mil *mil;
    const hlrp_feature_source *source;
    int64_t tiles, width; /* T, D */
    const char *folder;   /* for what does not fit in memory; nothing is left there */
    const char *slide;    /* for messages */
    const hlrp_log *log;
    hlrp_status (*go_on)(void *ctx, hlrp_error *err); /* asked between steps; a failure ends them */
    void *ctx;
} hlrp_score_job;

/* HLRP_E_INPUT where no tile has features. */
hlrp_status hlrp_slide_score_make(const hlrp_score_job *job, hlrp_slide_score **out,
                                  hlrp_error *err);
void hlrp_slide_score_free(hlrp_slide_score *score); /* NULL is fine */

/* Of a plane that is explained. */
bool hlrp_slide_score_explains(const hlrp_slide_score *score, int64_t plane);
/* Which member of the bag a tile is; −1: none. */
int64_t hlrp_slide_score_member(const hlrp_slide_score *score, int64_t tile);
/* Relevance of a member's features for a plane, into rho [D]; from any thread. */
hlrp_status hlrp_slide_score_features(const hlrp_slide_score *score, int64_t plane, int64_t member,
                                      float *rho, hlrp_error *err);

/* ---- as part of relevance.h5 ---- */

/* What became of one plane's relevance after the head, over all tiles. Zero-initialise. */
typedef struct hlrp_bag_sums {
    double to_pixels,
        arrived;    /* Σ of tiles that went through the encoder: before, and at their pixels */
    double spread;  /* Σ of the others */
    double outside; /* of either, what lies off the slide */
} hlrp_bag_sums;

/* A tile's start and sum, NaN where the plane is not explained. */
void hlrp_bag_sums_add(hlrp_bag_sums *s, bool to_pixels, double start, double sum, double outside);

/* The group /mil: /mil/logit and /mil/probability [C], /mil/start [K], and the table /mil/account, a row per
 * plane, in which `start` is the sum of the columns behind it, but for `outside`: what the head kept, what
 * the encoder kept, what came to the pixels of some tiles and evenly to the others, of which `outside` lies
 * off the slide; and `rest`, what nothing accounts for. */
hlrp_status hlrp_slide_score_write(const hlrp_slide_score *score, const hlrp_bag_sums *sums,
                                   const hlrp_result_info *info, hlrp_result_writer *writer,
                                   hlrp_error *err);

#endif
