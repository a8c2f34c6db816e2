/* Private to outline.c and outline_cells.c: what an outline is made of. */
#ifndef HLRP_REGION_OUTLINE_NODES_H
#define HLRP_REGION_OUTLINE_NODES_H

#include "region/outline.h"

/* A chain of edges of one ring, or several whole rings: then it ends where it began. */
typedef struct hlrp_outline_node {
    double left, top, right, bottom; /* what it spans */
    double sum;                      /* ∫ (y − top) dx along it */
    double start, end;               /* x there; of whole rings 0 */
    int64_t first, count;            /* edges, from vertex to vertex; count 0: see the halves */
    int64_t low, high;               /* numbers of the halves */
} hlrp_outline_node;

struct hlrp_outline {
    hlrp_vertex *vertices; /* ring by ring, each closed */
    int64_t vertex_count, vertex_capacity;
    hlrp_outline_node *nodes;
    int64_t node_count, node_capacity, root; /* root −1: no ring */
    double total;
};

/* The mean of min(max(y, 0), h) while y goes evenly from `from` to `to`. */
double hlrp_mean_height(double from, double to, double h);

#endif
