/* moment.c -- when a snapshot is taken.
 *
 * A snapshot shows the heap as it is, so it may be taken only where no object is half made: with the GIL,
 * between two bytecodes (a pending call), at the start of a collection, or as the last of the atexit
 * callbacks. Whoever wants one only says so; the program takes it when it comes to such a moment.
 *
 *   asked   memsure snapshot PID, a signal to the monitor, --snapshot=every: by ms_area.ask and the doorbell
 *   peak    the program's own: live bytes passed the last photographed peak by a fifth, and with this one the
 *           pauses of all together are at most 1 % of the time it runs (as CPU time), and its children's work, which
 *           another processor does, at most 0.5 s and 10 %, and no more than it ran itself; 1 % where there is no other
 *           processor. The first may cost twice that, and a third of a longer run: a short one shall have one, too. The
 *           monitor tells what that work was; before anything is measured, it is estimated on the high side.
 *           Who climbs fast is let climb, for half a second: one picture at the top is worth more than one half-way. But
 *           for no more than an eighth of the run so far: what main() holds is gone when it returns, and nothing tells
 *           beforehand. What imports make is no peak: while one runs in the first second, what lives is taken for the base
 *   exit    the last callback of atexit: the program's own have run, its daemon threads are still there.
 *           Where that is gone (atexit._clear), the collection at the beginning of finalization; or os._exit,
 *           by which the children of multiprocessing end. The first process of a session always takes it,
 *           the others where it costs at most a twentieth of the time that they ran
 *
 * The program itself never waits for the child that writes, and never fails for a snapshot: what went wrong is
 * left in ms_area.shot, and the monitor writes it into the recording. All of this is called with the GIL. */
#include "record/moment.h"
#include "record/recorder.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PEAK_LEAST = 1 << 20,  /* live bytes from which a peak is worth a look */
    PEAK_STEP = 5,         /* a new one is higher by 1/5 */
    CLIMB = 10,            /* a climb goes on while it rises by 1/10 ... */
    CLIMB_NS = 50000000,   /* ... within this time, */
    CLIMB_MAX_NS = 500000000, /* but is not waited for longer */
    SHARE_AT_EXIT = 20,    /* of a child's run time, that its last may cost: 1/20 */
    SHARE = 100,           /* of the run time, that the pauses for peaks may take: 1/100 */
    SHARE_CHILD = 10,      /* ... and their children, */
    SHARE_FIRST = 3,       /* ... the first of them alone, */
    FREE_NS = 500000000,   /* ... and so much more, where that is no more than the run time (of the first, twice) */
    CLIMB_SHARE = 8,       /* ... nor more than 1/8 of the run so far */
    GROWTH_NS = 60000000,  /* from the last import on: in less, no growth can be told */
    IMPORTS_NS = 1000000000, /* so long imports keep a peak away, */
    IMPORTS_DEEP = 1000,   /* ... looked for so deep */
    PAUSE_NS = 500000,     /* estimates before anything was measured: a pause, */
    PAUSE_PER_MIB = 25000, /* ... more for each MiB alive, */
    CHILD_NS = 10000000,   /* ... the child's work for any snapshot, */
    CHILD_PER_BLOCK = 250, /* ... and for each block */
};

ms_snapshot_fn *ms_snapshot_taker;
void (*ms_snapshot_reaper)(void);

static bool     exit_taken, peak_wanted, child; /* child: not the first process of the session */
static uint64_t peak_next, peak_due;       /* live bytes, and time, from which the next peak is looked at */
static uint64_t climb_bytes, climb_at, climb_from; /* one that is watched: so high at that time, begun then; 0: none */
static uint64_t imported;                  /* when an import was last seen, or the start */
static uint64_t spent_ns;                  /* pauses for peaks, as this thread's CPU time */
static uint64_t blocks_seen, blocks_last;  /* blocks alive at all peaks taken, and now */

static void start_anew(void)
{
    exit_taken = peak_wanted = false;
    peak_next = PEAK_LEAST;
    peak_due = spent_ns = blocks_seen = climb_from = 0;
    imported = ms_area.start_ns;
}

void ms_moment_init(const char *dir)
{
    const char *policy = dir ? getenv(MS_ENV_SHOTS) : NULL;
    start_anew();
    ms_area.snapshot_policy = 0;
    if (policy && strstr(policy, "exit"))
        ms_area.snapshot_policy |= MS_SNAPSHOT_EXIT;
    if (policy && strstr(policy, "peak"))
        ms_area.snapshot_policy |= MS_SNAPSHOT_PEAK;
    if (policy && strstr(policy, "values"))
        ms_area.snapshot_policy |= MS_SNAPSHOT_VALUES;
    child = policy && strstr(policy, MS_SHOTS_CHILD);
}

void ms_moment_forked(void)
{
    start_anew();
    child = true;
}

/* --- taking ---------------------------------------------------------------------------------------- */

static const char *const names[MS_MOMENTS] = MS_MOMENT_NAMES;

