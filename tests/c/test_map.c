/* test_map.c -- map.h beside a list that is searched from end to end.
 *
 * map.h has no check of its own; here one walks it: every key is where a lookup finds it, and none is
 * counted that is not there. */
#include "record/map.h"
#include "test.h"

enum { KEYS = 600 };
static uint64_t key_of[KEYS];
static uint32_t value_of[KEYS];
static bool present[KEYS];

static const char *map_check(const ms_map *m)
{
    uint32_t used = 0;
    if (m->size & (m->size - 1))
        return "the size is no power of two";
    for (uint32_t i = 0; i < m->size; i++) {
        if (m->slot[i].key == 0)
            continue;
        used++;
        if (ms_map_find(m, m->slot[i].key) != &m->slot[i])
            return "a key is not where a lookup finds it";
    }
    if (m->size && used >= m->size)
        return "no slot is empty: a lookup would not end";
    return used == m->used ? NULL : "used is not what is there";
}

static void compare(const ms_map *m)
{
    uint32_t n = 0;
    for (int k = 0; k < KEYS; k++) {
        const ms_map_slot *s = ms_map_find(m, key_of[k]);
        EXPECT_EQ(s != NULL, present[k]);
        if (s && present[k])
            EXPECT_EQ(s->value, value_of[k]);
        n += present[k];
    }
    EXPECT_EQ(m->used, n);
    EXPECT_STR(map_check(m) ? map_check(m) : "sound", "sound");
}

/* Keys as they come: neighbouring instructions, aligned blocks, small numbers, and noise. */
static void keys_make(void)
{
    for (int k = 0; k < KEYS; k++) {
        uint64_t r = test_random(), i = (uint64_t)k + 1;
        switch (k % 4) {
        case 0: key_of[k] = 0x7f0012340000u + 2 * i + 1; break;
        case 1: key_of[k] = 0x550000000000u + 65536 * i; break;
        case 2: key_of[k] = i << 32 | 1; break;
        default: key_of[k] = r | (uint64_t)1 << 63 | 2;
        }
    }
}

static void step(ms_map *m, bool may_fail)
{
    int k = (int)test_below(KEYS);
    if (present[k] && test_below(2)) {
        ms_map_remove(m, ms_map_find(m, key_of[k]));
        present[k] = false;
        return;
    }
    ms_map_slot *s = ms_map_put(m, key_of[k]);
    EXPECT(s != NULL || may_fail);
    if (s == NULL)
        return;
    EXPECT_EQ(s->value, present[k] ? value_of[k] : 0);
    s->value = value_of[k] = (uint32_t)test_random() | 1;
    present[k] = true;
}

static void test_map_is_its_model(void)
{
    ms_map m = {0};
    keys_make();
    memset(present, 0, sizeof present);
    for (int i = 0; i < 20000; i++) {
        step(&m, false);
        if (i % 20 == 0)
            compare(&m);
    }
    compare(&m);
    ms_sys_free(m.slot, m.size * sizeof *m.slot);
    EXPECT_EQ(ms_sys_live(), 0);
}

/* Runs that wrap around the end of the table, and removals in the midst of them: all keys share a home. */
static void test_map_with_one_home(void)
{
    ms_map m = {0};
    int n = 0;
    memset(present, 0, sizeof present);
    for (uint64_t x = 1; n < 60; x++)
        if (((uint32_t)ms_hash(x) & 255) >= 253)
            key_of[n++] = x;
    for (; n < KEYS; n++)
        key_of[n] = (uint64_t)1 << 60 | (uint64_t)n;
    for (int i = 0; i < 20000; i++) {
        int k = (int)test_below(60);
        ms_map_slot *s = ms_map_find(&m, key_of[k]);
        EXPECT_EQ(s != NULL, present[k]);
        if (s) {
            ms_map_remove(&m, s);
        } else if ((s = ms_map_put(&m, key_of[k])) != NULL) {
            s->value = value_of[k] = (uint32_t)i;
        }
        present[k] = !present[k];
        compare(&m);
    }
    EXPECT_EQ(m.size, 256);
    ms_sys_free(m.slot, m.size * sizeof *m.slot);
}

static void test_map_survives_every_failed_allocation(void)
{
    for (long n = 0; n < 6; n++) {
        ms_map m = {0};
        keys_make();
        memset(present, 0, sizeof present);
        ms_sys_fail_after(n);
        for (int i = 0; i < 3000; i++) {
            step(&m, true);
            if (i % 50 == 0)
                compare(&m);
        }
        ms_sys_fail_after(-1);
        compare(&m);
        for (int i = 0; i < 3000; i++) /* with memory again, all is well again */
            step(&m, false);
        compare(&m);
        ms_sys_free(m.slot, m.size * sizeof *m.slot);
        EXPECT_EQ(ms_sys_live(), 0);
    }
}

int main(void)
{
    RUN(test_map_is_its_model);
    RUN(test_map_with_one_home);
    RUN(test_map_survives_every_failed_allocation);
    return test_end();
}
