/* Result files in HDF5: relevance.h5 of a slide, OUT.h5 of explain, tensors as input.
 *
 * libhdf5 is called from one thread at a time: a caller with several threads keeps every call of
 * this header to one of them, but for hlrp_chunk_pack, which is pure and meant for the workers.
 * Writers work on a temporary name; the file appears whole, synced, under its own name at commit,
 * or never. Any file may be opened: what is damaged, foreign or of another version is refused
 * (HLRP_E_INPUT). */
#ifndef HLRP_STORE_H
#define HLRP_STORE_H

#include "account/account.h"
#include "geometry/geometry.h"
#include "tensor/tensor.h"

/* Version of libdeflate; static. */
const char *hlrp_deflate_version(void);

/* "1.10.8" into buf; returns buf. */
const char *hlrp_hdf5_version(char buf[32]);

/* ---- relevance.h5: shared by writer and reader ---- */

typedef enum hlrp_map_kind {
    HLRP_MAP_RELEVANCE,   /* /relevance   [K,H,W] */
    HLRP_MAP_COVERAGE,    /* /coverage    [K,H,W] */
    HLRP_MAP_PROBABILITY, /* /probability [C,H,W] */
    HLRP_MAP_SCORES, /* /mil/scores  [M,H,W]: what else is known of tiles, mean over those that cover
                             a pixel; not there where M = 0 */
    HLRP_MAP_COUNT
} hlrp_map_kind;

/* What a bag's head says of each tile besides relevance: /tiles/NAME [T,width], and a plane of /mil/scores
 * for each value. */
typedef enum hlrp_score_kind {
    HLRP_SCORE_ATTENTION, /* the weights of the pooling, by branch */
    HLRP_SCORE_SINGLE,    /* logits of the bag of this tile alone, by class */
    HLRP_SCORE_DROP,      /* logits of the bag less those of the bag without it, by class */
    HLRP_SCORE_GRADIENT,  /* Σ gradient × input over its features, by plane */
    HLRP_SCORE_KINDS
} hlrp_score_kind;

/* Fixed facts of a result. Strings and arrays are borrowed: by the writer only during the call,
 * from a reader as long as it is open. */
typedef struct hlrp_result_info {
    hlrp_size map;                    /* H, W */
    hlrp_size slide;                  /* level-0 pixels */
    int64_t downsample;               /* level-0 pixels per map pixel */
    hlrp_mpp mpp;                     /* µm per level-0 pixel (attribute `mpp` = [x, y]) */
    int64_t tiles;                    /* T */
    int64_t planes, classes;          /* K, C */
    const char *const *plane_names;   /* [K]: the attribute `classes` of /relevance and /coverage */
    const char *const *class_names;   /* [C]: the attribute `classes` of /probability, /tiles */
    bool bag;                         /* one score of all tiles: there is a group /mil, and
                                       /tiles/mil_relevance is another name of /tiles/start */
    int64_t scores[HLRP_SCORE_KINDS]; /* values per tile; 0: none of the kind */
} hlrp_result_info;

/* The kind's dataset in /tiles; static. */
const char *hlrp_score_dataset(hlrp_score_kind kind);
/* Where the kind's planes begin in /mil/scores. */
int64_t hlrp_score_first(const hlrp_result_info *info, hlrp_score_kind kind);
/* M: scores of all kinds. */
int64_t hlrp_score_count(const hlrp_result_info *info);
/* "attention", "single:tumor": the name of plane m of /mil/scores, into buf, which it returns. */
const char *hlrp_score_name(const hlrp_result_info *info, int64_t m, char *buf, size_t size);

/* Chunks of the three map datasets are [1, rows, cols] of this many map pixels (smaller for a
 * smaller map): a band of the assembly is `rows` high. */
hlrp_size hlrp_chunk_size(hlrp_size map);

/* A chunk as it lies in the file: float32 shuffled bytewise, then deflated (zlib format). */
typedef struct hlrp_chunk {
    void *bytes; /* NULL for a chunk that need not be written: all values equal to the fill value */
    size_t size;
    bool empty;
} hlrp_chunk;

/* Packs the part of finished rows that belongs to chunk column `column`: values [rows][map width]
 * are the rows of one chunk row of one plane (rows ≤ chunk height; what is missing at the map's
 * edges is filled up). Pure: call it from any thread. The caller frees chunk->bytes. */
hlrp_status hlrp_chunk_pack(hlrp_size map, hlrp_map_kind kind, const float *values, int64_t rows,
                            int64_t column, hlrp_chunk *chunk, hlrp_error *err);

