/* watch.h -- what the files of the monitor share: a process, and the session it belongs to. */
#ifndef MS_WATCH_H
#define MS_WATCH_H

#include "monitor/monitor.h"
#include "record/live.h"
#include "record/map.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#define MS_SECOND_NS 1000000000ull

enum { MS_TIMELINE_MAX = 256, MS_CURVE_MAX = 64, MS_CURVE_ROWS = 8192, MS_EVENTS_MAX = 20000 };
enum { MS_COUNTERS = MS_AGES + 1 }; /* of a tally: young, older[] and gc_freed, the ones that wrap */

typedef struct {
    uint64_t t_ns, rss, python_bytes, python_blocks, slab, native_used, native_free, waited;
    uint64_t arrow; /* 1 + what Arrow's pool has in use; 0: not known */
} ms_point;

typedef struct {
    uint64_t t_ns, duration_ns, collected, uncollectable;
    int64_t  reclaimed_bytes;
    uint32_t generation, count; /* count: collections that the row stands for */
    uint32_t site;              /* that asked for it, 0: none, or several */
    uint32_t row;               /* of sites, once that is known */
} ms_event;

typedef struct {
    uint32_t site; /* of the row */
    uint64_t live[MS_CURVE_MAX], allocated[MS_CURVE_MAX];
} ms_curve;

/* Resident bytes by kind of mapping; of the slabs, those in pages that no other process shares and that were written, at
 * their highest; of anonymous memory outside of the slabs, those in huge pages, and how much of these holds nothing but zeros (sampled). */
typedef struct {
    uint64_t when_ns, rss, slab, own, anonymous, files, stacks, shared;
    uint64_t slab_private, huge, huge_empty;
} ms_maps;

/* The rows of the memory table, in the order of ms_split_names[]; the others add up to rss. */
enum {
    MS_SPLIT_PYTHON, MS_SPLIT_HOLES, MS_SPLIT_OURS, MS_SPLIT_NATIVE, MS_SPLIT_NATIVE_FREE,
    MS_SPLIT_STACKS, MS_SPLIT_FILES, MS_SPLIT_SHARED, MS_SPLIT_REST, MS_SPLIT_RSS, MS_SPLITS
};
extern const char *const ms_split_names[MS_SPLITS];

/* A snapshot of a process: being written by a child of it, or a file that stands. */
enum { MS_PHOTOS = 72 };
struct ms_file;
typedef struct {
    uint32_t moment, number; /* MS_MOMENT_*; of the file's name */
    bool     stands;
    pid_t    child;
    int      pidfd;
    uint64_t t_ns, began_ns, live_bytes;
    uint64_t cpu_ns;         /* of the child, as far as seen */
    struct ms_file *file;    /* while the recording is written */
    char     prefix[8];      /* of its tables there */
} ms_photo;

enum { MS_END_NOT_SEEN, MS_END_EXIT, MS_END_SIGNAL, MS_END_EXEC, MS_END_UNKNOWN };

/* What a site counted, and what a node counted in exact mode. */
typedef struct {
    uint64_t allocated_blocks, allocated_bytes, freed_blocks, freed_bytes, live_blocks, live_bytes;
    uint64_t peak_blocks, peak_bytes, gc_freed_blocks, gc_freed_bytes, temporary_blocks, temporary_bytes;
    uint64_t inherited_blocks, inherited_bytes, lifetimes[MS_AGES];
} ms_sum;

