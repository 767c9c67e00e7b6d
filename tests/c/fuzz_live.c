/* fuzz_live.c -- any bytes in a live file: the monitor may refuse them, it may not crash, and what it
 * writes down is a sound recording.
 *
 *     fuzz_live SECONDS
 *
 * A live file of this process is made with a few entries in each table, then some of its words are
 * overwritten, or the file is cut; the monitor takes it up, looks at it, and writes its last recording.
 * (The file may not be cut within its head: that is mapped, and only its maker could do it.) */
#include "monitor/watch.h"
#include "record/site.h"
#include "store/store.h"
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { ENTRIES = 40 };
static char folder[64] = "/dev/shm/memsure-fuzz-XXXXXX", live[128], recording[128];

static const struct { size_t offset, size; } region[] = {
    {0, offsetof(ms_live, count)},
    {offsetof(ms_live, live_bytes), offsetof(ms_live, count) - offsetof(ms_live, live_bytes)},
    {offsetof(ms_live, table), sizeof(((ms_live *)0)->table)},
    {offsetof(ms_live, count), ENTRIES * sizeof(ms_count)},
    {offsetof(ms_live, tally), ENTRIES * sizeof(ms_tally)},
    {offsetof(ms_live, extra), ENTRIES * sizeof(ms_extra)},
    {offsetof(ms_live, site), ENTRIES * sizeof(ms_site)},
    {offsetof(ms_live, code), ENTRIES * sizeof(ms_code)},
    {offsetof(ms_live, node), ENTRIES * sizeof(ms_node)},
    {offsetof(ms_live, thread), 4 * sizeof(ms_thread)},
    {offsetof(ms_live, gc), 8 * sizeof(ms_gc)},
    {offsetof(ms_live, text), 1024},
};

static void seed(ms_live *a)
{
    static const uint32_t used[MS_TABLES] = {ENTRIES, ENTRIES, ENTRIES, ENTRIES, 3, 900, ENTRIES, ENTRIES / 2};
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    memcpy(a->magic, MS_LIVE_MAGIC, 8);
    a->version = MS_LIVE_VERSION;
    a->size = sizeof *a;
    a->mode = MS_MODE_LINE + (uint32_t)test_below(2);
    a->started = MS_STARTED_PRELOAD;
    a->pid = (uint32_t)getpid();
    a->start_ns = (uint64_t)t.tv_sec * 1000000000u;
    a->live_bytes = a->peak_bytes = 1 << 20;
    strcpy(a->python, "3.13");
    for (int i = 0; i < MS_TABLES; i++)
        a->table[i] = (ms_table){used[i], used[i] < 64 ? 64 : 4096};
    for (uint32_t i = 1; i < 900; i++)
        a->text[i] = i % 9 ? (char)('a' + i % 26) : 0;
    for (uint32_t i = 1; i < ENTRIES; i++) {
        a->code[i] = (ms_code){9 * i % 800 + 1, 9 * i % 700 + 1, 3, i < 5};
        a->site[i] = (ms_site){i, (int32_t)i, (int32_t)i + 1, 0, 5};
        a->node[i] = (ms_node){.parent = i / 2, .site = i, .samples = i, .blocks = i, .bytes = 64.0 * i, .variance = i, .live_bytes = i};
        a->tally[i] = (ms_tally){.stride = i % 3 ? 48 : 0, .owner = i, .extra = i < ENTRIES / 2 ? i * (uint32_t)sizeof(ms_extra) : 0};
        a->extra[i] = (ms_extra){.live_bytes = i % 3 ? 0 : 9000, .older = {1}};
        a->count[i] = (ms_count){.live = i, .young = i};
    }
    for (int i = 0; i < 3; i++)
        a->thread[i] = (ms_thread){.id = (uint64_t)getpid() + (uint64_t)i, .samples = 4, .bytes = 1e6};
    for (uint32_t i = 0; i < 8; i++)
        a->gc[i] = (ms_gc){a->start_ns + i, a->start_ns + i + 5, 3, 0, 99, i % 3, 1, i, 0};
    a->gc_used = 8;
    a->ended = (uint32_t)test_below(3);
    a->ready = 1;
}

