#include "checks/checks.h"

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    return MS_OK;
}

const ms_check ms_check_compact = {.principle = 7, .name = "compact", .run = run, .asks = ""};
