/* checks.h -- from evidence to findings: which rule, which line, how many bytes, how sure.
 *
 *   evidence    what was measured: a recording for each process of a session, and snapshots
 *   check       one principle: a question, its rules, and a function that looks at evidence
 *   rule        one known way for memory to go wrong ("L1"); docs/RULES.md says what each means
 *   finding     a rule met at a line, with bytes, a saving, a confidence, and named numbers (facts)
 *
 * A check reads arrays and nothing else: no heap, no source text, no names of the user's functions.
 * The same evidence gives the same findings, in the same order, on every machine. What takes source
 * text (is this list kept, or consumed by sum()?) is left to the Python layer: a finding that needs
 * it says so (MS_NEEDS_SOURCE), and is dropped there unless the source agrees.
 *
 * Rows of `sites` are grouped into *lines* by the caller (file, line, function, import time), who also
 * says of each line whose code it is, and whether it is a baseline (imports, before Python started)
 * that no finding may name.
 *
 * Cost: one pass over sites, nodes and curves; then what each check says. Nothing in the input is
 * trusted: rows that do not exist, loops of parents, and times that run backwards are left out.
 *
 * Threads: one at a time per evidence and per list of findings. */
#ifndef MS_CHECKS_H
#define MS_CHECKS_H

#include "base/base.h"
#include "graph/answer.h"
#include "store/store.h"

/* ---- rules and checks ---- */

/* What a finding makes of the verdict. The order is that in which they decide it. */
typedef enum {
    MS_VERDICT_LEAK = 1,  /* grows, and does not stop */
    MS_VERDICT_NOT_YOURS, /* grows outside of Python */
    MS_VERDICT_CYCLIC,    /* dead, waiting for the collector */
    MS_VERDICT_RETENTION, /* alive, and need not be, or not so large */
    MS_VERDICT_ALLOCATOR, /* free, and not given back */
    MS_VERDICT_CHURN,     /* allocated and dropped: work, not memory */
} ms_verdict;

const char *ms_verdict_name(ms_verdict v); /* "leak", "not yours", ... */

typedef struct {
    const char *id; /* "L1" */
    ms_verdict  verdict;
} ms_rule;

typedef struct ms_evidence ms_evidence;
typedef struct ms_findings ms_findings;

typedef struct {
    int            principle; /* 1 to 7; 8: the system below Python */
    const char    *name;
    const char    *asks;
    const ms_rule *rules;
    uint32_t       nrules;
    ms_err (*run)(const ms_evidence *e, ms_findings *out);
} ms_check;

extern const ms_check ms_check_cycles, ms_check_release, ms_check_pools, ms_check_leaks, ms_check_lifecycle, ms_check_needless,
    ms_check_compact, ms_check_system;
extern const ms_check *const ms_checks[];
extern const uint32_t        ms_checks_count;

/* The check and the rule of this id; NULL: none. */
const ms_rule *ms_rule_find(const char *id, const ms_check **check);

/* ---- evidence ---- */

enum { MS_AGES = 12 }; /* steps of the histogram of ages: 0, 1, 2-3, 4-7 ... epochs (docs/FORMAT.md) */

/* Whose code a line is. */
enum { MS_OWN = 0, MS_LIBRARY, MS_STANDARD };

/* What one line of the program did, in one process. The `through` figures are estimates from stacks:
 * what was allocated by code outside the program (a library's, the standard library's) on behalf of this
 * line, the nearest one of the program's own above it. They do not contain the line's own figures. */
typedef struct {
    uint64_t allocated_blocks, allocated_bytes, freed_blocks, freed_bytes, live_blocks, live_bytes, peak_blocks, peak_bytes;
    uint64_t gc_freed_blocks, gc_freed_bytes, temporary_blocks, temporary_bytes, inherited_bytes;
    uint64_t ages[MS_AGES];
    double   through_blocks, through_bytes, through_live, through_peak;
} ms_line;

typedef struct {
    uint64_t t_ns, duration_ns, collected, count;
    int64_t  reclaimed; /* of one of the `count` collections, their mean */
    uint32_t generation;
    uint32_t asked_at; /* row of sites: the program asked for it there, or MS_NONE */
} ms_collection;

