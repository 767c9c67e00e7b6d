/* mark.c -- exact figures of a stretch of the run, read from within: since a mark, what was allocated, what of it
 * is left, how high it went, by line.
 *
 * A mark copies the counters of each tally; reading subtracts. The peak since a mark needs nothing on the hot
 * path: at each mark the process's peak is set down to what is live now, after each open mark was told of
 * the peak until then. So that the recording keeps the highest peak, line by line, the shares of one that is
 * higher than all before are put by, and put back when the recording ends. Should the program be killed, its
 * peak is that since the last mark. A line's part of the peak since a mark is known, then, if that peak came after
 * the last mark, or is the recording's highest so far.
 *
 * What memsure's own Python code makes for a mark is left out of the figures.
 *
 * A mark takes 24 bytes and a few ns for each tally; the GIL's holder makes, reads and frees marks. */
#include "record/mark.h"
#include "record/recorder.h"

#include <string.h>

typedef struct {
    uint32_t live, born, collected;                   /* modulo 2^32: so are the differences */
    uint64_t live_bytes, born_bytes, collected_bytes; /* of large blocks */
} counted;

struct ms_mark {
    ms_mark *next;
    uint32_t recording; /* which one it belongs to */
    uint32_t stretch;   /* the one that it began */
    uint32_t n, room;
    uint64_t live_bytes, peak;
    counted  tally[];
};

static ms_mark *marks;
static ms_mark *spare; /* one that was freed: its pages are there already */
static uint32_t recording;
static uint32_t stretch; /* counts marks: from one to the next is a stretch */

/* The highest peak that a mark ended: the shares of tallies and nodes. */
static struct {
    uint64_t  bytes;
    uint32_t  ntally, nnode, tally_room, node_room;
    uint32_t  stretch;
    uint64_t (*tally)[2];
    double   *node;
} highest;

static size_t size_of(uint32_t room) { return sizeof(ms_mark) + room * sizeof(counted); }

static counted count(uint32_t tally)
{
    const ms_tally *t = &ms_area.tally[tally];
    const ms_count *c = &ms_area.count[tally];
    const ms_extra *x = ms_tally_extra(t);
    uint32_t freed = c->young + x->gc_freed;
    for (int i = 0; i < MS_AGES - 1; i++)
        freed += x->older[i];
    return (counted){c->live, c->live + freed - t->inherited, x->gc_freed,
                     x->live_bytes, x->live_bytes + x->freed_bytes - x->inherited_bytes, x->gc_bytes};
}

/* --- the peak --------------------------------------------------------------------------------------- */

static bool room_for(void **block, uint32_t *room, uint32_t n, size_t each)
{
    uint32_t want = *room ? *room : 4096;
    while (want < n)
        want *= 2;
    void *next = want == *room ? *block : ms_sys_resize(*block, *room * each, want * each);
    if (next == NULL)
        return false;
    *block = next;
    *room = want;
    return true;
}

/* A tally's share of the peak of this stretch, as the recorder keeps it: see recorder.c. */
static bool is_as_at_peak(const ms_count *c) { return c->gen != ms_area.gen; }

static void put_by(void)
{
    uint32_t nt = ms_area.table[MS_T_TALLY].used, nn = ms_area.table[MS_T_NODE].used;
    if (ms_area.peak_bytes <= highest.bytes || !room_for((void **)&highest.tally, &highest.tally_room, nt, sizeof *highest.tally) ||
        !room_for((void **)&highest.node, &highest.node_room, nn, sizeof *highest.node))
        return;
    highest.bytes = ms_area.peak_bytes;
    highest.stretch = stretch;
    highest.ntally = nt;
    highest.nnode = nn;
    for (uint32_t i = 0; i < nt; i++) {
        const ms_extra *x = ms_tally_extra(&ms_area.tally[i]);
        const ms_count *c = &ms_area.count[i];
        bool as_is = is_as_at_peak(c);
        highest.tally[i][0] = as_is ? c->live : c->peak;
        highest.tally[i][1] = as_is ? x->live_bytes : x->peak_bytes;
    }
    for (uint32_t i = 0; i < nn; i++) {
        const ms_node *x = &ms_area.node[i];
        highest.node[i] = x->gen != ms_area.gen ? x->live_bytes : x->peak_bytes;
    }
}

