/* devtools.c -- a snapshot as V8 writes them, so that Chrome's DevTools and what reads their files open it.
 *
 * The form is one JSON object: numbers of nodes and edges in two flat lists, all texts in a third. It is written
 * as it is computed, through a buffer; nothing as long as the heap is held. About 40 bytes of text a node.
 *
 *   node     type, name (text), id, self size, edges, trace node, detachedness
 *   edge     type, name (text) or index, seven times the target's number
 *   trace    one flat level: each line of birth is a "function" of its own, so that DevTools show where a node was made
 *
 * An object's name is its type's, so that DevTools group by type; a str's is its text where that is known.
 * Texts are the rows of the snapshot's table strings, and behind these a few of ours. */
#include "graph/answer.h"

#include <stdio.h>
#include <stdlib.h>

enum { HIDDEN_NODE, ARRAY, STRING, OBJECT, CODE, CLOSURE, REGEXP, NUMBER, NATIVE, SYNTHETIC }; /* as in node_types below */
enum { CONTEXT, ELEMENT, PROPERTY, INTERNAL, HIDDEN, SHORTCUT, WEAK };

enum { OWN_ROOT, OWN_NONE, OWN_KEY, OWN_MEMBER, OWN_PART, OWN_NATIVE, OWN_STR, OWN_FUNCTION, OWN_BIRTHS, OWN_CLASS, OWN_TEXTS };
static const char *const own_text[OWN_TEXTS] = {"(root)", "", "(key)", "(member)", "(part)", "(outside Python)", "str", "(not known)", "(births)", "(class of an object)"};

typedef MS_VEC(uint32_t) u32_vec;

typedef struct {
    ms_snap  *s;
    ms_sink  *sink;
    void     *arg;
    ms_err    err;
    size_t    n;
    uint8_t  *node_type; /* of each type of the snapshot */
    u32_vec   promoted; /* what only the types of objects keep alive: those references are not stored, so the root gets one */
    char      buffer[1 << 16];
} out;

static void flush(out *o)
{
    if (o->n > 0 && o->err == MS_OK)
        o->err = o->sink(o->arg, o->buffer, o->n);
    o->n = 0;
}

static inline void put(out *o, const char *text, size_t size)
{
    while (size > 0) {
        if (o->n == sizeof o->buffer)
            flush(o);
        size_t part = sizeof o->buffer - o->n < size ? sizeof o->buffer - o->n : size;
        memcpy(o->buffer + o->n, text, part);
        o->n += part;
        text += part;
        size -= part;
    }
}

static inline void say(out *o, const char *text)
{
    put(o, text, strlen(text));
}

/* A number and what follows it. */
static inline void number(out *o, uint64_t v, char after)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = after;
    do
        digits[--at] = (char)('0' + v % 10);
    while ((v /= 10) > 0);
    if (o->n + sizeof digits > sizeof o->buffer)
        flush(o);
    memcpy(o->buffer + o->n, digits + at, sizeof digits - at);
    o->n += sizeof digits - at;
}

/* Length of the sound UTF-8 sequence at p; 0: it is none. */
static size_t utf8(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xc2 && p[0] < 0xe0 ? 2 : p[0] >= 0xe0 && p[0] < 0xf0 ? 3 : p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
        return 0;
    return n;
}

static void string(out *o, const char *text, size_t size)
{
    const uint8_t *p = (const uint8_t *)text;
    char escaped[8];
    say(o, "\"");
    for (size_t i = 0; i < size;) {
        size_t n = utf8(p + i, size - i);
        if (n == 0) {
            say(o, "\xef\xbf\xbd");
            i++;
        } else if (p[i] < 0x20 || p[i] == '"' || p[i] == '\\') {
            snprintf(escaped, sizeof escaped, p[i] < 0x20 ? "\\u%04x" : "\\%c", p[i]);
            say(o, escaped);
            i++;
        } else {
            put(o, text + i, n);
            i += n;
        }
    }
    say(o, "\"");
}

/* ---- what things are called there ---- */

static uint32_t own(const out *o, uint32_t which)
{
    return (uint32_t)o->s->n_strings + which;
}

static void types_sort(out *o)
{
    static const struct { const char *name; uint8_t type; } known[] = {
        {"str", STRING}, {"int", NUMBER}, {"float", NUMBER}, {"complex", NUMBER}, {"code", CODE}, {"function", CLOSURE},
        {"builtin_function_or_method", CLOSURE}, {"method", CLOSURE}, {"list", ARRAY}, {"tuple", ARRAY}, {"re.Pattern", REGEXP},
    };
    const ms_snap *s = o->s;
    for (uint32_t t = 0; t < s->n_types; t++) {
        o->node_type[t] = s->type_flags[t] & MS_SNAP_PSEUDO ? SYNTHETIC : OBJECT;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            if (ms_snap_text_is(s, s->type_name[t], known[i].name))
                o->node_type[t] = known[i].type;
    }
}

