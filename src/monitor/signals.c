/* signals.c -- the program gets the signals that were meant for it, each once.
 *
 * It is in our process group, so a signal comes in one of two ways: to the group (a terminal's Control-C,
 * kill to -PGID), and the program has it already; or to us alone, whose number whoever started us takes for
 * the program's, and it has to be passed on. Nothing in a signal says which. So there is a witness: a
 * process of ours in the same group, whose number nobody knows. It blocks all signals and sleeps; asked, it
 * says which have come to it. What came to us and not to the witness was meant for us alone.
 *
 * Both look at a stretch of time and at whether a signal came in it, not how often: ours are open during
 * wait() only, and what came since is taken before the witness is asked. What the witness alone has seen came
 * between the two looks, and is ours in the next one (ahead).
 *
 * What the program itself sends us (its parent) is not passed back. SIGURG, which nobody minds, asks for a
 * snapshot of each process. Without a witness (no process may be made) SIGINT and SIGQUIT are taken for the
 * terminal's, and the others for ours. */
#include "monitor/watch.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const int ours[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGURG};
enum { COUNT = sizeof ours / sizeof *ours, TERMINAL = 2, PHOTO = COUNT - 1 };
_Static_assert(COUNT + 1 == MS_SIGNALS, "ours and SIGCHLD");
#define ALONE_NS  1000000         /* after a signal, until the kernel has surely given it to the whole group */
#define ANSWER_NS 2000000000ull   /* the witness is asked to say something by then */

/* In memory that monitor, witness and, until its exec, the program share. */
typedef struct {
    atomic_int  program;
    atomic_uint asked, answered; /* futexes */
    unsigned    seen;            /* of ours, as bits, since it was asked last */
} board;

static board                 nobody, *shared = &nobody;
static volatile sig_atomic_t came[COUNT], stopped;
static sigset_t              while_waiting;

static int signal_at(int i) { return i < COUNT ? ours[i] : SIGCHLD; }
static bool of_program(const siginfo_t *info) { return info->si_code <= 0 && info->si_pid == atomic_load(&shared->program); }

static int place_of(int signal)
{
    int i = 0;
    while (i < COUNT && ours[i] != signal)
        i++;
    return i;
}

static void note(int signal, siginfo_t *info, void *context)
{
    int i = place_of(signal);
    if (i < COUNT && !of_program(info))
        came[i] = shared != &nobody || (i >= TERMINAL && info->si_code <= 0);
    if (signal == SIGINT)
        stopped = 1;
}

/* What is pending of ours, taken off, as bits. */
static unsigned pending(void)
{
    sigset_t set;
    siginfo_t info;
    unsigned bits = 0;
    sigemptyset(&set);
    for (int i = 0; i < COUNT; i++)
        sigaddset(&set, ours[i]);
    for (;;) {
        int signal = sigtimedwait(&set, &info, &(struct timespec){0});
        if (signal < 0 && errno == EINTR)
            continue;
        if (signal < 0)
            return bits;
        if (!of_program(&info))
            bits |= 1u << place_of(signal);
    }
}

static void futex_wait(atomic_uint *word, unsigned value, const struct timespec *most)
{
    syscall(SYS_futex, word, FUTEX_WAIT, value, most, NULL, 0);
}
static void futex_wake(atomic_uint *word) { syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0); }

/* All signals are blocked here. */
static _Noreturn void witness(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    syscall(SYS_close_range, 0u, ~0u, 0u); /* refused: they stay open as long as ours */
    for (unsigned turn = 0; getppid() == parent; turn++) {
        while (atomic_load(&shared->asked) == turn)
            futex_wait(&shared->asked, turn, NULL);
        shared->seen = pending();
        atomic_store(&shared->answered, turn + 1);
        futex_wake(&shared->answered);
    }
    _exit(0);
}