typedef struct {
    uint64_t live, peak, rss, native_live, native_free, slab_holes, files, stacks, shared, unaccounted;
    bool     known;
} ms_rss;

typedef struct {
    ms_file        *file;
    const uint32_t *line; /* of each row of sites; MS_NONE or beyond: left out */
    uint32_t        nsites;
    ms_line        *lines; /* nlines of them */

    double   duration, cpu; /* seconds */
    uint64_t allocated_blocks, allocated_bytes, freed_bytes, live_bytes, peak_bytes, gc_freed_bytes, start_ns;
    uint32_t threads;
    bool     forked;
    uint64_t ppid;
    uint64_t inherited_bytes, slab_private, huge, huge_empty, shm_left, arrow_peak; /* docs/FORMAT.md: info */

    uint32_t  npoint, point_room; /* the timeline, only rows at possible times */
    double   *t;      /* seconds */
    double   *rss, *python, *native_used, *native_free, *slab, *waited;
    double   *arrow; /* 1 + what Arrow's pool has in use, 0: not known; NULL: the file does not say */

    uint32_t        ncurve, ncurve_point;
    const uint32_t *curve_site;
    double         *curve_t;
    const uint64_t *curve_live, *curve_allocated; /* the second may be NULL */
    uint32_t        curve_width;
    uint32_t        nstall; /* stretches in which the program did nothing, and after which it went on for as long: seconds of its own */
    struct { double from, to; } stall[8];

    ms_collection *collections;
    uint32_t       ncollection;
    ms_rss         end, peak;
    uint32_t       nview; /* snapshots of this process, the one with the most in it first */
    struct ms_view *view[2];
} ms_process;

/* The types that checks know by name. To ask a node is a load and a test, whatever the number of types: names are compared
 * once for each type of the snapshot. ms_view_is(v, node, MS_IS(DICT) | MS_IS(LIST)) */
#define MS_KINDS(X)                                                                                               \
    X(DICT, "dict") X(ORDERED_DICT, "collections.OrderedDict") X(SET, "set") X(TUPLE, "tuple") X(DEQUE, "collections.deque") X(DEFAULT_DICT, "collections.defaultdict") X(WEAK_REF, "weakref.ReferenceType") X(KEYED_REF, "weakref.KeyedRef") X(LIST, "list") X(INT, "int") X(STR, "str") X(BYTES, "bytes") X(BYTEARRAY, "bytearray") \
    X(FLOAT, "float") X(TYPE, "type") X(ABC_META, "abc.ABCMeta") X(MODULE, "module") X(FUNCTION, "function") \
    X(METHOD, "method") X(CELL, "cell") X(FRAME, "frame") X(TRACEBACK, "traceback") X(GENERATOR, "generator") \
    X(COROUTINE, "coroutine") X(ASYNC_GENERATOR, "async_generator") X(MEMORYVIEW, "memoryview") \
    X(MANAGED_BUFFER, "managedbuffer") X(MATCH, "re.Match") X(ARRAY, "numpy.ndarray") \
    X(WEAK_KEYS, "weakref.WeakKeyDictionary") X(SOCKET, "socket.socket") X(SSL_SOCKET, "ssl.SSLSocket") X(LOCAL, "_thread._local") \
    X(CACHED, "functools._lru_cache_wrapper") X(NONE, "NoneType") X(TEE, "itertools._tee_dataobject") X(FILE, "_io.FileIO") \
    X(TEXT_FILE, "_io.TextIOWrapper") X(READER, "_io.BufferedReader") X(WRITER, "_io.BufferedWriter") X(RANDOM, "_io.BufferedRandom")
#define MS_KIND(id, name) MS_KIND_##id,
enum { MS_KINDS(MS_KIND) MS_KIND_COUNT };
#undef MS_KIND
#define MS_IS(id) (UINT64_C(1) << MS_KIND_##id)
_Static_assert(MS_KIND_COUNT <= 64, "a bit for each");

