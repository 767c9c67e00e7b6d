/* p1_cycles.c -- which objects can only the garbage collector free, and which reference would end that?
 *
 * From a recording: bytes freed inside collections, by line of birth (C8). Memory that was dead and waited is what
 * one collection reclaimed; a collector that works much is its share of the run.
 *
 * A snapshot has the circles themselves, dead and alive, alike ones merged to forms. Of these, the one whose members are
 * born in the lines that the collector frees takes C8's place, under the rule that its members tell: a traceback and a
 * frame, a bound method, a class. The reference to cut is the one that leads back to an owner (graph.h). */
#include "checks/checks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Dead and waiting: from 8 MiB on (a young generation's worth of large objects is normal, and libraries make some: a
 * tokenizer's closures, a parser's tree) and three tenths of the peak. */
#define WAITING_BYTES (8.0 * 1048576)
#define WAITING_SHARE 0.3
#define LIBRARY_SHARE 0.4
/* Or three tenths of all that is freed, and 32 MiB, only the collector frees: then most of what the program makes is in
 * circles, however soon they are found. Of a short run as much for each second of it, and 8 MiB; of its own classes a fifth. */
#define CIRCLES_SHARE 0.3
#define CIRCLES_OWN 0.2
#define CIRCLES_ERRORS 0.1
#define CIRCLES_BYTES (32.0 * 1048576)
#define CIRCLES_LEAST (8.0 * 1048576)
/* Or so much, 32 MiB for each second, is nine tenths of what the program's own lines free of all that outlived a tick of the clock. */
#define OUTLIVED_SHARE 0.9
/* Or the collector works a tenth of the run, and not for nothing: it frees 64 MiB, and a twentieth of all bytes freed. */
#define COLLECTOR_TIME 0.1
#define COLLECTOR_SHARE 0.05
#define COLLECTOR_BYTES (64.0 * 1048576)

/* A library's tree whose children know their parent is so by design: from so much of it on that waits, or where the collector is
 * busy with it, is it worth a finding. */
#define TREES_BYTES (64.0 * 1048576)

static bool busy(const ms_evidence *e, const ms_process *p, bool own, double share)
{
    double enough = own ? fmin(CIRCLES_BYTES, fmax(CIRCLES_LEAST, CIRCLES_BYTES * ms_process_own(p, p->duration))) : CIRCLES_BYTES, took = 0, freed = (double)p->gc_freed_bytes, all = (double)p->freed_bytes;
    for (uint32_t i = 0; i < e->nlines; i++) /* what imports dropped says nothing of the work */
        all -= ms_line_counts(e, i) ? 0 : (double)(p->lines[i].freed_bytes - fmin(p->lines[i].freed_bytes, p->lines[i].gc_freed_bytes));
    for (uint32_t i = 0; i < p->ncollection; i++)
        took += (double)p->collections[i].duration_ns / 1e9;
    return (p->duration > 0 && took >= COLLECTOR_TIME * ms_process_own(p, p->duration) && freed >= COLLECTOR_BYTES && freed >= COLLECTOR_SHARE * (double)p->freed_bytes) ||
           freed >= fmax(enough, share * all);
}

/* Where the figures alone are not enough, the circle that has to be found in a snapshot: one with a class of the program's own; or
 * exceptions that hold the frames they come from: nobody ties these on purpose, so a tenth of what is freed is enough,
 * a library's, too, if they come out of it. */
typedef enum { ANY, OWN, ERRORS } needed;

/* Whether what the program's own lines make dies at once, or by the collector. Such a line may be a few among many: a snapshot has to
 * show the circle. */
static bool all_that_outlived(const ms_evidence *e, const ms_process *p)
{
    double freed = 0, outlived = 0;
    for (uint32_t i = 0; i < e->nlines; i++)
        if (ms_line_counts(e, i) && e->whose[i] == MS_OWN) {
            const ms_line *l = &p->lines[i];
            freed += (double)l->gc_freed_bytes;
            outlived += fmax((double)l->gc_freed_bytes, (double)l->freed_bytes - fmin((double)l->freed_bytes, (double)l->temporary_bytes));
        }
    return freed >= fmax(CIRCLES_LEAST, CIRCLES_BYTES * ms_process_own(p, p->duration)) && freed >= OUTLIVED_SHARE * outlived;
}

