/* holders.c -- who holds most: the dominator tree from the top, brothers of one kind as one row.
 *
 * A row is followed by its members' references to what they dominate; a reference gives the name. What a
 * member dominates without referring to it (two of its parts share it) comes last, as "indirect". Only
 * rows that hold enough are followed, so the cost follows what is shown, not the heap: the references of
 * the rows followed, each once.
 *
 * Folding (steps.h) makes a row grow while its own members are followed: they wait in a list. */
#include "graph/steps.h"

typedef struct {
    uint32_t row, node;
} waiting;

typedef struct {
    steps_maker m;
    ms_set      seen;
    uint64_t    least;
    MS_VEC(waiting) next;
} holders;

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

static ms_err found(holders *h, uint32_t row, uint32_t owner, uint32_t edge, uint32_t v, ms_why *why)
{
    ms_snap *s = h->m.snap;
    uint32_t below;
    bool folded;
    uint64_t holds = ms_snap_retained(s, v), all = ms_snap_retained(s, owner);
    bool alone = holds >= h->least && (owner == 0 || holds >= all / 5);
    ms_set_add(&h->seen, v);
    MS_TRY(steps_add(&h->m, row, owner, edge, v, alone, &below, &folded, why));
    if (ms_snap_holds(s, v)) { /* others lead nowhere */
        if (MS_VEC_ROOM(&h->next) != MS_OK)
            return no_memory(why);
        h->next.at[h->next.n++] = (waiting){below, v};
    }
    h->m.steps->at[below].weight += folded ? 0 : holds;
    return MS_OK;
}

/* Everything that p dominates at once. */
static ms_err follow(holders *h, uint32_t row, uint32_t p, ms_why *why)
{
    ms_snap *s = h->m.snap;
    for (uint32_t e = s->first[p]; e < s->first[p + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        if (t != 0 && t != p && MS_SNAP_KIND(s->to[e]) == MS_SNAP_NORMAL && s->idom[t] == p && !ms_set_has(&h->seen, t))
            MS_TRY(found(h, row, p, e, t, why));
    }
    uint32_t r = ms_snap_rank(s, p);
    for (uint32_t q = s->begin[r] + 1; q < s->end[r]; q = s->end[s->walk[q]]) {
        uint32_t v = s->holder[s->walk[q]];
        if (!ms_set_has(&h->seen, v))
            MS_TRY(found(h, row, p, UINT32_MAX, v, why));
    }
    return MS_OK;
}

static bool wanted(const holders *h, const ms_step *o, uint32_t deep, uint64_t wide)
{
    bool transparent = h->m.snap->type_flags[o->type] & MS_SNAP_PSEUDO;
    return o->weight >= h->least && o->depth < deep && (o->sum.count <= wide || transparent);
}

ms_err ms_holders(ms_snap *s, uint32_t top, uint64_t least, uint32_t deep, uint64_t wide, ms_steps *out, ms_why *why)
{
    holders h = {.least = least};
    size_t level = 0;
    ms_err err = steps_begin(&h.m, s, out, top, why);
    if (err == MS_OK && ms_set_new(s, &h.seen) != MS_OK)
        err = no_memory(why);
    if (err == MS_OK && ms_snap_holds(s, top)) {
        out->at[0].weight = ms_snap_retained(s, top);
        if (MS_VEC_ROOM(&h.next) != MS_OK)
            err = no_memory(why);
        else
            h.next.at[h.next.n++] = (waiting){0, top};
    }
    while (err == MS_OK && level < h.next.n) { /* level by level: a row is complete before it is judged */
        size_t end = h.next.n;
        for (; err == MS_OK && level < end; level++) {
            waiting w = h.next.at[level];
            if (wanted(&h, &out->at[w.row], deep, wide))
                err = follow(&h, w.row, w.node, why);
        }
    }
    err = steps_end(&h.m, err, why);
    ms_set_free(&h.seen);
    MS_VEC_FREE(&h.next);
    if (err != MS_OK)
        MS_VEC_FREE(out);
    return err;
}
