/* fuzz_snap.c -- any snapshot file to the answers: it may be refused, it may not crash, hang or lead out of the file.
 *
 *     fuzz_snap SECONDS FILE...      (built with -Db_sanitize=address,undefined)
 *
 * Every question is asked of what opens; of each file there is a second one with ready answers. mutate.h makes the mutants. */
#include "graph/answer.h"
#include "mutate.h"

#ifndef MS_LIBFUZZER
#include "ready_copy.h"
#endif

static ms_err count_bytes(void *arg, const char *bytes, size_t size)
{
    (void)bytes;
    *(uint64_t *)arg += size;
    return MS_OK;
}

static void ask(ms_snap *s, ms_why *why)
{
    ms_steps steps = {0};
    ms_growings growing = {0};
    ms_graph g;
    ms_paths *ways = NULL;
    uint64_t bytes = 0, lost, weak;
    ms_sum *sums = ms_sys_alloc(((size_t)s->n_types + s->n_sites + 1) * sizeof *sums);
    EXPECT(sums != NULL);
    if (ms_sums(s, MS_BY_TYPE, true, false, sums, why) == MS_OK)
        ms_sums(s, MS_BY_SITE, true, true, sums + s->n_types, why);
    if (ms_holders(s, 0, 1, 12, 100, &steps, why) == MS_OK)
        EXPECT(steps.n > 0 && steps.at[0].parent == 0);
    MS_VEC_FREE(&steps);
    ms_module_list modules = {0};
    ms_variable_list variables = {0};
    if (ms_tops(s, &steps, why) == MS_OK)
        for (size_t i = 0; i < steps.n; i++)
            EXPECT(steps.at[i].parent <= i && steps.at[i].example < s->nodes && steps.at[i].type < s->n_types);
    MS_VEC_FREE(&steps);
    if (ms_modules_of(s, &modules, why) == MS_OK)
        for (size_t i = 0; i < modules.n; i++)
            EXPECT(modules.at[i].node < s->nodes && modules.at[i].dict < s->nodes);
    MS_VEC_FREE(&modules);
    if (ms_variables_of(s, 1000, &variables, why) == MS_OK)
        for (size_t i = 0; i < variables.n; i++)
            EXPECT(variables.at[i].node < s->nodes && variables.at[i].type < s->n_types);
    MS_VEC_FREE(&variables);
    ms_growing_containers(s, 8, &growing, why);
    MS_VEC_FREE(&growing);
    ms_devtools_write(s, count_bytes, &bytes, why);
    if (ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_ADDRESSES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, why) == MS_OK) {
        const char *broken = ms_snap_check(s);
        EXPECT(broken == NULL);
        for (uint32_t v = 0; v < s->nodes; v++) {
            uint32_t string, found;
            uint64_t address = ms_snap_address(s, v);
            (void)ms_snap_is_garbage(s, v);
            if (ms_snap_name(s, v, &string))
                (void)ms_snap_text(s, string);
            if (address != 0)
                (void)ms_snap_find(s, address, &found);
            for (uint32_t e = s->first[v]; e < s->first[v + 1]; e++)
                (void)ms_snap_label(s, v, e);
        }
        if (ms_ways(s, &g, &ways, why) == MS_OK && s->objects > 2) {
            for (uint32_t v = 0; v < s->nodes; v++) {
                uint32_t node[8], edge[8], n = ms_path(ways, v, 8, node, edge);
                for (uint32_t i = n > 8 ? 1 : 0; i < n && i < 8; i++)
                    EXPECT(node[i] < s->nodes && (edge[i] < s->edges || edge[i] >= MS_EDGE_TO_TYPE));
            }
            ms_others others = {0};
            uint32_t target[3] = {1, s->objects / 2 + 1, s->objects};
            uint32_t n = target[1] == target[2] ? 1 : 3;
            if (ms_ways_to(s, ways, target, n, &steps, &lost, why) == MS_OK)
                for (size_t i = 0; i < steps.n; i++)
                    EXPECT(steps.at[i].parent <= i);
            MS_VEC_FREE(&steps);
            ms_other_refs(s, ways, target, n, &others, &weak, why);
            MS_VEC_FREE(&others);
        }
        ms_paths_delete(ways);
        ms_column node, scc;
        ms_cycles *cycles = NULL;
        g = ms_snap_graph(s);
        if (ms_snap_column(s, "cycles", "node", MS_TYPE_U32, why, &node) == MS_OK &&
            ms_snap_column(s, "cycles", "scc", MS_TYPE_U32, why, &scc) == MS_OK && node.rows == scc.rows &&
            ms_cycles_of(&g, node.values, scc.values, node.rows, &cycles) == MS_OK) {
            ms_forms forms = {0};
            ms_cycle_forms(s, cycles, (s->nodes & 1) != 0, &forms, why);
            for (size_t i = 0; i < forms.n && i < 4; i++) {
                ms_cut *cut = NULL;
                uint32_t cuts, loop[8], length;
                size_t room;
                if (ms_cycle_cut(&g, cycles, forms.at[i].example, s->idom, &cut, &cuts, &room) == MS_OK) {
                    (void)ms_cycle_loop(&g, cycles, forms.at[i].example, cuts ? cut[0].edge : MS_NONE, 8, loop, &length);
                    ms_sys_free(cut, room);
                }
            }
            MS_VEC_FREE(&forms);
        }
        ms_cycles_delete(cycles);
    }
    ms_sys_free(sums, ((size_t)s->n_types + s->n_sites + 1) * sizeof *sums);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ms_why why = {{0}};
    ms_file *f = NULL;
    if (ms_file_open_memory(bytes, size, "fuzz", &why, &f) != MS_OK)
        return 0;
    for (int embedded = 0; embedded < 2; embedded++) {
        ms_snap *s = NULL;
        ms_err err = ms_snap_open(f, embedded ? "exit_" : "", &why, &s);
        EXPECT((err == MS_OK) == (s != NULL));
        if (s != NULL)
            ask(s, &why);
        else
            EXPECT(why.text[0] != '\0');
        ms_snap_close(s);
    }
    ms_file_close(f);
    EXPECT_EQ(ms_sys_live(), 0);
    return 0;
}

#ifndef MS_LIBFUZZER

int main(int argc, char **argv)
{
    enum { MOST = 32 };
    static char made[MOST][64];
    char *files[2 * MOST + 3];
    int n = 0, makes = 0;
    for (int i = 0; i < argc && i < MOST; i++) {
        ms_why why;
        files[n++] = argv[i];
        snprintf(made[makes], sizeof made[makes], "/tmp/fuzz_snap-%d-%d.memsure", (int)getpid(), i);
        if (i > 1 && ready_copy(argv[i], made[makes], true, NULL, &why) == MS_OK)
            files[n++] = made[makes++];
    }
    files[n] = NULL;
    int result = fuzz_main("fuzz_snap", n, files);
    while (makes > 0)
        unlink(made[--makes]);
    return result;
}

#endif
