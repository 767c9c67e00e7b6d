/* large.h -- blocks too big for a slab: malloc's, and a table that remembers whose they are.
 *
 * Open addressing keyed by address, in memory from the system; a large block costs more to touch
 * than to look up. It also answers for a block that is in no slab: ours, or from before us. Blocks that a
 * library took from malloc itself, and told of, stand there, too (told.c).
 * One user at a time (the recorder's lock). */
#ifndef MS_LARGE_H
#define MS_LARGE_H

#include "base/base.h"

typedef struct {
    uintptr_t block; /* 0: empty */
    uint64_t  size : 63, told : 1; /* bytes asked for; told: another took it, and frees it */
    uint64_t  tag;   /* as a slab block's */
} ms_large_slot;

typedef struct {
    ms_large_slot *slot;
    uint32_t size, used;
    uint64_t bytes;
} ms_large;

/* The slot of block, or NULL. Valid until the next put or remove. */
ms_large_slot *ms_large_find(const ms_large *t, const void *block);
/* Remember block. NULL: no memory; the block is then unknown. */
ms_large_slot *ms_large_put(ms_large *t, const void *block, uint64_t size, uint64_t tag);
void ms_large_remove(ms_large *t, ms_large_slot *s);
const char *ms_large_check(const ms_large *t);

#endif
