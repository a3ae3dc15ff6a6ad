/* actions/session.h - from settings to a cloud that can be asked: network, provider, mover. */
#ifndef ACTIONS_SESSION_H
#define ACTIONS_SESSION_H

#include "kit/cloud/registry.h"

struct act_session {
    const struct kit_provider *provider;
    const struct kit_mover *mover;
    struct kit_cloud *cloud;
    struct kit_caller caller;
    struct kit_transport net; /* caller points here: a session is not copied */
    bool net_open;
    bool incomplete; /* after a failed open: the settings name no scenario, or lack what it needs */
};

/* How long to try: a check gives up early and says UNKNOWN (3 tries: the SDKs' standard mode);
 * restore and its like go on until their deadline. */
#define ACT_TRIES_CHECK          3
#define ACT_TRIES_UNTIL_DEADLINE 0

/* Provider and mover of these settings, which are then checked against the mover's table.
 * `settings` is borrowed for the session's life.  Talks to the network only for provider = auto on
 * a host whose DMI names no cloud. */
int act_session_open(const struct kit_settings *settings, const struct kit_clock *clock,
                     unsigned max_tries, struct kit_deadline by, struct act_session *ret_session,
                     struct kit_err *err) KIT_CHECKED;
/* The same without a mover: for operations on the cloud's objects and on the host, whose settings
 * need not name a scenario.  session->mover is NULL. */
int act_session_open_provider(const struct kit_settings *settings, const struct kit_clock *clock,
                              unsigned max_tries, struct kit_deadline by,
                              struct act_session *ret_session, struct kit_err *err) KIT_CHECKED;
void act_session_done(struct act_session *session);

#endif
