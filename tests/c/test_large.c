/* test_large.c -- the table of large blocks beside a list that is searched from end to end. */
#include "record/large.h"
#include "test.h"

enum { BLOCKS = 3000 };
static struct {
    uintptr_t block;
    uint64_t size, tag;
    bool there;
} model[BLOCKS];

static void addresses_make(void)
{
    for (uintptr_t k = 0; k < BLOCKS; k++) {
        model[k].there = false;
        model[k].block = k % 3 == 0   ? 0x7f1000000010u + k * 0x21000 /* malloc's own mappings */
                         : k % 3 == 1 ? 0x555500000010u + k * 8208    /* side by side in the heap */
                                      : (test_random() >> 17) << 4 | (uintptr_t)(k + 1) << 48;
    }
}

static void compare(const ms_large *t)
{
    uint32_t n = 0;
    uint64_t bytes = 0;
    for (int k = 0; k < BLOCKS; k++) {
        const ms_large_slot *s = ms_large_find(t, (void *)model[k].block);
        EXPECT_EQ(s != NULL, model[k].there);
        if (s == NULL || !model[k].there)
            continue;
        EXPECT(s->block == model[k].block && s->size == model[k].size && s->tag == model[k].tag);
        n++;
        bytes += s->size;
    }
    EXPECT_EQ(t->used, n);
    EXPECT_EQ(t->bytes, bytes);
    EXPECT_STR(ms_large_check(t) ? ms_large_check(t) : "sound", "sound");
}

static void step(ms_large *t, bool may_fail)
{
    int k = (int)test_below(BLOCKS);
    if (model[k].there) {
        if (test_below(3)) {
            ms_large_remove(t, ms_large_find(t, (void *)model[k].block));
            model[k].there = false;
        } else {
            ms_large_find(t, (void *)model[k].block)->tag = model[k].tag = test_random();
        }
        return;
    }
    uint64_t size = test_below(8) ? test_below(1 << 20) : test_random() >> 1, tag = test_random();
    ms_large_slot *s = ms_large_put(t, (void *)model[k].block, size, tag);
    EXPECT(s != NULL || may_fail);
    if (s == NULL)
        return;
    EXPECT(s == ms_large_find(t, (void *)model[k].block));
    model[k].size = size;
    model[k].tag = tag;
    model[k].there = true;
}

static void test_large_is_its_model(void)
{
    ms_large t = {0};
    addresses_make();
    for (int i = 0; i < 40000; i++) {
        step(&t, false);
        if (i % 200 == 0)
            compare(&t);
    }
    compare(&t);
    for (int k = 0; k < BLOCKS; k++)
        if (model[k].there) {
            ms_large_remove(&t, ms_large_find(&t, (void *)model[k].block));
            model[k].there = false;
        }
    compare(&t);
    EXPECT_EQ(t.bytes, 0);
    ms_sys_free(t.slot, t.size * sizeof *t.slot);
    EXPECT_EQ(ms_sys_live(), 0);
}

/* Blocks are refused before lookups grow long, when the table cannot grow. */
static void test_large_survives_every_failed_allocation(void)
{
    for (long n = 0; n < 4; n++) {
        ms_large t = {0};
        addresses_make();
        ms_sys_fail_after(n);
        for (int k = 0; k < BLOCKS; k++) {
            ms_large_slot *s = ms_large_put(&t, (void *)model[k].block, 1, 3);
            model[k].there = s != NULL;
            model[k].size = 1;
            model[k].tag = 3;
        }
        EXPECT(t.size == 0 ? t.used == 0 : t.used < t.size);
        EXPECT(n == 0 ? t.used == 0 : t.used == BLOCKS || t.used == t.size / 8 * 7);
        compare(&t);
        for (int i = 0; i < 5000; i++)
            step(&t, true);
        compare(&t);
        ms_sys_fail_after(-1);
        for (int i = 0; i < 5000; i++)
            step(&t, false);
        compare(&t);
        ms_sys_free(t.slot, t.size * sizeof *t.slot);
        EXPECT_EQ(ms_sys_live(), 0);
    }
}

int main(void)
{
    RUN(test_large_is_its_model);
    RUN(test_large_survives_every_failed_allocation);
    return test_end();
}
