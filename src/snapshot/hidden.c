/* hidden.c -- references that no reader tells, found by looking at memory.
 *
 * A tp_traverse shows what may be part of a cycle, and often not more. What is missing shows in the ledger:
 * an object has references left over that were not found. Those are looked for, in this order, and each
 * word that points at such an object takes one off:
 *
 *   1 the structs of objects of C types, and of modules, types and code      -> an edge of that object
 *   2 blocks that such a struct points at, e.g. a module's state, and those   -> an edge of that object;
 *     that these point at                                                     a slab's block counts to its size
 *   3 the interpreter's state                                               -> node "interpreter"
 *   4 the evaluation stacks of frames                                       -> the frame's node
 *   5 static data of libraries                                              -> a node for each library
 *   6 raw blocks that nobody owns                                           -> node "raw memory"
 *
 * A word that happens to look like such a reference explains one, at most; what a C extension forgets to give
 * back has no word anywhere. What is still left over is `unexplained` in the file.
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
    if (t->type->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS)
        n = (uint32_t)(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE ? sizeof(PyHeapTypeObject) : sizeof(PyTypeObject)) / 8;
    if (n > 256)
        n = 256;
    uint64_t last = 0;
    for (uint32_t i = 2; i < n; i++) {
        uint64_t v = word[i];
        if (v < 65536 || v >> 47 || v & 7 || v == (uint64_t)(uintptr_t)o || v == last)
            continue;
        last = v;
        MS_PUSH(c, c->hints, ms_hint, (ms_hint){v, c->id, 0});
    }
}

/* --- blocks of our slabs ------------------------------------------------------------------------------ */

/* The room of the live block that begins at p, 0: there is none. */
static uint32_t block_at(const ms_child *c, uintptr_t p, const ms_heap **heap)
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
    *heap = h;
    return ((const uint64_t *)p)[-1] & MS_TAG_LIVE ? stride - MS_TAG_SIZE : 0;
}

static bool object_in(const ms_child *c, uintptr_t block)
{
    return ms_marks_has(&c->marks, block) || ms_marks_has(&c->marks, block + 16) || ms_marks_has(&c->marks, block + 32);
}

typedef struct {
    ms_child *c;
    uint64_t  seeded;
    ms_vec    site_blocks; /* uint64_t pairs by site: blocks, bytes */
    void    (*raw)(ms_child *c, const uint64_t *block, uint32_t words);
} visit_arg;

static bool seed_block(void *block, uint64_t tag, uint32_t size, void *arg)
{
    visit_arg *v = arg;
    ms_child *c = v->c;
    uintptr_t p = (uintptr_t)block;
    if (object_in(c, p) || ms_marks_has(&c->raw, p))
        return true;
    for (uint32_t prefix = 0; prefix <= 32 && prefix + 16 <= size; prefix += 16) {
        const PyObject *o = (const PyObject *)(p + prefix);
        uint64_t type = (uint64_t)(uintptr_t)((const uint64_t *)o)[1];
        ms_map_slot *s = type > 65536 && !(type & 7) ? ms_map_find(&c->types, type) : NULL;
        if (s == NULL)
            continue;
        const ms_ty *t = &MS_VEC_AT(c->type_table, ms_ty)[s->value];
        uint64_t refs = ((const uint64_t *)o)[0];
#if PY_VERSION_HEX >= 0x030e0000
        refs &= 0xFFFFFFFFu;
#endif
        if (t->prefix != prefix || refs == 0 || refs >> 32 || prefix + t->basicsize > size + (t->itemsize ? 8u : 0u))
            continue;
        ms_seed(c, o);
        v->seeded++;
        return true;
    }
    return true;
}

bool ms_slabs_seed(ms_child *c)
{
    visit_arg v = {.c = c};
    ms_heap_visit(c->heap, seed_block, &v);
    ms_heap_visit(c->raw_heap, seed_block, &v);
    return v.seeded != 0;
}

/* --- what is left over --------------------------------------------------------------------------------- */

static bool immortal(int32_t refs) { return refs > MS_IMMORTAL / 2; }

/* The object at value, when it has references left over; takes one off. 0: none. */
static uint32_t take_one(ms_child *c, uint64_t value)
{
    if (value < 65536 || value >> 47 || value & 7)
        return 0;
    uint32_t id = ms_marks_id(&c->marks, value);
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    if (id == 0 || refs[id] <= 0 || immortal(refs[id]))
        return 0;
    refs[id]--;
    return id;
}

