/* test_site.c -- the tables of who allocates, beside lists that are searched from end to end.
 *
 * The tables are the process's own, once; so each test runs in a child of its own, in private memory. */
#include "record/map.h"
#include "record/site.h"
#include "test.h"

#include <sys/wait.h>

static void alone(const char *name, void (*test)(void))
{
    test_random(); /* one seed for all: each child draws on from here */
    test_name = name;
    pid_t pid = fork();
    if (pid == 0) {
        test_failures = 0;
        EXPECT_EQ(ms_live_open(NULL), MS_OK);
        EXPECT_EQ(ms_site_init(), MS_OK);
        ms_area.mode = MS_MODE_EXACT; /* tallies are of nodes, so that both are used */
        test();
        _exit(test_failures != 0);
    }
    int status = -1;
    if (waitpid(pid, &status, 0) != pid || status != 0) {
        test_failed(__FILE__, __LINE__);
        fprintf(stderr, "ended with status %#x\n", (unsigned)status);
    }
}
#define ALONE(test) alone(#test, test)

static void sound(void)
{
    const char *why = ms_site_check();
    EXPECT_STR(why ? why : "sound", "sound");
}

/* ---- the model: each table is what was asked for, once, in the order it first was ---- */

enum { MOST = 3000 };
static struct {
    char text[MOST][24];
    uint32_t text_at[MOST], ntext;
    uint32_t code[MOST][4], ncode;
    int32_t  site[MOST][5];
    uint32_t nsite, node[MOST][2], nnode, tally[MOST][2], ntally;
} model;

static void model_begin(void)
{
    memset(&model, 0, sizeof model);
    model.ncode = ms_area.table[MS_T_CODE].used;
    model.nsite = ms_area.table[MS_T_SITE].used;
    model.nnode = ms_area.table[MS_T_NODE].used;
    model.ntally = ms_area.table[MS_T_TALLY].used;
    memcpy(model.code, ms_area.code, model.ncode * sizeof model.code[0]);
    for (uint32_t i = 0; i < model.nsite; i++)
        memcpy(model.site[i], &ms_area.site[i], sizeof model.site[0]);
}

#define FIND(table, n, want)                                                        \
    uint32_t at = 0;                                                                \
    for (uint32_t i = 1; i < (n) && !at; i++)                                       \
        if (memcmp((table)[i], (want), sizeof(table)[0]) == 0)                      \
            at = i;

/* got is right when it is the entry the model knows, or the next one; 0 only where memory may fail. */
static bool known_or_next(uint32_t got, uint32_t at, uint32_t *n, bool may_fail)
{
    if (got == 0 && may_fail)
        return false;
    EXPECT_EQ(got, at ? at : *n);
    if (at || got != *n)
        return false;
    ++*n;
    return true;
}

static void step(bool may_fail)
{
    switch (test_below(5)) {
    case 0: {
        char text[24];
        size_t length = (size_t)snprintf(text, sizeof text, "t%llu", (unsigned long long)test_below(model.ntext < MOST - 9 ? 400 : 10));
        if (test_below(20) == 0)
            length = 1; /* a text that others begin with */
        text[length] = 0;
        uint32_t got = ms_text_intern(text, length), at = 0, i = 0;
        for (; i < model.ntext && !at; i++)
            if (strcmp(model.text[i], text) == 0)
                at = model.text_at[i];
        if (got == 0) {
            EXPECT(may_fail);
            break;
        }
        EXPECT_STR(ms_area.text + got, text);
        EXPECT(at == 0 || at == got);
        if (at == 0 && model.ntext < MOST) {
            strcpy(model.text[model.ntext], text);
            model.text_at[model.ntext++] = got;
        }
        break;
    }
    case 1: {
        uint32_t w[4] = {1 + (uint32_t)test_below(3), 1 + (uint32_t)test_below(3), (uint32_t)test_below(9) - 2, (uint32_t)test_below(2)};
        FIND(model.code, model.ncode, w)
        if (known_or_next(ms_code_intern(w[0], w[1], (int32_t)w[2], w[3]), at, &model.ncode, may_fail))
            memcpy(model.code[model.ncode - 1], w, sizeof w);
        break;
    }
    case 2: {
        int32_t w[5] = {(int32_t)test_below(model.ncode), (int32_t)test_below(5), (int32_t)test_below(5), (int32_t)test_below(3) - 1, (int32_t)test_below(2) - 1};
        if (model.nsite == MOST)
            break;
        FIND(model.site, model.nsite, w)
        if (known_or_next(ms_site_intern((uint32_t)w[0], w[1], w[2], w[3], w[4]), at, &model.nsite, may_fail))
            memcpy(model.site[model.nsite - 1], w, sizeof w);
        break;
    }
    case 3: {
        uint32_t w[2] = {(uint32_t)test_below(model.nnode), (uint32_t)test_below(30) % model.nsite};
        if (model.nnode == MOST)
            break;
        FIND(model.node, model.nnode, w)
        if (known_or_next(ms_node_intern(w[0], w[1]), at, &model.nnode, may_fail))
            memcpy(model.node[model.nnode - 1], w, sizeof w);
        break;
    }
    default: {
        uint32_t w[2] = {(uint32_t)test_below(model.nnode), 16 * (uint32_t)test_below(4)};
        if (model.ntally == MOST)
            break;
        FIND(model.tally, model.ntally, w)
        if (known_or_next(ms_tally_intern(w[0], w[1]), at, &model.ntally, may_fail)) {
            memcpy(model.tally[model.ntally - 1], w, sizeof w);
            ms_area.count[model.ntally - 1].live = 3; /* must not be lost */
        }
    }
    }
}

