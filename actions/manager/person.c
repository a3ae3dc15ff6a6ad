/* actions/manager/person.c - somebody at a shell. */
#include "actions/manager/person.h"

#include <syslog.h>

static bool recognise(const struct act_call *call)
{
    (void)call;
    return true;
}

static int overlay(const struct act_call *call, const struct kit_clock *clock,
                   struct kit_deadline by, struct kit_overlay **ret_overlay, size_t *ret_count,
                   struct kit_err *err)
{
    (void)call;
    (void)clock;
    (void)by;
    (void)err;
    *ret_overlay = NULL;
    *ret_count = 0;
    return 0;
}

static int64_t limit_ms(const struct act_call *call)
{
    (void)call;
    return 0;
}

static int exit_status(const struct act_call *call, const struct act_end *end)
{
    static const int statuses[] = {
        [ACT_OUT_RIGHT] = 0,   [ACT_OUT_WRONG] = 1,  [ACT_OUT_USAGE] = 2,
        [ACT_OUT_UNKNOWN] = 3, [ACT_OUT_CONFIG] = 4, [ACT_OUT_DENIED] = 5,
    };

    (void)call;
    return statuses[end->outcome];
}

static int facility(const struct act_call *call)
{
    (void)call;
    return LOG_USER;
}

const struct act_manager act_manager_person = {
    .name = "a person",
    .recognise = recognise,
    .overlay = overlay,
    .limit_ms = limit_ms,
    .exit_status = exit_status,
    .facility = facility,
};
