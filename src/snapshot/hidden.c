/* hidden.c -- references that no reader tells, found by looking at memory.
 *
 * A tp_traverse shows what may be part of a cycle, and often not more. What is missing shows in the ledger:
 * an object has references left over that were not found. Those are looked for, in this order, and each
 * word that points at such an object takes one off:
 *
 *   1 the structs of objects of C types, and of modules, types and code      -> an edge of that object
 *   2 the evaluation stacks of frames, as far as they are in use            -> the frame's node
 *     names in the cache of looked up attributes                            -> node "interpreter"
 *   3 blocks that such a struct points at, e.g. a module's state, and those   -> an edge of that object;
 *     that these point at                                                     a block of ours, or of a pool, counts to its size
 *   4 the interpreter's state                                               -> node "interpreter"
 *   5 static data of libraries but the loader, and malloc's blocks that it points at -> a node for each library
 *   6 raw blocks that nobody owns                                           -> node "raw memory"
 *
 * 1 and 2 are sure. From 3 on they are places: memory where a word may be what is left of something long gone, and
 * look like a reference. So an object that has references left over after 2 is noted with their number and
 * with all words in places that point at it (table `places`): when many references come to it and hardly a word does, they
 * are lost, all of them (ms_lost_references). What is still left over after all is `unexplained`.
 *
 * And: every live block of our slabs is an object, or owned by one, or raw. Blocks that nobody refers to, but that
 * begin like an object of a known type (the type at its place, a refcount that can be, room enough), are
 * objects that only C code holds. */
#include "snapshot/child.h"

#include <unistd.h>

/* --- sorting ----------------------------------------------------------------------------------------- */

/* Heapsort (Williams): qsort may call malloc. */
void ms_sort(uint64_t *at, size_t n)
{
    for (size_t start = n / 2, end = n; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            uint64_t top = at[--end];
            at[end] = at[0];
            at[0] = top;
        }
        uint64_t v = at[start];
        size_t root = start;
        for (size_t child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && at[child] < at[child + 1])
                child++;
            if (v >= at[child])
                break;
            at[root] = at[child];
        }
        at[root] = v;
    }
}

/* --- 1: hints ---------------------------------------------------------------------------------------- */

void ms_hint_object(ms_child *c, const PyObject *o, const ms_ty *t)
{
    const uint64_t *word = (const uint64_t *)o;
    uint32_t n = t->basicsize / 8;
    if (t->type->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS && !(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE))
        n = sizeof(PyTypeObject) / 8;
    if (n > 256)
        n = 256;
    Py_ssize_t weak = Py_TYPE(o)->tp_weaklistoffset; /* not its own */
    for (uint32_t i = 2; i < n; i++) {
        uint64_t v = i * 8 == weak ? 0 : word[i];
        if (v < 65536 || v >> MS_ADDRESS_BITS || v & 7 || v == (uint64_t)(uintptr_t)o)
            continue;
        MS_PUSH(c, c->hints, ms_hint, (ms_hint){v, c->id, 0});
    }
}

/* --- blocks of our slabs ------------------------------------------------------------------------------ */

/* The room of the live block that begins at p, 0: there is none. */
static uint32_t block_at(const ms_child *c, uintptr_t p)
{
    const ms_heap *h = ms_heap_has(c->heap, (void *)p) ? c->heap : ms_heap_has(c->raw_heap, (void *)p) ? c->raw_heap : NULL;
    if (h == NULL || p & 15)
        return 0;
    const ms_slab *s = ms_slab_of(h, (void *)p);
    if (s->state < MS_SLAB_CURRENT || (uint32_t)(s - h->slabs) >= h->fresh)
        return 0;
    uint32_t stride = ms_class_stride[s->cls], offset = (uint32_t)((p - h->base) & (MS_SLAB_SIZE - 1));
    if (offset < MS_SLAB_FIRST || (offset - MS_SLAB_FIRST) % stride || offset + stride - MS_TAG_SIZE > MS_SLAB_SIZE)
        return 0;
    if (s->absent >> (offset / MS_PAGE) & 1 || s->absent >> ((offset - MS_TAG_SIZE) / MS_PAGE) & 1)
        return 0;
    return ((const uint64_t *)p)[-1] & MS_TAG_LIVE ? stride - MS_TAG_SIZE : 0;
}

/* Whether an object is in the block, behind what may stand in front of one. */
static inline bool object_in(const ms_child *c, uintptr_t block, uint64_t size)
{
    uint32_t place = block >> 4 & 63;
    const ms_chunk_map *k = ms_marks_at(&c->marks, block);
    if (k && !(block & 15) && place <= 61 && size >= 48) /* all in one word: nearly always */
        return k->word[block >> 10 & (MS_WORDS - 1)].seen >> place & 7;
    return ms_marks_has(&c->marks, block) || (size >= 32 && ms_marks_has(&c->marks, block + 16)) || (size >= 48 && ms_marks_has(&c->marks, block + 32));
}