static void own_more(ms_child *c, uint32_t owner, uint32_t room)
{
    uint32_t *shape = MS_VEC_AT(c->shape, uint32_t);
    ms_shape s = MS_VEC_AT(c->shape_table, ms_shape)[shape[owner]];
    shape[owner] = ms_shape_find(c, s.type, s.said, s.allocated + room);
}

/* The bytes of the block of malloc's that begins at p, as its header says; 0: it does not look like one. The
 * block is in use: the next one's header says so (glibc; elsewhere nothing is found). */
static uint64_t native_block(const ms_child *c, uintptr_t p)
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
    uint64_t header = ((const uint64_t *)p)[-1], size = header & ~(uint64_t)7;
    if (size < 32 || size & 15 || size > r[lo].to - p + 16 || header & 4)
        return 0;
    if (header & 2) /* a mapping of its own */
        return ((p - 16) & (MS_PAGE - 1)) == 0 && (size & (MS_PAGE - 1)) == 0 && p - 16 + size <= r[lo].to ? size - 16 : 0;
    if (p + size - 8 + 8 > r[lo].to || !(*(const uint64_t *)(p + size - 8) & 1))
        return 0;
    return size - 8;
}

/* A block that belongs to owner: its references are the owner's, and so are blocks that it points at. Only room
 * in our slabs counts for the owner's size: of malloc's blocks we know too little. */
static void follow(ms_child *c, uint32_t owner, uintptr_t first)
{
    struct { uintptr_t at; uint32_t depth; } stack[64];
    uint32_t held = 0, blocks = 0;
    stack[held].at = first;
    stack[held++].depth = 0;
    while (held > 0 && blocks < 4096) {
        uintptr_t p = stack[--held].at;
        uint32_t depth = stack[held].depth;
        const ms_heap *heap;
        uint64_t size = block_at(c, p, &heap);
        bool slab = size != 0;
        if (ms_marks_has(&c->raw, p) || (slab && object_in(c, p)))
            continue;
        if (!slab && (ms_marks_has(&c->marks, p) || ms_heap_has(c->heap, (void *)p) || ms_heap_has(c->raw_heap, (void *)p) ||
                      (c->large->used && ms_large_find(c->large, (void *)p)) || (size = native_block(c, p)) == 0))
            continue;
        ms_chunk_map *k = ms_marks_chunk(&c->raw, p);
        if (k == NULL)
            return;
        k->word[p >> 10 & (MS_WORDS - 1)].seen |= 1ull << (p >> 4 & 63);
        if (slab)
            own_more(c, owner, (uint32_t)size);
        blocks++;
        for (uint64_t w = 0; w < size / 8 && w < 1u << 24; w++) {
            uint64_t v = ((const uint64_t *)p)[w];
            if (v < 65536 || v >> 47 || v & 7)
                continue;
            uint32_t id = take_one(c, v);
            if (id)
                MS_PUSH(c, c->found, ms_found, (ms_found){owner, id});
            else if (depth < 3 && held < 64 && w < 64 && !(v & 15)) {
                stack[held].at = v;
                stack[held++].depth = depth + 1;
            }
        }
    }
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
        if (e == end && (id = take_one(c, h[i].value)) != 0)
            MS_PUSH(c, c->found, ms_found, (ms_found){h[i].owner, id});
    }
    for (size_t i = 0; i < n; i++)
        follow(c, h[i].owner, h[i].value);
}

/* Take what lies between two addresses for references of a pseudo node. */
static void from_words(ms_child *c, uintptr_t from, uintptr_t to, uint32_t *pseudo, const char *name, const char *label)
{
    for (const uint64_t *w = (const uint64_t *)((from + 7) & ~(uintptr_t)7); w < (const uint64_t *)to; w++) {
        uint32_t id = take_one(c, *w);
        if (id == 0)
            continue;
        if (*pseudo == 0) {
            *pseudo = ms_pseudo_new(c, c->type_group, name);
            ms_pseudo_holds(c, 0, *pseudo, name);
        }
        MS_PUSH(c, c->pseudo_edges, ms_pseudo_edge,
                (ms_pseudo_edge){.from = *pseudo, .to = (PyObject *)(uintptr_t)*w, .name = ms_string(c, label, strlen(label))});
    }
}

