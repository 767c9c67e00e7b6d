/* take.c -- the fork, the child's life, and its end.
 *
 * The child is cloned without an exit signal and on a stack of its own (a thread's may be small). One that
 * the program does not wait for is nobody's child: a relay makes it and is gone at once (clone_loose). All
 * signals are blocked while that happens: the program's handlers must not run in the child. Two words
 * pass between both, in a shared page: how it ended, and the figures.
 *
 * In the child a crash inside a foreign tp_traverse, or one that does not return for two seconds, gives
 * up that type (siglongjmp to the sweep). Any other crash, and the end of its time, end the child alone.
 * In place the same holds, by a timer whose signal only the reading thread hears; there is no end of time. */
#include "snapshot/child.h"
#include "record/moment.h"
#include "store/store.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE  (1u << 20)
#define STACK_GUARD (128u << 10)
#define TICK_MS     250
#define HANG_TICKS  8u
#define LET_GO_MIN  (256u << 10) /* smaller mappings may be libc's own */

struct ms_snapshot {
    pid_t      pid, owner;
    uint64_t   begun; /* of one that is nobody's child */
    ms_status *status;
    ms_snapshot_options options;
    char       path[4096];
};

bool ms_checking(void) { return getenv("MEMSURE_SNAPSHOT_CHECK") != NULL; }

/* For tests: of the allocations from here the one of this number fails, and all after it; with a minus in front, that one alone. */
static void fail_begin(void)
{
    const char *n = getenv("MEMSURE_SNAPSHOT_FAIL");
    if (n && *n == '-')
        ms_sys_fail_at(atol(n + 1));
    else if (n)
        ms_sys_fail_after(atol(n));
}
static void fail_end(void)
{
    if (getenv("MEMSURE_SNAPSHOT_FAIL"))
        ms_sys_fail_after(-1);
}

static ms_child *self; /* in the child: for signal handlers */

/* The frames that are left: AddressSanitizer, which does not know this stack, would keep their forbidden ground. */
static void go_back(sigjmp_buf to, int how) __attribute__((noreturn));
static void go_back(sigjmp_buf to, int how)
{
#if defined(__SANITIZE_ADDRESS__)
    ASAN_UNPOISON_MEMORY_REGION(__builtin_frame_address(0), 64u << 10);
#endif
    siglongjmp(to, how);
}

/* --- the child --------------------------------------------------------------------------------------- */

static void child_end(ms_child *c, int status) __attribute__((noreturn));
static void child_end(ms_child *c, int status)
{
    if (c->options->in_place)
        go_back(c->leave, 1);
    _exit(status);
}

void ms_child_fail(ms_child *c, ms_err err, const char *sentence)
{
    if (c->second) { /* the first one does its work */
        c->failed = true;
        siglongjmp(c->again, 1);
    }
    if (err == MS_ENOMEM && c->guarded && !c->small) { /* while sweeping: there is a smaller answer */
        c->again_how = MS_AGAIN_SMALL;
        go_back(c->again, MS_AGAIN_SMALL);
    }
    if (c->status->err == MS_OK) {
        c->status->err = (uint32_t)err;
        if (sentence != c->status->why.text)
            ms_why_set(&c->status->why, "%s", sentence ? sentence : ms_err_text(err));
    }
    ms_writer_abort(c->writer);
    if (c->options->leave_why) {
        char path[4096 + 8];
        snprintf(path, sizeof path, "%s.why", c->path);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd >= 0) {
            ssize_t n = write(fd, c->status->why.text, strlen(c->status->why.text));
            (void)n;
            close(fd);
        }
    }
    child_end(c, 1);
}

static const int caught[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM};
enum { CAUGHT = sizeof caught / sizeof *caught };
static struct sigaction handlers_before[CAUGHT]; /* in place: the program's own */
static stack_t          stack_before;

static void signals_back(void)
{
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &handlers_before[i], NULL);
    sigaltstack(&stack_before, NULL);
}

