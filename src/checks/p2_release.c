/* p2_release.c -- what is held longer than it is needed?
 *
 * All from a snapshot, mostly that of the peak: exceptions that hold their frames (R1, R2), a waiting worker's last
 * job (R3), locals of running frames that are not read any more (R4, with the source), generators begun and not
 * finished (R8), what threads left in their locals or on themselves (R10), small views of large buffers (R11, with the
 * source). */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

/* Worth a finding: 1 MiB and a twentieth of all; a local that its function still has: 4 MiB and a fifth. */
#define HELD_BYTES (1.0 * 1048576)
#define HELD_SHARE 0.05
#define LOCAL_BYTES (4.0 * 1048576)
#define LOCAL_SHARE 0.2
enum { GENERATORS = 100, VIEW_TIMES = 100, MATCH_TIMES = 16 }; /* R11: a match shows a part of its text; a view may show all of its buffer */
/* A thread's own value is what its last job left, and no buffer for the next, if its line made it anew so often. Threads
 * that ended are held for long if they are eight, begun over a quarter of the time. */
#define MADE_ANEW 3.0
#define ENDED_SPAN 0.25
enum { MOST_THREADS = 1024, ENDED = 8 };

/* Where it was raised: the birth of the innermost traceback in the program's own code. */
static uint32_t raised(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t traceback)
{
    const ms_snap *s = v->snap;
    uint32_t best = ms_view_line(p, v, traceback);
    for (int step = 0; step < 1000 && traceback; step++) {
        uint32_t next = 0, line = ms_view_line(p, v, traceback);
        if (ms_line_counts(e, line) && e->whose[line] == MS_OWN)
            best = line;
        for (uint32_t edge = s->first[traceback]; edge < s->first[traceback + 1]; edge++)
            if (MS_SNAP_TARGET(s->to[edge]) && ms_view_is(v, MS_SNAP_TARGET(s->to[edge]), MS_IS(TRACEBACK)))
                next = MS_SNAP_TARGET(s->to[edge]);
        traceback = next;
    }
    return best;
}

static ms_err exceptions(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    double least = fmax(HELD_BYTES, HELD_SHARE * (double)v->live), sum = 0, most = 0;
    uint32_t top = 0, number = 0;
    for (uint32_t i = 1; i <= s->objects; i++) {
        bool alone = ms_view_is(v, i, MS_IS(TRACEBACK) | MS_IS(FRAME)); /* sys.last_traceback holds it beside the exception; who asked for a frame may keep it */
        if (!(alone || s->type_flags[ms_snap_type(s, i)] & MS_SNAP_EXCEPTION) || !ms_snap_holds(s, i) || ms_snap_is_garbage(s, i))
            continue;
        if (alone) {
            uint32_t up = s->idom[i];
            if (up && up <= s->objects && (ms_view_is(v, up, MS_IS(TRACEBACK) | MS_IS(FRAME)) || s->type_flags[ms_snap_type(s, up)] & MS_SNAP_EXCEPTION))
                continue;
            if (ms_view_is(v, i, MS_IS(FRAME)) && (up == 0 || up > s->objects || !ms_view_is(v, up, MS_IS(TUPLE) | MS_IS(LIST) | MS_IS(DICT) | MS_IS(SET) | MS_IS(DEQUE) | MS_IS(ORDERED_DICT))))
                continue; /* a thread has it, a generator, a greenlet: it runs, or will */
        }
        double held = alone ? (double)ms_snap_retained(s, i) : 0; /* by way of the traceback: other things that it holds are its own business */
        uint32_t up = s->idom[i];
        for (uint32_t edge = s->first[i]; !alone && edge < s->first[i + 1]; edge++) { /* a traceback's own next one is a part of it */
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            if (t && s->idom[t] == i && ms_view_is(v, t, MS_IS(TRACEBACK)))
                held = (double)ms_snap_retained(s, t);
        }
        if (held < 4096 || (up && up <= s->objects && s->type_flags[ms_snap_type(s, up)] & MS_SNAP_EXCEPTION))
            continue;
        sum += held;
        number++;
        if (held > most) {
            most = held;
            top = i;
        }
    }
    if (top == 0 || sum < least)
        return MS_OK;
    ms_finding *f;
    uint32_t line = ms_view_is(v, top, MS_IS(TRACEBACK)) ? raised(e, p, v, top) : ms_view_line(p, v, top);
    MS_TRY(ms_finding_add(out, "R1", at, ms_line_counts(e, line) ? line : MS_NONE, (uint64_t)sum, 0.9, &f));
    MS_TRY(ms_finding_way(out, f, p, v, top));
    for (uint32_t i = 0; i < f->nstep; i++)
        if (strcmp(out->step[f->step + i].label, ".last_traceback") == 0 || strcmp(out->step[f->step + i].label, ".last_exc") == 0 ||
            strcmp(out->step[f->step + i].label, ".last_value") == 0)
            f->rule = ms_rule_find("R2", NULL);
    f->saves = f->bytes;
    ms_finding_fact(f, "number", number);
    ms_finding_fact(f, "live", (double)v->live);
    ms_finding_type(f, "type", v, ms_snap_type(s, top));
    return MS_OK;
}

