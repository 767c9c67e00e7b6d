/* nodes.c -- the heap swept in the order of addresses, twice: marked, then read.
 *
 * Seeds are the collector's lists and what roots.c holds. The first sweep visits every object that is marked
 * and not visited; each reference marks another. It goes through the chunks in the order of addresses,
 * again and again until nothing new is found, since memory is read fastest forwards. When a round finds
 * little (a chain that runs backwards through the heap), the rest is followed from a stack instead.
 *
 * Then all bits stand: each object's rank is its number, and how many there are is known. The second sweep reads
 * the objects in that order, straight into the columns of the file: nothing is moved afterwards. (To read them in the
 * first one, and to sort what was read, took longer and twice the memory.) While an object is read, a
 * reference is a granule: its target's place in the bitmap. Granules become numbers a few thousand at a time, so that what
 * they need is asked for ahead, and what is written is still in the cache.
 *
 * Two threads, where there are two, share each sweep: pair.c.
 *
 * The ledger: an object's refcount less the references found to it. What is left over is held by
 * someone we do not know: those objects hang from the pseudo node "held outside Python". */
#include "snapshot/child.h"

enum { AHEAD = 24, TURN = 1u << 14 }; /* references between asking for a cache line and reading it; that are turned together */

void ms_seed(ms_child *c, const void *object)
{
    if (!c->recording) /* no bit changes then */
        ms_mark(c, (uintptr_t)object);
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
        ms_mark_object(c, (PyObject *)a);
    }
}

/* One pass over all chunks that are this thread's. Returns how many objects it visited. */
static uint64_t sweep_round(ms_child *c)
{
    uint64_t visited = 0;
    for (ms_chunk_map *k = NULL; (k = ms_pair_next(c, k)) != NULL;) {
        uint64_t work = 2 * visited + c->marked_edges;
        for (uint32_t w = 0; w < MS_WORDS; w++) {
            uint64_t todo = ms_marks_todo(k, w);
            if (todo == 0)
                continue;
            ms_ask_ahead(k, w + 2);
            do {
                uint32_t bit = (uint32_t)__builtin_ctzll(todo);
                k->word[w].done |= 1ull << bit;
                ms_mark_object(c, (PyObject *)(k->base + ((uintptr_t)w << 10 | (uintptr_t)bit << 4)));
                visited++;
            } while ((todo = ms_marks_todo(k, w)) != 0);
        }
        k->work += (uint32_t)(2 * visited + c->marked_edges - work);
    }
    return visited;
}

/* What the second thread has marked is all marked. Returns how many objects are, and were not visited. */
static uint64_t marked_by_both(ms_child *c)
{
    uint64_t n = 0;
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, -1, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++) {
            uint64_t other = k->other[w];
            if (other) {
                k->word[w].seen |= other;
                k->other[w] = 0;
            }
            n += ms_bits(k->word[w].seen & ~k->word[w].done);
        }
    return n;
}

/* The same for the blocks that objects own, which nobody visits. */
static void owned_by_both(ms_child *c)
{
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->raw, 0, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++)
            k->word[w].seen |= k->word[w].done;
}

/* Move what is marked and not visited to the stack. */
static void stack_fill(ms_child *c)
{
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, -1, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++)
            for (uint64_t todo = k->word[w].seen & ~k->word[w].done; todo; todo &= todo - 1)
                MS_PUSH(c, c->stack, uintptr_t, k->base + ((uintptr_t)w << 10 | (uintptr_t)__builtin_ctzll(todo) << 4));
}

