/* map.h -- a hash table from a 64-bit key to a 32-bit value, in memory from the system.
 *
 * Open addressing, linear probing, doubled at three quarters full; key 0 means empty and may not be stored.
 * Removal shifts the run back, so there are no tombstones. Without memory to grow, put() fails and
 * the table stays as it was. One user at a time. */
#ifndef MS_MAP_H
#define MS_MAP_H

#include "base/base.h"

typedef struct {
    uint64_t key;
    uint32_t value, extra;
} ms_map_slot;

typedef struct {
    ms_map_slot *slot;
    uint32_t     size, used; /* size: a power of two, or 0 */
} ms_map;

static inline uint64_t ms_hash(uint64_t x)
{
    x *= 0x9E3779B97F4A7C15ull; /* Fibonacci hashing (Knuth, TAOCP 3, 6.4) */
    return x ^ x >> 32;
}

static inline ms_map_slot *ms_map_find(const ms_map *m, uint64_t key)
{
    if (m->size == 0)
        return NULL;
    for (uint32_t i = (uint32_t)ms_hash(key) & (m->size - 1);; i = (i + 1) & (m->size - 1)) {
        if (m->slot[i].key == key)
            return &m->slot[i];
        if (m->slot[i].key == 0)
            return NULL;
    }
}

/* The slot of key, made with value 0 if it is new. NULL: no memory. */
static inline ms_map_slot *ms_map_put(ms_map *m, uint64_t key)
{
    ms_map_slot *old = ms_map_find(m, key);
    if (old)
        return old;
    if (m->used >= m->size / 4 * 3) {
        uint32_t size = m->size ? m->size * 2 : 256;
        ms_map_slot *slot = ms_sys_alloc((size_t)size * sizeof *slot);
        if (slot == NULL && m->used + 1 >= m->size)
            return NULL; /* full; while there is room the table goes on, only slower */
        if (slot) {
            for (uint32_t k = 0; k < m->size; k++) {
                if (m->slot[k].key == 0)
                    continue;
                uint32_t i = (uint32_t)ms_hash(m->slot[k].key) & (size - 1);
                while (slot[i].key)
                    i = (i + 1) & (size - 1);
                slot[i] = m->slot[k];
            }
            ms_sys_free(m->slot, (size_t)m->size * sizeof *slot);
            m->slot = slot;
            m->size = size;
        }
    }
    uint32_t i = (uint32_t)ms_hash(key) & (m->size - 1);
    while (m->slot[i].key)
        i = (i + 1) & (m->size - 1);
    m->slot[i] = (ms_map_slot){.key = key};
    m->used++;
    return &m->slot[i];
}

static inline void ms_map_remove(ms_map *m, ms_map_slot *at)
{
    uint32_t hole = (uint32_t)(at - m->slot), mask = m->size - 1;
    for (uint32_t i = (hole + 1) & mask; m->slot[i].key; i = (i + 1) & mask) {
        uint32_t home = (uint32_t)ms_hash(m->slot[i].key) & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) { /* may move back to the hole */
            m->slot[hole] = m->slot[i];
            hole = i;
        }
    }
    m->slot[hole].key = 0;
    m->used--;
}

/* Empty it. */
static inline void ms_map_free(ms_map *m)
{
    ms_sys_free(m->slot, (size_t)m->size * sizeof *m->slot);
    *m = (ms_map){0};
}

#endif
