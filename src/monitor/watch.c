/* watch.c -- from a live file's birth to its process's end.
 *
 * A live file PID-N.live appears in the folder and becomes `ready`; from then on its process is looked
 * at every tick. The process has ended when its pidfd says so, or it has become another program (a
 * newer file of the same pid). Its file stays readable however it died; when it is written down, it is
 * removed. A file that never becomes ready goes with its maker.
 *
 * The clock has a thread of its own, so that neither a slow disk nor a large table makes an epoch
 * late: it stores the epoch into every mapped head, under the lock that guards the list of heads. */
#include "monitor/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define HEAD_SIZE offsetof(ms_live, count)
enum { TAKEN = 1, DOUBTED }; /* values of ms_session.taken */
enum { DOUBT_MS = 1000 };    /* a file may be made step by step: so long it may look wrong */

/* --- the clock ------------------------------------------------------------------------------------ */

typedef struct {
    ms_live *head;
    int      schedstat, stat; /* of its main thread; -1: this system does not tell */
    uint64_t before;          /* how long it had waited at first, less what the head had (a forked child's is its parent's) */
    uint64_t ran, ready;      /* at the last tick */
} ticked;

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    ticked *at;
    uint32_t n, room;
    bool stop, runs;
} ticker = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* How long a process's main thread ran, and was ready to run and did not: as far as is known at its last switch. */
static bool ran_and_waited(const ticked *t, uint64_t *ran, uint64_t *ready)
{
    char text[96];
    unsigned long long a, b;
    ssize_t n = t->schedstat < 0 ? -1 : pread(t->schedstat, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    if (n <= 0 || sscanf(text, "%llu %llu", &a, &b) != 2)
        return false;
    *ran = a;
    *ready = b;
    return true;
}

/* Whether it is ready to run, and not asleep. */
static bool is_ready(const ticked *t)
{
    char text[256];
    ssize_t n = t->stat < 0 ? -1 : pread(t->stat, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = 0;
    const char *state = strrchr(text, ')');
    return state && state[1] == ' ' && state[2] == 'R';
}

/* The program's own time: on a busy machine it stands still while the program waits for a processor, so that what is told by
 * epochs (ages, births over the run) is the same as on a quiet one. Of the main thread only: it is the one that works, or it
 * waits for those that do. */
static void epoch_store(ms_live *head, uint64_t now)
{
    uint64_t start = head->epoch_zero_ns ? head->epoch_zero_ns : head->start_ns;
    start += __atomic_load_n(&head->waited_ns, __ATOMIC_RELAXED);
    uint32_t epoch = now > start ? (uint32_t)((now - start) / MS_EPOCH_NS) : 0;
    if (epoch > __atomic_load_n(&head->epoch, __ATOMIC_RELAXED))
        __atomic_store_n(&head->epoch, epoch, __ATOMIC_RELAXED);
}

static void *ticker_run(void *arg)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    for (;;) {
        uint64_t next = ((uint64_t)at.tv_sec * MS_SECOND_NS + (uint64_t)at.tv_nsec) / MS_EPOCH_NS * MS_EPOCH_NS + MS_EPOCH_NS;
        at = (struct timespec){(time_t)(next / MS_SECOND_NS), (long)(next % MS_SECOND_NS)};
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        uint64_t now = ms_clock_ns();
        pthread_mutex_lock(&ticker.lock);
        bool stop = ticker.stop;
        for (uint32_t i = 0; i < ticker.n; i++) {
            ticked *t = &ticker.at[i];
            uint64_t ran, ready;
            if (ran_and_waited(t, &ran, &ready)) {
                if (ran == t->ran && ready == t->ready && is_ready(t))
                    continue; /* it waits right now: how long, the next switch says */
                t->ran = ran;
                t->ready = ready;
                __atomic_store_n(&t->head->waited_ns, ready - t->before, __ATOMIC_RELAXED);
            }
            epoch_store(t->head, now);
        }
        pthread_mutex_unlock(&ticker.lock);
        if (stop)
            return NULL;
        if (now > next)
            at = (struct timespec){(time_t)(now / MS_SECOND_NS), (long)(now % MS_SECOND_NS)};
    }
}

static void ticked_close(const ticked *t)
{
    if (t->schedstat >= 0)
        close(t->schedstat);
    if (t->stat >= 0)
        close(t->stat);
}

static bool ticker_add(ms_live *head)
{
    bool ok = true;
    char path[64];
    snprintf(path, sizeof path, "/proc/%lu/schedstat", (unsigned long)head->pid);
    ticked new = {.head = head, .schedstat = open(path, O_RDONLY | O_CLOEXEC)};
    snprintf(path, sizeof path, "/proc/%lu/stat", (unsigned long)head->pid);
    new.stat = open(path, O_RDONLY | O_CLOEXEC);
    if (ran_and_waited(&new, &new.ran, &new.ready))
        new.before = new.ready - head->waited_ns;
    pthread_mutex_lock(&ticker.lock);
    if (ticker.n == ticker.room) {
        uint32_t room = ticker.room ? 2 * ticker.room : 64;
        ticked *next = ms_sys_resize(ticker.at, ticker.room * sizeof *next, room * sizeof *next);
        ok = next != NULL;
        if (ok) {
            ticker.at = next;
            ticker.room = room;
        }
    }
    if (ok)
        ticker.at[ticker.n++] = new;
    pthread_mutex_unlock(&ticker.lock);
    if (!ok)
        ticked_close(&new);
    return ok;
}

static void ticker_remove(const ms_live *head)
{
    pthread_mutex_lock(&ticker.lock);
    for (uint32_t i = 0; i < ticker.n; i++)
        if (ticker.at[i].head == head) {
            ticked_close(&ticker.at[i]);
            ticker.at[i] = ticker.at[--ticker.n];
            break;
        }
    pthread_mutex_unlock(&ticker.lock);
}

ms_err ms_watch_start(ms_session *s)
{
    sigset_t all, before;
    sigfillset(&all);
    ticker.stop = false;
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the thread that waits */
    int failed = pthread_create(&ticker.thread, NULL, ticker_run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    ticker.runs = !failed;
    return failed ? MS_ENOMEM : MS_OK;
}

void ms_watch_stop(ms_session *s)
{
    if (ticker.runs) {
        pthread_mutex_lock(&ticker.lock);
        ticker.stop = true;
        pthread_mutex_unlock(&ticker.lock);
        pthread_join(ticker.thread, NULL);
    }
    for (uint32_t i = 0; i < ticker.n; i++)
        ticked_close(&ticker.at[i]);
    ms_sys_free(ticker.at, ticker.room * sizeof *ticker.at);
    ticker.at = NULL;
    ticker.n = ticker.room = 0;
    ticker.runs = false;
}

/* --- a process begins ----------------------------------------------------------------------------- */

int ms_pidfd_open(pid_t pid)
{
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

void ms_process_free(ms_process *p)
{
    if (p == NULL)
        return;
    if (p->head) {
        ticker_remove(p->head);
        munmap(p->head, HEAD_SIZE);
    }
    if (p->fd >= 0)
        close(p->fd);
    if (p->statm >= 0)
        close(p->statm);
    if (p->pidfd >= 0)
        close(p->pidfd);
    uint32_t room = 0;
    while (room < p->nyoung) /* as they grew, see tally.c */
        room = room ? room * 2 : 64;
    ms_sys_free(p->young, room * sizeof *p->young);
    for (room = 0; room < p->nextra;)
        room = room ? room * 2 : 64;
    ms_sys_free(p->older, room * sizeof *p->older);
    ms_sys_free(p->extra, room * sizeof *p->extra);
    for (room = 0; room < p->nnode;)
        room = room ? room * 2 : 64;
    ms_sys_free(p->node_site, room * sizeof *p->node_site);
    ms_sys_free(p->curve, p->curve_room * sizeof *p->curve);
    ms_sys_free(p->curve_of.slot, p->curve_of.size * sizeof *p->curve_of.slot);
    ms_sys_free(p->event, p->event_room * sizeof *p->event);
    ms_sys_free(p, sizeof *p);
}

static bool name_parse(const char *name, pid_t *pid, uint32_t *n)
{
    char *at;
    if (name[0] < '1' || name[0] > '9')
        return false;
    unsigned long a = strtoul(name, &at, 10);
    if (*at != '-' || at[1] < '1' || at[1] > '9' || a > INT32_MAX)
        return false;
    unsigned long b = strtoul(at + 1, &at, 10);
    if (strcmp(at, ".live") != 0 || b > UINT32_MAX)
        return false;
    *pid = (pid_t)a;
    *n = (uint32_t)b;
    return true;
}

static uint64_t key_of(pid_t pid, uint32_t n) { return (uint64_t)pid << 32 | n; }

static const char *head_check(const ms_live *head, pid_t pid)
{
    if (memcmp(head->magic, MS_LIVE_MAGIC, sizeof head->magic) != 0)
        return "it does not begin as a live file";
    if (head->version != MS_LIVE_VERSION || head->size != sizeof(ms_live))
        return "it is of another version of memsure";
    if (head->pid != (uint32_t)pid)
        return "it says that it belongs to another process";
    if (head->mode > MS_MODE_EXACT || head->started > MS_STARTED_FORK)
        return "its mode is none";
    if (head->start_ns > ms_clock_ns() + MS_SECOND_NS)
        return "it begins in the future";
    return NULL;
}

static void unlink_live(ms_session *s, pid_t pid, uint32_t n)
{
    char name[64];
    snprintf(name, sizeof name, "%ld-%u.live", (long)pid, n);
    unlinkat(s->live_fd, name, 0);
}

/* Has the maker of a file that is not ready died? The folder may be of a process of another user. */
static bool maker_gone(pid_t pid)
{
    return kill(pid, 0) != 0 && errno == ESRCH;
}

/* Take up one file. *wait: it is not ready yet. *why: what is wrong with it (MS_EFORMAT). */
static ms_err take_up(ms_session *s, const char *name, pid_t pid, uint32_t n, bool *wait, const char **why)
{
    ms_err err = MS_OK;
    struct stat st;
    *wait = false;
    *why = NULL;
    ms_process *p = ms_sys_alloc(sizeof *p);
    if (p == NULL)
        return MS_ENOMEM;
    p->statm = p->pidfd = -1;
    p->pid = pid;
    p->n = n;
    p->point_step = p->curve_step = MS_EPOCH_NS;
    p->event_pair = 1;
    p->fd = openat(s->live_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (p->fd < 0 || fstat(p->fd, &st) != 0) {
        err = MS_EIO;
        goto done;
    }
    if (!S_ISREG(st.st_mode) || st.st_size < (off_t)HEAD_SIZE) {
        *wait = S_ISREG(st.st_mode);
        goto done;
    }
    void *head = mmap(NULL, HEAD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, p->fd, 0);
    if (head == MAP_FAILED) {
        err = MS_EIO;
        goto done;
    }
    p->head = head;
    if (__atomic_load_n(&p->head->ready, __ATOMIC_ACQUIRE) != 1) {
        *wait = true;
        goto done;
    }
    *why = st.st_size < (off_t)sizeof(ms_live) ? "it is too short" : head_check(p->head, pid);
    if (*why) {
        err = MS_EFORMAT;
        goto done;
    }
    p->mode = p->head->mode;
    p->started = p->head->started;
    p->start_ns = p->head->start_ns;
    p->start_unix_ns = p->head->start_unix_ns;
    p->main = pid == s->main_pid;

    /* Is it still the same process that has this number? Ours cannot be reaped by anybody else. */
    char state, path[64];
    uint64_t cpu;
    bool had_children;
    int code;
    p->pidfd = ms_pidfd_open(pid);
    if (!ms_proc_stat(pid, &state, &p->kernel_start, &cpu, &had_children, &code) || p->pidfd < 0 ||
        !ms_proc_started_before(p->kernel_start, p->start_ns)) {
        if (p->pidfd >= 0)
            close(p->pidfd);
        p->pidfd = -1;
        p->gone = true;
        p->end = MS_END_UNKNOWN;
    } else {
        snprintf(path, sizeof path, "/proc/%ld/statm", (long)pid);
        p->statm = open(path, O_RDONLY | O_CLOEXEC);
    }
    ms_proc_identity(s, p);

    uint64_t now = ms_clock_ns();
    p->end_ns = now;
    p->maps_due = p->start_ns + 30000000u;
    p->point_due = p->curve_due = now;
    p->checkpoint_due = p->start_ns + MS_SECOND_NS;
    if (s->nprocess == s->process_room) {
        uint32_t room = s->process_room ? 2 * s->process_room : 64;
        ms_process **next = ms_sys_resize(s->process, s->process_room * sizeof *next, room * sizeof *next);
        if (next == NULL) {
            err = MS_ENOMEM;
            goto done;
        }
        s->process = next;
        s->process_room = room;
    }
    ms_map_slot *slot = ms_map_put(&s->taken, key_of(pid, n));
    if (slot == NULL) {
        err = MS_ENOMEM;
        goto done;
    }
    slot->value = TAKEN;
    epoch_store(p->head, now);
    __atomic_store_n(&p->head->monitor, (uint32_t)getpid(), __ATOMIC_RELEASE);
    if (!ticker_add(p->head))
        err = MS_ENOMEM;
    s->process[s->nprocess++] = p;
    p = NULL;
done:
    if (p)
        ms_process_free(p);
    return err;
}

/* A process that exec'd has a newer file: the older one is closed. A forked one is another process,
 * with a number that came back. */
static void replace(ms_process *older, const ms_process *newer)
{
    if (!older->gone && newer->started == MS_STARTED_FORK) {
        older->gone = true;
        older->end = MS_END_UNKNOWN;
        older->end_ns = newer->start_ns;
        if (older->kernel_start == newer->kernel_start) {
            /* Seen too late: what is known by that number is the newer one's. */
            older->kernel_start = 0;
        }
    } else if (!older->gone && older->kernel_start == newer->kernel_start) {
        older->gone = true;
        older->end = MS_END_EXEC;
        older->end_ns = newer->start_ns;
    }
}

static void close_replaced(ms_session *s, ms_process *p)
{
    for (uint32_t i = 0; i < s->nprocess; i++) {
        ms_process *q = s->process[i];
        if (q == p || q->pid != p->pid)
            continue;
        if (q->start_ns <= p->start_ns)
            replace(q, p);
        else
            replace(p, q);
    }
}

void ms_watch_scan(ms_session *s)
{
    int fd = openat(s->live_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    uint32_t now_ms = (uint32_t)(ms_clock_ns() / 1000000);
    struct dirent *entry;
    s->pending = false;
    while ((entry = readdir(dir)) != NULL) {
        pid_t pid;
        uint32_t n, before = s->nprocess;
        if (!name_parse(entry->d_name, &pid, &n))
            continue;
        ms_map_slot *slot = ms_map_find(&s->taken, key_of(pid, n));
        if (slot && (slot->value == TAKEN || now_ms - slot->extra > DOUBT_MS))
            continue;
        bool wait;
        const char *why;
        take_up(s, entry->d_name, pid, n, &wait, &why);
        if (s->nprocess > before) {
            close_replaced(s, s->process[before]);
        } else if (wait) {
            if (maker_gone(pid))
                unlink_live(s, pid, n);
            else
                s->pending = true;
        } else if (why) {
            slot = ms_map_put(&s->taken, key_of(pid, n));
            if (slot && slot->value == 0) {
                slot->value = DOUBTED;
                slot->extra = now_ms;
            }
            if (maker_gone(pid) || (slot && now_ms - slot->extra >= DOUBT_MS * 9 / 10)) {
                ms_session_problem(s, "a process (%ld) could not be recorded: of its counters, %s", (long)pid, why);
                if (maker_gone(pid))
                    unlink_live(s, pid, n);
            }
        }
    }
    closedir(dir);
}

/* --- while it lives ------------------------------------------------------------------------------- */

static void ring(ms_process *p, uint64_t now)
{
    __atomic_store_n(&p->head->sample_left, INT64_MIN / 2, __ATOMIC_RELAXED);
    p->rung_ns = now;
}

static bool maps_affordable(const ms_process *p, uint64_t now)
{
    return p->maps_spent * 100 <= now - p->start_ns || p->maps.when_ns == 0;
}

static void peak_look(ms_process *p, uint64_t now)
{
    uint64_t peak = ms_peak(p->head);
    if (peak <= p->peak_bytes)
        return;
    p->peak_bytes = peak;
    p->peak_ns = now;
    uint64_t live = __atomic_load_n(&p->head->live_bytes, __ATOMIC_RELAXED);
    if (live < p->split_peak_live || now < p->start_ns + 2 * MS_EPOCH_NS)
        return; /* the peak was between two ticks, and what is there now is less than what we have */
    /* A fresh look at the mappings for each eighth more, as long as that costs little, and for each
     * half more at any cost; in between, the last one and the RSS of now. */
    bool eighth = peak > p->split_peak_bytes + p->split_peak_bytes / 8, half = peak > p->split_peak_bytes + p->split_peak_bytes / 2;
    if ((half || (eighth && p->maps_spent * 40 <= now - p->start_ns)) && ms_proc_maps(p))
        p->split_peak_bytes = peak;
    ms_memory memory = p->head->memory_now;
    ms_split(&p->maps, p->rss, &memory, live, p->live_blocks, p->split_peak);
    p->split_peak_live = live;
    p->have_peak = true;
}

static void look(ms_session *s, ms_process *p, uint64_t now)
{
    ms_live *head = p->head;
    if (p->statm >= 0 && !ms_proc_rss(p))
        return; /* ending right now */
    p->seen_ns = now;
    ms_proc_cpu(p);
    peak_look(p, now);
    if (now >= p->curve_due)
        (void)ms_curves_add(s, p, now);
    if (now >= p->point_due)
        ms_timeline_add(p, now);
    ms_events_read(p);
    if (now - p->peak_rss_read_ns > MS_SECOND_NS / 10) {
        p->peak_rss_read_ns = now;
        ms_proc_peak_rss(p);
        ms_proc_threads(p);
        if (ms_proc_became_other(p)) {
            p->gone = true;
            p->end = MS_END_EXEC;
            p->end_ns = now;
            return;
        }
    }
    if (!p->end_seen && ms_ended(p)) {
        p->end_seen = true;
        ms_proc_peak_rss(p);
        ms_proc_threads(p);
        ms_proc_maps(p);
        p->maps_due = UINT64_MAX;
    } else if (now >= p->maps_due && maps_affordable(p, now)) {
        ms_proc_maps(p);
        uint64_t wait = 200 * p->maps_cost;
        p->maps_due = now + (wait > MS_SECOND_NS / 4 ? wait : MS_SECOND_NS / 4);
    }
    if (p->end_seen)
        return;
    /* What only the program knows it tells at its next allocation, if it is asked to. */
    bool ask = now - p->asked_ns > MS_SECOND_NS / 10 && p->point_step * 2 + p->asked_ns <= now;
    if (ask) {
        p->asked_ns = now;
        if (head->want_memory == __atomic_load_n(&head->got_memory, __ATOMIC_ACQUIRE))
            __atomic_store_n(&head->want_memory, head->want_memory + 1, __ATOMIC_RELEASE);
        ring(p, now);
    } else if (__atomic_load_n(&head->purge_due, __ATOMIC_RELAXED) && now - p->rung_ns >= 2 * MS_EPOCH_NS) {
        ring(p, now);
    }
}

/* --- the end -------------------------------------------------------------------------------------- */

/* A zombie is over, too: it will not run again. */
static bool over(ms_process *p)
{
    struct pollfd f = {p->pidfd, POLLIN, 0};
    return p->gone || p->pidfd < 0 || poll(&f, 1, 0) > 0;
}

/* What only a zombie tells: how it ended and what it used. Not much of it is left when another
 * process has reaped it. */
static void last_words(ms_session *s, ms_process *p)
{
    char state;
    uint64_t start, cpu;
    bool had_children;
    int status;
    if (p->kernel_start == 0)
        return;
    if (ms_proc_stat(p->pid, &state, &start, &cpu, &had_children, &status) && start == p->kernel_start) {
        if (cpu > p->cpu_ns)
            p->cpu_ns = cpu;
        siginfo_t info;
        struct rusage used;
        /* Its greatest RSS includes that of children it waited for, and ours at the fork. */
        if (p->main && !had_children && syscall(SYS_waitid, P_PID, p->pid, &info, WEXITED | WNOWAIT | WNOHANG, &used) == 0 &&
            (uint64_t)used.ru_maxrss * 1024 > s->fork_rss && (uint64_t)used.ru_maxrss * 1024 > p->peak_rss)
            p->peak_rss = (uint64_t)used.ru_maxrss * 1024;
    }
    if (ms_proc_exit(p, &status)) {
        bool died = (status & 0x7F) != 0;
        p->end = died ? MS_END_SIGNAL : MS_END_EXIT;
        p->end_code = died ? status & 0x7F : status >> 8 & 0xFF;
    }
}

/* So much Python runs between a fork and an exec in a child that only makes room for a program. */
enum { ROOM_BLOCKS = 1000, ROOM_BYTES = 1 << 20 };

/* Did it do nothing of its own: a forked child that only made room for another program? */
static bool left_out(ms_session *s, ms_process *p)
{
    if (!s->ask->children) {
        if (s->first_pid == 0)
            s->first_pid = p->pid;
        if (p->pid != s->first_pid)
            return true;
    }
    if (p->started != MS_STARTED_FORK)
        return false;
    uint64_t births = ms_births(s, p);
    bool other = p->end == MS_END_EXEC || p->head->ended == 2;
    return births == 0 || (other && births < ROOM_BLOCKS && p->allocated_bytes < ROOM_BYTES);
}

/* The process has ended: what only its remains tell, before they are gone. */
static void depart(ms_session *s, ms_process *p)
{
    if (p->departed)
        return;
    p->departed = true;
    if (p->end == MS_END_UNKNOWN)
        last_words(s, p);
    if (__atomic_load_n(&p->head->ended, __ATOMIC_ACQUIRE) == 2)
        p->end = MS_END_EXEC; /* into something that has no file here; the end seen is that one's */
}

/* multiprocessing has a process that takes away, when all others have ended, what shared memory they left: what it will
 * still take away is not left behind. */
enum { TRACKER_MS = 3000 };

static void await_tracker(ms_session *s, ms_process *p)
{
    char names[sizeof p->segments * 2];
    for (uint32_t i = 0; p->main && p->segments[0] && i < s->nprocess; i++) {
        ms_process *q = s->process[i];
        if (q == p || q->pidfd < 0 || !strstr(q->argv, "multiprocessing.resource_tracker"))
            continue;
        for (int ms = 0; ms < TRACKER_MS && !over(q) && ms_proc_segments_left(s, p, names, sizeof names); ms += 10)
            usleep(10000);
    }
}

/* The process at i has ended (or is looked at no more): write it down and forget it. */
static void conclude(ms_session *s, uint32_t i)
{
    ms_process *p = s->process[i];
    if (p->gone)
        depart(s, p);
    await_tracker(s, p);
    ms_shots_look(s, p, ms_clock_ns());
    __atomic_store_n(&p->head->monitor, 0, __ATOMIC_RELEASE);
    ticker_remove(p->head);
    unlink_live(s, p->pid, p->n);
    ms_map_slot *slot = ms_map_find(&s->taken, key_of(p->pid, p->n));
    if (slot)
        ms_map_remove(&s->taken, slot);
    s->process[i] = s->process[--s->nprocess];
    if (left_out(s, p)) {
        ms_place_forget(s, p);
        if (s->spare == NULL && (s->ask->children || p->pid == s->first_pid)) {
            s->spare = p;
        } else {
            ms_shots_drop(s, p);
            ms_process_free(p);
        }
        return;
    }
    ms_events_read(p);
    ms_place_write(s, p, true);
    ms_process_free(p);
}

void ms_watch_tick(ms_session *s, uint64_t now)
{
    if (s->first_pid == 0 && s->nprocess) { /* a folder's order is no order */
        const ms_process *first = s->process[0];
        for (uint32_t i = 1; i < s->nprocess; i++)
            if (s->process[i]->start_ns < first->start_ns)
                first = s->process[i];
        s->first_pid = first->pid;
    }
    for (uint32_t i = 0; i < s->nprocess;) {
        ms_process *p = s->process[i];
        if (over(p)) {
            if (!p->gone) {
                p->gone = true;
                p->end = MS_END_UNKNOWN;
                p->end_ns = now;
            }
            depart(s, p);
            ms_shots_look(s, p, now);
            if (ms_shots_pending(p))
                i++;
            else
                conclude(s, i);
            continue;
        }
        look(s, p, now);
        ms_shots_look(s, p, now);
        /* Checkpoints may cost 1 % of the time; the first is taken to cost 5 ms. */
        if (now >= p->checkpoint_due) {
            uint64_t elapsed = now - s->start_ns;
            if ((s->write_spent + 5000000u) * 100 <= elapsed && (s->ask->children || p->pid == s->first_pid) &&
                (p->started != MS_STARTED_FORK || p->live_blocks + p->allocated_bytes > 0)) {
                ms_place_write(s, p, false);
            }
            /* 1, 2, 4, ... 64 s: each as long after the last as that was after the start. */
            uint64_t age = now - p->start_ns;
            p->checkpoint_due = now + (age < 60 * MS_SECOND_NS ? age : 60 * MS_SECOND_NS);
        }
        i++;
    }
}

uint32_t ms_watch_alive(const ms_session *s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->nprocess; i++)
        n += !s->process[i]->gone;
    return n;
}

void ms_watch_depart(ms_session *s)
{
    ms_watch_scan(s); /* what is not ready by now will not be */
    ms_watch_tick(s, ms_clock_ns());
}

bool ms_watch_waiting(const ms_session *s)
{
    for (uint32_t i = 0; i < s->nprocess; i++)
        if (s->process[i]->departed || ms_shots_pending(s->process[i]))
            return true;
    return false;
}

void ms_watch_finish(ms_session *s)
{
    while (s->nprocess) {
        ms_process *p = s->process[s->nprocess - 1];
        if (!p->gone)
            p->end_ns = ms_clock_ns();
        conclude(s, s->nprocess - 1);
    }
}