void ms_sweep(ms_child *c)
{
    /* A crash while an object is visited comes back here: its type is given up, and the sweep goes on. */
    if (sigsetjmp(c->again, 0) != 0 && c->again_how == MS_AGAIN_SMALL) { /* no room for the stack: rounds do without */
        uintptr_t a = (uintptr_t)c->object;
        ms_chunk_map *k = ms_marks_at(&c->marks, a);
        if (k) /* it was not looked at to its end */
            k->word[a >> 10 & (MS_WORDS - 1)].done &= ~(1ull << (a >> 4 & 63));
        c->small = true;
        c->stack_mode = false;
        ms_vec_free(&c->stack);
        ms_pair_mark_end(c);
    } else if (c->again_how && c->type_index != 0) {
        ms_type_give_up(c);
    }
    c->again_how = 0;
    c->guarded = true;
    if (!c->stack_mode) {
        uint64_t all = 0, todo = UINT64_MAX; /* not known */
        do {
            ms_pair_mark_begin(c, todo);
            all += sweep_round(c);
            all += ms_pair_mark_end(c);
            todo = marked_by_both(c);
        } while (todo && (c->small || todo > all / 64));
        owned_by_both(c);
        c->stack_mode = !c->small;
        if (c->stack_mode)
            stack_fill(c);
    }
    sweep_stack(c);
    c->guarded = false;
}

/* --- the second sweep --------------------------------------------------------------------------------- */

