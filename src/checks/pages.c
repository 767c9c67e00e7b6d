/* pages.c -- what would the system get back if these blocks went?
 *
 * Bytes of blocks are one thing, pages another: a page goes back when nothing on it lives. A snapshot has the map of the heap: each
 * slab's stride, which of its pages may be resident, how many live slots lie on each; and whose blocks lie where. Blocks are taken off
 * a copy of the counts; then the allocator's own rule (record/slab.h) decides: all of a slab without live slots goes, but for the MiB
 * that is kept for reuse; of a slab that is half free, the pages without live slots. What takes the blocks' place is counted as whole
 * pages of its own. Above the heap's largest block malloc has them: what it mapped goes back, what lies in its heap counts for nothing.
 *
 * Costs: opening reads the addresses of all objects; a block a few loads; an answer one pass over the slabs. */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

#define PAGE 4096u
#define FIRST 16u              /* a slab's first block; its tag of 8 bytes lies before it */
#define KEPT (1024.0 * 1024)   /* of empty slabs */
#define MAPPED (128.0 * 1024)  /* malloc maps from there on, until it has learnt otherwise */
#define SMALL_MOST 8168.0

struct ms_pages {
    uint32_t        n, per; /* slabs; pages of each */
    uint64_t        base, slab;
    const uint32_t *stride, *present, *live, *dirty;
    const uint16_t *page_live;
    uint64_t        nowned, nlarge, at; /* at: where the last node's blocks were found */
    const uint32_t *owned_node, *owned_place, *large_node, *large_mapped;
    const uint64_t *large_bytes;
    uint16_t       *gone; /* of each page */
    uint32_t       *gone_slots;
    double          large, made;
};

/* The room of a block of this size, as the heap gives it (DESIGN.md: size classes). */
double ms_room_of(double bytes)
{
    static const double tail[] = {640, 768, 896, 1024, 1280, 1536, 1792, 2032, 2560, 3072, 3584, 4080, 5120, 6144, 7168, 8176};
    if (bytes <= 504)
        return ceil((bytes + 8) / 16) * 16 - 8;
    for (size_t i = 0; i < sizeof tail / sizeof *tail; i++)
        if (bytes + 8 <= tail[i])
            return tail[i] - 8;
    return bytes;
}

static const void *read_column(ms_snap *s, const char *table, const char *name, ms_type type, uint64_t *rows)
{
    ms_column c;
    if (ms_snap_column(s, table, name, type, NULL, &c) != MS_OK || c.rows == 0 || (*rows && c.rows != *rows))
        return NULL;
    *rows = c.rows;
    return c.values;
}

static ms_err pages_open(ms_view *v)
{
    ms_snap *s = v->snap;
    uint64_t n = 0, pages = 0, owned = 0, large = 0;
    ms_pages *g = ms_sys_alloc(sizeof *g);
    if (g == NULL)
        return MS_ENOMEM;
    v->pages = g;
    const uint64_t *address = read_column(s, "slabs", "address", MS_TYPE_U64, &n);
    g->stride = read_column(s, "slabs", "stride", MS_TYPE_U32, &n);
    g->present = read_column(s, "slabs", "present", MS_TYPE_U32, &n);
    g->live = read_column(s, "slabs", "live", MS_TYPE_U32, &n);
    g->dirty = read_column(s, "slabs", "dirty", MS_TYPE_U32, &n);
    g->page_live = read_column(s, "slab_pages", "live", MS_TYPE_U16, &pages);
    if (!address || !g->stride || !g->present || !g->live || !g->dirty || !g->page_live || n > UINT32_MAX / 64 || pages % n || pages / n > 32 ||
        ms_snap_need(s, MS_SNAP_ADDRESSES, NULL) != MS_OK)
        return MS_OK; /* no map */
    g->per = (uint32_t)(pages / n);
    g->slab = (uint64_t)g->per * PAGE;
    g->base = address[0];
    for (uint64_t i = 0; i < n; i++)
        if (address[i] != g->base + i * g->slab || (g->stride[i] && (g->stride[i] < 16 || g->stride[i] > g->slab)))
            return MS_OK;
    g->owned_node = read_column(s, "owned", "node", MS_TYPE_U32, &owned);
    g->owned_place = read_column(s, "owned", "place", MS_TYPE_U32, &owned);
    g->large_node = read_column(s, "owned_large", "node", MS_TYPE_U32, &large);
    g->large_mapped = read_column(s, "owned_large", "mapped", MS_TYPE_U32, &large);
    g->large_bytes = read_column(s, "owned_large", "bytes", MS_TYPE_U64, &large);
    g->nowned = g->owned_node && g->owned_place ? owned : 0;
    g->nlarge = g->large_node && g->large_mapped && g->large_bytes ? large : 0;
    g->gone = ms_sys_alloc(pages * sizeof *g->gone);
    g->gone_slots = ms_sys_alloc(n * sizeof *g->gone_slots);
    g->n = (uint32_t)n;
    return g->gone && g->gone_slots ? MS_OK : MS_ENOMEM;
}