static void on_crash(int sig)
{
    ms_child *c = self;
    if (c->options->in_place && syscall(SYS_gettid) != c->thread) { /* another thread's: it crashes once more, as it would have */
        signals_back();
        return;
    }
    if (c->pair && syscall(SYS_gettid) == c->pair->thread)
        c = c->pair;
    if (c->guarded && c->crashes++ < 1000) {
        c->again_how = 1;
        go_back(c->again, 1);
    }
    if (c->second)
        ms_child_fail(c, MS_EDAMAGED, NULL);
    c->guarded = false;
    if (!c->options->in_place)
        signal(sig, SIG_DFL);
    ms_child_fail(c, MS_EDAMAGED, sig == SIGSEGV || sig == SIGBUS ? "the snapshot met memory it could not read" : "the snapshot's process failed");
}

static void on_tick(int sig)
{
    ms_child *c = self;
    if (++c->ticks * TICK_MS / 1000 > (c->options->seconds ? c->options->seconds : 600) && !c->options->in_place)
        ms_child_fail(c, MS_ELIMIT, "the snapshot took longer than it may");
    c->ticks_same = c->foreign == c->foreign_last ? c->ticks_same + 1 : 0;
    c->foreign_last = c->foreign;
    c->late = c->guarded && c->foreign & 1 && c->ticks_same >= HANG_TICKS;
    if (c->late && !c->visiting) /* else ms_visit() leaves: what it does is done to its end */
        ms_child_late(c);
}

void ms_child_late(ms_child *c)
{
    c->late = false;
    c->ticks_same = 0;
    c->again_how = 2;
    go_back(c->again, 2);
}

/* In place: a clock that only this thread hears, by a signal that nobody uses. */
static struct {
    timer_t          timer;
    int              signal;
    struct sigaction before;
    sigset_t         mask;
} watch;

static bool watch_begin(ms_why *why)
{
    struct sigaction tick = {.sa_handler = on_tick, .sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID};
    struct itimerspec every = {{0, TICK_MS * 1000000}, {0, TICK_MS * 1000000}};
    sigset_t mine;
    for (watch.signal = SIGRTMAX; watch.signal >= SIGRTMIN; watch.signal--)
        if (sigaction(watch.signal, NULL, &watch.before) == 0 && watch.before.sa_handler == SIG_DFL)
            break;
    event.sigev_signo = watch.signal;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (watch.signal < SIGRTMIN || timer_create(CLOCK_MONOTONIC, &event, &watch.timer) != 0) {
        ms_why_set(why, "the system gave no timer, and without one a type whose traversal waits for ever would stop the program");
        return false;
    }
    sigaction(watch.signal, &tick, NULL);
    sigemptyset(&mine);
    sigaddset(&mine, watch.signal);
    pthread_sigmask(SIG_UNBLOCK, &mine, &watch.mask);
    timer_settime(watch.timer, 0, &every, NULL);
    return true;
}

static void watch_end(void)
{
    sigset_t mine;
    sigemptyset(&mine);
    sigaddset(&mine, watch.signal);
    pthread_sigmask(SIG_BLOCK, &mine, NULL);
    timer_delete(watch.timer);
    while (sigtimedwait(&mine, NULL, &(struct timespec){0, 0}) > 0) /* what is on its way ends here */
        ;
    sigaction(watch.signal, &watch.before, NULL);
    pthread_sigmask(SIG_SETMASK, &watch.mask, NULL);
}

static void signals_set(const ms_child *c)
{
    if (getenv("MEMSURE_SNAPSHOT_CORE")) /* for a debugger: let it crash */
        return;
    sigset_t mask;
    stack_t alternate = {.ss_sp = ms_sys_alloc(65536), .ss_size = 65536};
    if (alternate.ss_sp)
        sigaltstack(&alternate, NULL);
    sigemptyset(&mask);
    for (int i = 0; i < CAUGHT; i++) {
        struct sigaction a = {.sa_handler = caught[i] == SIGALRM ? on_tick : on_crash, .sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESTART};
        sigaction(caught[i], caught[i] == SIGALRM && c->options->in_place ? NULL : &a, c->options->in_place ? &handlers_before[i] : NULL);
        sigaddset(&mask, caught[i]);
    }
    if (c->options->in_place)
        return; /* its clock, and its mask, stay the program's */
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    struct itimerval every = {{0, TICK_MS * 1000}, {0, TICK_MS * 1000}};
    setitimer(ITIMER_REAL, &every, NULL);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        ssize_t n = write(fd, text, strlen(text));
        (void)n;
        close(fd);
    }
}

