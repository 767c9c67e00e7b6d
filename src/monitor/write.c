/* write.c -- one process, as it is now, into one recording file.
 *
 * The file's size follows the sites and call paths that counted something, never the events: sites
 * without a block are left out, and nodes without a sample below them; at most 400 curves are kept.
 * docs/FORMAT.md describes each table. */
#include "monitor/watch.h"
#include "record/site.h"
#include "store/store.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef MEMSURE_VERSION
#define MEMSURE_VERSION "0"
#endif

enum { CURVES_WRITTEN = 400, COLUMN_BUFFER = 16384 };

/* --- strings: each text once, row 0 is "" --------------------------------------------------------- */

typedef struct {
    ms_map   rows;
    int64_t *offset;
    char    *data;
    size_t   n, offset_room, used, room;
    bool     failed;
} strings;

static bool strings_grow(void **block, size_t *room, size_t want)
{
    size_t more = *room ? *room : 65536;
    while (more < want)
        more *= 2;
    if (more == *room)
        return true;
    void *next = ms_sys_resize(*block, *room, more);
    if (next == NULL)
        return false;
    *block = next;
    *room = more;
    return true;
}

static uint32_t intern(strings *t, const char *text, size_t length)
{
    if (length == 0 || t->failed)
        return 0;
    uint64_t h = length;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001B3ull; /* FNV-1a */
    for (h |= 1;; h += 2) {
        ms_map_slot *s = ms_map_put(&t->rows, h);
        if (s == NULL)
            break;
        if (s->value) {
            int64_t from = t->offset[s->value], size = t->offset[s->value + 1] - from;
            if ((size_t)size == length && memcmp(t->data + from, text, length) == 0)
                return s->value;
            continue;
        }
        if (!strings_grow((void **)&t->data, &t->room, t->used + length) ||
            !strings_grow((void **)&t->offset, &t->offset_room, (t->n + 2) * sizeof *t->offset))
            break;
        memcpy(t->data + t->used, text, length);
        t->used += length;
        t->offset[t->n + 1] = (int64_t)t->used;
        return s->value = (uint32_t)t->n++;
    }
    t->failed = true;
    return 0;
}

static uint32_t word(strings *t, const char *text) { return intern(t, text, strlen(text)); }

static bool strings_init(strings *t)
{
    memset(t, 0, sizeof *t);
    t->n = 1; /* offset[0] = offset[1] = 0 */
    return strings_grow((void **)&t->offset, &t->offset_room, 16) && strings_grow((void **)&t->data, &t->room, 1);
}

static void strings_free(strings *t)
{
    ms_sys_free(t->rows.slot, t->rows.size * sizeof *t->rows.slot);
    ms_sys_free(t->offset, t->offset_room);
    ms_sys_free(t->data, t->room);
}

/* --- columns out of arrays of structs ------------------------------------------------------------- */

typedef struct {
    const char *name;
    ms_type type;
    uint32_t width;
    size_t offset;
} field;

static void write_field(ms_writer *w, const char *table, const field *f, const void *rows, size_t row_size, uint64_t n)
{
    char buffer[COLUMN_BUFFER];
    size_t size = ms_type_size(f->type) * f->width, have = 0;
    const char *from = (const char *)rows + f->offset;
    ms_writer_column_begin(w, table, f->name, f->type, f->width);
    for (uint64_t i = 0; i < n; i++, from += row_size) {
        if (have + size > sizeof buffer) {
            ms_writer_append(w, buffer, have);
            have = 0;
        }
        memcpy(buffer + have, from, size);
        have += size;
    }
    ms_writer_append(w, buffer, have);
    ms_writer_column_end(w);
}

#define WRITE_FIELDS(w, table, fields, rows, n)                                                \
    for (size_t f_ = 0; f_ < sizeof fields / sizeof *fields; f_++)                             \
        write_field(w, table, &fields[f_], rows, sizeof *(rows), n)

#define U64(type, member) {#member, MS_TYPE_U64, 1, offsetof(type, member)}
#define U32(type, member) {#member, MS_TYPE_U32, 1, offsetof(type, member)}
#define I32(type, member) {#member, MS_TYPE_I32, 1, offsetof(type, member)}
#define F64(type, member) {#member, MS_TYPE_F64, 1, offsetof(type, member)}

