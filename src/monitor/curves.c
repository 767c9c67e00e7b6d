/* curves.c -- what is kept over time, in a fixed number of points however long the program runs.
 *
 * Each series stops where the interpreter begins to take itself down (ms_live.end_ns): nothing is counted
 * from then on, and how long that takes says nothing of the program.
 *
 * A series begins with a step of one tick. When it is full, neighbours are merged two by two and the
 * step doubles; so it always has between half and all of its points, evenly spread over the run.
 *
 *   timeline     256 points of the process; merging keeps the greater value, so that no peak is lost
 *   curves       64 points for each site that ever had 1/10000 of what lives or was allocated (at most
 *                8192 sites at a time; before that it counts as 0); merging keeps the later value
 *   collections  one row each; when 20,000 are there, neighbours become one row, with their number in
 *                `count`, their sums, the first one's time and the highest generation */
#include "monitor/watch.h"

#include <string.h>
#include <unistd.h>

#define ARROW_FRESH_NS UINT64_C(300000000) /* three times what lies between two questions */

static uint64_t more(uint64_t a, uint64_t b) { return a > b ? a : b; }

uint64_t ms_series_due(const ms_process *p, uint64_t now, uint64_t step)
{
    uint64_t t = now > p->start_ns ? now - p->start_ns : 0;
    return p->start_ns + (t / step + 1) * step;
}

static ms_point point_merge(const ms_point *a, const ms_point *b)
{
    return (ms_point){b->t_ns, more(a->rss, b->rss), more(a->python_bytes, b->python_bytes),
                      more(a->python_blocks, b->python_blocks), more(a->slab, b->slab),
                      more(a->native_used, b->native_used), more(a->native_free, b->native_free), b->waited, more(a->arrow, b->arrow)};
}

/* The moment, since the start, that a point made now stands for. */
static uint64_t moment(const ms_process *p, uint64_t now)
{
    uint64_t end = p->head->end_ns;
    if (ms_ended(p) && end > p->start_ns && end < now)
        now = end;
    return now > p->start_ns ? now - p->start_ns : 0;
}

/* 1 + what Arrow's pool has in use, where that is news; 0: not known. */
static uint64_t arrow(const ms_live *head, uint64_t now)
{
    return head->arrow_ns && now < head->arrow_ns + ARROW_FRESH_NS ? head->arrow_used + 1 : 0;
}

void ms_timeline_add(ms_process *p, uint64_t now)
{
    const ms_live *head = p->head;
    bool ended = ms_ended(p);
    ms_memory memory = ended && head->memory_end.when_ns ? head->memory_end : head->memory_now;
    uint64_t t = moment(p, now);
    ms_point point = {t, ended && memory.rss_bytes ? memory.rss_bytes : p->rss, head->live_bytes, p->live_blocks,
                      memory.slab_bytes, memory.native_used, memory.native_free,
                      __atomic_load_n(&head->waited_ns, __ATOMIC_RELAXED), arrow(head, ended ? head->end_ns : now)};
    p->point_due = ended ? UINT64_MAX : ms_series_due(p, now, p->point_step);
    if (p->npoint && t <= p->timeline[p->npoint - 1].t_ns)
        return;
    if (p->npoint == MS_TIMELINE_MAX) {
        for (uint32_t i = 0; i < MS_TIMELINE_MAX / 2; i++)
            p->timeline[i] = point_merge(&p->timeline[2 * i], &p->timeline[2 * i + 1]);
        p->npoint /= 2;
        p->point_step *= 2;
    }
    p->timeline[p->npoint++] = point;
    if (!ended)
        p->point_due = ms_series_due(p, now, p->point_step);
}

static ms_curve *curve_of(ms_process *p, uint32_t site)
{
    ms_map_slot *slot = ms_map_put(&p->curve_of, site + 1);
    if (slot == NULL)
        return NULL;
    if (slot->value)
        return &p->curve[slot->value - 1];
    if (p->ncurve == MS_CURVE_ROWS) {
        ms_map_remove(&p->curve_of, slot);
        return NULL;
    }
    if (p->ncurve == p->curve_room) {
        uint32_t room = p->curve_room ? 2 * p->curve_room : 64;
        ms_curve *next = ms_sys_resize(p->curve, p->curve_room * sizeof *next, room * sizeof *next);
        if (next == NULL) {
            ms_map_remove(&p->curve_of, slot);
            return NULL;
        }
        p->curve = next;
        p->curve_room = room;
    }
    p->curve[p->ncurve] = (ms_curve){.site = site};
    slot->value = ++p->ncurve;
    return &p->curve[p->ncurve - 1];
}

/* Rows whose site has become small make room for others. */
static void curves_drop(ms_process *p, uint64_t (*by_site)[2], uint64_t least)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < p->ncurve; i++) {
        uint32_t site = p->curve[i].site;
        ms_map_slot *slot = ms_map_find(&p->curve_of, site + 1);
        if (by_site[site][0] < least && by_site[site][1] < least) {
            if (slot)
                ms_map_remove(&p->curve_of, slot);
            continue;
        }
        if (kept != i)
            p->curve[kept] = p->curve[i];
        if (slot)
            slot->value = kept + 1;
        kept++;
    }
    p->ncurve = kept;
}

static void curves_halve(ms_process *p)
{
    for (uint32_t i = 0; i < MS_CURVE_MAX / 2; i++)
        p->curve_t[i] = p->curve_t[2 * i + 1];
    for (uint32_t r = 0; r < p->ncurve; r++) {
        ms_curve *c = &p->curve[r];
        for (uint32_t i = 0; i < MS_CURVE_MAX / 2; i++) {
            c->live[i] = c->live[2 * i + 1];
            c->allocated[i] = c->allocated[2 * i + 1];
        }
        memset(c->live + MS_CURVE_MAX / 2, 0, sizeof c->live / 2);
        memset(c->allocated + MS_CURVE_MAX / 2, 0, sizeof c->allocated / 2);
    }
    p->ncurve_t = MS_CURVE_MAX / 2;
    p->curve_step *= 2;
}

