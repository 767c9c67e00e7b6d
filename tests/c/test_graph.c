/* test_graph.c -- the graph's answers beside those of the slowest thing that works: a dominator is what nobody can be
 * reached without, found by taking each node out in turn; a cycle is who reaches each other; a path is a search. */
#include "graph/graph.h"
#include "test.h"

enum { MOST = 72 }; /* nodes of a graph for the slow ones */

/* ---- graphs at random ------------------------------------------------------------------------------------------- */

typedef struct {
    ms_graph g;
    uint32_t *first, *to, room;
    uint32_t *shape4;
    uint16_t *shape2;
    uint64_t *bytes[2];
    uint32_t *shape_type, *type_node;
} made;

static void *copy_of(const void *from, size_t size) /* exactly that long, so that a sanitizer sees a step beyond */
{
    void *p = malloc(size ? size : 1);
    memcpy(p, from, size);
    return p;
}

static void made_free(made *m)
{
    free(m->first);
    free(m->to);
    free(m->shape4);
    free(m->shape2);
    free(m->bytes[0]);
    free(m->bytes[1]);
    free(m->shape_type);
    free(m->type_node);
    memset(m, 0, sizeof *m);
}

/* One of many manners: how many edges, of which kinds, and where they lead. */
static void make(made *m, uint32_t most)
{
    uint32_t n = 1 + (uint32_t)test_below(most), style = (uint32_t)test_below(8), count = 0, room = 16;
    uint32_t odd = (uint32_t)test_below(3) ? 0 : 1 + (uint32_t)test_below(6); /* one edge in so many is of another kind */
    uint32_t empty = (uint32_t)test_below(3) ? 0 : 2 + (uint32_t)test_below(6);
    uint32_t leaves = (uint32_t)test_below(4), density = 1 + (uint32_t)test_below(4);
    uint32_t *to = malloc(room * sizeof *to), *first = malloc((n + 1) * sizeof *first);
    memset(m, 0, sizeof *m);
    for (uint32_t v = 0; v < n; v++) {
        first[v] = count;
        uint32_t degree = (uint32_t)test_below(density * 2 + 1);
        if (leaves && v && v % (leaves + 1) != 0)
            degree = 0;
        if (style == 7 && v == 0)
            degree = n;
        for (uint32_t i = 0; i < degree; i++) {
            uint32_t t = 0;
            switch (style) {
            case 0: case 1: case 7: t = (uint32_t)test_below(n); break;                       /* anywhere */
            case 2: t = v + 1 < n ? v + 1 + (uint32_t)test_below(n - v - 1) : 0; break;       /* ahead: no cycles */
            case 3: t = (v + 1 + (uint32_t)test_below(3)) % n; break;                         /* near: long chains */
            case 4: t = i ? (uint32_t)test_below(v + 1) : (v + 1) % n; break;                 /* a chain and ways back */
            case 5: t = (uint32_t)(v * 2 + 1 + test_below(2)) % n; break;                     /* a tree, and round */
            case 6: t = test_below(3) ? (uint32_t)test_below(n) : v; break;                   /* self-loops, doubles */
            }
            if (empty && test_below(empty) == 0)
                t = 0;
            uint32_t kind = odd && test_below(odd) == 0 ? (test_below(2) ? MS_WEAK : MS_GLOBALS) : MS_NORMAL;
            if (count == room)
                to = realloc(to, (room *= 2) * sizeof *to);
            to[count++] = MS_EDGE(kind, t);
        }
    }
    first[n] = count;
    m->first = first;
    m->to = copy_of(to, count * sizeof *to);
    free(to);
    m->g = (ms_graph){.nodes = n, .edges = count, .first = m->first, .to = m->to};
    if (n > 1 && test_below(3))
        m->g.garbage = test_below(2) ? n - 1 : 1 + (uint32_t)test_below(n - 1);

    uint32_t manner = (uint32_t)test_below(4), shapes = 1 + (uint32_t)test_below(6), types = 1 + (uint32_t)test_below(shapes);
    uint32_t rows = manner < 2 ? shapes : n;
    for (int k = 0; k < 2; k++) {
        m->bytes[k] = malloc(rows * sizeof(uint64_t));
        for (uint32_t i = 0; i < rows; i++)
            m->bytes[k][i] = test_below(5) ? test_below(1000) : 0;
    }
    m->shape2 = malloc(n * sizeof *m->shape2);
    m->shape4 = malloc(n * sizeof *m->shape4);
    for (uint32_t v = 0; v < n; v++)
        m->shape2[v] = (uint16_t)(m->shape4[v] = (uint32_t)test_below(shapes));
    m->shape_type = malloc(shapes * sizeof *m->shape_type);
    for (uint32_t s = 0; s < shapes; s++)
        m->shape_type[s] = (uint32_t)test_below(types);
    m->type_node = malloc(types * sizeof *m->type_node);
    for (uint32_t t = 0; t < types; t++) {
        m->type_node[t] = test_below(3) ? (uint32_t)test_below(n) : 0;
        if (m->type_node[t] == m->g.garbage)
            m->type_node[t] = 0;
    }
    for (int k = 0; k < 2; k++)
        if (manner < 2)
            m->g.shape_bytes[k] = m->bytes[k];
        else if (manner == 2)
            m->g.bytes[k] = m->bytes[k];
    if (manner < 2) {
        m->g.shape_wide = manner ? 4 : 2;
        m->g.shape = manner ? (const void *)m->shape4 : m->shape2;
        m->g.shapes = shapes;
        m->g.types = types;
        if (test_below(4))
            m->g.shape_type = m->shape_type;
        if (test_below(4))
            m->g.type_node = m->type_node;
    }
}

/* ---- the slow ones ------------------------------------------------------------------------------------------------ */

