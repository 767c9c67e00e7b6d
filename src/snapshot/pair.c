/* pair.c -- a second thread sweeps half of the heap.
 *
 * Marking: the chunks are taken one by one, by the first thread from the lowest on, by the second from the highest, until they meet: both end
 * at the same time. Each has a plane of bits of its own for what it marks, anywhere; both look at both. What one comes to see
 * too late is visited in the next round. One counter is atomic: how many chunks are taken. Chunks that are first met now are made by either.
 *
 * Reading: the heap is cut at a chunk, where both have as much to do. The first thread has what lies below (and the few objects of plane 1),
 * the second one what lies above. Each writes to ledger and columns of its own objects only. References to the other's go into a
 * list, and are taken off the ledger when both have come to the end of their parts.
 *
 * There is no lock, and the result is the same for any timing.
 *
 * The second one is careful. It has an ms_child of its own, in which all that its readers make is its own; it reads objects of types
 * that are known already and whose readers are simple: no code of others', no new type, no text. All other objects, and
 * one at which it crashed, it leaves:
 *   marking   the object stays unvisited, and is visited in the next round
 *   reading   it is noted, and the first one reads it when it puts the second one's edges behind its own
 * Where the system gives no thread, or the second one no memory, the first one does all of it.
 *
 * Costs: while reading, the second one's edges once more. The rows of types and fields, copied for each round. */
#include "snapshot/child.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WORTH_CHUNKS = 16, WORTH_OBJECTS = 1 << 15, OTHERS = 64 << 20 };

static ms_vec *row_of(ms_child *c, int i) { return i == 0 ? &c->containers : i == 1 ? &c->owned : &c->owned_large; }
static const size_t row_size[] = {sizeof(ms_container), sizeof(ms_owned), sizeof(ms_owned_large)};
enum { ROWS = 3 };

/* --- the second one ---------------------------------------------------------------------------------- */

/* An ms_child like c, in which all that a reader writes is its own. NULL: no memory. */
static ms_child *second_new(ms_child *c, uintptr_t split)
{
    if (c->spare == NULL && (c->spare = ms_sys_alloc(sizeof *c)) == NULL)
        return NULL;
    ms_child *s = c->spare;
    ms_sys_free(s->type_table.at, s->type_table.room);
    ms_sys_free(s->fields.at, s->fields.room);
    char *batch = s->marks.batch;
    uint32_t batch_left = s->marks.batch_left;
    *s = *c;
    s->marks.batch = batch;
    s->marks.batch_left = batch_left;
    s->spare = s->pair = NULL;
    s->second = true;
    s->failed = false;
    s->split = split;
    s->visited = s->marked_edges = s->met = 0;
    ms_vec *const own[] = {&s->edges, &s->kinds, &s->known, &s->hints, &s->containers, &s->owned, &s->owned_large, &s->object_labels, &s->namespaces,
                           &s->named, &s->stack, &s->shape_table, &s->others, &s->others_new, &s->others_raw, &s->left, &s->type_table, &s->fields};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        *own[i] = (ms_vec){NULL, 0, 0};
    memset(&s->shapes, 0, sizeof s->shapes);
    memset(s->shape_cache, 0, sizeof s->shape_cache);
    memset(s->type_cache, 0, sizeof s->type_cache);
    memset(s->stranger, 0, sizeof s->stranger);
    void *types = ms_vec_want(&s->type_table, c->type_table.used + 1), *fields = ms_vec_want(&s->fields, c->fields.used + 1);
    if (types == NULL || fields == NULL)
        return NULL;
    memcpy(types, c->type_table.at, s->type_table.used = c->type_table.used);
    memcpy(fields, c->fields.at, s->fields.used = c->fields.used);
    ms_ty *t = types;
    for (uint32_t i = 1; i < MS_VEC_N(s->type_table, ms_ty); i++) {
        uint32_t at = (uint32_t)((uintptr_t)t[i].type >> 4 ^ (uintptr_t)t[i].type >> 13) & (MS_TYPE_CACHE - 1);
        t[i].instances = t[i].shape = 0;
        if (ms_reader_is_simple(&t[i]) && s->type_cache[at].type == NULL) {
            s->type_cache[at].type = t[i].type;
            s->type_cache[at].entry = &t[i];
        }
    }
    return s;
}

/* In the second thread, first of all: it may meet memory that cannot be read. */
static void second_begin(ms_child *s)
{
    s->thread = (pid_t)syscall(SYS_gettid);
    s->guarded = true;
}

