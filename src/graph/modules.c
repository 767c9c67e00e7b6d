/* modules.c -- modules and their global variables, with what each holds. */
#include "graph/answer.h"

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

ms_err ms_modules_of(ms_snap *s, ms_module_list *out, ms_why *why)
{
    if (ms_ready_modules(s, out))
        return MS_OK;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_IDOMS, why));
    uint8_t *module = ms_sys_alloc(s->n_shapes);
    if (module == NULL)
        return no_memory(why);
    for (uint32_t i = 0; i < s->n_shapes; i++)
        module[i] = ms_snap_text_is(s, s->type_name[s->shape_type[i]], "module");
    ms_err err = MS_OK;
    for (uint32_t v = 1; err == MS_OK && v <= s->objects; v++) {
        uint32_t name;
        if (MS_LIKELY(!module[ms_snap_id(s->shape, v)]))
            continue;
        if ((err = MS_VEC_ROOM(out)) == MS_OK)
            out->at[out->n++] = (ms_module){v, ms_snap_namespace_of(s, v), ms_snap_name(s, v, &name) ? name : 0, ms_snap_retained(s, v)};
    }
    ms_sys_free(module, s->n_shapes);
    if (err != MS_OK)
        MS_VEC_FREE(out);
    return err == MS_ENOMEM ? no_memory(why) : err;
}

static ms_err variables_add(const ms_snap *s, uint32_t dict, uint64_t least, ms_variable_list *out)
{
    uint32_t type = ms_snap_type(s, dict), name;
    if (s->type_rest[type] != MS_REST_PAIRS)
        return MS_OK;
    for (uint32_t e = s->first[dict] + s->type_count[type]; e + 1 < s->first[dict + 1]; e += 2) {
        uint32_t v = MS_SNAP_TARGET(s->to[e + 1]);
        if (v == 0 || ms_snap_retained(s, v) < least || !ms_snap_name(s, MS_SNAP_TARGET(s->to[e]), &name))
            continue;
        MS_TRY(MS_VEC_ROOM(out));
        out->at[out->n++] = (ms_variable){dict, name, v, ms_snap_type(s, v), s->idom[v], ms_snap_retained(s, v)};
    }
    return MS_OK;
}

ms_err ms_variables_of(ms_snap *s, uint64_t least, ms_variable_list *out, ms_why *why)
{
    ms_module_list modules = {0};
    if (ms_ready_variables(s, least, out))
        return MS_OK;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_IDOMS, why));
    MS_TRY(ms_modules_of(s, &modules, why));
    ms_err err = MS_OK;
    for (size_t i = 0; err == MS_OK && i < modules.n; i++)
        if (modules.at[i].dict)
            err = variables_add(s, modules.at[i].dict, least, out);
    MS_VEC_FREE(&modules);
    if (err != MS_OK)
        MS_VEC_FREE(out);
    return err == MS_ENOMEM ? no_memory(why) : err;
}
