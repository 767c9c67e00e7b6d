/* view.c -- a snapshot as the checks look at it: its sites joined to the recording's lines, what grows in it, its
 * circles, and the way to an object.
 *
 * Embedded snapshots have tables of sites of their own; a site is the recording's line if file, function and line
 * number are the same texts. Paths are found when the first is asked for: they take a pass over the whole heap.
 *
 * Costs: what ms_snap_need() takes for all columns, one pass for what grows, one for the circles. */
#include "checks/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_ENTRIES = 20, /* of a container that grows: fewer are no series */
    MOST_STEPS = 24,     /* of a way: the last ones */
    TOGETHER = 200,      /* entries that several containers have */
    MOST_OTHERS = 256,   /* containers asked whether they have the same entries */
};

/* ---- sites to lines ---- */

/* A place of the recording: file, function, line number; `next` is another one of its list (a row + 1), or 0. */
typedef struct {
    ms_snap_string file, function;
    int32_t        line;
    uint32_t       to, next;
    uint64_t       hash;
} place;

static bool same_text(ms_snap_string a, ms_snap_string b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.at, b.at, a.size) == 0);
}

/* The ends of two texts, their lengths and a line number: enough to tell most places apart. */
static uint64_t place_hash(ms_snap_string file, ms_snap_string function, int32_t line)
{
    uint64_t h = (uint32_t)line * 0x9E3779B97F4A7C15u ^ file.size << 32 ^ function.size;
    const ms_snap_string of[2] = {file, function};
    for (int k = 0; k < 2; k++) {
        uint64_t word = 0;
        size_t n = of[k].size < sizeof word ? of[k].size : sizeof word;
        if (n)
            memcpy(&word, of[k].at + of[k].size - n, n);
        h = (h ^ word) * 0xD6E8FEB86659FD93u;
        h ^= h >> 32;
    }
    return h;
}

static ms_err sites_to_lines(const ms_evidence *e, ms_process *p, ms_view *v)
{
    ms_column offsets, data, file, function, line;
    const ms_snap *s = v->snap;
    v->line = ms_sys_alloc((s->n_sites + 1) * sizeof *v->line);
    if (v->line == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 0; i < s->n_sites; i++)
        v->line[i] = MS_NONE;
    if (ms_file_column(p->file, "strings", "offsets", NULL, &offsets) != MS_OK || offsets.type != MS_TYPE_I64 ||
        ms_file_column(p->file, "strings", "data", NULL, &data) != MS_OK || data.type != MS_TYPE_U8 ||
        ms_file_column(p->file, "sites", "file", NULL, &file) != MS_OK || file.type != MS_TYPE_U32 ||
        ms_file_column(p->file, "sites", "function", NULL, &function) != MS_OK || function.type != MS_TYPE_U32 ||
        ms_file_column(p->file, "sites", "line", NULL, &line) != MS_OK || line.type != MS_TYPE_I32)
        return MS_OK;
    uint64_t n = p->nsites;
    n = file.rows < n ? file.rows : n;
    n = function.rows < n ? function.rows : n;
    n = line.rows < n ? line.rows : n;
    uint64_t places = 64;
    while (places < n + n / 2)
        places *= 2;
    size_t size = (n + 1) * sizeof(place), head_size = places * sizeof(uint32_t);
    place *known = ms_sys_alloc(size);
    uint32_t *head = ms_sys_alloc(head_size); /* a row of known + 1 */
    if (known == NULL || head == NULL) {
        ms_sys_free(known, size);
        ms_sys_free(head, head_size);
        return MS_ENOMEM;
    }
    uint32_t count = 0;
    for (uint64_t i = n; i-- > 0;) { /* a list begins with its first row */
        if (p->line[i] >= e->nlines)
            continue;
        const int64_t *at = offsets.values;
        uint32_t rows[2] = {((const uint32_t *)file.values)[i], ((const uint32_t *)function.values)[i]};
        ms_snap_string texts[2] = {{0}};
        for (int k = 0; k < 2; k++)
            if ((uint64_t)rows[k] + 1 < offsets.rows && at[rows[k]] >= 0 && at[rows[k] + 1] >= at[rows[k]] &&
                (uint64_t)at[rows[k] + 1] <= data.rows)
                texts[k] = (ms_snap_string){(const char *)data.values + at[rows[k]], (size_t)(at[rows[k] + 1] - at[rows[k]])};
        int32_t number = ((const int32_t *)line.values)[i];
        uint64_t hash = place_hash(texts[0], texts[1], number);
        uint32_t *first = &head[hash & (places - 1)];
        known[count] = (place){texts[0], texts[1], number, p->line[i], *first, hash};
        *first = ++count;
    }
    for (uint32_t i = 1; i < s->n_sites; i++) {
        ms_snap_string texts[2] = {ms_snap_text(s, s->site_file[i]), ms_snap_text(s, s->site_function[i])};
        uint64_t hash = place_hash(texts[0], texts[1], s->site_line[i]);
        for (uint32_t k = head[hash & (places - 1)]; k; k = known[k - 1].next) {
            const place *o = &known[k - 1];
            if (o->hash == hash && o->line == s->site_line[i] && same_text(o->function, texts[1]) && same_text(o->file, texts[0]) &&
                (v->line[i] == MS_NONE || e->aside[v->line[i]]))  /* of several, one that counts */
                v->line[i] = o->to;
        }
    }
    ms_sys_free(known, size);
    ms_sys_free(head, head_size);
    return MS_OK;
}