static void close_all(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return; /* what it has to say goes to one of these */
#endif
#ifdef SYS_close_range
    if (syscall(SYS_close_range, 0u, ~0u, 0u) == 0)
        return;
#endif
    for (int fd = 0; fd < 65536; fd++)
        close(fd);
}

/* Where the static data of a library ends whose image begins at base, and which goes on past its file at from: what
 * follows may be anybody's. 0: its header does not say. */
static uintptr_t statics_end(uintptr_t base, uintptr_t from)
{
    const Elf64_Ehdr *e = (const Elf64_Ehdr *)base;
    if (base == 0 || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0 || e->e_phentsize != sizeof(Elf64_Phdr) ||
        e->e_phoff + e->e_phnum * sizeof(Elf64_Phdr) > 4096)
        return 0;
    const Elf64_Phdr *p = (const Elf64_Phdr *)(base + e->e_phoff);
    uintptr_t bias = e->e_type == ET_DYN ? base : 0;
    for (int i = 0; i < e->e_phnum; i++) {
        uintptr_t end = (bias + p[i].p_vaddr + p[i].p_filesz + 4095) & ~(uintptr_t)4095;
        if (p[i].p_type == PT_LOAD && p[i].p_flags & PF_W && end == from)
            return bias + p[i].p_vaddr + p[i].p_memsz;
    }
    return 0;
}

/* All of /proc/self/maps, in memory of our own; *size: for munmap(). What is noted takes memory, and the kernel may make that one with
 * a mapping of the program's beside it: so the text is whole before anything is noted, and lies in a mapping that is one with none. */
static char *maps_text(size_t *size)
{
    static char some[4096];
    size_t length = 0;
    ssize_t n;
    for (int twice = 0; twice < 2; twice++) {
        int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
        char *text = NULL;
        *size = length + sizeof some; /* a line or two more: the text's own */
        if (twice)
            text = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (fd < 0 || text == MAP_FAILED) {
            if (fd >= 0)
                close(fd);
            return NULL;
        }
        length = 0;
        while ((n = text ? read(fd, text + length, *size - 1 - length) : read(fd, some, sizeof some)) > 0)
            length += (size_t)n;
        close(fd);
        if (text)
            return text;
    }
    return NULL;
}

/* The program's memory, noted at the start, to be given up when the graph stands. */
static void note_maps(ms_child *c)
{
    uintptr_t keep[] = {(uintptr_t)&keep, (uintptr_t)c, (uintptr_t)c->status, (uintptr_t)__builtin_thread_pointer(),
                        (uintptr_t)&ms_area, (uintptr_t)&errno, (uintptr_t)c->path, (uintptr_t)c->type_table.at, (uintptr_t)c->options};
    size_t size;
    uintptr_t file_end = 0, image = 0; /* of the file at hand: where its mapping ends, where its beginning lies */
    unsigned long image_inode = 0;
    char file[64] = "", *text = maps_text(&size), *end;
    for (char *line = text; line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = 0;
        char *at;
        uintptr_t from = strtoul(line, &at, 16), to = strtoul(at + 1, &at, 16);
        if (from == (uintptr_t)text) {
            file_end = 0;
            continue;
        }
        const char *rights = at + 1, *rest = strchr(rights + 5, ' ');      /* offset */
        rest = rest ? strchr(rest + 1, ' ') : NULL;                          /* device */
        unsigned long inode = rest ? strtoul(rest + 1, &at, 10) : 1;
        bool anonymous = inode == 0 && strncmp(rights, "rw-p", 4) == 0 && from != file_end && strchr(at, '[') == NULL && to - from >= LET_GO_MIN;
        for (size_t i = 0; i < sizeof keep / sizeof *keep; i++)
            anonymous &= keep[i] < from || keep[i] >= to;
        if (anonymous)
            MS_PUSH(c, c->maps, ms_range, (ms_range){from, to});
        if (inode == 0 && strncmp(rights, "rw-p", 4) == 0 && strstr(at, "[stack") == NULL)
            MS_PUSH(c, c->anonymous, ms_range, (ms_range){from, to});
        if (inode == 0 && rights[0] == 'r' && rights[1] == 'w' && strchr(at, '[') == strstr(at, "[heap]"))
            MS_PUSH(c, c->native, ms_range, (ms_range){from, to});
        if (inode == 0 && strstr(at, "[heap]"))
            c->brk = (ms_range){from, to};
        if (inode && inode != image_inode) {
            image = rights[0] == 'r' && strtoul(rights + 5, NULL, 16) == 0 ? from : 0;
            image_inode = inode;
        }
        bool bss = inode == 0 && from == file_end && file[0];
        if (bss) {
            uintptr_t limit = statics_end(image, from);
            to = limit > from && limit < to ? limit : limit > from ? to : from;
        }
        if ((inode || bss) && strncmp(rights, "rw-p", 4) == 0) { /* static data of a library, .bss too */
            bool ours = image && image == getauxval(AT_BASE); /* the loader's: no object is held there, and what its words point at is gone */
            for (size_t i = 0; i < sizeof keep / sizeof *keep; i++)
                ours |= keep[i] >= from && keep[i] < to;
            const char *slash = strrchr(at, '/');
            if (!bss)
                snprintf(file, sizeof file, "%.63s", slash ? slash + 1 : "");
            if (!ours && file[0] && strncmp(file, "memsure_", 8) != 0 && to - from < (64u << 20)) {
                ms_static s = {from, to, ""};
                memcpy(s.name, file, strcspn(file, "."));
                if (to > from)
                    MS_PUSH(c, c->statics, ms_static, s);
            }
        } else if (inode) {
            const char *slash = strrchr(at, '/');
            snprintf(file, sizeof file, "%.63s", slash ? slash + 1 : "");
        }
        file_end = inode ? to : 0;
    }
    if (text)
        munmap(text, size);
}