/* The same of numbers that are a whole chunk. */
hlrp_status hlrp_chunk_pack_whole(int64_t count, const float *values, hlrp_chunk *chunk,
                                  hlrp_error *err);

/* ---- writer ---- */

typedef struct hlrp_result_writer hlrp_result_writer;

/* Creates the file under a temporary name beside `path`, with all datasets and the root's, maps'
 * and /slide's attributes. Fill value: NaN for relevance and probability, 0 for coverage. */
hlrp_status hlrp_result_create(const char *path, const hlrp_result_info *info,
                               hlrp_result_writer **out, hlrp_error *err);

/* Hands over a packed chunk. y0 is a multiple of the chunk height. An empty one is not written. */
hlrp_status hlrp_result_write_chunk(hlrp_result_writer *writer, hlrp_map_kind kind, int64_t plane,
                                    int64_t y0, int64_t column, const hlrp_chunk *chunk,
                                    hlrp_error *err);

/* Packs and writes `rows` rows [rows][map width] of one plane at y0, one thread: for tests and
 * small maps. y0 is a multiple of the chunk height; rows is one too, or ends the map. */
hlrp_status hlrp_result_write_rows(hlrp_result_writer *writer, hlrp_map_kind kind, int64_t plane,
                                   int64_t y0, int64_t rows, const float *values, hlrp_error *err);

/* `count` tiles from tile `first`, one array per dataset of /tiles; all pointers set. */
typedef struct hlrp_tile_rows {
    const int64_t *x, *y, *width, *height; /* [count]: level-0 frame, rounded */
    const float *logit, *probability;      /* [count][C] */
    const double *start, *sum, *outside;   /* [count][K] */
    const double *abs;                     /* [count][K]: Σ|relevance of a pixel| */
    const int8_t *agrees;                  /* [count][K]: hlrp_agrees */
    const uint8_t *status;                 /* [count] */
    const float *scores[HLRP_SCORE_KINDS]; /* [count][width]; not looked at where the width is 0 */
} hlrp_tile_rows;

hlrp_status hlrp_result_write_tiles(hlrp_result_writer *writer, int64_t first, int64_t count,
                                    const hlrp_tile_rows *rows, hlrp_error *err);

/* A column of a table (a compound dataset). */
typedef enum hlrp_column_kind {
    HLRP_COLUMN_TEXT,
    HLRP_COLUMN_F64,
    HLRP_COLUMN_I64
} hlrp_column_kind;
typedef struct hlrp_column {
    const char *name;
    hlrp_column_kind kind;
    const void *data; /* [rows] of const char *, double or int64_t */
} hlrp_column;

/* Writes a table, e.g. "/layers". Text is stored with a fixed width, the longest of its column. */
hlrp_status hlrp_result_write_table(hlrp_result_writer *writer, const char *name,
                                    const hlrp_column *columns, int64_t column_count, int64_t rows,
                                    hlrp_error *err);

/* A list of its own, such as "/mil/logit". */
typedef enum hlrp_list_kind { HLRP_LIST_F32, HLRP_LIST_F64 } hlrp_list_kind;
hlrp_status hlrp_result_write_list(hlrp_result_writer *writer, const char *name,
                                   hlrp_list_kind kind, const void *values, int64_t count,
                                   hlrp_error *err);

/* An array of its own, such as "/mil/features": float32 [rows][width], of which rows [first, first + count)
 * are written; the call with first = 0 makes the dataset. */
hlrp_status hlrp_result_write_array(hlrp_result_writer *writer, const char *name, int64_t rows,
                                    int64_t width, int64_t first, int64_t count,
                                    const float *values, hlrp_error *err);

/* Attributes of a group ("/", "/model", "/slide", "/run", of a bag "/mil"), replaced where they exist. Text is UTF-8
 * of any length. */
hlrp_status hlrp_result_set_text(hlrp_result_writer *writer, const char *group, const char *name,
                                 const char *value, hlrp_error *err);
hlrp_status hlrp_result_set_f64(hlrp_result_writer *writer, const char *group, const char *name,
                                const double *values, int64_t count, hlrp_error *err);
hlrp_status hlrp_result_set_i64(hlrp_result_writer *writer, const char *group, const char *name,
                                const int64_t *values, int64_t count, hlrp_error *err);

/* Flushes, closes, syncs and renames; the writer is gone afterwards, also on failure. */
hlrp_status hlrp_result_commit(hlrp_result_writer *writer, hlrp_error *err);
/* Removes the temporary file. NULL is fine. */
void hlrp_result_abort(hlrp_result_writer *writer);

