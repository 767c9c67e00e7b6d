/* findings.c -- the list of findings, the list of checks, and the order of both. */
#include "checks/checks.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const ms_check *const ms_checks[] = {
    &ms_check_leaks, &ms_check_cycles, &ms_check_release, &ms_check_pools, &ms_check_lifecycle, &ms_check_needless, &ms_check_compact,
    &ms_check_system,
};
const uint32_t ms_checks_count = sizeof ms_checks / sizeof *ms_checks;

const char *ms_verdict_name(ms_verdict v)
{
    static const char *const names[] = {[MS_VERDICT_LEAK] = "leak", [MS_VERDICT_NOT_YOURS] = "not yours", [MS_VERDICT_CYCLIC] = "cyclic",
                                        [MS_VERDICT_RETENTION] = "retention", [MS_VERDICT_ALLOCATOR] = "allocator", [MS_VERDICT_CHURN] = "churn"};
    return v >= MS_VERDICT_LEAK && v <= MS_VERDICT_CHURN ? names[v] : "";
}

const ms_rule *ms_rule_find(const char *id, const ms_check **check)
{
    for (uint32_t i = 0; i < ms_checks_count; i++)
        for (uint32_t k = 0; k < ms_checks[i]->nrules; k++)
            if (strcmp(ms_checks[i]->rules[k].id, id) == 0) {
                if (check)
                    *check = ms_checks[i];
                return &ms_checks[i]->rules[k];
            }
    return NULL;
}

void ms_findings_open(ms_findings *f)
{
    *f = (ms_findings){.spread = MS_NONE};
}

void ms_findings_close(ms_findings *f)
{
    ms_sys_free(f->finding, f->room * sizeof *f->finding);
    ms_sys_free(f->step, f->step_room * sizeof *f->step);
    ms_sys_free(f->slope, f->slope_room * sizeof *f->slope);
    *f = (ms_findings){.spread = MS_NONE};
}

ms_err ms_finding_add(ms_findings *f, const char *rule, uint32_t process, uint32_t line, uint64_t bytes, double confidence, ms_finding **out)
{
    const ms_rule *known = ms_rule_find(rule, NULL);
    if (known == NULL)
        return MS_EINVAL;
    if (f->n == f->room) {
        uint32_t room = f->room ? 2 * f->room : 64;
        ms_finding *more = ms_sys_resize(f->finding, f->room * sizeof *more, room * sizeof *more);
        if (more == NULL)
            return MS_ENOMEM;
        f->finding = more;
        f->room = room;
    }
    *out = &f->finding[f->n++];
    **out = (ms_finding){.rule = known, .verdict = known->verdict, .process = process, .line = line, .site = MS_NONE, .bytes = bytes, .confidence = confidence};
    return MS_OK;
}

ms_err ms_finding_of_line(const ms_evidence *e, ms_findings *out, const char *rule, uint32_t at, uint32_t line, double bytes, double confidence,
                          const char *column)
{
    const ms_process *p = &e->process[at];
    const ms_line *l = &p->lines[line];
    ms_finding *f;
    MS_TRY(ms_finding_add(out, rule, at, line, (uint64_t)bytes, confidence, &f));
    f->flags = MS_NEEDS_SOURCE;
    f->site = ms_site_top(p, line, column);
    ms_finding_fact(f, "allocated", (double)p->allocated_bytes);
    ms_finding_fact(f, "peak", (double)p->peak_bytes);
    ms_finding_fact(f, "all_blocks", (double)p->allocated_blocks);
    ms_finding_fact(f, "cpu", p->cpu);
    ms_finding_fact(f, "blocks", (double)l->allocated_blocks + l->through_blocks);
    ms_finding_fact(f, "line_allocated", (double)l->allocated_bytes + l->through_bytes);
    ms_finding_fact(f, "line_peak", (double)l->peak_bytes + l->through_peak);
    return MS_OK;
}

void ms_finding_fact(ms_finding *f, const char *name, double value)
{
    if (f->nfact < MS_FACTS)
        f->fact[f->nfact++] = (ms_fact){name, value};
}

void ms_finding_text(ms_finding *f, const char *name, const char *format, ...)
{
    va_list args;
    if (f->ntext == MS_TEXTS)
        return;
    ms_text *t = &f->text[f->ntext++];
    t->name = name;
    va_start(args, format);
    vsnprintf(t->value, sizeof t->value, format, args);
    va_end(args);
}

static bool before(const ms_finding *a, const ms_finding *b)
{
    return a->verdict != b->verdict ? a->verdict < b->verdict : a->bytes > b->bytes;
}

static void drop_explained(ms_findings *out)
{
    uint32_t to = 0;
    for (uint32_t i = 0; i < out->n; i++)
        if (!(out->finding[i].flags & MS_EXPLAINED))
            out->finding[to++] = out->finding[i];
    out->n = to;
}

ms_err ms_checks_run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t i = 0; i < ms_checks_count; i++)
        MS_TRY(ms_checks[i]->run(e, out));
    drop_explained(out);
    for (uint32_t i = 1; i < out->n; i++) { /* stable, and few */
        ms_finding f = out->finding[i];
        uint32_t k = i;
        for (; k > 0 && before(&f, &out->finding[k - 1]); k--)
            out->finding[k] = out->finding[k - 1];
        out->finding[k] = f;
    }
    return MS_OK;
}
