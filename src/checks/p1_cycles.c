/* p1_cycles.c -- which objects can only the garbage collector free, and which reference would end that?
 *
 * From a recording: bytes freed inside collections, by line of birth (C8). Memory that was dead and waited is what
 * one collection reclaimed; a collector that works much is its share of the run. */
#include "checks/checks.h"

#include <math.h>

/* Dead and waiting: from 4 MiB on (a young generation's worth of large objects is normal) and a fifth of the peak. */
#define WAITING_BYTES (4u << 20)
#define WAITING_SHARE 0.2
/* Or the collector works a tenth of the run, and frees a fifth of all bytes that are freed. */
#define COLLECTOR_TIME 0.1
#define COLLECTOR_SHARE 0.2

static ms_err waiting(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    double took = 0, most = 0, count = 0;
    uint64_t when = 0;
    for (uint32_t i = 0; i < p->ncollection; i++) {
        took += (double)p->collections[i].duration_ns / 1e9;
        count += (double)p->collections[i].count;
        if ((double)p->collections[i].reclaimed > most) {
            most = (double)p->collections[i].reclaimed;
            when = p->collections[i].t_ns;
        }
    }
    bool much = most >= fmax(WAITING_BYTES, WAITING_SHARE * (double)p->peak_bytes);
    bool busy = p->duration > 0 && took >= COLLECTOR_TIME * p->duration && p->gc_freed_bytes >= WAITING_BYTES &&
                (double)p->gc_freed_bytes >= COLLECTOR_SHARE * (double)p->freed_bytes;
    uint32_t line = ms_line_top(e, p, offsetof(ms_line, gc_freed_bytes));
    if (!(much || busy) || line == MS_NONE)
        return MS_OK;
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "C8", at, line, much ? (uint64_t)most : p->gc_freed_bytes, 0.9, &f));
    f->site = ms_site_top(p, line, "gc_freed_bytes");
    ms_finding_fact(f, "waiting", much ? most : 0);
    ms_finding_fact(f, "when_ns", (double)when);
    ms_finding_fact(f, "by_collector", (double)p->gc_freed_bytes);
    ms_finding_fact(f, "freed", (double)p->freed_bytes);
    ms_finding_fact(f, "peak", (double)p->peak_bytes);
    ms_finding_fact(f, "line_bytes", (double)p->lines[line].gc_freed_bytes);
    ms_finding_fact(f, "collections", count);
    ms_finding_fact(f, "collector_s", took);
    f->saves = much ? (uint64_t)most : 0;
    return MS_OK;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t i = 0; i < e->nprocess; i++)
        MS_TRY(waiting(e, i, out));
    return MS_OK;
}

static const ms_rule rules[] = {{"C8", MS_VERDICT_CYCLIC}};
const ms_check ms_check_cycles = {.principle = 1, .name = "cycles", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "which objects can only the garbage collector free, and which reference would end that?"};
