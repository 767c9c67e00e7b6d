/* moment.h -- when a snapshot is taken: what the recorder offers to the stage that takes it. */
#ifndef MS_MOMENT_H
#define MS_MOMENT_H

#include "base/base.h"

#include <sys/types.h>

/* Photographs all objects into the file at path, which a process of its own (*child) goes on to write
 * when this has returned. Called with the main interpreter's GIL, at a safe moment: "exit", "peak",
 * "every", "signal" or "call"; values: with the texts of data. Allocates nothing of Python's. On failure why says it, nothing is changed
 * and nobody writes. A taker registers itself when it is loaded; NULL: there is none. */
typedef ms_err ms_snapshot_fn(const char *path, const char *moment, bool values, ms_why *why, pid_t *child);
extern ms_snapshot_fn *ms_snapshot_taker;
extern void (*ms_snapshot_reaper)(void); /* now and then, with the GIL: the taker's processes that have ended */

void ms_moment_init(const char *dir); /* the recorder starts; dir: folder of live files, or NULL */
void ms_moment_look(uint64_t now);    /* off the hot path, with the GIL: is a snapshot wanted? Asks for a safe moment */
void ms_moment_safe(void);            /* a safe moment: take what is wanted */
void ms_moment_exit(void);            /* the last safe moment before the interpreter takes itself down */
void ms_moment_forked(void);
MS_EXPORT void ms_moment_leave(void); /* the process ends at once: os._exit */

#endif
