/* preload.c -- comes into every process of a recorded session, by LD_PRELOAD, and is quiet in most.
 *
 * Before main, in a process that is a CPython of the version memsure was built for, it loads the
 * recorder, which takes over Python's allocator while that is still in contract. Then, in any process, it
 * hides: the variables that brought it are removed from the environment, so the program sees its own. When
 * a process of the session starts a program, whatever environment it gives, they are put back on the way:
 * exec, posix_spawn and system pass through here. So does dlsym(), by which the interpreter finds a module in C (told.c). */
#include "record/live.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* The recorder's, once it is loaded. */
static size_t (*limited)(void);
static void (*executing)(bool);
static void (*leaving)(void);
static bool (*sealing)(bool);
static void (*forking)(int);
static void (*listening)(void *);

/* What to give back to children, as NAME=value; empty: nothing is hidden. */
enum { KEPT = 7 };
static char kept[KEPT][2048];
static int  nkept;
static char above[48];       /* MEMSURE_ABOVE=BYTES, once the limit is raised (at the end of this file); or empty */
static char self_path[1024]; /* this library's */

static bool ours(const char *entry)
{
    static const char *const names[] = {MS_ENV_DIR "=", MS_ENV_MODE "=", MS_ENV_SAMPLE "=", MS_ENV_SEED "=", MS_ENV_VERIFY "=",
                                        MS_ENV_SHOTS "=", MS_ENV_ABOVE "=", NULL};
    for (int i = 0; names[i]; i++)
        if (strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Remember our variables. */
static void keep(void)
{
    for (char **e = environ; *e; e++)
        if (ours(*e) && strncmp(*e, MS_ENV_ABOVE "=", sizeof MS_ENV_ABOVE) != 0 && nkept < KEPT && strlen(*e) < sizeof kept[0])
            strcpy(kept[nkept++], *e);
    if (nkept < KEPT)
        snprintf(kept[nkept++], sizeof kept[0], "LD_PRELOAD=%s", self_path); /* what else is in it is the program's own affair */
    for (int i = 0; i < nkept; i++) {
        size_t n = strlen(kept[i]);
        if (strncmp(kept[i], MS_ENV_SHOTS "=", sizeof MS_ENV_SHOTS) == 0 && strstr(kept[i], MS_SHOTS_CHILD) == NULL &&
            n + sizeof MS_SHOTS_CHILD <= sizeof kept[i])
            strcpy(kept[i] + n, MS_SHOTS_CHILD);
    }
}

/* Our path in a value of LD_PRELOAD, or NULL. */
static char *path_in(char *value)
{
    size_t n = strlen(self_path);
    for (char *at = value; (at = strstr(at, self_path)) != NULL; at += n)
        if ((at == value || at[-1] == ':') && (at[n] == 0 || at[n] == ':'))
            return at;
    return NULL;
}

/* Take our variables out of environ, and our own path out of LD_PRELOAD. It stands behind the user's, whose libraries may have to be
 * the first (a sanitizer's refuses to be anything else); and theirs, even an empty list, stays as it was. */
static void hide(void)
{
    char **to = environ;
    for (char **from = environ; *from; from++) {
        if (ours(*from))
            continue;
        char *value = *from + 11, *at = strncmp(*from, "LD_PRELOAD=", 11) == 0 ? path_in(value) : NULL;
        if (at) {
            char *rest = at + strlen(self_path);
            if (at == value && *rest == 0)
                continue;
            if (at == value)
                memmove(at, rest + 1, strlen(rest + 1) + 1);
            else
                memmove(at - 1, rest, strlen(rest) + 1);
        }
        *to++ = *from;
    }
    *to = NULL;
}

static void look_up(void);
static void limit_as_meant(const char *bytes);

/* Leave word of a CPython that is not recorded. */
static void say_unknown(const char *dir, const char *kind, unsigned long version)
{
    char path[1024], text[96];
    int n = dir && dir[0] ? snprintf(path, sizeof path, "%s/" MS_UNKNOWN, dir) : 0;
    int fd = n > 0 && (size_t)n < sizeof path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600) : -1;
    if (fd < 0)
        return;
    n = snprintf(text, sizeof text, "%sCPython %lu.%lu", kind, version >> 24, version >> 16 & 255);
    (void)!write(fd, text, (size_t)n);
    close(fd);
}

/* Functions that only such builds have. */
static bool is_free_threaded(void) { return dlsym(RTLD_DEFAULT, "_Py_MergeZeroLocalRefcount") != NULL; }
static bool is_debug(void) { return dlsym(RTLD_DEFAULT, "_Py_NegativeRefcount") != NULL; }

/* If this is a CPython that the recorder was built for: of others the structs are not known. */
static void record(void)
{
    const char *dir = getenv(MS_ENV_DIR), *mode = getenv(MS_ENV_MODE), *bytes = getenv(MS_ENV_SAMPLE), *seed = getenv(MS_ENV_SEED);
    const unsigned long *version = dlsym(RTLD_DEFAULT, "Py_Version");
    if (version == NULL || dlsym(RTLD_DEFAULT, "PyMem_SetAllocator") == NULL)
        return;
    bool threads = is_free_threaded(), debug = is_debug();
    if (*version >> 16 != MS_PYTHON_HEX >> 16 || threads || debug != MS_PYTHON_DEBUG) {
        say_unknown(dir, threads ? "a free-threaded " : debug ? "a debug build of " : "", *version);
        return;
    }
    char path[1024];
    const char *slash = strrchr(self_path, '/');
    int n = snprintf(path, sizeof path, "%.*s/memsure_record.so", slash ? (int)(slash - self_path) : 1, slash ? self_path : ".");
    if (n < 0 || (size_t)n >= sizeof path)
        return;
    void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ms_err (*start)(const char *, int, uint64_t, uint64_t, uint32_t) =
        lib ? (ms_err (*)(const char *, int, uint64_t, uint64_t, uint32_t))dlsym(lib, "ms_recorder_start") : NULL;
    if (start == NULL)
        return;
    limited = (size_t(*)(void))dlsym(lib, "ms_recorder_limited");
    executing = (void (*)(bool))dlsym(lib, "ms_recorder_exec");
    leaving = (void (*)(void))dlsym(lib, "ms_moment_leave");
    sealing = (bool (*)(bool))dlsym(lib, "ms_recorder_seal");
    forking = (void (*)(int))dlsym(lib, "ms_recorder_fork");
    listening = (void (*)(void *))dlsym(lib, "ms_told_listen");
    int m = strcmp(mode, "exact") == 0 ? MS_MODE_EXACT : strcmp(mode, "alloc") == 0 ? MS_MODE_ALLOC : MS_MODE_LINE;
    start(dir && dir[0] ? dir : NULL, m, bytes ? strtoull(bytes, NULL, 10) : 524288, seed ? strtoull(seed, NULL, 10) : 0, MS_STARTED_PRELOAD);
}

__attribute__((constructor)) static void preload(void)
{
    Dl_info self;
    if (getenv(MS_ENV_MODE) == NULL || dladdr((void *)preload, &self) == 0 || self.dli_fname == NULL || strlen(self.dli_fname) >= sizeof self_path)
        return;
    strcpy(self_path, self.dli_fname);
    look_up();
    keep();
    limit_as_meant(getenv(MS_ENV_ABOVE));
    record();
    hide();
}

/* --- starting other programs ---------------------------------------------------------------------- */

/* The functions behind ours, looked up before main: after a fork the loader's lock may be lost. */
#define REALS(X)                                                                                              \
    X(execve) X(execvpe) X(fexecve) X(execveat) X(posix_spawn) X(posix_spawnp) X(system) X(setrlimit) X(getrlimit) X(prlimit) \
    X(prctl)
#define DECLARE(name) static __typeof__(&name) real_##name;
#define LOOK_UP(name) real_##name = (__typeof__(&name))dlsym(RTLD_NEXT, #name);
REALS(DECLARE)
#define REAL(name) (real_##name ? real_##name : (__typeof__(&name))dlsym(RTLD_NEXT, #name))

/* Asked for by the code in assembler below. */
MS_HIDDEN __typeof__(&syscall) ms_real_syscall;

static void look_up(void)
{
    REALS(LOOK_UP)
    ms_real_syscall = (__typeof__(&syscall))dlsym(RTLD_NEXT, "syscall");
}

static size_t count(char *const list[])
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

/* envp with what is ours put back, into out[count(envp) + KEPT + 2]; joined: room for an LD_PRELOAD of the
 * caller's with ours behind it. No allocation: this may run in the child of a vfork. What the caller set itself wins. */
enum { JOINED = 4096 };
static char **with_kept(char *const envp[], char **out, char *joined)
{
    size_t n = 0;
    for (char *const *e = envp; e && *e; e++)
        out[n++] = *e;
    size_t given = n;
    for (int i = 0; i < nkept; i++) {
        size_t name = strcspn(kept[i], "=") + 1, k = 0;
        while (k < given && strncmp(out[k], kept[i], name) != 0)
            k++;
        if (k == given) {
            out[n++] = kept[i];
        } else if (strncmp(kept[i], "LD_PRELOAD=", 11) == 0 && path_in(out[k] + 11) == NULL) {
            size_t a = strlen(out[k]), b = strlen(self_path);
            if (a + 1 + b + 1 <= JOINED) {
                memcpy(joined, out[k], a);
                joined[a] = ':';
                memcpy(joined + a + 1, self_path, b + 1);
                out[k] = joined;
            }
        }
    }
    if (above[0])
        out[n++] = above;
    out[n] = NULL;
    return out;
}

#define WITH_KEPT(envp) with_kept(envp, __builtin_alloca((count(envp) + KEPT + 2) * sizeof(char *)), __builtin_alloca(JOINED))

/* call replaces this program, or fails. */
#define EXEC(call)              \
    if (executing)              \
        executing(true);        \
    int result = (call);        \
    int why = errno;            \
    if (executing)              \
        executing(false);       \
    errno = why;                \
    return result

MS_EXPORT int execve(const char *path, char *const argv[], char *const envp[]) { EXEC(REAL(execve)(path, argv, WITH_KEPT(envp))); }
MS_EXPORT int execv(const char *path, char *const argv[]) { EXEC(REAL(execve)(path, argv, WITH_KEPT(environ))); }
MS_EXPORT int execvpe(const char *file, char *const argv[], char *const envp[]) { EXEC(REAL(execvpe)(file, argv, WITH_KEPT(envp))); }
MS_EXPORT int execvp(const char *file, char *const argv[]) { EXEC(REAL(execvpe)(file, argv, WITH_KEPT(environ))); }
MS_EXPORT int fexecve(int fd, char *const argv[], char *const envp[]) { EXEC(REAL(fexecve)(fd, argv, WITH_KEPT(envp))); }
MS_EXPORT int execveat(int fd, const char *path, char *const argv[], char *const envp[], int flags)
{
    EXEC(REAL(execveat)(fd, path, argv, WITH_KEPT(envp), flags));
}
MS_EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
                          char *const argv[], char *const envp[])
{
    return REAL(posix_spawn)(pid, path, actions, attr, argv, WITH_KEPT(envp));
}
MS_EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr,
                           char *const argv[], char *const envp[])
{
    return REAL(posix_spawnp)(pid, file, actions, attr, argv, WITH_KEPT(envp));
}

