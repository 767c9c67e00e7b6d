/* live.h -- what a recorded process counts, in memory that its monitor reads while it counts.
 *
 * The recorded program only counts: a tally is bumped at each birth and death of a block, in a file
 * mapped into the program. Everything else (the clock, curves over time, RSS, the recording file) is
 * made by the monitor, another process, from the same pages. So recording needs no thread, no signal
 * and no exit handler in the program, and nothing is lost when the program is killed.
 *
 *   site   one place in code that allocates: function, line, columns
 *   tally  the counters of one (site, size class), or in exact mode of one (node, size class)
 *   node   a call path: a parent node and the site it calls from; node 0 is the root
 *   epoch  the clock of births and deaths, one tick every MS_EPOCH_NS, written by the monitor
 *
 * The file is the struct below, sparse; each table is backed by disk only as far as it is used
 * (ms_table.backed), so that a full disk is met when the file grows, never when a counter is bumped.
 *
 * Threads: one writer at a time (the holder of the GIL, or of the recorder's lock); the monitor
 * only reads, apart from epoch and the doorbell. Counters are read while they change: each is one
 * aligned word, so each is right at some moment. */
#ifndef MS_LIVE_H
#define MS_LIVE_H

#include "base/base.h"

#define MS_LIVE_MAGIC   "MSLIVE1"
#define MS_LIVE_VERSION 5u

#define MS_EPOCH_NS     10000000ull /* 10 ms */
#define MS_AGES         12          /* lifetimes in epochs: 0, 1, 2-3, 4-7, ..., 1024 and more */

#define MS_TALLY_MAX    (1u << 19)
#define MS_SITE_MAX     (1u << 18)
#define MS_CODE_MAX     (1u << 16)
#define MS_NODE_MAX     (1u << 20)
#define MS_GC_MAX       (1u << 11) /* a ring: the monitor empties it at every tick */
#define MS_THREAD_MAX   512u
#define MS_TEXT_MAX     (16u << 20)

/* One (site, size class), in two parts of one number: count[n], all that most births and deaths touch,
 * four to a cache line, and tally[n], who it is. What only few need stands in a table of its own, and is made when
 * it is needed: of 160,000 tallies of a web application, most of them of lines that ran once, at import, 3,500 have it.
 * Freed blocks = young + sum of older[] + gc_freed; born = live + freed - inherited.
 * The 32-bit counters wrap; the monitor reads them often enough to extend them to 64 bits.
 * Where gen is not the process's gen, nothing changed here since the last peak: what is live now was live
 * at the peak. */
typedef struct {
    uint32_t gen;
    uint32_t peak;              /* live at the peak, where gen is the process's */
    union {
        struct {
            uint32_t live;
            uint32_t young;     /* freed in the epoch of their birth: age 0 */
        };
        uint64_t young_live;    /* both, as one word */
    };
} ms_count;

/* stride is the bytes each block counts for; 0 marks a tally of large blocks, whose bytes differ and
 * are summed in its extra. */
typedef struct {
    uint32_t owner;             /* site, or in exact mode node */
    uint32_t stride;
    uint32_t extra;             /* offset of its ms_extra in extra[], in bytes; 0, which is never written: none yet */
    uint32_t inherited;
} ms_tally;

typedef struct {
    uint32_t older[MS_AGES - 1]; /* freed at age 1 and up */
    uint32_t gc_freed;          /* must follow older[]: MS_AGE_GC indexes it */
    uint64_t live_bytes, peak_bytes, freed_bytes, gc_bytes, inherited_bytes; /* of large blocks */
} ms_extra;
#define MS_AGE_GC MS_AGES       /* what the collector freed, as if it were an age */
/* In stride: counted under the recorder's lock, outside live_bytes and peak_bytes, and without a share
 * of the peak. Memory taken without the GIL, or by an interpreter with a GIL of its own. */
#define MS_TALLY_LOCKED 0x80000000u

typedef struct {
    uint32_t code;
    int32_t  line, end_line;     /* 0: the code has no line there */
    int32_t  column, end_column; /* UTF-8 bytes from the line's start; -1: not known */
} ms_site;

typedef struct {
    uint32_t file, function;     /* offsets into text[]: NUL-terminated UTF-8 */
    int32_t  first_line;
    uint32_t flags;              /* MS_CODE_* */
} ms_code;
#define MS_CODE_NO_FRAME 1u      /* a pseudo code: allocated without a Python frame */
#define MS_CODE_OURS     2u      /* a pseudo code: memsure's own objects */
#define MS_CODE_BEFORE   8u      /* a pseudo code: the interpreter's start */

