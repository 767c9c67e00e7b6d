/* ready.c -- the first answers, computed once where the file is written, and read where it is asked.
 *
 * What a summary shows is some hundred rows, but to find them takes looks at the whole heap, and so does the first `why`: it needs
 * the telling way to each object. A snapshot's child has all of that at hand, on its own time. The tables ready_* are those
 * answers, for the questions as they are asked by default; docs/FORMAT.md has them. Nothing in them is new: without them, or where one
 * is damaged or contradicts the file, the answer is computed.
 *
 * Every number in them that points at something is checked here. A way is stored as the node before it where that
 * is not the dominator: one bit a node, and four bytes for about one node in ten. */
#include "graph/ready.h"
#include "graph/answer.h"

#include <stdio.h>

enum { STEP_IDS = 9, STEP_FIGURES = 8, SUMS = 5 };
enum { LEAST_VARIABLE = 256, SHARE_VARIABLE = 20000 }; /* variables that hold so much, or this part of all */
enum { TOPS_SHARE = 100, TOPS_DEEP = 12, TOPS_WIDE = 20000 };

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

static uint64_t least_variable(uint64_t total)
{
    return total / SHARE_VARIABLE > LEAST_VARIABLE ? total / SHARE_VARIABLE : LEAST_VARIABLE;
}

/* ---- reading ---- */

bool ms_ready_sums(ms_snap *s, ms_by by, ms_sum *out)
{
    ms_column c;
    uint32_t n = by == MS_BY_TYPE ? s->n_types : s->n_sites;
    if (!ms_snap_ready(s, "ready_sums", by == MS_BY_TYPE ? "types" : "sites", MS_TYPE_U64, SUMS, &c) || c.rows != n)
        return false;
    const uint64_t *at = c.values;
    for (uint32_t i = 0; i < n; i++, at += SUMS)
        out[i] = (ms_sum){at[0], at[1], at[2], at[3], at[4]};
    return true;
}

static bool step_sound(const ms_snap *s, const ms_step *o, size_t row)
{
    uint32_t value = o->label.value;
    bool named = o->label.kind == MS_LABEL_FIELD || o->label.kind == MS_LABEL_NAMED, node = o->label.kind == MS_LABEL_VALUE;
    return o->parent <= row && (o->parent < row || row == 0) && o->label.kind <= MS_LABEL_INDIRECT && o->type < s->n_types &&
           o->example < s->nodes && o->site < s->n_sites && o->key < s->nodes &&
           (value == UINT32_MAX || ((!named || value < s->n_strings) && (!node || value < s->nodes)));
}

bool ms_ready_tops(ms_snap *s, ms_steps *out)
{
    ms_column ids, figures;
    if (!ms_snap_ready(s, "ready_tops", "ids", MS_TYPE_U32, STEP_IDS, &ids) ||
        !ms_snap_ready(s, "ready_tops", "figures", MS_TYPE_U64, STEP_FIGURES, &figures) || ids.rows != figures.rows)
        return false;
    const uint32_t *id = ids.values;
    const uint64_t *f = figures.values;
    for (uint64_t i = 0; i < ids.rows; i++, id += STEP_IDS, f += STEP_FIGURES) {
        ms_step o = {.parent = id[0], .depth = id[1], .label = {id[2], id[3]}, .key = id[4], .type = id[5], .example = id[6], .site = id[7],
                     .more_sites = id[8], .folded = f[0], .entries = f[1], .weight = f[2], .sum = {f[3], f[4], f[5], f[6], f[7]}};
        if (!step_sound(s, &o, i) || MS_VEC_ROOM(out) != MS_OK) {
            MS_VEC_FREE(out);
            return false;
        }
        out->at[out->n++] = o;
    }
    return true;
}

static bool ready_total(ms_snap *s, uint64_t *bytes)
{
    ms_column figures;
    if (!ms_snap_ready(s, "ready_tops", "figures", MS_TYPE_U64, STEP_FIGURES, &figures))
        return false;
    *bytes = ((const uint64_t *)figures.values)[6]; /* what the root holds */
    return true;
}

bool ms_ready_modules(ms_snap *s, ms_module_list *out)
{
    ms_column ids, retained;
    if (!ms_snap_ready(s, "ready_modules", "ids", MS_TYPE_U32, 3, &ids) ||
        !ms_snap_ready(s, "ready_modules", "retained", MS_TYPE_U64, 1, &retained) || ids.rows != retained.rows)
        return false;
    const uint32_t *id = ids.values;
    for (uint64_t i = 0; i < ids.rows; i++, id += 3) {
        if (id[0] >= s->nodes || id[1] >= s->nodes || id[2] >= s->n_strings || MS_VEC_ROOM(out) != MS_OK) {
            MS_VEC_FREE(out);
            return false;
        }
        out->at[out->n++] = (ms_module){id[0], id[1], id[2], ((const uint64_t *)retained.values)[i]};
    }
    return true;
}