#define COLLECT_ARGV(first)                                   \
    va_list list;                                             \
    size_t n = 1;                                             \
    va_start(list, first);                                    \
    while (va_arg(list, char *))                              \
        n++;                                                  \
    va_end(list);                                             \
    char **argv = __builtin_alloca((n + 1) * sizeof(char *)); \
    argv[0] = (char *)(first);                                \
    va_start(list, first);                                    \
    for (size_t i = 1; i <= n; i++)                           \
        argv[i] = va_arg(list, char *);

MS_EXPORT int execl(const char *path, const char *arg, ...)
{
    COLLECT_ARGV(arg)
    va_end(list);
    return execv(path, argv);
}
MS_EXPORT int execlp(const char *file, const char *arg, ...)
{
    COLLECT_ARGV(arg)
    va_end(list);
    return execvp(file, argv);
}
MS_EXPORT int execle(const char *path, const char *arg, ...)
{
    COLLECT_ARGV(arg)
    char *const *envp = va_arg(list, char *const *);
    va_end(list);
    return execve(path, argv, envp);
}

/* libc's own system() would start the shell with the environment that the program sees. */
MS_EXPORT int system(const char *command)
{
    if (nkept == 0 || command == NULL)
        return REAL(system)(command);
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
    sigset_t block, old, defaults;
    sigemptyset(&ignore.sa_mask);
    sigemptyset(&block);
    sigaddset(&block, SIGCHLD);
    sigaction(SIGINT, &ignore, &interrupt);
    sigaction(SIGQUIT, &ignore, &quit);
    sigprocmask(SIG_BLOCK, &block, &old);
    sigemptyset(&defaults);
    if (interrupt.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGINT);
    if (quit.sa_handler != SIG_IGN)
        sigaddset(&defaults, SIGQUIT);
    posix_spawnattr_t attr;
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &defaults);
    posix_spawnattr_setsigmask(&attr, &old);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    char *argv[] = {"sh", "-c", (char *)command, NULL};
    pid_t pid;
    int status = 127 << 8, err = posix_spawn(&pid, "/bin/sh", NULL, &attr, argv, environ);
    if (err == 0)
        while (waitpid(pid, &status, 0) < 0)
            if (errno != EINTR) {
                status = -1;
                break;
            }
    posix_spawnattr_destroy(&attr);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGQUIT, &quit, NULL);
    sigprocmask(SIG_SETMASK, &old, NULL);
    if (err == ENOMEM || err == EAGAIN) {
        errno = err;
        return -1;
    }
    return status;
}