/* A call path. Sampled: sums of what each sampled block stands for (docs/SAMPLING.md). */
typedef struct {
    uint32_t parent;
    uint32_t site;
    uint32_t gen;
    uint32_t samples;
    double   blocks, bytes;      /* born */
    double   variance;           /* of bytes */
    double   live_blocks, live_bytes, peak_bytes;
} ms_node;

typedef struct {
    uint64_t start_ns, stop_ns;  /* CLOCK_MONOTONIC; from one to the other the thread's CPU time */
    uint64_t collected, uncollectable;
    int64_t  reclaimed_bytes;
    uint32_t generation, done;   /* done: written last */
    uint32_t site, unused;       /* of the line that asked for it, or 0: it came by itself */
} ms_gc;

typedef struct {
    uint64_t id;                 /* kernel's thread id */
    uint64_t samples;
    double   bytes;
    char     name[40];           /* threading's name, or empty */
} ms_thread;

typedef struct {
    uint32_t used;               /* entries; grows only; written after the entry */
    uint32_t backed;             /* entries that the file has room for */
} ms_table;

enum { MS_T_TALLY, MS_T_SITE, MS_T_CODE, MS_T_NODE, MS_T_THREAD, MS_T_TEXT, MS_T_COUNT, MS_T_EXTRA, MS_TABLES };

enum { MS_MODE_ALLOC, MS_MODE_LINE, MS_MODE_EXACT };
enum { MS_STARTED_PRELOAD, MS_STARTED_LATE, MS_STARTED_FORK };

/* What malloc and the slabs hold, as of when_ns. */
typedef struct {
    uint64_t when_ns;
    uint64_t slab_bytes;         /* slab pages that may be resident: handed out or kept for reuse */
    uint64_t native_used, native_free; /* malloc's: in use (large Python blocks included), free */
    uint64_t python_bytes, python_blocks, large_bytes;
    uint64_t rss_bytes;          /* of the process at that moment; 0: not known */
    uint64_t mapped_bytes;       /* of these, pages of files and of shared memory */
} ms_memory;

/* Snapshots (moment.h). What the program takes of itself, for the whole of its life: */
#define MS_SNAPSHOT_EXIT 1u
#define MS_SNAPSHOT_PEAK 2u
#define MS_SNAPSHOT_VALUES 4u    /* whatever it takes holds the texts of data, too */
/* why one is taken */
enum { MS_MOMENT_CALL, MS_MOMENT_EXIT, MS_MOMENT_PEAK, MS_MOMENT_EVERY, MS_MOMENT_SIGNAL, MS_MOMENTS };
#define MS_MOMENT_NAMES {"call", "exit", "peak", "every", "signal"}

/* One that the program took of itself: its file is PREFIX-PID-N-MOMENTNUMBER.memsure, where N is the live
 * file's, and PREFIX is what the link MS_SNAPSHOTS in the live files' folder leads to. */
typedef struct {
    uint64_t t_ns, pause_ns;     /* CLOCK_MONOTONIC; how long the program stood still */
    uint64_t live_bytes;         /* as counted at that moment */
    int32_t  child;              /* the process that writes it; 0: nobody does, why says it */
    uint32_t moment, number;
    char     why[220];
} ms_shot;
#define MS_SHOTS     16u
#define MS_SNAPSHOT_NAME "memsure-snap" /* of the process that writes one, as the system shows it */
#define MS_SNAPSHOTS "snapshots"

/* One that is asked for. Who asks holds the file's lock (flock), fills in moment, values and path, sets ASKED and
 * rings. The program goes on to TAKING and ANSWERED. Who asked may give up from ASKED, never later. */
enum { MS_ASK_NONE, MS_ASK_ASKED, MS_ASK_TAKING, MS_ASK_ANSWERED };
typedef struct {
    uint32_t state, moment;
    int32_t  child;              /* the answer, as in ms_shot */
    uint32_t values;             /* asked: with the texts of data */
    uint64_t t_ns, pause_ns, live_bytes;
    char     why[220];
    char     path[4096];         /* absolute */
} ms_ask;