typedef struct {
    uint32_t file, function;
    int32_t  line, end_line, column, end_column;
    uint32_t flags;
    ms_sum   sum;
} site_row;

#define SUM(member) {#member, MS_TYPE_U64, 1, offsetof(site_row, sum.member)}
static const field site_fields[] = {
    U32(site_row, file), U32(site_row, function), I32(site_row, line), I32(site_row, end_line),
    I32(site_row, column), I32(site_row, end_column), U32(site_row, flags),
    SUM(allocated_blocks), SUM(allocated_bytes), SUM(freed_blocks), SUM(freed_bytes), SUM(live_blocks), SUM(live_bytes),
    SUM(peak_blocks), SUM(peak_bytes), SUM(gc_freed_blocks), SUM(gc_freed_bytes), SUM(temporary_blocks),
    SUM(temporary_bytes), SUM(inherited_blocks), SUM(inherited_bytes),
    {"lifetimes", MS_TYPE_U64, MS_AGES, offsetof(site_row, sum.lifetimes)},
};

typedef struct {
    uint32_t parent, site;
    uint64_t samples;
    double   allocated_blocks, allocated_bytes, variance, live_blocks, live_bytes, peak_bytes;
} node_row;
static const field node_fields[] = {
    U32(node_row, parent), U32(node_row, site), U64(node_row, samples), F64(node_row, allocated_blocks),
    F64(node_row, allocated_bytes), F64(node_row, variance), F64(node_row, live_blocks), F64(node_row, live_bytes),
    F64(node_row, peak_bytes),
};

static const field timeline_fields[] = {
    {"t_ns", MS_TYPE_U64, 1, offsetof(ms_point, t_ns)}, {"rss_bytes", MS_TYPE_U64, 1, offsetof(ms_point, rss)},
    {"python_bytes", MS_TYPE_U64, 1, offsetof(ms_point, python_bytes)},
    {"python_blocks", MS_TYPE_U64, 1, offsetof(ms_point, python_blocks)},
    {"slab_bytes", MS_TYPE_U64, 1, offsetof(ms_point, slab)},
    {"native_used_bytes", MS_TYPE_U64, 1, offsetof(ms_point, native_used)},
    {"native_free_bytes", MS_TYPE_U64, 1, offsetof(ms_point, native_free)},
    {"waited_ns", MS_TYPE_U64, 1, offsetof(ms_point, waited)},
    {"arrow_used_bytes", MS_TYPE_U64, 1, offsetof(ms_point, arrow)},
};

static const field event_fields[] = {
    U64(ms_event, t_ns), U32(ms_event, generation), U64(ms_event, duration_ns), U64(ms_event, collected),
    U64(ms_event, uncollectable), {"reclaimed_bytes", MS_TYPE_I64, 1, offsetof(ms_event, reclaimed_bytes)},
    U32(ms_event, count), {"asked_at", MS_TYPE_U32, 1, offsetof(ms_event, row)},
};

typedef struct {
    uint64_t id;
    uint32_t name;
    uint64_t samples;
    double   allocated_bytes;
} thread_row;
static const field thread_fields[] = {
    U64(thread_row, id), U32(thread_row, name), U64(thread_row, samples), F64(thread_row, allocated_bytes),
};

typedef struct {
    uint32_t moment, kind;
    uint64_t bytes;
} memory_row;
static const field memory_fields[] = {U32(memory_row, moment), U32(memory_row, kind), U64(memory_row, bytes)};

/* --- all that is gathered before the file is opened ------------------------------------------------ */

typedef struct {
    ms_session *s;
    ms_process *p;
    strings     text;
    uint32_t    nsite, nnode, ncode, ntext, nthread; /* entries in the live file */
    ms_sum     *sum, *node_sum, total;
    ms_site    *site;
    ms_node    *node;
    ms_code    *code;
    char       *live_text;
    uint32_t   *site_at;     /* site -> row, or UINT32_MAX */
    site_row   *site_rows;
    node_row   *node_rows;
    uint32_t    nsite_rows, nnode_rows;
    thread_row *thread_rows;
    struct {
        uint32_t key, value;
    } info[80];
    uint32_t    ninfo;
} gathering;