/* --- the end at once -------------------------------------------------------------------------------- */

/* os._exit, by which multiprocessing's children end: the last moment for a snapshot. Also runs in a child of vfork. */
MS_EXPORT _Noreturn void _exit(int status)
{
    if (leaving)
        leaving();
    for (;;)
        syscall(SYS_exit_group, status);
}

/* --- system calls that a program takes from itself ----------------------------------------------------- */

/* By prctl, or by the call that has no function of its own (libseccomp does so); also where ctypes looked the function up in
 * libc itself. What is allowed from then on is not known here, so the recorder does nothing more that plain Python would not. */
#define SEALED(seals, call)                            \
    bool sealed = (seals) && sealing && sealing(true); \
    long result = (call);                              \
    if (sealed && result != 0) {                       \
        int why = errno;                               \
        sealing(false);                                \
        errno = why;                                   \
    }                                                  \
    return result

#define COLLECT_LONGS(a, n, first)  \
    long a[n];                      \
    va_list list;                   \
    va_start(list, first);          \
    for (int i = 0; i < n; i++)     \
        a[i] = va_arg(list, long);  \
    va_end(list);

MS_EXPORT int prctl(int option, ...)
{
    COLLECT_LONGS(a, 4, option)
    SEALED(option == PR_SET_SECCOMP, REAL(prctl)(option, a[0], a[1], a[2], a[3]));
}