typedef struct {
    pid_t    pid;
    uint32_t n;              /* of PID-N.live */
    int      fd, statm, pidfd;
    ms_live *head;           /* the file up to its tables, mapped */
    uint32_t mode, started;
    uint64_t start_ns, start_unix_ns, kernel_start; /* clock ticks after boot */

    /* the end */
    bool     gone;           /* nothing more will be counted */
    bool     departed;       /* and how it ended is known: only snapshots may be waited for */
    bool     main;           /* the process that was started by us */
    int      end, end_code;
    uint64_t end_ns;

    /* over time */
    uint64_t seen_ns;        /* last look */
    uint64_t rss, peak_rss, peak_rss_read_ns, cpu_ns;
    uint64_t peak_bytes, peak_ns;      /* highest seen, and when it last rose */
    uint64_t rung_ns, asked_ns;        /* the doorbell; want_memory */
    uint64_t live_blocks, live_bytes, allocated_bytes; /* at the last reading of the tallies */
    bool     series_end;     /* the last points are in */
    bool     end_seen;       /* `ended` was seen while the process could be looked at */

    ms_point timeline[MS_TIMELINE_MAX + 1];
    uint32_t npoint;
    uint64_t point_step, point_due;

    uint64_t *young;         /* by tally: its counters, extended to 64 bits */
    uint64_t (*older)[MS_AGES]; /* by extra */
    ms_extra *extra;         /* as last read */
    uint32_t nyoung, nextra;
    uint32_t *node_site;     /* exact mode: the node's site */
    uint32_t nnode;

    uint64_t curve_t[MS_CURVE_MAX], curve_step, curve_due;
    uint32_t ncurve_t, ncurve, curve_room;
    ms_curve *curve;
    ms_map   curve_of;       /* site + 1 -> row + 1 */

    ms_event *event;
    uint32_t nevent, event_room, event_pair, gc_read;
    uint64_t events_lost;

    ms_maps  maps;           /* the last reading, and what it cost */
    uint64_t maps_cost, maps_spent, maps_due, huge_empty;
    uint64_t shared_seen;
    char     segments[1024]; /* names of the shared memory that it mapped, each ended by NUL */
    bool     have_peak;
    uint64_t split_peak[MS_SPLITS], split_peak_bytes, split_peak_live;

    uint32_t ncomm;
    char     comm[MS_THREAD_MAX][16];

    /* who it is */
    char     argv[16384];    /* JSON */
    char     executable[1024], cwd[1024], command[256], main_file[1024];

    /* snapshots */
    ms_photo photo[MS_PHOTOS];
    uint32_t nphoto, shots_seen, shots_over; /* of head->shots: read; ended */
    uint32_t asking, asking_number;          /* a moment that the monitor asks for; 0: none */
    bool     orphan_looked;  /* for a child that the program had no time to tell of */
    uint64_t asking_ns, every_due, every_step;
    uint32_t every_n, signals_seen;
    uint64_t snapshot_pause_ns, snapshot_child_ns, snapshot_wait_ns;
    char     snapshot_note[256];

    /* its file */
    uint32_t file_n;         /* PID-N.memsure; 0: none yet */
    uint64_t checkpoint_due;
} ms_process;

typedef struct {
    pid_t pid;
    uint32_t n;
} ms_written;

typedef struct ms_session {
    const ms_run_ask *ask;
    char      live[512];     /* folder of live files */
    int       live_fd;
    int       notice;        /* tells that a file appeared there; -1: only the tick does */
    bool      pending;       /* a file is there, and not ready */
    pid_t     main_pid;
    uint64_t  start_ns;
    ms_process **process;
    uint32_t  nprocess, process_room;
    ms_map    taken;         /* PID << 32 | N of the files that are known */
    struct rlimit files;     /* of the program: ours is raised */
    bool      files_raised;
    uint64_t  fork_rss;      /* ours when the program was forked off */
    ms_process *spare;       /* left out, and the only one so far */
    pid_t     first_pid;     /* without children: the one that is recorded */

    /* place.c */
    bool      folder;        /* the session path is a folder of ours */
    bool      placed;        /* something of ours is at the session path */
    ms_written *written;
    uint32_t  nwritten, written_room;
    uint64_t  write_spent;

    /* shots.c */
    char      snapshots[4096]; /* prefix of their files; "": none are taken */
    char     *kept;            /* those that stay files of their own: paths, each ended by NUL */
    size_t    kept_used, kept_room;
    uint32_t  nkept;
    uint32_t  signals_asked;   /* how often a signal asked for snapshots */

    void     *buffer;        /* MS_BUFFER bytes for whoever reads a table */
    ms_why    problem;       /* the first one */
} ms_session;
#define MS_BUFFER (1u << 20)

