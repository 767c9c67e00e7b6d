/* recorder.c -- the allocator under CPython: each birth and death of a block bumps one tally.
 *
 * A birth: pop a block of the size class; find the tally by (instruction, class) in a small
 * cache; write tally and epoch into the block's tag; live++. A death: read the tag; live--, and one
 * step in the tally's lifetime histogram; push the block. No lock, no call, no division, and no
 * table that grows with the heap. tests/hotpath/ keeps the instruction counts.
 *
 * The peak, line by line, in constant time: gen rises at the first death after a new peak. A tally
 * that is touched later, and still carries an older gen, first keeps its live blocks as its share of
 * that peak. Tallies not touched since need nothing: what they have is what they had.
 *
 * Blocks above MS_BLOCK_MAX are malloc's, with the tag in a table (large.h). What is in neither is
 * from before the recorder and goes back to the allocator that was there. */
#include "record/recorder.h"
#include "record/mark.h"
#include "record/moment.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define ALWAYS static inline __attribute__((always_inline))

int ms_mode = -1;

static ms_heap  heap, raw_heap;
static ms_large large;
static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static PyMemAllocatorEx before[3]; /* by domain: raw, mem, obj */

/* The interpreter whose GIL guards the heap and its tallies; NULL until Python runs. On 3.11 all share one. */
static PyInterpreterState *main_interpreter __attribute__((unused));

/* The thread that the heap was last used by with that GIL: while the current thread is this one, the hot
 * path need not ask which interpreter it runs. Forgotten when it is freed: another's may come to lie there. */
#define NO_THREAD ((PyThreadState *)1)
static PyThreadState *main_thread = NO_THREAD;
/* Others compare it with themselves without the lock: it is never theirs. */
static void main_is(PyThreadState *ts) { main_thread = ts && !ms_path_verify ? ts : NO_THREAD; /* verified: all come by take_slow() */ }

/* Which tally, by instruction and class, and in exact mode by the node of the callers. Four entries make a
 * set, a cache line; one is in its own place there, or further on, where the next ones pushed it. The hot
 * path looks at two; one found further on (cache_find_far) changes places with the first. A web server that met 45,000
 * questions, most of them while it was imported, misses 4,100 of 2.6 M in a round of requests, 3,400 of them new: of code that it
 * compiles anew. (With half as many entries 8,000; without a look for an empty place 24,000, which was 4 % of its time.) An
 * entry costs a miss to replace, nothing to be wrong about: what it is compared by is the whole question. */
#define CACHE_BITS 16
#define CACHE_WAYS 4u
typedef struct {
    uint64_t key;
    uint32_t tag, callers;
} cache_entry;
static _Alignas(64) cache_entry cache[1u << CACHE_BITS];
static ms_map places; /* instruction -> site, for misses; extra: the classes that were asked for, mod 32 */
static ms_map codes;  /* the code objects that have places, each with its number */

/* User addresses end below bit 58. */
static inline uint64_t cache_key(uintptr_t instruction, uint32_t cls) { return instruction | (uint64_t)cls << 58; }

/* Multiples of a large odd number spread neighbouring instructions evenly (Knuth, TAOCP 3, 6.4). */
ALWAYS cache_entry *cache_at(uint64_t key, uint32_t callers)
{
    uint64_t hash = (key ^ (uint64_t)callers << 32) * 0x9E3779B97F4A7C15ull;
    return (cache_entry *)((char *)cache + (hash >> (64 - CACHE_BITS) << 4));
}
/* The way-th place of the set, from e on. */
ALWAYS cache_entry *cache_way(cache_entry *e, uint32_t way) { return (cache_entry *)((uintptr_t)e ^ way * sizeof *e); }
_Static_assert(sizeof(cache_entry) == 16, "an entry's place is shifted by 4");

/* In line mode there are no callers to compare. */
ALWAYS bool cache_is(const cache_entry *e, uint64_t key, uint32_t callers, bool exact) { return e->key == key && (!exact || e->callers == callers); }

/* The entry, if it is one of the first two; else NULL. */
ALWAYS const cache_entry *cache_find(uint64_t key, uint32_t callers, bool exact)
{
    cache_entry *e = cache_at(key, callers);
    if (MS_UNLIKELY(!cache_is(e, key, callers, exact))) {
        e = cache_way(e, 1);
        if (MS_UNLIKELY(!cache_is(e, key, callers, exact)))
            return NULL;
    }
    return e;
}

/* The entry, if it is one of the others: it is the first from now on. */
static const cache_entry *cache_find_far(uint64_t key, uint32_t callers, bool exact)
{
    cache_entry *first = cache_at(key, callers);
    for (uint32_t way = 2; way < CACHE_WAYS; way++) {
        cache_entry *e = cache_way(first, way), found = *e;
        if (!cache_is(e, key, callers, exact))
            continue;
        *e = *first;
        *first = found;
        return first;
    }
    return NULL;
}

/* Becomes the first of its set; those before the first empty place move on by one, or the last one leaves. */
static void cache_put(uint64_t key, uint32_t callers, uint32_t tag)
{
    cache_entry *e = cache_at(key, callers);
    uint32_t way = 0;
    while (way < CACHE_WAYS - 1 && cache_way(e, way)->key != 0)
        way++;
    for (; way > 0; way--)
        *cache_way(e, way) = *cache_way(e, way - 1);
    *e = (cache_entry){.key = key, .tag = tag, .callers = callers};
}