typedef struct {
    uint64_t t_ns, pause_ns, cpu_ns, live_bytes;
    pid_t    writer;
    ms_why   why;
} outcome;

/* While one is taken, nothing else is: the taker may come by here. Ends when what came of it is told. */
static void taking_ends(void) { __atomic_store_n(&ms_area.taking, 0, __ATOMIC_RELEASE); }

static void take(const char *path, uint32_t moment, bool values, outcome *out)
{
    int saved = errno;
    uint64_t cpu_ns = ms_thread_ns();
    *out = (outcome){.t_ns = ms_now_ns(), .live_bytes = ms_area.live_bytes};
    __atomic_store_n(&ms_area.taking, 1 + moment, __ATOMIC_RELEASE);
    if (ms_area.sealed)
        ms_why_set(&out->why, "the program takes system calls from itself (seccomp)");
    else if (ms_snapshot_taker == NULL)
        ms_why_set(&out->why, "this build of memsure takes no snapshots");
    else if (ms_snapshot_taker(path, names[moment], values || ms_area.snapshot_policy & MS_SNAPSHOT_VALUES, &out->why, &out->writer) != MS_OK || out->writer <= 0)
        out->writer = 0;
    out->pause_ns = ms_now_ns() - out->t_ns;
    out->cpu_ns = ms_thread_ns() - cpu_ns; /* by the clock, one unlucky fork on a busy machine would be the last */
    ms_area.taking_ns += out->cpu_ns;
    if (out->writer == 0 && out->why.text[0] == 0)
        ms_why_set(&out->why, "no process could be made to write it");
    errno = saved;
}

/* Where one that the program takes of itself goes; false: there is no such place (any more). */
static bool own_path(uint32_t moment, uint32_t number, char *out, size_t room)
{
    char link[600], prefix[3000];
    const char *live = ms_live_path(), *slash = strrchr(live, '/'), *dot = strrchr(live, '.');
    if (slash == NULL || dot == NULL || dot < slash ||
        (size_t)snprintf(link, sizeof link, "%.*s/" MS_SNAPSHOTS, (int)(slash - live), live) >= sizeof link)
        return false;
    ssize_t n = readlink(link, prefix, sizeof prefix);
    if (n <= 0 || (size_t)n == sizeof prefix)
        return false;
    int length = snprintf(out, room, "%.*s-%.*s-%s%u.memsure", (int)n, prefix, (int)(dot - slash - 1), slash + 1, names[moment], number);
    return length > 0 && (size_t)length < room;
}

/* One that nobody asked for. */
static bool take_own(uint32_t moment)
{
    char path[4096];
    outcome got;
    uint32_t n = ms_area.shots;
    if (ms_area.sealed || !own_path(moment, n + 1, path, sizeof path))
        return false;
    take(path, moment, false, &got);
    ms_shot *s = &ms_area.shot[n % MS_SHOTS];
    *s = (ms_shot){got.t_ns, got.pause_ns, got.live_bytes, got.writer, moment, n + 1, ""};
    snprintf(s->why, sizeof s->why, "%.200s", got.why.text);
    if (moment == MS_MOMENT_PEAK)
        spent_ns += got.cpu_ns;
    __atomic_store_n(&ms_area.shots, n + 1, __ATOMIC_RELEASE);
    taking_ends();
    return got.writer != 0;
}