static void *table_copy(gathering *g, int table, uint32_t n, size_t size)
{
    void *copy = ms_sys_alloc((size_t)(n + 1) * size);
    if (copy && n && !ms_live_read(g->p, table, 0, n, copy)) {
        ms_sys_free(copy, (size_t)(n + 1) * size);
        return NULL;
    }
    return copy;
}

static uint32_t live_word(gathering *g, uint32_t offset)
{
    if (offset >= g->ntext)
        return 0;
    const char *text = g->live_text + offset; /* ends with a NUL: one is behind the table */
    return intern(&g->text, text, strnlen(text, g->ntext - offset));
}

static bool ends_with(const char *text, size_t size, const char *end, size_t end_size)
{
    return size >= end_size && memcmp(text + size - end_size, end, end_size) == 0 && (size == end_size || text[size - end_size - 1] == '/');
}

/* Top-level code of a module other than the program, and the import machinery. */
static bool import_time(const gathering *g, const ms_code *c)
{
    if (c->flags || c->file >= g->ntext || c->function >= g->ntext)
        return false;
    const char *file = g->live_text + c->file, *function = g->live_text + c->function;
    if (strncmp(file, "<frozen importlib", 17) == 0)
        return true;
    if (strcmp(function, "<module>") != 0)
        return false;
    const char *program = g->p->main_file;
    if (program[0] == 0)
        return false;
    while (program[0] == '.' && program[1] == '/')
        program += 2;
    size_t size = strlen(file), n = strlen(program);
    if (ends_with(file, size, program, n))
        return false;
    if (size > 3 && strcmp(file + size - 3, ".py") == 0 && ends_with(file, size - 3, program, n))
        return false;
    const char *tail = "/__main__.py";
    size_t m = strlen(tail);
    return !(size > m && strcmp(file + size - m, tail) == 0 && ends_with(file, size - m, program, n));
}

/* The row of a site, made at first need. */
static uint32_t site_place(gathering *g, uint32_t site)
{
    if (site >= g->nsite)
        site = 0;
    if (g->site_at[site] != UINT32_MAX)
        return g->site_at[site];
    site_row *row = &g->site_rows[g->nsite_rows];
    const ms_site *x = &g->site[site];
    *row = (site_row){.line = x->line, .end_line = x->end_line, .column = x->column, .end_column = x->end_column};
    if (site == MS_SITE_FULL) {
        row->file = row->function = word(&g->text, "(no room for a record)");
        row->column = row->end_column = -1;
        row->flags = MS_CODE_NO_FRAME;
    } else if (x->code < g->ncode) {
        const ms_code *c = &g->code[x->code];
        row->file = live_word(g, c->file);
        row->function = live_word(g, c->function);
        row->flags = c->flags & (MS_CODE_NO_FRAME | MS_CODE_OURS | MS_CODE_BEFORE);
        if (import_time(g, c))
            row->flags |= 4;
    }
    row->sum = g->sum[site];
    return g->site_at[site] = g->nsite_rows++;
}

static void gather_sites(gathering *g)
{
    for (uint32_t i = 0; i < g->nsite; i++) {
        const ms_sum *x = &g->sum[i];
        uint64_t *to = (uint64_t *)&g->total;
        for (size_t k = 0; k < sizeof *x / sizeof *to; k++)
            to[k] += ((const uint64_t *)x)[k];
        if (x->allocated_blocks || x->inherited_blocks || x->live_blocks || x->freed_blocks || x->peak_blocks)
            site_place(g, i);
    }
    for (uint32_t i = 0; i < g->p->nevent; i++) {
        ms_event *e = &g->p->event[i];
        e->row = e->site && e->site < g->nsite ? site_place(g, e->site) : UINT32_MAX;
    }
}