static void damage(ms_live *a)
{
    static const uint64_t odd[] = {0, 1, 2, 39, 40, 63, 64, 0x7fffffff, 0x80000000, UINT32_MAX, INT64_MAX, UINT64_MAX};
    for (uint64_t times = test_below(12); times > 0; times--) {
        size_t r = test_below(sizeof region / sizeof *region), at = region[r].offset + test_below(region[r].size - 8);
        uint64_t v = test_below(2) ? odd[test_below(sizeof odd / sizeof *odd)] : test_random();
        bool word = test_below(4) != 0;
        memcpy((char *)a + (word ? at & ~(size_t)3 : at), &v, word ? 4 + 4 * test_below(2) : 1);
    }
    if (test_below(8)) { /* else refused at the door */
        memcpy(a->magic, MS_LIVE_MAGIC, 8);
        a->version = MS_LIVE_VERSION;
        a->size = sizeof *a;
        a->pid = (uint32_t)getpid();
        a->ready = 1;
    }
}

static bool look(void)
{
    static char *const words[] = {"fuzz_live", NULL};
    static const ms_run_ask ask = {.argv = words, .session = recording, .mode = "line", .children = true};
    static void *buffer;
    ms_session *s = ms_sys_alloc(sizeof *s);
    s->ask = &ask;
    s->buffer = buffer = buffer ? buffer : ms_sys_alloc(MS_BUFFER);
    s->live_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    strcpy(s->live, folder);
    s->main_pid = s->first_pid = getpid();
    ms_watch_scan(s);
    bool taken = s->nprocess > 0;
    if (taken) {
        ms_process *p = s->process[0];
        ms_why why = {""};
        if (test_below(4) == 0 && ftruncate(p->fd, (off_t)(offsetof(ms_live, count) + test_below(sizeof(ms_live) - offsetof(ms_live, count)))) != 0)
            EXPECT(false);
        uint64_t now = ms_clock_ns();
        (void)ms_tally_read(s, p, NULL, 0);
        (void)ms_curves_add(s, p, now);
        ms_events_read(p);
        ms_proc_threads(p);
        ms_timeline_add(p, now);
        p->gone = test_below(2);
        if (ms_write_process(s, p, recording, test_below(2), now, &why) == MS_OK) {
            ms_file *f = NULL;
            EXPECT_EQ(ms_file_open(recording, &why, &f), MS_OK);
            if (f) {
                EXPECT(ms_file_verify(f) == NULL);
                ms_file_close(f);
            }
            unlink(recording);
        } else {
            EXPECT(why.text[0] != '\0');
        }
        ms_process_free(p);
    }
    ms_sys_free(s->process, s->process_room * sizeof *s->process);
    ms_sys_free(s->taken.slot, s->taken.size * sizeof *s->taken.slot);
    close(s->live_fd);
    ms_sys_free(s, sizeof *s);
    return taken;
}

int main(int argc, char **argv)
{
    unsigned long long runs = 0, taken = 0;
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 2);
    test_name = "fuzz_live";
    if (mkdtemp(folder) == NULL && mkdtemp(strcpy(folder, "/tmp/memsure-fuzz-XXXXXX")) == NULL)
        return 1;
    snprintf(live, sizeof live, "%s/%ld-1.live", folder, (long)getpid());
    snprintf(recording, sizeof recording, "%s/recording", folder);
    while (test_failures == 0 && time(NULL) < end) {
        int fd = open(live, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ms_live *a = fd >= 0 && ftruncate(fd, sizeof *a) == 0 ? mmap(NULL, sizeof *a, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
        if (a == MAP_FAILED)
            return 1;
        seed(a);
        if (runs) /* the first is whole */
            damage(a);
        munmap(a, sizeof *a);
        close(fd);
        bool was = look();
        EXPECT(runs > 0 || was);
        taken += was;
        runs++;
    }
    unlink(live);
    rmdir(folder);
    printf("%llu damaged live files, %llu taken up, %u failures; seed %llu\n", runs, taken, test_failures, (unsigned long long)test_seed);
    return test_end();
}