uint64_t ms_now_ns(void)
{
    struct timespec t;
    if (MS_UNLIKELY(ms_area.sealed)) /* even the processor's clock may be forbidden */
        return ms_area.epoch_zero_ns + ms_area.epoch * MS_EPOCH_NS;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* On a busy machine the clock counts what others did in between. */
uint64_t ms_thread_ns(void)
{
    struct timespec t;
    return !ms_area.sealed && clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0 ? (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec : 0;
}

/* The epoch as the high half of a tag. */
static inline uint64_t epoch_word(void)
{
    uint64_t word;
    memcpy(&word, &ms_area.epoch_below, sizeof word);
    return word;
}
_Static_assert(offsetof(ms_live, epoch) == offsetof(ms_live, epoch_below) + 4 && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the epoch is a word's high half");

void ms_cold_begin(uint64_t *t) { *t = ms_now_ns(); }
void ms_cold_end(uint64_t t)
{
    ms_area.cold_ns += ms_now_ns() - t;
}

void ms_lock_take(void) { pthread_mutex_lock(&lock); }
void ms_lock_give(void) { pthread_mutex_unlock(&lock); }

/* What a caller may touch. MAIN: it holds the main interpreter's GIL, and with it the heap and the
 * tallies. OTHER: it runs Python in another interpreter, which may have a GIL of its own (3.12+).
 * NOBODY: it runs no Python now. These two touch, under the lock, what is the lock's: the raw heap,
 * and tallies marked MS_TALLY_LOCKED. */
enum { MAIN, OTHER, NOBODY };

static int caller_is(void)
{
    PyThreadState *ts = ms_thread_state_asked();
    if (ts == NULL)
        return NOBODY;
#if PY_VERSION_HEX >= 0x030c0000
    if (main_interpreter == NULL)
        main_interpreter = PyInterpreterState_Main();
    if (main_interpreter && ts->interp != main_interpreter)
        return OTHER;
#endif
    return MAIN; /* 3.11: all interpreters share one GIL */
}

/* --- who allocates -------------------------------------------------------------------------------- */

static uint32_t code_number(PyCodeObject *code)
{
    char text[4096];
    size_t n = ms_frame_text(code->co_filename, text, sizeof text);
    uint32_t file = ms_text_intern(text, n);
    n = ms_frame_text(code->co_qualname, text, sizeof text);
    uint32_t function = ms_text_intern(text, n);
    return file && function ? ms_code_intern(file, function, code->co_firstlineno, 0) : 0;
}

static ms_place_mark marks[64]; /* of code objects whose death is seen */

static ms_place_mark *mark_of(const PyCodeObject *code) { return &marks[(uintptr_t)code / 64 % (sizeof marks / sizeof *marks)]; }

/* The site of an instruction of frame f. */
uint32_t ms_who_site(ms_frame *f, uintptr_t instruction)
{
    ms_map_slot *known = instruction ? ms_map_put(&places, instruction | 1) : NULL; /* 0: not begun */
    if (known && known->value)
        return known->value;
    uint64_t t;
    ms_cold_begin(&t);
    PyCodeObject *code = ms_frame_code(f);
    uint64_t *tag = ms_block_tag(code);
    ms_map_slot *of = tag ? ms_map_put(&codes, (uint64_t)(uintptr_t)code) : NULL;
    if (of)
        *tag |= MS_TAG_WATCH; /* when the code dies, another may get its addresses */
    uint32_t number = of && of->value ? of->value : code_number(code);
    if (of)
        of->value = number;
    ms_place p = ms_frame_place(code, instruction, of ? mark_of(code) : NULL);
    uint32_t site = number ? ms_site_intern(number, p.line, p.end_line, p.column, p.end_column) : 0;
    if (known)
        known->value = site;
    ms_cold_end(t);
    return site;
}

void ms_code_died(PyCodeObject *code)
{
    uintptr_t from = (uintptr_t)code->co_code_adaptive, n = (uintptr_t)Py_SIZE(code);
    if (mark_of(code)->code == code)
        mark_of(code)->code = NULL;
    for (uintptr_t unit = 0; unit <= n; unit++) {
        uintptr_t instruction = from + 2 * unit - 2; /* before the first, too: a frame not yet started */
        ms_map_slot *s = ms_map_find(&places, instruction | 1);
        if (s == NULL)
            continue;
        for (uint32_t cls = 0; cls < MS_CLASSES && ms_mode != MS_MODE_EXACT; cls++) {
            uint64_t key = cache_key(instruction, cls);
            if (!(s->extra >> (cls & 31) & 1))
                continue;
            for (uint32_t way = 0; way < CACHE_WAYS; way++)
                if (cache_way(cache_at(key, 0), way)->key == key)
                    cache_way(cache_at(key, 0), way)->key = 0;
        }
        ms_map_remove(&places, s);
    }
    if (ms_mode != MS_MODE_EXACT)
        return;
    for (uint32_t i = 0; i < sizeof cache / sizeof *cache; i++) /* whatever their callers are */
        if (((cache[i].key & (UINT64_MAX >> 6)) - (from - 2)) <= 2 * n)
            cache[i].key = 0;
    ms_path_forget(from - 2, from + 2 * n);
}

static uint32_t owner_of_site(uint32_t site)
{
    return ms_mode == MS_MODE_EXACT ? ms_node_below(0, site) : site;
}

static inline uint32_t class_bytes(uint32_t cls) { return cls ? ms_class_stride[cls] - MS_TAG_SIZE : 0; }

/* What counts where there is no room for one more tally: by class, so that bytes add up. */
static uint32_t full[MS_CLASSES];

static void full_init(void)
{
    for (uint32_t cls = 1; cls < MS_CLASSES && ms_class_stride[cls]; cls++)
        full[cls] = ms_tally_intern(0, class_bytes(cls));
}

uint32_t ms_tag_of(uint32_t owner, uint32_t cls)
{
    uint32_t tally = ms_tally_intern(owner, class_bytes(cls));
    return ms_tally_tag(tally ? tally : full[cls]);
}

static uint32_t tag_of_site(uint32_t site, uint32_t cls) { return ms_tag_of(owner_of_site(site), cls); }

static uint32_t frameless[2][MS_CLASSES]; /* by whether Python has run, and class */

/* No thread state where the hot path looks, no frame, or only the interpreter's own marks. */
static MS_COLD uint32_t who_else(uint32_t cls)
{
    static bool python_seen;
    if (!ms_frame_verify() || ms_thread_state() == NULL) {
        PyThreadState *asked = ms_thread_state_asked();
        ms_frame *f = asked ? ms_frame_python(ms_frame_top(asked)) : NULL;
        if (f) /* the fast read does not work here: the slow way, each time */
            return tag_of_site(ms_who_site(f, ms_frame_instruction(f)), cls);
    }
    PyThreadState *ts = ms_thread_state();
    ms_frame *f = ts ? ms_frame_python(ms_frame_top(ts)) : NULL;
    if (f)
        return ms_mode == MS_MODE_EXACT ? ms_tag_of(ms_path_node(f, ms_path_callers(ts, f)), cls)
                                        : tag_of_site(ms_who_site(f, ms_frame_instruction(f)), cls);
    python_seen |= ms_area.table[MS_T_SITE].used > MS_SITE_FIRST;
    if (python_seen)
        ms_python_maybe_end();
    uint32_t *tag = &frameless[python_seen][cls];
    if (*tag == 0)
        *tag = tag_of_site(python_seen ? MS_SITE_NO_FRAME : MS_SITE_BEFORE, cls);
    return *tag;
}

/* A miss of the cache. */
static MS_COLD uint32_t who_new(PyThreadState *ts, ms_frame *f, uint32_t callers, uint32_t cls)
{
    uintptr_t instruction = ms_frame_instruction(f);
    if (!ms_frame_is_python(f) || instruction == 0)
        return who_else(cls); /* its instruction is shared by many: not to be cached */
    ms_frame_verify();
    ms_python_attach(ts);
    bool exact = ms_mode == MS_MODE_EXACT;
    uint32_t site = ms_who_site(f, instruction), tag = ms_tag_of(exact ? ms_path_node(f, callers) : site, cls);
    ms_map_slot *place = ms_map_find(&places, instruction | 1);
    if (place == NULL)
        return tag; /* no memory to remember it by: nothing would forget it when its code dies */
    place->extra |= 1u << (cls & 31);
    cache_put(cache_key(instruction, cls), callers, tag);
    return tag;
}

static uint32_t who(uint32_t cls)
{
    PyThreadState *ts = ms_thread_state();
    ms_frame *f = ts ? ms_frame_top(ts) : NULL;
    if (f == NULL)
        return who_else(cls);
    bool exact = ms_mode == MS_MODE_EXACT;
    if (exact && (f = ms_frame_python(f)) == NULL)
        return tag_of_site(MS_SITE_NO_FRAME, cls);
    uint32_t callers = exact ? ms_path_callers(ts, f) : 0;
    uint64_t key = cache_key(ms_frame_instruction(f), cls);
    const cache_entry *e = cache_find(key, callers, exact);
    if (e == NULL)
        e = cache_find_far(key, callers, exact);
    return e ? e->tag : who_new(ts, f, callers, cls);
}

/* --- births and deaths ---------------------------------------------------------------------------- */

/* Before a tally changes: the first time since the last peak, what lives now is its share of that. */
ALWAYS void count_touch(ms_count *c)
{
    if (MS_UNLIKELY(c->gen != ms_area.gen)) {
        c->peak = c->live;
        c->gen = ms_area.gen;
    }
}

/* Before a death: a peak is known for one when something dies, and has to be remembered from here on.
 * Of moments with as much, the first is the peak: a loop that comes back to it at each turn stays on the short way. */
ALWAYS void peak_look(void)
{
    if (MS_UNLIKELY(ms_area.live_bytes > ms_area.peak_bytes)) {
        ms_area.peak_bytes = ms_area.live_bytes;
        ms_area.gen++;
    }
}

void ms_peak_look(void) { peak_look(); }

ALWAYS void birth(ms_count *c, uint64_t bytes)
{
    count_touch(c);
    c->live++;
    ms_area.live_bytes += bytes;
}

static inline uint32_t age_index(uint32_t age)
{
    uint32_t i = age ? 32u - (uint32_t)__builtin_clz(age) : 0;
    return i < MS_AGES ? i : MS_AGES - 1;
}

/* A death at age 0 in one addition: live is 1 at least, so the carry of adding -1 to it is the 1 for young. */
ALWAYS void died_young(ms_count *c) { c->young_live += UINT32_MAX; }

static MS_COLD bool extend(ms_tally *t)
{
    ms_lock_take();
    bool ok = ms_tally_extend(t);
    ms_lock_give();
    return ok;
}

/* A death at index of older[] + 1; 0, or where there is no room to say more: young. */
static inline void died(ms_count *c, ms_tally *t, uint32_t index)
{
    if (index == 0 || (MS_UNLIKELY(t->extra == 0) && !extend(t))) {
        died_young(c);
    } else {
        c->live--;
        (&ms_tally_extra(t)->older[0])[index - 1]++;
    }
}

/* A finalizer may give the GIL away in the midst of a collection: what others free then is theirs. */
PyThreadState *ms_collector;
static inline bool collector_frees(void) { return ms_area.gc_on && ms_thread_state() == ms_collector; }
static inline uint32_t age_index_now(uint32_t born) { return collector_frees() ? MS_AGE_GC : age_index(ms_area.epoch - born); }

/* All of a death but died(). */
ALWAYS void death_counted(ms_count *c, uint64_t bytes)
{
    peak_look();
    count_touch(c);
    ms_area.live_bytes -= bytes;
}

static void death(uint32_t low, uint64_t bytes, uint32_t born)
{
    death_counted(ms_tag_count(low), bytes);
    died(ms_tag_count(low), ms_tag_tally(low), age_index_now(born));
}

/* The same for blocks of any tally: those of large blocks count their bytes, too. */
static void birth_any(uint32_t low, uint64_t bytes)
{
    ms_count *c = ms_tag_count(low);
    ms_tally *t = ms_tag_tally(low);
    if (t->stride == 0) {
        ms_extra *x = ms_tally_extra(t);
        if (c->gen != ms_area.gen)
            x->peak_bytes = x->live_bytes;
        x->live_bytes += bytes;
    }
    birth(c, bytes);
}

static void death_any(uint32_t low, uint64_t bytes, uint32_t born)
{
    ms_count *c = ms_tag_count(low);
    ms_tally *t = ms_tag_tally(low);
    if (t->stride == 0) {
        ms_extra *x = ms_tally_extra(t);
        peak_look();
        if (c->gen != ms_area.gen)
            x->peak_bytes = x->live_bytes;
        x->live_bytes -= bytes;
        x->freed_bytes += bytes;
        if (collector_frees())
            x->gc_bytes += bytes;
    }
    death(low, bytes, born);
}

/* The same for a tally that is the lock's: outside the process's sums and without a peak. */
static void birth_locked(uint32_t low, uint64_t bytes)
{
    ms_tally *t = ms_tag_tally(low);
    ms_tag_count(low)->live++;
    if ((t->stride & ~MS_TALLY_LOCKED) == 0)
        ms_tally_extra(t)->live_bytes += bytes;
}

static void death_locked(uint32_t low, uint64_t bytes, uint32_t born)
{
    ms_tally *t = ms_tag_tally(low);
    died(ms_tag_count(low), t, age_index(ms_area.epoch - born));
    if ((t->stride & ~MS_TALLY_LOCKED) == 0) {
        ms_tally_extra(t)->live_bytes -= bytes;
        ms_tally_extra(t)->freed_bytes += bytes;
    }
}

static MS_COLD void watched(void *block, uint64_t bytes)
{
    uint64_t t;
    ms_cold_begin(&t);
    ms_sample_died(block, bytes);
    ms_map_slot *code = ms_map_find(&codes, (uint64_t)(uintptr_t)block);
    if (code) {
        ms_map_remove(&codes, code);
        ms_code_died((PyCodeObject *)block);
    }
    ms_cold_end(t);
}

/* Deaths, without the main GIL, of blocks whose tally only its holder may touch: kept for it. */
static struct {
    uint64_t tag, bytes;
} deferred[4096];
static uint32_t ndeferred;

static MS_COLD void deferred_settle(void)
{
    while (ndeferred) {
        uint64_t tag = deferred[--ndeferred].tag, bytes = deferred[ndeferred].bytes;
        death_any((uint32_t)tag, bytes, (uint32_t)(tag >> 32));
    }
}

/* A death seen under the lock. */
static void death_cold(void *block, uint64_t tag, uint64_t bytes, int caller)
{
    uint32_t low = (uint32_t)tag, born = (uint32_t)(tag >> 32);
    if (ms_mode == MS_MODE_ALLOC)
        return;
    if (low & MS_TAG_LOCKED) {
        if (low & MS_TAG_WATCH)
            watched(block, bytes);
        death_locked(low, bytes, born);
    } else if (caller == MAIN) {
        if (low & MS_TAG_WATCH)
            watched(block, bytes);
        death_any(low, bytes, born);
    } else if (ndeferred < sizeof deferred / sizeof *deferred) {
        deferred[ndeferred].tag = tag;
        deferred[ndeferred++].bytes = bytes;
    } else {
        ms_area.unrecorded_blocks++;
    }
}

/* The tag for a block born under the lock, its birth counted. cls 0: a large block. */
static uint64_t birth_cold(uint32_t cls, uint64_t bytes, int caller)
{
    if (ms_mode == MS_MODE_ALLOC)
        return MS_TAG_LIVE;
    uint64_t epoch = epoch_word();
    if (caller != MAIN) {
        uint32_t site = MS_SITE_NO_GIL;
        PyThreadState *ts = caller == OTHER ? ms_thread_state_asked() : NULL;
        ms_frame *f = ts ? ms_frame_python(ms_frame_top(ts)) : NULL;
        if (caller == OTHER)
            site = f ? ms_who_site(f, ms_frame_instruction(f)) : MS_SITE_NO_FRAME;
        uint32_t low = ms_tally_tag(ms_tally_intern(owner_of_site(site), class_bytes(cls) | MS_TALLY_LOCKED)) | MS_TAG_LOCKED;
        birth_locked(low, bytes);
        return low | epoch;
    }
    if (ndeferred)
        deferred_settle();
    uint32_t low = who(cls);
    if (ms_mode == MS_MODE_ALLOC) /* the interpreter goes down, as was seen just now */
        return MS_TAG_LIVE;
    birth_any(low, bytes);
    return low | epoch;
}

/* After birth_cold: the sample that may be due. Returns the tag, perhaps marked. */
static uint64_t sample_cold(void *block, uint64_t tag, uint64_t bytes, int caller)
{
    if (caller == MAIN && ms_mode != MS_MODE_ALLOC && ((ms_area.sample_left -= (int64_t)bytes) < 0 || bytes >= MS_BIG_BLOCK))
        ms_sample(block, &tag, bytes);
    return tag;
}

/* --- large blocks, and raw memory: under the lock ------------------------------------------------- */

enum { D_RAW, D_MEM, D_OBJ };

/* Where a block that is in no slab comes from: malloc, or for a small one that found the slabs used up,
 * the allocator from before, which gives address space back (MS_TAG_BEFORE). */
static void *outside_alloc(size_t size, bool zero, bool small)
{
    if (!small)
        return zero ? calloc(1, size) : malloc(size);
    void *block = before[D_OBJ].malloc(before[D_OBJ].ctx, size);
    return block && zero ? memset(block, 0, size) : block;
}

static void outside_free(void *block, uint64_t tag)
{
    if (tag & MS_TAG_BEFORE)
        before[D_OBJ].free(before[D_OBJ].ctx, block);
    else
        free(block);
}

static uint32_t ntold; /* blocks in the table that are told of */

static void large_gone(ms_large_slot *s, int caller)
{
    ms_large_slot kept = *s;
    ntold -= kept.told;
    ms_large_remove(&large, s);
    death_cold((void *)kept.block, kept.tag, kept.size, caller);
}

/* A block that somebody told of has gone; perhaps without a word, and its place is another's now. */
static void told_gone(const void *block, int caller)
{
    ms_large_slot *s = ntold && block ? ms_large_find(&large, block) : NULL; /* numpy tells of NULL, too; the table's empty places are that */
    if (s && s->told)
        large_gone(s, caller);
}

static ms_large_slot *large_born(void *block, size_t size, int caller)
{
    told_gone(block, caller);
    uint64_t tag = birth_cold(0, size, caller);
    ms_large_slot *s = ms_large_put(&large, block, size, tag);
    if (s) {
        s->tag = sample_cold(block, tag, size, caller);
    } else { /* unknown from now on: it will be freed as one from before */
        ms_area.unrecorded_blocks++;
        death_cold(block, tag, size, caller);
    }
    return s;
}

static void *large_alloc(size_t size, bool zero, int caller, bool small)
{
    if (size == 0)
        size = 1; /* a block of no bytes would pass for one that is not ours */
    void *block = outside_alloc(size, zero, small);
    if (block == NULL)
        return NULL;
    ms_large_slot *s = large_born(block, size, caller);
    if (s && small)
        s->tag |= MS_TAG_BEFORE;
    return block;
}

/* Blocks below this are left out: numpy keeps those for its own next arrays, and their number is that of the arrays. */
#define TOLD_LEAST 1024u

void ms_recorder_told(void *block, size_t size)
{
    if (block == NULL || ms_mode == MS_MODE_ALLOC)
        return;
    ms_lock_take();
    int caller = caller_is();
    told_gone(block, caller); /* it changed its size where it stood */
    bool known = ms_heap_has(&heap, block) || ms_heap_has(&raw_heap, block) || ms_large_find(&large, block);
    ms_large_slot *s = known || size < TOLD_LEAST ? NULL : large_born(block, size, caller);
    if (s) {
        s->told = true;
        ntold++;
    }
    ms_lock_give();
}

void ms_recorder_untold(void *block)
{
    ms_lock_take();
    told_gone(block, caller_is());
    ms_lock_give();
}

/* Where no monitor ticks the clock. */
static void tick_self(void) { ms_area.epoch = (uint32_t)((ms_now_ns() - ms_area.epoch_zero_ns) / MS_EPOCH_NS); }

static MS_COLD void *refill(ms_heap *h, uint32_t cls)
{
    if (ms_area.monitor == 0)
        tick_self();
    void *block = ms_heap_refill(h, cls, ms_area.epoch);
    if (h->queue != MS_NO_SLAB || h->ndirty > MS_KEEP_DIRTY) /* one heap, with the GIL or with the lock: the other may have more */
        __atomic_store_n(&ms_area.purge_due, 1, __ATOMIC_RELAXED);
    return block;
}

static inline void *pop(ms_heap *h, uint32_t cls)
{
    void *block = h->pool[cls].list;
    if (MS_UNLIKELY(block == NULL))
        return refill(h, cls);
    h->pool[cls].list = (void *)*ms_tag(block);
    return block;
}

/* A block of the raw heap: for PyMem_RawMalloc, and for interpreters other than the main one. */
static void *raw_take(size_t size, bool zero, int caller)
{
    if (size > MS_BLOCK_MAX)
        return large_alloc(size, zero, caller, false);
    uint32_t cls = ms_class(size);
    void *block = pop(&raw_heap, cls);
    if (block == NULL)
        return large_alloc(size, zero, caller, false);
    uint64_t tag = birth_cold(cls, class_bytes(cls), caller);
    *ms_tag(block) = sample_cold(block, tag, class_bytes(cls), caller);
    if (zero)
        memset(block, 0, size);
    return block;
}

static void release_odd(void *ctx, void *block, int mode);

/* Free what is not in the heap, under the lock. */
static void release_any(void *block, int caller, int domain)
{
    if ((uintptr_t)main_thread - (uintptr_t)block < sizeof(PyThreadState))
        main_is(NULL);
    if (ms_heap_has(&raw_heap, block)) {
        uint64_t tag = *ms_tag(block);
        if (!(tag & MS_TAG_LIVE))
            return; /* freed twice: a bug of the program's, which a pool must survive */
        ms_slab *s = ms_slab_of(&raw_heap, block);
        death_cold(block, tag, class_bytes(s->cls), caller);
        ms_heap_give(&raw_heap, s, block, ms_area.epoch);
        return;
    }
    if (ms_heap_has(&heap, block)) {
        if (caller == MAIN) /* else it stays: nobody may touch the heap now */
            release_odd(NULL, block, ms_mode);
        return;
    }
    told_gone(block, caller);
    ms_large_slot *s = ms_large_find(&large, block);
    if (s) {
        uint64_t tag = s->tag;
        large_gone(s, caller);
        outside_free(block, tag);
    } else {
        ms_area.before_blocks++;
        before[domain].free(before[domain].ctx, block);
    }
}

static MS_COLD void release_other(void *ctx, void *block, int domain)
{
    if (block == NULL)
        return;
    ms_lock_take();
    release_any(block, caller_is(), domain);
    ms_lock_give();
}

/* The bytes a block of ours has room for, 0 when it is not ours. Under the lock. */
static uint64_t room(const void *block)
{
    if (ms_heap_has(&raw_heap, block))
        return class_bytes(ms_slab_of(&raw_heap, block)->cls);
    if (ms_heap_has(&heap, block))
        return class_bytes(ms_slab_of(&heap, block)->cls);
    ms_large_slot *s = ms_large_find(&large, block);
    return s ? s->size : 0;
}

/* Large stays large: malloc may extend it in place, but it dies here and is born here again. */
static void *large_move(void *block, size_t size, int caller)
{
    ms_large_slot *s = ms_large_find(&large, block), kept = *s;
    void *next = realloc(block, size);
    if (next == NULL)
        return NULL;
    ms_large_remove(&large, s);
    if (kept.tag & MS_TAG_WATCH) /* the block itself is gone: only its sample dies */
        ms_sample_died((void *)kept.block, kept.size);
    death_cold((void *)kept.block, kept.tag & ~(uint64_t)MS_TAG_WATCH, kept.size, caller);
    large_born(next, size, caller); /* there is room: one was just removed */
    return next;
}

static bool fits(uint64_t room, size_t size) { return size <= room && size > room - room / 4 - 16; }

/* --- the hot path --------------------------------------------------------------------------------- */

/* The whole of take(), at leisure. */
static MS_COLD void *take_slow(void *ctx, size_t size, bool zero)
{
    void *block = NULL;
    ms_lock_take();
    int caller = caller_is();
    if (caller == MAIN)
        main_is(ms_thread_state());
    if (caller == OTHER) {
        block = raw_take(size, zero, OTHER);
    } else if (size <= MS_BLOCK_MAX) {
        uint32_t cls = ms_class(size), low = ms_mode != MS_MODE_ALLOC ? who(cls) : MS_TAG_LIVE;
        bool counting = ms_mode != MS_MODE_ALLOC; /* the end may just have been seen */
        block = pop(&heap, cls);
        if (block) {
            *ms_tag(block) = low | epoch_word();
            if (counting) {
                birth(ms_tag_count(low), class_bytes(cls));
                if ((ms_area.sample_left -= class_bytes(cls)) < 0)
                    ms_sample(block, ms_tag(block), class_bytes(cls));
            }
            if (zero)
                memset(block, 0, size);
        }
    }
    if (block == NULL && caller != OTHER)
        block = large_alloc(size, zero, MAIN, size <= MS_BLOCK_MAX);
    ms_lock_give();
    return block;
}

static MS_COLD void *take_sampled(void *block, size_t size, bool zero)
{
    ms_lock_take();
    ms_sample(block, ms_tag(block), ms_slab_of(&heap, block)->bytes);
    ms_lock_give();
    return zero ? memset(block, 0, size) : block;
}

/* A class, as the place of its pool, and the bytes of its blocks. A step of 16 bytes in size is one in place. */
typedef struct {
    uint64_t at, bytes;
} room_for;
_Static_assert(sizeof(ms_class_pool) == 16, "the smaller classes are 16 bytes apart");

ALWAYS bool is_linear(size_t size) { return size <= MS_UNITS_LINEAR * 16 - MS_TAG_SIZE; }
ALWAYS room_for room_linear(size_t size)
{
    uint64_t stride = (size + MS_TAG_SIZE + 15) & ~(uint64_t)15;
    return (room_for){stride, stride - MS_TAG_SIZE};
}
static room_for room_any(size_t size)
{
    uint32_t cls = ms_class(size);
    return (room_for){cls * sizeof(ms_class_pool), class_bytes(cls)};
}
ALWAYS ms_class_pool *room_pool(room_for room) { return (ms_class_pool *)((char *)heap.pool + room.at); }
ALWAYS uint64_t room_key(ms_frame *f, room_for room) { return ms_frame_instruction(f) | room.at << 54; } /* as cache_key() */

static MS_COLD void *take_far(void *ctx, size_t size, bool zero);
static MS_COLD void *take_empty(void *ctx, size_t size, bool zero);

/* A block for frame f and, in exact mode, these callers of its. */
ALWAYS void *take_for(void *ctx, size_t size, bool zero, int mode, room_for room, ms_frame *f, uint32_t callers)
{
    uint32_t low = MS_TAG_LIVE;
    ms_class_pool *pool = room_pool(room);
    void *block = pool->list;
    if (MS_UNLIKELY(block == NULL))
        return mode == MS_MODE_ALLOC ? take_slow(ctx, size, zero) : take_empty(ctx, size, zero);
    if (mode != MS_MODE_ALLOC) {
        const cache_entry *e = cache_find(room_key(f, room), callers, mode == MS_MODE_EXACT);
        if (MS_UNLIKELY(e == NULL))
            return take_far(ctx, size, zero);
        low = e->tag;
    }
    void *next = (void *)*ms_tag(block);
    pool->list = next;
    __builtin_prefetch((const void *)((uintptr_t)next - MS_TAG_SIZE), 1); /* the next birth here reads its tag */
    *ms_tag(block) = low | epoch_word();
    if (mode != MS_MODE_ALLOC) {
        birth(ms_plain_count(low), room.bytes);
        if (MS_UNLIKELY((ms_area.sample_left -= (int64_t)room.bytes) < 0))
            return take_sampled(block, size, zero);
    }
    return zero ? memset(block, 0, size) : block;
}

/* The class's list is empty. The caller holds the main GIL: no lock, whose atomic instruction would wait here for
 * all the cache lines that carving a page has just asked for. */
static MS_COLD void *take_empty(void *ctx, size_t size, bool zero)
{
    room_for room = room_any(size);
    void *block = refill(&heap, ms_class(size));
    if (block == NULL)
        return take_slow(ctx, size, zero);
    room_pool(room)->list = block; /* its tag is still the link */
    ms_frame *f = ms_frame_top(main_thread);
    if (ms_mode == MS_MODE_LINE)
        return take_for(ctx, size, zero, MS_MODE_LINE, room, f, 0);
    return take_for(ctx, size, zero, MS_MODE_EXACT, room, ms_frame_python(f), ms_path_innermost.callers);
}

/* The first two entries were of others. */
static MS_COLD void *take_far(void *ctx, size_t size, bool zero)
{
    bool exact = ms_mode == MS_MODE_EXACT;
    ms_frame *f = ms_frame_top(main_thread);
    if (exact)
        f = ms_frame_python(f);
    room_for room = room_any(size);
    uint32_t callers = exact ? ms_path_innermost.callers : 0;
    if (cache_find_far(room_key(f, room), callers, exact) == NULL)
        return take_slow(ctx, size, zero);
    return exact ? take_for(ctx, size, zero, MS_MODE_EXACT, room, f, callers) : take_for(ctx, size, zero, MS_MODE_LINE, room, f, callers);
}

/* Exact mode, in another frame than last time. */
static __attribute__((noinline)) void *take_path(void *ctx, size_t size, bool zero)
{
    ms_frame *f = ms_frame_python(ms_frame_top(main_thread));
    if (MS_UNLIKELY(f == NULL))
        return take_slow(ctx, size, zero);
    uint32_t callers = ms_path_callers(main_thread, f);
    return take_for(ctx, size, zero, MS_MODE_EXACT, room_any(size), f, callers);
}

ALWAYS void *take_room(void *ctx, size_t size, bool zero, int mode, room_for room)
{
    uint32_t callers = 0;
    ms_frame *f = NULL;
    if (mode != MS_MODE_ALLOC) {
        PyThreadState *ts = ms_thread_state();
        if (MS_UNLIKELY(ts != main_thread)) /* another thread's turn, or none that may touch the heap */
            return take_slow(ctx, size, zero);
        f = ms_frame_top(ts);
        if (MS_UNLIKELY(f == NULL))
            return take_slow(ctx, size, zero);
        if (mode == MS_MODE_EXACT) {
            if (!ms_path_known(&ms_path_innermost, ts, f))
                return take_path(ctx, size, zero);
            callers = ms_path_innermost.callers;
        }
    }
    return take_for(ctx, size, zero, mode, room, f, callers);
}

/* The classes that are not a step of 16 apart, and what is no slab's. */
static __attribute__((noinline)) void *take_wide(void *ctx, size_t size, bool zero)
{
    if (size > MS_BLOCK_MAX)
        return take_slow(ctx, size, zero);
    switch (ms_mode) {
    case MS_MODE_ALLOC: return take_room(ctx, size, zero, MS_MODE_ALLOC, room_any(size));
    case MS_MODE_LINE:  return take_room(ctx, size, zero, MS_MODE_LINE, room_any(size));
    default:            return take_room(ctx, size, zero, MS_MODE_EXACT, room_any(size));
    }
}

/* Straight-line: whatever is unusual is left to a tail call, so nothing has to be saved. The slow functions
 * take the caller's arguments where they stand. */
ALWAYS void *take(void *ctx, size_t size, bool zero, int mode)
{
    if (MS_UNLIKELY(!is_linear(size)))
        return take_wide(ctx, size, zero);
    return take_room(ctx, size, zero, mode, room_linear(size));
}

/* A block whose tag has marks, or none of a live block's. */
static MS_COLD void release_odd(void *ctx, void *block, int mode)
{
    ms_lock_take();
    uint64_t tag = *ms_tag(block);
    if (tag & MS_TAG_LIVE) { /* else freed twice: a bug of the program's, which a pool must survive */
        ms_slab *s = ms_slab_of(&heap, block);
        if (mode != MS_MODE_ALLOC) {
            if (tag & MS_TAG_WATCH)
                watched(block, class_bytes(s->cls));
            death((uint32_t)tag, class_bytes(s->cls), (uint32_t)(tag >> 32));
        }
        ms_heap_give(&heap, s, block, ms_area.epoch);
    }
    ms_lock_give();
}

/* A block of the heap, alive and without marks. young: it dies in the epoch of its birth. */
ALWAYS void release_of(void *block, uint64_t tag, ms_slab *s, int mode, bool young)
{
    uint32_t low = (uint32_t)tag;
    if (mode != MS_MODE_ALLOC) {
        ms_count *c = ms_plain_count(low);
        death_counted(c, s->bytes);
        if (young)
            died_young(c);
        else
            died(c, ms_tag_tally(low), age_index_now((uint32_t)(tag >> 32)));
    }
    if (MS_UNLIKELY(ms_slab_push(s, block)))
        ms_slab_event(&heap, s, ms_area.epoch);
}

static __attribute__((noinline)) void release_old(void *ctx, void *block)
{
    (void)ctx;
    release_of(block, *ms_tag(block), ms_slab_of(&heap, block), MS_MODE_LINE, false);
}

ALWAYS void release(void *ctx, void *block, int mode, int domain)
{
    if (MS_UNLIKELY(!ms_heap_has(&heap, block))) {
        release_other(ctx, block, domain);
        return;
    }
    uint64_t tag = *ms_tag(block);
    uint32_t look = mode == MS_MODE_ALLOC ? MS_TAG_LIVE : MS_TAG_MARKS;
    if (MS_UNLIKELY((tag & look) != MS_TAG_LIVE)) {
        release_odd(ctx, block, mode);
        return;
    }
    if (mode != MS_MODE_ALLOC && MS_UNLIKELY(((ms_area.epoch - (uint32_t)(tag >> 32)) | ms_area.gc_on) != 0)) { /* most die young */
        release_old(ctx, block);
        return;
    }
    release_of(block, tag, ms_slab_of(&heap, block), mode, true);
}

static MS_COLD void *move_other(void *block, size_t size, int domain)
{
    ms_lock_take();
    int caller = caller_is();
    told_gone(block, caller);
    uint64_t old = room(block);
    void *next;
    if (old == 0) /* from before the recorder: it stays with its owner */
        next = before[domain].realloc(before[domain].ctx, block, size);
    else if (old > MS_BLOCK_MAX && size > MS_BLOCK_MAX)
        next = large_move(block, size, caller);
    else if (fits(old, size))
        next = block;
    else {
        next = domain == D_RAW ? raw_take(size, false, caller) : take_slow(NULL, size, false);
        if (next) {
            memcpy(next, block, old < size ? old : size);
            release_any(block, caller, domain);
        }
    }
    ms_lock_give();
    return next;
}

ALWAYS void *move(void *ctx, void *block, size_t size, int mode, int domain)
{
    if (block == NULL)
        return take(ctx, size, false, mode);
    if (MS_UNLIKELY(!ms_heap_has(&heap, block)))
        return move_other(block, size, domain);
    uint32_t old = class_bytes(ms_slab_of(&heap, block)->cls);
    if (fits(old, size))
        return block;
    void *next = take(ctx, size, false, mode);
    if (next) {
        memcpy(next, block, old < size ? old : size);
        release(ctx, block, mode, domain);
    }
    return next;
}

/* --- what CPython calls --------------------------------------------------------------------------- */

static bool product(size_t n, size_t each, size_t *size) { return !__builtin_mul_overflow(n, each, size); }

#define DOMAIN(name, mode, domain)                                                 \
    static void *name##_malloc(void *ctx, size_t size) { return take(ctx, size, false, mode); } \
    static void *name##_calloc(void *ctx, size_t n, size_t each)                   \
    {                                                                              \
        size_t size;                                                               \
        return product(n, each, &size) ? take(ctx, size, true, mode) : NULL;            \
    }                                                                              \
    static void *name##_realloc(void *ctx, void *block, size_t size) { return move(ctx, block, size, mode, domain); } \
    static void name##_free(void *ctx, void *block) { release(ctx, block, mode, domain); }
DOMAIN(alloc_mem, MS_MODE_ALLOC, D_MEM)
DOMAIN(alloc_obj, MS_MODE_ALLOC, D_OBJ)
DOMAIN(line_mem, MS_MODE_LINE, D_MEM)
DOMAIN(line_obj, MS_MODE_LINE, D_OBJ)
DOMAIN(exact_mem, MS_MODE_EXACT, D_MEM)
DOMAIN(exact_obj, MS_MODE_EXACT, D_OBJ)

#define FOUR(name) {NULL, name##_malloc, name##_calloc, name##_realloc, name##_free}
static const PyMemAllocatorEx functions[3][2] = {
    [MS_MODE_ALLOC] = {FOUR(alloc_mem), FOUR(alloc_obj)},
    [MS_MODE_LINE] = {FOUR(line_mem), FOUR(line_obj)},
    [MS_MODE_EXACT] = {FOUR(exact_mem), FOUR(exact_obj)},
};

static void install(void)
{
    PyMemAllocatorEx mem = functions[ms_mode][0], obj = functions[ms_mode][1];
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &mem);
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &obj);
}

static void *raw_malloc(void *ctx, size_t size)
{
    ms_lock_take();
    void *block = raw_take(size, false, caller_is());
    ms_lock_give();
    return block;
}

static void *raw_calloc(void *ctx, size_t n, size_t each)
{
    size_t size;
    if (!product(n, each, &size))
        return NULL;
    ms_lock_take();
    void *block = raw_take(size, true, caller_is());
    ms_lock_give();
    return block;
}

static void *raw_realloc(void *ctx, void *block, size_t size) { return block ? move_other(block, size, D_RAW) : raw_malloc(ctx, size); }
static void raw_free(void *ctx, void *block) { release_other(ctx, block, D_RAW); }

/* --- the interpreter's frame stack ------------------------------------------------------------------ */

/* CPython keeps Python frames in chunks of 16 KiB from the arena allocator, and maps and unmaps one at
 * every call that crosses a chunk's end: a loop that calls there runs ten times slower. A few chunks
 * kept for the next call end that. */
#define CHUNK       (16u << 10)
#define CHUNKS_KEPT 16u
static void    *chunks[CHUNKS_KEPT];
static uint32_t nchunks;
static PyObjectArenaAllocator arenas_before;

static void *arena_alloc(void *ctx, size_t size)
{
    void *chunk = NULL;
    if (size == CHUNK) {
        ms_lock_take();
        if (nchunks)
            chunk = chunks[--nchunks];
        ms_lock_give();
    }
    return chunk ? chunk : arenas_before.alloc(arenas_before.ctx, size);
}

static void arena_free(void *ctx, void *chunk, size_t size)
{
    bool kept = false;
    if (size == CHUNK) {
        ms_lock_take();
        if ((kept = nchunks < CHUNKS_KEPT))
            chunks[nchunks++] = chunk;
        ms_lock_give();
    }
    if (!kept)
        arenas_before.free(arenas_before.ctx, chunk, size);
}

/* --- what the other parts ask ---------------------------------------------------------------------- */

uint64_t *ms_block_tag(void *block)
{
    if (ms_heap_has(&heap, block))
        return ms_tag(block);
    if (ms_heap_has(&raw_heap, block))
        return ms_tag(block);
    ms_lock_take();
    ms_large_slot *s = ms_large_find(&large, block);
    ms_lock_give();
    return s ? &s->tag : NULL;
}

void ms_block_disown(void *block)
{
    if (ms_mode == MS_MODE_ALLOC || !ms_heap_has(&heap, block) || !(*ms_tag(block) & MS_TAG_LIVE))
        return;
    ms_lock_take();
    ms_count *from = ms_tag_count((uint32_t)*ms_tag(block));
    uint32_t low = tag_of_site(MS_SITE_OURS, ms_slab_of(&heap, block)->cls) | (*ms_tag(block) & MS_TAG_WATCH);
    ms_count *to = ms_tag_count(low);
    count_touch(from);
    count_touch(to);
    from->live--; /* births are live + freed: this one never was */
    to->live++;
    *ms_tag(block) = low | (*ms_tag(block) >> 32 << 32);
    ms_lock_give();
}

/* The interpreter goes down: what is counted now stands. The heap works on, without counting. */
void ms_recorder_end(void)
{
    if (ms_mode == MS_MODE_ALLOC)
        return;
    ms_marks_end();
    ms_area.end_ns = ms_now_ns();
    ms_memory_read(&ms_area.memory_end);
    ms_mode = MS_MODE_ALLOC;
    install();
    __atomic_store_n(&ms_area.ended, 1, __ATOMIC_RELEASE);
}

void ms_free_list_block(void *block) { functions[ms_mode][1].free(NULL, block); }

/* Resident bytes of this process, and the part that is of files and shared memory, from /proc without stdio; 0 when it
 * cannot be read. */
static void read_resident(ms_memory *m)
{
    char text[128];
    int fd = ms_area.sealed ? -1 : open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    m->rss_bytes = m->mapped_bytes = 0;
    if (n <= 0)
        return;
    text[n] = 0;
    char *at = text;
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    (void)strtoull(at, &at, 10); /* address space */
    m->rss_bytes = strtoull(at, &at, 10) * page;
    m->mapped_bytes = strtoull(at, &at, 10) * page;
}

void ms_memory_read(ms_memory *m)
{
    struct native { size_t arena, ordblks, smblks, hblks, hblkhd, usmblks, fsmblks, uordblks, fordblks, keepcost; };
    static struct native (*info)(void);
    static bool looked;
    if (!looked) {
        looked = true;
        info = (struct native (*)(void))dlsym(RTLD_DEFAULT, "mallinfo2");
    }
    m->when_ns = ms_now_ns();
    m->slab_bytes = (heap.dirty_pages + raw_heap.dirty_pages) * MS_PAGE;
    m->python_bytes = ms_area.live_bytes;
    m->large_bytes = large.bytes;
    read_resident(m);
    if (info) {
        struct native n = info();
        m->native_used = n.uordblks + n.hblkhd;
        m->native_free = n.fordblks;
    }
}

/* All that was looked up once is looked up again. */
static void answers_forget(void)
{
    memset(cache, 0, sizeof cache);
    memset(frameless, 0, sizeof frameless);
    ms_path_reset();
}

/* Tables that had no room for a while: what came to nothing meanwhile has an answer of its own now. */
void ms_recorder_grow(void)
{
    if (ms_live_back_again())
        answers_forget();
}

void ms_recorder_purge(void)
{
    bool due = ms_heap_purge(&heap, ms_area.epoch);
    ms_lock_take();
    due |= ms_heap_purge(&raw_heap, ms_area.epoch);
    ms_lock_give();
    __atomic_store_n(&ms_area.purge_due, due, __ATOMIC_RELAXED);
}

static void fork_before(void)
{
    ms_lock_take();
    ms_live_fork_before();
}
static void fork_parent(void)
{
    ms_live_fork_parent();
    ms_lock_give();
}
static void fork_child(void)
{
    ms_live_fork_child();
    ms_sample_forked();
    ms_moment_forked();
    ms_marks_begin(); /* those of the parent count for it alone */
    lock = (pthread_mutex_t)PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
}

/* A fork that libc does not know of: -1 before it, then 0 in the parent (or in nobody, where it failed) and 1 in the child. */
void ms_recorder_fork(int when)
{
    (when < 0 ? fork_before : when ? fork_child : fork_parent)();
}

const char *ms_recorder_check(void)
{
    const char *why = ms_heap_check(&heap);
    if (why == NULL)
        why = ms_heap_check(&raw_heap);
    if (why == NULL)
        why = ms_large_check(&large);
    return why ? why : ms_site_check();
}

void ms_recorder_parts(const ms_heap **obj, const ms_heap **raw, const ms_large **big)
{
    ms_lock_take();
    *obj = &heap;
    *raw = &raw_heap;
    *big = &large;
}
void ms_recorder_parts_done(void) { ms_lock_give(); }

#define FAR_LEAST ((size_t)64 << 30) /* below this library: room for what the system will place */

/* Address space for the slabs: generous, as it costs nothing. Where it is limited, nothing is reserved: the heaps
 * grow far below all that the system places by itself, from the top down. */
static ms_err heaps_init(void)
{
    struct rlimit limit;
    size_t span = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE) * 4;
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur < span * 16) {
        size_t most = limit.rlim_cur, far = 2 * most < FAR_LEAST ? FAR_LEAST : 2 * most;
        uintptr_t here = (uintptr_t)&heap;
        if (here / 4 > far && ms_heap_init_at(&heap, here - far, most) == MS_OK)
            return ms_heap_init_at(&raw_heap, here - 2 * far, most);
        span = limit.rlim_cur / 16; /* what does not fit goes to malloc, block by block */
    }
    while (ms_heap_init(&heap, span) != MS_OK)
        if ((span /= 2) < (16u << 20))
            return MS_ENOMEM;
    return ms_heap_init(&raw_heap, span / 8 < (8u << 20) ? 8u << 20 : span / 8);
}