static ms_err waiting(const ms_evidence *e, uint32_t at, ms_findings *out, needed *circle)
{
    const ms_process *p = &e->process[at];
    double took = 0, most = 0, count = 0;
    for (uint32_t i = 0; i < p->ncollection; i++) {
        took += (double)p->collections[i].duration_ns / 1e9;
        count += (double)p->collections[i].count;
        most = fmax(most, (double)p->collections[i].reclaimed);
    }
    uint32_t line = ms_line_top(e, p, offsetof(ms_line, gc_freed_bytes));
    bool own = line != MS_NONE && e->whose[line] == MS_OWN; /* what a library makes inside has to be more */
    bool much = most >= fmax(WAITING_BYTES, (own ? WAITING_SHARE : LIBRARY_SHARE) * (double)p->peak_bytes);
    bool enough = much || busy(e, p, own, own ? CIRCLES_OWN : CIRCLES_SHARE);
    *circle = enough || line == MS_NONE ? ANY : all_that_outlived(e, p) ? OWN : busy(e, p, true, CIRCLES_ERRORS) ? ERRORS : ANY;
    if (!(enough || *circle != ANY) || line == MS_NONE)
        return MS_OK;
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "C8", at, line, much ? (uint64_t)most : p->gc_freed_bytes, 0.9, &f));
    f->site = ms_site_top(p, line, "gc_freed_bytes");
    ms_finding_fact(f, "waiting", much ? most : 0);
    ms_finding_fact(f, "by_collector", (double)p->gc_freed_bytes);
    ms_finding_fact(f, "freed", (double)p->freed_bytes);
    ms_finding_fact(f, "peak", (double)p->peak_bytes);
    ms_finding_fact(f, "line_bytes", (double)p->lines[line].gc_freed_bytes);
    ms_finding_fact(f, "collections", count);
    ms_finding_fact(f, "collector_s", took);
    ms_finding_fact(f, "duration", ms_process_own(p, p->duration));
    f->saves = much ? (uint64_t)most : 0;
    return MS_OK;
}

/* ---- with a snapshot: the circle ---- */

enum { MOST_LOOP = 12, MOST_FORMS = 200, MOST_LINES = 32, MOST_NODES = 400, SLOTS = 1024 };
/* Dead at the moment of the snapshot, when no collection told: as much as for one that did. */
#define DEAD_BYTES (8.0 * 1048576)
#define DEAD_SHARE 0.3
#define CLASSES_BYTES (1.0 * 1048576) /* C6: classes made at run time that are kept: 1 MiB, a tenth of what lives, and 100 of them */
#define CLASSES_SHARE 0.1
enum { CLASSES = 100 };
#define RESOURCES (MS_IS(SOCKET) | MS_IS(SSL_SOCKET) | MS_IS(FILE) | MS_IS(TEXT_FILE) | MS_IS(READER) | MS_IS(WRITER) | MS_IS(RANDOM))
enum { LOOKED = 3 };           /* collections beyond the young ones */
enum { LEAST_RESOURCES = 20 }; /* C9: dead circles with a file or socket each. Descriptors run out by number, whatever their bytes */

/* The member by which a circle is entered: the others lie below it. 0: there is none. */
static uint32_t top_of(const ms_view *v, uint32_t cycle)
{
    const ms_snap *s = v->snap;
    uint32_t top = 0;
    for (uint32_t k = v->cycles->first[cycle]; k < v->cycles->first[cycle + 1]; k++) {
        uint32_t member = v->cycles->node[k];
        if (ms_snap_holds(s, member) && (top == 0 || ms_snap_retained(s, member) > ms_snap_retained(s, top)))
            top = member;
    }
    return top;
}

/* Whether a circle holds a file or socket that nobody else does. */
static bool open_end(const ms_view *v, uint32_t cycle)
{
    const ms_snap *s = v->snap;
    uint32_t top = top_of(v, cycle);
    for (uint32_t k = v->cycles->first[cycle]; top && k < v->cycles->first[cycle + 1]; k++) {
        uint32_t node = v->cycles->node[k];
        for (uint32_t e = s->first[node]; e < s->first[node + 1] && e - s->first[node] < 64; e++) {
            uint32_t t = MS_SNAP_TARGET(s->to[e]);
            if (t && ms_view_is(v, t, RESOURCES) && ms_view_inside(v, top, t))
                return true;
        }
    }
    return false;
}