typedef struct {
    /* written once, at the start */
    char     magic[8];
    uint32_t version, mode, started, python_hex;
    uint64_t size;               /* of this struct: the file's length */
    uint32_t pid, ppid;
    uint64_t start_ns, start_unix_ns; /* CLOCK_MONOTONIC, CLOCK_REALTIME */
    uint64_t epoch_zero_ns;      /* CLOCK_MONOTONIC of epoch 0: a forked child keeps its parent's clock */
    uint64_t sample_bytes;
    uint64_t slab_base, slab_span;
    uint64_t own_base, own_size; /* this struct's address in the program */
    char     python[32];
    uint32_t ready;              /* 1: all of the above stands */
    uint32_t undercounted;       /* MS_UNDER_*: type free lists that could not be switched off */

    /* written by the program as it goes: the hot line */
    _Alignas(64) uint64_t live_bytes;
    uint64_t peak_bytes;         /* as the last death saw it: live_bytes may be above it, and is the peak then */
    int64_t  sample_left;        /* bytes to the next sample; the monitor may set -1: the doorbell */
    uint32_t gen;                /* rises when the first death leaves a new peak */
    uint32_t gc_on;              /* MS_AGE_GC while the collector frees, else 0 */

    /* written by the monitor: its own line */
    _Alignas(64) uint32_t epoch_below; /* always 0: with epoch, one word that is a tag's high half */
    uint32_t epoch;
    uint32_t monitor;            /* the monitor's pid; 0: none looks after this file */
    uint32_t want_memory;        /* the monitor raises it: the program answers in memory_now */
    uint32_t shots_over;         /* of `shots`, those whose child has ended */
    uint64_t shots_ns;           /* how long those children worked, as far as the program's peaks go */
    uint64_t waited_ns;          /* how long the main thread was ready to run, and another had its processor: no time of epochs */

    /* written by the program, seldom */
    _Alignas(64) ms_table table[MS_TABLES];
    uint32_t gc_used;            /* events ever; the ring holds the last MS_GC_MAX */
    uint32_t ended;              /* 1: finalization began, end_* stand; 2: it becomes another program */
    uint32_t got_memory;         /* last want_memory answered */
    uint32_t purge_due;          /* slabs wait to be given back: ring the doorbell */
    uint64_t end_ns;
    ms_memory memory_now, memory_end, memory_peak;
    uint64_t arrow_ns;           /* when Arrow's pool was asked last; 0: never */
    uint64_t arrow_used, arrow_peak; /* what of it is in use, and was at most */
    uint64_t unrecorded_blocks;  /* handed out without a record: no room for one */
    uint64_t before_blocks;      /* freed blocks that were born before the recorder */
    uint64_t cold_ns;            /* time off the hot path, by the clock: interning, stacks, slabs, purges */
    uint64_t taking_ns;          /* processor time that snapshots took of the program */
    uint32_t sealed;             /* 1: it took system calls from itself (seccomp), and gets by without any */
    uint64_t path_checked, path_wrong; /* exact mode under MEMSURE_VERIFY: captures compared, and wrong */

    uint32_t snapshot_policy;    /* MS_SNAPSHOT_* */
    uint32_t taking;             /* 1 + moment, while one is taken: a child may be there that nobody was told of */
    uint32_t shots;              /* taken ever; the ring holds the last MS_SHOTS. Written last */
    ms_shot  shot[MS_SHOTS];
    ms_ask   ask;

    _Alignas(4096) ms_count count[MS_TALLY_MAX];
    ms_tally  tally[MS_TALLY_MAX];
    ms_extra  extra[MS_TALLY_MAX];
    ms_site   site[MS_SITE_MAX];
    ms_code   code[MS_CODE_MAX];
    ms_node   node[MS_NODE_MAX];
    ms_thread thread[MS_THREAD_MAX];
    ms_gc     gc[MS_GC_MAX];
    _Alignas(4096) char text[MS_TEXT_MAX];
} ms_live;

/* In the folder of live files: what CPython ran that is not recorded, as text. */
#define MS_UNKNOWN "unknown"

/* Bits of undercounted: births of these types may be missing where their free list was not empty. */
#define MS_UNDER_LIST      1u
#define MS_UNDER_DICT      2u
#define MS_UNDER_DICTKEYS  4u
#define MS_UNDER_SLICE     8u
#define MS_UNDER_CONTEXT  16u
#define MS_UNDER_ASYNC    32u

/* The environment by which the launcher, the preload and the recorder speak. */
#define MS_ENV_DIR    "MEMSURE_LIVE"         /* folder of live files */
#define MS_ENV_MODE   "MEMSURE_MODE"         /* alloc, line or exact */
#define MS_ENV_SAMPLE "MEMSURE_SAMPLE_BYTES" /* mean bytes between samples */
#define MS_ENV_SHOTS  "MEMSURE_SNAPSHOT"     /* snapshots the program takes of itself: exit, peak, both, or none; values */
#define MS_SHOTS_CHILD ",child"              /* in it: for the processes that the first one starts */
#define MS_ENV_VERIFY "MEMSURE_VERIFY"       /* set: compare each exact capture with the whole stack */
#define MS_ENV_ABOVE  "MEMSURE_ABOVE"        /* bytes by which RLIMIT_AS is higher than the program meant */
#define MS_ENV_SEED   "MEMSURE_SEED"         /* of the sampling; default: random */

#endif