/* A snapshot, with what the checks ask of it. view.c */
typedef struct ms_view {
    ms_snap    *snap;
    char        prefix[8];
    uint32_t   *line; /* of each of its sites: the recording's line, or MS_NONE */
    uint64_t   *is;   /* of each of its types: MS_IS() of its name, or 0 */
    uint64_t    live; /* bytes of all objects, the dead ones too */
    uint64_t    garbage;
    ms_growings growing;
    ms_graph    graph; /* from here on: made when first asked for */
    ms_cycles  *cycles; /* by ms_view_forms() */
    ms_forms    forms[2];
    bool        formed[2];
    ms_paths   *paths;
    struct ms_pages *pages;
} ms_view;

/* The line of an object's birth; MS_NONE: not known. */
static inline uint32_t ms_view_line(const ms_process *p, const ms_view *v, uint32_t node)
{
    uint32_t site = ms_snap_id(v->snap->site, node);
    (void)p;
    return site && site < v->snap->n_sites ? v->line[site] : MS_NONE;
}
static inline bool ms_view_is(const ms_view *v, uint32_t node, uint64_t kinds)
{
    return v->is[ms_snap_type(v->snap, node)] & kinds;
}
/* The epoch of an object's birth. A tick may come while the snapshot is taken: what was born after it is as old as the snapshot. */
static inline uint32_t ms_view_birth(const ms_view *v, uint32_t node)
{
    uint32_t birth = ms_snap_id(v->snap->birth, node);
    return birth < v->snap->epoch ? birth : v->snap->epoch;
}
uint32_t ms_view_near(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t site); /* of a frame's place */
/* Whether a is b, or b is held by a alone (a dominates b); chains of more than 1000 steps count as no. */
bool     ms_view_below(const ms_view *v, uint32_t a, uint32_t b);
/* A variable of a module, by their names; 0: there is none. */
uint32_t ms_view_variable(const ms_view *v, const char *module, const char *name);

/* The view's circles, alike ones together, those that hold most first; dead: those of the garbage alone. v->cycles has them one by
 * one. None where the snapshot does not tell. */
ms_err ms_view_forms(ms_view *v, bool dead, const ms_forms **out);

/* The view's nodes that a alone holds, and a itself: asked in one step. a must hold another. */
static inline bool ms_view_inside(const ms_view *v, uint32_t a, uint32_t b)
{
    const ms_snap *s = v->snap;
    uint32_t up = ms_snap_holds(s, b) ? b : s->idom[b], rank = ms_snap_rank(s, a);
    if (!ms_snap_holds(s, up))
        return false;
    uint32_t at = s->begin[ms_snap_rank(s, up)];
    return at >= s->begin[rank] && at < s->end[rank];
}

/* What the system would get back, by the map of the heap (pages.c). Begin; then take blocks off, and say what would be made in
 * their place; then ask. Nodes in ascending order are found fastest; none may be named twice. */
typedef struct ms_pages ms_pages;
ms_err ms_pages_begin(ms_view *v);
void   ms_pages_drop(ms_view *v, uint32_t node);       /* its block, and those that belong to it besides */
void   ms_pages_drop_owned(ms_view *v, uint32_t node); /* the latter only: a table that is made anew */
void   ms_pages_make(ms_view *v, double number, double bytes);
double ms_pages_back(ms_view *v); /* bytes; below 0: this snapshot has no map */
double ms_pages_pinned(ms_view *v); /* free bytes on pages that cannot go back, since something lives there; below 0: no map */
void   ms_pages_close(ms_view *v);
double ms_room_of(double bytes); /* of a block, as allocated */

/* What a container holds: the kind and the birth line that most of its entries share. */
typedef struct {
    uint64_t entries, of_type, of_line;
    uint32_t type, line;        /* of values (of all, where there are no pairs) */
    uint32_t key_type, example; /* MS_NONE where there are no pairs; example: a value of that type */
    uint64_t key_of_type;
} ms_contents;
ms_err ms_view_contents(const ms_process *p, const ms_view *v, uint32_t node, ms_contents *out);

/* Whether a node is alive only as long as a function runs: below one of its variables. */
bool ms_view_of_a_frame(const ms_view *v, uint32_t node);