/* The program limits its address space (RLIMIT_AS): give up what was only reserved, so that the limit
 * means what it would without us. Returns the bytes that still are ours, to be allowed on top. */
size_t ms_recorder_limited(void)
{
    ms_lock_take();
    ms_heap_shrink(&heap);
    ms_heap_shrink(&raw_heap);
    ms_lock_give();
    return ms_live_size() + sizeof cache + ((size_t)heap.limit + raw_heap.limit) * sizeof(ms_slab);
}

/* The program is about to allow itself certain system calls only (seccomp), or failed to. From then on nothing is done that may not be
 * among them: no table grows, no memory goes back, no snapshot is taken. False: it is the child of a vfork, whose memory is another's. */
bool ms_recorder_seal(bool yes)
{
    static uint32_t policy;
    if (ms_area.sealed == yes || (yes && ms_area.pid != (uint32_t)getpid()))
        return false;
    ms_lock_take();
    if (yes)
        policy = ms_area.snapshot_policy;
    ms_area.snapshot_policy = yes ? 0 : policy;
    ms_heap_seal(&heap, yes);
    ms_heap_seal(&raw_heap, yes);
    ms_live_seal(yes);
    ms_lock_give();
    return true;
}

/* This process is about to become another program (yes), or failed to (no). */
void ms_recorder_exec(bool yes)
{
    if (!ms_area.sealed && ms_area.pid == (uint32_t)getpid() && ms_area.ended != 1) /* not so in the child of a vfork */
        ms_area.ended = yes ? 2 : 0;
}