/* Let it run. False: the first one is alone. */
static bool second_start(ms_child *c, ms_child *s, void (*run)(ms_child *))
{
    c->pair = s;
    c->split = s->split;
    c->split_first = s->split_first;
    c->split_count = s->split_count;
    ms_beside_begin(&c->beside, s, run, false);
    if (c->beside.stack != NULL)
        return true;
    c->pair = NULL;
    c->split = UINTPTR_MAX;
    c->split_count = 0;
    return false;
}

/* It has come to its end; all is the first one's again. */
static ms_child *second_end(ms_child *c)
{
    ms_child *s = c->pair;
    ms_beside_end(&c->beside);
    c->pair = NULL;
    c->split = UINTPTR_MAX;
    c->split_count = 0;
    return s;
}

/* --- before: the collector's lists ------------------------------------------------------------------- */

/* The first look at each page of the program's costs the processor half a microsecond (after a fork no page is marked as looked at).
 * The first thread has it while it goes through the collector's lists, which are in the order of addresses, up or down, as a
 * rule; so the second one looks at the pages from the other end. */
MS_ANY_MEMORY static void touch(ms_child *c)
{
    const ms_range *r = MS_VEC_AT(c->maps, ms_range);
    size_t n = MS_VEC_N(c->maps, ms_range);
    const PyGC_Head *old = &c->interp->gc.generations[NUM_GENERATIONS - 1].head;
    bool down = (old->_gc_prev & ~(uintptr_t)3) > (old->_gc_next & ~(uintptr_t)3);
    enum { STEP = 512 };
    unsigned char there[STEP];
    for (size_t i = 0; i < n; i++) {
        ms_range m = r[down ? n - 1 - i : i];
        uint64_t pages = (m.to - m.from) / MS_PAGE;
        for (uint64_t done = 0; done < pages && !c->beside.enough; done += STEP) {
            uint64_t some = pages - done < STEP ? pages - done : STEP;
            uintptr_t from = down ? m.to - (done + some) * MS_PAGE : m.from + done * MS_PAGE;
            if (mincore((void *)from, some * MS_PAGE, there) != 0)
                return;
            for (uint64_t p = 0; p < some; p++)
                if (there[p] & 1) /* others would be made */
                    (void)*(const volatile char *)(from + p * MS_PAGE);
        }
    }
}

void ms_touch_begin(ms_child *c) { ms_beside_begin(&c->beside, c, touch, false); }

static uint32_t chunks(const ms_child *c)
{
    uint32_t n = 0;
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, 0, k)) != NULL;)
        n++;
    return n;
}

static bool worth(const ms_child *c, uint64_t objects, uint32_t n_chunks)
{
    if (c->options->in_place || c->small)
        return false;
    return ms_checking() ? n_chunks >= 2 : n_chunks >= WORTH_CHUNKS && objects >= WORTH_OBJECTS;
}

/* --- marking ----------------------------------------------------------------------------------------- */

MS_COLD void ms_mark_strange(ms_child *c, uintptr_t a)
{
    if (c->second && ms_marks_chunk_beside(&c->marks, a) == NULL)
        MS_PUSH(c, c->others_new, uintptr_t, a);
    else if (c->second)
        ms_mark(c, a);
    else if (ms_chunk_want(c, &c->marks, a) != NULL)
        ms_mark(c, a);
}

ms_chunk_map *ms_pair_next(ms_child *c, const ms_chunk_map *k)
{
    uint32_t all = (uint32_t)MS_VEC_N(c->order, ms_chunk_map *);
    if (c->taken == NULL)
        return ms_marks_next(&c->marks, -1, k);
    if (__atomic_fetch_add(c->taken, 1, __ATOMIC_RELAXED) >= all)
        return NULL;
    uint32_t i = c->mine++;
    return MS_VEC_AT(c->order, ms_chunk_map *)[c->second ? all - 1 - i : i];
}

static void mark_second(ms_child *s)
{
    second_begin(s);
    (void)sigsetjmp(s->again, 0); /* a crash: the object is passed over */
    for (; !s->failed && (s->at || (s->at = ms_pair_next(s, NULL)) != NULL); s->at = NULL, s->at_word = 0) {
        uint64_t work = 2 * s->visited + s->marked_edges;
        for (; s->at_word < MS_WORDS; s->at_word++, s->met = 0) {
            ms_word *w = &s->at->word[s->at_word];
            uint64_t todo;
            if (ms_marks_todo(s->at, s->at_word))
                ms_ask_ahead(s->at, s->at_word + 2);
            while ((todo = ms_marks_todo(s->at, s->at_word) & ~s->met) != 0) {
                uint64_t bit = todo & -todo;
                s->met |= bit;
                if (ms_mark_simple(s, (PyObject *)(s->at->base + ((uintptr_t)s->at_word << 10 | (uintptr_t)__builtin_ctzll(bit) << 4)))) {
                    w->done |= bit;
                    s->visited++;
                }
            }
        }
        s->at->work += (uint32_t)(2 * s->visited + s->marked_edges - work);
    }
}

