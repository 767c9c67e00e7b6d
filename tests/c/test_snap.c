/* test_snap.c -- a snapshot file as arrays: opening, every failed allocation, files without some tables, the figures of
 * tests/data/snap-v1.memsure (made by tests/py/synthetic_snapshot.py: the shop with 40 products), which must stay readable. */
#include "graph/answer.h"
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

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    golden = argv[1];
    RUN(test_opening);
    RUN(test_the_file_agrees_with_itself);
    RUN(test_sums_against_loops);
    RUN(test_every_failed_allocation);
    return test_end();
}