/* --- once more after an end -------------------------------------------------------------------------- */

static uint32_t site_earlier;

/* A block of an earlier recording, or of the time since: inherited from "(before this recording)". */
static uint64_t adopted(uint64_t tag, uint32_t cls, uint64_t bytes, uint32_t locked)
{
    uint32_t low = ms_tally_tag(ms_tally_intern(owner_of_site(site_earlier), class_bytes(cls) | locked));
    ms_tally *t = ms_tag_tally(low);
    ms_count *c = ms_tag_count(low);
    c->peak = t->inherited = ++c->live;
    if (cls == 0)
        ms_tally_extra(t)->peak_bytes = ms_tally_extra(t)->inherited_bytes = ms_tally_extra(t)->live_bytes += bytes;
    if (!locked)
        ms_area.peak_bytes = ms_area.live_bytes += bytes;
    return low | (locked ? MS_TAG_LOCKED : 0) | (tag & MS_TAG_BEFORE);
}

static bool adopt(void *block, uint64_t tag, uint32_t size, void *raw)
{
    *ms_tag(block) = adopted(tag, ms_class(size), size, raw ? MS_TALLY_LOCKED : 0);
    return true;
}

static ms_err begin_again(const char *dir)
{
    MS_TRY(ms_live_open(dir));
    MS_TRY(ms_site_init());
    full_init();
    main_thread = NO_THREAD;
    answers_forget();
    ms_map_free(&places);
    ms_map_free(&codes);
    memset(marks, 0, sizeof marks);
    ndeferred = 0;
    ms_python_reset();
    return MS_OK;
}

