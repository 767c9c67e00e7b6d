/* tree.c -- the dominator tree to walk in; groups of nodes with what they retain; two graphs compared by groups.
 *
 * What a group retains is the sum over its members that no other member dominates: one walk down the tree in which each
 * group counts how many of its members are open above. Nothing recurses, the walk's stack grows as it is needed.
 *
 * Always true of a tree that ms_tree_new() gave:
 *   T1  from every node, idom leads to the root
 *   T2  child[first[v]] .. child[first[v + 1] - 1] are the nodes with idom v, ascending
 *   T3  heavies ascend and are nodes
 *
 * Threads: none. */
#include "graph/graph.h"
#include "graph/sort.h"

/* ---- the tree ------------------------------------------------------------------------------------------------------ */

/* T1: as many nodes hang below the root as there are. Only nodes with children are put in line. */
static ms_err tree_hangs_together(const ms_tree *t)
{
    uint32_t n = t->g->nodes, put = 1, got = 1;
    uint32_t *line = ms_sys_alloc((size_t)n * sizeof *line);
    if (line == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 0; i < put; i++)
        for (uint32_t k = t->first[line[i]]; k < t->first[line[i] + 1]; k++) {
            uint32_t c = t->child[k];
            got++;
            if (t->first[c] < t->first[c + 1])
                line[put++] = c;
        }
    ms_sys_free(line, (size_t)n * sizeof *line);
    return got == n ? MS_OK : MS_EDAMAGED;
}

static ms_err tree_fill(ms_tree *t)
{
    uint32_t n = t->g->nodes;
    if (t->idom[0] != 0)
        return MS_EDAMAGED;
    for (uint32_t h = 0; h < t->heavies; h++)
        if (t->heavy[h] >= n || (h && t->heavy[h - 1] >= t->heavy[h]))
            return MS_EDAMAGED;
    t->first = ms_sys_alloc(((size_t)n + 1) * sizeof *t->first);
    t->child = ms_sys_alloc((size_t)n * sizeof *t->child);
    if (t->first == NULL || t->child == NULL)
        return MS_ENOMEM;
    for (uint32_t v = 1; v < n; v++) {
        if (t->idom[v] >= n)
            return MS_EDAMAGED;
        t->first[t->idom[v] + 1]++;
    }
    for (uint32_t v = 0; v < n; v++)
        t->first[v + 1] += t->first[v];
    for (uint32_t v = 1; v < n; v++)
        t->child[t->first[t->idom[v]]++] = v;
    for (uint32_t v = n; v > 0; v--)
        t->first[v] = t->first[v - 1];
    t->first[0] = 0;
    return tree_hangs_together(t);
}

ms_err ms_tree_new(const ms_graph *g, const uint32_t *idom, uint32_t heavies, const uint32_t *heavy,
                   const uint64_t *const retained[MS_SIZES], ms_tree **out)
{
    *out = NULL;
    ms_tree *t = ms_sys_alloc(sizeof *t);
    if (t == NULL)
        return MS_ENOMEM;
    t->g = g;
    t->idom = idom;
    t->heavies = heavies;
    t->heavy = heavy;
    for (int k = 0; k < MS_SIZES; k++)
        t->retained[k] = retained[k];
    ms_err err = tree_fill(t);
    if (err != MS_OK) {
        ms_tree_delete(t);
        return err;
    }
    *out = t;
    return MS_OK;
}

void ms_tree_delete(ms_tree *t)
{
    if (t == NULL)
        return;
    ms_sys_free(t->first, ((size_t)t->g->nodes + 1) * sizeof *t->first);
    ms_sys_free(t->child, (size_t)t->g->nodes * sizeof *t->child);
    ms_sys_free(t, sizeof *t);
}