/* ---- reader ---- */

typedef struct hlrp_result hlrp_result;

/* Opens and checks format, version, every dataset's type and shape. */
hlrp_status hlrp_result_open(const char *path, hlrp_result **out, hlrp_error *err);
void hlrp_result_close(hlrp_result *result); /* NULL is fine */
const hlrp_result_info *hlrp_result_facts(const hlrp_result *result);

/* Rows [y0, y0+rows) of one plane into values [rows][map width]. */
hlrp_status hlrp_result_read_rows(hlrp_result *result, hlrp_map_kind kind, int64_t plane,
                                  int64_t y0, int64_t rows, float *values, hlrp_error *err);

/* Tiles [first, first+count) of /tiles/NAME. Width: values per tile (1, C or K). Any of the
 * datasets may be read as double; the values of all of them fit but for int64 beyond 2^53. */
hlrp_status hlrp_result_read_tiles(hlrp_result *result, const char *name, int64_t first,
                                   int64_t count, int64_t width, double *values, hlrp_error *err);
/* Whether the file has relevance_abs and agrees: those of earlier versions do not. */
bool hlrp_result_has_agreement(const hlrp_result *result);

/* A table's rows, and one column: numbers into values [rows], text into a list that the caller
 * frees. */
hlrp_status hlrp_result_table_rows(hlrp_result *result, const char *table, int64_t *rows,
                                   hlrp_error *err);
hlrp_status hlrp_result_table_f64(hlrp_result *result, const char *table, const char *column,
                                  int64_t rows, double *values, hlrp_error *err);
hlrp_status hlrp_result_table_text(hlrp_result *result, const char *table, const char *column,
                                   hlrp_strings *values, hlrp_error *err);

/* /layers: sums over all tiles, a row per node from the output down; a column that earlier versions did not
 * write is NaN. Zero-initialise. */
typedef struct hlrp_layers {
    int64_t count;
    double *values[HLRP_ACCOUNT_FIELDS]; /* [count] each */
    hlrp_strings nodes, rules;
} hlrp_layers;

/* Free *l also where this fails. */
hlrp_status hlrp_result_read_layers(hlrp_result *result, hlrp_layers *l, hlrp_error *err);
void hlrp_layers_free(hlrp_layers *l);
/* Share of the relevance that reaches layer i and is lost (positive) or created (negative) there;
 * 0 where the layer takes gradients, which do not conserve, or where none reaches it. */
double hlrp_layers_loss(const hlrp_layers *l, int64_t i);
/* "layer N (RULE) loses 70 % of the relevance that reaches it (…)" of the layer with the largest loss
 * over `share`, or nothing. */
void hlrp_layers_sentence(const hlrp_layers *l, double share, hlrp_str *out);
/* Σ|in| / Σ|out|: how much larger relevance leaves a node than it arrives; 0 where nothing arrives or
 * it is not known. */
double hlrp_layers_growth(const hlrp_layers *l, int64_t i);

/* An attribute as text (numbers formatted, lists joined by ", "); *value is NULL where there is
 * none. The caller frees it. */
hlrp_status hlrp_result_get_text(hlrp_result *result, const char *group, const char *name,
                                 char **value, hlrp_error *err);
/* Numbers of an attribute; fails where it has not exactly `count`. */
hlrp_status hlrp_result_get_f64(hlrp_result *result, const char *group, const char *name,
                                double *values, int64_t count, hlrp_error *err);

/* Numbers of a list [count] that writers of the same version wrote, as float64. */
hlrp_status hlrp_result_read_list(hlrp_result *result, const char *name, int64_t count,
                                  double *values, hlrp_error *err);

/* For `inspect`: facts, attributes, finite range and sum of each plane, as lines of text. */
hlrp_status hlrp_result_describe(hlrp_result *result, hlrp_str *text, hlrp_error *err);

/* ---- explain's OUT.h5 ---- */

/* Whether the file is one of explain's, and such a file as lines of text for `inspect`: shape, classes,
 * a line per sample. HLRP_E_INPUT. */
bool hlrp_explain_is(const char *path);
hlrp_status hlrp_explain_describe(const char *path, hlrp_str *text, hlrp_error *err);

typedef struct hlrp_explain_writer hlrp_explain_writer;

/* input: [N,C,H,W]. Datasets: /input /relevance [N,C,H,W], /logits /start [N,classes] float32,
 * /target [N] int64; /relevance_sum /relevance_abs [N] float64: the sum over the pixels of relevance
 * summed over color, and of its magnitudes; /agrees [N] int8: hlrp_agrees. Attribute `classes` on
 * /logits. */
