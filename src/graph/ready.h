/* ready.h -- the first answers about a snapshot, into its own file while that is written. */
#ifndef MS_GRAPH_READY_H
#define MS_GRAPH_READY_H

#include "store/store.h"

/* All other tables of the snapshot with this prefix stand, and no column is open. Adds tables ready_*: whoever asks for the sums of all
 * types and sites, who holds most, the modules and their variables, or the telling ways (answer.h) then reads them instead of the heap.
 * What fails leaves some of them out. help (NULL is fine): a second thread for half of it. */
typedef struct {
    void (*begin)(void *arg, void (*run)(void *what), void *what); /* run(what), there or here */
    void (*end)(void *arg);                                        /* it has come back */
    void *arg;
} ms_ready_help;
ms_err ms_ready_write(ms_writer *w, const char *prefix, const ms_ready_help *help, ms_why *why);

#endif