/* Which rule a circle falls under, by the kinds of its members. */
static const char *which(const ms_view *v, uint32_t cycle)
{
    const ms_snap *s = v->snap;
    bool frame = false, exception = false, method = false, class = false, finalizer = false, function = false, hidden = false, plain = true;
    for (uint32_t k = v->cycles->first[cycle]; k < v->cycles->first[cycle + 1]; k++) {
        uint32_t node = v->cycles->node[k], type = ms_snap_type(s, node), flags = s->type_flags[type];
        frame = frame || ms_view_is(v, node, MS_IS(FRAME) | MS_IS(TRACEBACK));
        exception = exception || flags & MS_SNAP_EXCEPTION;
        method = method || ms_view_is(v, node, MS_IS(METHOD));
        function = function || ms_view_is(v, node, MS_IS(FUNCTION) | MS_IS(CELL));
        class = class || ms_view_is(v, node, MS_IS(TYPE) | MS_IS(ABC_META));
        finalizer = finalizer || (flags & MS_SNAP_FINALIZER && flags & MS_SNAP_HEAP_TYPE);
        hidden = hidden || (!(flags & (MS_SNAP_TRACKED | MS_SNAP_PSEUDO)) && !ms_view_is(v, node, MS_IS(TYPE)));
        plain = plain && ms_view_is(v, node, MS_IS(DICT) | MS_IS(LIST) | MS_IS(TUPLE) | MS_IS(SET) | MS_IS(ORDERED_DICT) | MS_IS(DEFAULT_DICT) | MS_IS(DEQUE));
    }
    return hidden ? "C5" : frame && exception ? "C1" : frame ? "C4" : class ? "C6" : method ? "C3" : finalizer ? "Y5" : open_end(v, cycle) ? "C9"
         : function ? "C4" : plain ? "C8" : "C2"; /* dicts and lists have no class to give a weak reference to */
}

/* What the collector frees of the lines where a form's example, and what lies below it, is born. */
static double freed_of(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t cycle)
{
    const ms_snap *s = v->snap;
    uint32_t lines[MOST_LINES], n = 0, node[MOST_NODES], nodes = 0, seen[SLOTS] = {0}, top = top_of(v, cycle);
    double freed = 0;
    for (uint32_t k = v->cycles->first[cycle]; k < v->cycles->first[cycle + 1] && nodes < MOST_NODES / 4; k++)
        node[nodes++] = v->cycles->node[k];
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t line = ms_view_line(p, v, node[i]), k = 0;
        while (k < n && lines[k] != line)
            k++;
        if (k == n && n < MOST_LINES && ms_line_counts(e, line)) {
            lines[n++] = line;
            freed += (double)p->lines[line].gc_freed_bytes;
        }
        for (uint32_t edge = s->first[node[i]]; top && edge < s->first[node[i] + 1] && nodes < MOST_NODES && edge - s->first[node[i]] < 32; edge++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]), slot = t * 2654435761u % SLOTS;
            if (t == 0 || !ms_view_inside(v, top, t))
                continue;
            while (seen[slot] && seen[slot] != t)
                slot = (slot + 1) % SLOTS;
            if (seen[slot] == 0)
                node[nodes++] = seen[slot] = t;
        }
    }
    return freed;
}

/* Whether the circle's objects are of a library's classes, and none of the program's. */
static bool of_library(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t cycle)
{
    const ms_snap *s = v->snap;
    bool library = false;
    for (uint32_t k = v->cycles->first[cycle]; k < v->cycles->first[cycle + 1]; k++) {
        uint32_t type = ms_snap_type(s, v->cycles->node[k]), class = s->type_node[type];
        if (!(s->type_flags[type] & MS_SNAP_HEAP_TYPE) || class == 0 || class > s->objects)
            continue;
        uint32_t line = ms_view_line(p, v, class);
        if (line < e->nlines && e->whose[line] == MS_OWN)
            return false;
        library = true;
    }
    return library;
}

/* In a dead circle nobody is held by the other alone, so the walk may begin anywhere. The reference back to an owner is told by its name,
 * or as the one that an object with a finalizer has: the step to begin with, or 0. */