#ifdef SYS_fork
#define RAW_FORK SYS_fork
#else
#define RAW_FORK SYS_clone /* there is no other */
#endif

/* syscall(), where it is one of these two, or makes a process with memory of its own, of which libc tells nobody; or where it comes before
 * the constructor. */
MS_HIDDEN long ms_syscall_seen(long number, long a, long b, long c, long d, long e, long f)
{
    if (ms_real_syscall == NULL)
        look_up();
    if (forking && (number == SYS_clone || number == RAW_FORK)) {
        forking(-1);
        long made = ms_real_syscall(number, a, b, c, d, e, f);
        int why = errno;
        forking(made == 0);
        errno = why;
        return made;
    }
    SEALED((number == SYS_seccomp && a <= SECCOMP_SET_MODE_FILTER) || (number == SYS_prctl && a == PR_SET_SECCOMP),
           ms_real_syscall(number, a, b, c, d, e, f));
}

/* Where a call of dlsym() goes on. */
typedef void *(*look_up_fn)(void *, const char *);
static look_up_fn real_dlsym;

static void *looked_up(void *library, const char *name)
{
    void *found = real_dlsym(library, name);
    if (found && found == (void *)real_prctl)
        return (void *)prctl;
    return found && found == (void *)ms_real_syscall ? (void *)syscall : found;
}