void ms_let_go(ms_child *c)
{
#if defined(__SANITIZE_ADDRESS__)
    return; /* its own books lie there */
#endif
    if (c->options->in_place)
        return;
    const ms_range *r = MS_VEC_AT(c->maps, ms_range);
    for (size_t i = 0; i < MS_VEC_N(c->maps, ms_range); i++)
        munmap((void *)r[i].from, r[i].to - r[i].from);
}

/* Memory that is this process's alone, as the kernel counts it. Of what is its alone a part may be the file, which it maps to read it
 * back; of what is no file a part may be the program's, until that is let go. So it is the smaller. */
uint64_t ms_child_bytes(void)
{
    char text[4096];
    int fd = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    const char *alone = strstr(text, "Private_Dirty:"), *no_file = strstr(text, "Anonymous:");
    uint64_t a = alone ? strtoull(alone + 14, NULL, 10) : 0, b = no_file ? strtoull(no_file + 10, NULL, 10) : a;
    return (a < b ? a : b) * 1024;
}

static uint64_t number_in(const char *path, const char *after)
{
    char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return UINT64_MAX;
    text[n] = 0;
    const char *at = after ? strstr(text, after) : text;
    at = at && after ? at + strlen(after) : at;
    while (at && *at == ' ')
        at++;
    return at && *at >= '0' && *at <= '9' ? strtoull(at, NULL, 10) : UINT64_MAX;
}

/* Memory that this process may still take: the machine's, and what its cgroups leave. For tests, MEMSURE_SNAPSHOT_ROOT is a folder that
 * has the kernel's files of another machine. */
static uint64_t memory_room(void)
{
    char group[2048], path[2400], *at;
    const char *root = getenv("MEMSURE_SNAPSHOT_ROOT");
    root = root && strlen(root) < 256 ? root : "";
    snprintf(path, sizeof path, "%s/proc/meminfo", root);
    uint64_t room = number_in(path, "MemAvailable:");
    room = room < UINT64_MAX / 1024 ? room * 1024 : UINT64_MAX;
    snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, group, sizeof group - 1);
    if (fd >= 0)
        close(fd);
    group[n > 0 ? n : 0] = 0;
    static const char *const files[2][3] = {{"%s/sys/fs/cgroup%.*s/%s", "memory.max", "memory.current"},
                                            {"%s/sys/fs/cgroup/memory%.*s/%s", "memory.limit_in_bytes", "memory.usage_in_bytes"}};
    for (int v = 0; v < 2; v++) {
        at = v == 0 ? strstr(group, "0::/") : strstr(group, ":memory:/");
        if (at == NULL)
            continue;
        at = strchr(at, '/');
        for (int length = (int)strcspn(at, "\n");; length--) { /* the group itself, and those around it */
            if (length > 0 && at[length - 1] != '/' && at[length] != '/' && at[length] != '\n' && at[length] != 0)
                continue;
            snprintf(path, sizeof path, files[v][0], root, length, at, files[v][1]);
            uint64_t limit = number_in(path, NULL);
            snprintf(path, sizeof path, files[v][0], root, length, at, files[v][2]);
            uint64_t used = number_in(path, NULL);
            if (limit < UINT64_MAX && used < UINT64_MAX && room > (limit > used ? limit - used : 0))
                room = limit > used ? limit - used : 0;
            if (length <= 0)
                break;
        }
    }
    return room;
}

