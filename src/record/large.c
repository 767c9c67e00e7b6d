/* large.c -- the table of large.h; removal shifts the run back, so lookups meet no tombstones. */
#include "record/large.h"

/* Blocks lie at even distances, which one multiplication makes into other even distances, and these into
 * long runs; so two, with a shift between them (the end of splitmix64: Steele, Lea, Flood 2014). */
static inline uint32_t home(const ms_large *t, uintptr_t block)
{
    uint64_t z = (uint64_t)(block >> 4) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return (uint32_t)(z >> 32) & (t->size - 1);
}

ms_large_slot *ms_large_find(const ms_large *t, const void *block)
{
    if (t->size == 0)
        return NULL;
    for (uint32_t i = home(t, (uintptr_t)block);; i = (i + 1) & (t->size - 1)) {
        if (t->slot[i].block == (uintptr_t)block)
            return &t->slot[i];
        if (t->slot[i].block == 0)
            return NULL;
    }
}

static bool resize(ms_large *t, uint32_t size)
{
    ms_large next = {.size = size, .used = t->used, .bytes = t->bytes};
    next.slot = ms_sys_alloc(next.size * sizeof *next.slot);
    if (next.slot == NULL)
        return false;
    for (uint32_t k = 0; k < t->size; k++) {
        if (t->slot[k].block == 0)
            continue;
        uint32_t i = home(&next, t->slot[k].block);
        while (next.slot[i].block)
            i = (i + 1) & (next.size - 1);
        next.slot[i] = t->slot[k];
    }
    ms_sys_free(t->slot, t->size * sizeof *t->slot);
    *t = next;
    return true;
}

/* Without memory to grow, it fills to seven eighths: beyond that, what is not there takes too long to miss. */
ms_large_slot *ms_large_put(ms_large *t, const void *block, uint64_t size, uint64_t tag)
{
    if (t->used >= t->size / 2 && !resize(t, t->size ? t->size * 2 : 1024) && t->used >= t->size / 8 * 7)
        return NULL;
    uint32_t i = home(t, (uintptr_t)block);
    while (t->slot[i].block)
        i = (i + 1) & (t->size - 1);
    t->slot[i] = (ms_large_slot){.block = (uintptr_t)block, .size = size, .tag = tag};
    t->used++;
    t->bytes += size;
    return &t->slot[i];
}

void ms_large_remove(ms_large *t, ms_large_slot *s)
{
    uint32_t hole = (uint32_t)(s - t->slot), mask = t->size - 1;
    t->bytes -= s->size;
    for (uint32_t i = (hole + 1) & mask; t->slot[i].block; i = (i + 1) & mask) {
        if (((i - home(t, t->slot[i].block)) & mask) >= ((i - hole) & mask)) {
            t->slot[hole] = t->slot[i];
            hole = i;
        }
    }
    t->slot[hole].block = 0;
    if (--t->used < t->size / 16 && t->size > 1024)
        resize(t, t->size / 4); /* without memory for it the table stays as it is */
}

const char *ms_large_check(const ms_large *t)
{
    uint32_t used = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < t->size; i++) {
        if (t->slot[i].block == 0)
            continue;
        used++;
        bytes += t->slot[i].size;
        const ms_large_slot *s = ms_large_find(t, (void *)t->slot[i].block);
        if (s != &t->slot[i])
            return "a large block is not where its hash says";
    }
    return used == t->used && bytes == t->bytes ? NULL : "the large blocks do not add up";
}