static uint32_t back_reference(const ms_view *v, const ms_findings *out, const ms_finding *f, const uint32_t *edge, const char *rule)
{
    static const char *const owners[] = {"parent", "owner", "root", "container", "manager", "master"};
    ms_graph g = ms_snap_graph(v->snap);
    for (uint32_t i = 0; i < f->nstep; i++) {
        const char *label = out->step[f->step + i].label, *name = label + strspn(label, "._['");
        for (size_t k = 0; k < sizeof owners / sizeof *owners; k++) {
            size_t length = strlen(owners[k]);
            if (strncmp(name, owners[k], length) == 0 && strspn(name + length, "']_") == strlen(name + length))
                return i;
        }
    }
    for (uint32_t i = 0; strcmp(rule, "Y5") == 0 && i < f->nstep; i++)
        if (v->snap->type_flags[ms_snap_type(v->snap, ms_edge_owner(&g, edge[i]))] & MS_SNAP_FINALIZER)
            return i;
    return 0;
}

/* Write the circle into f: rule (where the caller names none, what the members tell), the reference to cut, the steps. */
static ms_err tell_circle(const ms_evidence *e, uint32_t at, ms_view *v, const ms_form *form, const char *rule, ms_findings *out, ms_finding *f)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    ms_graph g = ms_snap_graph(s);
    ms_cut *cut = NULL;
    uint32_t cuts = 0, loop[MOST_LOOP], n = 0;
    size_t room = 0;
    MS_TRY(ms_cycle_cut(&g, v->cycles, form->example, s->idom, &cut, &cuts, &room));
    uint32_t edge = cuts ? cut[0].edge : MS_NONE;
    ms_sys_free(cut, room);
    if (edge == MS_NONE)
        return MS_OK;
    MS_TRY(ms_cycle_loop(&g, v->cycles, form->example, edge, MOST_LOOP, loop, &n));
    uint32_t first = 0; /* begin with the reference to cut */
    for (uint32_t i = 0; i < n && i < MOST_LOOP; i++)
        first = loop[i] == edge ? i : first;
    uint32_t turned[MOST_LOOP];
    n = n < MOST_LOOP ? n : MOST_LOOP;
    for (uint32_t i = 0; i < n; i++)
        turned[i] = loop[(first + i) % n];
    rule = rule ? rule : which(v, form->example);
    if (strcmp(rule, "C2") == 0 && of_library(e, p, v, form->example) && (double)f->bytes < TREES_BYTES && !busy(e, p, false, CIRCLES_SHARE)) {
        out->finding[f - out->finding] = out->finding[--out->n]; /* f may have been the last */
        return MS_OK;
    }
    f->rule = ms_rule_find(rule, NULL);
    if (strcmp(rule, "C8") == 0) { /* no attribute closes it: the line that made its youngest member does */
        uint32_t youngest = v->cycles->node[v->cycles->first[form->example]];
        for (uint32_t k = v->cycles->first[form->example]; k < v->cycles->first[form->example + 1]; k++)
            if (ms_snap_id(s->birth, v->cycles->node[k]) > ms_snap_id(s->birth, youngest) ||
                (ms_snap_id(s->birth, v->cycles->node[k]) == ms_snap_id(s->birth, youngest) && ms_line_counts(e, ms_view_line(p, v, v->cycles->node[k])) &&
                 p->lines[ms_view_line(p, v, v->cycles->node[k])].gc_freed_blocks > (ms_line_counts(e, ms_view_line(p, v, youngest)) ? p->lines[ms_view_line(p, v, youngest)].gc_freed_blocks : 0)))
                youngest = v->cycles->node[k];
        uint32_t line = ms_view_line(p, v, youngest);
        if (ms_line_counts(e, line) && e->whose[line] == MS_OWN) {
            f->line = line;
            f->site = ms_site_top(p, line, "gc_freed_blocks");
        }
    }
    MS_TRY(ms_finding_circle(out, f, p, v, turned, n));
    uint32_t begin = form->garbage && (strcmp(rule, "C2") == 0 || strcmp(rule, "Y5") == 0) ? back_reference(v, out, f, turned, rule) : 0;
    if (begin) {
        for (uint32_t i = 0; i < n; i++)
            loop[i] = turned[(begin + i) % n];
        out->nstep = f->step; /* told anew */
        MS_TRY(ms_finding_circle(out, f, p, v, loop, n));
    }
    ms_finding_fact(f, "circles", (double)form->count);
    ms_finding_fact(f, "dead", form->garbage);
    if (!form->garbage)
        return MS_OK;
    MS_TRY(ms_pages_begin(v)); /* what-if: the reference weak. All that is dead would have gone at once */
    for (uint32_t i = 1; i <= s->objects; i++)
        if (ms_snap_is_garbage(s, i))
            ms_pages_drop(v, i);
    ms_finding_fact(f, "returns", ms_pages_back(v));
    return MS_OK;
}

