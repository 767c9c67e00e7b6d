/* launch.c -- start the program as a shell would, keep out of its way, and see it end.
 *
 * The program stays in our process group, with our terminal, input and output; signals.c passes on to it
 * what was meant for it. Should we be killed, the kernel kills it: nobody would tick its clock, nor answer
 * for it to whoever waits for us.
 *
 * Live files are in memory, under /dev/shm, in a folder of mode 0700 that is gone at the end. One that
 * a killed monitor left there is removed by the next run. Whose monitor lives is told by a lock on the folder: what
 * /proc says of a process number may be of another namespace, or not be readable at all. */
#include "monitor/watch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SHM           "/dev/shm"
#define SHM_LEAST     (64ull << 20) /* bytes free there, or the session's own folder is taken */
#define GRACE_NS      200000000ull  /* for processes that outlive the program */
#define PENDING_NS    500000u       /* until a live file is looked at again that is being made */
#define FOLDER        "memsure.%u."   /* the user, and then the monitor's number */

uint64_t ms_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * MS_SECOND_NS + (uint64_t)t.tv_nsec;
}

uint64_t ms_clock_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * MS_SECOND_NS + (uint64_t)t.tv_nsec;
}

void ms_session_problem(ms_session *s, const char *format, ...)
{
    if (s->problem.text[0])
        return; /* the first says most */
    va_list args;
    va_start(args, format);
    vsnprintf(s->problem.text, sizeof s->problem.text, format, args);
    va_end(args);
}

/* A birth or death as the recorder counts it: a tag, a tally, the process's sums. */
double ms_hot_event_ns(void)
{
    static double measured;
    static volatile uint32_t cell[16 * 64];
    static volatile uint64_t sum, peak;
    enum { EVENTS = 200000 };
    if (measured > 0)
        return measured;
    uint64_t best = UINT64_MAX;
    for (int round = 0; round < 5; round++) {
        uint64_t began = ms_clock_cpu_ns();
        for (uint32_t i = 0; i < EVENTS; i++) {
            volatile uint32_t *t = &cell[i % 64 * 16];
            if (t[0] != 0)
                t[2] = t[1];
            t[1] = t[1] + 1;
            sum = sum + 64;
            if (sum > peak)
                peak = sum;
        }
        uint64_t took = ms_clock_cpu_ns() - began;
        best = took < best ? took : best;
    }
    return measured = (double)best / EVENTS;
}

/* --- the folder of live files --------------------------------------------------------------------- */

static void folder_remove(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            unlinkat(fd, entry->d_name, 0);
    closedir(dir);
    unlinkat(at, name, AT_REMOVEDIR);
}

/* Nobody's: its lock is free, and there is something in it. One that is being made has no lock yet, but is empty. */
static bool is_stale(int folder)
{
    struct stat st;
    if (fstat(folder, &st) != 0 || st.st_uid != geteuid() || flock(folder, LOCK_EX | LOCK_NB) != 0)
        return false;
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int entries = 0;
    while (dir && entries <= 2 && readdir(dir) != NULL) /* . and .. */
        entries++;
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return entries > 2;
}

static void remove_stale(void)
{
    char prefix[48];
    int length = snprintf(prefix, sizeof prefix, FOLDER, (unsigned)geteuid());
    DIR *dir = opendir(SHM);
    if (dir == NULL)
        return;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (strncmp(entry->d_name, prefix, (size_t)length) != 0)
            continue;
        int folder = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (folder < 0)
            continue;
        if (is_stale(folder))
            folder_remove(dirfd(dir), entry->d_name);
        close(folder);
    }
    closedir(dir);
}

