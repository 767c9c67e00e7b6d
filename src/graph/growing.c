/* growing.c -- containers that grow, seen in one snapshot: their elements were born over the whole run.
 *
 * The time from a container's birth to the snapshot is cut into eight parts, and each element counted into the
 * part it was born in; births of one epoch are taken as even within it, so four epochs are enough. A container that was filled once has its elements in one part; a queue or a bounded
 * cache has them in the last ones. One that is filled all the time and never emptied has some in each. The time is the clock's, and a
 * busy machine gives a program less of it now and then: so two parts may be poor, and the last one may be half as poor again.
 * A container may be older than the work that fills it (a cache of a module that was imported long before): the same is asked
 * from the first of its elements on, a few left out. But so looks a buffer that was emptied a while ago, too: whether what fills
 * it began then, the snapshot cannot tell (`late`).
 * Of a dict's pairs the younger half counts: keys are often older than their entry. An element that is
 * older than its container was moved there, and counts into the first part. */
#include "graph/answer.h"

#include <stdlib.h>

enum { FAIR = 4 }; /* a part has its share if it has a quarter of an even one; five of eight have half of it: what is used often stays long in a
                    * bounded cache, and the rest is new */
enum { LEAST_EPOCHS = 4, FINE = MS_BIRTH_PARTS, FEW = 64 }; /* the first of its elements: the 64th of the time in which a 64th of them were there */

static uint64_t held_by(const ms_snap *s, const ms_growing *g)
{
    return ms_snap_retained(s, g->node);
}

static const ms_snap *sorting; /* qsort has no argument; one thread at a time, as all of this */

static int more_grown(const void *a, const void *b)
{
    const ms_growing *x = a, *y = b;
    if (x->grows != y->grows)
        return x->grows ? -1 : 1;
    uint64_t p = held_by(sorting, x), q = held_by(sorting, y);
    return p != q ? (p < q ? 1 : -1) : x->node < y->node ? -1 : x->node > y->node;
}

static void count_one(const ms_snap *s, uint32_t from, uint32_t birth, ms_growing *g, uint32_t *fine)
{
    uint64_t span = (uint64_t)s->epoch - from; /* the snapshot's own epoch may have hardly begun: what is born in it counts into the last part */
    uint64_t within = g->entries * 25u % FINE; /* of one epoch: evenly, as far as anyone knows. It matters where few epochs are all there are */
    uint64_t at = birth < from ? 0 : (((uint64_t)birth - from) * FINE + within) / span;
    fine[at < FINE ? at : FINE - 1]++;
    if (g->entries++ == 0)
        g->oldest = g->newest = birth;
    g->oldest = birth < g->oldest ? birth : g->oldest;
    g->newest = birth > g->newest ? birth : g->newest;
}

/* The counts from `from` on, as eight parts; whether they rise all along. */
static bool all_along(const uint32_t *fine, uint32_t from, uint32_t entries, uint32_t *parts)
{
    uint32_t fair = 0, half = 0, least = entries / (MS_GROWING_PARTS * FAIR);
    for (uint32_t i = 0; i < MS_GROWING_PARTS; i++)
        parts[i] = 0;
    for (uint32_t i = 0; i < FINE; i++)
        parts[i < from ? 0 : (i - from) * MS_GROWING_PARTS / (FINE - from)] += fine[i];
    for (uint32_t i = 0; i < MS_GROWING_PARTS; i++) {
        fair += parts[i] > least;
        half += parts[i] > 2 * least;
    }
    uint32_t last = parts[MS_GROWING_PARTS - 1], before = parts[MS_GROWING_PARTS - 2];
    return fair >= 6 && half >= 5 && last > least / 2 && last + before > 2 * least && (parts[0] > least || parts[1] > least);
}

uint32_t ms_births_begin(const uint32_t *fine, uint32_t n)
{
    uint32_t first = 0, there = fine[0];
    while (first < FINE - 1 && there <= n / FEW)
        there += fine[++first];
    return first;
}

bool ms_births_all_along(const uint32_t *fine, uint32_t from, uint32_t n)
{
    uint32_t parts[MS_GROWING_PARTS], fair = 0, least = n / (MS_GROWING_PARTS * FAIR);
    all_along(fine, from, n, parts);
    for (uint32_t i = 0; i < MS_GROWING_PARTS; i++)
        fair += parts[i] > least;
    return fair >= 6 && parts[MS_GROWING_PARTS - 1] + parts[MS_GROWING_PARTS - 2] > least;
}

void ms_growing_one(const ms_snap *s, uint32_t v, ms_growing *g)
{
    uint32_t type = ms_snap_type(s, v), e = s->first[v] + s->type_count[type], end = s->first[v + 1];
    uint32_t step = s->type_rest[type] == MS_REST_PAIRS ? 2 : 1, from = ms_snap_id(s->birth, v), fine[FINE] = {0};
    *g = (ms_growing){.node = v};
    if (s->epoch < from + LEAST_EPOCHS)
        return; /* too young to tell */
    for (; e + step <= end; e += step) {
        uint32_t t = MS_SNAP_TARGET(s->to[e + step - 1]), birth = t ? ms_snap_id(s->birth, t) : 0;
        bool known = t != 0 && ms_snap_id(s->site, t) != 0;
        if (step == 2) {
            uint32_t key = MS_SNAP_TARGET(s->to[e]);
            if (key != 0 && ms_snap_id(s->site, key) != 0 && (!known || ms_snap_id(s->birth, key) > birth)) {
                birth = ms_snap_id(s->birth, key);
                known = true;
            }
        }
        if (known && birth <= s->epoch)
            count_one(s, from, birth, g, fine);
    }
    g->grows = all_along(fine, 0, g->entries, g->parts);
    if (g->grows)
        return;
    uint32_t first = ms_births_begin(fine, g->entries), parts[MS_GROWING_PARTS];
    double since = ((double)s->epoch - from) * (FINE - first) / FINE;
    if (first && since >= 2 * MS_GROWING_PARTS && since >= (double)s->epoch / 4 && all_along(fine, first, g->entries, parts))
        g->late = s->epoch - (uint32_t)since;
}

ms_err ms_growing_containers(ms_snap *s, uint32_t least, ms_growings *out, ms_why *why)
{
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_EDGES | MS_SNAP_IDOMS, why));
    for (uint32_t v = 1; v <= s->objects; v++) {
        uint32_t degree = s->first[v + 1] - s->first[v];
        if (degree < least)
            continue;
        uint8_t rest = s->type_rest[ms_snap_type(s, v)];
        if ((rest != MS_REST_INDEX && rest != MS_REST_PAIRS && rest != MS_REST_MEMBERS && rest != MS_REST_OPAQUE) || ms_entries(s, v) < least)
            continue;
        ms_growing g;
        ms_growing_one(s, v, &g);
        if (g.entries < least)
            continue;
        if (MS_VEC_ROOM(out) != MS_OK) {
            MS_VEC_FREE(out);
            ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
            return MS_ENOMEM;
        }
        out->at[out->n++] = g;
    }
    sorting = s;
    if (out->n > 1)
        qsort(out->at, out->n, sizeof *out->at, more_grown);
    return MS_OK;
}