/* Whether these are data that was in use while it was made, and died together, as what main() held does at its end: a few
 * collections looked at what the line had made before, freed nothing of it, and now all of it is dead. Nothing waited, then. */
static bool died_at_last(const ms_evidence *e, const ms_process *p, const ms_view *v, const ms_form *form, uint32_t line)
{
    const ms_snap *s = v->snap;
    uint32_t first = s->epoch, last = 0;
    double dead = 0, all = 0, looked = 0, tick = (double)ms_snap_info(s, "epoch_ns", 10000000) / 1e9;
    for (uint32_t i = 1; i <= s->objects; i++) {
        if (ms_view_line(p, v, i) != line)
            continue;
        all++;
        if (!ms_snap_is_garbage(s, i))
            continue;
        dead++;
        first = ms_view_birth(v, i) < first ? ms_view_birth(v, i) : first;
        last = ms_view_birth(v, i) > last ? ms_view_birth(v, i) : last;
    }
    for (uint32_t i = 0; i < p->ncollection; i++) {
        double own = ms_process_own(p, (double)p->collections[i].t_ns / 1e9);
        looked += p->collections[i].generation && own > first * tick && own < last * tick ? (double)p->collections[i].count : 0;
    }
    bool data = strcmp(which(v, form->example), "C2") == 0 || strcmp(which(v, form->example), "C8") == 0;
    return data && looked >= LOOKED && dead >= 0.95 * all && freed_of(e, p, v, form->example) < 0.05 * (double)form->sum.retained;
}

/* Whether the frames in a circle of exceptions are the program's, too: the error came as far, and holds what these work on. What a parser
 * tries and gives up inside of itself, as it goes, does not. */
static bool came_out(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t cycle)
{
    for (uint32_t k = v->cycles->first[cycle]; k < v->cycles->first[cycle + 1]; k++) {
        uint32_t node = v->cycles->node[k], line = ms_view_is(v, node, MS_IS(FRAME) | MS_IS(TRACEBACK)) ? ms_view_line(p, v, node) : MS_NONE;
        if (ms_line_counts(e, line) && e->whose[line] == MS_OWN)
            return true;
    }
    return false;
}

static ms_err circles(const ms_evidence *e, uint32_t at, needed circle, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    ms_finding *told = NULL;
    for (uint32_t i = 0; i < out->n; i++)
        if (out->finding[i].process == at && strcmp(out->finding[i].rule->id, "C8") == 0)
            told = &out->finding[i];
    double best = 0;
    const ms_form *found = NULL;
    ms_view *in = NULL;
    for (uint32_t k = 0; told && k < p->nview; k++) {
        ms_view *v = p->view[k];
        const ms_forms *forms;
        MS_TRY(ms_view_forms(v, false, &forms));
        for (size_t i = 0; i < forms->n && i < MOST_FORMS; i++) {
            double freed = freed_of(e, p, v, forms->at[i].example) * (forms->at[i].garbage ? 1.01 : 1);
            if (freed > best) {
                best = freed;
                found = &forms->at[i];
                in = v;
            }
        }
    }
    bool errors = found && strcmp(which(in, found->example), "C1") == 0 && came_out(e, p, in, found->example);
    if (circle != ANY && told && !(found && best >= 0.2 * (double)p->gc_freed_bytes && (errors || (circle == OWN && !of_library(e, p, in, found->example))))) {
        out->finding[told - out->finding] = out->finding[--out->n];
        return MS_OK;
    }
    if (found && best >= 0.2 * (double)p->gc_freed_bytes)
        return tell_circle(e, at, in, found, NULL, out, told);
    if (told)
        return MS_OK;
    for (uint32_t k = 0; k < p->nview; k++) { /* nothing was collected, but much is dead */
        ms_view *v = p->view[k];
        const ms_forms *forms;
        if ((double)v->garbage < fmax(DEAD_BYTES, DEAD_SHARE * (double)v->live))
            continue;
        MS_TRY(ms_view_forms(v, true, &forms));
        for (size_t i = 0; i < forms->n && i < MOST_FORMS; i++) {
            const ms_form *form = &forms->at[i];
            uint32_t line = ms_view_line(p, v, v->cycles->node[v->cycles->first[form->example]]);
            if ((double)form->sum.retained < fmax(DEAD_BYTES, (double)v->garbage / 2) || died_at_last(e, p, v, form, line))
                continue;
            ms_finding *f;
            MS_TRY(ms_finding_add(out, "C8", at, ms_line_counts(e, line) ? line : MS_NONE, form->sum.retained, 0.9, &f));
            ms_finding_fact(f, "waiting", (double)v->garbage);
            ms_finding_fact(f, "peak", (double)v->live);
            f->saves = form->sum.retained;
            return tell_circle(e, at, v, form, NULL, out, f);
        }
    }
    return MS_OK;
}