uint64_t ms_tree_retained(const ms_tree *t, uint32_t v, int size)
{
    uint32_t low = 0, high = t->heavies;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (t->heavy[middle] < v)
            low = middle + 1;
        else
            high = middle;
    }
    return low < t->heavies && t->heavy[low] == v ? t->retained[size][low] : ms_node_bytes(t->g, v, size);
}

bool ms_tree_dominates(const ms_tree *t, uint32_t a, uint32_t b)
{
    while (b != a && b != 0)
        b = t->idom[b];
    return a == b;
}

typedef struct {
    const ms_tree *t;
    int size;
} by_retained;

static bool retains_more(const void *arg, const void *a, const void *b)
{
    const by_retained *by = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    uint64_t rx = ms_tree_retained(by->t, x, by->size), ry = ms_tree_retained(by->t, y, by->size);
    return rx != ry ? rx > ry : x < y;
}

uint32_t ms_tree_largest(const ms_tree *t, uint32_t v, int size, uint32_t max, uint32_t *out)
{
    by_retained by = {t, size};
    uint32_t n = 0;
    for (uint32_t k = t->first[v]; k < t->first[v + 1] && max > 0; k++) {
        const uint32_t *c = &t->child[k];
        if (n < max) {
            out[n++] = *c;
            if (n == max)
                ms_sort(out, n, sizeof *out, retains_more, &by);
        } else if (retains_more(&by, c, &out[max - 1])) { /* few get here: in by halving, the last one out */
            uint32_t low = 0, high = max - 1;
            while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                if (retains_more(&by, c, &out[middle]))
                    high = middle;
                else
                    low = middle + 1;
            }
            memmove(out + low + 1, out + low, (max - 1 - low) * sizeof *out);
            out[low] = *c;
        }
    }
    if (n < max)
        ms_sort(out, n, sizeof *out, retains_more, &by);
    return n;
}

/* ---- groups -------------------------------------------------------------------------------------------------------- */

/* Keys to numbers: open addressing; a place holds the group's number + 1. */
typedef struct {
    uint32_t *place;
    uint64_t places; /* a power of two, more than twice the groups */
} index_of;

static inline uint64_t spread(uint64_t x)
{
    x ^= x >> 32;
    x *= 0xd6e8feb86659fd93u;
    x ^= x >> 32;
    return x * 0xd6e8feb86659fd93u;
}

static uint64_t index_find(const index_of *x, const ms_group *row, uint64_t key)
{
    uint64_t i = spread(key) & (x->places - 1);
    while (x->place[i] && row[x->place[i] - 1].key != key)
        i = (i + 1) & (x->places - 1);
    return i;
}

static ms_err index_grow(index_of *x, const ms_group *row, uint32_t n, uint64_t places)
{
    uint32_t *old = x->place, *place = ms_sys_alloc(places * sizeof *place);
    uint64_t old_places = x->places;
    if (place == NULL)
        return MS_ENOMEM;
    *x = (index_of){place, places};
    for (uint32_t i = 0; i < n; i++)
        place[index_find(x, row, row[i].key)] = i + 1;
    ms_sys_free(old, old_places * sizeof *old);
    return MS_OK;
}

static ms_err group_add(ms_groups *s, index_of *x, uint64_t key, uint32_t *group)
{
    uint64_t at = index_find(x, s->row, key);
    if (x->place[at] == 0) {
        if (s->n == s->room) {
            ms_group *row = ms_sys_resize(s->row, s->room * sizeof *row, (size_t)s->room * 2 * sizeof *row);
            if (row == NULL)
                return MS_ENOMEM;
            s->row = row;
            s->room *= 2;
        }
        s->row[s->n] = (ms_group){.key = key};
        x->place[at] = ++s->n;
        if ((uint64_t)s->n * 2 >= x->places) {
            *group = s->n - 1;
            return index_grow(x, s->row, s->n, x->places * 2);
        }
    }
    *group = x->place[at] - 1;
    return MS_OK;
}