/* Nodes that counted something, and those above them. A parent's number is lower than its child's. */
static ms_err gather_nodes(gathering *g)
{
    if (g->nnode == 0)
        return MS_OK;
    size_t size = g->nnode * sizeof(uint32_t);
    uint32_t *at = ms_sys_alloc(size);
    if (at == NULL)
        return MS_ENOMEM;
    at[0] = 1;
    for (uint32_t i = g->nnode - 1; i > 0; i--) {
        bool own = g->node_sum ? g->node_sum[i].allocated_blocks || g->node_sum[i].inherited_blocks
                               : g->node[i].samples || g->node[i].live_blocks > 0;
        if (!own && !at[i])
            continue;
        at[i] = 1;
        if (g->node[i].parent < i)
            at[g->node[i].parent] = 1;
    }
    uint32_t gen = g->p->head->gen, n = 0;
    bool on_peak = ms_on_peak(g->p->head);
    for (uint32_t i = 0; i < g->nnode; i++) {
        if (!at[i])
            continue;
        const ms_node *x = &g->node[i];
        node_row *row = &g->node_rows[n];
        row->parent = i && x->parent < i ? at[x->parent] : 0; /* already a row number: it was before */
        row->site = site_place(g, i ? x->site : 0);
        if (g->node_sum) {
            const ms_sum *y = &g->node_sum[i];
            row->samples = y->allocated_blocks;
            row->allocated_blocks = (double)y->allocated_blocks;
            row->allocated_bytes = (double)y->allocated_bytes;
            row->live_blocks = (double)y->live_blocks;
            row->live_bytes = (double)y->live_bytes;
            row->peak_bytes = (double)y->peak_bytes;
        } else {
            row->samples = x->samples;
            row->allocated_blocks = x->blocks;
            row->allocated_bytes = x->bytes;
            row->variance = x->variance;
            row->live_blocks = x->live_blocks > 0 ? x->live_blocks : 0; /* sums of floats: about 0 */
            row->live_bytes = x->live_bytes > 0 ? x->live_bytes : 0;
            row->peak_bytes = on_peak || x->gen != gen ? row->live_bytes : x->peak_bytes > 0 ? x->peak_bytes : 0;
        }
        at[i] = n++;
    }
    g->nnode_rows = n;
    ms_sys_free(at, size);
    return MS_OK;
}

static ms_err gather_threads(gathering *g)
{
    for (uint32_t i = 0; i < g->nthread; i++) {
        ms_thread x;
        if (!ms_live_read(g->p, MS_T_THREAD, i, 1, &x))
            return MS_EIO;
        size_t n = strnlen(x.name, sizeof x.name);
        g->thread_rows[i] = (thread_row){x.id, n ? intern(&g->text, x.name, n) : word(&g->text, g->p->comm[i]), x.samples, x.bytes};
    }
    return MS_OK;
}

/* --- info ----------------------------------------------------------------------------------------- */

static void info(gathering *g, const char *key, const char *value)
{
    if (g->ninfo == sizeof g->info / sizeof *g->info)
        return;
    g->info[g->ninfo].key = word(&g->text, key);
    g->info[g->ninfo++].value = word(&g->text, value);
}

static void info_number(gathering *g, const char *key, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    info(g, key, text);
}