/* Types that the second one did not know become known by one of their objects each. */
static void strangers_mark(ms_child *c)
{
    for (uint32_t i = 0; i < MS_STRANGERS; i++) {
        uintptr_t a = (uintptr_t)c->stranger[i];
        c->stranger[i] = NULL;
        ms_word *w = a ? &ms_marks_at(&c->marks, a)->word[a >> 10 & (MS_WORDS - 1)] : NULL;
        uint64_t bit = 1ull << (a >> 4 & 63);
        if (w == NULL || w->done & bit)
            continue;
        w->done |= bit;
        ms_mark_object(c, (PyObject *)a);
    }
}

void ms_pair_mark_begin(ms_child *c, uint64_t todo)
{
    if (c->pair)
        return;
    strangers_mark(c);
    c->order.used = 0;
    if (!worth(c, todo, chunks(c)) || ms_vec_want(&c->order, MS_VEC_N(c->marks.by_number, ms_chunk_map *) * sizeof(ms_chunk_map *)) == NULL)
        return;
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, -1, k)) != NULL;) {
        MS_PUSH(c, c->order, ms_chunk_map *, k);
        if ((k->base & 8) == 0)
            (void)ms_chunk_want(c, &c->raw, k->base); /* the second one makes none */
    }
    ms_child *s = second_new(c, UINTPTR_MAX);
    if (s == NULL)
        return;
    s->at = NULL;
    s->at_word = 0;
    c->mine = s->mine = c->all_taken = 0;
    c->taken = s->taken = &c->all_taken;
    if (!second_start(c, s, mark_second))
        c->taken = NULL;
}

uint64_t ms_pair_mark_end(ms_child *c)
{
    if (c->pair == NULL)
        return 0;
    ms_child *s = c->pair;
    ms_beside_end(&c->beside);
    c->taken = NULL;
    memcpy(c->stranger, s->stranger, sizeof c->stranger);
    ms_err err = ms_marks_number(&c->marks);
    if (err != MS_OK)
        ms_child_fail(c, err, err == MS_ELIMIT ? MS_TOO_WIDE : NULL);
    for (size_t k = 0; k < MS_VEC_N(s->others_new, uintptr_t); k++)
        ms_mark(c, MS_VEC_AT(s->others_new, uintptr_t)[k]);
    for (size_t k = 0; k < MS_VEC_N(s->others_raw, uintptr_t); k++) {
        uintptr_t a = MS_VEC_AT(s->others_raw, uintptr_t)[k];
        ms_chunk_map *m = ms_chunk_want(c, &c->raw, a);
        if (m)
            m->word[a >> 10 & (MS_WORDS - 1)].seen |= 1ull << (a >> 4 & 63);
    }
    ms_vec_free(&s->others_new); /* only now: without memory it is all done once more */
    ms_vec_free(&s->others_raw);
    ms_vec_free(&c->order);
    c->marked_edges += s->marked_edges;
    c->pair = NULL;
    return s->visited;
}

/* --- reading ----------------------------------------------------------------------------------------- */

void ms_pair_leave(ms_child *s, PyObject *o)
{
    for (int i = 0; i < ROWS; i++) { /* what was noted of it already */
        ms_vec *v = row_of(s, i);
        while (v->used && *(const uint32_t *)(const void *)(v->at + v->used - row_size[i]) == s->id)
            v->used -= row_size[i];
    }
    s->edges.used = s->start;
    s->first[s->id + 1] = (uint32_t)MS_VEC_N(s->edges, uint32_t);
    MS_PUSH(s, s->left, ms_left, (ms_left){o, s->id, (uint32_t)MS_VEC_N(s->edges, uint32_t), 0});
}

static void read_second(ms_child *s)
{
    second_begin(s);
    if (sigsetjmp(s->again, 0) != 0 && !s->failed) /* a crash */
        ms_pair_leave(s, s->object);
    if (s->failed)
        return;
    ms_record_rest(s);
    ms_turn(s);
}

