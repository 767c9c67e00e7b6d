/* p8_system.c -- does memory that the program freed go back to the system, and does it take more there than it is?
 *
 * O4 and O5: pages that forked processes had in common, and that each has a copy of by now. O6: huge pages of which little is
 * used. O7: shared memory that outlives the program.
 *
 * RSS against what is in use, as malloc says: O3 where malloc holds free memory at the end and did so before, O2 where
 * that came from blocks of the sizes that malloc first maps and then, having learnt, takes from its heap, O1 where
 * many threads have a heap of malloc's each. */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

/* Free in malloc: a quarter of RSS and 16 MiB at the end, and at least half as much at a time before (a moment's
 * free memory is the next moment's work). */
#define FREE_SHARE 0.25
#define FREE_BYTES (16.0 * 1048576)
#define EXPLAINS 0.125
/* malloc's threshold for mapping a block begins here and learns up to 32 MiB. */
#define MAPPED_LEAST (128.0 * 1024)
#define MAPPED_MOST (32.0 * 1048576)
enum { MANY_THREADS = 8 }; /* malloc makes up to eight heaps for each core; fewer threads than this share little */

/* O4, O5: at least two forked processes copied 8 MiB each, a quarter of what they inherited, 24 MiB together. What a process
 * made itself at its highest, and a quarter more for the holes between, is its own. */
#define COPIED_BYTES (8.0 * 1048576)
#define COPIED_SHARE 0.25
#define COPIED_TOGETHER (24.0 * 1048576)
#define HOLES 1.25
/* O6: three quarters of what lies in huge pages is nothing but zeros, 32 MiB and a fifth of RSS. O7: from 1 MiB on. */
#define EMPTY_SHARE 0.75
#define EMPTY_BYTES (32.0 * 1048576)
#define EMPTY_OF_RSS 0.2
#define LEFT_BYTES (1.0 * 1048576)

/* The line through which most large blocks passed, from `least` bytes on average: they are malloc's. One that freed less than an
 * eighth of what is free now explains nothing; C code that it calls may have freed the rest. */
static uint32_t large_line(const ms_evidence *e, const ms_process *p, double least, double held)
{
    uint32_t best = MS_NONE;
    double most = held * EXPLAINS;
    for (uint32_t i = 0; i < e->nlines; i++) {
        const ms_line *l = &p->lines[i];
        if (e->aside[i] == 0 && l->freed_blocks && (double)l->freed_bytes / (double)l->freed_blocks >= least && (double)l->freed_bytes > most) {
            most = (double)l->freed_bytes;
            best = i;
        }
    }
    return best;
}

static ms_err not_given_back(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_rss *r = &p->end;
    double held = (double)r->native_free;
    if (!r->known || held < fmax(FREE_BYTES, FREE_SHARE * (double)r->rss))
        return MS_OK;
    for (uint32_t i = 0; i < out->n; i++) /* no level that stays, but more and more of it */
        for (uint32_t k = 0; k < out->finding[i].nfact; k++)
            if (out->finding[i].process == at && strcmp(out->finding[i].fact[k].name, "freed_grows") == 0 && out->finding[i].fact[k].value > 0)
                return MS_OK;
    /* Malloc is asked at allocations only: where the program waits, RSS tells; of a busy one, what C code uses is none of it. */
    uint32_t first = 0, still = 0, high = 0, free = 0;
    while (first < p->npoint && p->t[first] < p->duration * 0.8)
        first++;
    uint32_t late = p->npoint - first;
    for (uint32_t i = first; i < p->npoint; i++) {
        still += p->python[i] == p->python[first + late / 2];
        high += p->rss[i] - p->python[i] >= held / 2;
        free += p->native_free[i] >= held / 2;
    }
    if (late >= 3 && (2 * still >= late ? high : free) < late / 2)
        return MS_OK;
    static const double sizes[] = {MAPPED_LEAST, 8192, 512}; /* a line makes small blocks, too: beyond what Python's own allocator takes, on average */
    uint32_t line = MS_NONE;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && line == MS_NONE; i++)
        line = large_line(e, p, sizes[i], held);
    double each = line == MS_NONE ? 0 : (double)p->lines[line].freed_bytes / (double)p->lines[line].freed_blocks;
    bool mapped = each >= MAPPED_LEAST && each <= MAPPED_MOST && (double)p->lines[line].freed_bytes >= held / 2;
    const char *rule = p->threads >= MANY_THREADS ? "O1" : mapped ? "O2" : "O3";
    ms_finding *f;
    MS_TRY(ms_finding_add(out, rule, at, line, r->native_free, 0.7, &f));
    f->site = line == MS_NONE ? MS_NONE : ms_site_top(p, line, "freed_bytes");
    f->saves = r->native_free;
    ms_finding_fact(f, "rss", (double)r->rss);
    ms_finding_fact(f, "live", (double)(r->live + r->native_live));
    ms_finding_fact(f, "free", held);
    ms_finding_fact(f, "threads", p->threads);
    if (line != MS_NONE) {
        ms_finding_fact(f, "passed", (double)p->lines[line].freed_bytes);
        ms_finding_fact(f, "each", each);
    }
    return MS_OK;
}