/* C5: dead circles through objects of C types that the collector does not look into are never freed: a leak, however few their bytes,
 * if they were made all along. From 200 of them, 256 KiB and a fiftieth of what lives on. */
#define NEVER_BYTES (256.0 * 1024)
#define NEVER_SHARE 0.02
enum { NEVER = 200 };

static ms_err never_freed(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    for (uint32_t i = 0; i < out->n; i++)
        if (out->finding[i].process == at && strcmp(out->finding[i].rule->id, "C5") == 0)
            return MS_OK;
    for (uint32_t k = 0; k < p->nview; k++) {
        ms_view *v = p->view[k];
        const ms_snap *s = v->snap;
        const ms_forms *forms;
        MS_TRY(ms_view_forms(v, true, &forms));
        for (size_t i = 0; i < forms->n && i < MOST_FORMS; i++) {
            const ms_form *form = &forms->at[i];
            uint32_t member = v->cycles->node[v->cycles->first[form->example]], line = ms_view_line(p, v, member), born[MS_BIRTH_PARTS] = {0}, n = 0;
            if (form->count < NEVER || (double)form->sum.retained < fmax(NEVER_BYTES, NEVER_SHARE * (double)v->live) || !ms_line_counts(e, line) ||
                strcmp(which(v, form->example), "C5") != 0)
                continue;
            for (uint32_t o = 1; o <= s->objects; o++)
                if (ms_snap_type(s, o) == ms_snap_type(s, member) && ms_view_line(p, v, o) == line && ms_snap_is_garbage(s, o)) {
                    born[(uint64_t)ms_view_birth(v, o) * MS_BIRTH_PARTS / ((uint64_t)s->epoch + 1)]++;
                    n++;
                }
            if (n < NEVER || !ms_births_all_along(born, ms_births_begin(born, n), n))
                continue;
            ms_finding *f;
            MS_TRY(ms_finding_add(out, "C5", at, line, form->sum.retained, 0.8, &f));
            ms_finding_fact(f, "waiting", (double)form->sum.retained);
            ms_finding_fact(f, "peak", (double)v->live);
            f->saves = form->sum.retained;
            return tell_circle(e, at, v, form, NULL, out, f);
        }
    }
    return MS_OK;
}