static ms_err live_folder(ms_session *s, ms_why *why)
{
    struct statvfs room;
    s->live[0] = 0;
    if (statvfs(SHM, &room) == 0 && (uint64_t)room.f_bavail * room.f_frsize >= SHM_LEAST) {
        snprintf(s->live, sizeof s->live, SHM "/" FOLDER "%ld.XXXXXX", (unsigned)geteuid(), (long)getpid());
        if (mkdtemp(s->live) == NULL)
            s->live[0] = 0;
    }
    if (s->live[0] == 0) { /* a hidden folder beside the recording; the program may leave our directory */
        char beside[PATH_MAX], whole[PATH_MAX];
        const char *slash = strrchr(s->ask->session, '/');
        snprintf(beside, sizeof beside, "%.*s", slash ? (int)(slash - s->ask->session + 1) : 2, slash ? s->ask->session : "./");
        if (realpath(beside, whole) == NULL ||
            (size_t)snprintf(s->live, sizeof s->live, "%s/.memsure-XXXXXX", whole) >= 380 || mkdtemp(s->live) == NULL) {
            ms_why_set(why, "cannot make a folder for counters in %s or beside %s: %s", SHM, s->ask->session, strerror(errno));
            s->live[0] = 0;
            return MS_EIO;
        }
    }
    s->live_fd = open(s->live, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->live_fd < 0) {
        ms_why_set(why, "cannot open %s: %s", s->live, strerror(errno));
        return MS_EIO;
    }
    while (flock(s->live_fd, LOCK_EX) != 0 && errno == EINTR)
        ;
    return MS_OK;
}

/* --- the program ---------------------------------------------------------------------------------- */

typedef struct {
    char **env;
    char  *text;
    size_t env_size, text_size;
} environment;

extern char **environ;

static bool is_name(const char *entry, const char *name)
{
    size_t n = strlen(name);
    return strncmp(entry, name, n) == 0 && entry[n] == '=';
}

static bool environment_make(const ms_session *s, environment *e)
{
    static const char *const ours[] = {"LD_PRELOAD", MS_ENV_DIR, MS_ENV_MODE, MS_ENV_SAMPLE, MS_ENV_SHOTS};
    const ms_run_ask *ask = s->ask;
    const char *preload = getenv("LD_PRELOAD");
    size_t n = 0, k = 0;
    while (environ[n])
        n++;
    e->env_size = (n + 6) * sizeof *e->env;
    e->text_size = 4096 + (ask->preload ? strlen(ask->preload) : 0) + (preload ? strlen(preload) : 0);
    e->env = ms_sys_alloc(e->env_size);
    e->text = ms_sys_alloc(e->text_size);
    if (e->env == NULL || e->text == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        bool mine = false;
        for (int j = ask->preload ? 0 : 1; j < (int)(sizeof ours / sizeof *ours); j++)
            mine |= is_name(environ[i], ours[j]);
        if (!mine)
            e->env[k++] = environ[i];
    }
    char *at = e->text, *end = e->text + e->text_size;
    if (ask->preload) {
        e->env[k++] = at;
        at += snprintf(at, (size_t)(end - at), "LD_PRELOAD=%s%s%s", preload ? preload : "", preload ? ":" : "", ask->preload) + 1;
    }
    e->env[k++] = at;
    at += snprintf(at, (size_t)(end - at), MS_ENV_DIR "=%s", s->live) + 1;
    e->env[k++] = at;
    at += snprintf(at, (size_t)(end - at), MS_ENV_MODE "=%.16s", ask->mode) + 1;
    e->env[k++] = at;
    at += snprintf(at, (size_t)(end - at), MS_ENV_SAMPLE "=%llu", (unsigned long long)ask->sample_bytes) + 1;
    if (ask->snapshot && s->snapshots[0]) {
        e->env[k++] = at;
        snprintf(at, (size_t)(end - at), MS_ENV_SHOTS "=%.32s", ask->snapshot);
    }
    return true;
}

static void environment_free(environment *e)
{
    ms_sys_free(e->env, e->env_size);
    ms_sys_free(e->text, e->text_size);
}

/* Three descriptors for each process that lives. */
static void files_raise(ms_session *s)
{
    struct rlimit all;
    if (getrlimit(RLIMIT_NOFILE, &s->files) != 0)
        return;
    all.rlim_cur = all.rlim_max = s->files.rlim_max;
    s->files_raised = setrlimit(RLIMIT_NOFILE, &all) == 0;
}

static void files_restore(const ms_session *s)
{
    if (s->files_raised)
        setrlimit(RLIMIT_NOFILE, &s->files);
}

/* In the child: become the program. Only async-signal-safe calls. */
static void become(const ms_session *s, const environment *e, const ms_signals *g, pid_t parent, int report)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    ms_signals_program(g);
    files_restore(s);
    execvpe(s->ask->argv[0], s->ask->argv, e->env);
    int error = errno;
    while (write(report, &error, sizeof error) < 0 && errno == EINTR)
        ;
    _exit(127);
}