#define BYTES_AN_OBJECT 50u /* that the child takes at most, edges included */

static void argv_info(ms_child *c)
{
    char text[2048] = "[";
    size_t n = 1;
    PyObject *argv = ms_dict_text(c->interp->sysdict, "orig_argv");
    for (Py_ssize_t i = 0; argv && PyList_Check(argv) && i < PyList_GET_SIZE(argv) && n < 1500; i++) {
        char word[500];
        size_t length = ms_frame_text(PyList_GET_ITEM(argv, i), word, sizeof word);
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"", i ? ", " : "");
        for (size_t k = 0; k < length && n < 1800; k++) {
            unsigned char ch = (unsigned char)word[k];
            if (ch == '"' || ch == '\\')
                text[n++] = '\\';
            if (ch < 32)
                n += (size_t)snprintf(text + n, 7, "\\u%04x", ch);
            else
                text[n++] = (char)ch;
        }
        text[n++] = '"';
    }
    text[n++] = ']';
    text[n] = 0;
    ms_info(c, "argv", "%s", text);
}

static void facts(ms_child *c)
{
    struct timespec now;
    char cwd[4096];
    clock_gettime(CLOCK_REALTIME, &now);
    char python[32];
    snprintf(python, sizeof python, "%s", Py_GetVersion());
    python[strcspn(python, " ")] = 0;
    ms_info(c, "format", "1");
    ms_info(c, "memsure", "%s", MEMSURE_VERSION);
    ms_info(c, "python", "%s", python);
    ms_info(c, "pid", "%d", (int)c->parent);
    argv_info(c);
    ms_info(c, "cwd", "%s", syscall(SYS_getcwd, cwd, sizeof cwd) > 0 ? cwd : "");
    ms_info(c, "taken_unix_ns", "%llu", (unsigned long long)now.tv_sec * 1000000000u + (unsigned long long)now.tv_nsec);
    ms_info(c, "moment", "%s", c->options->moment ? c->options->moment : "call");
    ms_info(c, "epoch", "%u", ms_mode >= 0 ? (unsigned)ms_child_epoch(c) : 0);
    ms_info(c, "epoch_ns", "%llu", (unsigned long long)MS_EPOCH_NS);
    ms_info(c, "t_ns", "%llu", ms_mode >= 0 ? (unsigned long long)(c->forked_ns - ms_area.start_ns) : 0ull);
    ms_info(c, "rss_bytes", "%llu", (unsigned long long)c->rss);
    ms_info(c, "python_live_bytes", "%llu", ms_mode >= 0 ? (unsigned long long)ms_area.live_bytes : 0ull);
    ms_info(c, "values", "%d", c->options->values);
}

static int child_entry(void *arg)
{
    ms_child_main(arg);
}

/* The child of nobody. A relay, in the program's own memory while the program waits, makes the child and is no
 * more: so the child is an orphan from its first moment. It also holds none of the program's files then. */
typedef struct {
    ms_child *c;
    char     *stack;
    pid_t     pid;
    int       failed;
} relay;

static int relay_entry(void *arg)
{
    relay *r = arg;
    close_all();
    syscall(SYS_setsid); /* out of the program's process group, which may be killed as a whole */
    r->pid = clone(child_entry, r->stack, 0, r->c);
    r->failed = errno;
    syscall(SYS_exit_group, 0);
    return 0;
}