/* What came to the witness since it was asked last. False: it says nothing. */
static bool witness_ask(unsigned *seen)
{
    unsigned turn = atomic_load(&shared->asked) + 1;
    uint64_t until = ms_clock_ns() + ANSWER_NS;
    if (shared == &nobody)
        return false;
    atomic_store(&shared->asked, turn);
    futex_wake(&shared->asked);
    for (unsigned now; (now = atomic_load(&shared->answered)) != turn;) {
        if (ms_clock_ns() > until)
            return false;
        futex_wait(&shared->answered, now, &(struct timespec){0, MS_SECOND_NS / 10});
    }
    *seen = shared->seen;
    return true;
}

void ms_signals_take(ms_signals *g)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &g->mask);
    while_waiting = g->mask;
    g->ahead = 0;
    for (int i = 0; i < MS_SIGNALS; i++) {
        struct sigaction action = {0};
        sigaction(signal_at(i), NULL, &g->before[i]);
        if (i < COUNT) {
            came[i] = 0;
            action.sa_sigaction = note;
            action.sa_flags = SA_SIGINFO;
            sigdelset(&while_waiting, ours[i]);
        } else {
            action.sa_handler = SIG_DFL; /* ignored, children would vanish unseen */
        }
        sigaction(signal_at(i), &action, NULL);
    }
    pid_t parent = getpid();
    board *b = mmap(NULL, sizeof *b, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g->witness = 0;
    if (b == MAP_FAILED)
        return;
    shared = b;
    g->witness = fork();
    if (g->witness == 0)
        witness(parent);
    if (g->witness < 0) {
        munmap(b, sizeof *b);
        shared = &nobody;
    }
}

void ms_signals_restore(ms_signals *g)
{
    ms_signals_forget(); /* what came too late for the program */
    for (int i = 0; i < MS_SIGNALS; i++)
        sigaction(signal_at(i), &g->before[i], NULL);
    if (g->witness > 0) {
        kill(g->witness, SIGKILL);
        while (waitpid(g->witness, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (shared != &nobody)
        munmap(shared, sizeof *shared);
    shared = &nobody;
    atomic_store(&nobody.program, 0);
    pthread_sigmask(SIG_SETMASK, &g->mask, NULL);
}

void ms_signals_program(const ms_signals *g)
{
    atomic_store(&shared->program, getpid());
    for (int i = 0; i < MS_SIGNALS; i++)
        sigaction(signal_at(i), &g->before[i], NULL);
    /* Python ignores these for itself; a program expects them as they are by default. */
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigaction(SIGPIPE, &plain, NULL);
    sigaction(SIGXFSZ, &plain, NULL);
    pthread_sigmask(SIG_SETMASK, &g->mask, NULL);
}

void ms_signals_started(pid_t program) { atomic_store(&shared->program, program); }

void ms_signals_wait(struct pollfd *fd, unsigned n, uint64_t left_ns)
{
    struct timespec left = {(time_t)(left_ns / MS_SECOND_NS), (long)(left_ns % MS_SECOND_NS)};
    ppoll(fd, n, &left, &while_waiting);
}

void ms_signals_pass(ms_session *s, ms_signals *g)
{
    unsigned bits = 0, seen = 0;
    for (int i = 0; i < COUNT; i++) {
        bits |= came[i] ? 1u << i : 0;
        came[i] = 0;
    }
    if (bits == 0)
        return;
    if (shared != &nobody) {
        nanosleep(&(struct timespec){0, ALONE_NS}, NULL);
        bits |= pending();
        if (witness_ask(&seen)) {
            seen |= g->ahead;
            g->ahead = seen & ~bits;
        } else {
            seen = (1u << TERMINAL) - 1;
        }
    }
    bits &= ~seen;
    for (int i = 0; i < PHOTO; i++)
        if (bits >> i & 1)
            kill(s->main_pid, ours[i]);
    s->signals_asked += bits >> PHOTO & 1;
}

void ms_signals_forget(void)
{
    pending();
    stopped = 0;
}

bool ms_signals_stopped(void) { return stopped; }
