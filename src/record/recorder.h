/* recorder.h -- the allocator under CPython that counts, and what its parts tell each other.
 *
 *   recorder.c  the hot path: every allocation and free of Python, and its tally
 *   sample.c    full stacks of sampled blocks; the doorbell
 *   path.c      exact mode: the call path at every allocation
 *   python.c    what is asked of the interpreter: free lists, collections, thread names, the end
 *   told.c      what libraries take from malloc themselves, and tell tracemalloc of
 *   mark.c      exact figures since a mark, for the program itself
 *   moment.c    when a snapshot is taken, and by whose wish
 *   preload.c   a library of its own: finds a matching CPython before main and loads the recorder
 *
 * Who may touch what: the holder of the main interpreter's GIL owns the heap, the tallies and the hot
 * path's cache. All others - raw memory (PyMem_RawMalloc) comes without the GIL, and an interpreter may
 * have a GIL of its own - use the raw heap and tallies marked MS_TALLY_LOCKED, under ms_lock_take().
 * The tables of names, sites and tallies grow under that lock, whoever asks. It is recursive. */
#ifndef MS_RECORDER_H
#define MS_RECORDER_H

#include "record/frame.h"
#include "record/large.h"
#include "record/map.h"
#include "record/site.h"
#include "record/slab.h"

/* Low half of a tag: the offset of the tally's count in bytes (a multiple of 16) and marks. High half: birth epoch. */
#define MS_TAG_WATCH  2u /* look closer when it is freed: sampled, or a code object with sites */
#define MS_TAG_LOCKED 4u /* its tally is the lock's: MS_TALLY_LOCKED */
#define MS_TAG_BEFORE 8u /* of a block in no slab: the allocator from before made it */
#define MS_TAG_MARKS  15u

static inline ms_count *ms_tag_count(uint32_t low)
{
    return (ms_count *)((char *)ms_area.count + (low & ~MS_TAG_MARKS));
}
/* The same where the mark is known to be MS_TAG_LIVE alone. */
static inline ms_count *ms_plain_count(uint32_t low)
{
    return (ms_count *)((char *)ms_area.count - MS_TAG_LIVE + low);
}
static inline ms_tally *ms_tag_tally(uint32_t low) { return (ms_tally *)((char *)ms_area.tally + (low & ~MS_TAG_MARKS)); }
static inline uint32_t ms_tally_tag(uint32_t tally) { return tally * (uint32_t)sizeof(ms_count) | MS_TAG_LIVE; }
_Static_assert(sizeof(ms_count) == 16 && sizeof(ms_tally) == 16 && (uint64_t)MS_TALLY_MAX * sizeof(ms_count) <= UINT32_MAX, "a tag holds a count's offset and four marks");

/* --- recorder.c --- */
extern int ms_mode;
/* Before Py_Initialize, or later by the GIL's holder; again after ms_recorder_end(). */
MS_EXPORT ms_err ms_recorder_start(const char *dir, int mode, uint64_t sample_bytes, uint64_t seed, uint32_t started);
/* The tag's low half for an allocation at frame f in size class cls (bytes: what the block counts for). */
uint32_t ms_who_site(ms_frame *f, uintptr_t instruction);
/* The tag's low half for the owner's (site's or node's) tally of a size class. */
uint32_t ms_tag_of(uint32_t owner, uint32_t cls);
/* Remember the peak if this is one: before a death is counted, or where peak_bytes is asked for. */
void ms_peak_look(void);
/* The tag word of a block of Python memory, wherever it lies; NULL when it is not ours. */
uint64_t *ms_block_tag(void *block);
/* Move a block's birth to memsure's own site: it was made by us, on the program's line. */
void ms_block_disown(void *block);
extern MS_HIDDEN PyThreadState *ms_collector; /* who collects, while gc_on */
void ms_lock_take(void);
void ms_lock_give(void);
void ms_cold_begin(uint64_t *t);
void ms_cold_end(uint64_t t);
uint64_t ms_now_ns(void);
uint64_t ms_thread_ns(void); /* CPU time of this thread: a system call; 0 where the program takes those from itself */
/* Fill in what the slabs and malloc hold. */
void ms_memory_read(ms_memory *m);
void ms_recorder_purge(void);
void ms_recorder_grow(void);
MS_EXPORT void ms_recorder_end(void);
MS_EXPORT size_t ms_recorder_limited(void);
MS_EXPORT void ms_recorder_exec(bool yes);
MS_EXPORT bool ms_recorder_seal(bool yes);
MS_EXPORT void ms_recorder_fork(int when);
/* NULL: everything is sound; else the broken rule. */
MS_EXPORT const char *ms_recorder_check(void);
/* The heaps and the table of large blocks, to be read by a snapshot's child: as they are, with the lock
 * taken until ms_recorder_parts_done(). Without a recorder they are empty. */
