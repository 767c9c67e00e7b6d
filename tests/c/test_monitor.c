/* test_monitor.c -- the monitor beside programs that only pretend to be recorded.
 *
 * This executable runs itself under ms_run() as `test_monitor fake KIND`: the fake makes a live file
 * with counters that are known, and ends in the way that KIND says. What is then in the recording is
 * compared number by number. */
#include "monitor/watch.h"
#include "record/site.h"
#include "store/store.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static char self[512], folder[] = "/tmp/memsure-test-XXXXXX", session[128];

/* ---- the fake program ---- */

static ms_live *area;

static void back(int fd, size_t offset, size_t size) { (void)!posix_fallocate(fd, (off_t)offset, (off_t)size); }

static uint32_t text_add(const char *text)
{
    uint32_t at = area->table[MS_T_TEXT].used;
    strcpy(area->text + at, text);
    area->table[MS_T_TEXT].used = at + (uint32_t)strlen(text) + 1;
    return at;
}

static void live_make(uint32_t n, uint32_t mode, uint32_t started)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%ld-%u.live", getenv(MS_ENV_DIR), (long)getpid(), n);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, sizeof *area) != 0)
        _exit(99);
    back(fd, 0, offsetof(ms_live, count));
    area = mmap(NULL, sizeof *area, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    struct timespec t;
    memcpy(area->magic, MS_LIVE_MAGIC, 8);
    area->version = MS_LIVE_VERSION;
    area->mode = mode;
    area->started = started;
    area->size = sizeof *area;
    area->pid = (uint32_t)getpid();
    area->ppid = (uint32_t)getppid();
    clock_gettime(CLOCK_MONOTONIC, &t);
    area->start_ns = (uint64_t)t.tv_sec * MS_SECOND_NS + (uint64_t)t.tv_nsec;
    clock_gettime(CLOCK_REALTIME, &t);
    area->start_unix_ns = (uint64_t)t.tv_sec * MS_SECOND_NS + (uint64_t)t.tv_nsec;
    strcpy(area->python, "3.99.1 (fake)");
    static const uint32_t used[MS_TABLES] = {8, 8, 8, 4, 1, 1, 8, 3};
    for (int i = 0; i < MS_TABLES; i++) {
        area->table[i].used = used[i];
        area->table[i].backed = i == MS_T_TEXT ? 4096 : 64;
    }
    uint32_t app = text_add("/home/me/app.py"), f = text_add("f"), module = text_add("<module>"), lib = text_add("/lib/x.py");
    area->code[5] = (ms_code){app, f, 1, 0};
    area->code[6] = (ms_code){lib, module, 1, 0};
    area->site[MS_SITE_NO_GIL] = (ms_site){7, 0, 0, -1, -1};
    area->code[7] = (ms_code){text_add("(without the GIL)"), 0, 0, MS_CODE_NO_FRAME};
    area->site[5] = (ms_site){5, 12, 13, 4, 9};
    area->site[6] = (ms_site){6, 3, 3, 0, 1};
    area->node[1] = (ms_node){.parent = 0, .site = 6, .gen = 7, .samples = 0};
    area->node[2] = (ms_node){.parent = 1, .site = 5, .gen = 6, .samples = 3, .blocks = 10, .bytes = 640, .variance = 2.5, .live_blocks = 4, .live_bytes = 256, .peak_bytes = 9};
    area->node[3] = (ms_node){.parent = 0, .site = 5}; /* nothing: left out */
    area->thread[0] = (ms_thread){.id = (uint64_t)getpid(), .samples = 3, .bytes = 640};
    area->gen = 7;
    area->live_bytes = 4 * 64 + 3 * 32 + 5000;
    area->peak_bytes = area->live_bytes + 100;
    /* untouched since the peak; touched since; large; without the GIL */
    bool exact = mode == MS_MODE_EXACT;
    area->tally[1] = (ms_tally){.stride = 64, .owner = exact ? 2 : 5, .inherited = 1, .extra = sizeof(ms_extra)};
    area->extra[1] = (ms_extra){.older = {1, [10] = 2}, .gc_freed = 1};
    area->count[1] = (ms_count){.gen = 6, .live = 4, .peak = 1, .young = 3};
    area->tally[2] = (ms_tally){.stride = 32, .owner = exact ? 1 : 6};
    area->count[2] = (ms_count){.gen = 7, .live = 3, .peak = 6, .young = 10};
    area->tally[3] = (ms_tally){.owner = exact ? 2 : 5, .extra = 2 * sizeof(ms_extra)};
    area->extra[2] = (ms_extra){.live_bytes = 5000, .peak_bytes = 5068, .freed_bytes = 1000};
    area->count[3] = (ms_count){.gen = 7, .live = 2, .peak = 3, .young = 2};
    area->tally[4] = (ms_tally){.stride = 16, .owner = exact ? 3 : MS_SITE_NO_GIL};
    area->count[4] = (ms_count){.live = 5};
    if (exact)
        area->node[3].site = MS_SITE_NO_GIL;
    area->gc[0] = (ms_gc){area->start_ns + 5, area->start_ns + 15, 7, 1, 512, 2, 1, 0, 0};
    area->gc_used = 1;
}