/* Everything that v reaches by references that are written, other than weak ones. */
static ms_err reach(const ms_snap *s, uint32_t v, ms_set *seen, u32_vec *stack)
{
    MS_TRY(MS_VEC_ROOM(stack));
    stack->at[stack->n++] = v;
    ms_set_add(seen, v);
    while (stack->n > 0) {
        uint32_t at = stack->at[--stack->n];
        for (uint32_t e = s->first[at]; e < s->first[at + 1]; e++) {
            uint32_t t = MS_SNAP_TARGET(s->to[e]);
            if (t == 0 || MS_SNAP_KIND(s->to[e]) == MS_SNAP_WEAK || ms_set_has(seen, t))
                continue;
            ms_set_add(seen, t);
            MS_TRY(MS_VEC_ROOM(stack));
            stack->at[stack->n++] = t;
        }
    }
    return MS_OK;
}

static ms_err promoted_find(out *o)
{
    const ms_snap *s = o->s;
    ms_set seen = {0};
    u32_vec stack = {0};
    ms_err err = ms_set_new(s, &seen);
    if (err == MS_OK)
        err = reach(s, 0, &seen, &stack);
    for (int pass = 0; pass < 2; pass++) /* first those that the root dominates */
        for (uint32_t v = 1; v < s->nodes && err == MS_OK; v++)
            if (!ms_set_has(&seen, v) && (pass == 1 || s->idom[v] == 0) && (err = MS_VEC_ROOM(&o->promoted)) == MS_OK) {
                o->promoted.at[o->promoted.n++] = v;
                err = reach(s, v, &seen, &stack);
            }
    ms_set_free(&seen);
    MS_VEC_FREE(&stack);
    return err;
}

static void nodes(out *o)
{
    const ms_snap *s = o->s;
    uint64_t text = 0; /* texts are sorted by node */
    for (uint32_t v = 0; v < s->nodes; v++) {
        uint32_t type = ms_snap_type(s, v), kind = o->node_type[type], name = s->type_name[type], n = 0;
        while (text < s->n_texts && s->text_node[text] < v)
            text++;
        bool named = text < s->n_texts && s->text_node[text] == v;
        if (named && (kind == STRING || kind == CODE || kind == CLOSURE || kind == NUMBER || kind == SYNTHETIC))
            name = s->text_string[text];
        if (v == 0)
            name = own(o, OWN_ROOT), kind = SYNTHETIC;
        for (uint32_t e = s->first[v]; e < s->first[v + 1]; e++)
            n += MS_SNAP_TARGET(s->to[e]) != 0;
        n += v == 0 ? (uint32_t)o->promoted.n : 0;
        uint32_t site = ms_snap_id(s->site, v);
        number(o, kind, ',');
        number(o, name, ',');
        number(o, 2 * (uint64_t)v + 1, ',');
        number(o, ms_snap_bytes(s, v), ',');
        number(o, n, ',');
        number(o, site ? (uint64_t)site + 1 : 0, ',');
        say(o, v + 1 < s->nodes ? "0,\n" : "0\n");
    }
}

static void edges(out *o)
{
    const ms_snap *s = o->s;
    bool begun = false;
    for (size_t i = 0; i < o->promoted.n; i++) {
        say(o, begun ? ",\n" : "");
        begun = true;
        number(o, INTERNAL, ',');
        number(o, own(o, OWN_CLASS), ',');
        number(o, (uint64_t)o->promoted.at[i] * 7, ' ');
    }
    for (uint32_t v = 0; v < s->nodes; v++)
        for (uint32_t e = s->first[v]; e < s->first[v + 1]; e++) {
            uint32_t t = MS_SNAP_TARGET(s->to[e]), kind = PROPERTY, name, row;
            if (t == 0)
                continue;
            ms_label label = ms_snap_label(s, v, e);
            switch (label.kind) {
            case MS_LABEL_FIELD:
            case MS_LABEL_NAMED:
                name = label.value;
                break;
            case MS_LABEL_INDEX:
                kind = ELEMENT;
                name = label.value;
                break;
            case MS_LABEL_VALUE:
                if (ms_snap_name(s, label.value, &row))
                    name = row;
                else
                    kind = ELEMENT, name = (e - s->first[v]) / 2;
                break;
            case MS_LABEL_KEY:
                kind = INTERNAL;
                name = own(o, OWN_KEY);
                break;
            case MS_LABEL_MEMBER:
                kind = INTERNAL;
                name = own(o, OWN_MEMBER);
                break;
            default:
                kind = INTERNAL;
                name = own(o, v == 0 || v > s->objects ? OWN_NATIVE : OWN_PART);
            }
            if (MS_SNAP_KIND(s->to[e]) == MS_SNAP_WEAK) {
                if (kind == ELEMENT)
                    name = own(o, OWN_PART);
                kind = WEAK;
            }
            if (begun)
                say(o, ",\n");
            begun = true;
            number(o, kind, ',');
            number(o, name, ',');
            number(o, (uint64_t)t * 7, ' ');
        }
}

