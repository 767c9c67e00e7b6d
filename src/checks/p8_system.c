/* p8_system.c -- does memory that the program freed go back to the system?
 *
 * RSS against what is in use, as malloc says: O3 where malloc holds free memory at the end and did so before, O2 where
 * that came from blocks of the sizes that malloc first maps and then, having learnt, takes from its heap, O1 where
 * many threads have a heap of malloc's each. */
#include "checks/checks.h"

#include <math.h>

/* Free in malloc: a quarter of RSS and 16 MiB at the end, and at least half as much at a time before (a moment's
 * free memory is the next moment's work). */
#define FREE_SHARE 0.25
#define FREE_BYTES (16.0 * 1048576)
/* malloc's threshold for mapping a block begins here and learns up to 32 MiB. */
#define MAPPED_LEAST (128.0 * 1024)
#define MAPPED_MOST (32.0 * 1048576)
enum { MANY_THREADS = 8 }; /* malloc makes up to eight heaps for each core; fewer threads than this share little */

/* The line through which most large blocks passed, from `least` bytes on average: they are malloc's. */
static uint32_t large_line(const ms_evidence *e, const ms_process *p, double least)
{
    uint32_t best = MS_NONE;
    double most = 0;
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
    uint32_t late = 0, high = 0;
    for (uint32_t i = 0; i < p->npoint; i++)
        if (p->t[i] >= p->duration * 0.8) {
            late++; /* what malloc holds is asked for at allocations only; RSS is always known */
            high += p->rss[i] - p->python[i] >= held / 2;
        }
    if (late >= 3 && high < late / 2)
        return MS_OK;
    uint32_t line = large_line(e, p, MAPPED_LEAST);
    bool mapped = line != MS_NONE && (double)p->lines[line].freed_bytes / (double)p->lines[line].freed_blocks <= MAPPED_MOST &&
                  (double)p->lines[line].freed_bytes >= held / 2;
    if (line == MS_NONE)
        line = large_line(e, p, 8192);
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
        ms_finding_fact(f, "each", (double)p->lines[line].freed_bytes / (double)p->lines[line].freed_blocks);
    }
    return MS_OK;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++)
        MS_TRY(not_given_back(e, at, out));
    return MS_OK;
}

static const ms_rule rules[] = {{"O1", MS_VERDICT_ALLOCATOR}, {"O2", MS_VERDICT_ALLOCATOR}, {"O3", MS_VERDICT_ALLOCATOR}};
const ms_check ms_check_system = {.principle = 8, .name = "system", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "does what the program freed go back to the system?"};
