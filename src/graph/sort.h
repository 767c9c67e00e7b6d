/* sort.h -- heapsort for rows of any kind: in place, no memory, no recursion, n log n whatever comes. */
#ifndef MS_GRAPH_SORT_H
#define MS_GRAPH_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef bool ms_before_fn(const void *arg, const void *a, const void *b); /* a stands before b */

static inline void ms_sort_sink(char *rows, uint64_t n, size_t wide, uint64_t hole, const char *row, ms_before_fn *before, const void *arg)
{
    for (uint64_t child; (child = 2 * hole + 1) < n; hole = child) {
        if (child + 1 < n && before(arg, rows + child * wide, rows + (child + 1) * wide))
            child++;
        if (!before(arg, row, rows + child * wide))
            break;
        memcpy(rows + hole * wide, rows + child * wide, wide);
    }
    memcpy(rows + hole * wide, row, wide);
}

static inline void ms_sort(void *base, uint64_t n, size_t wide, ms_before_fn *before, const void *arg)
{
    char *rows = base, row[64]; /* no row is wider */
    for (uint64_t i = n / 2; i-- > 0;) {
        memcpy(row, rows + i * wide, wide);
        ms_sort_sink(rows, n, wide, i, row, before, arg);
    }
    for (uint64_t end = n; end-- > 1;) {
        memcpy(row, rows + end * wide, wide);
        memcpy(rows + end * wide, rows, wide);
        ms_sort_sink(rows, end, wide, 0, row, before, arg);
    }
}

#endif
