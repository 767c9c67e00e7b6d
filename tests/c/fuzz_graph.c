/* fuzz_graph.c -- any numbers in the arrays of a graph, as a made-up file may have them: ms_graph_check() may refuse
 * them; what it lets pass, everything else must survive, and dominators and cycles of one's own invention, too.
 *
 *     fuzz_graph SECONDS
 *
 * Arrays are exactly as long as they say, so that a sanitizer sees a step beyond. */
#include "graph/graph.h"
#include "test.h"

enum { MOST = 48 };
static unsigned long long sound, runs;

/* n numbers, mostly below `below`, some odd ones. */
static uint32_t *numbers(uint32_t n, uint32_t below, bool rising)
{
    static const uint32_t odd[] = {0, 1, 2, 0x3ffffffe, 0x3fffffff, 0x40000000, 0x7fffffff, 0x80000000, 0xc0000001, UINT32_MAX - 1, UINT32_MAX};
    uint32_t *x = malloc(n ? n * sizeof *x : 1), last = 0;
    bool clean = test_below(4) != 0;
    for (uint32_t i = 0; i < n; i++) {
        x[i] = (uint32_t)test_below(below ? below : 1);
        if (rising && x[i] < last)
            x[i] = last;
        if (!clean && test_below(12) == 0)
            x[i] = odd[test_below(sizeof odd / sizeof *odd)];
        last = x[i];
    }
    return x;
}

static void use_cycles(const ms_graph *g, const ms_cycles *s, const uint32_t *idom)
{
    for (uint32_t c = 0; c < s->n; c++) {
        ms_cut *cut;
        uint32_t n, loop[4], length;
        size_t room;
        if (ms_cycle_cut(g, s, c, idom, &cut, &n, &room) == MS_OK) {
            for (uint32_t i = 0; i < n; i++)
                EXPECT(cut[i].edge < g->edges && cut[i].from < g->nodes && cut[i].to < g->nodes);
            ms_sys_free(cut, room);
        }
        (void)ms_cycle_loop(g, s, c, test_below(2) ? MS_NONE : (uint32_t)test_below(g->edges + 2), 4, loop, &length);
    }
}

static void use(const ms_graph *g)
{
    ms_analysis *a = NULL;
    ms_paths *paths = NULL;
    ms_cycles *c = NULL;
    ms_freed freed;
    uint32_t cut[3] = {(uint32_t)test_below(g->edges + 1), (uint32_t)test_below(g->nodes + 1), 0};
    uint32_t *idom = numbers(g->nodes, g->nodes, false), *rows = numbers(g->nodes, g->nodes, true), *group = numbers(g->nodes, 3, true);
    if (test_below(2))
        for (uint32_t v = 0; v < g->nodes; v++)
            idom[v] = v ? idom[v] % v : 0; /* a tree, but perhaps not that one */

    EXPECT_EQ(ms_analysis_new(g, (uint32_t)test_below(20), &a), MS_OK);
    if (a) {
        const char *wrong = ms_analysis_check(g, a);
        EXPECT_STR(wrong ? wrong : "sound", "sound");
        use_cycles(g, &a->cycles, test_below(2) ? idom : a->idom);
    }
    if (ms_cycles_of(g, rows, group, test_below(g->nodes + 1), &c) == MS_OK)
        use_cycles(g, c, idom);
    ms_cycles_delete(c);
    (void)ms_freed_by(g, cut, 1, cut + 1, 1, NULL, &freed);

    uint32_t kinds = g->shape_wide ? g->shapes : 1, costs = (uint32_t)test_below(9), groups = (uint32_t)test_below(g->nodes + 1);
    kinds += groups ? g->nodes - groups + 1 : 0;
    ms_manner *manner = malloc(kinds * sizeof *manner);
    uint8_t *cost = malloc(costs + 1);
    for (uint32_t i = 0; i < kinds; i++)
        manner[i] = (ms_manner){(uint32_t)test_below(6), (uint32_t)test_below(4), (uint8_t)test_random()};
    for (uint32_t i = 0; i <= costs; i++)
        cost[i] = (uint8_t)test_random();
    const ms_taste taste = {manner, cost, costs, groups};
    if (ms_paths_new(g, test_below(2) ? &taste : NULL, &paths) == MS_OK) {
        ms_routes *r = NULL;
        uint32_t node[3], edge[3];
        EXPECT_EQ(ms_routes_new(paths, NULL, 0, NULL, NULL, NULL, (uint32_t)test_below(9), &r), MS_OK);
        (void)ms_path(paths, (uint32_t)test_below(g->nodes), 3, node, edge);
        ms_routes_delete(r);
        ms_paths_delete(paths);
    }
    ms_analysis_delete(a);
    free(manner);
    free(cost);
    free(idom);
    free(rows);
    free(group);
}

static void run(void)
{
    uint32_t nodes = (uint32_t)test_below(MOST), edges = (uint32_t)test_below(3 * MOST), shapes = (uint32_t)test_below(5), types = (uint32_t)test_below(5);
    uint32_t *first = numbers(nodes + 1, edges + 1, true), *to = numbers(edges, nodes, false), *shape = numbers(nodes, shapes, false);
    uint32_t *shape_type = numbers(shapes, types, false), *type_node = numbers(types, nodes, false);
    uint64_t *bytes = malloc((nodes + shapes + 1) * sizeof *bytes);
    for (uint32_t i = 0; i < nodes + shapes; i++)
        bytes[i] = test_below(3) ? test_below(100) : test_random();
    if (test_below(8)) {
        first[0] = 0;
        first[nodes] = edges;
    }
    for (uint32_t i = 0; i < edges; i++)
        to[i] |= test_below(6) ? 0 : (uint32_t)test_below(4) << 30;
    ms_graph g = {.nodes = nodes, .edges = edges, .first = first, .to = to, .garbage = test_below(2) && nodes ? nodes - 1 : (uint32_t)test_below(4)};
    if (test_below(3)) {
        g.shape = shape;
        g.shape_wide = 4;
        g.shapes = shapes;
        g.types = types;
        g.shape_bytes[0] = g.shape_bytes[1] = bytes;
        g.shape_type = test_below(4) ? shape_type : NULL;
        g.type_node = test_below(4) ? type_node : NULL;
    } else if (test_below(2)) {
        g.bytes[0] = g.bytes[1] = bytes;
    }
    runs++;
    if (ms_graph_check(&g) == NULL) {
        sound++;
        use(&g);
    }
    free(first);
    free(to);
    free(shape);
    free(shape_type);
    free(type_node);
    free(bytes);
    EXPECT_EQ(ms_sys_live(), 0);
}

int main(int argc, char **argv)
{
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 2);
    test_name = "fuzz_graph";
    while (test_failures == 0 && time(NULL) < end)
        for (int i = 0; i < 100 && test_failures == 0; i++)
            run();
    EXPECT(sound > runs / 20);
    printf("%llu graphs, %llu of them sound, %u failures; seed %llu\n", runs, sound, test_failures, (unsigned long long)test_seed);
    return test_end();
}
