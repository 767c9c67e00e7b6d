/* test_checks.c -- trends against a slow model; evidence from files that hold anything; every failed allocation. */
#include "checks/checks.h"
#include "test.h"

#include <math.h>
#include <unistd.h>

static char path[] = "/tmp/memsure-test-checks-XXXXXX";

static void test_slope_of_a_line(void)
{
    double t[40], v[40];
    for (int i = 0; i < 40; i++) {
        t[i] = i * 0.25;
        v[i] = 7 + 3 * t[i];
    }
    ms_slope s = ms_trend_slope(40, t, v);
    EXPECT(fabs(s.per_second - 3) < 1e-9 && s.error < 1e-6);
    EXPECT(s.start == 0 && s.end == 9.75);
    EXPECT(isinf(ms_trend_slope(3, t, v).error));
    EXPECT(isinf(ms_trend_slope(0, t, v).error));
    for (int i = 0; i < 40; i++)
        t[i] = 1;
    EXPECT(isinf(ms_trend_slope(40, t, v).error));
}

/* Beside a model: each part's lowest value, found by asking every point for its part. */
static void test_lows_match_a_model(void)
{
    for (int round = 0; round < 300; round++) {
        uint32_t n = 1 + (uint32_t)test_below(60), parts = 1 + (uint32_t)test_below(8), want = 0;
        double t[60], v[60], got[8], model[8];
        for (uint32_t i = 0; i < n; i++) {
            t[i] = (i ? t[i - 1] : 0) + (double)test_below(5);
            v[i] = (double)test_below(100);
        }
        for (uint32_t part = 0; part < parts; part++) {
            double low = INFINITY;
            for (uint32_t i = 0; i < n; i++) {
                double span = t[n - 1] - t[0], at = span > 0 ? (t[i] - t[0]) * parts / span : 0;
                if ((at < parts ? (uint32_t)at : parts - 1) == part)
                    low = fmin(low, v[i]);
            }
            if (isfinite(low))
                model[want++] = low;
        }
        EXPECT_EQ(ms_trend_lows(n, t, v, parts, got), want);
        for (uint32_t i = 0; i < want; i++)
            EXPECT(got[i] == model[i]);
    }
}

/* A time that stands still may fall by its last digit, just where two parts meet. */
static void test_lows_of_a_time_that_stands_still(void)
{
    double t[40], v[40], got[40] = {0};
    for (int i = 0; i < 40; i++) {
        t[i] = i == 0 ? 0 : i == 39 ? 6 : i % 2 ? 3.0 : nextafter(3.0, 0);
        v[i] = i;
    }
    uint32_t found = ms_trend_lows(40, t, v, 6, got);
    EXPECT(found <= 6 && got[0] == 0);
}

static void test_what_grows(void)
{
    double t[100], v[100];
    ms_slope s;
    uint32_t up, steps;
    for (int i = 0; i < 100; i++) {
        t[i] = i * 0.1;
        v[i] = i * 100000.0;
    }
    EXPECT(ms_trend_grows(100, t, v, 0, &s, &up, &steps) && up == 5 && steps == 5);
    EXPECT(!ms_trend_grows(11, t, v, 0, &s, &up, &steps));    /* too few points */
    EXPECT(!ms_trend_grows(100, t, v, 1e8, &s, &up, &steps)); /* too little */
    for (int i = 0; i < 100; i++)
        v[i] = i < 60 ? i * 100000.0 : 6e6;
    EXPECT(!ms_trend_grows(100, t, v, 0, &s, &up, &steps)); /* a plateau */
}

/* ---- a recording of three lines, one of which grows ---- */

enum { POINTS = 60, LINES = 3, STILL = 20, ON = 38 };
static bool stalled; /* from point STILL to point ON the program does nothing at all */
enum { LOADED = 36, SLOWER = 9 };
static bool refilled; /* what C code frees is not used again: RSS rises to the end, and is free in malloc */
static bool mixed;    /* the line that freed most makes small blocks, too */
static bool loaded, told; /* from point LOADED on the program gets but a ninth of a processor; whether the recording tells */

