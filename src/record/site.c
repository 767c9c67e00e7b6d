/* site.c -- the tables of site.h: each entry found by the hash of its content, or added at the end. */
#include "record/site.h"

#include <string.h>

/* By content: a table of numbers of entries, found by the hash of their first words; texts by that of all they say. Open addressing,
 * linear probing, doubled at 13/16 full: some 15 looks for what is new then. It holds the numbers and 8 bits of the hash: entries, which lie anywhere in memory, are looked at where these agree. */
typedef struct {
    uint32_t number : 24, mark : 8; /* number 0: empty */
} found_slot;

static struct {
    found_slot *slot;
    uint32_t    size, used; /* size: a power of two, or 0 */
} found[MS_TABLES];
_Static_assert(MS_TALLY_MAX <= 1 << 24 && MS_SITE_MAX <= 1 << 24 && MS_CODE_MAX <= 1 << 24 && MS_NODE_MAX <= 1 << 24 && MS_TEXT_MAX <= 1 << 24, "24 bits");

static const struct {
    void  *entries;
    size_t size, words;
} kind[MS_TABLES] = {
    [MS_T_TEXT] = {ms_area.text, 1, 0},
    [MS_T_CODE] = {ms_area.code, sizeof(ms_code), 4},
    [MS_T_SITE] = {ms_area.site, sizeof(ms_site), 5},
    [MS_T_NODE] = {ms_area.node, sizeof(ms_node), 2},
    [MS_T_TALLY] = {ms_area.tally, sizeof(ms_tally), 2},
};

static const void *entry_at(int table, uint32_t n) { return (const char *)kind[table].entries + n * kind[table].size; }

static uint64_t hash_of(int table, const void *entry)
{
    uint64_t h = 0xCBF29CE484222325ull; /* as FNV-1a, by words, mixed after each */
    const char *c = entry, *end = c + (kind[table].words ? 4 * kind[table].words : strlen(c));
    for (uint32_t word; c < end; c += 4, h = (h ^ word) * 0x9E3779B97F4A7C15ull, h ^= h >> 29) {
        word = 0;
        if (end - c >= 4)
            memcpy(&word, c, 4);
        else
            memcpy(&word, c, (size_t)(end - c));
    }
    return h ^ h >> 32;
}

static bool is_same(int table, const void *a, const void *b)
{
    return kind[table].words ? memcmp(a, b, 4 * kind[table].words) == 0 : strcmp(a, b) == 0;
}

/* Where the number of this entry stands, or 0 that may become it. NULL: no memory. */
static found_slot *number_of(int table, const void *want)
{
    uint32_t size = found[table].size, mask = size - 1, i;
    found_slot *slot = found[table].slot;
    if (found[table].used >= size / 16 * 13) {
        uint32_t twice = size ? size * 2 : 256;
        found_slot *next = ms_sys_alloc(twice * sizeof *next);
        if (next == NULL && found[table].used + 1 >= size)
            return NULL; /* full; while there is room it goes on, only slower */
        for (uint32_t k = 0; next && k < size; k++) {
            if (slot[k].number == 0)
                continue;
            for (i = (uint32_t)hash_of(table, entry_at(table, slot[k].number)) & (twice - 1); next[i].number;)
                i = (i + 1) & (twice - 1);
            next[i] = slot[k];
        }
        if (next) {
            ms_sys_free(slot, size * sizeof *slot);
            found[table].slot = slot = next;
            found[table].size = twice;
            mask = twice - 1;
        }
    }
    uint64_t hash = hash_of(table, want);
    uint32_t mark = hash >> 56;
    for (i = (uint32_t)hash & mask; slot[i].number && (slot[i].mark != mark || !is_same(table, entry_at(table, slot[i].number), want));)
        i = (i + 1) & mask;
    slot[i].mark = mark & 255;
    return &slot[i];
}

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

