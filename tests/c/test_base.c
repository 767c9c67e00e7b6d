/* test_base.c -- memory from the system: zeroed, counted, and failing when told to. */
#include "base/base.h"
#include "test.h"

static bool all_zero(const char *p, size_t n)
{
    while (n--)
        if (*p++ != 0)
            return false;
    return true;
}

static void test_alloc_is_zeroed_and_counted(void)
{
    long before = ms_sys_live();
    size_t sizes[] = {0, 1, 4095, 4096, 4097, 1 << 20};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *p = ms_sys_alloc(sizes[i]);
        EXPECT(p != NULL && all_zero(p, sizes[i]));
        EXPECT_EQ((uintptr_t)p % 4096, 0);
        EXPECT_EQ(ms_sys_live(), before + 1);
        ms_sys_free(p, sizes[i]);
        EXPECT_EQ(ms_sys_live(), before);
    }
    ms_sys_free(NULL, 7);
    EXPECT_EQ(ms_sys_live(), before);
    EXPECT(ms_sys_alloc(SIZE_MAX) == NULL);
    EXPECT(ms_sys_alloc(SIZE_MAX - 5000) == NULL);
}

/* Beside a model: the first `size` bytes are what was written, bytes gained are zero. */
static void test_resize_keeps_and_zeroes(void)
{
    enum { MOST = 40000 };
    static char model[MOST];
    size_t size = 0;
    char *p = NULL;
    long before = ms_sys_live();
    for (int step = 0; step < 2000; step++) {
        size_t next = test_below(MOST);
        char *moved = ms_sys_resize(p, size, next);
        EXPECT(moved != NULL);
        if (next > size)
            memset(model + size, 0, next - size);
        p = moved;
        size = next;
        EXPECT(memcmp(p, model, size) == 0);
        for (size_t i = 0; i < size; i += 1 + test_below(2000))
            p[i] = model[i] = (char)test_random();
    }
    EXPECT_EQ(ms_sys_live(), before + 1);
    ms_sys_free(p, size);
    EXPECT_EQ(ms_sys_live(), before);
}

static void test_fail_after_n(void)
{
    void *p[3];
    ms_sys_fail_after(2);
    for (int i = 0; i < 3; i++)
        p[i] = ms_sys_alloc(10);
    EXPECT(p[0] && p[1] && !p[2]);
    EXPECT(ms_sys_alloc(10) == NULL);
    EXPECT(ms_sys_resize(p[0], 10, 10000) == NULL); /* and the old block is still there */
    ms_sys_fail_after(-1);
    ms_sys_free(p[0], 10);
    ms_sys_free(p[1], 10);
    EXPECT_EQ(ms_sys_live(), 0);
}

static void test_errors_have_words(void)
{
    for (int e = MS_OK; e <= MS_ELIMIT; e++)
        EXPECT(strcmp(ms_err_text((ms_err)e), ms_err_text((ms_err)99)) != 0);
    ms_why_set(NULL, "%d", 1);
    ms_why why;
    ms_why_set(&why, "%02000d", 1);
    EXPECT_EQ(strlen(why.text), sizeof why.text - 1);
}

int main(void)
{
    RUN(test_alloc_is_zeroed_and_counted);
    RUN(test_resize_keeps_and_zeroes);
    RUN(test_fail_after_n);
    RUN(test_errors_have_words);
    return test_end();
}
