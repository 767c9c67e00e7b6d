/* nodes.c -- the heap swept in the order of addresses, objects numbered, references made numbers.
 *
 * Seeds are the collector's lists and what roots.c holds. The sweep reads every object that is marked
 * and not read; each reference marks another. It goes through the chunks in the order of addresses,
 * again and again until nothing new is found, since memory is read fastest forwards. When a round finds
 * little (a chain that runs backwards through the heap), the rest is followed from a stack instead.
 *
 * While sweeping, a reference is a granule: its target's place in the bitmap. Once all bits stand,
 * each object's rank is its number; records are moved into that order, and granules become numbers.
 *
 * The ledger: an object's refcount less the references found to it. What is left over is held by
 * someone we do not know: those objects hang from the pseudo node "held outside Python". */
#include "snapshot/child.h"

enum { AHEAD = 24 }; /* references between asking for a cache line and reading it */

void ms_seed(ms_child *c, const void *object)
{
    uintptr_t a = (uintptr_t)object;
    ms_chunk_map *k = ms_marks_chunk(&c->marks, a);
    if (k == NULL)
        return;
    ms_word *w = &k->word[a >> 10 & (MS_WORDS - 1)];
    uint64_t bit = 1ull << (a >> 4 & 63);
    if (c->stack_mode && !(w->seen & bit))
        MS_PUSH(c, c->stack, uintptr_t, a);
    w->seen |= bit;
}

static void sweep_stack(ms_child *c)
{
    while (c->stack.used) {
        c->stack.used -= sizeof(uintptr_t);
        uintptr_t a = *(uintptr_t *)(void *)(c->stack.at + c->stack.used);
        ms_word *w = &ms_marks_at(&c->marks, a)->word[a >> 10 & (MS_WORDS - 1)];
        uint64_t bit = 1ull << (a >> 4 & 63);
        if (w->done & bit)
            continue;
        w->done |= bit;
        ms_read_object(c, (PyObject *)a);
    }
}

/* One pass over all chunks. Returns how many objects it read. */
static uint64_t sweep_round(ms_child *c)
{
    uint64_t read = 0;
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, -1, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++) {
            uint64_t todo;
            while ((todo = k->word[w].seen & ~k->word[w].done) != 0) {
                uint32_t bit = (uint32_t)__builtin_ctzll(todo);
                k->word[w].done |= 1ull << bit;
                ms_read_object(c, (PyObject *)(k->base + ((uintptr_t)w << 10 | (uintptr_t)bit << 4)));
                read++;
            }
        }
    return read;
}

/* Move what is marked and not read to the stack. */
static void stack_fill(ms_child *c)
{
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, -1, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++)
            for (uint64_t todo = k->word[w].seen & ~k->word[w].done; todo; todo &= todo - 1)
                MS_PUSH(c, c->stack, uintptr_t, k->base + ((uintptr_t)w << 10 | (uintptr_t)__builtin_ctzll(todo) << 4));
}

/* The graph does not fit: everything that was read is forgotten, and counted instead, from the beginning. */
void ms_small_begin(ms_child *c)
{
    ms_vec *const arrays[] = {&c->granule, &c->degree, &c->shape, &c->site, &c->birth, &c->refs, &c->value, &c->edges, &c->hints,
                              &c->known, &c->containers, &c->object_labels, &c->stack, &c->namespaces, &c->named};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        ms_vec_free(arrays[i]);
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, -1, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++)
            k->word[w].done = 0;
    c->small = true;
    c->stack_mode = false;
}

void ms_sweep(ms_child *c)
{
    /* A crash while an object is read comes back here: what it left is dropped, and the sweep goes on. */
    if (sigsetjmp(c->again, 0) != 0 && c->again_how == MS_AGAIN_SMALL) {
        ms_small_begin(c);
    } else if (c->again_how && c->type_index == 0) {
        ms_record_unreadable(c); /* what was taken for an object is none */
    } else if (c->again_how) {
        ms_ty *t = &MS_VEC_AT(c->type_table, ms_ty)[c->type_index];
        t->given_up = 1;
        t->flags |= MS_TYPE_GIVEN_UP;
        c->edges.used = c->start;
        c->foreign += c->foreign & 1;
        ms_record(c);
    }
    c->again_how = 0;
    c->guarded = true;
    if (!c->stack_mode) {
        uint64_t all = 0, read;
        for (int round = 0; (read = sweep_round(c)) != 0 && (round < 2 || read > all / 64); round++)
            all += read;
        c->stack_mode = true;
        stack_fill(c);
    }
    sweep_stack(c);
    c->guarded = false;
}

/* Move the values of a record array from the order of reading into the order of numbers. The old array becomes
 * the room for the next one: fresh pages cost more than all else here. */
