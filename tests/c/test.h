/* test.h -- the whole test harness: a failed EXPECT prints its place and values, the test goes on,
 * and the program ends with status 1.
 *
 *   static void test_slab_gives_back(void) { EXPECT_EQ(ms_sys_live(), 0); }
 *   int main(void) { RUN(test_slab_gives_back); return test_end(); }
 *
 * Random tests draw from test_random(), whose seed is printed when something fails, and taken from
 * MEMSURE_TEST_SEED to repeat it. */
#ifndef MS_TEST_H
#define MS_TEST_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned test_failures;
static const char *test_name = "?";
static uint64_t test_seed, test_state;

static inline void test_failed(const char *file, int line)
{
    if (++test_failures == 100) {
        fprintf(stderr, "100 failures: the rest is not shown\n");
        exit(1);
    }
    fprintf(stderr, "%s:%d: %s: ", file, line, test_name);
}

#define EXPECT(condition)                                       \
    do {                                                        \
        if (!(condition)) {                                     \
            test_failed(__FILE__, __LINE__);                    \
            fprintf(stderr, "expected %s\n", #condition);       \
        }                                                       \
    } while (0)

#define EXPECT_EQ(got, want)                                                                        \
    do {                                                                                            \
        long long got_ = (long long)(got), want_ = (long long)(want);                               \
        if (got_ != want_) {                                                                        \
            test_failed(__FILE__, __LINE__);                                                        \
            fprintf(stderr, "%s is %lld, expected %s = %lld\n", #got, got_, #want, want_);          \
        }                                                                                           \
    } while (0)

#define EXPECT_STR(got, want)                                                                       \
    do {                                                                                            \
        const char *got_ = (got), *want_ = (want);                                                  \
        if (got_ == NULL || strcmp(got_, want_) != 0) {                                             \
            test_failed(__FILE__, __LINE__);                                                        \
            fprintf(stderr, "%s is\n  \"%s\", expected\n  \"%s\"\n", #got, got_ ? got_ : "(NULL)", want_); \
        }                                                                                           \
    } while (0)

#define RUN(test) (test_name = #test, test())

static inline uint64_t test_random(void) /* splitmix64 */
{
    if (test_state == 0) {
        const char *given = getenv("MEMSURE_TEST_SEED");
        test_seed = given ? strtoull(given, NULL, 0) : ((uint64_t)time(NULL) << 20 ^ (uint64_t)getpid());
        test_state = test_seed | 1;
    }
    uint64_t z = (test_state += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint64_t test_below(uint64_t n) /* 0 .. n-1 */
{
    return test_random() % n;
}

static inline int test_end(void)
{
    if (test_failures)
        fprintf(stderr, "%u failed; MEMSURE_TEST_SEED=%llu\n", test_failures, (unsigned long long)test_seed);
    return test_failures ? 1 : 0;
}

#endif