typedef struct {
    ms_child *c;
    uint64_t  seeded;
    struct holder *holder;
} visit_arg;

/* What stands where a refcount would: a text, in a block that held an object before? */
static bool is_text(uint64_t refs)
{
    bool all = refs > 65535;
    for (; refs && all; refs >>= 8)
        all = (refs & 255) == 0 || ((refs & 255) >= ' ' && (refs & 255) <= '~');
    return all;
}

/* The bytes that an instance of t takes at least, where that is less than its type says. */
static uint32_t least_size(const void *o, const ms_ty *t)
{
    const PyASCIIObject *s = o;
    if (t->read == ms_read_str && s->state.compact)
        return (uint32_t)(s->state.ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject));
    if (t->zone && !((const unsigned char *)o)[24])
        return t->zone;
    return t->basicsize;
}

/* Whether what begins behind prefix in a live block of this size can be an instance of t. Blocks of raw memory, and objects that
 * wait in a free list, must not pass: what they say would be believed. */
static bool can_be(const ms_child *c, const uint64_t *block, uint32_t size, uint32_t prefix, const ms_ty *t)
{
    const uint64_t *o = block + prefix / 8;
    uint64_t refs = o[0];
#if PY_VERSION_HEX >= 0x030e0000
    refs &= 0xFFFFFFFFFFFFu; /* without flags; the rest of a pointer shows that it waits in a free list */
#endif
    bool forever = PY_VERSION_HEX >= 0x030c0000 ? refs >> 31 == 1 : refs == 999999999;
    if (t->prefix != prefix || prefix + least_size(o, t) > size + (t->itemsize ? 8u : 0u) || refs == 0 || (!forever && (refs > c->rss / 8 || is_text(refs))))
        return false; /* each reference takes a word somewhere */
    if (t->read == ms_read_str && ((const PyASCIIObject *)o)->state.compact && (o[2] >= size || prefix + least_size(o, t) + (o[2] + 1) * ((const PyASCIIObject *)o)->state.kind > size))
        return false; /* no room for its text */
    if (t->itemsize && t->type != &PyLong_Type && !(t->type->tp_flags & Py_TPFLAGS_LONG_SUBCLASS) && o[2] > (size + 8 - prefix - t->basicsize) / t->itemsize)
        return false;
    if (t->flags & MS_TYPE_TRACKED) { /* its place in the collector's lists, or none */
        uint64_t next = o[-2] & ~(uint64_t)3, prev = o[-1] & ~(uint64_t)7;
        if ((next == 0) != (prev == 0) || next >> MS_ADDRESS_BITS || prev >> MS_ADDRESS_BITS || next & 7 || (next && (next < 65536 || prev < 65536)))
            return false;
    }
    return true;
}

/* For visits: what an object is in, or owns, is no news. */
static bool known(const ms_child *c, uintptr_t p, uint32_t size) { return object_in(c, p, size) || ms_marks_has(&c->raw, p); }
static bool skip_known(uintptr_t p, uint32_t size, void *arg) { return known(((visit_arg *)arg)->c, p, size); }