static void compare(void)
{
    EXPECT_EQ(ms_area.table[MS_T_CODE].used, model.ncode);
    EXPECT_EQ(ms_area.table[MS_T_SITE].used, model.nsite);
    EXPECT_EQ(ms_area.table[MS_T_NODE].used, model.nnode);
    EXPECT_EQ(ms_area.table[MS_T_TALLY].used, model.ntally);
    EXPECT(memcmp(ms_area.code + 1, model.code + 1, (model.ncode - 1) * sizeof model.code[0]) == 0);
    uint64_t live = 0;
    for (uint32_t i = 1; i < model.nsite; i++)
        EXPECT(memcmp(&ms_area.site[i], model.site[i], sizeof model.site[i]) == 0);
    for (uint32_t i = 1; i < model.nnode; i++)
        EXPECT(memcmp(&ms_area.node[i], model.node[i], sizeof model.node[i]) == 0);
    for (uint32_t i = 1; i < model.ntally; i++) {
        EXPECT(ms_area.tally[i].owner == model.tally[i][0] && ms_area.tally[i].stride == model.tally[i][1]);
        EXPECT_EQ(ms_area.count[i].live, 3);
        if (model.node[model.tally[i][0]][1] != MS_SITE_NO_GIL)
            live += 3u * model.tally[i][1];
    }
    ms_area.live_bytes = live;
    for (uint32_t i = 0; i < model.ntext; i++)
        EXPECT_STR(ms_area.text + model.text_at[i], model.text[i]);
    sound();
}

static void test_tables_are_their_model(void)
{
    model_begin();
    for (int i = 0; i < 6000; i++) {
        step(false);
        if (i % 200 == 0)
            compare();
    }
    compare();
}

/* Entries that found no memory are refused, and none is lost or made twice; later they are made. */
static void test_tables_survive_every_failed_allocation(void)
{
    model_begin();
    for (long n = 0; n < 12; n++) {
        ms_sys_fail_after(n % 3);
        for (int i = 0; i < 300; i++)
            step(true);
        ms_sys_fail_after(-1);
        compare();
        for (int i = 0; i < 300; i++)
            step(false);
        compare();
    }
}

static void test_start_survives_every_failed_allocation(void)
{
    for (long n = 0; n < 3; n++) {
        pid_t pid = fork();
        if (pid == 0) {
            ms_live_open(NULL);
            ms_sys_fail_after(n);
            _exit(ms_site_init() == MS_ENOMEM ? 0 : 1);
        }
        int status = -1;
        EXPECT(waitpid(pid, &status, 0) == pid);
        EXPECT_EQ(status, 0);
    }
}

/* ---- the edges ---- */