/* Where a frame runs need not be a line that allocated: then one of the same function, or of the same file. */
uint32_t ms_view_near(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t site)
{
    ms_column offsets, data, file, function;
    const ms_snap *s = v->snap;
    uint32_t best = MS_NONE;
    if (site >= s->n_sites || v->line[site] != MS_NONE)
        return site < s->n_sites ? v->line[site] : MS_NONE;
    if (ms_file_column(p->file, "strings", "offsets", NULL, &offsets) != MS_OK || offsets.type != MS_TYPE_I64 ||
        ms_file_column(p->file, "strings", "data", NULL, &data) != MS_OK || data.type != MS_TYPE_U8 ||
        ms_file_column(p->file, "sites", "file", NULL, &file) != MS_OK || file.type != MS_TYPE_U32 ||
        ms_file_column(p->file, "sites", "function", NULL, &function) != MS_OK || function.type != MS_TYPE_U32)
        return MS_NONE;
    const int64_t *at = offsets.values;
    ms_snap_string wanted[2] = {ms_snap_text(s, s->site_file[site]), ms_snap_text(s, s->site_function[site])};
    for (uint64_t i = 0; i < p->nsites && i < file.rows && i < function.rows; i++) {
        uint32_t rows[2] = {((const uint32_t *)file.values)[i], ((const uint32_t *)function.values)[i]};
        bool same[2] = {false, false};
        for (int k = 0; k < 2; k++)
            same[k] = (uint64_t)rows[k] + 1 < offsets.rows && at[rows[k]] >= 0 && at[rows[k] + 1] >= at[rows[k]] &&
                      (uint64_t)at[rows[k] + 1] <= data.rows && (size_t)(at[rows[k] + 1] - at[rows[k]]) == wanted[k].size &&
                      memcmp((const char *)data.values + at[rows[k]], wanted[k].at, wanted[k].size) == 0;
        if (p->line[i] >= e->nlines || !same[0])
            continue;
        if (same[1])
            return p->line[i];
        best = p->line[i];
    }
    return best;
}

/* ---- opening ---- */

static ms_err read_cycles(ms_view *v)
{
    ms_column node, scc;
    ms_snap *s = v->snap;
    if (v->cycles || ms_snap_column(s, "cycles", "node", MS_TYPE_U32, NULL, &node) != MS_OK || node.rows == 0 ||
        ms_snap_column(s, "cycles", "scc", MS_TYPE_U32, NULL, &scc) != MS_OK || scc.rows != node.rows)
        return MS_OK;
    ms_graph g = ms_snap_graph(s);
    return ms_cycles_of(&g, node.values, scc.values, node.rows, &v->cycles);
}

