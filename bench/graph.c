/* graph.c -- how long the analysis of a heap of ten million objects takes, in allocation order and shuffled.
 *
 *     bench_graph [ROUNDS [NODES]]        built with -Dtests=true; defaults 5 and 10,000,000
 *
 * A made-up heap, with the proportions of a program that keeps records: lists of strings, a dict of instances with keys
 * and values of their own and shared ones, tuples, objects that two lists hold, a linked list, pairs that hold each other
 * (live, and as garbage). 1.25 references an object; seven objects in ten are leaves with one owner. Shuffled: the same
 * objects, each at an address by chance. The rounds of both orders are interleaved; the least CPU time of each is what is
 * said (with its page faults; it is one thread), beside that of ms_graph_check(), two passes over the arrays. */
#include "graph/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *room(size_t size)
{
    void *p = ms_sys_alloc(size);
    if (p == NULL) {
        fprintf(stderr, "no memory for %zu bytes\n", size);
        exit(1);
    }
    madvise(p, size, MADV_HUGEPAGE);
    return p;
}

static uint64_t state = 88172645463325252u;
static uint32_t below(uint32_t n) /* xorshift */
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state >> 32) * n >> 32);
}

/* A heap under construction: nodes in order of their birth, edges as pairs. */
typedef struct {
    uint32_t nodes, edges, edge_room;
    uint32_t *from, *to;
    uint16_t *shape;
} heap;

static uint32_t born(heap *h, uint16_t shape)
{
    h->shape[h->nodes] = shape;
    return h->nodes++;
}

static void refer(heap *h, uint32_t from, uint32_t to)
{
    if (h->edges == h->edge_room)
        exit(2);
    h->from[h->edges] = from;
    h->to[h->edges++] = to;
}

enum { ROOT, MODULE, LIST, DICT, STR, INT, TUPLE, INSTANCE, NODE, PSEUDO, SHAPES };

static void fill(heap *h, uint32_t target)
{
    uint32_t part = target / 100, shared[300], module[200];
    uint32_t root = born(h, ROOT);
    for (int i = 0; i < 200; i++)
        refer(h, root, module[i] = born(h, MODULE));
    for (int i = 0; i < 300; i++)
        refer(h, module[below(200)], shared[i] = born(h, i % 2 ? STR : INT));

    uint32_t strings = born(h, LIST);
    refer(h, module[0], strings);
    for (uint32_t i = 0; i < 36 * part; i++)
        refer(h, strings, born(h, STR));

    uint32_t records = born(h, DICT);
    refer(h, module[1], records);
    for (uint32_t i = 0; i < 7 * part; i++) {
        uint32_t key = born(h, STR), name = born(h, STR), price = born(h, INT), it = born(h, INSTANCE);
        refer(h, records, key);
        refer(h, records, it);
        refer(h, it, name);
        refer(h, it, price);
        refer(h, it, shared[below(300)]);
    }
    uint32_t rows = born(h, LIST);
    refer(h, module[2], rows);
    for (uint32_t i = 0; i < 6 * part; i++) {
        uint32_t a = born(h, STR), b = born(h, INT), t = born(h, TUPLE);
        refer(h, rows, t);
        refer(h, t, a);
        refer(h, t, b);
        refer(h, t, shared[below(300)]);
    }
    uint32_t left = born(h, LIST), right = born(h, LIST);
    refer(h, module[3], left);
    refer(h, module[4], right);
    for (uint32_t i = 0; i < 6 * part; i++) {
        uint32_t s = born(h, i % 3 ? STR : TUPLE);
        refer(h, left, s);
        refer(h, right, s);
    }
    uint32_t before = module[5];
    for (uint32_t i = 0; i < part; i++) {
        uint32_t value = born(h, INT), link = born(h, NODE);
        refer(h, before, link);
        refer(h, link, value);
        refer(h, link, shared[0]);
        before = link;
    }
    uint32_t pairs = born(h, LIST);
    refer(h, module[6], pairs);
    for (uint32_t i = 0; i < 2 * part; i++) {
        uint32_t a = born(h, NODE), b = born(h, NODE);
        refer(h, pairs, a);
        refer(h, a, b);
        refer(h, b, a);
        refer(h, a, born(h, STR));
        refer(h, b, born(h, STR));
    }
    for (uint32_t i = 0; i < 2 * part / 3; i++) { /* nobody's */
        uint32_t a = born(h, NODE), b = born(h, NODE), c = born(h, NODE);
        refer(h, a, b);
        refer(h, b, c);
        refer(h, c, a);
        refer(h, c, shared[1]);
    }
    refer(h, root, born(h, PSEUDO));
}

static const uint64_t shape_said[SHAPES] = {0, 72, 56, 64, 60, 28, 64, 56, 48, 0}, shape_allocated[SHAPES] = {0, 80, 64, 240, 64, 32, 72, 112, 48, 0};