MS_HIDDEN look_up_fn ms_dlsym_of(void *library, const char *name)
{
    static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
    for (int i = 0; real_dlsym == NULL && i < 3; i++)
        real_dlsym = (look_up_fn)dlvsym(RTLD_NEXT, "dlsym", versions[i]);
    if (listening && library != RTLD_DEFAULT && library != RTLD_NEXT && (strncmp(name, "PyInit", 6) == 0 || strncmp(name, "PyModExport", 11) == 0))
        listening(library); /* the interpreter is about to make a module */
    return library != RTLD_NEXT && (strcmp(name, "prctl") == 0 || strcmp(name, "syscall") == 0) ? looked_up : real_dlsym;
}

/* These two have no frame of their own: syscall() may return twice (vfork) or on another stack (clone), and dlsym() looks at who
 * called it. */
#define TEXT_OF(x)  #x
#define NUMBER_OF(x) TEXT_OF(x)
#define FUNCTION(name, code)                                                                        \
    __asm__(".text\n.globl " name "\n.type " name ", %function\n.p2align 4\n" name ":\n.cfi_startproc\n" code ".cfi_endproc\n.size " name ", .-" name "\n")
#define NEW_MEMORY_UNLESS "0x100" /* CLONE_VM */
#if defined(__x86_64__)
FUNCTION("syscall", "endbr64\n"
                    "cmp $" NUMBER_OF(SYS_fork) ", %rdi\n je 1f\n"
                    "cmp $" NUMBER_OF(SYS_clone) ", %rdi\n jne 2f\n test $" NEW_MEMORY_UNLESS ", %esi\n jne 2f\n test %rdx, %rdx\n je 1f\n 2:"
                    "cmp $" NUMBER_OF(SYS_seccomp) ", %rdi\n je 1f\n"
                    "cmp $" NUMBER_OF(SYS_prctl) ", %rdi\n je 1f\n"
                    "mov ms_real_syscall(%rip), %rax\n test %rax, %rax\n je 1f\n jmp *%rax\n"
                    "1: jmp ms_syscall_seen\n");
FUNCTION("dlsym", "endbr64\n"
                  "push %rdi\n push %rsi\n sub $8, %rsp\n .cfi_adjust_cfa_offset 24\n"
                  "call ms_dlsym_of\n"
                  "add $8, %rsp\n pop %rsi\n pop %rdi\n .cfi_adjust_cfa_offset -24\n jmp *%rax\n");
#elif defined(__aarch64__)
FUNCTION("syscall", "hint #34\n"
                    "cmp x0, #" NUMBER_OF(SYS_clone) "\n b.ne 2f\n tst w1, #" NEW_MEMORY_UNLESS "\n b.ne 2f\n cbz x2, 1f\n 2:"
                    "cmp x0, #" NUMBER_OF(SYS_seccomp) "\n b.eq 1f\n"
                    "cmp x0, #" NUMBER_OF(SYS_prctl) "\n b.eq 1f\n"
                    "adrp x16, ms_real_syscall\n ldr x16, [x16, :lo12:ms_real_syscall]\n cbz x16, 1f\n br x16\n"
                    "1: b ms_syscall_seen\n");