/* R2: what an interactive session showed last, or all that it ever showed. */
static ms_err shown(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    static const char *const names[] = {"_", "__", "___", "Out", "_oh"};
    const ms_process *p = &e->process[at];
    ms_snap *s = v->snap;
    double least = fmax(HELD_BYTES, HELD_SHARE * (double)v->live);
    for (size_t m = 0; m < s->n_modules; m++) {
        uint32_t space = s->module_dict[m];
        for (uint32_t edge = s->first[space]; edge + 1 < s->first[space + 1]; edge += 2) {
            uint32_t value = MS_SNAP_TARGET(s->to[edge + 1]), string;
            bool named = false, session = false;
            if (value == 0 || s->idom[value] != space || (double)ms_snap_retained(s, value) < least || !ms_snap_name(s, MS_SNAP_TARGET(s->to[edge]), &string))
                continue;
            for (size_t i = 0; i < sizeof names / sizeof *names; i++)
                named = named || ms_snap_text_is(s, string, names[i]);
            if (!named)
                continue;
            ms_finding *f;
            uint32_t line = ms_view_line(p, v, value);
            MS_TRY(ms_finding_add(out, "R2", at, ms_line_counts(e, line) ? line : MS_NONE, ms_snap_retained(s, value), 0.8, &f));
            MS_TRY(ms_finding_way(out, f, p, v, value));
            for (uint32_t i = 0; i < f->nstep; i++)
                session = session || strcmp(out->step[f->step + i].type, "module builtins") == 0 || strcmp(out->step[f->step + i].type, "module __main__") == 0;
            if (!session) {
                out->n--;
                continue;
            }
            f->saves = f->bytes;
            ms_finding_fact(f, "number", 1);
            ms_finding_fact(f, "shown", 1);
            ms_finding_fact(f, "live", (double)v->live);
            ms_finding_type(f, "type", v, ms_snap_type(s, value));
        }
    }
    return MS_OK;
}