static void live_ready(void) { __atomic_store_n(&area->ready, 1, __ATOMIC_RELEASE); }

static void pause_ms(int ms) { usleep((useconds_t)ms * 1000); }

static int fake(const char *kind)
{
    bool exact = strcmp(kind, "exact") == 0;
    if (strcmp(kind, "unready") == 0) {
        live_make(1, MS_MODE_LINE, MS_STARTED_PRELOAD);
        raise(SIGKILL);
    }
    if (strcmp(kind, "garbage") == 0) { /* a head that is right, and tables that are noise */
        live_make(1, MS_MODE_LINE, MS_STARTED_PRELOAD);
        for (int i = 0; i < MS_TABLES; i++)
            area->table[i] = (ms_table){UINT32_MAX, i % 2 ? UINT32_MAX : 4096};
        srand(7);
        uint32_t *words[] = {(uint32_t *)area->tally, (uint32_t *)area->site, (uint32_t *)area->code, (uint32_t *)area->node,
                             (uint32_t *)area->thread, (uint32_t *)area->text, (uint32_t *)area->gc, (uint32_t *)area->count, (uint32_t *)area->extra};
        for (size_t r = 0; r < sizeof words / sizeof *words; r++)
            for (int i = 0; i < 20000; i++)
                words[r][i] = (uint32_t)rand() * 3u;
        area->gc_used = 123456789;
        live_ready();
        pause_ms(100);
        return 0;
    }
    live_make(1, exact ? MS_MODE_EXACT : MS_MODE_LINE, MS_STARTED_PRELOAD);
    if (strcmp(kind, "foreign") == 0)
        area->magic[0] = 'X';
    live_ready();
    if (strcmp(kind, "killed") == 0) {
        pause_ms(60);
        raise(SIGKILL);
    }
    if (strcmp(kind, "clock") == 0) { /* ends well only if its clock runs and the doorbell rings */
        area->purge_due = 1;
        for (int i = 0; i < 500; i++, pause_ms(2))
            if (area->epoch >= 20 && area->monitor == (uint32_t)getppid() && area->sample_left < INT64_MIN / 4 && area->want_memory)
                return 7;
        return 8;
    }
    if (strcmp(kind, "busy") == 0) { /* an hour for another's sake: of its two minutes off the hot path nearly all were waiting */
        area->waited_ns = 3600ull * 1000000000;
        area->cold_ns = 120ull * 1000000000;
        area->taking_ns = 5000000;
        for (clock_t from = clock(); clock() - from < CLOCKS_PER_SEC / 20;)
            ;
        return 0;
    }
    if (strcmp(kind, "wrap") == 0) { /* a counter that passes 2^32 */
        pause_ms(60);
        area->count[1].young = 4000000000u;
        pause_ms(300);
        area->count[1].young += 4000000000u;
        pause_ms(300);
        return 0;
    }
    if (strcmp(kind, "ended") == 0) { /* marked its end: from then on nothing is counted */
        pause_ms(60);
        area->end_ns = area->start_ns + 30 * 1000000u;
        area->memory_end = (ms_memory){.when_ns = area->end_ns, .native_free = 1000, .rss_bytes = 123 << 12};
        area->ended = 1;
        pause_ms(100); /* the interpreter takes itself down */
        return 0;
    }
    if (strcmp(kind, "fork") == 0 || strcmp(kind, "idle child") == 0 || strcmp(kind, "children") == 0) {
        int count = strcmp(kind, "children") == 0 ? 40 : 1;
        for (int i = 0; i < count; i++)
            if (fork() == 0) {
                live_make(1, MS_MODE_LINE, MS_STARTED_FORK);
                if (strcmp(kind, "idle child") == 0)
                    for (int k = 1; k <= 4; k++) {
                        area->count[k].young = 0;
                        area->extra[k] = (ms_extra){.live_bytes = area->extra[k].live_bytes, .inherited_bytes = area->extra[k].live_bytes};
                        area->tally[k].inherited = area->count[k].live;
                    }
                live_ready();
                pause_ms((i % 3 + 2) * 15);
                _exit(i % 2 ? 0 : 5);
            }
        while (wait(NULL) > 0)
            ;
        return 0;
    }
    if (strcmp(kind, "exec") == 0) {
        pause_ms(30);
        live_make(2, MS_MODE_LINE, MS_STARTED_PRELOAD); /* as a second program in the same process would */
        live_ready();
        pause_ms(60);
        return 0;
    }
    if (strcmp(kind, "outlived") == 0) {
        if (fork() == 0) {
            live_make(1, MS_MODE_LINE, MS_STARTED_FORK);
            live_ready();
            pause_ms(1500);
            _exit(0);
        }
        pause_ms(50);
        return 0;
    }
    if (strcmp(kind, "long") == 0) { /* it dies with its monitor, long before */
        pause_ms(60000);
        return 0;
    }
    if (strcmp(kind, "signals") == 0) { /* SIGTERM sent to the monitor by another process arrives here; our own does not */
        pid_t monitor = getppid();
        signal(SIGTERM, SIG_IGN);
        kill(monitor, SIGTERM);
        pause_ms(200);
        signal(SIGTERM, SIG_DFL);
        if (fork() == 0) {
            kill(monitor, SIGTERM);
            _exit(0);
        }
        pause_ms(5000);
        return 1;
    }
    return strcmp(kind, "exit 3") == 0 ? 3 : 0;
}