/* The stretch since the last mark is over: its peak is that of each open mark, too. */
static void peak_tell(void)
{
    for (ms_mark *m = marks; m; m = m->next)
        if (m->recording == recording && ms_area.peak_bytes > m->peak)
            m->peak = ms_area.peak_bytes;
}

void ms_marks_end(void)
{
    ms_peak_look();
    peak_tell();
    if (highest.bytes > ms_area.peak_bytes) {
        ms_area.peak_bytes = highest.bytes;
        for (uint32_t i = 0; i < ms_area.table[MS_T_TALLY].used; i++) {
            ms_area.count[i].gen = ms_area.gen;
            ms_area.count[i].peak = i < highest.ntally ? (uint32_t)highest.tally[i][0] : 0;
            if (ms_area.tally[i].extra)
                ms_tally_extra(&ms_area.tally[i])->peak_bytes = i < highest.ntally ? highest.tally[i][1] : 0;
        }
        for (uint32_t i = 0; i < ms_area.table[MS_T_NODE].used; i++) {
            ms_area.node[i].gen = ms_area.gen;
            ms_area.node[i].peak_bytes = i < highest.nnode ? highest.node[i] : 0;
        }
    }
}

void ms_marks_begin(void)
{
    recording++;
    highest.bytes = 0;
}

/* --- marks ------------------------------------------------------------------------------------------ */

ms_mark *ms_mark_new(void)
{
    if (ms_mode <= MS_MODE_ALLOC)
        return NULL;
    ms_lock_take();
    uint32_t n = ms_area.table[MS_T_TALLY].used, room = n + n / 4;
    ms_mark *m = spare && spare->room >= n ? spare : NULL;
    if (m) {
        spare = NULL;
        room = m->room;
    } else {
        m = ms_sys_alloc(size_of(room));
    }
    if (m) {
        ms_peak_look();
        put_by();
        peak_tell();
        ms_area.peak_bytes = ms_area.live_bytes; /* at a peak again */
        ms_area.gen++;
        *m = (ms_mark){.next = marks, .recording = recording, .stretch = ++stretch, .n = n, .room = room,
                       .live_bytes = ms_area.live_bytes, .peak = ms_area.live_bytes};
        for (uint32_t i = 0; i < n; i++)
            m->tally[i] = count(i);
        marks = m;
    }
    ms_lock_give();
    return m;
}

void ms_mark_free(ms_mark *m)
{
    for (ms_mark **at = &marks; m && *at; at = &(*at)->next)
        if (*at == m) {
            *at = m->next;
            if (spare)
                ms_sys_free(spare, size_of(spare->room));
            spare = m;
            return;
        }
}

static uint32_t site_of(const ms_tally *t)
{
    return ms_mode == MS_MODE_EXACT && t->owner < ms_area.table[MS_T_NODE].used ? ms_area.node[t->owner].site : t->owner;
}

/* Made by memsure, in C or by the code in marks.py. */
static bool is_ours(uint32_t site)
{
    static const char own[] = "/memsure/marks.py";
    const ms_code *c = &ms_area.code[ms_area.site[site].code];
    const char *file = ms_area.text + c->file;
    size_t n = strlen(file);
    return c->flags & MS_CODE_OURS || (n >= sizeof own && strcmp(file + n - sizeof own + 1, own) == 0);
}