static bool seed_block(void *block, uint64_t tag, uint32_t size, void *arg)
{
    visit_arg *v = arg;
    ms_child *c = v->c;
    uintptr_t p = (uintptr_t)block;
    if (known(c, p, size))
        return true;
    for (uint32_t prefix = 0; prefix <= 32 && prefix + 16 <= size; prefix += 16) {
        uint64_t type = ((const uint64_t *)p)[prefix / 8 + 1];
        if (type <= 65536 || type & 7)
            continue;
        ms_map_slot *s = ms_map_find(&c->types, type);
        uint32_t index = s ? s->value : 0;
        if (index == 0 && ms_marks_has(&c->marks, type) && PyType_Check((PyObject *)type)) /* the first instance that is seen */
            index = ms_type_new(c, (PyTypeObject *)type);
        if (index == 0 || !can_be(c, (const uint64_t *)p, size, prefix, &MS_VEC_AT(c->type_table, ms_ty)[index]))
            continue;
        ms_seed(c, (PyObject *)(p + prefix));
        if (ms_map_put(&c->seeds, p + prefix) == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        v->seeded++;
        return true;
    }
    return true;
}

bool ms_slabs_seed(ms_child *c)
{
    visit_arg v = {.c = c};
    ms_heap_visit_but(c->heap, skip_known, seed_block, &v);
    if (c->unread_interpreters == 0) /* their objects are there, and may be half made */
        ms_heap_visit_but(c->raw_heap, skip_known, seed_block, &v);
    ms_pools_visit(c, seed_block, &v);
    return v.seeded != 0;
}

/* --- what is left over --------------------------------------------------------------------------------- */

static bool immortal(int32_t refs) { return refs > MS_IMMORTAL / 2; }

/* The object at value, when it has references left over. 0: none. */
static uint32_t left_at(const ms_child *c, uint64_t value)
{
    if (value < 65536 || value >> MS_ADDRESS_BITS || value & 7)
        return 0;
    uint32_t id = ms_marks_id(&c->marks, value);
    int32_t refs = id ? MS_VEC_AT(c->refs, int32_t)[id] : 0;
    return refs > 0 && !immortal(refs) ? id : 0;
}

/* A block was taken for an object since it looks like one, but a struct has its address, and its count says many more references than that: it
 * was one before, and holds something else now (a buffer with a few letters in it). Its count says nothing, and what is in it belongs to the
 * struct's object, as that of any block. */
static bool was_object(ms_child *c, uintptr_t object)
{
    ms_map_slot *s = ms_map_find(&c->seeds, object);
    int32_t *refs = &MS_VEC_AT(c->refs, int32_t)[s ? ms_marks_id(&c->marks, object) : 0];
    if (s && s->value == 0 && *refs > 16 && !immortal(*refs)) {
        s->value = 1;
        *refs = 0;
    }
    return s && s->value;
}

/* The same, where a word is a reference for sure: takes one off. */
static uint32_t take_one(ms_child *c, uint64_t value)
{
    uint32_t id = left_at(c, value);
    MS_VEC_AT(c->refs, int32_t)[id] -= id != 0;
    return id;
}

/* A word in a place points at this object, which has references left over. True: one is explained by it. */
static bool place_word(ms_child *c, uint32_t id)
{
    ms_map_slot *s = ms_map_put(&c->place_of, id);
    if (s == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    if (s->value == 0) {
        s->value = (uint32_t)MS_VEC_N(c->place_rows, ms_place_row) + 1;
        MS_PUSH(c, c->place_rows, ms_place_row, (ms_place_row){id, 0, MS_VEC_AT(c->refs, int32_t)[id]});
    }
    ms_place_row *row = &MS_VEC_AT(c->place_rows, ms_place_row)[s->value - 1];
    return (int64_t)row->words++ < row->refs;
}

static void own_more(ms_child *c, uint32_t owner, uint64_t room)
{
    uint32_t *shape = MS_VEC_AT(c->shape, uint32_t);
    ms_shape s = MS_VEC_AT(c->shape_table, ms_shape)[shape[owner]];
    if (room)
        shape[owner] = ms_shape_find(c, s.type, s.said, s.allocated + room);
}

MS_ANY_MEMORY static uint64_t word_at(uintptr_t p) { return *(const uint64_t *)p; }
static inline bool used_at(const ms_child *c, uintptr_t p) { return c->brk_used[(p - c->brk.from) >> 10] >> ((p - c->brk.from) >> 4 & 63) & 1; }

/* Which of the blocks of malloc's main heap are in use: what a free one holds is left of something long gone, and a pointer that is
 * itself a leftover leads there. glibc's blocks lie side by side, each says where the next begins, and that one says whether it is in use;
 * the last ends where the heap ends, else this is not such a heap, and nothing is known. Small ones that the main thread freed last
 * (tcache) say that they are in use; they hang on lists in the first block, by addresses that are hidden by their own places. */
MS_ANY_MEMORY static void native_walk(ms_child *c)
{
    enum { TCACHE_SIZE = 0x290, TCACHE_BINS = 64 };
    uintptr_t from = c->brk.from, to = c->brk.to, p = from;
    c->brk_room = (to - from) / 128 + 16;
    if (from == to || (c->brk_used = ms_sys_alloc(c->brk_room)) == NULL)
        return;
    for (uint64_t size; p < to; p += size) {
        size = p + 32 <= to ? word_at(p + 8) & ~(uint64_t)7 : 0;
        if (size < 32 || size & 15 || size > to - p || word_at(p + 8) & 4) { /* 4: not the main heap's */
            ms_sys_free(c->brk_used, c->brk_room);
            c->brk_used = NULL;
            return;
        }
        if (p + size < to && word_at(p + size + 8) & 1)
            c->brk_used[(p + 16 - from) >> 10] |= 1ull << ((p + 16 - from) >> 4 & 63);
    }
    if ((word_at(from + 8) & ~(uint64_t)7) != TCACHE_SIZE)
        return;
    const uint16_t *count = (const uint16_t *)(from + 16);
    for (int bin = 0; bin < TCACHE_BINS; bin++) {
        p = word_at(from + 16 + 2 * TCACHE_BINS + 8 * (uintptr_t)bin);
        for (uint16_t n = count[bin]; n > 0 && p > from && p + 16 < to && (p & 15) == 0 && used_at(c, p); n--) {
            c->brk_used[(p - from) >> 10] &= ~(1ull << ((p - from) >> 4 & 63));
            p = word_at(p) ^ p >> 12;
        }
    }
}

/* The bytes of the block of malloc's that begins at p, as its header says; 0: it does not look like one. The
 * block is in use: the next one's header says so (glibc; elsewhere nothing is found). */
MS_ANY_MEMORY static uint64_t native_block(const ms_child *c, uintptr_t p)
{
    const ms_range *r = MS_VEC_AT(c->native, ms_range);
    size_t lo = 0, hi = MS_VEC_N(c->native, ms_range);
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (p >= r[mid].to)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (p & 15 || lo == MS_VEC_N(c->native, ms_range) || p < r[lo].from + 16)
        return 0;
    if (c->brk_used && p - c->brk.from < c->brk.to - c->brk.from)
        return used_at(c, p) ? (word_at(p - 8) & ~(uint64_t)7) - 8 : 0;
    uint64_t header = ((const uint64_t *)p)[-1], size = header & ~(uint64_t)7;
    if (size < 32 || size & 15 || size > r[lo].to - p + 16 || header & 4)
        return 0;
    if (header & 2) /* a mapping of its own */
        return ((p - 16) & (MS_PAGE - 1)) == 0 && (size & (MS_PAGE - 1)) == 0 && p - 16 + size <= r[lo].to ? size - 16 : 0;
    if (p + size - 8 + 8 > r[lo].to || !(*(const uint64_t *)(p + size - 8) & 1))
        return 0;
    return size - 8;
}

/* Who holds what is found: an object, or a pseudo node, made when it is needed. */
typedef struct holder {
    uint32_t    owner, pseudo;
    const char *name, *label;
} holder;

static void hold(ms_child *c, holder *h, uint32_t id, uint64_t value)
{
    if (h->owner) {
        MS_PUSH(c, c->found, ms_found, (ms_found){h->owner, id});
        return;
    }
    if (h->pseudo == 0) {
        h->pseudo = ms_pseudo_new(c, c->type_group, h->name);
        ms_pseudo_holds(c, 0, h->pseudo, h->name);
    }
    MS_PUSH(c, c->pseudo_edges, ms_pseudo_edge,
            (ms_pseudo_edge){.from = h->pseudo, .to = (PyObject *)(uintptr_t)value, .name = ms_string(c, h->label, strlen(h->label))});
}

static inline bool ours(const ms_child *c, uintptr_t p) { return ms_heap_has(c->heap, (void *)p) || ms_heap_has(c->raw_heap, (void *)p); }

/* The room of the live block of ours that begins at p, of any size; 0: there is none. */
static uint64_t our_block(const ms_child *c, uintptr_t p)
{
    const ms_large_slot *large;
    if (ours(c, p))
        return block_at(c, p);
    return c->large->used && (large = ms_large_find(c->large, (void *)p)) != NULL ? large->size : 0;
}

/* Where the live block of ours begins that an address stands for: there, or 8 or 16 bytes before, where a library keeps what is its own
 * (the size, say). 0: there is none. */
static uintptr_t our_start(const ms_child *c, uintptr_t p)
{
    for (uintptr_t q = p & ~(uintptr_t)15; q > 65536 && p - q <= 16; q -= 16)
        if (our_block(c, q))
            return q;
    return 0;
}

/* The room of the block in use that begins at p, if nobody is known to own it; 0: there is none. Blocks of ours have an object as their
 * owner, or none (they are raw memory then). */
static uint64_t loose_block(ms_child *c, uintptr_t p, uint32_t owner, bool *counts)
{
    if (ms_marks_has(&c->raw, p))
        return 0;
    uint64_t size = our_block(c, p);
    if (size && owner == 0)
        return 0;
    *counts = size || ours(c, p) || ms_pool_block(c, p, &size);
    if (!*counts) /* of malloc's we know too little for sizes */
        size = native_block(c, p);
    if (!object_in(c, p, size))
        return size;
    *counts = false; /* as an object it counts already */
    return owner && (was_object(c, p) || was_object(c, p + 16) || was_object(c, p + 32)) ? size : 0;
}

/* A row for the block that is found to be an object's; those of the readers have theirs. */
MS_ANY_MEMORY static void owned_row(ms_child *c, uint32_t owner, uintptr_t p, uint64_t size)
{
    uint64_t place = (p - c->heap->base) >> 4;
    if (ms_heap_has(c->heap, (void *)p) && place <= UINT32_MAX)
        MS_PUSH(c, c->owned, ms_owned, (ms_owned){owner, (uint32_t)place});
    else if (size > MS_BLOCK_MAX)
        MS_PUSH(c, c->owned_large, ms_owned_large, (ms_owned_large){owner, (p & (MS_PAGE - 1)) == 16 && word_at(p - 8) & 2, size});
}

/* A block that belongs to somebody: its references are theirs, and so are blocks that it points at, and that those point at. Each is
 * looked into once. Returns the bytes of them all, where they are known. */
MS_ANY_MEMORY static uint64_t follow(ms_child *c, holder *h, uintptr_t first)
{
    enum { DEPTH = 3, WORDS = 64 }; /* how far what may be a block of malloc's is believed */
    uint64_t room = 0;
    c->stack.used = 0;
    uintptr_t start = our_start(c, first);
    if (start || !(first & 15))
        MS_PUSH(c, c->stack, uintptr_t, start ? start : first);
    while (c->stack.used) {
        c->stack.used -= sizeof(uintptr_t);
        uintptr_t at = *(uintptr_t *)(void *)(c->stack.at + c->stack.used), depth = at & 15, p = at - depth;
        bool counts;
        uint64_t size = loose_block(c, p, h->owner, &counts);
        ms_chunk_map *k = size ? ms_chunk_want(c, &c->raw, p) : NULL;
        if (k == NULL)
            continue;
        k->word[p >> 10 & (MS_WORDS - 1)].seen |= 1ull << (p >> 4 & 63);
        if (counts && h->owner) {
            room += size;
            if (c->births)
                owned_row(c, h->owner, p, size);
        }
        for (uint64_t w = 0; w < size / 8 && w < 1u << 24; w++) {
            uint64_t v = word_at(p + 8 * w);
            if (v < 65536 || v >> MS_ADDRESS_BITS || v & 7)
                continue;
            uint32_t id = left_at(c, v);
            if (id && h->owner && was_object(c, v)) {
                hold(c, h, id, v);
                id = 0;
            }
            if (id && place_word(c, id))
                hold(c, h, id, v);
            else if (id == 0 && (start = our_start(c, v)) != 0)
                MS_PUSH(c, c->stack, uintptr_t, start | (depth < DEPTH ? depth + 1 : DEPTH));
            else if (id == 0 && depth < DEPTH && w < WORDS && !(v & 15))
                MS_PUSH(c, c->stack, uintptr_t, v | (depth + 1));
        }
    }
    return room;
}

/* Rows from the one of this number on go among those before them: both are in the order of nodes, which come first in a row. */
static void rows_merge(ms_child *c, ms_vec *v, size_t size, size_t old)
{
    size_t at = v->used / size, b = at - old, bytes = b * size;
    char *more = ms_sys_alloc(bytes + 1);
    if (more == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    memcpy(more, v->at + old * size, bytes);
    while (b > 0) {
        const char *last = more + (b - 1) * size, *before = v->at + (old - (old > 0)) * size;
        bool from_old = old > 0 && *(const uint32_t *)(const void *)before > *(const uint32_t *)(const void *)last;
        memcpy(v->at + --at * size, from_old ? before : last, size);
        *(from_old ? &old : &b) -= 1;
    }
    ms_sys_free(more, bytes + 1);
}

static void from_hints(ms_child *c)
{
    const ms_hint *h = MS_VEC_AT(c->hints, ms_hint);
    size_t n = MS_VEC_N(c->hints, ms_hint);
    for (size_t i = 0; i < n; i++) {
        uint32_t id = ms_marks_id(&c->marks, h[i].value);
        if (id == 0)
            continue;
        /* What tp_traverse told stands among the edges already. */
        const uint32_t *e = c->to + c->first[h[i].owner], *end = c->to + c->first[h[i].owner + 1];
        if (end - e > 64)
            end = e + 64;
        while (e < end && (*e & 0x3FFFFFFF) != id)
            e++;
        if (e == end && (was_object(c, h[i].value) || (id = take_one(c, h[i].value)) != 0))
            MS_PUSH(c, c->found, ms_found, (ms_found){h[i].owner, id});
    }
}

static void from_blocks(ms_child *c)
{
    const ms_hint *h = MS_VEC_AT(c->hints, ms_hint);
    size_t rows = MS_VEC_N(c->owned, ms_owned), large = MS_VEC_N(c->owned_large, ms_owned_large), n = MS_VEC_N(c->hints, ms_hint);
    for (size_t i = 0; i < n;) {
        holder owner = {.owner = h[i].owner};
        uint64_t room = 0;
        while (i < n && h[i].owner == owner.owner)
            room += follow(c, &owner, h[i++].value);
        own_more(c, owner.owner, room);
    }
    rows_merge(c, &c->owned, sizeof(ms_owned), rows);
    rows_merge(c, &c->owned_large, sizeof(ms_owned_large), large);
}

MS_ANY_MEMORY static void from_stacks(ms_child *c, bool sure)
{
    const ms_stack *s = MS_VEC_AT(c->stacks, ms_stack);
    for (size_t i = 0; i < MS_VEC_N(c->stacks, ms_stack); i++)
        for (uintptr_t w = s[i].from; s[i].sure == sure && w < s[i].to; w += 8) {
            uint64_t value = *(const uint64_t *)w;
            uint32_t id = sure ? take_one(c, value) : left_at(c, value);
            if (id && (sure || place_word(c, id)))
                hold(c, &(holder){.pseudo = s[i].pseudo, .label = "stack"}, id, value);
        }
}

MS_ANY_MEMORY static void from_words(ms_child *c, uintptr_t from, uintptr_t to, holder *h, bool blocks)
{
    for (uintptr_t w = (from + 7) & ~(uintptr_t)7; w < to; w += 8) {
        uint64_t value = *(const uint64_t *)w;
        uint32_t id = left_at(c, value);
        if (id && place_word(c, id))
            hold(c, h, id, value);
        else if (blocks && id == 0)
            follow(c, h, value);
    }
}

static struct type_cache *type_cache(const ms_interpreter *in)
{
#if PY_VERSION_HEX < 0x030c0000
    return &in->state->type_cache;
#else
    return &in->state->types.type_cache;
#endif
}

/* The cache of looked up attributes owns their names (or None), and not their values. */
static void from_type_cache(ms_child *c, const ms_interpreter *in)
{
    holder h = {.pseudo = in->pseudo, .label = "type cache"};
    const struct type_cache_entry *e = type_cache(in)->hashtable;
    for (uint32_t i = 0; i < 1u << MCACHE_SIZE_EXP; i++) {
        uint32_t id = take_one(c, (uint64_t)(uintptr_t)e[i].name);
        if (id)
            hold(c, &h, id, (uint64_t)(uintptr_t)e[i].name);
    }
}

/* An interpreter's state: what it holds by name was counted already. */
MS_ANY_MEMORY static void from_interpreter(ms_child *c, const ms_interpreter *in, ms_range range)
{
    holder h = {.pseudo = in->pseudo, .label = ""};
    uint64_t told[64];
    uint32_t n = 0;
    for (size_t i = 0; i < MS_VEC_N(c->pseudo_edges, ms_pseudo_edge) && n < 64; i++) {
        const ms_pseudo_edge *e = &MS_VEC_AT(c->pseudo_edges, ms_pseudo_edge)[i];
        if ((e->from == in->pseudo || e->from == in->atexit) && e->to && e->counted)
            told[n++] = (uint64_t)(uintptr_t)e->to;
    }
    uintptr_t cache = (uintptr_t)type_cache(in);
    for (uintptr_t w = range.from; w < range.to; w += 8) {
        uint64_t value = *(const uint64_t *)w;
        uint32_t id = left_at(c, value), k = 0;
        if (id == 0 || w - cache < sizeof(struct type_cache))
            continue;
        while (k < n && told[k] != value)
            k++;
        if (k < n)
            told[k] = 0; /* once */
        else if (place_word(c, id))
            hold(c, &h, id, value);
    }
}

static void from_interpreters(ms_child *c)
{
    const ms_interpreter *in = MS_VEC_AT(c->interpreters, ms_interpreter);
    uintptr_t runtime = (uintptr_t)&_PyRuntime;
    ms_range all = {runtime, (uintptr_t)(&_PyRuntime + 1)};
    MS_PUSH(c, c->state, ms_range, all);
    from_interpreter(c, &in[0], all);
    for (size_t i = 0; i < MS_VEC_N(c->interpreters, ms_interpreter); i++)
        if ((uintptr_t)in[i].state - runtime >= sizeof _PyRuntime) {
            ms_range range = {(uintptr_t)in[i].state, (uintptr_t)(in[i].state + 1)};
            MS_PUSH(c, c->state, ms_range, range);
            from_interpreter(c, &in[i], range);
        }
}

static void from_statics(ms_child *c)
{
    const ms_static *s = MS_VEC_AT(c->statics, ms_static);
    holder h = {.label = ""};
    for (size_t i = 0; i < MS_VEC_N(c->statics, ms_static); i++) {
        char name[96];
        uintptr_t from = s[i].from, to = s[i].to;
        if (i == 0 || strcmp(s[i].name, s[i - 1].name) != 0)
            h.pseudo = 0;
        snprintf(name, sizeof name, "static data of %s", s[i].name);
        h.name = name;
        for (size_t k = 0; k < MS_VEC_N(c->state, ms_range); k++) { /* the interpreter's state was looked through */
            const ms_range *r = &MS_VEC_AT(c->state, ms_range)[k];
            if (r->from >= from && r->from < to) {
                from_words(c, from, r->from, &h, true);
                from = r->to;
            }
        }
        from_words(c, from, to, &h, true);
    }
}

static bool raw_words(void *block, uint64_t tag, uint32_t size, void *arg)
{
    visit_arg *v = arg;
    uintptr_t p = (uintptr_t)block;
    if (!known(v->c, p, size))
        from_words(v->c, p, p + (size & ~7u), v->holder, false);
    return true;
}

/* 3.11: code and constants that come with the interpreter never die, and count none of the references they have. */
static void uncounted(ms_child *c)
{
#if PY_VERSION_HEX < 0x030c0000
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    for (uint32_t id = 1; id <= c->objects; id++)
        for (uint32_t e = c->first[id]; immortal(refs[id]) && e < c->first[id + 1]; e++)
            if (c->to[e] && c->to[e] >> 30 != MS_EDGE_WEAK)
                refs[c->to[e] & 0x3FFFFFFF]++;
#endif
}

void ms_hidden_find(ms_child *c)
{
    uncounted(c);
    const uint32_t *known = MS_VEC_AT(c->known, uint32_t);
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    for (size_t i = 0; i < MS_VEC_N(c->known, uint32_t); i++)
        refs[ms_marks_id_of_granule(&c->marks, known[i])]--;
    from_hints(c);
    from_stacks(c, true);
    for (size_t i = 0; i < MS_VEC_N(c->interpreters, ms_interpreter); i++)
        from_type_cache(c, &MS_VEC_AT(c->interpreters, ms_interpreter)[i]);
    native_walk(c);
    from_blocks(c);
    from_interpreters(c);
    from_stacks(c, false);
    from_statics(c);
    holder raw = {.name = "raw memory", .label = ""};
    visit_arg v = {.c = c, .holder = &raw};
    ms_heap_visit_but(c->heap, skip_known, raw_words, &v);
    ms_heap_visit_but(c->raw_heap, skip_known, raw_words, &v);
    for (uint32_t i = 0; i < c->large->size; i++)
        if (c->large->slot[i].block)
            raw_words((void *)c->large->slot[i].block, 0, (uint32_t)(c->large->slot[i].size < 64u << 20 ? c->large->slot[i].size : 64u << 20), &v);
    for (size_t i = 0; i < MS_VEC_N(c->place_rows, ms_place_row); i++) {
        const ms_place_row *row = &MS_VEC_AT(c->place_rows, ms_place_row)[i];
        refs[row->node] -= (int64_t)row->words < row->refs ? (int32_t)row->words : row->refs;
    }
    ms_sys_free(c->brk_used, c->brk_room);
    c->brk_used = NULL;

    /* The edges found are put behind those of their owners. */
    size_t n = MS_VEC_N(c->found, ms_found);
    if (n == 0)
        return;
    ms_found *f = MS_VEC_AT(c->found, ms_found);
    uint64_t *order = ms_sys_alloc((n + 1) * sizeof *order);
    size_t room = ((size_t)c->edge_count + n + 1) * sizeof *c->to;
    uint32_t *to = room <= c->to_room ? c->to : ms_sys_resize(c->to, c->to_room, room);
    if (order == NULL || to == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    c->to = to;
    c->to_room = room > c->to_room ? room : c->to_room;
    for (size_t i = 0; i < n; i++)
        order[i] = (uint64_t)f[i].owner << 32 | f[i].target;
    ms_sort(order, n);
    /* From the back: what lies between two owners moves as one piece. */
    uint32_t end = c->edge_count, last = c->objects + 1;
    for (size_t left = n; left > 0;) {
        uint32_t owner = (uint32_t)(order[left - 1] >> 32), behind = c->first[owner + 1];
        memmove(to + behind + left, to + behind, (size_t)(end - behind) * sizeof *to);
        for (uint32_t id = owner + 1; id <= last; id++)
            c->first[id] += (uint32_t)left;
        while (left > 0 && order[left - 1] >> 32 == owner) {
            to[behind + left - 1] = (uint32_t)order[left - 1];
            left--;
        }
        end = behind;
        last = owner;
    }
    c->edge_count += (uint32_t)n;
    ms_sys_free(order, (n + 1) * sizeof *order);
}

/* --- blocks that nobody owns ---------------------------------------------------------------------------- */

static void raw_add(ms_child *c, uint64_t tag, uint64_t size)
{
    uint32_t site = 0, birth = (uint32_t)(tag >> 32), now = ms_child_epoch(c);
    const ms_tally *t = ms_tag_tally((uint32_t)tag);
    if ((uint32_t)(t - ms_area.tally) < ms_area.table[MS_T_TALLY].used)
        site = ms_area.mode == MS_MODE_EXACT ? ms_area.node[t->owner].site : t->owner;
    if (site >= c->raw_room)
        site = 0;
    c->raw_blocks[site].blocks++;
    c->raw_blocks[site].bytes += size;
    c->raw_blocks[site].born[(uint64_t)(birth < now ? birth : now) * MS_RAW_PARTS / ((uint64_t)now + 1)]++;
}

/* A live slot in the map of the heap. */
static void slot_live(ms_child *c, uintptr_t block, uint32_t size)
{
    if (!ms_heap_has(c->heap, (void *)block))
        return;
    uintptr_t at = block - MS_TAG_SIZE - c->heap->base, last = (at + size + MS_TAG_SIZE - 1) / MS_PAGE;
    MS_VEC_AT(c->slab_rows, ms_slab_row)[at >> MS_SLAB_SHIFT].live++;
    for (uintptr_t page = at / MS_PAGE; page <= last; page++)
        c->page_live[page]++;
}

static bool skip_live(uintptr_t p, uint32_t size, void *arg)
{
    bool skip = known(arg, p, size);
    if (skip)
        slot_live(arg, p, size);
    return skip;
}

static bool raw_block(void *block, uint64_t tag, uint32_t size, void *arg)
{
    slot_live(arg, (uintptr_t)block, size);
    raw_add(arg, tag, size);
    return true;
}

static bool skip_unowned(uintptr_t p, uint32_t size, void *arg)
{
    const ms_child *c = ((visit_arg *)arg)->c;
    return object_in(c, p, size) || !ms_marks_has(&c->raw, p);
}
static bool count_owned(void *block, uint64_t tag, uint32_t size, void *arg)
{
    ((visit_arg *)arg)->seeded++;
    return true;
}

/* Each live slot holds an object, or has a row in `owned`, or counts as raw. */
static bool all_told(ms_child *c)
{
    visit_arg v = {.c = c};
    ms_heap_visit_but(c->heap, skip_unowned, count_owned, &v);
    const ms_owned *row = MS_VEC_AT(c->owned, ms_owned);
    uint64_t rows = 0;
    for (size_t i = 0; i < MS_VEC_N(c->owned, ms_owned); i++) {
        uintptr_t p = c->heap->base + ((uintptr_t)row[i].place << 4);
        rows += !object_in(c, p, block_at(c, p));
    }
    return rows == v.seeded;
}

void ms_raw_count(ms_child *c)
{
    if (ms_mode < 0)
        return;
    c->raw_room = ms_area.table[MS_T_SITE].used;
    c->raw_blocks = ms_sys_alloc((size_t)c->raw_room * sizeof *c->raw_blocks);
    if (c->raw_blocks == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    for (uint32_t k = 0; k < c->heap->fresh; k++) {
        const ms_slab *s = &c->heap->slabs[k];
        uint32_t stride = s->state < MS_SLAB_CURRENT ? 0 : ms_class_stride[s->cls];
        MS_PUSH(c, c->slab_rows, ms_slab_row, (ms_slab_row){c->heap->base + ((uint64_t)k << MS_SLAB_SHIFT), stride, s->state ? s->dirty : 0, s->present, 0});
    }
    c->page_live = ms_sys_alloc(((size_t)c->heap->fresh * MS_SLAB_PAGES + 1) * sizeof *c->page_live);
    if (c->page_live == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    if (ms_checking() && c->crashes == 0 && !all_told(c))
        ms_child_fail(c, MS_EDAMAGED, "a live block is neither an object, nor owned, nor raw");
    ms_heap_visit_but(c->heap, skip_live, raw_block, c);
    ms_heap_visit_but(c->raw_heap, skip_live, raw_block, c);
    for (uint32_t i = 0; i < c->large->size; i++) {
        uintptr_t p = c->large->slot[i].block;
        if (p && !object_in(c, p, c->large->slot[i].size) && !ms_marks_has(&c->raw, p))
            raw_add(c, c->large->slot[i].tag, c->large->slot[i].size);
    }
}
