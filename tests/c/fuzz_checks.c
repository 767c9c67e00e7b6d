/* fuzz_checks.c -- any recording, with any snapshot in it, to the checks: they may find anything, they may not crash, hang or lead out
 * of the file.
 *
 *     fuzz_checks SECONDS FILE...      (built with -Db_sanitize=address,undefined)
 *
 * mutate.h makes the mutants. Each site is a line of its own, and the program's. */
#include "checks/checks.h"
#include "mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    enum { LINES = 64 };
    static const uint8_t aside[LINES], whose[LINES]; /* MS_OWN */
    uint32_t group[LINES];
    ms_why why = {{0}};
    ms_file *f = NULL;
    ms_evidence *e = NULL;
    ms_findings found;
    if (ms_file_open_memory(bytes, size, "fuzz", &why, &f) != MS_OK)
        return 0;
    for (uint32_t i = 0; i < LINES; i++)
        group[i] = i;
    ms_findings_open(&found);
    ms_evidence_source source = {f, group, LINES};
    ms_err err = ms_evidence_open(&source, 1, LINES, aside, whose, &e);
    EXPECT((err == MS_OK) == (e != NULL));
    if (e != NULL) {
        EXPECT(ms_evidence_check(e) == NULL);
        ms_checks_run(e, &found);
        for (uint32_t i = 0; i < found.n; i++)
            EXPECT(found.finding[i].line == MS_NONE || found.finding[i].line < LINES);
    }
    ms_findings_close(&found);
    ms_evidence_close(e);
    ms_file_close(f);
    EXPECT_EQ(ms_sys_live(), 0);
    return 0;
}

#ifndef MS_LIBFUZZER

int main(int argc, char **argv)
{
    return fuzz_main("fuzz_checks", argc, argv);
}

#endif