static void gather_info(gathering *g, bool final, uint64_t now)
{
    static const char *const modes[] = {"alloc", "line", "exact"}, *const starts[] = {"preload", "late", "fork"};
    static const char *const ends[] = {"running", "exit", "signal", "exec", "unknown"};
    static const struct { uint32_t bit; const char *type; } under[] = {
        {MS_UNDER_LIST, "list"}, {MS_UNDER_DICT, "dict"}, {MS_UNDER_DICTKEYS, "dict keys"},
        {MS_UNDER_SLICE, "slice"}, {MS_UNDER_CONTEXT, "context"}, {MS_UNDER_ASYNC, "async generator"},
    };
    ms_process *p = g->p;
    const ms_live *head = p->head;
    const ms_sum *t = &g->total;
    char text[1024];
    uint64_t end = p->gone ? p->end_ns : now;
    bool stopped = !p->gone && p->started == MS_STARTED_LATE && __atomic_load_n(&head->ended, __ATOMIC_ACQUIRE) == 1; /* memsure.stop() */

    info(g, "format", "1");
    info(g, "memsure", MEMSURE_VERSION);
    info(g, "argv", p->argv);
    info(g, "executable", p->executable);
    size_t size = 0; /* "3.13.0 (main, ...": the number */
    while (size < sizeof head->python && head->python[size] > ' ')
        size++;
    snprintf(text, sizeof text, "%.*s", (int)size, head->python);
    info(g, "python", text);
    info(g, "cwd", p->cwd);
    info_number(g, "pid", head->pid);
    info_number(g, "ppid", head->ppid);
    info(g, "command", p->command);
    info_number(g, "start_unix_ns", p->start_unix_ns);
    info_number(g, "duration_ns", end > p->start_ns ? end - p->start_ns : 0);
    info_number(g, "cpu_ns", p->cpu_ns);
    info(g, "exit_kind", stopped ? "stopped" : ends[p->end]);
    info_number(g, "exit_code", (uint64_t)p->end_code);
    info(g, "mode", modes[p->mode]);
    info(g, "started", starts[p->started]);
    info_number(g, "sample_bytes", head->sample_bytes);
    info_number(g, "epoch_ns", MS_EPOCH_NS);
    info_number(g, "peak_rss_bytes", p->peak_rss);
    info_number(g, "allocated_blocks", t->allocated_blocks);
    info_number(g, "allocated_bytes", t->allocated_bytes);
    info_number(g, "freed_blocks", t->freed_blocks);
    info_number(g, "freed_bytes", t->freed_bytes);
    info_number(g, "live_blocks", t->live_blocks);
    info_number(g, "live_bytes", t->live_bytes);
    info_number(g, "peak_blocks", t->peak_blocks);
    info_number(g, "peak_bytes", t->peak_bytes);
    /* A peak that no tick saw came after the last one. */
    uint64_t peak_ns = ms_peak(head) > p->peak_bytes ? end : p->peak_ns;
    info_number(g, "peak_t_ns", peak_ns > p->start_ns ? peak_ns - p->start_ns : 0);
    double ran = (double)p->cpu_ns, cold = (double)head->cold_ns; /* by the clock: on a busy machine some of it was waiting, as of the rest */
    cold *= ran > 0 ? ran / (ran + (double)head->waited_ns) : 1;
    info_number(g, "overhead_ns", head->taking_ns + (uint64_t)(cold + (double)(t->allocated_blocks + t->freed_blocks) * ms_hot_event_ns()));
    info_number(g, "unrecorded_blocks", head->unrecorded_blocks);
    info_number(g, "before_blocks", head->before_blocks);
    info_number(g, "path_checked", head->path_checked);
    info_number(g, "path_wrong", head->path_wrong);
    info_number(g, "collections_lost", p->events_lost);
    size_t n = 0;
    text[n++] = '[';
    for (size_t i = 0; i < sizeof under / sizeof *under; i++)
        if (head->undercounted & under[i].bit)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%s\"", n > 1 ? ", " : "", under[i].type);
    text[n++] = ']';
    text[n] = 0;
    info(g, "undercounted", text);
    info_number(g, "slab_private_bytes", p->maps.slab_private);
    info_number(g, "huge_bytes", p->maps.huge);
    info_number(g, "huge_empty_bytes", p->maps.huge_empty);
    if (p->head->arrow_ns)
        info_number(g, "arrow_peak_bytes", p->head->arrow_peak);
    if (final && p->gone && p->segments[0]) {
        info_number(g, "shm_left_bytes", ms_proc_segments_left(g->s, p, text, sizeof text));
        info(g, "shm_left", text);
    }
    info(g, "complete", p->gone || stopped ? "1" : "0");
    n = 0;
    text[n++] = '[';
    for (uint32_t i = 0; i < p->nphoto && n + 16 < sizeof text; i++)
        if (p->photo[i].file)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%s\"", n > 1 ? ", " : "", p->photo[i].prefix);
    text[n++] = ']';
    text[n] = 0;
    info(g, "snapshots", text);
    info_number(g, "snapshot_pause_ns", p->snapshot_pause_ns);
    info_number(g, "snapshot_cpu_ns", head->taking_ns);
    info_number(g, "snapshot_child_ns", p->snapshot_child_ns);
    info_number(g, "snapshot_wait_ns", p->snapshot_wait_ns);
    if (p->snapshot_note[0])
        info(g, "snapshot_note", p->snapshot_note);
    info_number(g, "sealed", head->sealed);
    if (!p->gone && !stopped)
        info(g, "incomplete_why", final ? "it was still running when the program that memsure had started ended"
                                        : "memsure was stopped while it ran");
}

/* --- the file -------------------------------------------------------------------------------------- */