uint64_t ms_clock_ns(void);
uint64_t ms_clock_cpu_ns(void); /* what this thread has used of a processor */
void ms_session_problem(ms_session *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* signals.c: all are blocked from take to restore, but while waiting. */
enum { MS_SIGNALS = 8 };
typedef struct {
    struct sigaction before[MS_SIGNALS];
    sigset_t mask;
    pid_t    witness; /* 0 or less: there is none */
    unsigned ahead;
} ms_signals;
struct pollfd;
void ms_signals_take(ms_signals *g);
void ms_signals_restore(ms_signals *g);
void ms_signals_program(const ms_signals *g);     /* in the child that becomes the program: as they were */
void ms_signals_started(pid_t program);
void ms_signals_wait(struct pollfd *fd, unsigned n, uint64_t left_ns);
void ms_signals_pass(ms_session *s, ms_signals *g); /* what came while waiting */
void ms_signals_forget(void);
bool ms_signals_stopped(void);                    /* Control-C since then */

/* watch.c */
ms_err ms_watch_start(ms_session *s);                /* the clock's thread */
void   ms_watch_stop(ms_session *s);
void   ms_watch_scan(ms_session *s);                 /* take up new live files */
void   ms_watch_tick(ms_session *s, uint64_t now);   /* look at each process; finish those that ended */
void   ms_watch_depart(ms_session *s);               /* take note of how those ended that did */
bool   ms_watch_waiting(const ms_session *s);        /* one ended, and its snapshots are not complete */
void   ms_watch_finish(ms_session *s);               /* finish all; the rest of them as running */
uint32_t ms_watch_alive(const ms_session *s);
void   ms_process_free(ms_process *p);
int    ms_pidfd_open(pid_t pid);

/* tally.c */
uint32_t ms_live_used(const ms_process *p, int table);   /* entries that may be read */
/* Read entries [first, first + n) of a table into out; false: the file is shorter. */
bool ms_live_read(const ms_process *p, int table, uint32_t first, uint32_t n, void *out);
static inline uint64_t ms_peak(const ms_live *head)         /* the program notes a peak at the death that leaves it */
{
    uint64_t live = __atomic_load_n(&head->live_bytes, __ATOMIC_RELAXED), peak = __atomic_load_n(&head->peak_bytes, __ATOMIC_RELAXED);
    return live > peak ? live : peak;
}
static inline bool ms_on_peak(const ms_live *head) { return __atomic_load_n(&head->live_bytes, __ATOMIC_RELAXED) >= __atomic_load_n(&head->peak_bytes, __ATOMIC_RELAXED); }
bool ms_ended(const ms_process *p);                      /* its finalization has begun */
typedef void ms_site_fn(ms_process *p, uint32_t site, uint64_t live_bytes, uint64_t allocated_bytes);
/* Read all tallies, extend their counters, and set p->live_*, p->allocated_bytes. by_site, if not
 * NULL, gets 2 values for each of nsite sites: live and allocated bytes. */
ms_err ms_tally_read(ms_session *s, ms_process *p, uint64_t (*by_site)[2], uint32_t nsite);
/* The last reading: add up by site, and in exact mode by node. */
ms_err ms_tally_sum(ms_session *s, ms_process *p, ms_sum *site, uint32_t nsite, ms_sum *node, uint32_t nnode);
uint64_t ms_births(ms_session *s, ms_process *p);

/* curves.c */
uint64_t ms_series_due(const ms_process *p, uint64_t now, uint64_t step); /* the next multiple of step */
void ms_timeline_add(ms_process *p, uint64_t now);
ms_err ms_curves_add(ms_session *s, ms_process *p, uint64_t now);
void ms_events_read(ms_process *p);

/* proc.c */
bool ms_proc_stat(pid_t pid, char *state, uint64_t *start, uint64_t *cpu_ns, bool *had_children, int *exit_code);
bool ms_proc_started_before(uint64_t kernel_start, uint64_t monotonic_ns);
bool ms_proc_rss(ms_process *p);
void ms_proc_peak_rss(ms_process *p);
void ms_proc_cpu(ms_process *p);
bool ms_proc_maps(ms_process *p);
/* Of the shared memory that p mapped, what exists and no other process of the session has mapped: names as a JSON list, and
 * how many bytes. */
uint64_t ms_proc_segments_left(const ms_session *s, const ms_process *p, char *out, size_t room);
bool ms_proc_became_other(ms_process *p); /* exec of something that is not recorded */
void ms_proc_identity(ms_session *s, ms_process *p);
void ms_proc_threads(ms_process *p);
bool ms_proc_exit(const ms_process *p, int *status); /* of a process that ended, as from wait() */
/* What rss is made of: maps as read (maps->rss 0: not read), and the program's own figures. */
void ms_split(const ms_maps *maps, uint64_t rss, const ms_memory *memory, uint64_t live_bytes, uint64_t live_blocks,
              uint64_t out[MS_SPLITS]);
void ms_json_list(const char *words, size_t size, char *out, size_t room); /* words: each ended by NUL */

/* write.c: final: the process ended, or nobody will look at it any more. */
ms_err ms_write_process(ms_session *s, ms_process *p, const char *path, bool final, uint64_t now, ms_why *why);

/* shots.c */
void ms_shots_begin(ms_session *s);
void ms_shots_look(ms_session *s, ms_process *p, uint64_t now); /* each tick, and while children are waited for */
bool ms_shots_pending(const ms_process *p);                     /* a child writes */
void ms_shots_drop(ms_session *s, ms_process *p);
void ms_shots_open(ms_session *s, ms_process *p);               /* those that go into the recording */
struct ms_writer;
ms_err ms_shots_write(ms_process *p, struct ms_writer *w);
void ms_shots_close(ms_session *s, ms_process *p, bool kept);   /* kept: as files of their own */
/* Asking a process, by whoever holds the lock of its live file (live.h). */
bool ms_ask_begin(ms_live *head, uint32_t moment, bool values, const char *path);
void ms_ask_ring(ms_live *head);
bool ms_ask_answered(ms_live *head, ms_shot *out);
bool ms_ask_give_up(ms_live *head);

/* place.c */
ms_err ms_place_check(const ms_run_ask *ask, ms_why *why);
void ms_place_write(ms_session *s, ms_process *p, bool final);
void ms_place_forget(ms_session *s, ms_process *p); /* its file, if there is one, goes */
void ms_place_finish(ms_session *s, ms_run_result *out);

#endif