/* R3 and R4: what a frame alone holds by one of its variables. */
static ms_err locals(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    ms_snap *s = v->snap;
    ms_column node, site;
    if (ms_snap_column(s, "frames", "node", MS_TYPE_U32, NULL, &node) != MS_OK ||
        ms_snap_column(s, "frames", "site", MS_TYPE_U32, NULL, &site) != MS_OK)
        return MS_OK;
    const uint32_t *frames = node.values, *sites = site.values;
    for (uint64_t i = 0; i < node.rows && i < site.rows; i++) {
        uint32_t frame = frames[i], string;
        if (frame <= s->objects || frame >= s->nodes || sites[i] >= s->n_sites)
            continue;
        uint32_t line = MS_NONE, thread = s->idom[frame];
        bool main = thread > s->objects && ms_snap_name(s, thread, &string) && memmem(ms_snap_text(s, string).at, ms_snap_text(s, string).size, "(main)", 6);
        if ((double)ms_snap_retained(s, frame) < HELD_BYTES || (line = ms_view_near(e, &e->process[at], v, sites[i])) == MS_NONE ||
            e->whose[line] != MS_OWN)
            continue;
        for (uint32_t edge = s->first[frame]; edge < s->first[frame + 1]; edge++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            double held = t ? (double)ms_snap_retained(s, t) : 0;
            ms_label label = ms_snap_label(s, frame, edge);
            if (t == 0 || s->idom[t] != frame || label.kind != MS_LABEL_NAMED)
                continue;
            bool job = !main && held >= fmax(HELD_BYTES, HELD_SHARE * (double)v->live);
            bool local = held >= fmax(LOCAL_BYTES, LOCAL_SHARE * (double)v->live);
            for (int k = 0; k < 2; k++) {
                ms_finding *f;
                if (!(k ? local : job))
                    continue;
                MS_TRY(ms_finding_add(out, k ? "R4" : "R3", at, line, (uint64_t)held, 0.8, &f));
                f->flags = MS_NEEDS_SOURCE;
                f->saves = f->bytes;
                ms_finding_fact(f, "live", (double)v->live);
                ms_finding_fact(f, "frame_line", s->site_line[sites[i]]);
                ms_finding_fact(f, "inner", i > 0 && s->idom[frames[i - 1]] == thread); /* a frame of its own is above it */
                ms_snap_string name = ms_snap_text(s, label.value);
                ms_finding_text(f, "local", "%.*s", (int)name.size, name.at ? name.at : "");
                ms_finding_type(f, "type", v, ms_snap_type(s, t));
            }
        }
    }
    return MS_OK;
}

/* R8, R11: many of one kind, by the line that made them. */
static ms_err kinds(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    static const uint64_t wanted[] = {MS_IS(GENERATOR) | MS_IS(COROUTINE) | MS_IS(ASYNC_GENERATOR),
                                      MS_IS(MEMORYVIEW) | MS_IS(MATCH) | MS_IS(ARRAY) | MS_IS(MANAGED_BUFFER)};
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    double least = fmax(HELD_BYTES, HELD_SHARE * (double)v->live);
    size_t size = e->nlines * sizeof(double);
    ms_err err = MS_OK;
    for (int kind = 0; kind < 2 && err == MS_OK && e->nlines; kind++) {
        double *held = ms_sys_alloc(size), *number = ms_sys_alloc(size);
        uint32_t best = MS_NONE, example = 0;
        if (held == NULL || number == NULL)
            err = MS_ENOMEM;
        for (uint32_t i = 1; err == MS_OK && i <= s->objects; i++) {
            uint32_t line = ms_view_is(v, i, wanted[kind]) && ms_snap_holds(s, i) ? ms_view_line(p, v, i) : MS_NONE;
            if (!ms_line_counts(e, line) || ms_snap_is_garbage(s, i))
                continue;
            double bytes = (double)ms_snap_retained(s, i), own = (double)ms_snap_bytes(s, i);
            if (kind && bytes < (ms_view_is(v, i, MS_IS(MATCH)) ? MATCH_TIMES : VIEW_TIMES) * own)
                continue;
            held[line] += bytes;
            number[line]++;
            if (best == MS_NONE || held[line] > held[best]) {
                best = line;
                example = i;
            }
        }
        if (err == MS_OK && best != MS_NONE && held[best] >= least && (kind || number[best] >= GENERATORS)) {
            ms_finding *f;
            err = ms_finding_add(out, kind ? "R11" : "R8", at, best, (uint64_t)held[best], 0.8, &f);
            if (err == MS_OK) {
                f->flags = kind ? MS_NEEDS_SOURCE : 0;
                f->saves = f->bytes;
                ms_finding_fact(f, "number", number[best]);
                ms_finding_fact(f, "live", (double)v->live);
                ms_finding_type(f, "type", v, ms_snap_type(s, example));
                err = ms_finding_way(out, f, p, v, example);
            }
        }
        ms_sys_free(held, size);
        ms_sys_free(number, size);
    }
    return err;
}

/* ---- R10: what threads left behind ---- */