static void write_curves(gathering *g, ms_writer *w)
{
    ms_process *p = g->p;
    uint32_t row[CURVES_WRITTEN], n = 0;
    uint32_t points = p->ncurve_t;
    ms_writer_column(w, "curve_points", "t_ns", MS_TYPE_U64, 1, points, p->curve_t);
    if (points == 0)
        return;
    const ms_sum *t = &g->total;
    /* From 1 in 1000 of anything; if that is too many, of more. */
    for (uint64_t part = 1000; part; part /= 2) {
        n = 0;
        bool more = false;
        for (uint32_t i = 0; i < p->ncurve && !more; i++) {
            uint32_t site = p->curve[i].site;
            if (site >= g->nsite || g->site_at[site] == UINT32_MAX)
                continue;
            const ms_sum *x = &g->sum[site];
            if (x->allocated_bytes <= t->allocated_bytes / part && x->peak_bytes <= t->peak_bytes / part &&
                x->live_bytes <= t->live_bytes / part)
                continue;
            more = n == CURVES_WRITTEN;
            if (!more)
                row[n++] = i;
        }
        if (!more)
            break;
    }
    ms_writer_column_begin(w, "curves", "site", MS_TYPE_U32, 1);
    for (uint32_t i = 0; i < n; i++)
        ms_writer_append(w, &g->site_at[p->curve[row[i]].site], sizeof(uint32_t));
    ms_writer_column_end(w);
    ms_writer_column_begin(w, "curves", "live_bytes", MS_TYPE_U64, points);
    for (uint32_t i = 0; i < n; i++)
        ms_writer_append(w, p->curve[row[i]].live, points * sizeof(uint64_t));
    ms_writer_column_end(w);
    ms_writer_column_begin(w, "curves", "allocated_bytes", MS_TYPE_U64, points);
    for (uint32_t i = 0; i < n; i++)
        ms_writer_append(w, p->curve[row[i]].allocated, points * sizeof(uint64_t));
    ms_writer_column_end(w);
}

static uint32_t gather_memory(gathering *g, memory_row *row)
{
    ms_process *p = g->p;
    const ms_live *head = p->head;
    ms_memory memory = head->memory_end.when_ns ? head->memory_end : head->memory_now;
    uint64_t split[MS_SPLITS], n = 0;
    uint32_t moment = word(&g->text, "end");
    /* The mappings as seen when the program came to its end; else as last seen, with the last RSS. */
    uint64_t rss = p->end_seen && p->maps.rss ? p->maps.rss : p->rss;
    /* What the program read itself together with the other figures is of their moment. */
    if (memory.rss_bytes && (ms_ended(p) || memory.when_ns > p->seen_ns))
        rss = memory.rss_bytes;
    ms_split(&p->maps, rss, &memory, g->total.live_bytes, g->total.live_blocks, split);
    for (int i = 0; i < MS_SPLITS; i++)
        row[n++] = (memory_row){moment, word(&g->text, ms_split_names[i]), split[i]};
    if (!p->have_peak)
        return (uint32_t)n;
    moment = word(&g->text, "peak");
    for (int i = 0; i < MS_SPLITS; i++)
        row[n++] = (memory_row){moment, word(&g->text, ms_split_names[i]), p->split_peak[i]};
    return (uint32_t)n;
}

static ms_err gather(gathering *g, bool final, uint64_t now)
{
    ms_process *p = g->p;
    g->nsite = ms_live_used(p, MS_T_SITE);
    g->nsite = g->nsite ? g->nsite : 1; /* site 0 always stands for something */
    g->nnode = ms_live_used(p, MS_T_NODE);
    g->ncode = ms_live_used(p, MS_T_CODE);
    g->ntext = ms_live_used(p, MS_T_TEXT);
    g->nthread = ms_live_used(p, MS_T_THREAD);
    g->site = table_copy(g, MS_T_SITE, g->nsite, sizeof *g->site);
    g->node = table_copy(g, MS_T_NODE, g->nnode, sizeof *g->node);
    g->code = table_copy(g, MS_T_CODE, g->ncode, sizeof *g->code);
    g->live_text = table_copy(g, MS_T_TEXT, g->ntext, 1);
    g->sum = ms_sys_alloc(g->nsite * sizeof *g->sum);
    g->site_at = ms_sys_alloc(g->nsite * sizeof *g->site_at);
    g->site_rows = ms_sys_alloc(g->nsite * sizeof *g->site_rows);
    g->node_rows = ms_sys_alloc((g->nnode + 1) * sizeof *g->node_rows);
    g->thread_rows = ms_sys_alloc((g->nthread + 1) * sizeof *g->thread_rows);
    if (p->mode == MS_MODE_EXACT && g->nnode)
        g->node_sum = ms_sys_alloc(g->nnode * sizeof *g->node_sum);
    if (!g->site || !g->node || !g->code || !g->live_text || !g->sum || !g->site_at || !g->site_rows || !g->node_rows ||
        !g->thread_rows || (p->mode == MS_MODE_EXACT && g->nnode && !g->node_sum) || !strings_init(&g->text))
        return MS_ENOMEM;
    memset(g->site_at, 0xFF, g->nsite * sizeof *g->site_at);
    MS_TRY(ms_tally_sum(g->s, p, g->sum, g->nsite, g->node_sum, g->nnode));
    gather_sites(g);
    MS_TRY(gather_nodes(g));
    MS_TRY(gather_threads(g));
    gather_info(g, final, now);
    return MS_OK;
}

