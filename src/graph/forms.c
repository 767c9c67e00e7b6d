/* forms.c -- circles of one form: 310,000 times Node.parent and Node.children is one line, not 310,000.
 *
 * The form of a circle is the set of its inner edges as (type, name, type), hashed so that their order and
 * number do not matter. Two forms with one hash of 64 bits would be shown as one: at a million forms
 * that happens once in forty million heaps. */
#include "graph/steps.h"

#include <stdlib.h>

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

static int most_held(const void *a, const void *b)
{
    const ms_form *x = a, *y = b;
    if (x->sum.retained != y->sum.retained)
        return x->sum.retained < y->sum.retained ? 1 : -1;
    return x->example < y->example ? -1 : x->example > y->example;
}

/* One circle's form. inside[v]: its number + 1, of the circle that v is in. */
static uint64_t form_of(const ms_snap *s, const ms_cycles *c, uint32_t i, const uint32_t *inside, ms_table *seen, ms_err *err)
{
    uint64_t form = 0;
    for (uint32_t k = c->first[i]; k < c->first[i + 1]; k++) {
        uint32_t v = c->node[k];
        for (uint32_t e = s->first[v]; e < s->first[v + 1]; e++) {
            uint32_t t = MS_SNAP_TARGET(s->to[e]), row;
            bool new;
            if (t == 0 || MS_SNAP_KIND(s->to[e]) != MS_SNAP_NORMAL || inside[t] != i + 1)
                continue;
            ms_label label = ms_snap_label(s, v, e);
            if (label.kind == MS_LABEL_VALUE) { /* of a namespace the name counts, of another dict no key */
                uint32_t string;
                label.value = ms_snap_name(s, label.value, &string) ? string : 0;
            } else if (label.kind == MS_LABEL_INDEX)
                label.value = 0;
            uint64_t h = ms_hash3(ms_snap_type(s, v), label.kind << 28 ^ label.value, ms_snap_type(s, t));
            if (*err == MS_OK && (*err = ms_table_row(seen, (uint32_t)h, (uint32_t)(h >> 32), i, 0, &row, &new)) == MS_OK && new)
                form += h * 0x9E3779B97F4A7C15u ^ h >> 31;
        }
    }
    return form;
}

ms_err ms_cycle_forms(ms_snap *s, const ms_cycles *c, bool dead, ms_forms *out, ms_why *why)
{
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, why));
    size_t inside_size = (size_t)s->nodes * sizeof(uint32_t), row_size = ((size_t)c->n + 1) * sizeof(uint32_t);
    size_t node_size = ((size_t)c->members + 1) * sizeof(uint32_t), start_size;
    uint32_t *inside = ms_sys_alloc(inside_size), *row = ms_sys_alloc(row_size), *node = ms_sys_alloc(node_size);
    size_t *start = NULL;
    ms_table forms = {0};
    ms_err err = inside && row && node ? MS_OK : MS_ENOMEM;
    for (uint32_t i = 0; err == MS_OK && i < c->n; i++)
        for (uint32_t k = c->first[i]; k < c->first[i + 1]; k++)
            inside[c->node[k]] = i + 1;
    for (uint32_t i = 0; err == MS_OK && i < c->n; i++) {
        ms_table seen = {0};
        bool garbage = c->first[i] < c->first[i + 1] && ms_snap_is_garbage(s, c->node[c->first[i]]), new;
        row[i] = MS_NONE;
        if (dead && !garbage)
            continue;
        uint64_t form = form_of(s, c, i, inside, &seen, &err);
        ms_table_free(&seen);
        if (err == MS_OK)
            err = ms_table_row(&forms, (uint32_t)form, (uint32_t)(form >> 32), garbage, (uint32_t)out->n, &row[i], &new);
        if (err == MS_OK && new && (err = MS_VEC_ROOM(out)) == MS_OK)
            out->at[out->n++] = (ms_form){.form = form, .example = i, .garbage = garbage};
        if (err == MS_OK)
            out->at[row[i]].count++;
    }
    start_size = (out->n + 1) * sizeof *start;
    if (err == MS_OK && (start = ms_sys_alloc(start_size)) == NULL)
        err = MS_ENOMEM;
    if (err == MS_OK) { /* the nodes of each form together, for the sums */
        for (uint32_t i = 0; i < c->n; i++)
            if (row[i] != MS_NONE)
                start[row[i] + 1] += c->first[i + 1] - c->first[i];
        for (size_t f = 0; f < out->n; f++)
            start[f + 1] += start[f];
        for (uint32_t i = 0; i < c->n; i++)
            for (uint32_t k = c->first[i]; row[i] != MS_NONE && k < c->first[i + 1]; k++)
                node[start[row[i]]++] = c->node[k];
    }
    for (size_t f = 0; err == MS_OK && f < out->n; f++) {
        size_t from = f ? start[f - 1] : 0;
        err = ms_sum_of(s, node + from, start[f] - from, &out->at[f].sum, why);
    }
    if (err == MS_OK && out->n > 1)
        qsort(out->at, out->n, sizeof *out->at, most_held);
    ms_sys_free(inside, inside_size);
    ms_sys_free(row, row_size);
    ms_sys_free(node, node_size);
    if (start != NULL)
        ms_sys_free(start, start_size);
    ms_table_free(&forms);
    if (err != MS_OK)
        MS_VEC_FREE(out);
    return err == MS_ENOMEM ? no_memory(why) : err;
}
