/* steps.h -- trees of merged steps while they grow: shared by holders.c and paths.c.
 *
 * A step is (the row above, what the edge is called, the type of the object). Two objects with the same
 * step share a row. Attributes keep their names; indexes and keys do not, except where one of them alone
 * has a fair share of what is below (then its row is its own).
 *
 * A row that repeats the row above it, or the one above that, in label and type is folded into it: a list
 * linked by .next is one row, and so is a tree of nodes with lists of children. */
#ifndef MS_GRAPH_STEPS_H
#define MS_GRAPH_STEPS_H

#include "graph/answer.h"

typedef struct {
    uint32_t row, node;
} steps_member;

typedef struct {
    ms_snap  *snap;
    ms_steps *steps;
    ms_table  rows;                /* (row above, label, type) -> row; the label's kind and value are hashed together */
    MS_VEC(steps_member) members;
    struct { uint32_t above, kind, value, type, row; } last[4]; /* rows found last: brothers come in a row */
    uint32_t  turn;
} steps_maker;

ms_err steps_begin(steps_maker *m, ms_snap *s, ms_steps *out, uint32_t top, ms_why *why);
/* The row of node v, reached from a node of row `above` by `edge` (UINT32_MAX: indirectly). alone: it keeps its key. */
ms_err steps_add(steps_maker *m, uint32_t above, uint32_t owner, uint32_t edge, uint32_t v, bool alone, uint32_t *row, bool *folded, ms_why *why);
/* All members are there: sums, birth lines. Ends m. */
ms_err steps_end(steps_maker *m, ms_err err, ms_why *why);

#endif