static ms_graph graph_of(const heap *h, bool shuffled)
{
    uint32_t n = h->nodes, *name = room((size_t)n * sizeof *name), *first = room(((size_t)n + 1) * sizeof *first),
             *to = room((size_t)h->edges * sizeof *to);
    uint16_t *shape = room((size_t)n * sizeof *shape);
    for (uint32_t v = 0; v < n; v++)
        name[v] = v;
    for (uint32_t v = n - 2; shuffled && v > 1; v--) { /* the root and the pseudo node stay where they are */
        uint32_t u = 1 + below(v), x = name[v];
        name[v] = name[u];
        name[u] = x;
    }
    for (uint32_t v = 0; v < n; v++)
        shape[name[v]] = h->shape[v];
    for (uint32_t e = 0; e < h->edges; e++)
        first[name[h->from[e]]]++;
    for (uint32_t v = 0, sum = 0; v <= n; v++) {
        uint32_t d = v < n ? first[v] : 0;
        first[v] = sum;
        sum += d;
    }
    for (uint32_t e = 0; e < h->edges; e++)
        to[first[name[h->from[e]]]++] = MS_EDGE(MS_NORMAL, name[h->to[e]]);
    for (uint32_t v = n; v > 0; v--)
        first[v] = first[v - 1];
    first[0] = 0;
    ms_sys_free(name, (size_t)n * sizeof *name);
    return (ms_graph){.nodes = n, .edges = h->edges, .first = first, .to = to, .garbage = n - 1, .shape = shape, .shape_wide = 2,
                      .shapes = SHAPES, .shape_bytes = {shape_said, shape_allocated}};
}

/* The questions of a reader, one after the other: seconds of CPU each, the least so far. */
enum { PATHS, ROUTES, FREED, QUESTIONS };
static const char *const question[QUESTIONS] = {"paths", "all paths merged", "freed by a cut"};

static uint64_t same_key(void *arg, uint32_t from, uint32_t edge)
{
    (void)arg, (void)edge;
    return from == 0; /* any place among the holder's is as good */
}

static void ask(const ms_graph *g, double *least)
{
    double at[QUESTIONS + 1];
    uint32_t edge = g->first[1];
    ms_paths *paths;
    ms_routes *routes;
    ms_freed freed;
    at[0] = now();
    bool right = ms_paths_new(g, NULL, &paths) == MS_OK;
    at[1] = now();
    right = right && ms_routes_new(paths, NULL, 0, same_key, NULL, NULL, 0, &routes) == MS_OK;
    at[2] = now();
    right = right && ms_freed_by(g, &edge, 1, NULL, 0, NULL, &freed) == MS_OK;
    at[3] = now();
    if (!right)
        exit(3);
    for (int i = 0; i < QUESTIONS; i++)
        if (least[i] == 0 || at[i + 1] - at[i] < least[i])
            least[i] = at[i + 1] - at[i];
    ms_routes_delete(routes);
    ms_paths_delete(paths);
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    uint32_t target = argc > 2 ? (uint32_t)atol(argv[2]) : 10000000;
    heap h = {.edge_room = target / 2 * 3 + 1000};
    h.from = room((size_t)h.edge_room * 4);
    h.to = room((size_t)h.edge_room * 4);
    h.shape = room(((size_t)target * 3 / 2 + 1000) * 2);
    fill(&h, target);
    ms_graph g[2] = {graph_of(&h, false), graph_of(&h, true)};
    ms_sys_free(h.from, (size_t)h.edge_room * 4);
    ms_sys_free(h.to, (size_t)h.edge_room * 4);
    ms_sys_free(h.shape, ((size_t)target * 3 / 2 + 1000) * 2);
    printf("%u nodes, %u edges\n", g[0].nodes, g[0].edges);

    double least[2] = {1e9, 1e9}, most[2] = {0}, pass[2] = {1e9, 1e9};
    double answer[2][QUESTIONS] = {{0}};
    uint64_t kept_total[2] = {0};
    for (int r = 0; r < rounds; r++)
        for (int k = 0; k < 2; k++) {
            double t = now();
            const char *wrong = ms_graph_check(&g[k]);
            double checked = now();
            ms_analysis *a;
            if (wrong || ms_analysis_new(&g[k], 0, &a) != MS_OK) {
                fprintf(stderr, "failed: %s\n", wrong ? wrong : "analysis");
                return 1;
            }
            double end = now();
            if (checked - t < pass[k])
                pass[k] = checked - t;
            least[k] = end - checked < least[k] ? end - checked : least[k];
            most[k] = end - checked > most[k] ? end - checked : most[k];
            uint64_t total = a->heavies * 31u + a->cycles.n * 7u + a->garbage_nodes + a->retained[MS_ALLOCATED][0];
            if (r && total != kept_total[k])
                return 1;
            kept_total[k] = total;
            if (r == 0)
                printf("%s: %u dominate others, %u cycles, %u garbage nodes, %.1f bytes a node at most\n", k ? "shuffled" : "ordered ",
                       a->heavies, a->cycles.n, a->garbage_nodes, (double)a->peak_bytes / g[k].nodes);
            if (r < 3)
                ask(&g[k], answer[k]);
            ms_analysis_delete(a);
        }
    if (kept_total[0] != kept_total[1])
        return 1; /* the same heap */
    for (int k = 0; k < 2; k++)
        printf("%s: analysis %.3f s at least, %.3f at most of %d; one check of the arrays %.3f s\n", k ? "shuffled" : "ordered ", least[k],
               most[k], rounds, pass[k]);
    for (int i = 0; i < QUESTIONS; i++)
        printf("%-20s ordered %.3f s, shuffled %.3f s\n", question[i], answer[0][i], answer[1][i]);
    return 0;
}
