/* actions/ctl/egress_look.c - how it is: the cloud's side, with what an earlier run left, this
 * host's, and what the world sees. */
#include "actions/ctl/egress.h"

#include "actions/ctl/egress_echo.h"
#include "kit/base/str.h"

/* Is the address one of those of the SNAT entry? */
static bool is_snat(const struct kit_egress_facts *f, const struct kit_addr *addr)
{
    const char *at = f->snat.ip, *word;
    size_t len;

    while (kit_str_word(&at, ", ", &word, &len)) {
        char text[KIT_ADDR_TEXT];
        struct kit_addr one;

        if (kit_str_format(text, sizeof(text), "%.*s", (int)len, word) &&
            kit_addr_parse(text, &one) && kit_addr_eq(&one, addr))
            return true;
    }
    return false;
}

void ctl_egress_ask_echo(struct ctl_egress *e)
{
    const char *url = e->value[CTL_EGRESS_ECHO].text;
    char text[KIT_ADDR_TEXT];
    struct kit_addr addr;
    struct kit_err err;

    e->echoed = e->echo_fits = false;
    e->echo[0] = '\0';
    if (!url || !e->facts.here)
        return;
    if (ctl_egress_echo(&e->session.caller, url, e->by, &addr, &err)) {
        (void)kit_str_copy(e->echo, sizeof(e->echo), err.msg);
        return;
    }
    e->echoed = true;
    e->echo_fits = is_snat(&e->facts, &addr);
    (void)kit_str_format(e->echo, sizeof(e->echo), "the echo service sees %s",
                         kit_addr_text(&addr, text));
}

static int look_at_cloud(struct ctl_egress *e, struct kit_err *err)
{
    return e->cloud->look(e->session.cloud, &e->wish, e->by, &e->facts, err);
}

/* Whatever the command line leaves open is the earlier run's. */
static void take_state(struct ctl_egress *e)
{
    e->wish.eni = e->value[CTL_EGRESS_ENI].text;
    if (!e->wish.eni && e->state.eni[0])
        e->wish.eni = e->state.eni;
    e->wish.eip = e->value[CTL_EGRESS_EIP].text;
    if (!e->wish.eip && e->state.eip[0])
        e->wish.eip = e->state.eip;
}

/* Objects of the state that are gone were somebody's to delete: they are forgotten. */
static int look_with_state(struct ctl_egress *e, struct kit_err *err)
{
    take_state(e);
    if (!look_at_cloud(e, err))
        return 0;
    if (err->kind != KIT_ERR_NOT_FOUND || (!e->state.eni[0] && !e->state.eip[0]))
        return -1;
    e->state.eni[0] = '\0';
    if (e->wish.eni && !e->value[CTL_EGRESS_ENI].text) {
        take_state(e);
        if (!look_at_cloud(e, err))
            return 0;
        if (err->kind != KIT_ERR_NOT_FOUND)
            return -1;
    }
    e->state.eip[0] = '\0';
    take_state(e);
    return look_at_cloud(e, err);
}

int ctl_egress_look(struct ctl_egress *e, bool judge, struct kit_err *err)
{
    e->wish.judge = judge;
    if (look_with_state(e, err))
        return -1;
    ctl_egress_host_look(e);
    return 0;
}

/* Who we are about has to be known before what an earlier run left can be read. */
int ctl_egress_look_first(struct ctl_egress *e, struct kit_err *err)
{
    char instance[KIT_ID];

    if (!e->wish.instance) {
        if (look_at_cloud(e, err))
            return -1;
        (void)kit_str_copy(instance, sizeof(instance), e->facts.instance);
    } else {
        (void)kit_str_copy(instance, sizeof(instance), e->wish.instance);
    }
    if (ctl_egress_state_read(instance, &e->state, err))
        return -1;
    e->wish.instance = e->state.instance;
    return ctl_egress_look(e, true, err);
}