/* What a container holds together with others: each of several registries has the same objects, and no one holds them
 * alone. What would be freed if all of them let go; n is 0 where there is nothing, or a running function has them, too. */
typedef struct {
    uint64_t bytes;
    uint32_t n, example, other; /* entries; one of them; another container that grows and has them, or 0 */
    ms_set   below;             /* the container, these entries and all that they hold */
} ms_together;
ms_err ms_view_together(ms_view *v, uint32_t container, ms_together *out); /* ms_set_free(&out->below) */

struct ms_evidence {
    uint32_t       nlines;
    const uint8_t *aside; /* of each line: not 0: a baseline, no finding may name it */
    const uint8_t *whose; /* of each line: MS_OWN ... */
    uint32_t       nprocess;
    ms_process    *process;
};

/* One process of the session. `group` gives the line of each row of sites. */
typedef struct {
    ms_file        *file;
    const uint32_t *group;
    size_t          ngroup;
} ms_evidence_source;

/* Read the snapshots of a recording: ms_evidence_open() does it. view.c */
ms_err ms_views_open(const ms_evidence *e, ms_process *p);
void   ms_views_close(ms_process *p);

/* Read what the checks need. The sources, aside and whose must live as long as the evidence. Damaged
 * and missing columns count as empty. */
ms_err      ms_evidence_open(const ms_evidence_source *source, uint32_t nsource, uint32_t nlines, const uint8_t *aside,
                             const uint8_t *whose, ms_evidence **out);
void        ms_evidence_close(ms_evidence *e); /* NULL is fine */
const char *ms_evidence_check(const ms_evidence *e); /* NULL: sound; else what is broken */

static inline bool ms_line_counts(const ms_evidence *e, uint32_t line)
{
    return line < e->nlines && e->aside[line] == 0;
}

/* The program's own time at a moment of the clock: without what it waited for a processor. Epochs count it. */
double      ms_process_own(const ms_process *p, double t);

/* The line of a process with the most of one of its u64 figures (by its offset in ms_line), baselines
 * left out; MS_NONE where all are 0. */
uint32_t ms_line_top(const ms_evidence *e, const ms_process *p, size_t figure);
/* The row of sites of a line with the most in a u64 column: its instruction is to be marked. */
uint32_t ms_site_top(const ms_process *p, uint32_t line, const char *column);

/* ---- findings ---- */

/* A sum as bytes: what a damaged file says may be anything. */
static inline uint64_t ms_whole(double bytes)
{
    return bytes > 0 ? bytes < 1e18 ? (uint64_t)bytes : (uint64_t)1000000000000000000 : 0;
}

enum {
    MS_NEEDS_SOURCE = 1, /* the pattern has to be seen in the source text */
    MS_SUSPECT = 2,      /* measured, but who holds it is not known */
    MS_EXPLAINED = 4,    /* another finding names its holder: it goes */
};
enum { MS_FACTS = 24 };

typedef struct {
    const char *name; /* static text */
    double      value;
} ms_fact;

enum { MS_TEXTS = 6 };

typedef struct {
    const char *name; /* static text */
    char        value[120];
} ms_text;

/* A step of the way to an object: what it is called there, what it is. */
typedef struct {
    char     label[72], type[72];
    uint64_t bytes; /* what the object holds */
    uint32_t line;  /* of its birth, or MS_NONE */
    uint32_t kind;  /* ms_label_kind of the label */
} ms_way_step;

typedef struct {
    const ms_rule *rule;
    ms_verdict     verdict; /* the rule's, if the check says nothing else */
    uint32_t       process; /* of the evidence */
    uint32_t       line;    /* the culprit, or MS_NONE */
    uint32_t       site;    /* row of sites whose instruction is marked, or MS_NONE */
    uint32_t       flags;
    uint64_t       bytes, saves;
    double         confidence; /* 0 to 1 */
    uint32_t       nfact;
    ms_fact        fact[MS_FACTS];
    uint32_t       ntext;
    ms_text        text[MS_TEXTS];
    uint32_t       step, nstep; /* the way to what holds it: rows of ms_findings.step */
} ms_finding;