uint32_t ms_text_intern(const char *text, size_t length)
{
    char want[4001];
    if (length > 4000) /* cut, but not within a character */
        for (length = 4000; length > 3997 && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--;
    length = strnlen(text, length);
    memcpy(want, text, length);
    want[length] = 0;
    found_slot *at = number_of(MS_T_TEXT, want);
    if (at == NULL || at->number)
        return at ? at->number : 0;
    uint32_t start = ms_area.table[MS_T_TEXT].used, end = start + (uint32_t)length + 1;
    if (end > ms_area.table[MS_T_TEXT].backed && !ms_live_back(MS_T_TEXT, end - 1))
        return 0;
    memcpy(ms_area.text + start, want, length + 1);
    found[MS_T_TEXT].used++;
    entry_done(MS_T_TEXT, end);
    return at->number = start;
}

/* Find the entry that begins as *want does, or append it. Returns its number, 0 when there is no room. */
static uint32_t intern(int table, const void *want)
{
    found_slot *at = number_of(table, want);
    uint32_t n;
    if (at == NULL || at->number)
        return at ? at->number : 0;
    if ((n = entry_new(table)) == 0)
        return 0;
    memcpy((char *)kind[table].entries + n * kind[table].size, want, kind[table].size);
    found[table].used++;
    entry_done(table, n + 1);
    return at->number = n;
}

uint32_t ms_code_intern(uint32_t file, uint32_t function, int32_t first_line, uint32_t flags)
{
    return intern(MS_T_CODE, &(ms_code){file, function, first_line, flags});
}

uint32_t ms_site_intern(uint32_t code, int32_t line, int32_t end_line, int32_t column, int32_t end_column)
{
    return intern(MS_T_SITE, &(ms_site){code, line, end_line, column, end_column});
}

uint32_t ms_node_intern(uint32_t parent, uint32_t site)
{
    return intern(MS_T_NODE, &(ms_node){.parent = parent, .site = site, .gen = ms_area.gen});
}

bool ms_tally_extend(ms_tally *t)
{
    uint32_t n = entry_new(MS_T_EXTRA);
    if (n == 0)
        return false;
    t->extra = n * (uint32_t)sizeof(ms_extra);
    entry_done(MS_T_EXTRA, n + 1);
    return true;
}

uint32_t ms_tally_intern(uint32_t owner, uint32_t stride)
{
    ms_tally t = {.owner = owner, .stride = stride};
    found_slot *at = number_of(MS_T_TALLY, &t);
    if (at == NULL || at->number)
        return at ? at->number : 0;
    uint32_t n = entry_new(MS_T_COUNT);
    if (n == 0 || entry_new(MS_T_TALLY) == 0 || ((stride & ~MS_TALLY_LOCKED) == 0 && !ms_tally_extend(&t)))
        return 0;
    ms_area.count[n] = (ms_count){.gen = ms_area.gen};
    ms_area.tally[n] = t;
    found[MS_T_TALLY].used++;
    entry_done(MS_T_COUNT, n + 1);
    entry_done(MS_T_TALLY, n + 1);
    return at->number = n;
}

uint32_t ms_site_pseudo(const char *what, uint32_t flags)
{
    uint32_t text = ms_text_intern(what, strlen(what));
    return ms_site_intern(ms_code_intern(text, text, 0, flags), 0, 0, -1, -1);
}

ms_err ms_site_init(void)
{
    for (int t = 0; t < MS_TABLES; t++) /* of an earlier recording */
        ms_sys_free(found[t].slot, found[t].size * sizeof *found[t].slot);
    memset(found, 0, sizeof found);
    for (int t = 0; t < MS_TABLES; t++)
        entry_done(t, 1); /* entry 0 of each: no room for a record */
    entry_done(MS_T_THREAD, 0);
    ms_area.tally[0].extra = 0;
    if (!ms_tally_extend(&ms_area.tally[0])) /* large blocks that there is no room for count there */
        return MS_ENOMEM;
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
    uint32_t extras = 1;
    for (uint32_t i = 0; i < a->table[MS_T_TALLY].used; i++) {
        uint32_t extra = a->tally[i].extra;
        extras += extra != 0;
        if (extra % sizeof(ms_extra) || extra / sizeof(ms_extra) >= a->table[MS_T_EXTRA].used)
            return "a tally names an extra that is not there";
        if (extra == 0 && (a->tally[i].stride & ~MS_TALLY_LOCKED) == 0)
            return "a tally of large blocks has no room for their bytes";
        if (a->tally[i].owner >= owners)
            return "a tally names an owner that is not there";
        if (a->tally[i].stride & MS_TALLY_LOCKED)
            continue;
        uint32_t owner = a->tally[i].owner, site = a->mode == MS_MODE_EXACT ? a->node[owner].site : owner;
        if (site == MS_SITE_NO_GIL)
            continue; /* counted outside the process's sums */
        live += a->tally[i].stride ? (uint64_t)a->count[i].live * a->tally[i].stride : ms_tally_extra(&a->tally[i])->live_bytes;
    }
    if (extras != a->table[MS_T_EXTRA].used)
        return "an extra has no tally, or several";
    return live == a->live_bytes ? NULL : "the live bytes of the tallies are not those of the process";
}
