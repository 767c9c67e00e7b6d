/* site.c -- the tables of site.h: each entry found by the hash of its content, or added at the end. */
#include "record/site.h"
#include "record/map.h"

#include <string.h>

static ms_map texts, codes, sites, tallies, nodes;

/* The next free entry of a table, or 0. */
static uint32_t entry_new(int table)
{
    uint32_t n = ms_area.table[table].used;
    return n < ms_area.table[table].backed || ms_live_back(table, n) ? n : 0;
}

static void entry_done(int table, uint32_t used)
{
    __atomic_store_n(&ms_area.table[table].used, used, __ATOMIC_RELEASE); /* the monitor reads on */
}

static uint64_t mix(uint64_t h, uint64_t x) { return ms_hash(h ^ ms_hash(x + 0x632BE59BD9B4E019ull)) + x; }

uint32_t ms_text_intern(const char *text, size_t length)
{
    if (length > 4000) /* cut, but not within a character */
        for (length = 4000; length > 3997 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    uint64_t h = length + 1;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001B3ull; /* FNV-1a */
    for (h |= 1;; h += 2) {
        ms_map_slot *s = ms_map_put(&texts, h);
        if (s == NULL)
            return 0;
        const char *at = ms_area.text + s->value;
        if (s->value && strncmp(at, text, length) == 0 && at[length] == 0)
            return s->value;
        if (s->value)
            continue; /* another text of the same hash */
        uint32_t start = ms_area.table[MS_T_TEXT].used, end = start + (uint32_t)length + 1;
        if (end > ms_area.table[MS_T_TEXT].backed && !ms_live_back(MS_T_TEXT, end - 1)) {
            ms_map_remove(&texts, s);
            return 0;
        }
        memcpy(ms_area.text + start, text, length);
        ms_area.text[start + length] = 0;
        s->value = start;
        entry_done(MS_T_TEXT, end);
        return start;
    }
}

/* Find the entry whose content equals *want in a table of entries of size bytes, compared over the
 * first compare bytes, or append it. Returns its number, 0 when there is no room. */
static uint32_t intern(ms_map *map, int table, void *entries, size_t size, const void *want, size_t compare, uint64_t h)
{
    for (h |= 1;; h += 2) {
        ms_map_slot *s = ms_map_put(map, h);
        if (s == NULL)
            return 0;
        if (s->value && memcmp((char *)entries + s->value * size, want, compare) == 0)
            return s->value;
        if (s->value)
            continue;
        uint32_t n = entry_new(table);
        if (n == 0) {
            ms_map_remove(map, s);
            return 0;
        }
        memcpy((char *)entries + n * size, want, size);
        s->value = n;
        entry_done(table, n + 1);
        return n;
    }
}

uint32_t ms_code_intern(uint32_t file, uint32_t function, int32_t first_line, uint32_t flags)
{
    ms_code c = {file, function, first_line, flags};
    return intern(&codes, MS_T_CODE, ms_area.code, sizeof c, &c, sizeof c, mix(mix(file, function), (uint32_t)first_line));
}

uint32_t ms_site_intern(uint32_t code, int32_t line, int32_t end_line, int32_t column, int32_t end_column)
{
    ms_site s = {code, line, end_line, column, end_column, 0};
    return intern(&sites, MS_T_SITE, ms_area.site, sizeof s, &s, sizeof s,
                  mix(mix(code, (uint32_t)line), (uint64_t)(uint32_t)end_line << 40 ^ (uint64_t)(uint32_t)column << 20 ^ (uint32_t)end_column));
}

uint32_t ms_node_intern(uint32_t parent, uint32_t site)
{
    ms_node n = {.parent = parent, .site = site, .gen = ms_area.gen};
    return intern(&nodes, MS_T_NODE, ms_area.node, sizeof n, &n, 8, mix((uint64_t)parent << 32, site));
}

uint32_t ms_tally_intern(uint32_t owner, uint32_t stride)
{
    ms_map_slot *s = ms_map_put(&tallies, (uint64_t)owner << 32 | (uint32_t)(stride << 1 | stride >> 31 << 30 | 1));
    if (s == NULL || s->value)
        return s ? s->value : 0;
    uint32_t n = entry_new(MS_T_COUNT);
    if (n == 0 || entry_new(MS_T_TALLY) == 0) {
        ms_map_remove(&tallies, s);
        return 0;
    }
    ms_area.count[n] = (ms_count){.gen = ms_area.gen};
    ms_area.tally[n] = (ms_tally){.owner = owner, .stride = stride};
    s->value = n;
    entry_done(MS_T_COUNT, n + 1);
    entry_done(MS_T_TALLY, n + 1);
    return n;
}

uint32_t ms_site_pseudo(const char *what, uint32_t flags)
{
    uint32_t text = ms_text_intern(what, strlen(what));
    return ms_site_intern(ms_code_intern(text, text, 0, flags), 0, 0, -1, -1);
}

ms_err ms_site_init(void)
{
    ms_map *const maps[] = {&texts, &codes, &sites, &tallies, &nodes};
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        ms_map_free(maps[i]); /* of an earlier recording */
    for (int t = 0; t < MS_TABLES; t++)
        entry_done(t, 1); /* entry 0 of each: no room for a record */
    entry_done(MS_T_THREAD, 0);
    if (ms_site_pseudo("(interpreter start)", MS_CODE_BEFORE | MS_CODE_NO_FRAME) != MS_SITE_BEFORE ||
        ms_site_pseudo("(no Python frame)", MS_CODE_NO_FRAME) != MS_SITE_NO_FRAME ||
        ms_site_pseudo("(without the GIL)", MS_CODE_NO_FRAME) != MS_SITE_NO_GIL ||
        ms_site_pseudo("(memsure)", MS_CODE_OURS) != MS_SITE_OURS)
        return MS_ENOMEM;
    return MS_OK;
}

const char *ms_site_check(void)
{
    const ms_live *a = &ms_area;
    for (uint32_t i = 1; i < a->table[MS_T_CODE].used; i++)
        if (a->code[i].file >= a->table[MS_T_TEXT].used || a->code[i].function >= a->table[MS_T_TEXT].used)
            return "a code names a text that is not there";
    for (uint32_t i = 1; i < a->table[MS_T_SITE].used; i++)
        if (a->site[i].code >= a->table[MS_T_CODE].used)
            return "a site names a code that is not there";
    for (uint32_t i = 1; i < a->table[MS_T_NODE].used; i++)
        if (a->node[i].parent >= i || a->node[i].site >= a->table[MS_T_SITE].used)
            return "a node names a parent or site that is not there";
    if (a->table[MS_T_COUNT].used != a->table[MS_T_TALLY].used)
        return "the two parts of the tallies are not as many";
    uint32_t owners = a->mode == MS_MODE_EXACT ? a->table[MS_T_NODE].used : a->table[MS_T_SITE].used;
    uint64_t live = 0;
    for (uint32_t i = 0; i < a->table[MS_T_TALLY].used; i++) {
        if (a->tally[i].owner >= owners)
            return "a tally names an owner that is not there";
        if (a->tally[i].stride & MS_TALLY_LOCKED)
            continue;
        uint32_t owner = a->tally[i].owner, site = a->mode == MS_MODE_EXACT ? a->node[owner].site : owner;
        if (site == MS_SITE_NO_GIL)
            continue; /* counted outside the process's sums */
        live += a->tally[i].stride ? (uint64_t)a->count[i].live * a->tally[i].stride : a->tally[i].live_bytes;
    }
    return live == a->live_bytes ? NULL : "the live bytes of the tallies are not those of the process";
}