FUNCTION("dlsym", "hint #34\n"
                  "stp x29, x30, [sp, #-32]!\n stp x0, x1, [sp, #16]\n .cfi_adjust_cfa_offset 32\n .cfi_offset 30, -24\n"
                  "bl ms_dlsym_of\n mov x16, x0\n"
                  "ldp x0, x1, [sp, #16]\n ldp x29, x30, [sp], #32\n .cfi_adjust_cfa_offset -32\n .cfi_restore 30\n br x16\n");
#endif

/* --- limits ---------------------------------------------------------------------------------------- */

/* RLIMIT_AS counts address space, and the recorder has reserved much. What is only reserved is given up
 * when the program sets a limit, and the rest is allowed on top, unseen. */
static size_t on_top;

/* More than any address: no limit. */
static bool is_limit(rlim_t limit) { return limit < (rlim_t)1 << 56; }

static bool wants_limit(__rlimit_resource_t resource, const struct rlimit *limit)
{
    return resource == RLIMIT_AS && limit && limited && (is_limit(limit->rlim_cur) || is_limit(limit->rlim_max));
}

static struct rlimit raised(const struct rlimit *limit)
{
    struct rlimit r = *limit;
    if (is_limit(limit->rlim_cur)) {
        on_top = limited();
        snprintf(above, sizeof above, MS_ENV_ABOVE "=%zu", on_top);
    }
    if (is_limit(r.rlim_cur))
        r.rlim_cur += on_top;
    if (is_limit(r.rlim_max))
        r.rlim_max += on_top;
    return r;
}

static void lowered(__rlimit_resource_t resource, struct rlimit *limit)
{
    if (resource != RLIMIT_AS || limit == NULL || on_top == 0)
        return;
    if (is_limit(limit->rlim_cur) && limit->rlim_cur > on_top)
        limit->rlim_cur -= on_top;
    if (is_limit(limit->rlim_max) && limit->rlim_max > on_top)
        limit->rlim_max -= on_top;
}

/* A program that was started by one whose limit was raised has nothing of ours yet. */
static void limit_as_meant(const char *bytes)
{
    struct rlimit r;
    if (bytes == NULL || REAL(getrlimit)(RLIMIT_AS, &r) != 0)
        return;
    on_top = strtoull(bytes, NULL, 10);
    lowered(RLIMIT_AS, &r);
    on_top = 0;
    REAL(setrlimit)(RLIMIT_AS, &r);
}

static int limit_set(__rlimit_resource_t resource, const struct rlimit *limit)
{
    struct rlimit r;
    if (wants_limit(resource, limit)) {
        r = raised(limit);
        limit = &r;
    }
    return REAL(setrlimit)(resource, limit);
}

static int limit_get(__rlimit_resource_t resource, struct rlimit *limit)
{
    int result = REAL(getrlimit)(resource, limit);
    lowered(resource, limit);
    return result;
}

static int limit_both(pid_t pid, __rlimit_resource_t resource, const struct rlimit *set, struct rlimit *old)
{
    bool own = pid == 0 || pid == getpid();
    struct rlimit r;
    if (own && wants_limit(resource, set)) {
        r = raised(set);
        set = &r;
    }
    int result = REAL(prlimit)(pid, resource, set, old);
    if (own)
        lowered(resource, old);
    return result;
}

/* On 64-bit Linux the names with and without 64 are one function. */
MS_EXPORT int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit) { return limit_set(resource, limit); }
MS_EXPORT int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit) { return limit_set(resource, (const struct rlimit *)limit); }
MS_EXPORT int getrlimit(__rlimit_resource_t resource, struct rlimit *limit) { return limit_get(resource, limit); }
MS_EXPORT int getrlimit64(__rlimit_resource_t resource, struct rlimit64 *limit) { return limit_get(resource, (struct rlimit *)limit); }
MS_EXPORT int prlimit(pid_t pid, __rlimit_resource_t resource, const struct rlimit *set, struct rlimit *old) { return limit_both(pid, resource, set, old); }
MS_EXPORT int prlimit64(pid_t pid, __rlimit_resource_t resource, const struct rlimit64 *set, struct rlimit64 *old)
{
    return limit_both(pid, resource, (const struct rlimit *)set, (struct rlimit *)old);
}