typedef struct {
    uint32_t node, at; /* at: the next child to look at */
    bool top;          /* no member of its group is above */
    uint64_t bytes[MS_SIZES];
} step;

/* Down the tree and up again: on the way up every node knows what is below it. */
static ms_err groups_retained(ms_groups *s, const ms_tree *t)
{
    const ms_graph *g = t->g;
    size_t room = 1024, depth = 0;
    ms_err err = MS_OK;
    uint32_t *open = ms_sys_alloc((size_t)s->n * sizeof *open);
    step *stack = ms_sys_alloc(room * sizeof *stack);
    if (open == NULL || stack == NULL) {
        err = MS_ENOMEM;
        goto done;
    }
    stack[0] = (step){.node = 0, .at = t->first[0]};
    for (;;) {
        step *f = &stack[depth];
        if (f->at < t->first[f->node + 1]) {
            uint32_t ahead = t->child[f->at + 8 < g->nodes - 1 ? f->at + 8 : f->at];
            __builtin_prefetch(&t->first[ahead]);
            __builtin_prefetch(&s->of[ahead]);
            if (g->shape_wide)
                __builtin_prefetch((const char *)g->shape + (size_t)ahead * g->shape_wide);
            uint32_t v = t->child[f->at++], group = s->of[v];
            bool top = group != MS_NONE && open[group] == 0, leaf = t->first[v] == t->first[v + 1];
            uint64_t bytes[MS_SIZES];
            for (int k = 0; k < MS_SIZES; k++)
                bytes[k] = ms_node_bytes(g, v, k);
            if (leaf) {
                for (int k = 0; k < MS_SIZES; k++) {
                    f->bytes[k] += bytes[k];
                    if (top)
                        s->row[group].retained[k] += bytes[k];
                }
                continue;
            }
            if (++depth == room) {
                step *more = ms_sys_resize(stack, room * sizeof *stack, room * 2 * sizeof *stack);
                if (more == NULL) {
                    err = MS_ENOMEM;
                    goto done;
                }
                stack = more;
                room *= 2;
            }
            stack[depth] = (step){.node = v, .at = t->first[v], .top = top, .bytes = {bytes[0], bytes[1]}};
            if (group != MS_NONE)
                open[group]++;
            continue;
        }
        if (depth == 0)
            break;
        uint32_t group = s->of[f->node];
        if (group != MS_NONE)
            open[group]--;
        depth--;
        for (int k = 0; k < MS_SIZES; k++) {
            stack[depth].bytes[k] += f->bytes[k];
            if (f->top)
                s->row[group].retained[k] += f->bytes[k];
        }
    }
done:
    ms_sys_free(stack, room * sizeof *stack);
    ms_sys_free(open, (size_t)s->n * sizeof *open);
    return err;
}

ms_err ms_groups_new(const ms_graph *g, const ms_tree *tree, ms_key_fn *key, void *arg, ms_groups **out)
{
    *out = NULL;
    ms_err err = MS_OK;
    index_of index = {0};
    ms_groups *s = ms_sys_alloc(sizeof *s);
    if (s == NULL)
        return MS_ENOMEM;
    s->nodes = g->nodes;
    s->room = 64;
    s->of = ms_sys_alloc((size_t)g->nodes * sizeof *s->of);
    s->row = ms_sys_alloc(s->room * sizeof *s->row);
    if (s->of == NULL || s->row == NULL || index_grow(&index, NULL, 0, 256) != MS_OK) {
        err = MS_ENOMEM;
        goto done;
    }
    s->of[0] = MS_NONE;
    uint64_t last_key = MS_NO_KEY;
    uint32_t last_group = MS_NONE;
    for (uint32_t v = 1; v < g->nodes; v++) {
        uint64_t k = key(arg, v);
        if (k != last_key) { /* neighbours are often of one kind */
            last_key = k;
            last_group = MS_NONE;
            if (k != MS_NO_KEY && (err = group_add(s, &index, k, &last_group)) != MS_OK)
                goto done;
        }
        s->of[v] = last_group;
        if (last_group == MS_NONE)
            continue;
        ms_group *row = &s->row[last_group];
        row->count++;
        for (int i = 0; i < MS_SIZES; i++)
            row->bytes[i] += ms_node_bytes(g, v, i);
    }
    if (tree)
        err = groups_retained(s, tree);
done:
    ms_sys_free(index.place, index.places * sizeof *index.place);
    if (err != MS_OK) {
        ms_groups_delete(s);
        return err;
    }
    *out = s;
    return MS_OK;
}