static ms_err launch(ms_session *s, const environment *e, const ms_signals *g, ms_run_result *out, ms_why *why)
{
    int report[2], error = 0;
    if (pipe2(report, O_CLOEXEC) != 0) {
        ms_why_set(why, "cannot start the program: %s", strerror(errno));
        return MS_EIO;
    }
    pid_t parent = getpid();
    s->main_pid = fork();
    if (s->main_pid == 0)
        become(s, e, g, parent, report[1]);
    ms_signals_started(s->main_pid);
    if (s->main_pid < 0)
        error = errno;
    close(report[1]);
    ssize_t n;
    while (s->main_pid > 0 && (n = read(report[0], &error, sizeof error)) < 0 && errno == EINTR)
        ;
    close(report[0]);
    if (error == 0)
        return MS_OK;
    if (s->main_pid > 0)
        waitpid(s->main_pid, NULL, 0);
    s->main_pid = 0;
    out->exec_errno = error;
    ms_why_set(why, "cannot run %s: %s", s->ask->argv[0], strerror(error));
    return MS_EIO;
}

/* Sleep to the next tick, or less if a process ends or a signal comes. main_fd < 0: the program is over. */
static void wait_tick(ms_session *s, int main_fd, uint64_t next)
{
    enum { FEW = 256 };
    struct pollfd fd[FEW];
    nfds_t n = 0;
    if (main_fd >= 0)
        fd[n++] = (struct pollfd){main_fd, POLLIN, 0};
    if (s->notice >= 0)
        fd[n++] = (struct pollfd){s->notice, POLLIN, 0};
    for (uint32_t i = 0; i < s->nprocess && n < FEW; i++) {
        const ms_process *p = s->process[i];
        if (p->pidfd >= 0 && !p->departed)
            fd[n++] = (struct pollfd){p->pidfd, POLLIN, 0};
        for (uint32_t k = 0; k < p->nphoto && n < FEW; k++)
            if (p->photo[k].pidfd >= 0)
                fd[n++] = (struct pollfd){p->photo[k].pidfd, POLLIN, 0};
    }
    uint64_t now = ms_clock_ns(), left = next > now ? next - now : 0;
    if (s->pending && left > PENDING_NS)
        left = PENDING_NS;
    ms_signals_wait(fd, n, left);
    char events[4096];
    while (s->notice >= 0 && read(s->notice, events, sizeof events) > 0)
        ;
}

static bool main_over(const ms_session *s)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)s->main_pid, &info, WEXITED | WNOWAIT | WNOHANG) != 0 || info.si_pid == s->main_pid;
}

static void follow(ms_session *s, ms_signals *g, ms_run_result *out)
{
    uint64_t tick = ms_clock_ns();
    int main_fd = ms_pidfd_open(s->main_pid), status = 0;
    bool over = false;
    while (!over) {
        uint64_t now = ms_clock_ns();
        tick = tick + MS_EPOCH_NS > now ? tick + MS_EPOCH_NS : now + MS_EPOCH_NS;
        wait_tick(s, main_fd, tick);
        ms_signals_pass(s, g);
        over = main_over(s); /* seen before the folder is read: nothing of it appears later */
        ms_watch_scan(s);
        ms_watch_tick(s, ms_clock_ns());
    }
    uint64_t until = ms_clock_ns() + GRACE_NS;
    while (ms_watch_alive(s) && ms_clock_ns() < until) {
        wait_tick(s, -1, ms_clock_ns() + MS_EPOCH_NS);
        ms_watch_scan(s);
        ms_watch_tick(s, ms_clock_ns());
    }
    pid_t got;
    while ((got = waitpid(s->main_pid, &status, 0)) < 0 && errno == EINTR)
        ;
    if (main_fd >= 0)
        close(main_fd);
    out->signaled = got > 0 && WIFSIGNALED(status);
    out->code = got <= 0 ? 1 : WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
    ms_watch_depart(s);
    /* For the snapshots of what ended: their children outlive it. Ctrl-C is ours now, and ends that. */
    ms_signals_forget();
    while (ms_watch_waiting(s) && !ms_signals_stopped()) {
        wait_tick(s, -1, ms_clock_ns() + MS_EPOCH_NS);
        ms_watch_tick(s, ms_clock_ns());
    }
    ms_watch_finish(s);
}

