/* beside.c -- a second thread of the child, for work that nothing else waits for.
 *
 * It is a bare clone: it shares all of the child's memory, its thread-local storage too (so nothing may depend on errno
 * while it runs), has a stack of its own, and gets no signal but its own crashes (take.c). At most one at a time.
 * Where the system gives no thread, ms_beside_begin() does needed work at once, and leaves out other;
 * and in the program's own process it is not to have threads that it does not know. */
#include "snapshot/child.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STACK_SIZE (256u << 10)

static int entry(void *arg)
{
    ms_beside *b = arg;
    uint64_t faults = 1ull << (SIGSEGV - 1) | 1ull << (SIGBUS - 1) | 1ull << (SIGFPE - 1) | 1ull << (SIGILL - 1);
    syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, &faults, NULL, sizeof faults);
    b->run(b->c);
    syscall(SYS_exit, 0); /* this thread alone; the kernel clears b->running */
    return 0;
}

void ms_beside_begin(ms_beside *b, ms_child *c, void (*run)(ms_child *), bool needed)
{
    b->c = c;
    b->run = run;
    b->running = b->enough = 0;
    b->stack = c->options->in_place ? NULL : ms_sys_alloc(STACK_SIZE);
    if (b->stack) {
        uint64_t all = ~(uint64_t)0, before;
        b->running = 1;
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, sizeof all);
        int thread = clone(entry, b->stack + STACK_SIZE,
                           CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID, b, NULL,
                           NULL, &b->running);
        syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, sizeof all);
        if (thread >= 0)
            return;
        b->running = 0;
        ms_sys_free(b->stack, STACK_SIZE);
        b->stack = NULL;
    }
    if (needed)
        run(c);
}

void ms_beside_end(ms_beside *b)
{
    int running;
    b->enough = 1;
    while ((running = atomic_load_explicit(&b->running, memory_order_acquire)) != 0)
        syscall(SYS_futex, &b->running, FUTEX_WAIT, running, NULL, NULL, 0);
    ms_sys_free(b->stack, b->stack ? STACK_SIZE : 0);
    b->stack = NULL;
}
