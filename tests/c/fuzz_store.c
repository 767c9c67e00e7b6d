/* fuzz_store.c -- any bytes to the reader: it may refuse them, it may not crash or leave them.
 *
 * With clang: -fsanitize=fuzzer finds LLVMFuzzerTestOneInput. With gcc, main() below replays FILES
 * and then mutates them for SECONDS (build with -Db_sanitize=address,undefined):
 *
 *     fuzz_store SECONDS FILE...
 *
 * mutate.h makes the mutants. */
#include "mutate.h"

static volatile uint64_t sink;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    ms_why why;
    ms_file *f = NULL;
    ms_err err = ms_file_open_memory(bytes, size, "fuzz", &why, &f);
    EXPECT((err == MS_OK) == (f != NULL));
    if (f == NULL) {
        EXPECT(why.text[0] != '\0');
        return 0;
    }
    EXPECT(ms_file_check(f) == NULL);
    for (uint32_t i = 0; i < ms_file_count(f); i++) {
        ms_column c, got;
        if (ms_file_entry(f, i, &c) != MS_OK || ms_file_column(f, c.table, c.column, &why, &got) != MS_OK)
            continue;
        const uint8_t *p = got.values; /* every byte is there */
        for (size_t n = got.rows * got.width * ms_type_size(got.type); n > 0; n--)
            sink += *p++;
    }
    const char *damage = ms_file_verify(f);
    EXPECT(damage == NULL || strlen(damage) > 10);
    ms_file_close(f);
    EXPECT_EQ(ms_sys_live(), 0);
    return 0;
}

#ifndef MS_LIBFUZZER

int main(int argc, char **argv)
{
    return fuzz_main("fuzz_store", argc, argv);
}

#endif
