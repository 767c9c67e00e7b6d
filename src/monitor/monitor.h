/* monitor.h -- run a program, look on while it counts, and write down what it counted.
 *
 * The recorded program only bumps counters in shared pages (record/live.h). The monitor is the other
 * half: it lives in the process that started the program, ticks the program's clock, looks at it and
 * at /proc from time to time, and writes one recording file per process when the process has ended,
 * however it ended. It is made of
 *
 *   launch.c  starts the program, passes signals on, waits for its end; the folder of live files
 *   watch.c   finds live files, follows their processes from birth to end; the clock
 *   tally.c   reads a process's tables; adds tallies up by site
 *   curves.c  what is kept over time: timeline, curves by site, collections
 *   proc.c    what the kernel says: RSS, mappings, command line; what RSS is made of
 *   write.c   one process -> one recording file
 *   place.c   one file, or a folder of several, at the session path
 *
 * What there is at the session path, at any moment, opens with `memsure report`: nothing (before the
 * first second), the file of the only process written so far, or a folder with a file per process.
 * Each of these replaces the one before in a single rename. While a process runs, its file is
 * renewed after 1, 2, 4, ... 64 seconds and every 60 seconds from then on; so when the monitor is
 * killed, that is what is left. (The program then dies with it.)
 *
 * Nothing in a live file is trusted: the program may be out of its mind. Its head is mapped, its
 * tables are read with pread() and each index is compared with its table's size before use. */
#ifndef MS_MONITOR_H
#define MS_MONITOR_H

#include "base/base.h"

#include <sys/types.h>

typedef struct {
    char *const *argv;     /* what to run, found as execvp() finds it; ends with NULL */
    const char *session;   /* where the recording goes */
    const char *mode;      /* "line", "exact" or "alloc" */
    const char *preload;   /* memsure_preload.so; NULL: none is loaded */
    uint64_t    sample_bytes;
    const char *snapshot;  /* what processes take of themselves: "peak", "exit", "peak,exit"; NULL: nothing */
    uint64_t    every_ns;  /* a snapshot so often; 0: none */
    bool        children;  /* record the processes that it starts, too */
    bool        replace;   /* a file at the session path may be replaced */
} ms_run_ask;

typedef struct {
    bool   signaled;       /* the program died of signal `code`, else it ended with status `code` */
    int    code;
    int    exec_errno;     /* ms_run() failed because the program cannot be executed */
    ms_why problem;        /* what went wrong with recording; "": nothing */
    char  *recordings;     /* `count` paths, each ended by NUL */
    size_t size, count;
    char  *snapshots;      /* `nsnapshots` of them, that are no part of a recording */
    size_t snapshots_size, nsnapshots;
} ms_run_result;

/* Run to the program's end. An error means that the program was not started; why says it. The caller
 * frees out with ms_run_free() in any case. One run at a time in a process: it takes over signals. */
ms_err ms_run(const ms_run_ask *ask, ms_run_result *out, ms_why *why);
void   ms_run_free(ms_run_result *out);

/* Ask the recorded process pid for a snapshot into the file at path (absolute). wait_ns: for its next safe
 * moment. child_ns: how long the writing took. On failure why is the sentence, and try, if not "", a command. */
typedef struct {
    uint64_t pause_ns, child_ns, live_bytes;
    char     hint[256];
} ms_ask_result;
ms_err ms_ask_snapshot(pid_t pid, const char *path, bool values, uint64_t wait_ns, ms_ask_result *out, ms_why *why);

/* What recording costs for each birth or death on the hot path, in ns; measured at first use. */
double ms_hot_event_ns(void);

#endif