void ms_recorder_parts(const ms_heap **obj, const ms_heap **raw, const ms_large **big);
void ms_recorder_parts_done(void);
/* Forget what is known by instruction address of this code: it is about to be freed. */
void ms_code_died(PyCodeObject *code);

/* A library took a block from malloc itself (birth), or is about to free it. */
void ms_recorder_told(void *block, size_t size);
void ms_recorder_untold(void *block);

/* --- told.c --- */
/* The module of this handle is about to be made: what it tells tracemalloc is heard from now on. */
MS_EXPORT void ms_told_listen(void *module);

/* --- sample.c --- */
void ms_sample_init(uint64_t sample_bytes, uint64_t seed);
/* The countdown ran out, or a block is big: maybe take the stack. bytes: what the block counts for. */
void ms_sample(void *block, uint64_t *tag, uint64_t bytes);
void ms_sample_died(void *block, uint64_t bytes);
/* The node of the whole stack below (and with) frame f. */
uint32_t ms_stack_node(PyThreadState *ts);
uint32_t ms_node_below(uint32_t parent, uint32_t site);
void ms_sample_forked(void);
#define MS_BIG_BLOCK (1u << 20) /* bytes from which every block's stack is kept */
#define MS_DOORBELL  (INT64_MIN / 2)

/* --- path.c --- */
/* Exact mode: the node of the callers of f, the innermost frame; and that of the whole path. */
uint32_t ms_path_callers(PyThreadState *ts, ms_frame *f);
uint32_t ms_path_node(ms_frame *f, uint32_t callers);
/* What the last capture found, if its innermost frame is marked: while that runs, its callers are known. */
typedef struct {
    PyThreadState *ts;
    ms_frame *frame;
    PyObject *mark;
    uint32_t  callers;
} ms_path_top;
extern MS_HIDDEN ms_path_top ms_path_innermost;
static inline bool ms_path_known(const ms_path_top *top, PyThreadState *ts, ms_frame *f)
{
    return f == top->frame && f->f_locals == top->mark && ts == top->ts && f->owner == FRAME_OWNED_BY_THREAD;
}
void ms_path_forget(uintptr_t from, uintptr_t to);
void ms_path_reset(void);
void ms_path_refill(void);
extern bool ms_path_verify;

/* --- python.c --- */
/* A new interpreter was seen: switch its type free lists off and ask to be called at a safe moment. */
void ms_python_attach(PyThreadState *ts);
void ms_python_reset(void);
void ms_python_ask(void); /* to be called at a safe moment */
bool ms_python_arrow_due(uint64_t now); /* pyarrow is imported, and its pool was not asked for a while */
void ms_python_arrow(uint64_t now);     /* at a safe moment: what of it is in use */
/* Allocation without a Python frame: is the interpreter going down? Then the end is now. */
void ms_python_maybe_end(void);
void ms_python_name_threads(void);
void ms_free_list_block(void *block);

#endif