static void answer(void)
{
    ms_ask *ask = &ms_area.ask;
    uint32_t asked = MS_ASK_ASKED;
    outcome got;
    char path[sizeof ask->path];
    if (!__atomic_compare_exchange_n(&ask->state, &asked, MS_ASK_TAKING, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
        return;
    memcpy(path, ask->path, sizeof path);
    path[sizeof path - 1] = 0;
    take(path, ask->moment < MS_MOMENTS ? ask->moment : MS_MOMENT_CALL, ask->values == 1, &got);
    ask->t_ns = got.t_ns;
    ask->pause_ns = got.pause_ns;
    ask->live_bytes = got.live_bytes;
    ask->child = got.writer;
    snprintf(ask->why, sizeof ask->why, "%.200s", got.why.text);
    __atomic_store_n(&ask->state, MS_ASK_ANSWERED, __ATOMIC_RELEASE);
    taking_ends();
}

/* --- peaks ----------------------------------------------------------------------------------------- */

/* What the next would cost. */
static uint64_t pause_estimate(void) { return PAUSE_NS + (ms_area.live_bytes >> 20) * PAUSE_PER_MIB; }

static uint64_t child_estimate(bool by_experience)
{
    uint64_t per_block = CHILD_PER_BLOCK;
    blocks_last = 0;
    for (uint32_t i = 0; i < ms_area.table[MS_T_TALLY].used; i++)
        blocks_last += ms_area.count[i].live;
    if (by_experience && blocks_seen && ms_area.shots_ns / blocks_seen < per_block) /* of a small heap it is mostly the child's start */
        per_block = ms_area.shots_ns / blocks_seen + 1;
    return CHILD_NS + blocks_last * per_block;
}

/* Whether there is but one processor for this process. */
static bool alone(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) == 1;
}

/* Whether this thread is in an import of the first second. */
static bool importing(uint64_t now)
{
    static const char machinery[] = "<frozen importlib._bootstrap>";
    PyThreadState *ts = now < ms_area.start_ns + IMPORTS_NS ? ms_thread_state_asked() : NULL;
    ms_frame *f = ts ? ms_frame_python(ms_frame_top(ts)) : NULL;
    char file[sizeof machinery + 1];
    for (int depth = 0; f && depth < IMPORTS_DEEP; depth++, f = ms_frame_python(f->previous))
        if (ms_frame_text(ms_frame_code(f)->co_filename, file, sizeof file) == sizeof machinery - 1 && strcmp(file, machinery) == 0)
            return true;
    return false;
}

static bool peak_due_now(uint64_t now)
{
    if (!(ms_area.snapshot_policy & MS_SNAPSHOT_PEAK) || ms_area.live_bytes < peak_next)
        return false;
    if (importing(now)) {
        peak_next = ms_area.live_bytes + ms_area.live_bytes / PEAK_STEP + PEAK_LEAST;
        imported = now;
        return false;
    }
    if (now < peak_due)
        return false;
    if (ms_area.shots != __atomic_load_n(&ms_area.shots_over, __ATOMIC_ACQUIRE))
        return false; /* one at a time */
    uint64_t pauses = (spent_ns + pause_estimate()) * SHARE, work = ms_area.shots_ns + child_estimate(true);
    uint64_t rest = work > FREE_NS ? (work - FREE_NS) * (ms_area.shots ? SHARE_CHILD : SHARE_FIRST) : 0;
    if (alone())
        work *= SHARE;
    else if (ms_area.shots == 0) {
        pauses /= 2;
        work /= 2;
    }
    if (rest > work)
        work = rest;
    peak_due = ms_area.start_ns + (pauses > work ? pauses : work);
    if (peak_due < imported + GROWTH_NS)
        peak_due = imported + GROWTH_NS;
    return now >= peak_due;
}

/* Whether now is the time for the peak's picture. */
static bool peak_now(uint64_t now)
{
    uint64_t live = ms_area.live_bytes;
    if (live < peak_next)
        climb_from = 0;
    if (climb_from == 0) {
        if (!peak_due_now(now))
            return false;
        climb_from = climb_at = now;
        climb_bytes = live;
    }
    if (live > climb_bytes + climb_bytes / CLIMB) {
        climb_bytes = live;
        climb_at = now;
    }
    bool falls = live < climb_bytes - climb_bytes / (2 * CLIMB);
    uint64_t most = (climb_from - ms_area.start_ns) / CLIMB_SHARE;
    if (!falls && now - climb_at < CLIMB_NS && now - climb_from < (most < CLIMB_MAX_NS ? most : CLIMB_MAX_NS))
        return false;
    climb_from = 0;
    return true;
}

/* --- what the others call -------------------------------------------------------------------------- */

void ms_moment_look(uint64_t now)
{
    if (ms_area.taking || ms_mode == MS_MODE_ALLOC)
        return;
    if (ms_snapshot_reaper)
        ms_snapshot_reaper();
    if (!peak_wanted)
        peak_wanted = peak_now(now);
    if (peak_wanted || __atomic_load_n(&ms_area.ask.state, __ATOMIC_ACQUIRE) == MS_ASK_ASKED || ms_python_arrow_due(now))
        ms_python_ask();
}

void ms_moment_safe(void)
{
    if (ms_area.taking || ms_mode == MS_MODE_ALLOC)
        return;
    ms_python_arrow(ms_now_ns());
    if (__atomic_load_n(&ms_area.ask.state, __ATOMIC_ACQUIRE) == MS_ASK_ASKED)
        answer();
    if (!peak_wanted)
        return;
    peak_wanted = false;
    if (ms_area.live_bytes < peak_next - peak_next / 10)
        return; /* it is over */
    peak_next = ms_area.live_bytes + ms_area.live_bytes / PEAK_STEP;
    if (take_own(MS_MOMENT_PEAK))
        blocks_seen += blocks_last;
}

MS_EXPORT void ms_moment_leave(void)
{
    PyThreadState *ts = ms_mode >= 0 && !ms_area.sealed && ms_area.pid == (uint32_t)getpid() ? ms_thread_state_asked() : NULL; /* no vfork's child */
    if (ts && ts->interp == PyInterpreterState_Main() && !ms_area.ended)
        ms_moment_exit();
}

void ms_moment_exit(void)
{
    if (ms_area.taking)
        return;
    if (__atomic_load_n(&ms_area.ask.state, __ATOMIC_ACQUIRE) == MS_ASK_ASKED)
        answer();
    if (exit_taken || !(ms_area.snapshot_policy & MS_SNAPSHOT_EXIT))
        return;
    exit_taken = true;
    if (!child || (ms_now_ns() - ms_area.start_ns) / SHARE_AT_EXIT > pause_estimate() + child_estimate(false))
        take_own(MS_MOMENT_EXIT);
}