/* How many threads beside the main one wait: their innermost frame is the standard library's. */
static uint32_t idle_threads(const ms_evidence *e, const ms_process *p, ms_view *v)
{
    ms_snap *s = v->snap;
    ms_column node, site;
    uint32_t thread[MOST_THREADS], n = 0, idle = 0, string;
    if (ms_snap_column(s, "frames", "node", MS_TYPE_U32, NULL, &node) != MS_OK ||
        ms_snap_column(s, "frames", "site", MS_TYPE_U32, NULL, &site) != MS_OK)
        return 0;
    for (uint64_t i = 0; i < node.rows && i < site.rows; i++) {
        uint32_t frame = ((const uint32_t *)node.values)[i], where = ((const uint32_t *)site.values)[i], k = 0;
        if (frame <= s->objects || frame >= s->nodes || where >= s->n_sites)
            continue;
        uint32_t up = s->idom[frame], line;
        if (up <= s->objects || (ms_snap_name(s, up, &string) && memmem(ms_snap_text(s, string).at, ms_snap_text(s, string).size, "(main)", 6)))
            continue;
        while (k < n && thread[k] != up)
            k++;
        if (k < n || n == MOST_THREADS)
            continue; /* an outer frame */
        thread[n++] = up;
        line = ms_view_near(e, p, v, where);
        idle += line != MS_NONE && e->whose[line] == MS_STANDARD;
    }
    return idle;
}

typedef struct {
    double   bytes;
    uint32_t number, example;
} left_sum;

static ms_err tell_left(const ms_evidence *e, uint32_t at, ms_view *v, uint32_t line, const left_sum *x, bool ended, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "R10", at, line, ms_whole(x->bytes), 0.8, &f));
    f->site = line == MS_NONE ? MS_NONE : ms_site_top(p, line, "live_bytes");
    f->saves = f->bytes;
    ms_finding_fact(f, "number", x->number);
    ms_finding_fact(f, "ended", ended);
    ms_finding_fact(f, "live", (double)v->live);
    ms_finding_type(f, "type", v, ms_snap_type(v->snap, x->example));
    return ms_finding_way(out, f, p, v, x->example);
}

/* Values in thread-locals of threads that wait: by the line that makes them anew for each job. */
static ms_err thread_locals(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    double least = fmax(HELD_BYTES, HELD_SHARE * (double)v->live);
    size_t size = e->nlines * sizeof(left_sum);
    uint32_t best = MS_NONE;
    left_sum *sum = NULL;
    ms_err err = MS_OK;
    for (uint32_t i = 1; i <= s->objects; i++) {
        if (!ms_view_is(v, i, MS_IS(LOCAL)) || (double)ms_snap_retained(s, i) < least)
            continue;
        if (sum == NULL && (sum = ms_sys_alloc(size)) == NULL) {
            err = MS_ENOMEM;
            break;
        }
        for (uint32_t edge = s->first[i]; edge < s->first[i + 1]; edge++) { /* by thread -> its dict -> its values */
            uint32_t threads = MS_SNAP_TARGET(s->to[edge]);
            if (threads == 0 || !ms_view_is(v, threads, MS_IS(DICT)) || s->idom[threads] != i)
                continue;
            for (uint32_t k = s->first[threads] + 1; k < s->first[threads + 1]; k += 2) {
                uint32_t own = MS_SNAP_TARGET(s->to[k]);
                if (own == 0 || !ms_view_is(v, own, MS_IS(DICT)))
                    continue;
                for (uint32_t j = s->first[own] + 1; j < s->first[own + 1]; j += 2) {
                    uint32_t value = MS_SNAP_TARGET(s->to[j]), line = value ? ms_view_line(p, v, value) : MS_NONE;
                    if (!ms_line_counts(e, line) || s->idom[value] != own)
                        continue;
                    sum[line].bytes += (double)ms_snap_retained(s, value);
                    sum[line].number++;
                    sum[line].example = value;
                    if (best == MS_NONE || sum[line].bytes > sum[best].bytes)
                        best = line;
                }
            }
        }
    }
    if (err == MS_OK && best != MS_NONE && sum[best].bytes >= least &&
        (double)p->lines[best].allocated_bytes + p->lines[best].through_bytes >= MADE_ANEW * sum[best].bytes &&
        idle_threads(e, p, v) >= sum[best].number)
        err = tell_left(e, at, v, best, &sum[best], false, out);
    ms_sys_free(sum, size);
    return err;
}