static void column_new(ms_child *c, ms_vec *v, size_t rows)
{
    v->room = rows * sizeof(uint32_t);
    v->used = ((size_t)c->objects + 1) * sizeof(uint32_t);
    if ((v->at = ms_sys_alloc_big(v->room)) == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
}

/* Room for the columns: those of objects, and of pseudo nodes, of which there are few. */
static void columns_new(ms_child *c)
{
    size_t rows = (size_t)c->objects + 4096;
    ms_vec *const columns[] = {&c->shape, &c->site, &c->birth};
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) /* without a recorder zeros, which take no memory until written */
        column_new(c, columns[i], rows);
    column_new(c, &c->refs, (size_t)c->objects + 1);
    c->first_room = ((size_t)c->objects + 4096) * sizeof *c->first;
    if ((c->first = ms_sys_alloc_big(c->first_room)) == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    /* The root's edges come before all others: a place for each that there may be. */
    const ms_pseudo_edge *e = MS_VEC_AT(c->pseudo_edges, ms_pseudo_edge);
    uint32_t of_root = 8 + (uint32_t)MS_VEC_N(c->statics, ms_static);
    for (size_t k = 0; k < MS_VEC_N(c->pseudo_edges, ms_pseudo_edge); k++)
        of_root += e[k].from == 0;
    ms_vec_reserve(&c->edges, (c->marked_edges + c->marked_edges / 64 + of_root + 65536) * sizeof(uint32_t));
    if (ms_vec_want(&c->edges, of_root * sizeof(uint32_t)) == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    c->edges.used = of_root * sizeof(uint32_t);
    c->turned = of_root;
    c->first[1] = of_root;
}

static void columns_free(ms_child *c)
{
    ms_vec *const arrays[] = {&c->others, &c->shape, &c->site, &c->birth, &c->refs, &c->edges, &c->kinds, &c->hints, &c->known,
                              &c->containers, &c->owned, &c->owned_large, &c->object_labels, &c->namespaces, &c->named};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        ms_vec_free(arrays[i]);
    ms_sys_free(c->first, c->first ? c->first_room : 0);
    c->first = NULL;
    c->turned = 0;
}

/* Granules become numbers, and are taken off the ledger. */
void ms_turn(ms_child *c)
{
    uint32_t *e = MS_VEC_AT(c->edges, uint32_t);
    size_t n = MS_VEC_N(c->edges, uint32_t);
    ms_chunk_map *const *chunks = MS_VEC_AT(c->marks.by_number, ms_chunk_map *);
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    for (size_t i = c->turned; i < n; i++) {
        uint32_t later = e[i + AHEAD < n ? i + AHEAD : i];
        __builtin_prefetch(&chunks[later >> MS_GRANULES]->word[later >> 6 & (MS_WORDS - 1)]);
        e[i] = ms_marks_id_of_granule(&c->marks, e[i]);
        __builtin_prefetch(&refs[e[i]], 1);
    }
    const ms_edge_kind *kind = MS_VEC_AT(c->kinds, ms_edge_kind);
    for (size_t i = 0; i < MS_VEC_N(c->kinds, ms_edge_kind); i++)
        if (e[kind[i].edge])
            e[kind[i].edge] |= kind[i].kind << 30;
    for (size_t i = c->turned; i < n; i++) {
        uint32_t id = e[i] & 0x3FFFFFFF;
        if (MS_UNLIKELY(e[i] >> 30 == MS_EDGE_WEAK)) /* holds nothing */
            continue;
        if (ms_mine_node(c, id))
            refs[id]--;
        else if (id)
            MS_PUSH(c, c->others, uint32_t, id);
    }
    c->kinds.used = 0;
    c->turned = n;
}

void ms_record_rest(ms_child *c)
{
    while (c->at) {
        while (c->at_todo) { /* the word at hand, first of all */
            uint32_t bit = (uint32_t)__builtin_ctzll(c->at_todo);
            PyObject *o = (PyObject *)(c->at->base + ((uintptr_t)c->at_word << 10 | (uintptr_t)bit << 4));
            c->at_todo &= c->at_todo - 1;
            c->id++;
            if (!c->second)
                ms_read_object(c, o);
            else if (!ms_read_simple(c, o))
                ms_pair_leave(c, o);
        }
        if (MS_VEC_N(c->edges, uint32_t) - c->turned >= TURN)
            ms_turn(c);
        if (!ms_mine(c, c->at->base))
            return;
        while (++c->at_word < MS_WORDS && c->at->word[c->at_word].seen == 0)
            ;
        if (c->at_word == MS_WORDS) {
            c->at = ms_marks_next(&c->marks, -1, c->at);
            c->at_word = UINT32_MAX;
            continue;
        }
        c->at_todo = c->at->word[c->at_word].seen;
        ms_ask_ahead(c->at, c->at_word + 2);
    }
}

void ms_record_all(ms_child *c)
{
    /* A crash while an object is read comes back here: what it left is dropped, and the sweep goes on. */
    if (sigsetjmp(c->again, 0) != 0 && c->again_how == MS_AGAIN_SMALL) {
        ms_pair_drop(c);
        /* The graph does not fit: everything that was read is forgotten, and counted instead, from the beginning. */
        columns_free(c);
        c->small = true;
        c->recording = false;
    } else if (c->again_how && c->type_index == 0) {
        ms_record_unreadable(c); /* what was taken for an object is none */
    } else if (c->again_how) {
        ms_type_give_up(c);
        c->edges.used = c->start;
        ms_record(c);
    }
    c->again_how = 0;
    c->guarded = true;
    if (!c->recording) {
        c->recording = true;
        if (!c->small)
            columns_new(c);
        c->id = 0;
        c->at = ms_marks_next(&c->marks, -1, NULL);
        c->at_word = UINT32_MAX;
        c->at_todo = 0;
        ms_pair_read_begin(c);
    }
    ms_record_rest(c);
    ms_pair_read_end(c);
    ms_record_rest(c);
    c->guarded = false;
    if (c->small)
        return;
    ms_turn(c);
    c->to = MS_VEC_AT(c->edges, uint32_t);
    c->to_room = c->edges.room;
    c->edge_count = (uint32_t)MS_VEC_N(c->edges, uint32_t);
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    refs[0] = 0;
    /* A static type is there without anybody's reference. */
    for (size_t i = 0; i < MS_VEC_N(c->named, PyObject *); i++) {
        PyObject *o = MS_VEC_AT(c->named, PyObject *)[i];
        if (PyType_Check(o) && !(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE))
            refs[ms_marks_id(&c->marks, (uintptr_t)o)]--;
    }
    /* Each instance of a heap type holds a reference to it. */
    const ms_ty *types = MS_VEC_AT(c->type_table, ms_ty);
    for (uint32_t t = 1; t < MS_VEC_N(c->type_table, ms_ty); t++)
        if (types[t].heap && types[t].type) {
            uint32_t node = ms_marks_id(&c->marks, (uintptr_t)types[t].type);
            if (node)
                refs[node] -= (int32_t)types[t].instances;
        }
}

void ms_number(ms_child *c)
{
    uint64_t n = ms_marks_rank(&c->marks);
    if (n >= 1u << 29)
        ms_child_fail(c, MS_ELIMIT, "there are more than 536,870,911 objects");
    c->objects = (uint32_t)n;
}