static pid_t clone_loose(ms_child *c, char *stack)
{
    relay r = {c, stack + STACK_SIZE, -1, 0};
    pid_t first = clone(relay_entry, stack + STACK_SIZE / 4, CLONE_VM | CLONE_VFORK, &r);
    if (first < 0)
        return -1;
    while (waitpid(first, NULL, __WCLONE) < 0 && errno == EINTR)
        ;
    errno = r.failed;
    return r.pid;
}

/* Orphans come to this process: a child may as well be its own. */
static bool reaps_orphans(void)
{
    int reaper = 0;
    return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0) == 0 && reaper);
}

/* Note how far the child is: wall clock since the fork, and its CPU time. */
void ms_child_reached(ms_child *c, uint64_t *wall, uint64_t *cpu)
{
    struct timespec t;
    *wall = ms_now_ns() - c->forked_ns;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    *cpu = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void ms_child_weigh(ms_child *c)
{
    uint64_t bytes = c->options->in_place ? 0 : ms_child_bytes();
    if (bytes > c->status->figures.child_bytes)
        c->status->figures.child_bytes = bytes;
}

void ms_child_main(ms_child *c)
{
    ms_snapshot_figures *reached = &c->status->figures;
    const char *why;
    long taken = ms_sys_live();
    self = c;
    if (!c->options->in_place) {
        close_all();
        prctl(PR_SET_NAME, MS_SNAPSHOT_NAME, 0, 0, 0);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        put("/proc/self/oom_score_adj", "1000");
    }
    if (c->options->passing && strcmp(c->options->moment, "exit") != 0)
        setpriority(PRIO_PROCESS, 0, 15); /* the program goes on, and goes first */
    if (ms_checking() && ms_sys_live() != taken) /* it would be noted, and given up, with the program's */
        ms_child_fail(c, MS_EDAMAGED, "memory was taken before the program's was noted");
    note_maps(c);
    signals_set(c); /* its stack is the first thing of our own */
    uint64_t room = memory_room();
    c->memory_limit = c->options->memory_limit ? c->options->memory_limit : room / 2;
    facts(c);
    PyObject *spec = ms_dict_text(c->interp->builtins, "__spec__");
    c->subtype_traverse = spec ? Py_TYPE(spec)->tp_traverse : NULL;

    ms_vec_limit(c->memory_limit);
    c->births = ms_mode >= 0;
    ms_touch_begin(c);
    ms_roots_seed(c);
    ms_beside_end(&c->beside);
    do
        ms_sweep(c);
    while (ms_slabs_seed(c) && (c->unreached = true));
    ms_number(c);
    if (ms_checking() && (why = ms_marks_check(&c->marks)) != NULL)
        ms_child_fail(c, MS_EDAMAGED, why);
    c->small |= (uint64_t)c->objects * BYTES_AN_OBJECT > c->memory_limit;
    ms_record_all(c);
    if (c->small) {
        ms_let_go(c);
        ms_child_weigh(c);
        ms_file_write_small(c);
        ms_child_reached(c, &reached->child_ns, &reached->child_cpu_ns);
        __atomic_store_n(&c->status->done, 1, __ATOMIC_RELEASE);
        child_end(c, 0);
    }
    ms_roots_count(c);
    ms_hidden_find(c);
    ms_roots_finish(c);
    ms_raw_count(c);
    ms_child_reached(c, &reached->graph_ns, &reached->graph_cpu_ns);
    ms_file_write(c);
    c->status->figures.nodes = c->nodes;
    c->status->figures.edges = c->edge_count;
    ms_child_reached(c, &reached->child_ns, &reached->child_cpu_ns);
    __atomic_store_n(&c->status->done, 1, __ATOMIC_RELEASE);
    child_end(c, 0);
}

/* --- the program ------------------------------------------------------------------------------------- */

static uint64_t resident(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = 0;
    const char *second = strchr(text, ' ');
    return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static void snapshot_free(ms_snapshot *s)
{
    if (s == NULL)
        return;
    if (s->status)
        munmap(s->status, sizeof *s->status);
    ms_sys_free(s, sizeof *s);
}

/* No child: the caller does its work. What it takes is noted, and given back wherever it ends. */
static void read_in_place(ms_child *c)
{
    c->thread = (pid_t)syscall(SYS_gettid);
    memset(handlers_before, 0, sizeof handlers_before);
    for (int i = 0; i < CAUGHT; i++)
        sigaction(caught[i], NULL, &handlers_before[i]);
    sigaltstack(NULL, &stack_before);
    self = c;
    if (!watch_begin(&c->status->why)) {
        c->status->err = MS_EIO;
    } else {
        if (sigsetjmp(c->leave, 1) == 0)
            ms_child_main(c);
        watch_end();
        signals_back();
    }
    self = NULL;
    ms_vec_limit(UINT64_MAX);
    c->status->figures.child_bytes = ms_sys_book_end();
    c->status->figures.pause_ns = ms_now_ns() - c->forked_ns;
}

/* When the process of this number began, in the system's clock ticks; 0: there is none, or it has ended. */
static uint64_t begun(pid_t pid)
{
    char path[32], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    char *at = strrchr(text, ')'); /* of the name; then the state, field 3 */
    if (at == NULL || at[1] == 0 || at[2] == 'Z' || at[2] == 'X')
        return 0;
    for (int field = 2; field < 22 && at; field++)
        at = strchr(at + 1, ' ');
    return at ? strtoull(at, NULL, 10) : 0;
}

ms_err ms_snapshot_take(const char *path, const ms_snapshot_options *options, ms_why *why, ms_snapshot **out)
{
    *out = NULL;
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("popcnt")) {
        ms_why_set(why, "snapshots need a processor with the instruction popcnt");
        return MS_EINVAL;
    }
#endif
    ms_err err = MS_ENOMEM;
    fail_begin();
    ms_snapshot *s = ms_sys_alloc(sizeof *s);
    ms_child *c = ms_sys_alloc(sizeof *c);
    char *stack = ms_sys_alloc(STACK_SIZE);
    if (s == NULL || c == NULL || stack == NULL)
        goto done;
    mprotect(stack, STACK_GUARD, PROT_NONE); /* a traversal without end is noticed there */
    s->status = mmap(NULL, sizeof *s->status, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (s->status == MAP_FAILED) {
        s->status = NULL;
        goto done;
    }
    if (strlen(path) >= sizeof s->path) {
        ms_why_set(why, "the path has %zu characters", strlen(path));
        err = MS_EINVAL;
        goto done;
    }
    ms_writer *w;
    if ((err = ms_writer_open(path, why, &w)) != MS_OK) /* a path that cannot be is said now */
        goto done;
    ms_writer_abort(w);
    err = MS_ENOMEM;
    strcpy(s->path, path);
    s->options = *options;
    s->owner = getpid();
    *s->status = (ms_status){0};
    c->path = s->path;
    c->options = &s->options;
    c->status = s->status;
    c->split = UINTPTR_MAX;
    c->ts = PyThreadState_Get();
    c->interp = PyThreadState_GetInterpreter(c->ts);
    c->parent = getpid();
    c->rss = resident();
    /* The types do not move: their place is reserved, and backed as it is used. */
    c->type_table.at = MAP_FAILED;
    for (c->types_max = MS_TYPES_MAX; c->type_table.at == MAP_FAILED && c->types_max >= 16384; c->types_max /= 4) {
        c->type_table.room = (size_t)c->types_max * sizeof(ms_ty); /* less where that counts: strict overcommit, RLIMIT_AS */
        c->type_table.at = mmap(NULL, c->type_table.room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }
    if (c->type_table.at == MAP_FAILED)
        goto done;
    c->types_max = (uint32_t)(c->type_table.room / sizeof(ms_ty));
    c->type_table.used = sizeof(ms_ty); /* 0: no type */
    ((ms_ty *)(void *)c->type_table.at)->dict_field = -1;

    if (options->in_place && !ms_sys_book_begin()) {
        ms_why_set(why, "another snapshot of this process is being taken in it");
        err = MS_EINVAL;
        goto done;
    }
    bool loose = options->loose && !reaps_orphans();
    uint64_t all = ~(uint64_t)0, before;
    ms_recorder_parts(&c->heap, &c->raw_heap, &c->large); /* takes the recorder's lock */
    if (options->in_place) { /* a traversal that allocates must not wait for itself */
        ms_recorder_parts_done();
        c->forked_ns = ms_now_ns();
        read_in_place(c);
        *out = s;
        s = NULL;
        err = MS_OK;
        goto done;
    }
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
    c->forked_ns = ms_now_ns();
    s->pid = loose ? clone_loose(c, stack) : clone(child_entry, stack + STACK_SIZE, 0, c);
    int failed = errno;
    s->status->figures.pause_ns = ms_now_ns() - c->forked_ns;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof all);
    ms_recorder_parts_done();
    if (s->pid < 0) {
        ms_why_set(why, "the system refused a copy of this process for the snapshot: %s; memsure.snapshot(path, fork=False) needs none, and stops the program meanwhile",
                   strerror(failed));
        err = MS_EIO;
        goto done;
    }
    s->options.loose = loose;
    s->begun = loose ? begun(s->pid) : 0;
    *out = s;
    s = NULL;
    err = MS_OK;
done:
    fail_end();
    if (err == MS_ENOMEM)
        ms_why_set(why, "the system gave no memory for a snapshot");
    if (c && c->type_table.at && c->type_table.at != MAP_FAILED)
        munmap(c->type_table.at, c->type_table.room);
    ms_sys_free(stack, STACK_SIZE);
    ms_sys_free(c, sizeof *c);
    snapshot_free(s);
    return err;
}

/* Whether one that is nobody's child is done, or gone: it says so, or no process of its number began when it did. */
static bool loose_over(const ms_snapshot *s)
{
    bool said = __atomic_load_n(&s->status->done, __ATOMIC_ACQUIRE) || s->status->err != MS_OK;
    return said || (s->begun ? begun(s->pid) != s->begun : kill(s->pid, 0) != 0);
}

ms_err ms_snapshot_wait(ms_snapshot *s, bool block, ms_why *why, ms_snapshot_figures *figures)
{
    int how = 0;
    pid_t got = -1;
    if (s->options.loose) {
        while (!loose_over(s)) {
            if (!block)
                return MS_EINVAL;
            nanosleep(&(struct timespec){0, 2000000}, NULL);
        }
    } else {
        while (!s->options.in_place && (got = waitpid(s->pid, &how, __WCLONE | (block ? 0 : WNOHANG))) < 0 && errno == EINTR)
            ;
    }
    if (got == 0)
        return MS_EINVAL;
    ms_err err = (ms_err)s->status->err;
    if (figures)
        *figures = s->status->figures;
    if (!s->status->done && err == MS_OK) {
        err = MS_EDAMAGED;
        if (got == s->pid && WIFSIGNALED(how))
            ms_why_set(why, "the snapshot's process was ended by signal %d%s", WTERMSIG(how),
                       WTERMSIG(how) == SIGKILL ? ": for want of memory, perhaps" : "");
        else
            ms_why_set(why, "the snapshot's process ended without a word");
    } else if (err != MS_OK) {
        ms_why_set(why, "%s", s->status->why.text);
    }
    snapshot_free(s);
    return err;
}

/* --- for the recorder --------------------------------------------------------------------------------- */

/* Those it asked for: nobody waits for them. Where they have to be children of the program, one that has ended
 * is noted at the next one, or when the recorder looks at its clock. */
static ms_snapshot *own[32];
static unsigned     owns;

static void reap(void)
{
    for (size_t i = 0; i < sizeof own / sizeof *own && owns; i++)
        if (own[i] && (own[i]->owner != getpid() || ms_snapshot_wait(own[i], false, NULL, NULL) != MS_EINVAL)) {
            own[i] = NULL;
            owns--;
        }
}

static ms_err taker(const char *path, const char *moment, bool values, ms_why *why, pid_t *child)
{
    ms_snapshot **free_place = NULL, *taken;
    reap();
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i] == NULL)
            free_place = &own[i];
    if (free_place == NULL) {
        ms_why_set(why, "32 snapshots are being written already");
        return MS_ELIMIT;
    }
    ms_snapshot_options options = {.moment = moment, .leave_why = true, .loose = true, .values = values,
                                   .passing = strcmp(moment, "exit") == 0 || strcmp(moment, "peak") == 0 || strcmp(moment, "every") == 0};
    MS_TRY(ms_snapshot_take(path, &options, why, &taken));
    *child = taken->pid;
    if (taken->options.loose) {
        snapshot_free(taken);
    } else {
        *free_place = taken;
        owns++;
    }
    return MS_OK;
}

__attribute__((constructor)) static void taker_register(void)
{
    ms_snapshot_taker = taker;
    ms_snapshot_reaper = reap;
}