static void from_statics(ms_child *c)
{
    const ms_static *s = MS_VEC_AT(c->statics, ms_static);
    uint32_t pseudo = 0;
    for (size_t i = 0; i < MS_VEC_N(c->statics, ms_static); i++) {
        char name[96];
        if (i == 0 || strcmp(s[i].name, s[i - 1].name) != 0)
            pseudo = 0;
        snprintf(name, sizeof name, "static data of %s", s[i].name);
        from_words(c, s[i].from, s[i].to, &pseudo, name, "");
    }
}

static bool raw_words(void *block, uint64_t tag, uint32_t size, void *arg)
{
    visit_arg *v = arg;
    uintptr_t p = (uintptr_t)block;
    if (!object_in(v->c, p) && !ms_marks_has(&v->c->raw, p)) {
        uint32_t pseudo = (uint32_t)v->seeded;
        from_words(v->c, p, p + (size & ~7u), &pseudo, "raw memory", "");
        v->seeded = pseudo;
    }
    return true;
}

void ms_hidden_find(ms_child *c)
{
    const uint32_t *known = MS_VEC_AT(c->known, uint32_t);
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    for (size_t i = 0; i < MS_VEC_N(c->known, uint32_t); i++)
        refs[ms_marks_id_of_granule(&c->marks, known[i])]--;
    from_hints(c);
    uint32_t interpreter = c->pseudo_interpreter;
    from_words(c, (uintptr_t)&_PyRuntime, (uintptr_t)(&_PyRuntime + 1), &interpreter, "interpreter", "");
    if ((uintptr_t)c->interp - (uintptr_t)&_PyRuntime >= sizeof _PyRuntime)
        from_words(c, (uintptr_t)c->interp, (uintptr_t)(c->interp + 1), &interpreter, "interpreter", "");
    const ms_stack *s = MS_VEC_AT(c->stacks, ms_stack);
    for (size_t i = 0; i < MS_VEC_N(c->stacks, ms_stack); i++) {
        uint32_t pseudo = s[i].pseudo;
        from_words(c, s[i].from, s[i].to, &pseudo, "", "stack");
    }
    from_statics(c);
    visit_arg v = {.c = c};
    ms_heap_visit(c->heap, raw_words, &v);
    ms_heap_visit(c->raw_heap, raw_words, &v);
    for (uint32_t i = 0; i < c->large->size; i++)
        if (c->large->slot[i].block)
            raw_words((void *)c->large->slot[i].block, 0, (uint32_t)(c->large->slot[i].size < 64u << 20 ? c->large->slot[i].size : 64u << 20), &v);

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
    uint32_t site = 0;
    const ms_tally *t = ms_tag_tally((uint32_t)tag);
    if ((uint32_t)(t - ms_area.tally) < ms_area.table[MS_T_TALLY].used)
        site = ms_area.mode == MS_MODE_EXACT ? ms_area.node[t->owner].site : t->owner;
    if (site >= c->raw_room)
        site = 0;
    c->raw_blocks[2 * site]++;
    c->raw_blocks[2 * site + 1] += size;
}

static bool raw_block(void *block, uint64_t tag, uint32_t size, void *arg)
{
    ms_child *c = arg;
    if (!object_in(c, (uintptr_t)block) && !ms_marks_has(&c->raw, (uintptr_t)block))
        raw_add(c, tag, size);
    return true;
}

void ms_raw_count(ms_child *c)
{
    if (ms_mode < 0)
        return;
    c->raw_room = ms_area.table[MS_T_SITE].used;
    c->raw_blocks = ms_sys_alloc(2 * (size_t)c->raw_room * sizeof *c->raw_blocks);
    if (c->raw_blocks == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    ms_heap_visit(c->heap, raw_block, c);
    ms_heap_visit(c->raw_heap, raw_block, c);
    for (uint32_t i = 0; i < c->large->size; i++) {
        uintptr_t p = c->large->slot[i].block;
        if (p && !object_in(c, p) && !ms_marks_has(&c->raw, p))
            raw_add(c, c->large->slot[i].tag, c->large->slot[i].size);
    }
}
