/* test_snap.c -- a snapshot file as arrays: opening, every failed allocation, files without some tables, the figures of
 * tests/data/snap-v1.memsure (made by tests/py/synthetic_snapshot.py: the shop with 40 products), which must stay readable. */
#include "graph/answer.h"
#include "ready_copy.h"
#include "test.h"

static const char *golden;

static ms_file *file_open(void)
{
    ms_why why;
    ms_file *f = NULL;
    if (ms_file_open(golden, &why, &f) != MS_OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    return f;
}

static void test_opening(void)
{
    ms_file *f = file_open();
    ms_snap *s = NULL;
    ms_why why = {{0}};
    EXPECT(ms_snap_there(f, ""));
    EXPECT(!ms_snap_there(f, "exit_"));
    EXPECT_EQ(ms_snap_open(f, "exit_", &why, &s), MS_EINVAL);
    EXPECT_STR(why.text, "it holds no snapshot");
    EXPECT_EQ(ms_snap_open(f, "", &why, &s), MS_OK);
    EXPECT_EQ(s->have, 0);
    EXPECT_EQ(s->nodes, ms_snap_info(s, "nodes", 0));
    EXPECT_EQ(s->objects, ms_snap_info(s, "objects", 0));
    EXPECT_EQ(ms_snap_info(s, "no such key", 7), 7);
    EXPECT_EQ(ms_snap_info(s, "moment", 7), 7); /* no number */
    EXPECT_EQ(ms_snap_text(s, UINT32_MAX).size, 0);
    EXPECT_EQ(ms_snap_need(s, 127, &why), MS_OK);
    EXPECT(ms_snap_check(s) == NULL);
    for (uint32_t v = 1; v <= s->objects; v++) { /* addresses there and back */
        uint32_t found = 0;
        EXPECT(ms_snap_address(s, v) != 0 && ms_snap_find(s, ms_snap_address(s, v), &found));
        EXPECT_EQ(found, v);
    }
    uint32_t none;
    EXPECT(!ms_snap_find(s, 12345, &none));
    EXPECT_EQ(ms_snap_address(s, 0), 0);
    EXPECT_EQ(ms_snap_address(s, s->nodes - 1), 0);
    ms_snap_close(s);
    ms_file_close(f);
    EXPECT_EQ(ms_sys_live(), 0);
}

/* What is in the file as retained equals what follows from its dominators, and its dominators are what follows from its edges. */
static void test_the_file_agrees_with_itself(void)
{
    ms_file *f = file_open();
    ms_snap *s = NULL;
    ms_why why;
    ms_analysis *a = NULL;
    EXPECT_EQ(ms_snap_open(f, "", &why, &s), MS_OK);
    EXPECT_EQ(ms_snap_need(s, 127, &why), MS_OK);
    ms_graph g = ms_snap_graph(s);
    EXPECT(ms_graph_check(&g) == NULL);
    EXPECT_EQ(ms_analysis_new(&g, 0, &a), MS_OK);
    uint64_t all = 0;
    for (uint32_t v = 0; v < s->nodes; v++) {
        EXPECT_EQ(a->idom[v], s->idom[v]);
        all += ms_snap_bytes(s, v);
    }
    EXPECT_EQ(ms_snap_retained(s, 0), all);
    EXPECT_EQ(a->heavies, s->n_holders);
    for (uint32_t i = 0; i < a->heavies && i < s->n_holders; i++) {
        EXPECT_EQ(a->heavy[i], s->holder[i]);
        EXPECT_EQ(a->retained[MS_ALLOCATED][i], s->retained[i]);
        EXPECT_EQ(a->retained[MS_SAID][i], s->retained_said[i]);
    }
    ms_analysis_delete(a);
    /* The walk: what a node dominates lies between its begin and end, and nothing else. */
    for (uint32_t r = 0; r < s->n_holders; r++) {
        uint32_t v = s->holder[r], up = v;
        EXPECT_EQ(s->walk[s->begin[r]], r);
        while (up != 0) {
            up = s->idom[up];
            uint32_t q = ms_snap_rank(s, up);
            EXPECT(s->begin[q] < s->begin[r] && s->end[r] <= s->end[q]);
        }
    }
    ms_snap_close(s);
    ms_file_close(f);
}

/* By type and by line: each sum against a loop over all objects, what a group holds against walks up the dominators. */
static void test_sums_against_loops(void)
{
    ms_file *f = file_open();
    ms_snap *s = NULL;
    ms_why why;
    EXPECT_EQ(ms_snap_open(f, "", &why, &s), MS_OK);
    for (int by = 0; by < 2; by++)
        for (int garbage = 0; garbage < 2; garbage++) {
            uint32_t groups = by ? s->n_sites : s->n_types;
            ms_sum *sums = ms_sys_alloc(groups * sizeof *sums);
            EXPECT_EQ(ms_sums(s, by ? MS_BY_SITE : MS_BY_TYPE, true, garbage, sums, &why), MS_OK);
            EXPECT_EQ(ms_snap_need(s, MS_SNAP_BIRTHS | MS_SNAP_TREE, &why), MS_OK);
            for (uint32_t g = 0; g < groups; g++) {
                ms_sum o = {0};
                for (uint32_t v = 1; v <= s->objects; v++) {
                    if ((by ? ms_snap_id(s->site, v) : ms_snap_type(s, v)) != g || (garbage && !ms_snap_is_garbage(s, v)))
                        continue;
                    bool outer = true;
                    for (uint32_t up = s->idom[v]; up != 0; up = s->idom[up])
                        if (up <= s->objects && (by ? ms_snap_id(s->site, up) : ms_snap_type(s, up)) == g)
                            outer = false;
                    o.count++;
                    o.bytes += ms_snap_bytes(s, v);
                    o.said += ms_snap_said(s, v);
                    o.retained += outer ? ms_snap_retained(s, v) : 0;
                    o.retained_said += outer ? ms_snap_retained_said(s, v) : 0;
                }
                EXPECT_EQ(sums[g].count, o.count);
                EXPECT_EQ(sums[g].bytes, o.bytes);
                EXPECT_EQ(sums[g].said, o.said);
                EXPECT_EQ(sums[g].retained, o.retained);
                EXPECT_EQ(sums[g].retained_said, o.retained_said);
            }
            ms_sys_free(sums, groups * sizeof *sums);
        }
    /* Any set: the same rule. */
    for (int round = 0; round < 400; round++) { /* few of them and many: two ways */
        uint32_t node[40], n = 1 + (uint32_t)test_below(round & 1 ? 39 : 3);
        for (uint32_t i = 0; i < n; i++) {
            bool again = true;
            while (again) {
                node[i] = 1 + (uint32_t)test_below(s->objects);
                again = false;
                for (uint32_t k = 0; k < i; k++)
                    again |= node[k] == node[i];
            }
        }
        uint64_t want = 0;
        for (uint32_t i = 0; i < n; i++) {
            bool outer = true;
            for (uint32_t up = s->idom[node[i]]; up != 0; up = s->idom[up])
                for (uint32_t k = 0; k < n; k++)
                    outer &= node[k] != up;
            want += outer ? ms_snap_retained(s, node[i]) : 0;
        }
        ms_sum sum;
        EXPECT_EQ(ms_sum_of(s, node, n, &sum, &why), MS_OK);
        EXPECT_EQ(sum.retained, want);
        EXPECT_EQ(sum.count, n);
    }
    ms_snap_close(s);
    ms_file_close(f);
}

static ms_err nothing(void *arg, const char *bytes, size_t size)
{
    (void)arg, (void)bytes, (void)size;
    return MS_OK;
}

static ms_err everything(ms_file *f, ms_why *why)
{
    ms_snap *s = NULL;
    ms_steps steps = {0}, to = {0};
    ms_growings growing = {0};
    ms_others others = {0};
    ms_paths *ways = NULL;
    ms_sum *sums = NULL;
    ms_graph g;
    uint64_t lost, weak;
    uint32_t target[2] = {3, 9};
    ms_err err = ms_snap_open(f, "", why, &s);
    if (err == MS_OK && (sums = ms_sys_alloc((s->n_types + s->n_sites) * sizeof *sums)) == NULL)
        err = MS_ENOMEM;
    if (err == MS_OK)
        err = ms_sums(s, MS_BY_TYPE, true, false, sums, why);
    if (err == MS_OK)
        err = ms_sums(s, MS_BY_SITE, true, true, sums + s->n_types, why);
    if (err == MS_OK)
        err = ms_holders(s, 0, 1, 12, 1000, &steps, why);
    if (err == MS_OK)
        err = ms_growing_containers(s, 8, &growing, why);
    if (err == MS_OK)
        err = ms_ways(s, &g, &ways, why);
    if (err == MS_OK)
        err = ms_ways_to(s, ways, target, 2, &to, &lost, why);
    if (err == MS_OK)
        err = ms_other_refs(s, ways, target, 2, &others, &weak, why);
    if (err == MS_OK)
        err = ms_devtools_write(s, nothing, NULL, why);
    MS_VEC_FREE(&steps);
    MS_VEC_FREE(&to);
    MS_VEC_FREE(&growing);
    MS_VEC_FREE(&others);
    ms_paths_delete(ways);
    if (sums != NULL)
        ms_sys_free(sums, (s->n_types + s->n_sites) * sizeof *sums);
    ms_snap_close(s);
    return err;
}

static void test_every_failed_allocation(void)
{
    ms_file *f = file_open();
    ms_err err = MS_ENOMEM;
    long before = ms_sys_live(), n;
    for (n = 0; err != MS_OK && n < 10000; n++) {
        ms_why why = {{0}};
        ms_sys_fail_after(n);
        err = everything(f, &why);
        ms_sys_fail_after(-1);
        EXPECT(err == MS_OK || (err == MS_ENOMEM && why.text[0] != '\0') || n == 1); /* n == 1 is the test's own block */
        EXPECT_EQ(ms_sys_live(), before);
    }
    EXPECT(n > 40);
    ms_file_close(f);
}

/* ---- ready answers ---- */

typedef struct {
    ms_file *file;
    ms_snap *snap;
} opened;

static opened open_path(const char *path)
{
    opened o = {0};
    ms_why why = {{0}};
    if (ms_file_open(path, &why, &o.file) != MS_OK || ms_snap_open(o.file, "", &why, &o.snap) != MS_OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    return o;
}

static void close_opened(opened o)
{
    ms_snap_close(o.snap);
    ms_file_close(o.file);
}

static void same_answers(opened a, opened b)
{
    ms_why why = {{0}};
    for (int by = 0; by < 2; by++) {
        uint32_t n = by ? a.snap->n_sites : a.snap->n_types;
        ms_sum *x = ms_sys_alloc(n * sizeof *x), *y = ms_sys_alloc(n * sizeof *y);
        EXPECT_EQ(ms_sums(a.snap, by ? MS_BY_SITE : MS_BY_TYPE, true, false, x, &why), MS_OK);
        EXPECT_EQ(ms_sums(b.snap, by ? MS_BY_SITE : MS_BY_TYPE, true, false, y, &why), MS_OK);
        EXPECT(memcmp(x, y, n * sizeof *x) == 0);
        ms_sys_free(x, n * sizeof *x);
        ms_sys_free(y, n * sizeof *y);
    }
    ms_steps tops[2] = {{0}, {0}};
    EXPECT_EQ(ms_tops(a.snap, &tops[0], &why), MS_OK);
    EXPECT_EQ(ms_tops(b.snap, &tops[1], &why), MS_OK);
    EXPECT(tops[0].n > 5);
    EXPECT_EQ(tops[0].n, tops[1].n);
    for (size_t i = 0; i < tops[0].n && i < tops[1].n; i++) {
        const ms_step *x = &tops[0].at[i], *y = &tops[1].at[i];
        EXPECT(x->parent == y->parent && x->depth == y->depth && x->label.kind == y->label.kind && x->label.value == y->label.value &&
               x->key == y->key && x->type == y->type && x->example == y->example && x->site == y->site && x->more_sites == y->more_sites &&
               x->folded == y->folded && x->entries == y->entries && x->weight == y->weight && memcmp(&x->sum, &y->sum, sizeof x->sum) == 0);
    }
    MS_VEC_FREE(&tops[0]);
    MS_VEC_FREE(&tops[1]);
    uint64_t total[2];
    EXPECT_EQ(ms_total(a.snap, &total[0], &why), MS_OK);
    EXPECT_EQ(ms_total(b.snap, &total[1], &why), MS_OK);
    EXPECT_EQ(total[0], total[1]);
    ms_module_list m[2] = {{0}, {0}};
    EXPECT_EQ(ms_modules_of(a.snap, &m[0], &why), MS_OK);
    EXPECT_EQ(ms_modules_of(b.snap, &m[1], &why), MS_OK);
    EXPECT(m[0].n > 0 && m[0].n == m[1].n);
    for (size_t i = 0; i < m[0].n && i < m[1].n; i++)
        EXPECT(m[0].at[i].node == m[1].at[i].node && m[0].at[i].dict == m[1].at[i].dict && m[0].at[i].name == m[1].at[i].name &&
               m[0].at[i].retained == m[1].at[i].retained);
    MS_VEC_FREE(&m[0]);
    MS_VEC_FREE(&m[1]);
    for (uint64_t least = 0; least < 3000; least += 256) {
        ms_variable_list v[2] = {{0}, {0}};
        EXPECT_EQ(ms_variables_of(a.snap, least, &v[0], &why), MS_OK);
        EXPECT_EQ(ms_variables_of(b.snap, least, &v[1], &why), MS_OK);
        EXPECT(v[0].n > 0 && v[0].n == v[1].n);
        for (size_t i = 0; i < v[0].n && i < v[1].n; i++) {
            const ms_variable *x = &v[0].at[i], *y = &v[1].at[i];
            EXPECT(x->dict == y->dict && x->name == y->name && x->node == y->node && x->type == y->type && x->idom == y->idom &&
                   x->retained == y->retained);
        }
        MS_VEC_FREE(&v[0]);
        MS_VEC_FREE(&v[1]);
    }
}

static void same_ways(opened a, opened b)
{
    enum { LONG = 200 };
    ms_why why = {{0}};
    ms_graph g, h;
    ms_paths *p = NULL, *q = NULL;
    EXPECT_EQ(ms_ways(a.snap, &g, &p, &why), MS_OK);
    EXPECT_EQ(ms_ways(b.snap, &h, &q, &why), MS_OK);
    EXPECT(p->look_up == NULL && q->look_up != NULL); /* searched, and looked up */
    for (uint32_t v = a.snap->nodes; v-- > 0;) {
        uint32_t node[2][LONG], edge[2][LONG], n = ms_path(p, v, LONG, node[0], edge[0]);
        EXPECT_EQ(ms_path(q, v, LONG, node[1], edge[1]), n);
        for (uint32_t i = 0; i < n; i++) {
            EXPECT_EQ(node[1][i], node[0][i]);
            EXPECT_EQ(edge[1][i], edge[0][i]);
        }
    }
    ms_paths_delete(p);
    ms_paths_delete(q);
}

static char ready_path[64];

static void test_ready_answers(void)
{
    ms_why why = {{0}};
    EXPECT_EQ(ready_copy(golden, ready_path, true, NULL, &why), MS_OK);
    opened a = open_path(golden), b = open_path(ready_path);
    same_answers(a, b);
    same_ways(a, b);
    close_opened(b);
    b = open_path(ready_path);
    ms_steps steps = {0};
    uint64_t total;
    ms_sum *sums = ms_sys_alloc((b.snap->n_types + b.snap->n_sites) * sizeof *sums);
    EXPECT_EQ(ms_sums(b.snap, MS_BY_TYPE, true, false, sums, &why), MS_OK);
    EXPECT_EQ(ms_sums(b.snap, MS_BY_SITE, true, false, sums + b.snap->n_types, &why), MS_OK);
    EXPECT_EQ(ms_tops(b.snap, &steps, &why), MS_OK);
    EXPECT_EQ(ms_total(b.snap, &total, &why), MS_OK);
    EXPECT_EQ(b.snap->have, 0); /* no column of the heap was looked at */
    MS_VEC_FREE(&steps);
    ms_sys_free(sums, (b.snap->n_types + b.snap->n_sites) * sizeof *sums);
    close_opened(b);
    close_opened(a);
    EXPECT_EQ(ms_sys_live(), 0);
}

/* What could not be written ready is computed: the same answers, whichever allocation fails. */
static void test_ready_answers_without_memory(void)
{
    long n = 0, fewer = 0;
    uint32_t all = 0;
    opened a = open_path(ready_path);
    all = ms_file_count(a.file);
    close_opened(a);
    for (bool failed = true; failed && n < 2000; n++) {
        ms_why why = {{0}};
        ms_sys_fail_after(n);
        ms_err err = ready_copy(golden, ready_path, true, NULL, &why);
        ms_sys_fail_after(-1);
        EXPECT_EQ(ms_sys_live(), 0);
        if (err != MS_OK)
            continue;
        opened b = open_path(ready_path);
        a = open_path(golden);
        failed = ms_file_count(b.file) < all;
        fewer += failed;
        same_answers(a, b);
        close_opened(a);
        close_opened(b);
    }
    EXPECT(n < 2000 && fewer > 10);
}

/* Somebody made them up: computed instead, or one sentence. */
static void test_ready_answers_made_up(void)
{
    char other[80];
    snprintf(other, sizeof other, "%s.2", ready_path);
    ms_why why = {{0}};
    ms_column c;
    EXPECT_EQ(ready_copy(golden, ready_path, true, NULL, &why), MS_OK);
    static const char *const ids[][2] = {{"ready_tops", "ids"}, {"ready_modules", "ids"}, {"ready_variables", "ids"}};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) { /* names what does not exist */
        opened a = open_path(golden), b = open_path(ready_path);
        EXPECT_EQ(ms_file_column(b.file, ids[i][0], ids[i][1], &why, &c), MS_OK);
        size_t size = c.rows * c.width * sizeof(uint32_t);
        uint32_t *odd = ms_sys_alloc(size);
        memset(odd, 0xee, size);
        EXPECT_EQ(ready_copy(ready_path, other, false, (ready_other[]){{ids[i][0], ids[i][1], odd, 0}, {0}}, &why), MS_OK);
        ms_sys_free(odd, size);
        close_opened(b);
        b = open_path(other);
        same_answers(a, b);
        close_opened(a);
        close_opened(b);
    }
    opened b = open_path(ready_path); /* the members of a circle, each of which comes by the one before */
    EXPECT_EQ(ms_snap_need(b.snap, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_IDOMS, &why), MS_OK);
    const ms_snap *s = b.snap;
    ms_column member, scc;
    EXPECT_EQ(ms_file_column(b.file, "cycles", "node", &why, &member), MS_OK);
    EXPECT_EQ(ms_file_column(b.file, "cycles", "scc", &why, &scc), MS_OK);
    uint32_t n = s->nodes, u = ((const uint32_t *)member.values)[0];
    uint32_t *from = ms_sys_alloc(n * sizeof *from);
    for (uint32_t v = 0; v < n; v++)
        from[v] = s->idom[v];
    for (uint32_t round = 0, next = u; round < 2 * member.rows; round++, u = next) /* on the circle at last, whatever the way to it */
        for (uint32_t e = s->first[u]; e < s->first[u + 1] && next == u; e++)
            for (uint64_t k = 0; k < member.rows; k++)
                if (((const uint32_t *)scc.values)[k] == 0 && ((const uint32_t *)member.values)[k] == s->to[e]) {
                    next = s->to[e];
                    from[next] = u;
                }
    size_t words = (n + 63) / 64;
    uint64_t *odd = ms_sys_alloc(words * sizeof *odd);
    for (uint32_t v = 0; v < n; v++)
        odd[v >> 6] |= UINT64_C(1) << (v & 63);
    close_opened(b);
    EXPECT_EQ(ready_copy(ready_path, other, false, (ready_other[]){{"ready_ways", "from", from, n}, {"ready_ways", "odd", odd, 0}, {0}}, &why), MS_OK);
    ms_sys_free(from, n * sizeof *from);
    ms_sys_free(odd, words * sizeof *odd);
    b = open_path(other);
    ms_graph g;
    ms_paths *p = NULL;
    ms_steps steps = {0};
    uint32_t nodes[8], edges[8];
    uint64_t lost;
    EXPECT_EQ(ms_ways(b.snap, &g, &p, &why), MS_OK);
    EXPECT_EQ(ms_path(p, u, 8, nodes, edges), 0);
    EXPECT_EQ(ms_ways_to(b.snap, p, &u, 1, &steps, &lost, &why), MS_EDAMAGED);
    EXPECT_STR(why.text, "this snapshot cannot be read: its table ready_ways goes in circles");
    ms_paths_delete(p);
    close_opened(b);
    unlink(other);
    EXPECT_EQ(ms_sys_live(), 0);
}

int main(int argc, char **argv)
{
    snprintf(ready_path, sizeof ready_path, "/tmp/test_snap-%d.memsure", (int)getpid());
    if (argc < 2)
        return 2;
    golden = argv[1];
    RUN(test_opening);
    RUN(test_the_file_agrees_with_itself);
    RUN(test_sums_against_loops);
    RUN(test_every_failed_allocation);
    RUN(test_ready_answers);
    RUN(test_ready_answers_without_memory);
    RUN(test_ready_answers_made_up);
    unlink(ready_path);
    return test_end();
}