typedef struct {
    uint32_t n;
    bool strong[MOST][MOST]; /* an edge of the strong graph */
    bool normal[MOST][MOST];
    bool alive[MOST], promoted[MOST], source[MOST];
    uint32_t order[MOST], n_promoted; /* the promoted, round by round */
    bool dominates[MOST][MOST]; /* [a][b]: without a, b is not reached */
    uint32_t idom[MOST];
    uint64_t retained[2][MOST];
    bool same[MOST][MOST]; /* in one cycle */
} slow;

static bool is_normal(const ms_graph *g, uint32_t v, uint32_t e)
{
    uint32_t t = MS_EDGE_TARGET(g->to[e]);
    return MS_EDGE_KIND(g->to[e]) == MS_NORMAL && t != 0 && t != g->garbage && (v == 0 || v != g->garbage);
}

static void slow_reach(const slow *s, bool edge[MOST][MOST], uint32_t from, uint32_t without, bool *seen)
{
    uint32_t stack[MOST], depth = 0;
    (void)s;
    if (from == without || seen[from])
        return;
    seen[from] = true;
    stack[depth++] = from;
    while (depth) {
        uint32_t v = stack[--depth];
        for (uint32_t t = 0; t < s->n; t++)
            if (edge[v][t] && !seen[t] && t != without) {
                seen[t] = true;
                stack[depth++] = t;
            }
    }
}

static void slow_rules(slow *s, const ms_graph *g) /* graph.h, 1 to 3, to the letter */
{
    uint32_t n = s->n = g->nodes;
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++)
            if (is_normal(g, v, e))
                s->normal[v][MS_EDGE_TARGET(g->to[e])] = s->strong[v][MS_EDGE_TARGET(g->to[e])] = true;
    slow_reach(s, s->normal, 0, MS_NONE, s->alive);
    for (;;) {
        bool batch[MOST] = {false}, any = false;
        for (uint32_t v = 0; v < n; v++) {
            if (!s->alive[v])
                continue;
            for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++) {
                uint32_t t = MS_EDGE_TARGET(g->to[e]);
                if (MS_EDGE_KIND(g->to[e]) == MS_GLOBALS && t != 0 && t != g->garbage && !s->alive[t])
                    batch[t] = any = true;
            }
            uint32_t t = ms_node_type_node(g, v);
            if (t != 0 && !s->alive[t])
                batch[t] = any = true;
        }
        if (!any)
            break;
        for (uint32_t v = 0; v < n; v++)
            if (batch[v]) {
                s->promoted[v] = s->strong[0][v] = true;
                s->order[s->n_promoted++] = v;
                slow_reach(s, s->normal, v, MS_NONE, s->alive);
            }
    }
    if (g->garbage)
        s->alive[g->garbage] = s->strong[0][g->garbage] = true;
    static bool from[MOST][MOST];
    memset(from, 0, sizeof from);
    for (uint32_t v = 0; v < n; v++)
        slow_reach(s, s->normal, v, MS_NONE, from[v]);
    for (uint32_t v = 0; v < n; v++) {
        bool source = !s->alive[v];
        for (uint32_t u = 0; u < n; u++)
            if (from[u][v] && (!from[v][u] || u < v)) /* something else refers to its component, or a lower member does */
                source = false;
        if (source)
            s->source[v] = s->strong[g->garbage][v] = true;
    }
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t u = 0; u < n; u++)
            s->same[v][u] = from[v][u] && from[u][v] && (u != v || s->normal[v][v]);
}

static void slow_dominators(slow *s, const ms_graph *g)
{
    uint32_t n = s->n, depth[MOST] = {0};
    for (uint32_t v = 0; v < n; v++) {
        bool seen[MOST] = {false};
        slow_reach(s, s->strong, 0, v, seen);
        for (uint32_t u = 0; u < n; u++)
            s->dominates[v][u] = !seen[u];
    }
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t u = 0; u < n; u++)
            depth[v] += s->dominates[u][v];
    for (uint32_t v = 1; v < n; v++)
        for (uint32_t u = 0; u < n; u++)
            if (u != v && s->dominates[u][v] && depth[u] == depth[v] - 1)
                s->idom[v] = u;
    for (uint32_t v = 0; v < n; v++)
        for (uint32_t u = 0; u < n; u++)
            for (int k = 0; k < 2; k++)
                s->retained[k][v] += s->dominates[v][u] ? ms_node_bytes(g, u, k) : 0;
}

/* ---- the analysis ---------------------------------------------------------------------------------------------------- */

static bool in_list(const uint32_t *list, uint32_t n, uint32_t v)
{
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == v)
            return true;
    return false;
}

static void compare_analysis(const ms_graph *g, const ms_analysis *a, const slow *s)
{
    uint32_t n = g->nodes, h = 0, promoteds = 0, sources = 0, cyclic = 0;
    const char *wrong = ms_analysis_check(g, a);
    EXPECT_STR(wrong ? wrong : "sound", "sound");
    for (uint32_t v = 0; v < n; v++) {
        EXPECT_EQ(a->idom[v], s->idom[v]);
        bool heavy = false, in_cycle = false;
        for (uint32_t u = 0; u < n; u++) {
            heavy |= u != v && s->dominates[v][u];
            in_cycle |= s->same[v][u];
        }
        EXPECT_EQ(h < a->heavies && a->heavy[h] == v, heavy);
        for (int k = 0; k < 2 && heavy && h < a->heavies; k++)
            EXPECT_EQ(a->retained[k][h], s->retained[k][v]);
        h += heavy;
        EXPECT_EQ(in_list(a->promoted, a->promoteds, v), s->promoted[v]);
        EXPECT_EQ(in_list(a->source, a->sources, v), s->source[v]);
        EXPECT_EQ(in_list(a->cycles.node, a->cycles.members, v), in_cycle);
        promoteds += s->promoted[v];
        sources += s->source[v];
        cyclic += in_cycle;
    }
    EXPECT_EQ(a->heavies, h);
    EXPECT_EQ(a->promoteds, promoteds);
    EXPECT(memcmp(a->promoted, s->order, promoteds * sizeof *s->order) == 0);
    for (uint32_t i = 1; i < a->sources; i++)
        EXPECT(a->source[i - 1] < a->source[i]);
    EXPECT_EQ(a->sources, sources);
    EXPECT_EQ(a->cycles.members, cyclic);
    for (uint32_t c = 0; c < a->cycles.n; c++)
        for (uint32_t i = a->cycles.first[c]; i < a->cycles.first[c + 1]; i++) {
            uint32_t v = a->cycles.node[i], same = 0;
            for (uint32_t u = 0; u < n; u++) {
                same += s->same[v][u];
                EXPECT_EQ(s->same[v][u] && u != v,
                          u != v && in_list(a->cycles.node + a->cycles.first[c], a->cycles.first[c + 1] - a->cycles.first[c], u));
            }
            EXPECT(same > 0);
        }
    uint64_t dead = 0, dead_bytes[2] = {0};
    for (uint32_t v = 0; v < n; v++)
        if (!s->alive[v]) {
            dead++;
            dead_bytes[0] += ms_node_bytes(g, v, 0);
            dead_bytes[1] += ms_node_bytes(g, v, 1);
        }
    EXPECT_EQ(a->garbage_nodes, dead);
    EXPECT_EQ(a->garbage_bytes[0], dead_bytes[0]);
    EXPECT_EQ(a->garbage_bytes[1], dead_bytes[1]);
    EXPECT(a->peak_bytes <= ms_analysis_bound(g->nodes, g->edges));
}