/* O4 where full collections ran in the copies: they write to each object's header. O5 else: to look at an object is to
 * count a reference to it. */
static ms_err copied(const ms_evidence *e, ms_findings *out)
{
    double together = 0, inherited = 0, full = 0, most = 0;
    uint32_t number = 0, top = 0, line = MS_NONE;
    for (uint32_t at = 0; at < e->nprocess; at++) {
        const ms_process *p = &e->process[at];
        double has = (double)p->inherited_bytes, made = fmax(0, (double)p->peak_bytes - has);
        double copy = fmin((double)p->slab_private - HOLES * made, has);
        if (!p->forked || copy < fmax(COPIED_BYTES, COPIED_SHARE * has) || (double)p->live_bytes < has / 2)
            continue;
        number++;
        together += copy;
        inherited = fmax(inherited, has);
        for (uint32_t i = 0; i < p->ncollection; i++)
            full += p->collections[i].generation >= 2 ? (double)p->collections[i].count : 0;
        if (copy > most) {
            most = copy;
            top = at;
        }
    }
    if (number < 2 || together < COPIED_TOGETHER)
        return MS_OK;
    for (uint32_t i = 0; i < e->nlines; i++)
        if (e->aside[i] == 0 && e->whose[i] == MS_OWN && e->process[top].lines[i].inherited_bytes &&
            (line == MS_NONE || e->process[top].lines[i].inherited_bytes > e->process[top].lines[line].inherited_bytes))
            line = i;
    ms_finding *f;
    MS_TRY(ms_finding_add(out, full >= number ? "O4" : "O5", top, line, ms_whole(together), 0.8, &f));
    f->site = line == MS_NONE ? MS_NONE : ms_site_top(&e->process[top], line, "inherited_bytes");
    f->saves = f->bytes;
    ms_finding_fact(f, "number", number);
    ms_finding_fact(f, "inherited", inherited);
    ms_finding_fact(f, "collections", full);
    ms_finding_fact(f, "line_bytes", line == MS_NONE ? 0 : (double)e->process[top].lines[line].inherited_bytes);
    return MS_OK;
}

static ms_err pages(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    double rss = (double)p->end.rss, empty = (double)p->huge_empty;
    ms_finding *f;
    if (p->end.known && empty >= fmax(EMPTY_BYTES, EMPTY_OF_RSS * rss) && empty >= EMPTY_SHARE * (double)p->huge) {
        MS_TRY(ms_finding_add(out, "O6", at, MS_NONE, p->huge_empty, 0.7, &f));
        f->saves = f->bytes;
        ms_finding_fact(f, "rss", rss);
        ms_finding_fact(f, "huge", (double)p->huge);
    }
    if ((double)p->shm_left >= LEFT_BYTES) {
        MS_TRY(ms_finding_add(out, "O7", at, MS_NONE, p->shm_left, 0.9, &f));
        f->saves = f->bytes;
    }
    return MS_OK;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++)
        MS_TRY(not_given_back(e, at, out));
    for (uint32_t at = 0; at < e->nprocess; at++)
        MS_TRY(pages(e, at, out));
    return copied(e, out);
}

static const ms_rule rules[] = {
    {"O1", MS_VERDICT_ALLOCATOR}, {"O2", MS_VERDICT_ALLOCATOR}, {"O3", MS_VERDICT_ALLOCATOR}, {"O4", MS_VERDICT_RETENTION},
    {"O5", MS_VERDICT_RETENTION}, {"O6", MS_VERDICT_ALLOCATOR}, {"O7", MS_VERDICT_LEAK},
};
const ms_check ms_check_system = {.principle = 8, .name = "system", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "does what the program freed go back to the system, and is what it holds there its own?"};
