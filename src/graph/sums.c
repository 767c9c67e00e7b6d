/* sums.c -- how much: by type, by birth line, of a set; and what that holds, nothing twice.
 *
 * What a group holds is the sum over its outermost members: those that no other member dominates. In
 * the walk down the dominator tree a holder covers the places begin .. end-1, and two such stretches
 * are nested or apart; so the outermost ones are found in one pass, by remembering for each group where
 * its last stretch ends. A node that holds nothing has no stretch: it is covered where its dominator's
 * place is, which is looked up among the group's stretches by halving. */
#include "graph/answer.h"
#include "graph/sort.h"

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

static inline uint32_t group_of(const ms_snap *s, ms_by by, uint32_t v)
{
    return by == MS_BY_TYPE ? ms_snap_type(s, v) : ms_snap_id(s->site, v);
}

/* Bytes and counts. By type it is enough to count the shapes. */
static ms_err sums_plain(ms_snap *s, ms_by by, bool garbage_only, ms_sum *out, ms_why *why)
{
    if (by == MS_BY_TYPE && !garbage_only) {
        enum { APART = 4 }; /* neighbours are often alike, and would wait for each other's count */
        uint32_t *n = ms_sys_alloc_big(APART * (size_t)s->n_shapes * sizeof *n);
        if (n == NULL)
            return no_memory(why);
        for (uint32_t v = 1; v <= s->objects; v++)
            n[APART * ms_snap_id(s->shape, v) + v % APART]++;
        for (uint32_t i = 0; i < s->n_shapes; i++) {
            ms_sum *o = &out[s->shape_type[i]];
            uint64_t all = 0;
            for (uint32_t k = 0; k < APART; k++)
                all += n[APART * i + k];
            o->count += all;
            o->bytes += all * s->shape_allocated[i];
            o->said += all * s->shape_said[i];
        }
        ms_sys_free(n, APART * (size_t)s->n_shapes * sizeof *n);
        return MS_OK;
    }
    for (uint32_t v = 1; v <= s->objects; v++) {
        if (garbage_only && !ms_snap_is_garbage(s, v))
            continue;
        uint32_t shape = ms_snap_id(s->shape, v);
        ms_sum *o = &out[by == MS_BY_TYPE ? s->shape_type[shape] : ms_snap_id(s->site, v)];
        o->count++;
        o->bytes += s->shape_allocated[shape];
        o->said += s->shape_said[shape];
    }
    return MS_OK;
}

static ms_err sums_retained(ms_snap *s, ms_by by, bool garbage_only, ms_sum *out, ms_why *why)
{
    uint32_t groups = by == MS_BY_TYPE ? s->n_types : s->n_sites;
    size_t one = ((size_t)groups + 1) * sizeof(uint32_t), all = ((size_t)s->n_holders + 1) * sizeof(uint32_t);
    typedef struct { uint32_t group, place; } outer;
    outer *found = ms_sys_alloc_big((size_t)s->n_holders * sizeof *found);
    uint32_t *cover = ms_sys_alloc_big(one), *start = ms_sys_alloc_big(one), *place = ms_sys_alloc_big(all), outers = 0;
    uint8_t *plain = ms_sys_alloc_big(s->n_shapes); /* by type: it has no stretch */
    ms_err err = MS_OK;
    if (found == NULL || cover == NULL || start == NULL || place == NULL || plain == NULL) {
        err = no_memory(why);
        goto done;
    }
    /* The outermost stretches of each group, and what they hold. */
    for (uint32_t q = 0; q < s->n_holders; q++) {
        uint32_t r = s->walk[q], v = s->holder[r];
        if (v == 0 || v > s->objects || (garbage_only && !ms_snap_is_garbage(s, v)))
            continue;
        uint32_t g = group_of(s, by, v);
        if (q < cover[g])
            continue;
        cover[g] = s->end[r];
        start[g + 1]++;
        found[outers++] = (outer){g, q};
        out[g].retained += s->retained[r];
        out[g].retained_said += s->retained_said[r];
    }
    for (uint32_t g = 0; g < groups; g++)
        start[g + 1] += start[g];
    for (uint32_t i = 0; i < outers; i++) /* by group, in the order of the walk; start[g] moves on */
        place[start[found[i].group]++] = found[i].place;
    /* Those without a stretch at all hold what they are. */
    for (uint32_t g = 0; g < groups; g++)
        if (start[g] == (g ? start[g - 1] : 0)) {
            out[g].retained = out[g].bytes;
            out[g].retained_said = out[g].said;
        }
    for (uint32_t i = 0; i < s->n_shapes && by == MS_BY_TYPE; i++) {
        uint32_t g = s->shape_type[i];
        plain[i] = start[g] == (g ? start[g - 1] : 0);
    }
    for (uint32_t v = 1; v <= s->objects; v++) {
        if (plain[by == MS_BY_TYPE ? ms_snap_id(s->shape, v) : 0])
            continue;
        uint32_t g = group_of(s, by, v), low = g ? start[g - 1] : 0, high = start[g];
        if (low == high || ms_snap_holds(s, v) || (garbage_only && !ms_snap_is_garbage(s, v)))
            continue;
        uint32_t at = s->begin[ms_snap_rank(s, s->idom[v])], from = low;
        while (low < high) { /* the last stretch that begins at or before it */
            uint32_t middle = (low + high) / 2;
            if (place[middle] <= at)
                low = middle + 1;
            else
                high = middle;
        }
        if (low > from && at < s->end[s->walk[place[low - 1]]])
            continue;
        out[g].retained += ms_snap_bytes(s, v);
        out[g].retained_said += ms_snap_said(s, v);
    }
done:
    ms_sys_free(found, (size_t)s->n_holders * sizeof *found);
    ms_sys_free(cover, one);
    ms_sys_free(plain, s->n_shapes);
    ms_sys_free(start, one);
    ms_sys_free(place, all);
    return err;
}