static void adopt_all(void)
{
    site_earlier = ms_site_pseudo("(before this recording)", MS_CODE_BEFORE | MS_CODE_NO_FRAME);
    ms_heap_visit(&heap, adopt, NULL);
    ms_heap_visit(&raw_heap, adopt, &raw_heap);
    for (uint32_t i = 0; i < large.size; i++)
        if (large.slot[i].block)
            large.slot[i].tag = adopted(large.slot[i].tag, 0, large.slot[i].size, 0);
}

/* Install the recorder. dir: folder for the live file, NULL for none. On failure nothing is changed. */
ms_err ms_recorder_start(const char *dir, int mode, uint64_t sample_bytes, uint64_t seed, uint32_t started)
{
    bool again = ms_mode >= 0;
    if (again && (dir == NULL || ms_area.started != MS_STARTED_LATE || ms_area.ended != 1))
        return MS_EINVAL;
    if (again) {
        ms_lock_take();
        ms_err err = begin_again(dir);
        if (err != MS_OK) {
            ms_lock_give();
            return err;
        }
    } else {
        ms_frame_init();
        MS_TRY(ms_live_open(dir));
        MS_TRY(ms_site_init());
        MS_TRY(heaps_init());
        full_init();
    }
    ms_area.mode = (uint32_t)mode;
    ms_area.started = started;
    ms_area.sample_bytes = sample_bytes;
    ms_area.slab_base = heap.base;
    ms_area.slab_span = (size_t)heap.limit << MS_SLAB_SHIFT;
    ms_area.python_hex = PY_VERSION_HEX;
    strncpy(ms_area.python, Py_GetVersion(), sizeof ms_area.python - 1);
    ms_sample_init(sample_bytes, seed);
    ms_path_verify = getenv(MS_ENV_VERIFY) != NULL;
    ms_moment_init(dir);
    ms_marks_begin();
    ms_mode = mode;
    if (again)
        adopt_all();
    __atomic_store_n(&ms_area.ready, 1, __ATOMIC_RELEASE);
    if (again) {
        install();
        ms_lock_give();
        return MS_OK;
    }

    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &before[D_RAW]);
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &before[D_MEM]);
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &before[D_OBJ]);
    pthread_atfork(fork_before, fork_parent, fork_child);
    install();
    PyObject_GetArenaAllocator(&arenas_before);
    PyObject_SetArenaAllocator(&(PyObjectArenaAllocator){NULL, arena_alloc, arena_free});
    if (mode != MS_MODE_ALLOC) {
        PyMemAllocatorEx raw = FOUR(raw);
        PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &raw);
    }
    return MS_OK;
}