void ms_pages_close(ms_view *v)
{
    ms_pages *g = v->pages;
    if (g == NULL)
        return;
    if (g->gone)
        ms_sys_free(g->gone, (size_t)g->n * g->per * sizeof *g->gone);
    if (g->gone_slots)
        ms_sys_free(g->gone_slots, g->n * sizeof *g->gone_slots);
    ms_sys_free(g, sizeof *g);
    v->pages = NULL;
}

ms_err ms_pages_begin(ms_view *v)
{
    if (v->pages == NULL)
        MS_TRY(pages_open(v));
    ms_pages *g = v->pages;
    if (g->n) {
        memset(g->gone, 0, (size_t)g->n * g->per * sizeof *g->gone);
        memset(g->gone_slots, 0, g->n * sizeof *g->gone_slots);
    }
    g->large = g->made = 0;
    g->at = 0;
    return MS_OK;
}

static void drop_at(ms_pages *g, uint64_t offset)
{
    uint64_t k = offset / g->slab, within = offset % g->slab;
    if (k >= g->n || g->stride[k] == 0 || within < FIRST || g->gone_slots[k] >= g->live[k])
        return;
    uint64_t from = FIRST - 8 + (within - FIRST) / g->stride[k] * g->stride[k], last = (from + g->stride[k] - 1) / PAGE;
    g->gone_slots[k]++;
    for (uint64_t p = from / PAGE; p <= last && p < g->per; p++)
        if (g->gone[k * g->per + p] < g->page_live[k * g->per + p])
            g->gone[k * g->per + p]++;
}

static double whole_pages(double bytes)
{
    return ceil(bytes / PAGE) * PAGE;
}

void ms_pages_drop_owned(ms_view *v, uint32_t node)
{
    ms_pages *g = v->pages;
    if (g->n == 0)
        return;
    uint64_t i = g->at;
    if (i >= g->nowned || g->owned_node[i] > node || (i + 64 < g->nowned && g->owned_node[i + 64] < node)) { /* not a little further on */
        uint64_t low = 0, high = g->nowned;
        while (low < high) {
            uint64_t middle = low + (high - low) / 2;
            if (g->owned_node[middle] < node)
                low = middle + 1;
            else
                high = middle;
        }
        i = low;
    }
    while (i < g->nowned && g->owned_node[i] < node)
        i++;
    for (; i < g->nowned && g->owned_node[i] == node; i++)
        drop_at(g, (uint64_t)g->owned_place[i] * 16);
    g->at = i;
    for (uint64_t k = 0; k < g->nlarge && g->nlarge < 100000; k++) /* few, and in no order */
        if (g->large_node[k] == node && g->large_mapped[k])
            g->large += whole_pages((double)g->large_bytes[k] + 16);
}

void ms_pages_drop(ms_view *v, uint32_t node)
{
    ms_pages *g = v->pages;
    uint64_t address = g->n ? ms_snap_address(v->snap, node) : 0;
    if (address == 0)
        return;
    if (address - g->base < g->n * g->slab)
        drop_at(g, address - g->base);
    else if ((double)ms_snap_bytes(v->snap, node) >= MAPPED && ((address % PAGE) == 16 || (address % PAGE) == 32))
        g->large += whole_pages((double)ms_snap_bytes(v->snap, node) + 16);
    ms_pages_drop_owned(v, node);
}

void ms_pages_make(ms_view *v, double number, double bytes)
{
    double room = ms_room_of(bytes);
    v->pages->made += bytes > SMALL_MOST ? number * whole_pages(bytes + 16) : number * (room + 8);
}

/* What goes back of slab k with these counts. */
static double returned(const ms_pages *g, uint32_t k, bool then, double *emptied)
{
    uint32_t live = g->live[k] - (then ? g->gone_slots[k] : 0), pages = 0;
    if (live > 0 && (uint64_t)(g->present[k] - (live < g->present[k] ? live : g->present[k])) * 2 < g->present[k])
        return 0;
    for (uint32_t p = 0; p < g->per; p++) {
        uint64_t at = (uint64_t)k * g->per + p;
        pages += g->dirty[k] >> p & 1 && g->page_live[at] == (then ? g->gone[at] : 0);
    }
    if (live == 0)
        *emptied += (double)pages * PAGE;
    return (double)pages * PAGE;
}

double ms_pages_back(ms_view *v)
{
    const ms_pages *g = v->pages;
    double back = 0, empty = 0, emptied = 0, old = 0;
    if (g->n == 0)
        return -1;
    for (uint32_t k = 0; k < g->n; k++) {
        if (g->stride[k] == 0)
            empty += (double)__builtin_popcount(g->dirty[k]) * PAGE;
        else if (g->gone_slots[k])
            back += returned(g, k, true, &emptied) - returned(g, k, false, &old);
    }
    back -= fmin(emptied, fmax(0, KEPT - empty));
    return fmax(0, back + g->large - whole_pages(g->made));
}

double ms_pages_pinned(ms_view *v)
{
    double holes = 0, ignored = 0;
    if (ms_pages_begin(v) != MS_OK || v->pages->n == 0)
        return -1;
    const ms_pages *g = v->pages;
    for (uint32_t k = 0; k < g->n; k++)
        if (g->stride[k] && g->live[k])
            holes += fmax(0, (double)__builtin_popcount(g->dirty[k]) * PAGE - returned(g, k, false, &ignored) - (double)g->live[k] * g->stride[k]);
    return holes;
}