static void *in_order(ms_child *c, ms_vec *v, const uint32_t *id)
{
    uint32_t n = c->objects;
    size_t room = ((size_t)n + 1) * sizeof(uint32_t);
    if (c->spare.room < room) {
        ms_vec_free(&c->spare);
        if ((c->spare.at = ms_big_alloc(room)) == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        c->spare.room = room;
    }
    uint32_t *out = MS_VEC_AT(c->spare, uint32_t);
    const uint32_t *in = MS_VEC_AT(*v, uint32_t);
    out[0] = 0;
    for (uint32_t i = 0; i < n; i++)
        out[id[i]] = in[i];
    ms_vec old = *v;
    *v = (ms_vec){(char *)out, room, c->spare.room};
    c->spare = old;
    return out;
}

void ms_number(ms_child *c)
{
    uint64_t n = ms_marks_rank(&c->marks);
    if (n != MS_VEC_N(c->granule, uint32_t))
        ms_child_fail(c, MS_EDAMAGED, "the sweep lost an object");
    if (n >= 1u << 29)
        ms_child_fail(c, MS_ELIMIT, "there are more than 536,870,911 objects");
    c->objects = (uint32_t)n;

    uint32_t *id = MS_VEC_AT(c->granule, uint32_t);
    for (uint32_t i = 0; i < n; i++)
        id[i] = ms_marks_id_of_granule(&c->marks, id[i]);

    const uint32_t *degree = MS_VEC_AT(c->degree, uint32_t), *shape = MS_VEC_AT(c->shape, uint32_t);
    uint32_t *first = ms_big_alloc((n + 3) * sizeof *first);
    uint64_t edges = MS_VEC_N(c->edges, uint32_t);
    uint32_t *to = ms_big_alloc((edges + 1) * sizeof *to);
    if (first == NULL || to == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    for (uint32_t i = 0; i < n; i++)
        first[id[i] + 1] = degree[i];
    for (uint32_t i = 0; i <= n; i++)
        first[i + 1] += first[i];

    /* The refcounts in order first: the edges are taken off them as they are turned. */
    int32_t *refs = in_order(c, &c->refs, id);
    ms_container *box = MS_VEC_AT(c->containers, ms_container);
    for (size_t i = 0; i < MS_VEC_N(c->containers, ms_container); i++)
        box[i].node = id[box[i].node];
    ms_hint *hint = MS_VEC_AT(c->hints, ms_hint);
    for (size_t i = 0; i < MS_VEC_N(c->hints, ms_hint); i++)
        hint[i].owner = id[hint[i].owner];
    uint32_t *from = MS_VEC_AT(c->edges, uint32_t);
    ms_chunk_map *const *chunks = MS_VEC_AT(c->marks.by_number, ms_chunk_map *);
    for (uint64_t e = 0; e < edges; e++) { /* first the numbers, asking ahead; targets may be anywhere */
        uint32_t later = from[e + AHEAD < edges ? e + AHEAD : e];
        if (later)
            __builtin_prefetch(&chunks[later >> MS_GRANULES]->word[later >> 6 & (MS_WORDS - 1)]);
        if (from[e])
            from[e] = ms_marks_id_of_granule(&c->marks, from[e]);
    }
    const uint32_t *last = from + edges;
    const ms_shape *shapes = MS_VEC_AT(c->shape_table, ms_shape);
    const ms_ty *types = MS_VEC_AT(c->type_table, ms_ty);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t *out = to + first[id[i]];
        const ms_ty *t = &types[shapes[shape[i]].type];
        for (uint32_t e = 0; e < degree[i]; e++) {
            if (from + AHEAD < last)
                __builtin_prefetch(&refs[from[AHEAD]], 1);
            uint32_t target = *from++;
            if (target) {
                if (MS_UNLIKELY(t->weak_keys) && !(e & 1)) {
                    target |= (uint32_t)MS_EDGE_WEAK << 30;
                } else if (MS_UNLIKELY(t->weak | t->globals) && e < 64 && (t->weak | t->globals) >> e & 1) {
                    bool weak = t->weak >> e & 1;
                    refs[target] -= !weak;
                    target |= (uint32_t)(weak ? MS_EDGE_WEAK : MS_EDGE_GLOBALS) << 30;
                } else {
                    refs[target]--;
                }
            }
            out[e] = target;
        }
    }
    ms_vec_free(&c->edges);
    c->first = first;
    c->to = to;
    c->to_room = (edges + 1) * sizeof *to;
    c->edge_count = (uint32_t)edges;
    ms_vec_free(&c->degree);
    in_order(c, &c->shape, id);
    ms_vec *const births[] = {&c->site, &c->birth};
    for (int i = 0; i < 2; i++) {
        if (c->births) {
            in_order(c, births[i], id);
            continue;
        }
        births[i]->room = births[i]->used = (n + 1) * sizeof(uint32_t); /* zeros, which take no memory until written */
        if ((births[i]->at = ms_sys_alloc(births[i]->room)) == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
    }
    in_order(c, &c->value, id);
    ms_vec_free(&c->granule);
    /* A static type is there without anybody's reference. */
    for (size_t i = 0; i < MS_VEC_N(c->named, PyObject *); i++) {
        PyObject *o = MS_VEC_AT(c->named, PyObject *)[i];
        if (PyType_Check(o) && !(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE))
            refs[ms_marks_id(&c->marks, (uintptr_t)o)]--;
    }
    /* Each instance of a heap type holds a reference to it. */
    for (uint32_t t = 1; t < MS_VEC_N(c->type_table, ms_ty); t++)
        if (types[t].heap && types[t].type) {
            uint32_t node = ms_marks_id(&c->marks, (uintptr_t)types[t].type);
            if (node)
                refs[node] -= (int32_t)types[t].instances;
        }
}