/* C9: what is dead and still open, in whatever kind of circle. Few bytes, but the system has given out a descriptor for each. */
static ms_err open_ends(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_form *most = NULL;
    ms_view *in = NULL;
    for (uint32_t i = 0; i < out->n; i++)
        if (out->finding[i].process == at && strncmp(out->finding[i].rule->id, "C", 1) == 0 && out->finding[i].nstep)
            return MS_OK; /* a circle is told, this one or what it hangs on */
    for (uint32_t k = 0; k < p->nview; k++) {
        ms_view *v = p->view[k];
        const ms_forms *forms;
        MS_TRY(ms_view_forms(v, true, &forms));
        for (size_t i = 0; i < forms->n && i < MOST_FORMS; i++) {
            const ms_form *form = &forms->at[i];
            if (form->count >= LEAST_RESOURCES && (most == NULL || form->count > most->count) && open_end(v, form->example)) {
                most = form;
                in = v;
            }
        }
    }
    if (most == NULL)
        return MS_OK;
    ms_finding *f;
    uint32_t line = ms_view_line(p, in, in->cycles->node[in->cycles->first[most->example]]);
    MS_TRY(ms_finding_add(out, "C9", at, ms_line_counts(e, line) ? line : MS_NONE, most->sum.retained, 0.8, &f));
    ms_finding_fact(f, "waiting", (double)most->sum.retained);
    ms_finding_fact(f, "peak", (double)in->live);
    f->saves = most->sum.retained;
    return tell_circle(e, at, in, most, "C9", out, f);
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Whether a class that a line made was made while the program ran, and is kept. */
static bool made_late(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t node, uint32_t *line)
{
    const ms_snap *s = v->snap;
    if (!ms_view_is(v, node, MS_IS(TYPE) | MS_IS(ABC_META)))
        return false;
    *line = ms_view_line(p, v, node);
    return ms_line_counts(e, *line) && ms_snap_id(s->birth, node) >= s->epoch / 3 && ms_snap_id(s->birth, node) <= s->epoch;
}

/* Whether a line makes classes again and again: half of them have names that ten of them have, or they were born all along.
 * Those of an import that comes late are neither. */
static ms_err again_and_again(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t line, uint32_t number, bool *out)
{
    enum { PARTS = 6, ALIKE = 10 };
    const ms_snap *s = v->snap;
    uint32_t part[PARTS] = {0}, fair = 0, alike = 0, n = 0, of, from = s->epoch / 3, *name = ms_sys_alloc(number * sizeof *name);
    if (name == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 1; i <= s->objects && n < number; i++)
        if (made_late(e, p, v, i, &of) && of == line) {
            part[(uint64_t)(ms_snap_id(s->birth, i) - from) * PARTS / (s->epoch - from + 1)]++;
            name[n] = MS_NONE;
            ms_snap_name(s, i, &name[n++]);
        }
    qsort(name, n, sizeof *name, ascending);
    for (uint32_t i = 0, k; i < n; i = k) {
        for (k = i; k < n && name[k] == name[i]; k++) {
        }
        alike += k - i >= ALIKE && name[i] != MS_NONE ? k - i : 0;
    }
    for (int k = 0; k < PARTS; k++)
        fair += part[k] >= n / PARTS / 4;
    *out = 2 * alike >= n || fair >= PARTS - 1;
    ms_sys_free(name, number * sizeof *name);
    return MS_OK;
}

/* C6: classes that were made while the program ran, and are kept. */
static ms_err classes(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    if (p->nview == 0 || e->nlines == 0)
        return MS_OK;
    ms_view *v = p->view[0];
    const ms_snap *s = v->snap;
    struct made { double held; uint32_t number; } *made = ms_sys_alloc(e->nlines * sizeof *made);
    uint32_t best = MS_NONE, line;
    ms_err err = made ? MS_OK : MS_ENOMEM;
    bool again = false;
    for (uint32_t i = 1; err == MS_OK && i <= s->objects; i++)
        if (made_late(e, p, v, i, &line)) {
            made[line].held += (double)ms_snap_retained(s, i);
            made[line].number++;
            if (best == MS_NONE || made[line].held > made[best].held)
                best = line;
        }
    if (best != MS_NONE && made[best].number >= CLASSES && made[best].held >= fmax(CLASSES_BYTES, CLASSES_SHARE * (double)v->live))
        err = again_and_again(e, p, v, best, made[best].number, &again);
    if (err == MS_OK && again) {
        ms_finding *f;
        err = ms_finding_add(out, "C6", at, best, (uint64_t)made[best].held, 0.9, &f);
        if (err == MS_OK) {
            f->verdict = MS_VERDICT_RETENTION;
            f->saves = f->bytes;
            ms_finding_fact(f, "classes", made[best].number);
            ms_finding_fact(f, "live", (double)v->live);
        }
    }
    ms_sys_free(made, e->nlines * sizeof *made);
    return err;
}

/* What grows inside of the dictionary at the end of f's way is told by f: it says why nothing leaves it. */
static void instead_of_growth(ms_findings *out, ms_finding *f)
{
    for (uint32_t i = 0; i < out->n; i++) {
        ms_finding *other = &out->finding[i];
        bool same = other != f && other->process == f->process && other->verdict == MS_VERDICT_LEAK && other->nstep > f->nstep;
        for (uint32_t k = 0; same && k < f->nstep; k++)
            same = strcmp(out->step[other->step + k].label, out->step[f->step + k].label) == 0 &&
                   strcmp(out->step[other->step + k].type, out->step[f->step + k].type) == 0;
        if (!same || other->flags & MS_EXPLAINED)
            continue;
        other->flags |= MS_EXPLAINED;
        f->verdict = MS_VERDICT_LEAK;
        f->bytes = other->bytes > f->bytes ? other->bytes : f->bytes;
        f->line = f->line == MS_NONE ? other->line : f->line;
        for (uint32_t k = 0; k < other->nfact; k++)
            if (strcmp(other->fact[k].name, "entries") != 0 && strcmp(other->fact[k].name, "live") != 0)
                ms_finding_fact(f, other->fact[k].name, other->fact[k].value);
    }
}

/* C7: a WeakKeyDictionary whose values hold their keys: an entry's key lies below its value. */
static ms_err weak_dicts(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    if (p->nview == 0)
        return MS_OK;
    ms_view *v = p->view[0];
    const ms_snap *s = v->snap;
    for (uint32_t i = 1; i <= s->objects; i++) {
        if (!ms_view_is(v, i, MS_IS(WEAK_KEYS)))
            continue;
        uint32_t data = 0, entries = 0, held = 0, space = ms_snap_namespace_of(s, i);
        for (int level = 0; level < 2 && !data; level++) { /* .data, an inline value or an entry of __dict__ */
            uint32_t owner = level ? space : i;
            for (uint32_t edge = s->first[owner]; owner && edge < s->first[owner + 1]; edge++) {
                uint32_t t = MS_SNAP_TARGET(s->to[edge]);
                if (t && ms_view_is(v, t, MS_IS(DICT)) && s->first[t + 1] - s->first[t] > 200 && t != space)
                    data = t;
            }
        }
        uint64_t bytes = 0;
        for (uint32_t edge = data ? s->first[data] : 0; data && edge + 2 <= s->first[data + 1]; edge += 2) {
            uint32_t ref = MS_SNAP_TARGET(s->to[edge]), value = MS_SNAP_TARGET(s->to[edge + 1]);
            entries++;
            for (uint32_t w = ref ? s->first[ref] : 0; ref && w < s->first[ref + 1]; w++)
                if (MS_SNAP_KIND(s->to[w]) == MS_SNAP_WEAK && value && ms_view_below(v, value, MS_SNAP_TARGET(s->to[w]))) {
                    held++;
                    bytes += ms_snap_retained(s, value);
                    break;
                }
        }
        if (entries < 100 || held < entries / 2)
            continue;
        ms_finding *f;
        uint32_t line = ms_view_line(p, v, i);
        MS_TRY(ms_finding_add(out, "C7", at, ms_line_counts(e, line) ? line : MS_NONE, bytes, 0.9, &f));
        MS_TRY(ms_finding_way(out, f, p, v, i));
        f->saves = bytes;
        ms_finding_fact(f, "entries", entries);
        ms_finding_fact(f, "held", held);
        ms_finding_fact(f, "live", (double)v->live);
        instead_of_growth(out, f);
    }
    return MS_OK;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t i = 0; i < e->nprocess; i++) {
        needed circle = ANY;
        MS_TRY(waiting(e, i, out, &circle));
        MS_TRY(circles(e, i, circle, out));
        MS_TRY(never_freed(e, i, out));
        MS_TRY(open_ends(e, i, out));
        MS_TRY(classes(e, i, out));
        MS_TRY(weak_dicts(e, i, out));
    }
    return MS_OK;
}

static const ms_rule rules[] = {
    {"C1", MS_VERDICT_CYCLIC}, {"C2", MS_VERDICT_CYCLIC}, {"C3", MS_VERDICT_CYCLIC}, {"C4", MS_VERDICT_CYCLIC}, {"C5", MS_VERDICT_CYCLIC},
    {"C6", MS_VERDICT_CYCLIC}, {"C7", MS_VERDICT_RETENTION}, {"C8", MS_VERDICT_CYCLIC}, {"C9", MS_VERDICT_CYCLIC}, {"Y5", MS_VERDICT_CYCLIC},
};
const ms_check ms_check_cycles = {.principle = 1, .name = "cycles", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "which objects can only the garbage collector free, and which reference would end that?"};
