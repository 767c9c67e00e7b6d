/* steps.c -- rows of a tree of merged steps: see steps.h. */
#include "graph/steps.h"

#include <stdlib.h>

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

uint64_t ms_entries(const ms_snap *s, uint32_t node)
{
    uint32_t type = ms_snap_type(s, node), degree = s->first[node + 1] - s->first[node];
    if (degree <= s->type_count[type])
        return 0;
    degree -= s->type_count[type];
    return s->type_rest[type] == MS_REST_PAIRS ? degree / 2 : degree;
}

static ms_err steps_row(steps_maker *m, uint32_t above, ms_label label, uint32_t type, uint32_t v, uint32_t *row, bool *new, ms_why *why)
{
    uint32_t which = m->snap->type_flags[type] & MS_SNAP_PSEUDO ? v : label.value; /* threads and frames are never merged */
    if (m->steps->n >= UINT32_MAX - 1 || MS_VEC_ROOM(m->steps) != MS_OK ||
        ms_table_row(&m->rows, above, label.kind << 28 ^ which, type, (uint32_t)m->steps->n, row, new) != MS_OK)
        return no_memory(why);
    if (*new)
        m->steps->at[m->steps->n++] = (ms_step){.parent = above, .depth = m->steps->n > 1 || above != *row ? m->steps->at[above].depth + 1 : 0,
                                                .label = label, .type = type, .example = v};
    return MS_OK;
}

static ms_err steps_member_add(steps_maker *m, uint32_t row, uint32_t v, ms_why *why)
{
    if (MS_VEC_ROOM(&m->members) != MS_OK)
        return no_memory(why);
    m->members.at[m->members.n++] = (steps_member){row, v};
    m->steps->at[row].sum.count++;
    return MS_OK;
}

ms_err steps_begin(steps_maker *m, ms_snap *s, ms_steps *out, uint32_t top, ms_why *why)
{
    uint32_t row;
    bool new;
    *m = (steps_maker){.snap = s, .steps = out};
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, why));
    MS_TRY(ms_snap_find_modules(s, why));
    MS_TRY(steps_row(m, 0, (ms_label){MS_LABEL_NONE, 0}, ms_snap_type(s, top), top, &row, &new, why));
    m->steps->at[row].depth = 0;
    return steps_member_add(m, row, top, why);
}

/* What a label is for the purpose of merging. */
static ms_label label_merged(const steps_maker *m, uint32_t above, uint32_t owner, ms_label label, bool alone)
{
    const ms_step *up = &m->steps->at[above];
    uint32_t string;
    switch (label.kind) {
    case MS_LABEL_FIELD:
    case MS_LABEL_NAMED:
        return label;
    case MS_LABEL_VALUE: /* of a namespace: an attribute */
        if (((up->label.kind == MS_LABEL_FIELD && up->label.value == m->snap->attributes) || ms_snap_is_namespace(m->snap, owner)) &&
            ms_snap_name(m->snap, label.value, &string))
            return (ms_label){MS_LABEL_FIELD, string};
        break;
    default:
        break;
    }
    if (!alone)
        label.value = UINT32_MAX;
    return label;
}

ms_err steps_add(steps_maker *m, uint32_t above, uint32_t owner, uint32_t edge, uint32_t v, bool alone, uint32_t *row, bool *folded, ms_why *why)
{
    ms_snap *s = m->snap;
    uint32_t type = ms_snap_type(s, v);
    ms_label label = {MS_LABEL_INDIRECT, v};
    bool new;
    if (edge != UINT32_MAX)
        label = ms_snap_label(s, owner, edge);
    label = label_merged(m, above, owner, label, alone);
    *folded = false;
    for (int i = 0; i < 4; i++)
        if (m->last[i].above == above && m->last[i].type == type && m->last[i].kind == label.kind && m->last[i].value == label.value &&
            m->last[i].row != 0) {
            *row = m->last[i].row;
            return steps_member_add(m, *row, v, why);
        }
    for (uint32_t up = above, k = 0; k < 2 && up != 0; k++, up = m->steps->at[up].parent) {
        const ms_step *u = &m->steps->at[up];
        if (label.kind == MS_LABEL_FIELD && label.value == s->attributes && ms_snap_type(s, owner) != m->steps->at[u->parent].type)
            continue;
        if (u->type == type && u->label.kind == label.kind && u->label.value == label.value && !(s->type_flags[type] & MS_SNAP_PSEUDO)) {
            *row = up;
            *folded = true;
            m->steps->at[up].folded++;
            return steps_member_add(m, up, v, why);
        }
    }
    MS_TRY(steps_row(m, above, label, type, v, row, &new, why));
    if (!(s->type_flags[type] & MS_SNAP_PSEUDO)) {
        m->last[m->turn & 3].above = above;
        m->last[m->turn & 3].kind = label.kind;
        m->last[m->turn & 3].value = label.value;
        m->last[m->turn & 3].type = type;
        m->last[m->turn++ & 3].row = *row;
    }
    if (new && label.kind == MS_LABEL_VALUE && edge != UINT32_MAX)
        m->steps->at[*row].key = MS_SNAP_TARGET(s->to[edge - 1]);
    return steps_member_add(m, *row, v, why);
}

ms_err steps_end(steps_maker *m, ms_err err, ms_why *why)
{
    ms_snap *s = m->snap;
    size_t n = m->members.n, rows = m->steps->n;
    size_t start_size = (rows + 1) * sizeof(size_t), node_size = (n + 1) * sizeof(uint32_t);
    size_t *start = NULL;
    uint32_t *node = NULL;
    if (err != MS_OK)
        goto done;
    start = ms_sys_alloc(start_size);
    node = ms_sys_alloc_big(node_size);
    if (start == NULL || node == NULL) {
        err = no_memory(why);
        goto done;
    }
    for (size_t i = 0; i < n; i++)
        start[m->members.at[i].row + 1]++;
    for (size_t r = 0; r < rows; r++)
        start[r + 1] += start[r];
    for (size_t i = 0; i < n; i++) /* start[r] moves on to where r ends */
        node[start[m->members.at[i].row]++] = m->members.at[i].node;
    for (size_t r = 0; r < rows && err == MS_OK; r++) {
        ms_step *o = &m->steps->at[r];
        size_t from = r ? start[r - 1] : 0, to = start[r];
        uint64_t entries = 0;
        uint32_t best = node[from];
        for (size_t i = from; i < to; i++) {
            entries += ms_entries(s, node[i]);
            if (ms_snap_id(s->site, node[i]) != ms_snap_id(s->site, node[from]))
                o->more_sites = 1;
            if (i < from + 4096 && ms_snap_retained(s, node[i]) > ms_snap_retained(s, best))
                best = node[i];
        }
        o->entries = entries;
        o->example = best;
        o->site = ms_snap_id(s->site, best);
        bool folded = o->folded > 0; /* without that here or above, no member of a row is below another one */
        for (uint32_t up = (uint32_t)r; up != 0 && !folded; folded = m->steps->at[up].folded > 0)
            up = m->steps->at[up].parent;
        if (folded)
            err = ms_sum_of(s, node + from, to - from, &o->sum, why);
        else
            ms_sum_apart(s, node + from, to - from, &o->sum);
    }
done:
    ms_sys_free(start, start_size);
    ms_sys_free(node, node_size);
    ms_table_free(&m->rows);
    MS_VEC_FREE(&m->members);
    return err;
}