static void test_analysis_is_what_the_slow_one_finds(void)
{
    for (int round = 0; round < 6000 && test_failures == 0; round++) {
        made m;
        make(&m, round % 3 ? 12 : MOST);
        static slow s;
        memset(&s, 0, sizeof s);
        slow_rules(&s, &m.g);
        slow_dominators(&s, &m.g);
        EXPECT(ms_graph_check(&m.g) == NULL);
        ms_analysis *a = NULL;
        EXPECT_EQ(ms_analysis_new(&m.g, 0, &a), MS_OK);
        if (a)
            compare_analysis(&m.g, a, &s);
        ms_analysis_delete(a);
        made_free(&m);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

static void test_analysis_survives_every_failed_allocation(void)
{
    for (int round = 0; round < 20; round++) {
        made m;
        make(&m, MOST);
        ms_err err = MS_ENOMEM;
        for (long n = 0; err != MS_OK && n < 100; n++) {
            ms_analysis *a = NULL;
            ms_sys_fail_after(n);
            err = ms_analysis_new(&m.g, 0, &a);
            ms_sys_fail_after(-1);
            EXPECT(err == MS_OK ? a != NULL : err == MS_ENOMEM && a == NULL);
            ms_analysis_delete(a);
            EXPECT_EQ(ms_sys_live(), 0);
        }
        EXPECT_EQ(err, MS_OK);
        made_free(&m);
    }
}

/* A chain of a million: each holds the rest, to the byte, and nothing recurses. Every link holds also what is shared by
 * all (as None is); the last refers back to where `back` says (0: to nobody). */
static void chain(uint32_t n, uint32_t back)
{
    uint32_t *first = malloc((n + 2) * sizeof *first), *to = malloc(3 * (size_t)n * sizeof *to), e = 0;
    uint64_t *bytes = malloc((n + 1) * sizeof *bytes);
    for (uint32_t v = 0; v < n; v++) { /* node n is the shared one */
        first[v] = e;
        to[e++] = v + 1 < n ? v + 1 : back;
        to[e++] = n;
        bytes[v] = 10 + v % 7;
    }
    first[n] = first[n + 1] = e;
    bytes[n] = 16;
    ms_graph g = {.nodes = n + 1, .edges = e, .first = first, .to = to, .bytes = {bytes, bytes}};
    ms_analysis *a = NULL;
    EXPECT_EQ(ms_analysis_new(&g, 0, &a), MS_OK);
    if (a) {
        uint64_t below = 0;
        EXPECT_EQ(a->heavies, n - 1);
        EXPECT_EQ(a->idom[n], 0);
        for (uint32_t v = n; v-- > 1;) {
            below += bytes[v];
            if (a->idom[v] != v - 1 || (v < n - 1 && a->retained[MS_ALLOCATED][v] != below)) {
                EXPECT_EQ(a->idom[v], v - 1);
                EXPECT_EQ(a->retained[MS_ALLOCATED][v], below);
                break;
            }
        }
        EXPECT_EQ(a->cycles.n, back ? 1 : 0);
        EXPECT_EQ(a->cycles.members, back ? n - back : 0);
    }
    ms_analysis_delete(a);
    free(first);
    free(to);
    free(bytes);
}

/* Each link of a long list holds a value that an index holds, too: values are the root's, and that is found without
 * going up the whole list for each. (It would take a day.) */
static void test_long_chain_of_shared_values(void)
{
    enum { N = 1000000 };
    uint32_t *first = malloc((2 * N + 3) * sizeof *first), *to = malloc((4 * (size_t)N + 4) * sizeof *to), e = 0;
    first[0] = 0;
    to[e++] = 1;         /* links 1 .. N */
    to[e++] = 2 * N + 1; /* the index; values N + 1 .. 2 N */
    for (uint32_t v = 1; v <= N; v++) {
        first[v] = e;
        if (v < N)
            to[e++] = v + 1;
        to[e++] = N + v;
    }
    for (uint32_t v = N + 1; v <= 2 * N + 1; v++)
        first[v] = e;
    for (uint32_t v = 0; v < N; v++)
        to[e++] = N + 1 + v;
    first[2 * N + 2] = e;
    ms_graph g = {.nodes = 2 * N + 2, .edges = e, .first = first, .to = to};
    ms_analysis *a = NULL;
    uint32_t wrong = 0;
    EXPECT_EQ(ms_analysis_new(&g, 0, &a), MS_OK);
    for (uint32_t v = 1; a && v <= 2 * N + 1; v++)
        wrong += a->idom[v] != (v <= N ? v - 1 : 0);
    EXPECT_EQ(wrong, 0);
    ms_analysis_delete(a);
    free(first);
    free(to);
}

static void test_long_chains(void)
{
    chain(1000000, 0);
    chain(1000000, 1);
    chain(1000000, 500000);
}

/* ---- the arrays ------------------------------------------------------------------------------------------------------ */

static void test_arrays(void)
{
    for (int round = 0; round < 1500 && test_failures == 0; round++) {
        made m;
        make(&m, MOST);
        const ms_graph *g = &m.g;
        for (uint32_t v = 0; v < g->nodes; v++)
            for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++)
                EXPECT_EQ(ms_edge_owner(g, e), v);
        made_free(&m);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

static void test_check_names_what_is_wrong(void)
{
    uint32_t first[] = {0, 2, 3, 3}, to[] = {1, 2, MS_EDGE(MS_WEAK, 2)}, type_of[] = {0, 1}, node_of[] = {0, 2};
    uint64_t bytes[] = {8, 9};
    uint16_t shape[] = {0, 1, 1};
    const ms_graph sound = {.nodes = 3, .edges = 3, .first = first, .to = to, .shape = shape, .shape_wide = 2, .shapes = 2, .types = 2,
                            .shape_bytes = {bytes, bytes}, .shape_type = type_of, .type_node = node_of, .garbage = 1};
    EXPECT(ms_graph_check(&sound) == NULL);
    ms_graph g = sound;
#define WRONG(change, undo)                     \
    do {                                        \
        change;                                 \
        EXPECT(ms_graph_check(&g) != NULL);     \
        undo;                                   \
        g = sound;                              \
    } while (0)
    WRONG(g.nodes = 0, );
    WRONG(g.nodes = MS_NODES_MAX, );
    WRONG(g.garbage = 3, );
    WRONG(g.garbage = 2, ); /* is a type, too */
    WRONG(g.edges = 2, );
    WRONG(g.shape_wide = 3, );
    WRONG(g.shapes = 1, );
    WRONG(g.types = 1, );
    WRONG(first[0] = 1, first[0] = 0);
    WRONG(first[1] = 4, first[1] = 2);
    WRONG(to[1] = 3, to[1] = 2);
    WRONG(to[2] = MS_EDGE(MS_WEAK, 3), to[2] = MS_EDGE(MS_WEAK, 2));
    WRONG(shape[2] = 2, shape[2] = 1);
    WRONG(type_of[1] = 2, type_of[1] = 1);
    WRONG(node_of[1] = 3, node_of[1] = 2);
    EXPECT(ms_graph_check(&g) == NULL);
}

/* ---- paths -------------------------------------------------------------------------------------------------------------- */

typedef struct {
    ms_manner manner[2 * MOST + 1]; /* of shapes and groups */
    uint8_t cost[MOST * 4];
    ms_taste taste;
} made_taste;

static const ms_taste *taste_make(made_taste *t, const ms_graph *g)
{
    for (uint32_t i = 0; i < MOST * 4; i++)
        t->cost[i] = test_below(6) ? (uint8_t)(1 + test_below(MS_COST_MAX)) : MS_COST_LAST;
    for (uint32_t i = 0; i <= 2 * MOST; i++)
        t->manner[i] = (ms_manner){(uint32_t)test_below(MOST), (uint32_t)test_below(4), test_below(5) ? (uint8_t)(1 + test_below(9)) : MS_COST_LAST};
    t->taste = (ms_taste){t->manner, t->cost, MOST * 4, test_below(2) ? 0 : 1 + (uint32_t)test_below(g->nodes)};
    return test_below(4) ? &t->taste : NULL;
}

static uint32_t slow_cost(const ms_graph *g, const ms_taste *t, uint32_t v, uint32_t e)
{
    const ms_manner *m = t ? &t->manner[ms_node_shape(g, v)] : NULL;
    uint32_t kinds = g->shape_wide ? g->shapes : 1;
    if (t && t->groups && v == 0)
        m = &t->manner[kinds];
    else if (t && t->groups && v >= t->groups)
        m = &t->manner[kinds + 1 + v - t->groups];
    uint32_t place = e - g->first[v];
    return m == NULL ? 1 : place < m->count ? t->cost[m->first + place] : m->rest;
}

/* Distances by trying all edges until nothing changes. */
static void slow_settle(const ms_graph *g, const ms_taste *t, uint64_t *far)
{
    for (bool any = true; any;) {
        any = false;
        for (uint32_t v = 0; v < g->nodes; v++)
            for (uint32_t e = g->first[v]; e < g->first[v + 1] && far[v] != UINT64_MAX; e++) {
                uint32_t x = g->to[e], c = slow_cost(g, t, v, e);
                if (MS_EDGE_KIND(x) == MS_NORMAL && x != 0 && x != g->garbage && c != MS_COST_LAST && far[v] + c < far[x]) {
                    far[x] = far[v] + c;
                    any = true;
                }
            }
    }
}

static uint64_t farthest(const ms_graph *g, const uint64_t *far)
{
    uint64_t most = 0;
    for (uint32_t v = 0; v < g->nodes; v++)
        if (far[v] != UINT64_MAX && far[v] > most)
            most = far[v];
    return most;
}

static void slow_rounds(const ms_graph *g, const ms_taste *t, uint64_t *far)
{
    for (;;) {
        uint64_t base = farthest(g, far) + 1, fresh[MOST];
        bool any = false;
        memcpy(fresh, far, sizeof fresh);
        for (uint32_t v = 0; v < g->nodes; v++) {
            if (far[v] == UINT64_MAX)
                continue;
            for (uint32_t e = g->first[v]; e <= g->first[v + 1]; e++) { /* one more: to the type */
                bool type = e == g->first[v + 1];
                uint32_t x = type ? MS_EDGE(MS_TYPE, ms_node_type_node(g, v)) : g->to[e], u = MS_EDGE_TARGET(x);
                uint32_t c = type ? MS_COST_LAST : slow_cost(g, t, v, e);
                if (MS_EDGE_KIND(x) == MS_WEAK || u == 0 || u == g->garbage || far[u] != UINT64_MAX)
                    continue;
                c = c == MS_COST_LAST ? MS_COST_MAX : c;
                if (base + c < fresh[u])
                    fresh[u] = base + c;
                any = true;
            }
        }
        if (!any)
            return;
        memcpy(far, fresh, sizeof fresh);
        slow_settle(g, t, far);
    }
}

static void slow_far(const ms_graph *g, const ms_taste *t, uint64_t *far)
{
    memset(far, 0xff, MOST * sizeof *far);
    far[0] = 0;
    slow_settle(g, t, far);
    slow_rounds(g, t, far);
    if (g->garbage) {
        far[g->garbage] = farthest(g, far) + 1;
        slow_settle(g, t, far);
        slow_rounds(g, t, far);
    }
}

static void compare_paths(const ms_graph *g, const ms_taste *taste, const ms_paths *p)
{
    uint64_t far[MOST];
    slow_far(g, taste, far);
    for (uint32_t v = 0; v < g->nodes; v++) {
        uint32_t node[MOST + 1], edge[MOST + 1], n = ms_path(p, v, MOST + 1, node, edge);
        EXPECT_EQ(n > 0, far[v] != UINT64_MAX);
        if (n == 0 || n > MOST)
            continue;
        EXPECT(node[0] == 0 && node[n - 1] == v && edge[0] == MS_NONE);
        for (uint32_t i = 1; i < n; i++) {
            uint32_t from = node[i - 1], u = node[i], e = edge[i];
            if (e == MS_EDGE_TO_TYPE) {
                EXPECT_EQ(ms_node_type_node(g, from), u);
            } else if (e == MS_NONE) {
                EXPECT(from == 0 && u == g->garbage);
            } else {
                EXPECT(e >= g->first[from] && e < g->first[from + 1]);
                EXPECT_EQ(MS_EDGE_TARGET(g->to[e]), u);
                EXPECT(MS_EDGE_KIND(g->to[e]) != MS_WEAK);
                if (MS_EDGE_KIND(g->to[e]) == MS_NORMAL && slow_cost(g, taste, from, e) != MS_COST_LAST && u != g->garbage)
                    EXPECT_EQ(far[from] + slow_cost(g, taste, from, e), far[u]);
            }
            EXPECT(far[from] < far[u]);
        }
        uint32_t last[2], by[2];
        EXPECT_EQ(ms_path(p, v, 2, last, by), n);
        EXPECT(last[n > 1] == v && by[n > 1] == edge[n - 1] && (n < 3 || last[0] == node[n - 2]));
    }
}

typedef struct {
    uint64_t key;
    uint32_t type;
} hop;

static uint64_t coarse_key(void *arg, uint32_t from, uint32_t edge)
{
    const ms_graph *g = arg;
    return edge >= g->edges ? 99 : (edge - g->first[from]) % 2;
}

static uint32_t slow_route(const ms_graph *g, const ms_paths *p, bool coarse, uint32_t v, hop *out, bool *folded)
{
    *folded = false;
    uint32_t node[MOST + 1], edge[MOST + 1], n = ms_path(p, v, MOST + 1, node, edge), depth = 0;
    for (uint32_t i = 1; i < n; i++) {
        hop h = {coarse ? coarse_key((void *)g, node[i - 1], edge[i]) : edge[i] < g->edges ? edge[i] - g->first[node[i - 1]] : edge[i],
                 ms_node_type(g, node[i])};
        uint32_t k = depth;
        while (k > 0 && k + 4 > depth && !(out[k - 1].key == h.key && out[k - 1].type == h.type))
            k--;
        *folded = k > 0 && k + 4 > depth;
        if (*folded)
            depth = k;
        else
            out[depth++] = h;
    }
    return depth;
}

static void compare_routes(const ms_graph *g, const ms_paths *p, bool coarse, const uint32_t *target, uint32_t targets, const ms_routes *r)
{
    bool on_path[MOST] = {false};
    uint32_t lost = 0, total = 0, nodes[MOST + 1] = {0}, folds[MOST + 1] = {0};
    bool folded;
    for (uint32_t i = 0; i < (target ? targets : g->nodes); i++) {
        uint32_t v = target ? target[i] : i, node[MOST + 1], edge[MOST + 1], n = ms_path(p, v, MOST + 1, node, edge);
        lost += n == 0;
        total += n > 0;
        for (uint32_t k = 0; k < n; k++)
            on_path[node[k]] = true;
    }
    EXPECT_EQ(r->lost, lost);
    EXPECT_EQ(r->row[0].targets, total);
    for (uint32_t v = 0; v < g->nodes; v++) {
        EXPECT_EQ(ms_sparse_get(&r->of, v) != 0, on_path[v] || v == 0);
        if (ms_sparse_get(&r->of, v) == 0)
            continue;
        hop want[MOST + 1];
        uint32_t n = slow_route(g, p, coarse, v, want, &folded), row = ms_sparse_get(&r->of, v) - 1;
        nodes[row]++;
        folds[row] += folded;
        EXPECT_EQ(r->row[row].depth, n);
        for (uint32_t i = n; i-- > 0; row = r->row[row].parent)
            EXPECT(row != MS_NONE && r->row[row].key == want[i].key && r->row[row].type == want[i].type);
        EXPECT_EQ(row, 0);
    }
    for (uint32_t i = 0; i < r->n; i++) {
        uint32_t below = r->row[i].own_targets;
        EXPECT_EQ(r->row[i].nodes, nodes[i]);
        EXPECT_EQ(r->row[i].folded, folds[i]);
        EXPECT_EQ(ms_sparse_get(&r->of, r->row[i].node), i + 1);
        for (uint32_t k = i + 1; k < r->n; k++) {
            below += r->row[k].parent == i ? r->row[k].targets : 0;
            EXPECT(!(r->row[k].parent == r->row[i].parent && r->row[k].key == r->row[i].key && r->row[k].type == r->row[i].type));
            EXPECT(r->row[k].hash != r->row[i].hash);
        }
        EXPECT_EQ(r->row[i].targets, below);
    }
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < (target ? targets : g->nodes); i++)
        bytes += ms_sparse_get(&r->of, target ? target[i] : i) != 0 ? ms_node_bytes(g, target ? target[i] : i, MS_ALLOCATED) : 0;
    EXPECT_EQ(r->row[0].bytes[MS_ALLOCATED], bytes);
}

static void test_paths_and_routes(void)
{
    for (int round = 0; round < 2500 && test_failures == 0; round++) {
        made m;
        static made_taste t;
        make(&m, round % 3 ? 12 : MOST);
        const ms_taste *taste = taste_make(&t, &m.g);
        ms_paths *p = NULL;
        EXPECT_EQ(ms_paths_new(&m.g, taste, &p), MS_OK);
        if (p == NULL)
            break;
        compare_paths(&m.g, taste, p);
        uint32_t target[MOST], targets = 0;
        bool all = test_below(3) == 0, coarse = test_below(2);
        for (uint32_t v = 0; v < m.g.nodes; v++)
            if (test_below(3) == 0)
                target[targets++] = v;
        ms_routes *r = NULL;
        EXPECT_EQ(ms_routes_new(p, all ? NULL : target, targets, coarse ? coarse_key : NULL, &m.g, NULL, 0, &r), MS_OK);
        if (r)
            compare_routes(&m.g, p, coarse, all ? NULL : target, targets, r);
        ms_routes_delete(r);
        EXPECT_EQ(ms_routes_new(p, all ? NULL : target, targets, NULL, NULL, NULL, 3, &r), MS_OK);
        EXPECT(r && r->n <= 3);
        ms_routes_delete(r);
        ms_paths_delete(p);
        if (taste) {
            t.manner[0].first = t.taste.costs - t.manner[0].count + 1;
            EXPECT_EQ(ms_paths_new(&m.g, taste, &p), MS_EINVAL);
        }
        made_free(&m);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

/* ---- what if -------------------------------------------------------------------------------------------------------------- */

static void slow_there(const ms_graph *g, const bool *cut_edge, const bool *cut_node, bool *there)
{
    memset(there, 0, MOST);
    there[0] = true;
    for (int rule = 1; rule <= 3; rule++)
        for (;;) {
            bool batch[MOST] = {false}, any = false;
            for (uint32_t v = 0; v < g->nodes; v++) {
                uint32_t type = ms_node_type_node(g, v);
                if (there[v] && rule == 2 && type && !there[type])
                    batch[type] = any = true;
                for (uint32_t e = g->first[v]; there[v] && !cut_node[v] && e < g->first[v + 1]; e++) {
                    uint32_t t = MS_EDGE_TARGET(g->to[e]), kind = MS_EDGE_KIND(g->to[e]);
                    if (t != 0 && t != g->garbage && !cut_edge[e] && !there[t] && (kind == MS_NORMAL || (kind == MS_GLOBALS && rule == 2)))
                        batch[t] = any = true;
                }
            }
            if (rule == 3 && g->garbage && !there[g->garbage])
                batch[g->garbage] = any = true;
            for (uint32_t v = 0; v < g->nodes; v++)
                there[v] |= batch[v];
            if (!any)
                break;
        }
}

static void test_freed(void)
{
    for (int round = 0; round < 3000 && test_failures == 0; round++) {
        made m;
        make(&m, round % 3 ? 12 : MOST);
        const ms_graph *g = &m.g;
        static bool cut_edge[1 << 16], none[1 << 16];
        bool cut_node[MOST] = {false}, before[MOST], after[MOST];
        uint32_t edge[64], edges = 0, node[8], nodes = 0;
        memset(cut_edge, 0, sizeof cut_edge);
        for (; g->edges && edges < 64 && test_below(4); cut_edge[edge[edges++]] = true)
            edge[edges] = (uint32_t)test_below(g->edges);
        for (; nodes < 8 && test_below(3) == 0; cut_node[node[nodes++]] = true)
            node[nodes] = (uint32_t)test_below(g->nodes);
        slow_there(g, none, none, before);
        slow_there(g, cut_edge, cut_node, after);
        uint64_t bits[2] = {0}, want = 0, bytes = 0;
        ms_freed freed;
        EXPECT_EQ(ms_freed_by(g, edge, edges, node, nodes, bits, &freed), MS_OK);
        for (uint32_t v = 0; v < g->nodes; v++) {
            bool gone = before[v] && !after[v];
            want += gone;
            bytes += gone ? ms_node_bytes(g, v, MS_ALLOCATED) : 0;
            EXPECT_EQ(bits[v >> 6] >> (v & 63) & 1, gone);
        }
        EXPECT_EQ(freed.nodes, want);
        EXPECT_EQ(freed.bytes[MS_ALLOCATED], bytes);
        uint32_t beyond = g->edges;
        EXPECT_EQ(ms_freed_by(g, &beyond, 1, NULL, 0, NULL, &freed), MS_EINVAL);
        made_free(&m);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

/* Where all is held by NORMAL edges, cutting what leads to a node frees what it retains: two ways to one number. */
static void test_freed_is_retained(void)
{
    for (int round = 0; round < 300 && test_failures == 0; round++) {
        made m;
        make(&m, MOST);
        m.g.type_node = NULL;
        m.g.garbage = 0;
        for (uint32_t e = 0; e < m.g.edges; e++)
            m.to[e] = MS_EDGE_TARGET(m.to[e]);
        ms_analysis *a = NULL;
        EXPECT_EQ(ms_analysis_new(&m.g, 0, &a), MS_OK);
        for (uint32_t v = 1; a && a->sources == 0 && v < m.g.nodes; v++) {
            uint32_t edge[m.g.edges + 1], n = 0;
            for (uint32_t e = 0; e < m.g.edges; e++)
                if (MS_EDGE_TARGET(m.to[e]) == v)
                    edge[n++] = e;
            uint64_t retained = ms_node_bytes(&m.g, v, MS_SAID);
            for (uint32_t i = 0; i < a->heavies; i++)
                if (a->heavy[i] == v)
                    retained = a->retained[MS_SAID][i];
            ms_freed freed;
            EXPECT_EQ(ms_freed_by(&m.g, edge, n, NULL, 0, NULL, &freed), MS_OK);
            EXPECT_EQ(freed.bytes[MS_SAID], retained);
        }
        ms_analysis_delete(a);
        made_free(&m);
    }
}

/* ---- cycles --------------------------------------------------------------------------------------------------------------- */

/* Is there a circle among the edges of these members that are not cut? */
static bool circle_left(const ms_graph *g, const uint32_t *node, uint32_t n, const bool *cut)
{
    bool gone[MOST] = {false};
    for (bool any = true; any;) {
        any = false;
        for (uint32_t i = 0; i < n; i++) {
            bool leads_on = false;
            for (uint32_t e = g->first[node[i]]; e < g->first[node[i] + 1]; e++)
                leads_on |= is_normal(g, node[i], e) && !cut[e] && in_list(node, n, g->to[e]) && !gone[g->to[e]];
            if (!gone[node[i]] && !leads_on)
                gone[node[i]] = any = true;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        if (!gone[node[i]])
            return true;
    return false;
}

static void compare_cut(const ms_graph *g, const ms_cycles *cycles, uint32_t c, const slow *s, const ms_cut *cut, uint32_t n)
{
    const uint32_t *node = cycles->node + cycles->first[c], members = cycles->first[c + 1] - cycles->first[c];
    static bool is_cut[1 << 16];
    memset(is_cut, 0, sizeof is_cut);
    EXPECT(n > 0);
    for (uint32_t i = 0; i < n; i++)
        is_cut[cut[i].edge] = true;
    EXPECT(!circle_left(g, node, members, is_cut));
    for (uint32_t i = 0; i < n; i++) {
        is_cut[cut[i].edge] = false;
        EXPECT(circle_left(g, node, members, is_cut));
        is_cut[cut[i].edge] = true;
        uint32_t fan_in = 0;
        for (uint32_t k = 0; k < members; k++)
            for (uint32_t e = g->first[node[k]]; e < g->first[node[k] + 1]; e++)
                fan_in += is_normal(g, node[k], e) && g->to[e] == cut[i].to;
        EXPECT_EQ(cut[i].fan_in, fan_in);
        EXPECT_EQ(cut[i].from, ms_edge_owner(g, cut[i].edge));
        EXPECT_EQ(cut[i].to, g->to[cut[i].edge]);
        EXPECT_EQ(cut[i].to_owner, s->dominates[cut[i].to][cut[i].from]);
        if (i > 0)
            EXPECT(cut[i - 1].to_owner > cut[i].to_owner || (cut[i - 1].to_owner == cut[i].to_owner && cut[i - 1].fan_in <= cut[i].fan_in));
    }
    for (uint32_t k = 0; k < members; k++) /* each reference to an owner is among them */
        for (uint32_t e = g->first[node[k]]; e < g->first[node[k] + 1]; e++)
            if (is_normal(g, node[k], e) && in_list(node, members, g->to[e]) && s->dominates[g->to[e]][node[k]])
                EXPECT(is_cut[e]);
}

static void compare_loop(const ms_graph *g, const ms_cycles *cycles, uint32_t c, uint32_t through)
{
    uint32_t out[MOST + 1], n = 0, short_out[2] = {MS_NONE, MS_NONE}, again;
    EXPECT_EQ(ms_cycle_loop(g, cycles, c, through, MOST + 1, out, &n), MS_OK);
    EXPECT(n > 0 && n <= MOST);
    if (n == 0 || n > MOST)
        return;
    EXPECT(through == MS_NONE || out[0] == through);
    for (uint32_t i = 0; i < n; i++) {
        EXPECT(is_normal(g, ms_edge_owner(g, out[i]), out[i]));
        EXPECT_EQ(g->to[out[i]], ms_edge_owner(g, out[(i + 1) % n]));
    }
    uint64_t far[MOST], from = ms_edge_owner(g, out[0]); /* no shorter way back */
    memset(far, 0xff, sizeof far);
    far[g->to[out[0]]] = 0;
    slow_settle(g, NULL, far);
    EXPECT_EQ(far[from] + 1, n);
    EXPECT_EQ(ms_cycle_loop(g, cycles, c, out[0], 2, short_out, &again), MS_OK);
    EXPECT(again == n && short_out[0] == out[0] && (n < 2 || short_out[1] != MS_NONE));
}

static void test_cycles(void)
{
    for (int round = 0; round < 3000 && test_failures == 0; round++) {
        made m;
        static slow s;
        make(&m, round % 3 ? 12 : MOST);
        memset(&s, 0, sizeof s);
        slow_rules(&s, &m.g);
        slow_dominators(&s, &m.g);
        ms_analysis *a = NULL;
        EXPECT_EQ(ms_analysis_new(&m.g, 0, &a), MS_OK);
        for (uint32_t c = 0; a && c < a->cycles.n; c++) {
            ms_cut *cut = NULL;
            uint32_t n = 0;
            size_t room = 0;
            EXPECT_EQ(ms_cycle_cut(&m.g, &a->cycles, c, a->idom, &cut, &n, &room), MS_OK);
            compare_cut(&m.g, &a->cycles, c, &s, cut, n);
            if (n)
                compare_loop(&m.g, &a->cycles, c, test_below(2) ? MS_NONE : cut[n - 1].edge);
            ms_sys_free(cut, room);
        }
        if (a) { /* as rows of a file, and limited */
            uint32_t number[MOST], k = 0;
            for (uint32_t c = 0; c < a->cycles.n; c++)
                for (uint32_t i = a->cycles.first[c]; i < a->cycles.first[c + 1]; i++)
                    number[k++] = c;
            ms_cycles *again = NULL;
            EXPECT_EQ(ms_cycles_of(&m.g, a->cycles.node, number, k, &again), MS_OK);
            EXPECT(again && again->n == a->cycles.n && again->members == k &&
                   memcmp(again->first, a->cycles.first, (again->n + 1) * sizeof *again->first) == 0 &&
                   memcmp(again->bytes, a->cycles.bytes, again->n * sizeof *again->bytes) == 0);
            ms_cycles_delete(again);
            if (k > 0) {
                number[k - 1] += 2;
                EXPECT_EQ(ms_cycles_of(&m.g, a->cycles.node, number, k, &again), MS_EDAMAGED);
            }
            ms_analysis *less = NULL;
            uint32_t limit = 1 + (uint32_t)test_below(MOST), keep = 0;
            EXPECT_EQ(ms_analysis_new(&m.g, limit, &less), MS_OK);
            while (keep < a->cycles.n && a->cycles.first[keep + 1] <= limit)
                keep++;
            EXPECT(less && less->cycles.n == keep && less->cycles.members == a->cycles.first[keep]);
            ms_analysis_delete(less);
        }
        ms_analysis_delete(a);
        made_free(&m);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

/* A ring of 200,000 that all refer to the first, too: its cut is those references and the last link. */
static void test_large_cycle(void)
{
    enum { N = 200000 };
    uint32_t *first = malloc((N + 2) * sizeof *first), *to = malloc((2 * N + 2) * sizeof *to), e = 0, n, loop[4], length;
    first[0] = 0;
    to[e++] = 1;
    for (uint32_t v = 1; v <= N; v++) {
        first[v] = e;
        to[e++] = v < N ? v + 1 : 1;
        to[e++] = 1;
    }
    first[N + 1] = e;
    ms_graph g = {.nodes = N + 1, .edges = e, .first = first, .to = to};
    ms_analysis *a = NULL;
    ms_cut *cut = NULL;
    size_t room = 0;
    EXPECT_EQ(ms_analysis_new(&g, 0, &a), MS_OK);
    EXPECT(a && a->cycles.n == 1 && a->cycles.members == N);
    EXPECT_EQ(ms_cycle_cut(&g, &a->cycles, 0, a->idom, &cut, &n, &room), MS_OK);
    EXPECT_EQ(n, N + 1);
    EXPECT(n && cut[0].to == 1 && cut[0].to_owner && cut[0].fan_in == N + 1);
    EXPECT_EQ(ms_cycle_loop(&g, &a->cycles, 0, to[1] == 2 ? 1 : 0, 4, loop, &length), MS_OK);
    EXPECT_EQ(length, 2);
    ms_sys_free(cut, room);
    ms_analysis_delete(a);
    free(first);
    free(to);
}

/* ---- no memory -------------------------------------------------------------------------------------------------------------- */

#define EVERY_FAILURE(call, result, undo)                                \
    do {                                                                 \
        ms_err err_ = MS_ENOMEM;                                         \
        for (long n_ = 0; err_ != MS_OK && n_ < 100; n_++) {             \
            long live_ = ms_sys_live();                                  \
            ms_sys_fail_after(n_);                                       \
            err_ = (call);                                               \
            ms_sys_fail_after(-1);                                       \
            EXPECT(err_ == MS_OK || (err_ == MS_ENOMEM && !(result)));   \
            if (err_ != MS_OK)                                           \
                EXPECT_EQ(ms_sys_live(), live_);                         \
        }                                                                \
        EXPECT_EQ(err_, MS_OK);                                          \
        undo;                                                            \
    } while (0)

static void test_every_failed_allocation(void)
{
    for (int round = 0; round < 8; round++) {
        made m = {0};
        do {
            made_free(&m);
            make(&m, MOST);
        } while (m.g.nodes < 30 || m.g.edges < 30);
        const ms_graph *g = &m.g;
        uint32_t edge = 0;
        ms_analysis *a = NULL;
        EXPECT_EQ(ms_analysis_new(g, 0, &a), MS_OK);
        if (a == NULL)
            return;
        ms_paths *paths = NULL;
        ms_routes *r = NULL;
        ms_cut *cut = NULL;
        ms_freed freed = {0};
        uint32_t n = 0;
        size_t room = 0;
        EVERY_FAILURE(ms_paths_new(g, NULL, &paths), paths, );
        EVERY_FAILURE(ms_routes_new(paths, NULL, 0, NULL, NULL, NULL, 0, &r), r, );
        EVERY_FAILURE(ms_freed_by(g, &edge, 1, NULL, 0, NULL, &freed), freed.nodes, );
        if (a->cycles.n) {
            uint32_t loop[4];
            EVERY_FAILURE(ms_cycle_cut(g, &a->cycles, 0, a->idom, &cut, &n, &room), cut, ms_sys_free(cut, room));
            n = 0;
            EVERY_FAILURE(ms_cycle_loop(g, &a->cycles, 0, MS_NONE, 4, loop, &n), n, );
        }
        ms_routes_delete(r);
        ms_paths_delete(paths);
        ms_analysis_delete(a);
        made_free(&m);
        EXPECT_EQ(ms_sys_live(), 0);
    }
}

int main(void)
{
    RUN(test_arrays);
    RUN(test_check_names_what_is_wrong);
    RUN(test_analysis_is_what_the_slow_one_finds);
    RUN(test_analysis_survives_every_failed_allocation);
    RUN(test_long_chains);
    RUN(test_long_chain_of_shared_values);
    RUN(test_paths_and_routes);
    RUN(test_freed);
    RUN(test_freed_is_retained);
    RUN(test_cycles);
    RUN(test_large_cycle);
    RUN(test_every_failed_allocation);
    return test_end();
}