/* Nothing was recorded: say so of the CPython that ran. */
static void tell_unknown(ms_session *s)
{
    char text[96];
    int fd = openat(s->live_fd, MS_UNKNOWN, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return;
    text[n] = 0;
    ms_session_problem(s, "nothing was recorded: this was %s, and this memsure is for %s", text, MS_PYTHON_NAME);
}

static uint64_t own_rss(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (uint64_t)used.ru_maxrss * 1024;
}

ms_err ms_run(const ms_run_ask *ask, ms_run_result *out, ms_why *why)
{
    ms_err err;
    environment e = {0};
    ms_signals g;
    bool taken = false;
    memset(out, 0, sizeof *out);
    ms_session *s = ms_sys_alloc(sizeof *s);
    if (s == NULL)
        return MS_ENOMEM;
    s->ask = ask;
    s->live_fd = s->notice = -1;
    s->buffer = ms_sys_alloc(MS_BUFFER);
    err = MS_ENOMEM;
    if (s->buffer == NULL)
        goto done;
    if (ask->argv == NULL || ask->argv[0] == NULL || strlen(ask->mode) > 16) {
        ms_why_set(why, "nothing to run");
        err = MS_EINVAL;
        goto done;
    }
    if (ask->preload && access(ask->preload, R_OK) != 0) {
        ms_why_set(why, "memsure is not installed completely: %s: %s", ask->preload, strerror(errno));
        err = MS_EIO;
        goto done;
    }
    files_raise(s);
    if ((err = ms_place_check(ask, why)) != MS_OK)
        goto done;
    remove_stale();
    if ((err = live_folder(s, why)) != MS_OK)
        goto done;
    ms_shots_begin(s);
    if (!environment_make(s, &e)) {
        err = MS_ENOMEM;
        goto done;
    }
    ms_signals_take(&g);
    taken = true;
    /* A child may live for less than a tick: only who has seen it alive learns how it ended. */
    s->notice = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (s->notice >= 0 && inotify_add_watch(s->notice, s->live, IN_CREATE | IN_MOVED_TO) < 0) {
        close(s->notice);
        s->notice = -1;
    }
    s->fork_rss = own_rss();
    s->start_ns = ms_clock_ns();
    if ((err = launch(s, &e, &g, out, why)) != MS_OK)
        goto done;
    /* From here on nothing fails: the program runs, recorded or not. */
    if (ms_watch_start(s) != MS_OK)
        ms_session_problem(s, "lifetimes were not measured: there is no thread for the clock");
    follow(s, &g, out);
    ms_watch_stop(s);
    ms_place_finish(s, out);
    if (out->count == 0)
        tell_unknown(s);
    out->problem = s->problem;
    out->snapshots = s->kept;
    out->snapshots_size = s->kept_room;
    out->nsnapshots = s->nkept;
    s->kept = NULL;
done:
    files_restore(s);
    if (taken)
        ms_signals_restore(&g);
    environment_free(&e);
    if (s->notice >= 0)
        close(s->notice);
    if (s->live_fd >= 0)
        close(s->live_fd);
    if (s->live[0])
        folder_remove(AT_FDCWD, s->live);
    if (s->spare)
        ms_shots_drop(s, s->spare);
    ms_process_free(s->spare);
    ms_sys_free(s->process, s->process_room * sizeof *s->process);
    ms_sys_free(s->written, s->written_room * sizeof *s->written);
    ms_sys_free(s->taken.slot, s->taken.size * sizeof *s->taken.slot);
    ms_sys_free(s->kept, s->kept_room);
    ms_sys_free(s->buffer, MS_BUFFER);
    ms_sys_free(s, sizeof *s);
    if (err != MS_OK && why && why->text[0] == 0)
        ms_why_set(why, "cannot start the program: %s", ms_err_text(err));
    return err;
}

void ms_run_free(ms_run_result *out)
{
    ms_sys_free(out->recordings, out->size);
    ms_sys_free(out->snapshots, out->snapshots_size);
    out->recordings = out->snapshots = NULL;
    out->size = out->count = out->nsnapshots = 0;
}