hlrp_status hlrp_explain_create(const char *path, const hlrp_dims *input,
                                const char *const *class_names, int64_t classes,
                                hlrp_explain_writer **out, hlrp_error *err);

/* The same for a bag, of pictures [N,3,H,W] through `features` features each, or of features [N,D]
 * (`features` 0): logits, start and target are the bag's, one row. */
hlrp_status hlrp_explain_create_bag(const char *path, const hlrp_dims *input, int64_t features,
                                    const char *const *class_names, int64_t classes,
                                    hlrp_explain_writer **out, hlrp_error *err);

/* What is known of a bag. */
typedef struct hlrp_explained_bag {
    const float *logits, *start; /* [classes] */
    int64_t target;
    int8_t agrees;
    const double *sums, *magnitudes;           /* [N]: of each instance's relevance in the head */
    const float *features, *feature_relevance; /* [N,features] */
} hlrp_explained_bag;
hlrp_status hlrp_explain_write_bag(hlrp_explain_writer *writer, const hlrp_explained_bag *bag,
                                   hlrp_error *err);
/* Input and relevance of instances [first, first+count). */
hlrp_status hlrp_explain_write_samples(hlrp_explain_writer *writer, int64_t first, int64_t count,
                                       const float *input, const float *relevance, hlrp_error *err);

/* Samples [first, first+count). input and relevance [count,C,H,W], logits and start
 * [count,classes], target [count]. */
hlrp_status hlrp_explain_write(hlrp_explain_writer *writer, int64_t first, int64_t count,
                               const float *input, const float *logits, const int64_t *target,
                               const float *start, const float *relevance, hlrp_error *err);

/* What the relevance of samples [first, first+count) comes to, [count] each. */
hlrp_status hlrp_explain_write_sums(hlrp_explain_writer *writer, int64_t first, int64_t count,
                                    const double *sum, const double *abs, const int8_t *agrees,
                                    hlrp_error *err);

/* Group /layers/NNN for the relevance of a node's output, dims [N,…]. */
hlrp_status hlrp_explain_add_layer(hlrp_explain_writer *writer, int64_t index, const char *node,
                                   const char *output, const char *rule, const hlrp_dims *dims,
                                   hlrp_error *err);
/* Samples [first, first+count) of that layer. */
hlrp_status hlrp_explain_write_layer(hlrp_explain_writer *writer, int64_t index, int64_t first,
                                     int64_t count, const float *relevance, hlrp_error *err);
/* Attributes of the layer, [N] float64 each, from its account [N]: the sum of what arrives, that of its
 * magnitudes, and the shares of the latter that each taker keeps. */
hlrp_status hlrp_explain_layer_account(hlrp_explain_writer *writer, int64_t index,
                                       const hlrp_account *account, hlrp_error *err);
/* An attribute on "/". */
hlrp_status hlrp_explain_set_text(hlrp_explain_writer *writer, const char *name, const char *value,
                                  hlrp_error *err);
hlrp_status hlrp_explain_commit(hlrp_explain_writer *writer, hlrp_error *err); /* frees */
void hlrp_explain_abort(hlrp_explain_writer *writer);                          /* NULL is fine */

/* ---- tensor input ---- */

typedef struct hlrp_tensor_file hlrp_tensor_file;

/* Whether `spec` reads "FILE:/dataset": splits at the last ":/"; both the caller's to free. */
hlrp_status hlrp_tensor_spec(const char *spec, bool *is_tensor, char **path, char **dataset,
                             hlrp_error *err);

/* Opens a float32 or float64 dataset [N,C,H,W] or [N,D]; refuses other types and ranks, extents below 1, and
 * samples of over 2^28 values. */
hlrp_status hlrp_tensor_open(const char *path, const char *dataset, hlrp_tensor_file **out,
                             hlrp_error *err);
/* The same for "FILE:/dataset"; *out stays as it is, with HLRP_OK, where `spec` is none. */
hlrp_status hlrp_tensor_open_spec(const char *spec, hlrp_tensor_file **out, hlrp_error *err);
void hlrp_tensor_close(hlrp_tensor_file *file); /* NULL is fine */
const hlrp_dims *hlrp_tensor_file_dims(const hlrp_tensor_file *file);
/* Samples [first, first+count) as float32; HLRP_E_INPUT where a value is not finite.
 */
hlrp_status hlrp_tensor_read(hlrp_tensor_file *file, int64_t first, int64_t count, float *values,
                             hlrp_error *err);

#endif