ms_err ms_view_forms(ms_view *v, bool dead, const ms_forms **out)
{
    *out = &v->forms[dead];
    if (v->formed[dead] || (dead && v->garbage == 0))
        return MS_OK;
    v->formed[dead] = true;
    ms_err err = read_cycles(v);
    if (err == MS_OK && v->cycles)
        err = ms_cycle_forms(v->snap, v->cycles, dead, &v->forms[dead], NULL);
    return err == MS_ENOMEM ? err : MS_OK;
}

static ms_err read_kinds(ms_view *v)
{
#define MS_KIND(id, name) name,
    static const char *const names[] = {MS_KINDS(MS_KIND)};
#undef MS_KIND
    v->is = ms_sys_alloc((v->snap->n_types + 1) * sizeof *v->is);
    for (uint32_t t = 0; v->is && t < v->snap->n_types; t++)
        for (int k = 0; k < MS_KIND_COUNT; k++)
            if (ms_snap_text_is(v->snap, v->snap->type_name[t], names[k]))
                v->is[t] |= UINT64_C(1) << k;
    return v->is ? MS_OK : MS_ENOMEM;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* What is to be called at the end of the program is a container, too: until 3.13 an array of the interpreter's. It is as old as
 * the interpreter, so its time begins with what was registered; what was there before (2 %) does not count. A function is often
 * registered again and again: of an entry the arguments tell. */
static ms_err at_exit(ms_view *v)
{
    const ms_snap *s = v->snap;
    uint32_t node = 0, string, *birth, n = 0, entries = 0;
    for (uint32_t i = s->objects + 1; i < s->nodes && !node; i++)
        node = ms_snap_name(s, i, &string) && ms_snap_text_is(s, string, "atexit") ? i : 0;
    uint32_t edges = node ? s->first[node + 1] - s->first[node] : 0;
    size_t room = edges * sizeof *birth;
    if (edges < LEAST_ENTRIES)
        return MS_OK;
    if (MS_VEC_ROOM(&v->growing) != MS_OK || (birth = ms_sys_alloc(room)) == NULL)
        return MS_ENOMEM;
    for (uint32_t e = s->first[node]; e < s->first[node + 1]; e++) {
        ms_label l = ms_snap_label(s, node, e);
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        bool function = l.kind == MS_LABEL_NAMED && ms_snap_text_is(s, l.value, "function");
        bool alone = e + 1 == s->first[node + 1] || MS_SNAP_TARGET(s->to[e + 1]) == 0 || s->first[MS_SNAP_TARGET(s->to[e + 1])] == s->first[MS_SNAP_TARGET(s->to[e + 1]) + 1];
        entries += function;
        if (t && ms_snap_id(s->site, t) && ms_snap_id(s->birth, t) <= s->epoch && (!function || alone))
            birth[n++] = ms_snap_id(s->birth, t);
    }
    qsort(birth, n, sizeof *birth, ascending);
    ms_growing g = {.node = node, .entries = entries};
    uint32_t fair = 0, from = n ? birth[n / 50] : 0;
    for (uint32_t i = n / 50; i < n; i++)
        g.parts[(uint64_t)(birth[i] - from) * MS_GROWING_PARTS / ((uint64_t)s->epoch - from + 1)]++;
    for (uint32_t i = 0; i < MS_GROWING_PARTS; i++)
        fair += g.parts[i] > n / MS_GROWING_PARTS / 4;
    g.oldest = from;
    g.newest = n ? birth[n - 1] : 0;
    g.grows = fair >= MS_GROWING_PARTS - 2 && g.newest >= g.oldest + (s->epoch - g.oldest) / 2 && 4 * ((uint64_t)s->epoch - from) >= s->epoch;
    v->growing.at[v->growing.n++] = g;
    ms_sys_free(birth, room);
    return MS_OK;
}

static void view_close(ms_view *v)
{
    if (v == NULL)
        return;
    if (v->paths)
        ms_paths_delete(v->paths);
    ms_pages_close(v);
    if (v->cycles)
        ms_cycles_delete(v->cycles);
    MS_VEC_FREE(&v->forms[false]);
    MS_VEC_FREE(&v->forms[true]);
    MS_VEC_FREE(&v->growing);
    if (v->line)
        ms_sys_free(v->line, (v->snap->n_sites + 1) * sizeof *v->line);
    if (v->is)
        ms_sys_free(v->is, (v->snap->n_types + 1) * sizeof *v->is);
    ms_snap_close(v->snap);
    ms_sys_free(v, sizeof *v);
}

static ms_err view_open(const ms_evidence *e, ms_process *p, const char *prefix, ms_view **out)
{
    *out = NULL;
    if (!ms_snap_there(p->file, prefix))
        return MS_OK;
    ms_view *v = ms_sys_alloc(sizeof *v);
    if (v == NULL)
        return MS_ENOMEM;
    memcpy(v->prefix, prefix, strlen(prefix));
    ms_err err = ms_snap_open(p->file, prefix, NULL, &v->snap);
    if (err == MS_OK)
        err = ms_snap_need(v->snap, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_IDOMS | MS_SNAP_TREE, NULL);
    if (err == MS_OK)
        err = ms_snap_find_modules(v->snap, NULL);
    if (err == MS_OK)
        err = sites_to_lines(e, p, v);
    if (err == MS_OK)
        err = read_kinds(v);
    if (err == MS_OK && (err = ms_growing_containers(v->snap, LEAST_ENTRIES, &v->growing, NULL)) != MS_ENOMEM)
        err = MS_OK;
    if (err == MS_OK)
        err = at_exit(v);
    for (uint32_t i = 1; err == MS_OK && i <= v->snap->objects && i < v->snap->nodes; i++)
        v->live += ms_snap_bytes(v->snap, i);
    if (err == MS_OK && v->snap->garbage && v->snap->garbage < v->snap->nodes)
        v->garbage = ms_snap_retained(v->snap, v->snap->garbage);
    if (err == MS_OK)
        *out = v;
    else
        view_close(v);
    return err == MS_ENOMEM ? err : MS_OK; /* a damaged snapshot is none: the recording still tells */
}

ms_err ms_views_open(const ms_evidence *e, ms_process *p)
{
    static const char *const prefixes[] = {"peak_", "exit_"};
    for (size_t i = 0; i < 2; i++) {
        MS_TRY(view_open(e, p, prefixes[i], &p->view[p->nview]));
        p->nview += p->view[p->nview] != NULL;
    }
    if (p->nview == 2 && p->view[1]->live > p->view[0]->live) { /* the peak's was taken a little before the peak */
        ms_view *other = p->view[0];
        p->view[0] = p->view[1];
        p->view[1] = other;
    }
    return MS_OK;
}

void ms_views_close(ms_process *p)
{
    for (uint32_t i = 0; i < p->nview; i++)
        view_close(p->view[i]);
    p->nview = 0;
}

/* ---- questions ---- */

bool ms_view_below(const ms_view *v, uint32_t a, uint32_t b)
{
    for (int steps = 0; steps < 1000; steps++) {
        if (a == b)
            return true;
        uint32_t up = v->snap->idom[b];
        if (b == 0 || up == b)
            return false;
        b = up;
    }
    return false;
}

uint32_t ms_view_variable(const ms_view *v, const char *module, const char *name)
{
    const ms_snap *s = v->snap;
    uint32_t string;
    for (uint32_t i = 1; i <= s->objects; i++) {
        if (!ms_view_is(v, i, MS_IS(MODULE)) || !ms_snap_name(s, i, &string) || !ms_snap_text_is(s, string, module))
            continue;
        uint32_t dict = ms_snap_namespace_of(s, i);
        for (uint32_t e = dict ? s->first[dict] : 0; dict && e + 2 <= s->first[dict + 1]; e += 2) {
            uint32_t key = MS_SNAP_TARGET(s->to[e]);
            if (key && ms_snap_name(s, key, &string) && ms_snap_text_is(s, string, name))
                return MS_SNAP_TARGET(s->to[e + 1]);
        }
    }
    return 0;
}

typedef struct {
    uint32_t key, count;
} tally;

/* The number that occurs most often in a sequence, by Misra and Gries' candidates and a second pass by the caller. */
static void most_add(tally *t, int n, uint32_t key)
{
    int empty = -1;
    for (int i = 0; i < n; i++) {
        if (t[i].count && t[i].key == key) {
            t[i].count++;
            return;
        }
        if (t[i].count == 0)
            empty = i;
    }
    if (empty >= 0)
        t[empty] = (tally){key, 1};
    else
        for (int i = 0; i < n; i++)
            t[i].count--;
}

static uint32_t most_of(const tally *t, int n)
{
    int best = 0;
    for (int i = 1; i < n; i++)
        if (t[i].count > t[best].count)
            best = i;
    return t[best].count ? t[best].key : MS_NONE;
}

ms_err ms_view_contents(const ms_process *p, const ms_view *v, uint32_t node, ms_contents *out)
{
    const ms_snap *s = v->snap;
    uint32_t type = ms_snap_type(s, node), from = s->first[node] + s->type_count[type], end = s->first[node + 1];
    uint32_t step = s->type_rest[type] == MS_REST_PAIRS ? 2 : 1;
    tally types[8] = {{0}}, lines[8] = {{0}}, keys[8] = {{0}};
    *out = (ms_contents){.type = MS_NONE, .line = MS_NONE, .key_type = MS_NONE, .example = MS_NONE};
    for (uint32_t e = from; e < end && e + step <= end; e += step) {
        uint32_t t = MS_SNAP_TARGET(s->to[e + step - 1]), k = MS_SNAP_TARGET(s->to[e]);
        out->entries++;
        if (t) {
            most_add(types, 8, ms_snap_type(s, t));
            most_add(lines, 8, ms_view_line(p, v, t));
        }
        if (step == 2 && k)
            most_add(keys, 8, ms_snap_type(s, k));
    }
    out->type = most_of(types, 8);
    out->line = most_of(lines, 8);
    out->key_type = step == 2 ? most_of(keys, 8) : MS_NONE;
    for (uint32_t e = from; e < end && e + step <= end; e += step) {
        uint32_t t = MS_SNAP_TARGET(s->to[e + step - 1]), k = MS_SNAP_TARGET(s->to[e]);
        if (t && ms_snap_type(s, t) == out->type) {
            out->of_type++;
            out->example = t;
        }
        out->of_line += t && ms_view_line(p, v, t) == out->line;
        out->key_of_type += step == 2 && k && ms_snap_type(s, k) == out->key_type;
    }
    return MS_OK;
}

bool ms_view_of_a_frame(const ms_view *v, uint32_t node)
{
    for (int steps = 0; steps < 1000 && node; steps++, node = v->snap->idom[node])
        if (node > v->snap->objects)
            return ms_view_is(v, node, MS_IS(FRAME));
    return false;
}

/* What stands in a container and has others that hold it, too: objects that are younger than it and hold something. */
static ms_err entries_of_others(const ms_view *v, uint32_t container, uint32_t **out, uint32_t *n, size_t *room)
{
    const ms_snap *s = v->snap;
    uint32_t type = ms_snap_type(s, container), first = s->first[container] + s->type_count[type], end = s->first[container + 1];
    *n = 0;
    *room = ((size_t)(end - first) + 1) * sizeof **out;
    if (end < first || (*out = ms_sys_alloc(*room)) == NULL)
        return end < first ? MS_OK : MS_ENOMEM;
    for (uint32_t e = first; e < end; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        if (t && t <= s->objects && MS_SNAP_KIND(s->to[e]) == MS_SNAP_NORMAL && ms_snap_holds(s, t) && ms_snap_id(s->site, t) &&
            ms_snap_id(s->birth, t) > ms_snap_id(s->birth, container) &&
            !(ms_snap_holds(s, container) && ms_view_inside(v, container, t)) && !ms_view_below(v, t, container))
            (*out)[(*n)++] = t;
    }
    qsort(*out, *n, sizeof **out, ascending);
    uint32_t to = 0;
    for (uint32_t i = 0; i < *n; i++)
        if (i == 0 || (*out)[i] != (*out)[i - 1])
            (*out)[to++] = (*out)[i];
    *n = to;
    return MS_OK;
}

static bool has_entry(const ms_snap *s, uint32_t container, uint32_t entry)
{
    for (uint32_t e = s->first[container]; e < s->first[container + 1]; e++)
        if (MS_SNAP_TARGET(s->to[e]) == entry)
            return true;
    return false;
}

ms_err ms_view_together(ms_view *v, uint32_t container, ms_together *out)
{
    uint32_t *node = NULL, n = 0;
    size_t room = 0;
    ms_sum sum;
    *out = (ms_together){0};
    ms_err err = entries_of_others(v, container, &node, &n, &room);
    for (size_t i = 0; err == MS_OK && n >= TOGETHER && i < v->growing.n && i < MOST_OTHERS; i++) { /* who else has them? */
        uint32_t other = v->growing.at[i].node;
        if (other == container || !has_entry(v->snap, other, node[n / 2]) || !has_entry(v->snap, other, node[n / 4]))
            continue;
        if (ms_view_of_a_frame(v, other))
            n = 0; /* a running function works on them */
        else if (out->other == 0 && v->growing.at[i].grows)
            out->other = other;
    }
    if (err == MS_OK && n >= TOGETHER && (err = ms_sum_of(v->snap, node, n, &sum, NULL)) == MS_OK) {
        out->bytes = sum.retained;
        out->n = n;
        out->example = node[n / 2];
        if ((err = ms_set_new(v->snap, &out->below)) == MS_OK) {
            node[n++] = container; /* there is room for one more */
            err = ms_sum_below(v->snap, node, n, &out->below, NULL);
        }
    }
    ms_sys_free(node, room);
    if (err != MS_OK)
        ms_set_free(&out->below);
    return err;
}

/* ---- ways ---- */

static void copy_text(char *out, size_t room, const char *before, ms_snap_string s, const char *after)
{
    size_t most = room - strlen(before) - strlen(after) - 4, n = s.size < most ? s.size : most;
    while (n > 0 && n < s.size && ((unsigned char)s.at[n] & 0xc0) == 0x80)
        n--;
    snprintf(out, room, "%s%.*s%s%s", before, (int)n, s.at ? s.at : "", n < s.size ? "…" : "", after);
}

/* A reference of a type that is read by its tp_traverse only, where owner and target leave no doubt. */
static const char *part_text(const ms_snap *s, uint32_t owner, uint32_t edge)
{
    uint32_t target = MS_SNAP_TARGET(s->to[edge]);
    if (owner == 0 || owner > s->objects || target == 0 || target > s->objects)
        return "…";
    uint32_t from = ms_snap_type(s, owner), to = ms_snap_type(s, target);
    bool trace = ms_snap_text_is(s, s->type_name[to], "traceback");
    if (ms_snap_text_is(s, s->type_name[from], "traceback"))
        return trace ? ".tb_next" : ms_snap_text_is(s, s->type_name[to], "frame") ? ".tb_frame" : "…";
    if (s->type_flags[from] & MS_SNAP_EXCEPTION)
        return trace ? ".__traceback__" : s->type_flags[to] & MS_SNAP_EXCEPTION ? ".__context__" : "…";
    return "…";
}

/* The context variable whose value an edge leads to, in the tree of a context: its node holds values each followed by its variable. 0: none. */
static uint32_t variable_of(const ms_snap *s, uint32_t owner, uint32_t edge)
{
    if (owner == 0 || owner > s->objects || edge + 1 >= s->first[owner + 1] || !ms_snap_text_is(s, s->type_name[ms_snap_type(s, owner)], "hamt_bitmap_node"))
        return 0;
    uint32_t key = MS_SNAP_TARGET(s->to[edge + 1]);
    return key && ms_snap_text_is(s, s->type_name[ms_snap_type(s, key)], "_contextvars.ContextVar") ? key : 0;
}

static void label_text(const ms_snap *s, uint32_t owner, uint32_t edge, ms_way_step *out)
{
    uint32_t string, variable;
    if (edge == MS_NONE || edge == MS_EDGE_TO_TYPE) {
        snprintf(out->label, sizeof out->label, "%s", edge == MS_NONE ? "" : ".__class__");
        return;
    }
    ms_label l = ms_snap_label(s, owner, edge);
    out->kind = l.kind;
    switch (l.kind) {
    case MS_LABEL_FIELD:
        copy_text(out->label, sizeof out->label, ".", ms_snap_text(s, l.value), "");
        break;
    case MS_LABEL_INDEX:
        snprintf(out->label, sizeof out->label, "[%u]", l.value);
        break;
    case MS_LABEL_VALUE:
        if (!ms_snap_name(s, l.value, &string))
            snprintf(out->label, sizeof out->label, "[…]");
        else if (ms_snap_is_namespace(s, owner) || ms_snap_text_is(s, s->type_name[ms_snap_type(s, owner)], "dict") == false)
            copy_text(out->label, sizeof out->label, ".", ms_snap_text(s, string), "");
        else
            copy_text(out->label, sizeof out->label, "['", ms_snap_text(s, string), "']");
        break;
    case MS_LABEL_KEY:
        snprintf(out->label, sizeof out->label, "a key");
        break;
    case MS_LABEL_MEMBER:
        snprintf(out->label, sizeof out->label, "{…}");
        break;
    case MS_LABEL_NAMED:
        copy_text(out->label, sizeof out->label, "", ms_snap_text(s, l.value), "");
        break;
    default:
        if ((variable = variable_of(s, owner, edge)) && ms_snap_name(s, variable, &string))
            copy_text(out->label, sizeof out->label, "ContextVar ", ms_snap_text(s, string), "");
        else
            snprintf(out->label, sizeof out->label, "%s", part_text(s, owner, edge));
    }
}

static void type_text(const ms_snap *s, uint32_t node, char *out, size_t room)
{
    uint32_t string;
    if (node > s->objects) { /* a pseudo node's own name: "main in app.py:12" */
        copy_text(out, room, "", ms_snap_name(s, node, &string) ? ms_snap_text(s, string) : (ms_snap_string){0}, "");
        return;
    }
    for (uint32_t i = 0; i < s->n_types; i++) /* a class */
        if (s->type_node[i] == node) {
            copy_text(out, room, "class ", ms_snap_text(s, s->type_name[i]), "");
            return;
        }
    copy_text(out, room, "", ms_snap_text(s, s->type_name[ms_snap_type(s, node)]), "");
    if (strcmp(out, "module") == 0 && ms_snap_name(s, node, &string))
        copy_text(out, room, "module ", ms_snap_text(s, string), "");
    if (strcmp(out, "function") == 0 && ms_snap_name(s, node, &string))
        copy_text(out, room, "function ", ms_snap_text(s, string), "");
    if (strcmp(out, "frame") == 0) /* as a running one is called: "load in cache.py" */
        for (uint32_t edge = s->first[node]; edge < s->first[node + 1] && edge - s->first[node] < 4; edge++) {
            uint32_t code = MS_SNAP_TARGET(s->to[edge]), site = ms_snap_id(s->site, node);
            if (code == 0 || code > s->objects || site >= s->n_sites || !ms_snap_text_is(s, s->type_name[ms_snap_type(s, code)], "code") ||
                !ms_snap_name(s, code, &string))
                continue;
            ms_snap_string file = ms_snap_text(s, s->site_file[site]);
            const char *slash = file.at ? memrchr(file.at, '/', file.size) : NULL;
            char where[40];
            snprintf(where, sizeof where, " in %.*s", slash ? (int)(file.at + file.size - slash - 1) : (int)file.size, slash ? slash + 1 : file.at ? file.at : "");
            copy_text(out, room, "", ms_snap_text(s, string), where);
        }
}

static ms_err step_new(ms_findings *out, ms_finding *f, ms_way_step **step)
{
    if (out->nstep == out->step_room) {
        uint32_t room = out->step_room ? 2 * out->step_room : 256;
        ms_way_step *more = ms_sys_resize(out->step, out->step_room * sizeof *more, room * sizeof *more);
        if (more == NULL)
            return MS_ENOMEM;
        out->step = more;
        out->step_room = room;
    }
    *step = &out->step[out->nstep++];
    **step = (ms_way_step){.line = MS_NONE};
    f->nstep++;
    return MS_OK;
}

/* "['rows']" of an object's __dict__ is ".rows" of the object. */
static void as_attribute(char *label)
{
    size_t n = strlen(label);
    if (n > 4 && strncmp(label, "['", 2) == 0) {
        label[n - 2] = '\0';
        memmove(label + 1, label + 2, n - 3);
        label[0] = '.';
    }
}

ms_err ms_finding_way(ms_findings *out, ms_finding *f, const ms_process *p, ms_view *v, uint32_t node)
{
    uint32_t nodes[MOST_STEPS], edges[MOST_STEPS];
    ms_way_step *step;
    if (v->paths == NULL)
        MS_TRY(ms_ways(v->snap, &v->graph, &v->paths, NULL));
    uint32_t n = ms_path(v->paths, node, MOST_STEPS, nodes, edges);
    f->step = out->nstep;
    f->nstep = 0;
    for (uint32_t i = 0; i < n && i < MOST_STEPS; i++) {
        MS_TRY(step_new(out, f, &step));
        if (i > 0)
            label_text(v->snap, nodes[i - 1], edges[i], step);
        if (i > 1 && step->kind == MS_LABEL_VALUE && strcmp(step[-1].label, ".__dict__") == 0)
            as_attribute(step->label);
        type_text(v->snap, nodes[i], step->type, sizeof step->type);
        step->bytes = ms_snap_retained(v->snap, nodes[i]);
        step->line = nodes[i] && nodes[i] <= v->snap->objects ? ms_view_line(p, v, nodes[i]) : MS_NONE;
    }
    return MS_OK;
}

ms_err ms_finding_called(ms_finding *f, const char *name, ms_view *v, uint32_t node)
{
    uint32_t nodes[MOST_STEPS], edges[MOST_STEPS];
    ms_way_step step = {.line = MS_NONE}, owner = step;
    if (v->paths == NULL)
        MS_TRY(ms_ways(v->snap, &v->graph, &v->paths, NULL));
    uint32_t n = ms_path(v->paths, node, MOST_STEPS, nodes, edges);
    if (n < 2 || n > MOST_STEPS)
        return MS_OK;
    label_text(v->snap, nodes[n - 2], edges[n - 1], &step);
    as_attribute(step.label);
    uint32_t up = n - 2 > 0 && edges[n - 2] != MS_NONE ? n - 2 : 0; /* an instance's or a module's __dict__ is left out */
    if (up) {
        label_text(v->snap, nodes[up - 1], edges[up], &owner);
        up = strcmp(owner.label, ".__dict__") == 0 ? up - 1 : up;
    }
    type_text(v->snap, nodes[up], owner.type, sizeof owner.type);
    ms_finding_text(f, name, "%s%s", strncmp(owner.type, "module ", 7) == 0 ? owner.type + 7 : owner.type, step.label);
    return MS_OK;
}

ms_err ms_finding_circle(ms_findings *out, ms_finding *f, const ms_process *p, ms_view *v, const uint32_t *edge, uint32_t n)
{
    ms_way_step *step;
    f->step = out->nstep;
    f->nstep = 0;
    ms_graph g = ms_snap_graph(v->snap);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t owner = ms_edge_owner(&g, edge[i]);
        MS_TRY(step_new(out, f, &step));
        label_text(v->snap, owner, edge[i], step);
        type_text(v->snap, owner, step->type, sizeof step->type);
        step->bytes = ms_snap_bytes(v->snap, owner);
        step->line = owner <= v->snap->objects ? ms_view_line(p, v, owner) : MS_NONE;
    }
    return MS_OK;
}

void ms_finding_type(ms_finding *f, const char *name, const ms_view *v, uint32_t type)
{
    ms_snap_string s = ms_snap_text(v->snap, v->snap->type_name[type]);
    ms_finding_text(f, name, "%.*s", (int)s.size, s.at ? s.at : "");
}