bool ms_ready_variables(ms_snap *s, uint64_t least, ms_variable_list *out)
{
    ms_column ids, retained;
    uint64_t total;
    if (!ready_total(s, &total) || least < least_variable(total) || !ms_snap_ready(s, "ready_variables", "ids", MS_TYPE_U32, 5, &ids) ||
        !ms_snap_ready(s, "ready_variables", "retained", MS_TYPE_U64, 1, &retained) || ids.rows != retained.rows)
        return false;
    const uint32_t *id = ids.values;
    for (uint64_t i = 0; i < ids.rows; i++, id += 5) {
        uint64_t holds = ((const uint64_t *)retained.values)[i];
        if (holds < least)
            continue;
        if (id[0] >= s->nodes || id[1] >= s->n_strings || id[2] >= s->nodes || id[3] >= s->n_types || id[4] >= s->nodes ||
            MS_VEC_ROOM(out) != MS_OK) {
            MS_VEC_FREE(out);
            return false;
        }
        out->at[out->n++] = (ms_variable){id[0], id[1], id[2], id[3], id[4], holds};
    }
    return true;
}

/* ---- the questions ---- */

ms_err ms_total(ms_snap *s, uint64_t *bytes, ms_why *why)
{
    if (ready_total(s, bytes))
        return MS_OK;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_IDOMS, why));
    *bytes = ms_snap_retained(s, 0);
    return MS_OK;
}

ms_err ms_tops(ms_snap *s, ms_steps *out, ms_why *why)
{
    uint64_t total;
    if (ms_ready_tops(s, out))
        return MS_OK;
    MS_TRY(ms_total(s, &total, why));
    return ms_holders(s, 0, total / TOPS_SHARE > 1 ? total / TOPS_SHARE : 1, TOPS_DEEP, TOPS_WIDE, out, why);
}

/* ---- writing ---- */

typedef struct {
    ms_writer *w;
    char       name[40];
    const ms_ready_help *help;
} target;

static const char *table(target *t, const ms_snap *s, const char *name)
{
    snprintf(t->name, sizeof t->name, "%s%s", s->prefix, name);
    return t->name;
}

static ms_err write_sums(ms_snap *s, ms_by by, target *t, ms_why *why)
{
    size_t n = by == MS_BY_TYPE ? s->n_types : s->n_sites, size = n * sizeof(ms_sum) + 1;
    _Static_assert(sizeof(ms_sum) == SUMS * sizeof(uint64_t), "a row of ready_sums");
    ms_sum *sums = ms_sys_alloc(size);
    if (sums == NULL)
        return no_memory(why);
    ms_err err = ms_sums(s, by, true, false, sums, why);
    if (err == MS_OK)
        err = ms_writer_column(t->w, table(t, s, "ready_sums"), by == MS_BY_TYPE ? "types" : "sites", MS_TYPE_U64, SUMS, n, sums);
    ms_sys_free(sums, size);
    return err;
}

static ms_err write_tops(ms_snap *s, target *t, ms_why *why)
{
    ms_steps steps = {0};
    MS_TRY(ms_tops(s, &steps, why));
    ms_writer_column_begin(t->w, table(t, s, "ready_tops"), "ids", MS_TYPE_U32, STEP_IDS);
    for (size_t i = 0; i < steps.n; i++) {
        const ms_step *o = &steps.at[i];
        uint32_t id[STEP_IDS] = {o->parent, o->depth, o->label.kind, o->label.value, o->key, o->type, o->example, o->site, o->more_sites};
        ms_writer_append(t->w, id, sizeof id);
    }
    ms_writer_column_end(t->w);
    ms_writer_column_begin(t->w, t->name, "figures", MS_TYPE_U64, STEP_FIGURES);
    for (size_t i = 0; i < steps.n; i++) {
        const ms_step *o = &steps.at[i];
        uint64_t f[STEP_FIGURES] = {o->folded, o->entries, o->weight, o->sum.count, o->sum.bytes, o->sum.said, o->sum.retained,
                                    o->sum.retained_said};
        ms_writer_append(t->w, f, sizeof f);
    }
    MS_VEC_FREE(&steps);
    return ms_writer_column_end(t->w);
}