ms_err ms_sums(ms_snap *s, ms_by by, bool retained, bool garbage_only, ms_sum *out, ms_why *why)
{
    if (!garbage_only && ms_ready_sums(s, by, out))
        return MS_OK;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | (by == MS_BY_SITE ? MS_SNAP_BIRTHS : 0) |
                               (retained || garbage_only ? MS_SNAP_TREE : 0), why));
    if (garbage_only && (s->garbage == 0 || !ms_snap_holds(s, s->garbage)))
        return MS_OK; /* there is none */
    if (by == MS_BY_SITE && !ms_snap_births_seen(s))
        return MS_OK;
    MS_TRY(sums_plain(s, by, garbage_only, out, why));
    return retained ? sums_retained(s, by, garbage_only, out, why) : MS_OK;
}

/* ---- sets ---- */

ms_err ms_set_new(const ms_snap *s, ms_set *out)
{
    out->words = (size_t)s->nodes / 64 + 1;
    out->bits = ms_sys_alloc_big(out->words * 8);
    return out->bits ? MS_OK : MS_ENOMEM;
}

void ms_set_free(ms_set *set)
{
    ms_sys_free(set->bits, set->words * 8);
    *set = (ms_set){0};
}

/* The places of the walk that the holders among these nodes cover, as bits; the outermost are summed up. */
static ms_err covered(ms_snap *s, const uint32_t *node, size_t n, ms_sum *out, uint64_t **bits, ms_why *why)
{
    size_t words = (size_t)s->n_holders / 64 + 1;
    uint64_t *mark = ms_sys_alloc_big(words * 8);
    *bits = ms_sys_alloc_big(words * 8);
    if (mark == NULL || *bits == NULL) {
        ms_sys_free(mark, words * 8);
        ms_sys_free(*bits, words * 8);
        *bits = NULL;
        return no_memory(why);
    }
    for (size_t i = 0; i < n; i++)
        if (ms_snap_holds(s, node[i])) {
            uint32_t q = s->begin[ms_snap_rank(s, node[i])];
            mark[q >> 6] |= UINT64_C(1) << (q & 63);
        }
    uint32_t end = 0;
    for (size_t w = 0; w < words; w++)
        for (uint64_t left = mark[w]; left; left &= left - 1) {
            uint32_t q = (uint32_t)(w * 64) + (uint32_t)__builtin_ctzll(left), r = s->walk[q];
            if (q < end)
                continue;
            end = s->end[r];
            out->retained += s->retained[r];
            out->retained_said += s->retained_said[r];
            for (uint32_t p = q; p < end;) { /* whole words where possible */
                if ((p & 63) == 0 && end - p >= 64) {
                    (*bits)[p >> 6] = UINT64_MAX;
                    p += 64;
                } else {
                    (*bits)[p >> 6] |= UINT64_C(1) << (p & 63);
                    p++;
                }
            }
        }
    ms_sys_free(mark, words * 8);
    return MS_OK;
}

static inline bool bit(const uint64_t *bits, uint32_t q)
{
    return bits[q >> 6] >> (q & 63) & 1;
}