void ms_pair_read_begin(ms_child *c)
{
    if (!worth(c, c->objects, chunks(c)))
        return;
    /* Cut where both have as much to do. */
    ms_chunk_map *k = NULL, *next, *behind;
    uint64_t all = 0, before = 0;
    while ((k = ms_marks_next(&c->marks, 0, k)) != NULL)
        all += k->work;
    while ((next = ms_marks_next(&c->marks, 0, k)) != NULL && (k == NULL || before < all / 2)) {
        before += next->work;
        k = next;
    }
    if (next == NULL)
        return;
    ms_child *s = second_new(c, next->base);
    if (s == NULL)
        return;
    behind = ms_marks_next(&c->marks, 1, NULL);
    s->split_first = s->id = next->word[0].rank;
    s->split_count = (behind ? behind->word[0].rank : c->objects) - s->split_first;
    s->at = next;
    s->turned = 0;
    ms_vec_reserve(&s->edges, (c->marked_edges / 2 + c->marked_edges / 8 + 65536) * sizeof(uint32_t));
    ms_vec_reserve(&s->others, c->marked_edges * sizeof(uint32_t));
    ms_vec_reserve(&c->others, c->marked_edges * sizeof(uint32_t));
    c->left_read = 0;
    /* Shape 0 is none. */
    MS_PUSH(c, s->shape_table, ms_shape, (ms_shape){0, 0, 0});
    second_start(c, s, read_second);
}

/* References to the other's objects, which both have noted. */
static void others_take(ms_child *c, ms_vec *others)
{
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    const uint32_t *id = MS_VEC_AT(*others, uint32_t);
    for (size_t i = 0; i < MS_VEC_N(*others, uint32_t); i++)
        refs[id[i]]--;
    ms_vec_free(others);
}

void ms_pair_drop(ms_child *c)
{
    if (c->pair == NULL)
        return;
    ms_child *s = second_end(c);
    ms_vec *const made[] = {&s->edges, &s->kinds, &s->others, &s->left, &s->namespaces, &s->shape_table, &s->stack, &c->left_edges,
                            row_of(s, 0), row_of(s, 1), row_of(s, 2)};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        ms_vec_free(made[i]);
}