typedef struct {
    double per_second, error; /* bytes; error is half the width of the 95 % interval */
    double start, end;        /* seconds */
} ms_slope;

typedef struct {
    uint32_t process, line;
    ms_slope slope;
    double   idle; /* it grew while the program hardly worked, as fast as else: seconds of that; 0: no */
} ms_line_slope;

struct ms_findings {
    ms_finding    *finding;
    uint32_t       n, room;
    ms_way_step   *step;
    uint32_t       nstep, step_room;
    ms_line_slope *slope; /* of every line that grows, finding or not */
    uint32_t       nslope, slope_room;
    bool           judged_growth; /* a process ran long enough, and has points enough */
    uint32_t       spread;        /* the process that grows as a whole, with no line that carries it, or MS_NONE */
    ms_slope       spread_slope;
};

void   ms_findings_open(ms_findings *f);
void   ms_findings_close(ms_findings *f);
/* Add one; *out stays valid until the next is added. */
ms_err ms_finding_add(ms_findings *f, const char *rule, uint32_t process, uint32_t line, uint64_t bytes, double confidence, ms_finding **out);
/* One that the source of its line has to confirm, with what the line allocates; its site is the line's that has most in `column`. */
ms_err ms_finding_of_line(const ms_evidence *e, ms_findings *out, const char *rule, uint32_t at, uint32_t line, double bytes, double confidence,
                          const char *column);
void   ms_finding_fact(ms_finding *f, const char *name, double value); /* more than MS_FACTS are dropped */
void   ms_finding_text(ms_finding *f, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The way from the root to a node of a snapshot, as steps of f; f must be the last that was added. */
ms_err ms_finding_way(ms_findings *out, ms_finding *f, const ms_process *p, ms_view *v, uint32_t node);
/* A circle: n edges, each beginning where the one before ends. A step is an edge's name and its owner. */
ms_err ms_finding_circle(ms_findings *out, ms_finding *f, const ms_process *p, ms_view *v, const uint32_t *edge, uint32_t n);
/* What a node is called ("shop._by_key") as a text of f. */
ms_err ms_finding_called(ms_finding *f, const char *name, ms_view *v, uint32_t node);
/* The name of a type as a text of f. */
void   ms_finding_type(ms_finding *f, const char *name, const ms_view *v, uint32_t type);
/* Run every check, and put the findings in order: by verdict, then by bytes. */
ms_err ms_checks_run(const ms_evidence *e, ms_findings *out);

/* ---- trend.c: does this curve grow? ---- */

/* Least squares through n >= 4 points; the interval holds for residuals that hang together (see trend.c). */
ms_slope ms_trend_slope(uint32_t n, const double *t, const double *v);
/* The lowest value in each of `parts` equal stretches of time, stretches without points left out; how many. */
uint32_t ms_trend_lows(uint32_t n, const double *t, const double *v, uint32_t parts, double *out);
/* Whether the curve grows to its end, and by at least `least` bytes. up and steps: how many of the steps between
 * the stretches' lowest levels rise. */
bool     ms_trend_grows(uint32_t n, const double *t, const double *v, double least, ms_slope *out, uint32_t *up, uint32_t *steps);
/* The same in a time that stands still while the program does; the slope is one of the clock's seconds all the same. */
bool     ms_trend_grows_at_work(const ms_process *p, uint32_t n, const double *t, const double *v, double least, ms_slope *out, uint32_t *up,
                                uint32_t *steps);
/* The part of a run in which growth is judged; false: it is shorter than that many seconds of its own. */
bool     ms_trend_window(const ms_process *p, double least, double *start, double *end);

#define MS_TREND_SECONDS 1.0      /* in a shorter run, a line cannot be told from one that builds its data once, and is done */
#define MS_GROWTH_LEAST 131072.0  /* a line's slope is known from 128 KiB on: a snapshot may prove it */
#define MS_GROWTH_BYTES 1048576.0 /* growth matters from 1 MiB (a heap's noise) ... */
#define MS_GROWTH_SHARE 0.05      /* ... and 5 % of what is live (else another line decides) */

#endif
