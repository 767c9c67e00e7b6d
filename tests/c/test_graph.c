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
    uint32_t odd = (uint32_t)test_below(3) ? 0 : 2 + (uint32_t)test_below(6); /* one edge in so many is of another kind */
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

static void test_long_chains(void)
{
    chain(1000000, 0);
    chain(1000000, 1);
    chain(1000000, 500000);
}

int main(void)
{
    RUN(test_analysis_is_what_the_slow_one_finds);
    RUN(test_analysis_survives_every_failed_allocation);
    RUN(test_long_chains);
    return test_end();
}