/* The second one's rows, and those of the objects that it left, in the order of objects. */
static void rows_merge(ms_child *c, ms_vec *to, size_t from, ms_vec *more, size_t size)
{
    ms_vec left = {NULL, 0, 0};
    size_t n = to->used - from;
    char *copy = ms_vec_want(&left, n + 1), *room = ms_vec_want(to, more->used + 1);
    if (copy == NULL || room == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    memcpy(copy, to->at + from, n);
    const char *a = copy, *a_end = copy + n, *b = more->at, *b_end = more->at + more->used;
    to->used = from;
    while (a < a_end || b < b_end) {
        uint32_t x = a < a_end ? *(const uint32_t *)(const void *)a : UINT32_MAX, y = b < b_end ? *(const uint32_t *)(const void *)b : UINT32_MAX;
        const char **next = x < y ? &a : &b;
        memcpy(to->at + to->used, *next, size);
        to->used += size;
        *next += size;
    }
    ms_vec_free(&left);
    ms_vec_free(more);
}

static uint32_t part_begin(const ms_child *s, uint32_t i) { return s->split_first + 1 + (uint32_t)((uint64_t)s->split_count * i / MS_PARTS); }

/* Part i of the second one's objects: their edges go behind the first one's, with those of the objects that it left among them; their
 * shapes get the first one's numbers (s->stack). */
static void take_over_part(ms_child *c, uint32_t i)
{
    ms_child *s = c->pair;
    uint32_t *shape = MS_VEC_AT(c->shape, uint32_t), *first = c->first, *to = MS_VEC_AT(c->edges, uint32_t);
    const uint32_t *shape_of = MS_VEC_AT(s->stack, uint32_t), *edges = MS_VEC_AT(s->edges, uint32_t), *left_edges = MS_VEC_AT(c->left_edges, uint32_t);
    const ms_left *left = MS_VEC_AT(s->left, ms_left);
    uint32_t id = part_begin(s, i), last = part_begin(s, i + 1) - 1, at = c->part_at[i], n = (uint32_t)MS_VEC_N(s->left, ms_left), k = 0;
    for (uint32_t hi = n; k < hi;) { /* the first one left that is not before */
        uint32_t mid = (k + hi) / 2;
        if (left[mid].id < id)
            k = mid + 1;
        else
            hi = mid;
    }
    for (; id <= last; k++) {
        bool one = k < n && left[k].id <= last;
        uint32_t before = k ? left[k - 1].end : c->own_edges, next = one ? left[k].id : last + 1;
        uint32_t end = one ? left[k].at : first[next];
        if (end > at)
            memcpy(to + before + at, edges + at, (end - at) * sizeof *to);
        for (; id < next; id++) {
            first[id + 1] += before;
            shape[id] = shape_of[shape[id]];
        }
        at = end;
        if (one) {
            memcpy(to + before + at, left_edges + (before - c->own_edges), (left[k].end - before) * sizeof *to);
            first[++id] = left[k].end + at;
        }
    }
}

static void take_over(ms_child *c)
{
    for (uint32_t i; (i = __atomic_fetch_add(&c->parts_taken, 1, __ATOMIC_RELAXED)) < MS_PARTS;)
        take_over_part(c, i);
}

/* Room for that, and what both need to know. The edges of the objects that were left lie behind the first one's own until then. */
static void take_over_begin(ms_child *c)
{
    ms_child *s = c->pair;
    size_t left = c->edges.used - c->own_edges * sizeof(uint32_t);
    void *copy = ms_vec_want(&c->left_edges, left + 1);
    if (copy == NULL || ms_vec_want(&c->edges, s->edges.used + 1) == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    if (left)
        memcpy(copy, c->edges.at + c->own_edges * sizeof(uint32_t), left);
    for (uint32_t i = 0; i < MS_PARTS; i++)
        c->part_at[i] = part_begin(s, i) > s->split_first + 1 ? c->first[part_begin(s, i)] : 0;
    c->parts_taken = 0;
    c->edges.used += s->edges.used;
    c->turned = MS_VEC_N(c->edges, uint32_t);
    ms_beside_begin(&c->beside, c, take_over, false);
}

void ms_pair_read_end(ms_child *c)
{
    ms_child *s = c->pair;
    if (s == NULL)
        return;
    ms_beside_end(&c->beside);
    if (s->failed) {
        memset(MS_VEC_AT(c->refs, int32_t) + s->split_first + 1, 0, s->split_count * sizeof(int32_t));
        ms_pair_drop(c);
        others_take(c, &c->others);
        return;
    }
    uint32_t *shape_of = (uint32_t *)(void *)s->stack.at;
    if (shape_of == NULL) { /* the first time */
        size_t n = MS_VEC_N(s->shape_table, ms_shape);
        if ((shape_of = ms_vec_want(&s->stack, (n + 1) * sizeof *shape_of)) == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        for (size_t i = 1; i < n; i++) {
            const ms_shape *o = &MS_VEC_AT(s->shape_table, ms_shape)[i];
            shape_of[i] = ms_shape_find(c, o->type, o->said, o->allocated);
        }
        for (int i = 0; i < ROWS; i++)
            c->own_rows[i] = row_of(c, i)->used;
        c->own_edges = (uint32_t)MS_VEC_N(c->edges, uint32_t);
    }
    ms_left *left = MS_VEC_AT(s->left, ms_left);
    for (;;) {
        if (c->left_read) { /* after a crash ms_record_all() has completed it */
            ms_left *read = &left[c->left_read - 1];
            read->end = (uint32_t)MS_VEC_N(c->edges, uint32_t);
            c->first[read->id + 1] = read->at;
        }
        if (c->left_read == MS_VEC_N(s->left, ms_left))
            break;
        const ms_left *next = &left[c->left_read++];
        c->id = next->id;
        ms_read_object(c, next->object); /* may crash */
    }
    ms_turn(c);
    take_over_begin(c);
    others_take(c, &s->others);
    others_take(c, &c->others);
    for (int i = 0; i < ROWS; i++)
        rows_merge(c, row_of(c, i), c->own_rows[i], row_of(s, i), row_size[i]);
    for (size_t i = 0; i < MS_VEC_N(s->namespaces, PyObject *); i++)
        MS_PUSH(c, c->namespaces, PyObject *, MS_VEC_AT(s->namespaces, PyObject *)[i]);
    ms_ty *types = MS_VEC_AT(c->type_table, ms_ty);
    for (uint32_t i = 1; i < MS_VEC_N(s->type_table, ms_ty); i++)
        types[i].instances += MS_VEC_AT(s->type_table, ms_ty)[i].instances;
    take_over(c);
    ms_beside_end(&c->beside);
    c->id = s->id;
    c->at = ms_marks_next(&c->marks, 1, NULL);
    c->at_word = UINT32_MAX;
    c->at_todo = 0;
    ms_pair_drop(c);
}