/* The same for a few nodes among many holders: their stretches sorted, without a bit for each place. */
enum { FEW = 256 };

static bool ascending(const void *arg, const void *a, const void *b)
{
    (void)arg;
    return *(const uint32_t *)a < *(const uint32_t *)b;
}

static void sum_few(const ms_snap *s, const uint32_t *node, size_t n, ms_sum *out)
{
    uint32_t place[FEW], end[FEW], m = 0, outer = 0;
    for (size_t i = 0; i < n; i++)
        if (ms_snap_holds(s, node[i]))
            place[m++] = s->begin[ms_snap_rank(s, node[i])];
    ms_sort(place, m, sizeof *place, ascending, NULL); /* libc's may take memory from malloc: not in a snapshot's child */
    for (uint32_t i = 0; i < m; i++) {
        uint32_t r = s->walk[place[i]];
        if (outer > 0 && place[i] < end[outer - 1])
            continue;
        out->retained += s->retained[r];
        out->retained_said += s->retained_said[r];
        place[outer] = place[i];
        end[outer++] = s->end[r];
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t v = node[i], low = 0, high = outer;
        out->bytes += ms_snap_bytes(s, v);
        out->said += ms_snap_said(s, v);
        if (ms_snap_holds(s, v))
            continue;
        uint32_t at = s->begin[ms_snap_rank(s, s->idom[v])];
        while (low < high) {
            uint32_t middle = (low + high) / 2;
            if (place[middle] <= at)
                low = middle + 1;
            else
                high = middle;
        }
        if (low > 0 && at < end[low - 1])
            continue;
        out->retained += ms_snap_bytes(s, v);
        out->retained_said += ms_snap_said(s, v);
    }
    out->count = n;
}

void ms_sum_apart(const ms_snap *s, const uint32_t *node, size_t n, ms_sum *out)
{
    ms_sum sum = {.count = n};
    for (size_t i = 0; i < n; i++) {
        uint32_t v = node[i], shape = ms_snap_id(s->shape, v);
        uint64_t bytes = s->shape_allocated[shape], said = s->shape_said[shape];
        sum.bytes += bytes;
        sum.said += said;
        if (ms_snap_holds(s, v)) {
            uint32_t r = ms_snap_rank(s, v);
            bytes = s->retained[r];
            said = s->retained_said[r];
        }
        sum.retained += bytes;
        sum.retained_said += said;
    }
    *out = sum;
}

ms_err ms_sum_of(ms_snap *s, const uint32_t *node, size_t n, ms_sum *out, ms_why *why)
{
    uint64_t *bits;
    *out = (ms_sum){0};
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_TREE, why));
    if (n == 1) {
        ms_sum_apart(s, node, 1, out);
        return MS_OK;
    }
    if (n <= FEW && s->n_holders > 16 * n) {
        sum_few(s, node, n, out);
        return MS_OK;
    }
    MS_TRY(covered(s, node, n, out, &bits, why));
    out->count = n;
    for (size_t i = 0; i < n; i++) {
        uint32_t v = node[i];
        out->bytes += ms_snap_bytes(s, v);
        out->said += ms_snap_said(s, v);
        if (!ms_snap_holds(s, v) && !bit(bits, s->begin[ms_snap_rank(s, s->idom[v])])) {
            out->retained += ms_snap_bytes(s, v);
            out->retained_said += ms_snap_said(s, v);
        }
    }
    ms_sys_free(bits, ((size_t)s->n_holders / 64 + 1) * 8);
    return MS_OK;
}

ms_err ms_places_below(ms_snap *s, const uint32_t *node, size_t n, ms_set *out, ms_why *why)
{
    ms_sum sum = {0};
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_TREE, why));
    out->words = (size_t)s->n_holders / 64 + 1;
    return covered(s, node, n, &sum, &out->bits, why);
}

ms_err ms_sum_below(ms_snap *s, const uint32_t *node, size_t n, ms_set *below, ms_why *why)
{
    uint64_t *bits;
    ms_sum sum = {0};
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_TREE, why));
    MS_TRY(covered(s, node, n, &sum, &bits, why));
    for (uint32_t v = 0; v < s->nodes; v++)
        if (bit(bits, s->begin[ms_snap_rank(s, ms_snap_holds(s, v) ? v : s->idom[v])]))
            ms_set_add(below, v);
    for (size_t i = 0; i < n; i++)
        ms_set_add(below, node[i]);
    ms_sys_free(bits, ((size_t)s->n_holders / 64 + 1) * 8);
    return MS_OK;
}