static void test_full_tables_refuse(void)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < MS_CODE_MAX + 100; i++)
        made += ms_code_intern(1, 1, (int32_t)i, 0) != 0;
    EXPECT(ms_area.table[MS_T_CODE].used == MS_CODE_MAX && made <= MS_CODE_MAX);
    EXPECT(ms_code_intern(1, 1, 5, 0) != 0); /* what is there is found on */
    EXPECT_EQ(ms_code_intern(1, 1, -5, 0), 0);
    EXPECT_EQ(ms_code_intern(1, 1, -5, 0), 0); /* and a refusal leaves nothing behind */
    EXPECT_EQ(ms_area.table[MS_T_CODE].backed, MS_CODE_MAX);

    char text[4000];
    memset(text, 'x', sizeof text);
    uint32_t texts = 0, last = 1;
    for (uint32_t i = 0; i < MS_TEXT_MAX / 4000 + 50; i++) {
        memcpy(text, &i, sizeof i);
        for (size_t k = 0; k < sizeof i; k++)
            text[k] |= 64; /* no NUL; equal ones are found again */
        text[4] = (char)('0' + i % 64), text[5] = (char)('0' + i / 64 % 64), text[6] = (char)('0' + i / 4096);
        last = ms_text_intern(text, sizeof text);
        texts += last != 0;
    }
    EXPECT(last == 0 && texts >= MS_TEXT_MAX / 4001 - 1);
    EXPECT(ms_area.table[MS_T_TEXT].used <= MS_TEXT_MAX);
    EXPECT(ms_text_intern("short", 5) != 0 || MS_TEXT_MAX - ms_area.table[MS_T_TEXT].used < 6);
    sound();
}

static void test_long_texts_are_cut_between_characters(void)
{
    char text[5000];
    memset(text, 'a', sizeof text);
    uint32_t one = ms_text_intern(text, 4999);
    EXPECT_EQ(strlen(ms_area.text + one), 4000);
    EXPECT_EQ(ms_text_intern(text, 4000), one);
    for (int lead = 0; lead < 4; lead++) { /* characters of three bytes, at any distance from the cut */
        memset(text, 'b' + lead, (size_t)lead);
        for (int i = lead; i + 3 <= 5000; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 3);
        uint32_t cut = ms_text_intern(text, 4900);
        size_t length = strlen(ms_area.text + cut);
        EXPECT(cut && length <= 4000 && length > 4000 - 3);
        EXPECT_EQ((length - (size_t)lead) % 3, 0);
        EXPECT_EQ(ms_text_intern(text, 4900), cut);
    }
    EXPECT_EQ(strlen(ms_area.text + ms_text_intern("", 0)), 0);
    EXPECT(ms_text_intern("", 0) != 0);
}

/* Blocks made without the GIL are counted apart from the process's sums. */
static void test_check_knows_the_blocks_without_the_gil(void)
{
    ms_area.mode = MS_MODE_LINE;
    uint32_t t = ms_tally_intern(MS_SITE_NO_GIL, 56);
    ms_area.count[t].live = 3;
    sound();
    ms_area.count[ms_tally_intern(MS_SITE_NO_FRAME, 56)].live = 3;
    EXPECT(ms_site_check() != NULL);
}

static void test_check_knows_the_paths_without_the_gil(void)
{
    ms_area.count[ms_tally_intern(ms_node_intern(0, MS_SITE_NO_GIL), 40)].live = 3;
    sound();
}

static void test_check_names_what_is_broken(void)
{
    uint32_t text = ms_text_intern("f", 1), code = ms_code_intern(text, text, 1, 0), site = ms_site_intern(code, 1, 1, 0, 1);
    uint32_t node = ms_node_intern(0, site), tally = ms_tally_intern(node, 48);
    sound();
#define BREAK(place, value)                     \
    do {                                        \
        __typeof__(place) kept_ = (place);      \
        (place) = (value);                      \
        EXPECT(ms_site_check() != NULL);        \
        (place) = kept_;                        \
        sound();                                \
    } while (0)
    BREAK(ms_area.code[code].file, ms_area.table[MS_T_TEXT].used);
    BREAK(ms_area.code[code].function, UINT32_MAX);
    BREAK(ms_area.site[site].code, ms_area.table[MS_T_CODE].used);
    BREAK(ms_area.node[node].parent, node);
    BREAK(ms_area.node[node].site, UINT32_MAX);
    BREAK(ms_area.tally[tally].owner, UINT32_MAX);
    BREAK(ms_area.count[tally].live, 1);
    BREAK(ms_area.live_bytes, 1);
}

int main(void)
{
    ALONE(test_tables_are_their_model);
    ALONE(test_tables_survive_every_failed_allocation);
    RUN(test_start_survives_every_failed_allocation);
    ALONE(test_full_tables_refuse);
    ALONE(test_long_texts_are_cut_between_characters);
    ALONE(test_check_knows_the_blocks_without_the_gil);
    ALONE(test_check_knows_the_paths_without_the_gil);
    ALONE(test_check_names_what_is_broken);
    return test_end();
}