/* Thread objects that ran, and are held with what they carry: threading itself knows all (_dangling), and which run. */
static ms_err ended_threads(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    uint32_t known = ms_view_variable(v, "threading", "_dangling"), active = ms_view_variable(v, "threading", "_active");
    if (known == 0 || active == 0 || !ms_view_is(v, active, MS_IS(DICT)))
        return MS_OK;
    uint32_t space = ms_snap_namespace_of(s, known), set = 0;
    for (int level = 0; level < 2 && set == 0; level++) { /* WeakSet.data: an inline value or an entry of __dict__ */
        uint32_t owner = level ? space : known;
        for (uint32_t edge = owner ? s->first[owner] : 0; owner && edge < s->first[owner + 1] && set == 0; edge++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            if (t && ms_view_is(v, t, MS_IS(SET)) && s->first[t + 1] - s->first[t] > 0)
                set = t;
        }
    }
    left_sum sum = {0};
    double most = 0, first = s->epoch, last = 0;
    for (uint32_t edge = set ? s->first[set] : 0; set && edge < s->first[set + 1]; edge++) {
        uint32_t ref = MS_SNAP_TARGET(s->to[edge]), thread = 0;
        for (uint32_t w = ref ? s->first[ref] : 0; ref && w < s->first[ref + 1]; w++)
            if (MS_SNAP_KIND(s->to[w]) == MS_SNAP_WEAK)
                thread = MS_SNAP_TARGET(s->to[w]);
        bool runs = thread == 0 || thread > s->objects || ms_snap_is_garbage(s, thread);
        for (uint32_t k = s->first[active] + 1; !runs && k < s->first[active + 1]; k += 2)
            runs = MS_SNAP_TARGET(s->to[k]) == thread;
        if (runs || !ms_snap_holds(s, thread))
            continue;
        double bytes = (double)ms_snap_retained(s, thread);
        sum.bytes += bytes;
        sum.number++;
        first = fmin(first, ms_snap_id(s->birth, thread));
        last = fmax(last, ms_snap_id(s->birth, thread));
        if (bytes > most) {
            most = bytes;
            sum.example = thread;
        }
    }
    if (sum.number < ENDED || last - first < ENDED_SPAN * (double)s->epoch || sum.bytes < fmax(HELD_BYTES, HELD_SHARE * (double)v->live))
        return MS_OK;
    for (uint32_t i = 0; i < out->n; i++) /* a list of them that grows is told already */
        for (uint32_t k = 0; k < out->finding[i].ntext; k++)
            if (out->finding[i].process == at && strcmp(out->finding[i].text[k].name, "value") == 0 &&
                ms_snap_text_is(v->snap, v->snap->type_name[ms_snap_type(v->snap, sum.example)], out->finding[i].text[k].value))
                return MS_OK;
    uint32_t line = ms_view_line(p, v, sum.example);
    return tell_left(e, at, v, ms_line_counts(e, line) ? line : MS_NONE, &sum, true, out);
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++) {
        const ms_process *p = &e->process[at];
        uint32_t before = out->n;
        for (uint32_t k = 0; k < p->nview && out->n == before; k++) {
            MS_TRY(exceptions(e, at, p->view[k], out));
            MS_TRY(shown(e, at, p->view[k], out));
            MS_TRY(locals(e, at, p->view[k], out));
            MS_TRY(kinds(e, at, p->view[k], out));
        }
        before = out->n;
        for (uint32_t k = 0; k < p->nview && e->nlines && out->n == before; k++) { /* whatever the first one shows else */
            MS_TRY(thread_locals(e, at, p->view[k], out));
            MS_TRY(ended_threads(e, at, p->view[k], out));
        }
    }
    return MS_OK;
}

static const ms_rule rules[] = {
    {"R1", MS_VERDICT_RETENTION}, {"R2", MS_VERDICT_RETENTION}, {"R3", MS_VERDICT_RETENTION},
    {"R4", MS_VERDICT_RETENTION}, {"R8", MS_VERDICT_RETENTION}, {"R10", MS_VERDICT_RETENTION}, {"R11", MS_VERDICT_RETENTION},
};
const ms_check ms_check_release = {.principle = 2, .name = "release", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "what is held longer than it is needed, and by whom?"};