ms_err ms_write_process(ms_session *s, ms_process *p, const char *path, bool final, uint64_t now, ms_why *why)
{
    memory_row memory[2 * MS_SPLITS];
    ms_writer *w = NULL;
    gathering *g = ms_sys_alloc(sizeof *g);
    ms_err err = MS_ENOMEM;
    if (g == NULL)
        goto done;
    g->s = s;
    g->p = p;
    if (final && !p->series_end) { /* the last points of each series */
        uint64_t end = p->gone ? p->end_ns : now;
        if (p->end != MS_END_EXEC || p->seen_ns)
            (void)ms_curves_add(s, p, end);
        ms_timeline_add(p, end);
        p->series_end = true;
    }
    if ((err = gather(g, final, now)) != MS_OK) {
        ms_why_set(why, "cannot record process %ld: %s", (long)p->pid, err == MS_EIO ? strerror(errno) : ms_err_text(err));
        goto done;
    }
    uint32_t nmemory = gather_memory(g, memory);
    if (g->text.failed) {
        err = MS_ENOMEM;
        goto done;
    }
    if ((err = ms_writer_open(path, why, &w)) != MS_OK)
        goto done;
    /* Errors stick: commit says the first. */
    ms_writer_column(w, "strings", "offsets", MS_TYPE_I64, 1, g->text.n + 1, g->text.offset);
    ms_writer_column(w, "strings", "data", MS_TYPE_U8, 1, g->text.used, g->text.data);
    const field info_fields[] = {{"key", MS_TYPE_U32, 1, 0}, {"value", MS_TYPE_U32, 1, sizeof(uint32_t)}};
    WRITE_FIELDS(w, "info", info_fields, g->info, g->ninfo);
    WRITE_FIELDS(w, "sites", site_fields, g->site_rows, g->nsite_rows);
    WRITE_FIELDS(w, "nodes", node_fields, g->node_rows, g->nnode_rows);
    WRITE_FIELDS(w, "timeline", timeline_fields, p->timeline, p->npoint);
    write_curves(g, w);
    WRITE_FIELDS(w, "collections", event_fields, p->event, p->nevent);
    WRITE_FIELDS(w, "threads", thread_fields, g->thread_rows, g->nthread);
    WRITE_FIELDS(w, "memory", memory_fields, memory, nmemory);
    ms_shots_write(p, w);
    err = ms_writer_commit(w, why);
done:
    if (g) {
        strings_free(&g->text);
        ms_sys_free(g->site, (size_t)(g->nsite + 1) * sizeof *g->site);
        ms_sys_free(g->node, (size_t)(g->nnode + 1) * sizeof *g->node);
        ms_sys_free(g->code, (size_t)(g->ncode + 1) * sizeof *g->code);
        ms_sys_free(g->live_text, (size_t)g->ntext + 1);
        ms_sys_free(g->sum, g->nsite * sizeof *g->sum);
        ms_sys_free(g->node_sum, g->nnode * sizeof *g->node_sum);
        ms_sys_free(g->site_at, g->nsite * sizeof *g->site_at);
        ms_sys_free(g->site_rows, g->nsite * sizeof *g->site_rows);
        ms_sys_free(g->node_rows, (g->nnode + 1) * sizeof *g->node_rows);
        ms_sys_free(g->thread_rows, (g->nthread + 1) * sizeof *g->thread_rows);
        ms_sys_free(g, sizeof *g);
    }
    return err;
}