/* ---- running it ---- */

static ms_run_result result;
static ms_why why;

static ms_err run_ask(ms_run_ask *ask)
{
    why.text[0] = 0;
    return ms_run(ask, &result, &why);
}

static ms_err run_kind(const char *kind)
{
    char *argv[] = {self, "fake", (char *)kind, NULL};
    static int n;
    snprintf(session, sizeof session, "%s/run%d.memsure", folder, ++n);
    ms_run_ask ask = {.argv = argv, .session = session, .mode = "line", .sample_bytes = 1000, .children = true};
    return run_ask(&ask);
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static ms_file *file;

static const void *column(const char *table, const char *name, uint64_t *rows)
{
    ms_column c;
    ms_err err = ms_file_column(file, table, name, &why, &c);
    EXPECT_EQ(err, MS_OK);
    if (err != MS_OK) {
        fprintf(stderr, "%s.%s: %s\n", table, name, why.text);
        exit(1);
    }
    if (rows)
        *rows = c.rows;
    return c.values;
}

static const char *string(uint32_t row)
{
    static char text[4][4096];
    static int turn;
    uint64_t rows;
    const int64_t *offset = column("strings", "offsets", &rows);
    if (row + 1 >= rows)
        return "(no such string)";
    char *to = text[++turn % 4];
    snprintf(to, sizeof text[0], "%.*s", (int)(offset[row + 1] - offset[row]), (const char *)column("strings", "data", NULL) + offset[row]);
    return to;
}

static const char *info(const char *key)
{
    uint64_t rows;
    const uint32_t *keys = column("info", "key", &rows), *values = column("info", "value", NULL);
    for (uint64_t i = 0; i < rows; i++)
        if (strcmp(string(keys[i]), key) == 0)
            return string(values[i]);
    return "(no such key)";
}

static uint64_t site_value(int32_t line, const char *name)
{
    uint64_t rows;
    const int32_t *lines = column("sites", "line", &rows);
    const uint64_t *values = column("sites", name, NULL);
    for (uint64_t i = 0; i < rows; i++)
        if (lines[i] == line)
            return values[i];
    return UINT64_MAX;
}

static void open_file(const char *path)
{
    ms_err err = ms_file_open(path, &why, &file);
    EXPECT_EQ(err, MS_OK);
    if (err != MS_OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    EXPECT(ms_file_verify(file) == NULL);
}

/* Sums by site are the totals; the memory rows add up; every node has a parent above it. */
static void check_file(void)
{
    static const char *const figures[] = {"allocated_blocks", "allocated_bytes", "freed_blocks", "freed_bytes",
                                          "live_blocks", "live_bytes", "peak_blocks", "peak_bytes"};
    uint64_t rows;
    for (size_t f = 0; f < sizeof figures / sizeof *figures; f++) {
        const uint64_t *v = column("sites", figures[f], &rows);
        uint64_t sum = 0;
        for (uint64_t i = 0; i < rows; i++)
            sum += v[i];
        EXPECT_EQ(sum, strtoull(info(figures[f]), NULL, 10));
    }
    const uint64_t *bytes = column("memory", "bytes", &rows);
    EXPECT(rows % MS_SPLITS == 0);
    for (uint64_t i = 0; i + MS_SPLITS <= rows; i += MS_SPLITS) {
        uint64_t sum = 0;
        for (int k = 0; k < MS_SPLIT_RSS; k++)
            sum += bytes[i + (uint64_t)k];
        EXPECT_EQ(sum, bytes[i + MS_SPLIT_RSS]);
    }
    const uint32_t *parent = column("nodes", "parent", &rows);
    for (uint64_t i = 0; i < rows; i++)
        EXPECT(parent[i] < i || (i == 0 && parent[i] == 0));
}

static void expect_end(const char *kind, int code)
{
    EXPECT_STR(info("exit_kind"), kind);
    EXPECT_EQ(atoi(info("exit_code")), code);
}

static void close_all(void)
{
    ms_file_close(file);
    file = NULL;
    ms_run_free(&result);
}

/* Folders of live files that a monitor left, or has. */
static int shm_folders(pid_t monitor)
{
    int n = 0;
    char prefix[64];
    snprintf(prefix, sizeof prefix, "memsure.%u.%ld.", (unsigned)geteuid(), (long)monitor);
    DIR *dir = opendir("/dev/shm");
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        n += strncmp(e->d_name, prefix, strlen(prefix)) == 0;
    if (dir)
        closedir(dir);
    return n;
}

/* ---- tests ---- */

static void check_numbers(void)
{
    check_file();
    EXPECT_EQ(site_value(12, "live_blocks"), 4 + 2);
    EXPECT_EQ(site_value(12, "live_bytes"), 4 * 64 + 5000);
    EXPECT_EQ(site_value(12, "freed_blocks"), 7 + 2);
    EXPECT_EQ(site_value(12, "freed_bytes"), 7 * 64 + 1000);
    EXPECT_EQ(site_value(12, "allocated_blocks"), 10 + 4);
    EXPECT_EQ(site_value(12, "allocated_bytes"), 10 * 64 + 6000);
    EXPECT_EQ(site_value(12, "inherited_blocks"), 1);
    EXPECT_EQ(site_value(12, "peak_blocks"), 4 + 3); /* untouched since: what lives; touched: as kept */
    EXPECT_EQ(site_value(12, "peak_bytes"), 4 * 64 + 5068);
    EXPECT_EQ(site_value(12, "gc_freed_blocks"), 1);
    EXPECT_EQ(site_value(12, "temporary_blocks"), 3 + 2);
    EXPECT_EQ(site_value(12, "temporary_bytes"), 3 * 64 + 1000);
    EXPECT_EQ(site_value(3, "peak_blocks"), 6);
    EXPECT_EQ(site_value(3, "freed_blocks"), 10);
    EXPECT_EQ(site_value(0, "live_blocks"), 5);
    EXPECT_EQ(strtoull(info("live_bytes"), NULL, 10), 4 * 64 + 5000 + 3 * 32 + 5 * 16);
    EXPECT_EQ(strtoull(info("peak_bytes"), NULL, 10), 4 * 64 + 5068 + 6 * 32 + 5 * 16);
    uint64_t rows;
    const uint64_t *ages = column("sites", "lifetimes", &rows), *freed = column("sites", "freed_blocks", NULL);
    for (uint64_t i = 0; i < rows; i++) {
        uint64_t sum = 0;
        for (int k = 0; k < MS_AGES; k++)
            sum += ages[i * MS_AGES + (uint64_t)k];
        EXPECT_EQ(sum, freed[i]);
    }
}

static void test_known_counters_are_written(void)
{
    EXPECT_EQ(run_kind("exit 3"), MS_OK);
    EXPECT_EQ(result.signaled, false);
    EXPECT_EQ(result.code, 3);
    EXPECT_EQ(result.count, 1);
    EXPECT_STR(result.recordings, session);
    EXPECT_STR(result.problem.text, "");
    EXPECT_EQ(shm_folders(getpid()), 0);
    open_file(session);
    check_numbers();
    expect_end("exit", 3);
    EXPECT_STR(info("python"), "3.99.1");
    EXPECT_STR(info("complete"), "1");
    EXPECT(strstr(info("argv"), "\"fake\", \"exit 3\"") != NULL);
    uint64_t rows;
    const uint32_t *parent = column("nodes", "parent", &rows), *node_site = column("nodes", "site", NULL);
    EXPECT_EQ(rows, 3); /* root, and two of three: a node without samples below it is left out */
    EXPECT_EQ(parent[2], 1);
    const int32_t *lines = column("sites", "line", NULL);
    EXPECT_EQ(lines[node_site[2]], 12);
    EXPECT_EQ(((const uint64_t *)column("nodes", "samples", NULL))[2], 3);
    EXPECT(((const double *)column("nodes", "peak_bytes", NULL))[2] == 256); /* gen differs: what lives */
    EXPECT(((const double *)column("nodes", "variance", NULL))[2] == 2.5);
    column("collections", "t_ns", &rows);
    EXPECT_EQ(rows, 1);
    EXPECT_EQ(((const int64_t *)column("collections", "reclaimed_bytes", NULL))[0], 512);
    EXPECT_EQ(((const uint32_t *)column("collections", "generation", NULL))[0], 2);
    close_all();
}

static void test_exact_mode_goes_by_node(void)
{
    EXPECT_EQ(run_kind("exact"), MS_OK);
    open_file(session);
    check_numbers();
    EXPECT_STR(info("mode"), "exact");
    uint64_t rows;
    const double *allocated = column("nodes", "allocated_blocks", &rows), *peak = column("nodes", "peak_bytes", NULL);
    EXPECT_EQ(rows, 4);
    EXPECT(allocated[2] == 14 && allocated[1] == 13 && allocated[3] == 5);
    EXPECT(peak[2] == 4 * 64 + 5068);
    close_all();
}

static void test_a_killed_program_loses_nothing(void)
{
    EXPECT_EQ(run_kind("killed"), MS_OK);
    EXPECT_EQ(result.signaled, true);
    EXPECT_EQ(result.code, SIGKILL);
    open_file(session);
    check_numbers();
    expect_end("signal", SIGKILL);
    EXPECT_STR(info("complete"), "1");
    uint64_t rows;
    const uint64_t *rss = column("timeline", "rss_bytes", &rows);
    EXPECT(rows >= 2 && rss[0] > 0);
    EXPECT(strtoull(info("peak_rss_bytes"), NULL, 10) > 100000);
    close_all();
}

static void test_the_end_is_as_it_was_marked(void)
{
    EXPECT_EQ(run_kind("ended"), MS_OK);
    open_file(session);
    check_file();
    EXPECT_EQ(site_value(12, "live_blocks"), 4 + 2);
    EXPECT_EQ(site_value(12, "freed_blocks"), 7 + 2);
    EXPECT_EQ(site_value(12, "temporary_blocks"), 3 + 2);
    /* A tick or two may come between end_ns and ended; none after both. */
    uint64_t n, points;
    const uint64_t *t = column("timeline", "t_ns", &n);
    EXPECT(n > 0 && t[n - 1] < 100 * 1000000u);
    t = column("curve_points", "t_ns", &points);
    EXPECT(points > 0 && t[points - 1] < 100 * 1000000u);
    const uint64_t *live = column("curves", "live_bytes", &n);
    for (uint64_t i = 0; i < n; i++)
        EXPECT_EQ(live[i * points + points - 1], live[i * points]);
    const uint32_t *kind = column("memory", "kind", &n);
    const uint64_t *bytes = column("memory", "bytes", &n);
    bool rss = false;
    for (uint64_t i = 0; i < n && i < MS_SPLITS; i++)
        rss = rss || (strcmp(string(kind[i]), "rss") == 0 && bytes[i] == 123 << 12);
    EXPECT(rss);
    close_all();
}

static void test_the_clock_runs_and_the_doorbell_rings(void)
{
    EXPECT_EQ(run_kind("clock"), MS_OK);
    EXPECT_EQ(result.code, 7);
    close_all();
}

static void test_waiting_for_a_processor_is_no_cost(void)
{
    EXPECT_EQ(run_kind("busy"), MS_OK);
    open_file(session);
    double ran = atof(info("cpu_ns")), cost = atof(info("overhead_ns")), events = cost - 5e6 - 120e9 * ran / (ran + 3600e9);
    EXPECT(ran >= 20e6 && cost > 5e6);
    EXPECT(events > -1e6 && events < 1e6); /* some 1,000 births and deaths */
    close_all();
}

static void test_counters_may_wrap(void)
{
    EXPECT_EQ(run_kind("wrap"), MS_OK);
    open_file(session);
    EXPECT_EQ(site_value(12, "temporary_blocks"), 8000000000ull + 2);
    close_all();
}

static void test_two_processes_make_a_folder(void)
{
    EXPECT_EQ(run_kind("fork"), MS_OK);
    EXPECT_EQ(result.count, 2);
    EXPECT(is_folder(session));
    const char *at = result.recordings;
    int fives = 0;
    for (size_t i = 0; i < result.count; i++, at += strlen(at) + 1) {
        open_file(at);
        check_numbers();
        fives += atoi(info("exit_code")) == 5;
        ms_file_close(file);
        file = NULL;
    }
    EXPECT_EQ(fives, 1);
    close_all();
}

static void test_a_child_that_did_nothing_is_left_out(void)
{
    EXPECT_EQ(run_kind("idle child"), MS_OK);
    EXPECT_EQ(result.count, 1);
    EXPECT(!is_folder(session));
    open_file(session);
    EXPECT_STR(info("started"), "preload");
    close_all();
}

static void test_many_children(void)
{
    EXPECT_EQ(run_kind("children"), MS_OK);
    EXPECT_EQ(result.count, 41);
    EXPECT_STR(result.problem.text, "");
    close_all();
}

static void test_children_can_be_left_out(void)
{
    char *argv[] = {self, "fake", "fork", NULL};
    snprintf(session, sizeof session, "%s/alone.memsure", folder);
    ms_run_ask ask = {.argv = argv, .session = session, .mode = "line"};
    EXPECT_EQ(run_ask(&ask), MS_OK);
    EXPECT_EQ(result.count, 1);
    open_file(session);
    EXPECT_STR(info("started"), "preload");
    close_all();
}

static void test_exec_is_an_end(void)
{
    EXPECT_EQ(run_kind("exec"), MS_OK);
    EXPECT_EQ(result.count, 2);
    open_file(result.recordings);
    EXPECT_STR(info("exit_kind"), "exec");
    close_all();
}

static void test_a_process_that_goes_on_is_said_to_run(void)
{
    EXPECT_EQ(run_kind("outlived"), MS_OK);
    EXPECT_EQ(result.count, 2);
    const char *at = result.recordings;
    int running = 0;
    for (size_t i = 0; i < result.count; i++, at += strlen(at) + 1) {
        open_file(at);
        if (strcmp(info("exit_kind"), "running") == 0) {
            EXPECT_STR(info("complete"), "0");
            running++;
        }
        ms_file_close(file);
        file = NULL;
    }
    EXPECT_EQ(running, 1);
    close_all();
}

static void test_a_file_that_never_was_ready(void)
{
    EXPECT_EQ(run_kind("unready"), MS_OK);
    EXPECT_EQ(result.count, 0);
    EXPECT_EQ(result.code, SIGKILL);
    EXPECT_EQ(shm_folders(getpid()), 0);
    close_all();
}

static void test_garbage_does_no_harm(void)
{
    EXPECT_EQ(run_kind("garbage"), MS_OK);
    EXPECT_EQ(result.code, 0);
    open_file(session);
    check_file();
    close_all();
    EXPECT_EQ(run_kind("foreign"), MS_OK);
    EXPECT_EQ(result.count, 0);
    EXPECT(strstr(result.problem.text, "could not be recorded") != NULL);
    close_all();
}

static void test_what_cannot_begin_is_said_before(void)
{
    char *argv[] = {"/nowhere/at/all", NULL}, *fine[] = {"true", NULL};
    snprintf(session, sizeof session, "%s/not.memsure", folder);
    ms_run_ask ask = {.argv = argv, .session = session, .mode = "line"};
    EXPECT_EQ(run_ask(&ask), MS_EIO);
    EXPECT_EQ(result.exec_errno, ENOENT);
    ms_run_free(&result);
    EXPECT(access(session, F_OK) != 0);
    ask.argv = fine;
    ask.session = "/nowhere/at/all/x.memsure";
    EXPECT_EQ(run_ask(&ask), MS_EIO);
    EXPECT(strstr(why.text, "does not exist") != NULL);
    ask.session = folder;
    EXPECT_EQ(run_ask(&ask), MS_EINVAL);
    EXPECT(strstr(why.text, "there already") != NULL);
    ask.session = session;
    ask.preload = "/nowhere/memsure_preload.so";
    EXPECT_EQ(run_ask(&ask), MS_EIO);
    EXPECT_EQ(shm_folders(getpid()), 0);
}

/* A session that sees nothing of other processes, as in a container that shares our memory; where that may be made. */
static void run_without_proc(void)
{
    pid_t child = fork();
    if (child == 0) {
        char *argv[] = {self, "fake", "exit 3", NULL}, other[sizeof session + 8];
        snprintf(other, sizeof other, "%s.other", session);
        ms_run_ask ask = {.argv = argv, .session = other, .mode = "line"};
        if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0)
            (void)mount("none", "/proc", "tmpfs", 0, NULL);
        run_ask(&ask);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void test_a_killed_monitor_leaves_a_file_and_no_program(void)
{
    snprintf(session, sizeof session, "%s/killed.memsure", folder);
    pid_t monitor = fork();
    if (monitor == 0) {
        char *argv[] = {self, "fake", "long", NULL};
        ms_run_ask ask = {.argv = argv, .session = session, .mode = "line", .children = true};
        run_ask(&ask);
        _exit(0);
    }
    pause_ms(1250);
    EXPECT_EQ(shm_folders(monitor), 1);
    run_without_proc(); /* leaves it alone, whether it can know the monitor or not */
    EXPECT_EQ(shm_folders(monitor), 1);
    kill(monitor, SIGKILL);
    waitpid(monitor, NULL, 0);
    open_file(session);
    check_numbers();
    EXPECT_STR(info("exit_kind"), "running");
    EXPECT_STR(info("complete"), "0");
    pid_t program = atoi(info("pid"));
    char state = 'X';
    uint64_t start, cpu;
    bool children;
    int code;
    pause_ms(50);
    EXPECT(!ms_proc_stat(program, &state, &start, &cpu, &children, &code) || state == 'Z' || state == 'X');
    close_all();
    /* The next run removes what it left in memory. */
    EXPECT_EQ(run_kind("exit 3"), MS_OK);
    ms_run_free(&result);
    EXPECT_EQ(shm_folders(monitor), 0);
}

static void test_signals_are_passed_on_and_given_back(void)
{
    struct sigaction before, after;
    sigaction(SIGTERM, NULL, &before);
    EXPECT_EQ(run_kind("signals"), MS_OK);
    EXPECT_EQ(result.signaled, true);
    EXPECT_EQ(result.code, SIGTERM);
    sigaction(SIGTERM, NULL, &after);
    EXPECT(before.sa_handler == after.sa_handler);
    ms_run_free(&result);
}

static void test_json_survives_any_bytes(void)
{
    char out[200];
    static const char words[] = "a\"b\\\0\xff\xc3\xa9\n\0";
    ms_json_list(words, sizeof words - 1, out, sizeof out);
    EXPECT_STR(out, "[\"a\\\"b\\\\\", \"\\udcff\xc3\xa9\\u000a\"]");
    char random[300];
    for (int i = 0; i < 2000; i++) {
        for (size_t k = 0; k < sizeof random; k++)
            random[k] = (char)test_random();
        ms_json_list(random, test_below(sizeof random + 1), out, 20 + test_below(sizeof out - 20));
    }
}

static void test_split_adds_up_whatever_is_said(void)
{
    uint64_t out[MS_SPLITS];
    for (int i = 0; i < 20000; i++) {
        ms_maps maps = {0};
        uint64_t *part = &maps.slab;
        for (int k = 0; k < 6; k++)
            maps.rss += part[k] = test_below(3) ? test_below(1u << 20) : 0;
        ms_memory m = {0, test_below(1u << 21), test_below(1u << 21), test_below(1u << 21), 0, 0, test_below(1u << 21), 0, test_below(3) ? test_below(6u << 20) : 0};
        ms_split(test_below(5) ? &maps : &(ms_maps){0}, test_below(6u << 20), &m, test_below(1u << 22), test_below(1u << 14), out);
        uint64_t sum = 0;
        for (int k = 0; k < MS_SPLIT_RSS; k++)
            sum += out[k];
        EXPECT_EQ(sum, out[MS_SPLIT_RSS]);
    }
}

static void test_series_keep_their_size(void)
{
    ms_process *p = ms_sys_alloc(sizeof *p);
    p->head = ms_sys_alloc(offsetof(ms_live, count));
    p->point_step = MS_EPOCH_NS;
    for (uint64_t t = 1; t < 100000; t++) {
        p->rss = t == 777 ? 5000000 : t;
        if (t * MS_EPOCH_NS >= p->point_due)
            ms_timeline_add(p, t * MS_EPOCH_NS);
        EXPECT(p->npoint <= MS_TIMELINE_MAX && (t < 128 || p->npoint >= MS_TIMELINE_MAX / 2));
    }
    uint64_t most = 0;
    for (uint32_t i = 0; i < p->npoint; i++) {
        most = p->timeline[i].rss > most ? p->timeline[i].rss : most;
        EXPECT(i == 0 || p->timeline[i].t_ns > p->timeline[i - 1].t_ns);
    }
    EXPECT(most >= 99000); /* the spike itself may fall between two points of a coarse series */
    ms_sys_free(p->head, offsetof(ms_live, count));
    ms_sys_free(p, sizeof *p);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "fake") == 0)
        return fake(argv[2]);
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0 || mkdtemp(folder) == NULL)
        return 1;
    RUN(test_json_survives_any_bytes);
    RUN(test_split_adds_up_whatever_is_said);
    RUN(test_series_keep_their_size);
    RUN(test_known_counters_are_written);
    RUN(test_exact_mode_goes_by_node);
    RUN(test_a_killed_program_loses_nothing);
    RUN(test_the_end_is_as_it_was_marked);
    RUN(test_the_clock_runs_and_the_doorbell_rings);
    RUN(test_waiting_for_a_processor_is_no_cost);
    RUN(test_counters_may_wrap);
    RUN(test_two_processes_make_a_folder);
    RUN(test_a_child_that_did_nothing_is_left_out);
    RUN(test_many_children);
    RUN(test_children_can_be_left_out);
    RUN(test_exec_is_an_end);
    RUN(test_a_process_that_goes_on_is_said_to_run);
    RUN(test_a_file_that_never_was_ready);
    RUN(test_garbage_does_no_harm);
    RUN(test_what_cannot_begin_is_said_before);
    RUN(test_a_killed_monitor_leaves_a_file_and_no_program);
    RUN(test_signals_are_passed_on_and_given_back);
    EXPECT_EQ(ms_sys_live(), 0);
    char command[600];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    (void)!system(command);
    return test_end();
}
