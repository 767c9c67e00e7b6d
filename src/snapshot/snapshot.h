/* snapshot.h -- all objects of this process, written to a file by a forked child.
 *
 * The program is paused for the fork only. The child sees the program's memory as it was, reads every
 * object in the order of addresses, and writes nodes, edges, sizes and births (docs/FORMAT.md, part 3).
 *
 * Laws of the child (child.h): it writes no refcount and no GC header, takes no lock, calls no malloc,
 * runs no Python code, and ends by _exit. The program gets no SIGCHLD for it, and no plain wait sees
 * it: it is cloned with exit signal 0, and waited for with __WCLONE; or it is nobody's child (loose).
 *
 * Threads: the caller of ms_snapshot_take() holds the GIL, between two bytecodes or where C code may be
 * called back; ms_snapshot_wait() wants no GIL. */
#ifndef MS_SNAPSHOT_H
#define MS_SNAPSHOT_H

#include "base/base.h"

#include <sys/types.h>

typedef struct {
    const char *moment;        /* call, exit, peak, signal, every: told in the file */
    const char *prefix;        /* put before each table's name, "" or e.g. "exit_" */
    bool        leave_why;     /* when it comes to nothing, leave the reason in a file, path and ".why": nobody waits */
    bool        loose;         /* the child is none of the program's: no zombie is left. Not where orphans come to the program */
    bool        passing;       /* the file is soon copied into another and removed: it is not forced to the disk */
    bool        in_place;      /* no child: the caller reads its own memory, and the program stands still until the file stands */
    bool        values;        /* store the texts of str, bytes, int and float data */
    uint64_t    memory_limit;  /* bytes that the child may take; 0: what the machine and its cgroup leave */
    uint32_t    seconds;       /* the child gives up after so long; 0: 600 */
} ms_snapshot_options;

typedef struct ms_snapshot ms_snapshot; /* one that is under way */

/* Fork the child that writes path. On MS_OK *out is to be ended with ms_snapshot_wait(). */
MS_EXPORT ms_err ms_snapshot_take(const char *path, const ms_snapshot_options *options, ms_why *why, ms_snapshot **out);

typedef struct {
    uint64_t pause_ns;         /* how long the program stood still */
    uint64_t child_ns;         /* until the file stood */
    uint64_t graph_ns, let_go_ns, write_ns, analysis_ns; /* on the way: graph built, pages let go, nodes written, analysed */
    uint64_t graph_cpu_ns, let_go_cpu_ns, analysis_cpu_ns, child_cpu_ns; /* the same as CPU time of the child */
    uint64_t child_bytes;      /* memory that the child took for itself, at its highest */
    uint64_t nodes, edges;
} ms_snapshot_figures;

/* Wait until the child has ended and end s. block false: MS_EINVAL, and s goes on, when it still runs. */
MS_EXPORT ms_err ms_snapshot_wait(ms_snapshot *s, bool block, ms_why *why, ms_snapshot_figures *figures);

#endif