void ms_groups_delete(ms_groups *s)
{
    if (s == NULL)
        return;
    ms_sys_free(s->of, (size_t)s->nodes * sizeof *s->of);
    ms_sys_free(s->row, s->room * sizeof *s->row);
    ms_sys_free(s, sizeof *s);
}

/* ---- two graphs ---------------------------------------------------------------------------------------------------- */

static bool group_same(const ms_group *a, const ms_group *b)
{
    bool same = a->count == b->count;
    for (int k = 0; k < MS_SIZES; k++)
        same &= a->bytes[k] == b->bytes[k] && a->retained[k] == b->retained[k];
    return same;
}

static uint64_t change_size(const ms_change *c, int size)
{
    uint64_t a = c->a ? c->a->bytes[size] : 0, b = c->b ? c->b->bytes[size] : 0;
    return a > b ? a - b : b - a;
}

static bool changed_more(const void *arg, const void *a, const void *b)
{
    int size = *(const int *)arg;
    uint64_t x = change_size(a, size), y = change_size(b, size);
    return x != y ? x > y : ((const ms_change *)a)->key < ((const ms_change *)b)->key;
}

ms_err ms_diff_new(const ms_groups *a, const ms_groups *b, int size, ms_change **out, uint32_t *n)
{
    *out = NULL;
    *n = 0;
    index_of index = {0};
    uint64_t places = 64, most = (uint64_t)a->n + b->n, rows = 0;
    while (places <= (uint64_t)b->n * 2)
        places *= 2;
    if (index_grow(&index, b->row, b->n, places) != MS_OK)
        return MS_ENOMEM;
    ms_change *row = ms_sys_alloc(most * sizeof *row);
    uint64_t *met = ms_sys_alloc(((size_t)b->n + 63) / 64 * sizeof *met);
    ms_err err = row && met ? MS_OK : MS_ENOMEM;
    for (uint32_t i = 0; i < a->n && err == MS_OK; i++) {
        uint32_t at = index.place[index_find(&index, b->row, a->row[i].key)];
        const ms_group *other = at ? &b->row[at - 1] : NULL;
        if (at)
            met[(at - 1) >> 6] |= (uint64_t)1 << ((at - 1) & 63);
        if (other == NULL || !group_same(&a->row[i], other))
            row[rows++] = (ms_change){a->row[i].key, &a->row[i], other};
    }
    for (uint32_t i = 0; i < b->n && err == MS_OK; i++)
        if ((met[i >> 6] >> (i & 63) & 1) == 0)
            row[rows++] = (ms_change){b->row[i].key, NULL, &b->row[i]};
    ms_sys_free(met, ((size_t)b->n + 63) / 64 * sizeof *met);
    ms_sys_free(index.place, index.places * sizeof *index.place);
    if (err == MS_OK) {
        ms_sort(row, rows, sizeof *row, changed_more, &size);
        ms_change *less = ms_sys_resize(row, most * sizeof *row, rows * sizeof *row);
        if (less == NULL)
            err = MS_ENOMEM;
        else
            row = less;
    }
    if (err != MS_OK) {
        ms_sys_free(row, most * sizeof *row);
        return err;
    }
    *out = row;
    *n = (uint32_t)rows;
    return MS_OK;
}