static void write_recording(bool wild)
{
    ms_why why;
    ms_writer *w;
    static const char text[] = "duration_ns6000000000peak_bytes50000000allocated_bytes90000000endrssnative_freepython_live";
    static const int64_t offsets[] = {0, 0, 11, 21, 31, 39, 54, 62, 65, 68, 79, 90};
    uint32_t keys[] = {1, 3, 5}, values[] = {2, 4, 6};
    uint32_t moments[] = {7, 7, 7}, kinds[] = {8, 9, 10};
    uint64_t bytes[] = {100 << 20, 60 << 20, 20 << 20};
    uint64_t waited[POINTS], unused[POINTS], t[POINTS], live[2 * POINTS], born[2 * POINTS], rss[POINTS], python[POINTS], large[LINES] = {5000000, 70000000, 9}, few[LINES] = {10, 20, 3};
    uint64_t lives[12 * LINES] = {0};
    uint32_t sites[] = {1, 0}, parent[] = {0, 0, 1, 2}, site[] = {0, 1, 2, 2};
    double f[] = {0, 1e6, 2e6, 5e5};
    for (int i = 0; i < POINTS; i++) {
        t[i] = (uint64_t)(i + 1) * 100000000;
        live[i] = (uint64_t)(!stalled || i < STILL ? i : i < ON ? STILL : i - ON + STILL) * 500000;
        if (loaded)
            live[i] = i < LOADED ? i * 500000 : LOADED * 500000 + (i - LOADED) * 500000 / SLOWER;
        waited[i] = i < LOADED ? 0 : (uint64_t)(i - LOADED) * 100000000 * (SLOWER - 1) / SLOWER;
        born[i] = live[i] + 4096;
        live[POINTS + i] = born[POINTS + i] = 1000;
        if (!stalled && !loaded) /* works for a second, idles for one */
            born[POINTS + i] += (uint64_t)(i / 20 * 10 + (i % 20 < 10 ? i % 20 : 10)) * 1000000;
        rss[i] = refilled ? (uint64_t)(10 + 2 * i) << 20 : 100 << 20;
        unused[i] = refilled ? (uint64_t)i << 20 : 60 << 20;
        python[i] = live[i] + 1000;
    }
    few[1] = mixed ? 20000 : few[1];
    if (wild) {
        for (int i = 0; i < 4; i++) {
            parent[i] = (uint32_t)test_random();
            site[i] = (uint32_t)test_below(9);
            f[i] = test_below(2) ? NAN : -1.0;
        }
        sites[0] = (uint32_t)test_random();
        t[test_below(POINTS)] = test_random();
        bytes[0] = test_random();
    }
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    ms_writer_column(w, "strings", "offsets", MS_TYPE_I64, 1, 12, offsets);
    ms_writer_column(w, "strings", "data", MS_TYPE_U8, 1, sizeof text - 1, text);
    ms_writer_column(w, "info", "key", MS_TYPE_U32, 1, 3, keys);
    ms_writer_column(w, "info", "value", MS_TYPE_U32, 1, 3, values);
    for (int k = 0; k < 8; k++) {
        static const char *const names[] = {"allocated_bytes", "allocated_blocks", "freed_bytes", "freed_blocks", "live_bytes",
                                            "live_blocks", "peak_bytes", "temporary_bytes"};
        ms_writer_column(w, "sites", names[k], MS_TYPE_U64, 1, LINES, k % 2 ? few : large);
    }
    ms_writer_column(w, "sites", "lifetimes", MS_TYPE_U64, 12, LINES, lives);
    ms_writer_column(w, "nodes", "parent", MS_TYPE_U32, 1, 4, parent);
    ms_writer_column(w, "nodes", "site", MS_TYPE_U32, 1, 4, site);
    for (int k = 0; k < 4; k++) {
        static const char *const names[] = {"allocated_bytes", "allocated_blocks", "live_bytes", "peak_bytes"};
        ms_writer_column(w, "nodes", names[k], MS_TYPE_F64, 1, 4, f);
    }
    ms_writer_column(w, "timeline", "t_ns", MS_TYPE_U64, 1, POINTS, t);
    ms_writer_column(w, "timeline", "rss_bytes", MS_TYPE_U64, 1, POINTS, rss);
    ms_writer_column(w, "timeline", "python_bytes", MS_TYPE_U64, 1, POINTS, python);
    for (int k = 0; k < 3; k++) {
        static const char *const names[] = {"native_used_bytes", "native_free_bytes", "slab_bytes"};
        ms_writer_column(w, "timeline", names[k], MS_TYPE_U64, 1, POINTS, k == 1 ? unused : python);
    }
    if (told)
        ms_writer_column(w, "timeline", "waited_ns", MS_TYPE_U64, 1, POINTS, waited);
    ms_writer_column(w, "curve_points", "t_ns", MS_TYPE_U64, 1, POINTS, t);
    ms_writer_column(w, "curves", "site", MS_TYPE_U32, 1, 2, sites);
    ms_writer_column(w, "curves", "live_bytes", MS_TYPE_U64, POINTS, 2, live);
    ms_writer_column(w, "curves", "allocated_bytes", MS_TYPE_U64, POINTS, 2, born);
    ms_writer_column(w, "collections", "t_ns", MS_TYPE_U64, 1, 3, t);
    ms_writer_column(w, "collections", "duration_ns", MS_TYPE_U64, 1, 3, t);
    ms_writer_column(w, "collections", "reclaimed_bytes", MS_TYPE_I64, 1, 3, live);
    ms_writer_column(w, "memory", "moment", MS_TYPE_U32, 1, 3, moments);
    ms_writer_column(w, "memory", "kind", MS_TYPE_U32, 1, 3, kinds);
    ms_writer_column(w, "memory", "bytes", MS_TYPE_U64, 1, 3, bytes);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);
}

