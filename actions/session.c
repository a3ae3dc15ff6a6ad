#include "actions/session.h"

#include "kit/conf/check.h"

/* Calls in flight at once.  A VPC has at most 200 route tables (its quota), so their changes take
 * two rounds at most.  EC2's bucket for changes holds 50 and refills with 5 a second (docs:
 * "Throttling limits"): the first 50 are admitted at once however many are sent; what is throttled
 * then halves the number in flight (kit/cloud/call.c) and comes again. */
#define MAX_IN_FLIGHT 100

static int open_net(const struct kit_settings *settings, const struct kit_clock *clock,
                    unsigned max_tries, struct act_session *s, struct kit_err *err)
{
    const char *ca_file = kit_settings_text(settings, KIT_PARAM_CA_FILE);
    const struct kit_http_settings http = {
        .ca_file = ca_file ? ca_file : kit_registry_ca_file(),
        .proxy = kit_settings_text(settings, KIT_PARAM_PROXY),
        .max_connections = MAX_IN_FLIGHT,
        .user_agent = "cloudvip/" CLOUDVIP_VERSION,
    };

    if (kit_http_open(&http, clock, &s->net, err))
        return -1;
    s->net_open = true;
    s->caller = (struct kit_caller){
        .net = &s->net,
        .clock = clock,
        .policy = {.max_tries = max_tries,
                   .max_in_flight = MAX_IN_FLIGHT,
                   .api_timeout_ms = 1000 * kit_settings_number(settings, KIT_PARAM_API_TIMEOUT),
                   .connect_timeout_ms =
                       1000 * kit_settings_number(settings, KIT_PARAM_CONNECT_TIMEOUT)},
    };
    return 0;
}

int act_session_open(const struct kit_settings *settings, const struct kit_clock *clock,
                     unsigned max_tries, struct kit_deadline by, struct act_session *ret_session,
                     struct kit_err *err)
{
    struct act_session *s = ret_session;

    *s = (struct act_session){0};
    if (act_session_open_provider(settings, clock, max_tries, by, s, err))
        return -1;
    if (kit_registry_mover(s->provider, settings, &s->mover, err) ||
        kit_conf_check(settings, s->mover->params, s->mover->params_count, err)) {
        act_session_done(s);
        s->incomplete = true;
        return -1;
    }
    return 0;
}

int act_session_open_provider(const struct kit_settings *settings, const struct kit_clock *clock,
                              unsigned max_tries, struct kit_deadline by,
                              struct act_session *ret_session, struct kit_err *err)
{
    struct act_session *s = ret_session;

    *s = (struct act_session){0};
    if (open_net(settings, clock, max_tries, s, err) ||
        kit_registry_provider(settings, &s->caller, by, &s->provider, err) ||
        s->provider->open(settings, &s->caller, &s->cloud, err)) {
        act_session_done(s);
        return -1;
    }
    return 0;
}

void act_session_done(struct act_session *session)
{
    if (session->cloud)
        session->provider->close(session->cloud);
    if (session->net_open)
        kit_http_close(&session->net);
    *session = (struct act_session){0};
}