/* Bytes of a tally at the peak since the mark, more than at the mark. */
static int64_t share(uint32_t i, const counted *then, bool of_now)
{
    const ms_tally *t = &ms_area.tally[i];
    uint32_t stride = t->stride & ~MS_TALLY_LOCKED, live;
    uint64_t bytes;
    if (t->stride & MS_TALLY_LOCKED)
        return 0;
    if (of_now) {
        const ms_count *c = &ms_area.count[i];
        bool as_is = is_as_at_peak(c);
        live = as_is ? c->live : c->peak;
        bytes = as_is ? ms_tally_extra(t)->live_bytes : ms_tally_extra(t)->peak_bytes;
    } else {
        live = i < highest.ntally ? (uint32_t)highest.tally[i][0] : 0;
        bytes = i < highest.ntally ? highest.tally[i][1] : 0;
    }
    return stride ? (int32_t)(live - then->live) * (int64_t)stride : (int64_t)(bytes - then->live_bytes);
}

ms_err ms_mark_since(const ms_mark *m, ms_since *out, ms_line **lines, uint32_t *nlines)
{
    *out = (ms_since){0};
    if (ms_mode <= MS_MODE_ALLOC || m->recording != recording)
        return MS_EINVAL;
    ms_err err = MS_OK;
    ms_lock_take();
    uint32_t nsite = ms_area.table[MS_T_SITE].used, n = 0;
    ms_line *of = lines ? ms_sys_alloc(nsite * sizeof *of) : NULL;
    if (lines && of == NULL)
        err = MS_ENOMEM;
    ms_peak_look();
    uint64_t peak = ms_area.peak_bytes > m->peak ? ms_area.peak_bytes : m->peak;
    bool of_now = ms_area.peak_bytes == peak;
    out->peak_by_line = of_now || (highest.bytes == peak && (int32_t)(highest.stretch - m->stretch) >= 0);
    out->peak_bytes = peak - m->live_bytes;
    for (uint32_t i = 0; err == MS_OK && i < ms_area.table[MS_T_TALLY].used; i++) {
        const ms_tally *t = &ms_area.tally[i];
        counted now = count(i), then = i < m->n ? m->tally[i] : (counted){0};
        uint32_t site = site_of(t), stride = t->stride & ~MS_TALLY_LOCKED;
        ms_line d = {.allocated_blocks = now.born - then.born, .live_blocks = (int32_t)(now.live - then.live),
                     .collected_blocks = now.collected - then.collected};
        d.allocated_bytes = stride ? d.allocated_blocks * stride : now.born_bytes - then.born_bytes;
        d.live_bytes = stride ? d.live_blocks * (int64_t)stride : (int64_t)(now.live_bytes - then.live_bytes);
        out->live_blocks_now += now.live;
        if ((d.allocated_blocks | (uint64_t)d.live_blocks | d.collected_blocks) == 0 || site >= nsite || is_ours(site))
            continue;
        out->allocated_blocks += d.allocated_blocks;
        out->allocated_bytes += d.allocated_bytes;
        out->live_blocks += d.live_blocks;
        out->live_bytes += d.live_bytes;
        if (of == NULL)
            continue;
        of[site].allocated_blocks += d.allocated_blocks;
        of[site].allocated_bytes += d.allocated_bytes;
        of[site].live_blocks += d.live_blocks;
        of[site].live_bytes += d.live_bytes;
        of[site].collected_blocks += d.collected_blocks;
        of[site].collected_bytes += stride ? d.collected_blocks * stride : now.collected_bytes - then.collected_bytes;
        if (out->peak_by_line)
            of[site].peak_bytes += share(i, &then, of_now);
    }
    out->live_bytes_now = ms_area.live_bytes;
    for (uint32_t i = 0; of && i < nsite; i++) {
        if (of[i].allocated_blocks == 0 && of[i].live_blocks == 0 && of[i].collected_blocks == 0)
            continue;
        const ms_site *s = &ms_area.site[i];
        const ms_code *c = &ms_area.code[s->code];
        ms_line *to = &of[n++];
        *to = of[i];
        to->file = ms_area.text + c->file;
        to->function = ms_area.text + c->function;
        to->line = s->line;
        to->flags = c->flags;
    }
    ms_lock_give();
    if (lines) {
        *lines = of;
        *nlines = n;
        out->rows_size = nsite * sizeof *of;
    }
    return err;
}

void ms_mark_lines_free(ms_line *lines, const ms_since *since) { ms_sys_free(lines, since->rows_size); }