static ms_err write_modules(ms_snap *s, target *t, ms_why *why)
{
    ms_module_list m = {0};
    ms_variable_list v = {0};
    MS_TRY(ms_modules_of(s, &m, why));
    ms_writer_column_begin(t->w, table(t, s, "ready_modules"), "ids", MS_TYPE_U32, 3);
    for (size_t i = 0; i < m.n; i++)
        ms_writer_append(t->w, (uint32_t[]){m.at[i].node, m.at[i].dict, m.at[i].name}, 12);
    ms_writer_column_end(t->w);
    ms_writer_column_begin(t->w, t->name, "retained", MS_TYPE_U64, 1);
    for (size_t i = 0; i < m.n; i++)
        ms_writer_append(t->w, &m.at[i].retained, 8);
    ms_writer_column_end(t->w);
    MS_VEC_FREE(&m);
    MS_TRY(ms_variables_of(s, least_variable(ms_snap_retained(s, 0)), &v, why));
    ms_writer_column_begin(t->w, table(t, s, "ready_variables"), "ids", MS_TYPE_U32, 5);
    for (size_t i = 0; i < v.n; i++)
        ms_writer_append(t->w, (uint32_t[]){v.at[i].dict, v.at[i].name, v.at[i].node, v.at[i].type, v.at[i].idom}, 20);
    ms_writer_column_end(t->w);
    ms_writer_column_begin(t->w, t->name, "retained", MS_TYPE_U64, 1);
    for (size_t i = 0; i < v.n; i++)
        ms_writer_append(t->w, &v.at[i].retained, 8);
    MS_VEC_FREE(&v);
    return ms_writer_column_end(t->w);
}

/* The ways, searched by whoever helps. */
typedef struct {
    ms_snap  *s;
    ms_graph  g;
    ms_paths *p;
    uint64_t *odd;
    size_t    words;
    ms_err    err;
    ms_why    why;
} ways;

static void ways_find(void *what)
{
    ways *o = what;
    o->err = ms_ways(o->s, &o->g, &o->p, &o->why);
    for (uint32_t v = 1; o->err == MS_OK && v < o->s->nodes; v++)
        o->odd[v >> 6] |= (uint64_t)(o->p->hop[v].from != o->s->idom[v]) << (v & 63);
}

static ms_err write_ways(const ways *o, target *t)
{
    enum { PIECE = 1024 };
    uint32_t piece[PIECE], held = 0;
    ms_writer_column(t->w, table(t, o->s, "ready_ways"), "odd", MS_TYPE_U64, 1, o->words, o->odd);
    ms_writer_column_begin(t->w, t->name, "from", MS_TYPE_U32, 1);
    for (size_t i = 0; i < o->words; i++)
        for (uint64_t left = o->odd[i]; left; left &= left - 1) {
            piece[held++] = o->p->hop[i * 64 + (size_t)__builtin_ctzll(left)].from;
            if (held == PIECE) {
                ms_writer_append(t->w, piece, sizeof piece);
                held = 0;
            }
        }
    ms_writer_append(t->w, piece, held * sizeof *piece);
    return ms_writer_column_end(t->w);
}

static ms_err write_others(ms_snap *s, target *t, ms_why *why)
{
    MS_TRY(write_sums(s, MS_BY_TYPE, t, why));
    MS_TRY(write_sums(s, MS_BY_SITE, t, why));
    MS_TRY(write_modules(s, t, why));
    return write_tops(s, t, why);
}

static ms_err write_all(ms_snap *s, target *t, ms_why *why)
{
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, why));
    ways o = {.s = s, .words = ((size_t)s->nodes + 63) / 64};
    o.odd = ms_sys_alloc(o.words * sizeof *o.odd);
    if (o.odd == NULL)
        return no_memory(why);
    if (t->help)
        t->help->begin(t->help->arg, ways_find, &o);
    ms_err err = write_others(s, t, why); /* both look at the snapshot only; of what is found at the first question, the ways need nothing */
    if (t->help)
        t->help->end(t->help->arg);
    else
        ways_find(&o);
    if (err == MS_OK && (err = o.err) == MS_OK)
        err = write_ways(&o, t);
    ms_paths_delete(o.p);
    ms_sys_free(o.odd, o.words * sizeof *o.odd);
    return err;
}

ms_err ms_ready_write(ms_writer *w, const char *prefix, const ms_ready_help *help, ms_why *why)
{
    target t = {.w = w, .help = help};
    ms_file *file;
    ms_snap *snap = NULL;
    MS_TRY(ms_writer_read(w, why, &file));
    ms_err err = ms_snap_open(file, prefix, why, &snap);
    if (err == MS_OK)
        err = write_all(snap, &t, why);
    ms_snap_close(snap);
    ms_file_close(file);
    return err;
}