ms_err ms_curves_add(ms_session *s, ms_process *p, uint64_t now)
{
    bool ended = ms_ended(p);
    uint64_t t = moment(p, now), began = ms_clock_cpu_ns();
    uint32_t nsite = ms_live_used(p, MS_T_SITE);
    p->curve_due = ended ? UINT64_MAX : ms_series_due(p, now, p->curve_step);
    if (nsite == 0 || (p->ncurve_t && t <= p->curve_t[p->ncurve_t - 1]))
        return MS_OK;
    size_t size = nsite * sizeof(uint64_t[2]);
    uint64_t (*by_site)[2] = ms_sys_alloc(size);
    if (by_site == NULL)
        return MS_ENOMEM;
    ms_err err = ms_tally_read(s, p, by_site, nsite);
    if (err == MS_OK) {
        if (p->ncurve_t == MS_CURVE_MAX)
            curves_halve(p);
        uint64_t live = p->live_bytes / 10000 + 1, allocated = p->allocated_bytes / 10000 + 1;
        if (p->ncurve == MS_CURVE_ROWS)
            curves_drop(p, by_site, live < allocated ? live : allocated);
        uint32_t at = p->ncurve_t++;
        p->curve_t[at] = t;
        for (uint32_t i = 0; i < nsite; i++) {
            bool big = by_site[i][0] >= live || by_site[i][1] >= allocated;
            ms_map_slot *slot = big ? NULL : ms_map_find(&p->curve_of, i + 1);
            ms_curve *c = big ? curve_of(p, i) : slot ? &p->curve[slot->value - 1] : NULL;
            if (c) {
                c->live[at] = by_site[i][0];
                c->allocated[at] = by_site[i][1];
            }
        }
    }
    ms_sys_free(by_site, size);
    /* Reading costs at most 1 % of the time, 5 % in the first second: many programs end in it, and are to be judged by what they did all the same
     * (of a processor's time: on a busy machine the clock would count what others took, and too few points would be left). It comes at
     * least every 10 s: counters wrap after 42 s of 100 million frees a second. */
    if (ended)
        return err;
    uint64_t share = t < MS_SECOND_NS ? 20 : 100, least = now + share * (ms_clock_cpu_ns() - began), most = now + 10 * MS_SECOND_NS;
    p->curve_due = ms_series_due(p, now, p->curve_step);
    if (p->curve_due < least)
        p->curve_due = least;
    if (p->curve_due > most)
        p->curve_due = most;
    return err;
}

/* --- collections --------------------------------------------------------------------------------- */

static void events_merge(ms_process *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i + 1 < p->nevent; i += 2) {
        ms_event a = p->event[i], b = p->event[i + 1];
        a.duration_ns += b.duration_ns;
        a.collected += b.collected;
        a.uncollectable += b.uncollectable;
        a.reclaimed_bytes += b.reclaimed_bytes;
        a.count += b.count;
        a.generation = a.generation > b.generation ? a.generation : b.generation;
        a.site = a.site == b.site ? a.site : 0;
        p->event[n++] = a;
    }
    p->nevent = n;
    p->event_pair *= 2; /* collections that a row stands for from now on */
}

static void event_add(ms_process *p, const ms_gc *g)
{
    ms_event e = {g->start_ns > p->start_ns ? g->start_ns - p->start_ns : 0, g->stop_ns - g->start_ns,
                  g->collected, g->uncollectable, g->reclaimed_bytes, g->generation, 1, g->site, 0};
    ms_event *last = p->nevent ? &p->event[p->nevent - 1] : NULL;
    if (last && last->count < p->event_pair) {
        last->duration_ns += e.duration_ns;
        last->collected += e.collected;
        last->uncollectable += e.uncollectable;
        last->reclaimed_bytes += e.reclaimed_bytes;
        last->count++;
        last->generation = last->generation > e.generation ? last->generation : e.generation;
        last->site = last->site == e.site ? e.site : 0;
        return;
    }
    if (p->nevent == p->event_room) {
        uint32_t room = p->event_room ? 2 * p->event_room : 64;
        ms_event *next = ms_sys_resize(p->event, p->event_room * sizeof *next, room * sizeof *next);
        if (next == NULL) {
            p->events_lost++;
            return;
        }
        p->event = next;
        p->event_room = room;
    }
    p->event[p->nevent++] = e;
    if (p->nevent == MS_EVENTS_MAX)
        events_merge(p);
}

void ms_events_read(ms_process *p)
{
    uint32_t used = __atomic_load_n(&p->head->gc_used, __ATOMIC_ACQUIRE);
    if (used - p->gc_read > MS_GC_MAX) { /* the ring went round, or the number is nonsense */
        p->events_lost += used - p->gc_read - MS_GC_MAX;
        p->gc_read = used - MS_GC_MAX;
    }
    for (; p->gc_read != used; p->gc_read++) {
        ms_gc g;
        off_t at = (off_t)(offsetof(ms_live, gc) + (p->gc_read % MS_GC_MAX) * sizeof g);
        if (pread(p->fd, &g, sizeof g, at) != sizeof g || (!g.done && !p->gone))
            return; /* under way: at the next tick */
        if (g.done && g.stop_ns >= g.start_ns && g.start_ns >= p->start_ns)
            event_add(p, &g);
    }
}