static const uint32_t group[LINES] = {0, 1, 2};
static const uint8_t  aside[LINES] = {0, 0, 0}, whose[LINES] = {MS_OWN, MS_OWN, MS_LIBRARY};

static void test_a_growing_line_is_found(void)
{
    ms_why why;
    ms_file *file;
    ms_evidence *e;
    ms_findings found;
    write_recording(false);
    EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
    ms_evidence_source source = {file, group, LINES};
    EXPECT_EQ(ms_evidence_open(&source, 1, LINES, aside, whose, &e), MS_OK);
    EXPECT(ms_evidence_check(e) == NULL);
    EXPECT(fabs(e->process[0].duration - 6.0) < 1e-9);
    EXPECT_EQ(e->process[0].peak_bytes, 50000000);
    EXPECT(e->process[0].lines[1].through_bytes == 2.5e6);
    ms_findings_open(&found);
    EXPECT_EQ(ms_checks_run(e, &found), MS_OK);
    EXPECT(found.n >= 2 && found.judged_growth && found.nslope == 1);
    EXPECT_STR(found.finding[0].rule->id, "L1");
    EXPECT_EQ(found.finding[0].line, 1);
    EXPECT(fabs(found.finding[0].fact[0].value - 5e6) < 1e3);
    EXPECT(found.slope[0].idle > 1.4 && found.slope[0].idle < 2.6);
    for (uint32_t i = 1; i < found.n; i++)
        EXPECT(found.finding[i - 1].rule->verdict <= found.finding[i].rule->verdict);
    ms_findings_close(&found);
    ms_evidence_close(e);
    ms_file_close(file);
    EXPECT_EQ(ms_sys_live(), 0);
}