static void births(out *o, const ms_sum *by_site)
{
    const ms_snap *s = o->s;
    say(o, "],\n\"trace_function_infos\":[");
    for (uint32_t i = 0; i < s->n_sites; i++) { /* row 0, not known, is the root of the tree */
        bool known = i > 0;
        number(o, i, ',');
        number(o, known ? s->site_function[i] : own(o, OWN_BIRTHS), ',');
        number(o, known ? s->site_file[i] : own(o, OWN_NONE), ',');
        number(o, i, ',');
        number(o, known && s->site_line[i] > 0 ? (uint64_t)s->site_line[i] : 0, ',');
        number(o, known && s->site_column[i] >= 0 ? (uint64_t)s->site_column[i] + 1 : 0, i + 1 < s->n_sites ? ',' : ' ');
    }
    say(o, "],\n\"trace_tree\":[1,0,0,0,[");
    for (uint32_t i = 1; i < s->n_sites; i++) {
        number(o, (uint64_t)i + 1, ',');
        number(o, i, ',');
        number(o, by_site[i].count, ',');
        number(o, by_site[i].bytes, ',');
        say(o, i + 1 < s->n_sites ? "[],\n" : "[]");
    }
    say(o, "]],\n\"samples\":[],\n\"locations\":[],\n\"strings\":[");
}

static void strings(out *o)
{
    const ms_snap *s = o->s;
    for (uint64_t i = 0; i < s->n_strings; i++) {
        ms_snap_string t = ms_snap_text(s, (uint32_t)i);
        string(o, t.at, t.size);
        say(o, ",\n");
    }
    for (int i = 0; i < OWN_TEXTS; i++) {
        string(o, own_text[i], strlen(own_text[i]));
        say(o, i + 1 < OWN_TEXTS ? ",\n" : "]}\n");
    }
}

ms_err ms_devtools_write(ms_snap *s, ms_sink *sink, void *arg, ms_why *why)
{
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_IDOMS, why));
    out *o = ms_sys_alloc(sizeof *o);
    size_t types = s->n_types, sites = (size_t)s->n_sites * sizeof(ms_sum) + 1;
    uint8_t *node_type = ms_sys_alloc(types);
    ms_sum *by_site = ms_sys_alloc(sites);
    ms_err err = MS_ENOMEM;
    if (o != NULL && node_type != NULL && by_site != NULL) {
        uint64_t n_edges = 0;
        *o = (out){.s = s, .sink = sink, .arg = arg, .node_type = node_type};
        types_sort(o);
        err = ms_sums(s, MS_BY_SITE, false, false, by_site, why);
        if (err == MS_OK && (err = promoted_find(o)) != MS_OK)
            ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(err));
        for (uint64_t e = 0; e < s->edges; e++)
            n_edges += MS_SNAP_TARGET(s->to[e]) != 0;
        n_edges += o->promoted.n;
        if (err == MS_OK) {
            say(o, "{\"snapshot\":{\"meta\":{\"node_fields\":[\"type\",\"name\",\"id\",\"self_size\",\"edge_count\",\"trace_node_id\",\"detachedness\"],"
                   "\"node_types\":[[\"hidden\",\"array\",\"string\",\"object\",\"code\",\"closure\",\"regexp\",\"number\",\"native\",\"synthetic\","
                   "\"concatenated string\",\"sliced string\",\"symbol\",\"bigint\",\"object shape\"],"
                   "\"string\",\"number\",\"number\",\"number\",\"number\",\"number\"],"
                   "\"edge_fields\":[\"type\",\"name_or_index\",\"to_node\"],"
                   "\"edge_types\":[[\"context\",\"element\",\"property\",\"internal\",\"hidden\",\"shortcut\",\"weak\"],\"string_or_number\",\"node\"],"
                   "\"trace_function_info_fields\":[\"function_id\",\"name\",\"script_name\",\"script_id\",\"line\",\"column\"],"
                   "\"trace_node_fields\":[\"id\",\"function_info_index\",\"count\",\"size\",\"children\"],"
                   "\"sample_fields\":[\"timestamp_us\",\"last_assigned_id\"],"
                   "\"location_fields\":[\"object_index\",\"script_id\",\"line\",\"column\"]},\"node_count\":");
            number(o, s->nodes, ',');
            say(o, "\"edge_count\":");
            number(o, n_edges, ',');
            say(o, "\"trace_function_count\":");
            number(o, s->n_sites, '}');
            say(o, ",\n\"nodes\":[");
            nodes(o);
            say(o, "],\n\"edges\":[");
            edges(o);
            births(o, by_site);
            strings(o);
            flush(o);
            err = o->err;
            if (err != MS_OK)
                ms_why_set(why, "%s", ms_err_text(err));
        }
        MS_VEC_FREE(&o->promoted);
    } else
        ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(err));
    if (o != NULL)
        ms_sys_free(o, sizeof *o);
    ms_sys_free(node_type, types);
    ms_sys_free(by_site, sites);
    return err;
}