/* O3 is a level that a peak left. Where it rises to the end, what was freed is of no use to what comes: L7, in its place. */
static void test_free_memory_that_grows_is_no_level(void)
{
    for (int grows = 0; grows < 2; grows++) {
        ms_why why;
        ms_file *file;
        ms_evidence *e;
        ms_findings found;
        refilled = grows;
        write_recording(false);
        refilled = false;
        EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
        ms_evidence_source source = {file, group, LINES};
        EXPECT_EQ(ms_evidence_open(&source, 1, LINES, aside, whose, &e), MS_OK);
        ms_findings_open(&found);
        EXPECT_EQ(ms_checks_run(e, &found), MS_OK);
        int native = 0, level = 0;
        for (uint32_t i = 0; i < found.n; i++) {
            native += strcmp(found.finding[i].rule->id, "L7") == 0;
            level += found.finding[i].rule->id[0] == 'O';
        }
        EXPECT_EQ(native, grows);
        EXPECT_EQ(level, !grows);
        ms_findings_close(&found);
        ms_evidence_close(e);
        ms_file_close(file);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

/* What lies free passed through a line that freed much of it: not through one whose blocks are larger, but few. */
static void test_free_memory_is_told_at_the_line_that_freed_it(void)
{
    for (int small = 0; small < 2; small++) {
        ms_why why;
        ms_file *file;
        ms_evidence *e;
        ms_findings found;
        mixed = small;
        write_recording(false);
        mixed = false;
        EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
        ms_evidence_source source = {file, group, LINES};
        EXPECT_EQ(ms_evidence_open(&source, 1, LINES, aside, whose, &e), MS_OK);
        ms_findings_open(&found);
        EXPECT_EQ(ms_checks_run(e, &found), MS_OK);
        for (uint32_t i = 0; i < found.n; i++)
            if (found.finding[i].rule->id[0] == 'O') {
                EXPECT_STR(found.finding[i].rule->id, small ? "O3" : "O2");
                EXPECT_EQ(found.finding[i].line, 1);
            }
        ms_findings_close(&found);
        ms_evidence_close(e);
        ms_file_close(file);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

/* Growth goes by the program's own time: what it waits for a processor is none. */
static void test_a_busy_machine_is_no_plateau(void)
{
    ms_why why;
    ms_file *file;
    ms_evidence *e;
    ms_findings found;
    loaded = true;
    for (int known = 0; known < 2; known++) {
        told = known;
        write_recording(false);
        EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
        ms_evidence_source source = {file, group, LINES};
        EXPECT_EQ(ms_evidence_open(&source, 1, LINES, aside, whose, &e), MS_OK);
        double waited = (POINTS - 1 - LOADED) * 0.1 * (SLOWER - 1) / SLOWER;
        EXPECT(fabs(ms_process_own(&e->process[0], 6.0) - (6.0 - known * waited)) < 1e-6);
        EXPECT(fabs(ms_process_own(&e->process[0], 3.0) - 3.0) < 1e-9 && fabs(ms_process_own(&e->process[0], 0.01) - 0.01) < 1e-9);
        EXPECT(fabs(ms_process_own(&e->process[0], 5.0) - (5.0 - known * (49 - LOADED) * 0.1 * (SLOWER - 1) / SLOWER)) < 1e-6);
        ms_findings_open(&found);
        EXPECT_EQ(ms_checks_run(e, &found), MS_OK);
        EXPECT_EQ(found.nslope, known); /* by the clock it looks as if it had stopped */
        const ms_slope *s = known ? &found.slope[0].slope : NULL; /* per second of the clock: what it rose in all */
        EXPECT(!known || fabs(s->per_second * (s->end - s->start) - (16 + 23.0 / SLOWER) * 500000.0) < 5e5);
        ms_findings_close(&found);
        ms_evidence_close(e);
        ms_file_close(file);
    }
    loaded = told = false;
    EXPECT_EQ(ms_sys_live(), 0);
}

/* A machine that sleeps or is busy elsewhere makes a flat stretch in the curve: no plateau, if the program went on. */
static void test_a_stall_is_no_plateau(void)
{
    ms_why why;
    ms_file *file;
    ms_evidence *e;
    ms_findings found;
    stalled = true;
    write_recording(false);
    stalled = false;
    EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
    ms_evidence_source source = {file, group, LINES};
    EXPECT_EQ(ms_evidence_open(&source, 1, LINES, aside, whose, &e), MS_OK);
    EXPECT_EQ(e->process[0].nstall, 1);
    EXPECT(fabs(e->process[0].stall[0].from - 2.1) < 1e-9 && fabs(e->process[0].stall[0].to - 3.9) < 1e-9);
    ms_findings_open(&found);
    EXPECT_EQ(ms_checks_run(e, &found), MS_OK);
    EXPECT(found.nslope == 1 && found.finding[0].line == 1);
    EXPECT_STR(found.finding[0].rule->id, "L1");
    const ms_slope *s = &found.slope[0].slope; /* per second of the clock: what it rose in all */
    EXPECT(fabs(s->per_second * (s->end - s->start) - 22 * 500000.0) < 2e5);
    ms_findings_close(&found);
    ms_evidence_close(e);
    ms_file_close(file);
    EXPECT_EQ(ms_sys_live(), 0);
}

static void test_wild_values_break_nothing(void)
{
    for (int round = 0; round < 60; round++) {
        ms_why why;
        ms_file *file;
        ms_evidence *e;
        ms_findings found;
        uint32_t lines[LINES];
        for (int i = 0; i < LINES; i++)
            lines[i] = test_below(3) ? (uint32_t)test_below(LINES) : (uint32_t)test_random();
        write_recording(true);
        EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
        ms_evidence_source source = {file, lines, test_below(LINES + 1)};
        EXPECT_EQ(ms_evidence_open(&source, 1, LINES, aside, whose, &e), MS_OK);
        EXPECT(ms_evidence_check(e) == NULL);
        ms_findings_open(&found);
        EXPECT_EQ(ms_checks_run(e, &found), MS_OK);
        ms_findings_close(&found);
        ms_evidence_close(e);
        ms_file_close(file);
    }
    EXPECT_EQ(ms_sys_live(), 0);
}

static void test_every_failed_allocation(void)
{
    ms_why why;
    ms_err err = MS_ENOMEM;
    write_recording(false);
    for (long n = 0; err != MS_OK; n++) {
        ms_file *file;
        ms_evidence *e = NULL;
        ms_findings found;
        EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
        long before = ms_sys_live();
        ms_findings_open(&found);
        ms_evidence_source source = {file, group, LINES};
        ms_sys_fail_after(n);
        err = ms_evidence_open(&source, 1, LINES, aside, whose, &e);
        if (err == MS_OK)
            err = ms_checks_run(e, &found);
        ms_sys_fail_after(-1);
        EXPECT(err == MS_OK || err == MS_ENOMEM);
        ms_findings_close(&found);
        ms_evidence_close(e);
        EXPECT_EQ(ms_sys_live(), before);
        ms_file_close(file);
    }
}

static void test_rules_have_ids_of_their_own(void)
{
    for (uint32_t i = 0; i < ms_checks_count; i++)
        for (uint32_t k = 0; k < ms_checks[i]->nrules; k++) {
            const ms_check *check = NULL;
            EXPECT(ms_rule_find(ms_checks[i]->rules[k].id, &check) == &ms_checks[i]->rules[k] && check == ms_checks[i]);
            EXPECT(*ms_verdict_name(ms_checks[i]->rules[k].verdict) != '\0');
        }
    EXPECT(ms_rule_find("Z9", NULL) == NULL);
}

/* ---- a recording with a snapshot in it: the golden snapshot's tables, and its sites as the recording's ---- */

static const char *golden;

static void write_with_snapshot(bool wild)
{
    static const char words[] = "duration_ns6000000000peak_bytes50000000python_live_bytes";
    static const int64_t ends[] = {11, 21, 31, 39};
    ms_why why;
    ms_file *from;
    ms_writer *w;
    ms_column offsets, data, site_file, function, line;
    EXPECT_EQ(ms_file_open(golden, &why, &from), MS_OK);
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    for (uint32_t i = 0; i < ms_file_count(from); i++) {
        ms_column c;
        char table[64];
        EXPECT(ms_file_entry(from, i, &c) == MS_OK && ms_file_column(from, c.table, c.column, &why, &c) == MS_OK);
        snprintf(table, sizeof table, "exit_%s", c.table);
        if (wild && test_below(6) == 0) { /* the sums hold, the numbers do not */
            size_t size = c.rows * c.width * ms_type_size(c.type);
            char *bytes = malloc(size + 1);
            memcpy(bytes, c.values, size);
            for (size_t k = 0; k < size; k += 1 + test_below(200))
                bytes[k] = (char)test_random();
            ms_writer_column(w, table, c.column, c.type, c.width, c.rows, bytes);
            free(bytes);
        } else
            ms_writer_column(w, table, c.column, c.type, c.width, c.rows, c.values);
    }
    EXPECT(ms_file_column(from, "strings", "offsets", &why, &offsets) == MS_OK && ms_file_column(from, "strings", "data", &why, &data) == MS_OK);
    EXPECT(ms_file_column(from, "sites", "file", &why, &site_file) == MS_OK && ms_file_column(from, "sites", "function", &why, &function) == MS_OK &&
           ms_file_column(from, "sites", "line", &why, &line) == MS_OK);
    uint64_t strings = offsets.rows - 1, sites = site_file.rows;
    int64_t *at = malloc((strings + 5) * sizeof *at);
    char *text = malloc(data.rows + sizeof words);
    memcpy(at, offsets.values, (strings + 1) * sizeof *at);
    memcpy(text, data.values, data.rows);
    memcpy(text + data.rows, words, sizeof words);
    for (int i = 0; i < 4; i++)
        at[strings + 1 + (uint64_t)i] = (int64_t)data.rows + ends[i];
    uint32_t keys[] = {(uint32_t)strings, (uint32_t)strings + 2}, values[] = {(uint32_t)strings + 1, (uint32_t)strings + 3};
    ms_writer_column(w, "strings", "offsets", MS_TYPE_I64, 1, strings + 5, at);
    ms_writer_column(w, "strings", "data", MS_TYPE_U8, 1, data.rows + sizeof words - 1, text);
    ms_writer_column(w, "info", "key", MS_TYPE_U32, 1, 2, keys);
    ms_writer_column(w, "info", "value", MS_TYPE_U32, 1, 2, values);
    ms_writer_column(w, "sites", "file", MS_TYPE_U32, 1, sites, site_file.values);
    ms_writer_column(w, "sites", "function", MS_TYPE_U32, 1, sites, function.values);
    ms_writer_column(w, "sites", "line", MS_TYPE_I32, 1, sites, line.values);
    uint64_t *figures = malloc(sites * POINTS * sizeof *figures), t[POINTS];
    uint32_t *rows = malloc(sites * sizeof *rows);
    for (uint64_t i = 0; i < sites * POINTS; i++)
        figures[i] = i % POINTS * 500000;
    for (uint64_t i = 0; i < sites; i++)
        rows[i] = (uint32_t)i;
    for (uint64_t i = 0; i < POINTS; i++)
        t[i] = (i + 1) * 100000000;
    ms_writer_column(w, "curve_points", "t_ns", MS_TYPE_U64, 1, POINTS, t);
    ms_writer_column(w, "curves", "site", MS_TYPE_U32, 1, sites, rows);
    ms_writer_column(w, "curves", "live_bytes", MS_TYPE_U64, POINTS, sites, figures);
    for (uint64_t i = 0; i < sites; i++)
        figures[i] = 60u << 20;
    ms_writer_column(w, "sites", "gc_freed_bytes", MS_TYPE_U64, 1, sites, figures);
    ms_writer_column(w, "sites", "freed_bytes", MS_TYPE_U64, 1, sites, figures);
    ms_writer_column(w, "sites", "live_bytes", MS_TYPE_U64, 1, sites, figures);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);
    free(at);
    free(text);
    free(figures);
    free(rows);
    ms_file_close(from);
}

/* Open, check, run; the result of it. */
static ms_err run_with_snapshot(long fail_after, uint32_t *findings)
{
    static uint32_t identity[4096];
    static uint8_t  zeros[4096];
    ms_why why;
    ms_file *file;
    ms_evidence *e = NULL;
    ms_findings found;
    ms_column c;
    EXPECT_EQ(ms_file_open(path, &why, &file), MS_OK);
    EXPECT_EQ(ms_file_column(file, "sites", "line", &why, &c), MS_OK);
    uint32_t sites = (uint32_t)c.rows;
    EXPECT(sites < 4096);
    for (uint32_t i = 0; i < sites; i++)
        identity[i] = i;
    long before = ms_sys_live();
    ms_evidence_source source = {file, identity, sites};
    ms_findings_open(&found);
    ms_sys_fail_after(fail_after);
    ms_err err = ms_evidence_open(&source, 1, sites, zeros, zeros, &e);
    if (err == MS_OK)
        EXPECT(ms_evidence_check(e) == NULL);
    if (err == MS_OK)
        err = ms_checks_run(e, &found);
    ms_sys_fail_after(-1);
    *findings = found.n;
    if (err == MS_OK)
        for (uint32_t i = 0; i < found.n; i++)
            EXPECT(found.finding[i].step + found.finding[i].nstep <= found.nstep || found.finding[i].nstep == 0);
    ms_findings_close(&found);
    ms_evidence_close(e);
    EXPECT_EQ(ms_sys_live(), before);
    ms_file_close(file);
    return err;
}

static void test_every_failed_allocation_with_a_snapshot(void)
{
    uint32_t findings = 0;
    ms_err err = MS_ENOMEM;
    if (golden == NULL)
        return;
    write_with_snapshot(false);
    for (long n = 0; err != MS_OK && n < 5000; n++) {
        err = run_with_snapshot(n, &findings);
        EXPECT(err == MS_OK || err == MS_ENOMEM);
    }
    EXPECT_EQ(err, MS_OK);
    EXPECT(findings > 0);
}

static void test_wild_snapshots_break_nothing(void)
{
    uint32_t findings;
    for (int round = 0; golden && round < 40; round++) {
        write_with_snapshot(true);
        ms_err err = run_with_snapshot(-1, &findings);
        EXPECT(err == MS_OK || err == MS_EDAMAGED);
    }
}

int main(int argc, char **argv)
{
    golden = argc > 1 ? argv[1] : NULL;
    close(mkstemp(path));
    RUN(test_slope_of_a_line);
    RUN(test_lows_match_a_model);
    RUN(test_lows_of_a_time_that_stands_still);
    RUN(test_what_grows);
    RUN(test_a_growing_line_is_found);
    RUN(test_a_stall_is_no_plateau);
    RUN(test_a_busy_machine_is_no_plateau);
    RUN(test_free_memory_that_grows_is_no_level);
    RUN(test_free_memory_is_told_at_the_line_that_freed_it);
    RUN(test_wild_values_break_nothing);
    RUN(test_every_failed_allocation);
    RUN(test_every_failed_allocation_with_a_snapshot);
    RUN(test_wild_snapshots_break_nothing);
    RUN(test_rules_have_ids_of_their_own);
    unlink(path);
    return test_end();
}
