/* actions/manager/ocf_meta.c - the agent's meta-data. */
#include <string.h>

#include "actions/manager/ocf_agent.h"
#include "kit/base/str.h"
#include "kit/cloud/registry.h"

/* The DTD of resource-agents describes OCF 1.0 and is what ocf-tester holds meta-data against; what
 * OCF 1.1 added is declared in front of it, where XML lets a document do so. */
static const char head[] =
    "<?xml version=\"1.0\"?>\n"
    "<!DOCTYPE resource-agent SYSTEM \"ra-api-1.dtd\" [\n"
    "  <!ATTLIST parameter unique-group CDATA #IMPLIED reloadable (1|0) \"0\">\n"
    "  <!ATTLIST action name CDATA #REQUIRED>\n"
    "]>\n"
    "<resource-agent name=\"cloudvip\" version=\"" CLOUDVIP_VERSION "\">\n"
    "<version>1.1</version>\n"
    "<longdesc lang=\"en\">\n"
    "Moves a protected address between cluster nodes by calling the cloud's API: on AWS the routes "
    "of a\n"
    "virtual address in every route table of the VPC, an Elastic IP, a secondary private address "
    "or a\n"
    "network interface; on Alibaba Cloud routes, an EIP, an HAVIP, a private address or a network\n"
    "interface.  An API that cannot be asked is never taken for a lost address: the monitor then "
    "answers\n"
    "from what this node last knew, and says so in the log.\n"
    "\n"
    "Parameters that are not given here are taken from the resource's section in\n"
    "/etc/cloudvip/resources.d, then from [defaults] in /etc/cloudvip/cloudvip.conf.\n"
    "</longdesc>\n"
    "<shortdesc lang=\"en\">Moves an address between nodes in a cloud (AWS, Alibaba "
    "Cloud)</shortdesc>\n";

/* What decides which address is bound to what: a change of it takes a stop and a start.  All others
 * are read anew by every action. */
static const enum kit_param binding[] = {
    KIT_PARAM_PROVIDER,
    KIT_PARAM_SCENARIO,
    KIT_PARAM_ADDRESS,
    KIT_PARAM_INTERFACE,
    KIT_PARAM_ENI,
    KIT_PARAM_REGION,
    KIT_PARAM_VPC_ID,
    KIT_PARAM_ROUTE_TABLES,
    KIT_PARAM_SOURCE_DEST_CHECK,
    KIT_PARAM_ALLOCATION_ID,
    KIT_PARAM_PRIVATE_ADDRESS,
    KIT_PARAM_EIP_MODE,
    KIT_PARAM_HAVIP_ID,
    KIT_PARAM_BIND_TO,
    KIT_PARAM_LOCAL_ADDRESS,
};

static const char tag_parameter[] =
    "<parameter name=\"tag\" unique=\"0\" required=\"0\" reloadable=\"0\">\n"
    "<longdesc lang=\"en\">\n"
    "The section of /etc/cloudvip/resources.d that this resource's remaining parameters are in, "
    "and the\n"
    "name of its record and its log lines.  Default: the name of the resource.\n"
    "</longdesc>\n"
    "<shortdesc lang=\"en\">Name of the resource in the configuration files</shortdesc>\n"
    "<content type=\"string\"/>\n"
    "</parameter>\n";

/* Timeouts that leave the parameters' own defaults their room: an action's deadline is Pacemaker's
 * timeout less a tenth.  `reload` is not offered: Pacemaker before 2.1 would reload where this
 * wants a restart. */
static const char tail[] =
    "</parameters>\n"
    "<actions>\n"
    "<action name=\"start\" timeout=\"300s\"/>\n"
    "<action name=\"stop\" timeout=\"300s\"/>\n"
    "<action name=\"monitor\" timeout=\"25s\" interval=\"30s\" depth=\"0\"/>\n"
    "<action name=\"reload-agent\" timeout=\"20s\"/>\n"
    "<action name=\"validate-all\" timeout=\"20s\"/>\n"
    "<action name=\"meta-data\" timeout=\"5s\"/>\n"
    "</actions>\n"
    "</resource-agent>\n";

static void escape(struct kit_buf *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        switch (*c) {
        case '&': (void)kit_buf_puts(out, "&amp;"); break;
        case '<': (void)kit_buf_puts(out, "&lt;"); break;
        case '>': (void)kit_buf_puts(out, "&gt;"); break;
        case '"': (void)kit_buf_puts(out, "&quot;"); break;
        default: (void)kit_buf_putc(out, *c); break;
        }
    }
}

static bool uses(const struct kit_mover *mover, enum kit_param param)
{
    for (size_t i = 0; i < mover->params_count; i++)
        if (mover->params[i].param == param)
            return true;
    return false;
}

/* For whom it is, unless for nobody in particular, or for all. */
static void put_users(struct kit_buf *out, enum kit_param param)
{
    size_t users = 0, all = 0, some = 0;

    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++, all++)
        some += uses(*m, param);
    if (some == 0 || some == all)
        return;

    for (const struct kit_mover *const *m = kit_registry_movers; *m; m++) {
        if (!uses(*m, param))
            continue;
        (void)kit_buf_printf(out, "%s%s %s", users++ ? ", " : "For: ", (*m)->provider,
                             (*m)->scenario);
    }
    (void)kit_buf_puts(out, ".\n");
}

static void put_values(struct kit_buf *out, const struct kit_param_info *info)
{
    switch (info->type) {
    case KIT_TYPE_CHOICE:
    case KIT_TYPE_UNKNOWN_POLICY:
        (void)kit_buf_puts(out, "One of: ");
        for (const char *c = info->form; *c; c++)
            (void)kit_buf_puts(out, *c == '|' ? ", " : (const char[]){*c, '\0'});
        break;
    case KIT_TYPE_BOOL: (void)kit_buf_puts(out, "yes or no"); break;
    case KIT_TYPE_SECONDS: (void)kit_buf_printf(out, "Seconds, %s", info->form); break;
    case KIT_TYPE_NUMBER: (void)kit_buf_printf(out, "A number, %s", info->form); break;
    case KIT_TYPE_IDS: (void)kit_buf_puts(out, "Separated by commas"); break;
    default: return;
    }
    (void)kit_buf_puts(out, ".\n");
}

static const char *type_of(const struct kit_param_info *info)
{
    switch (info->type) {
    case KIT_TYPE_BOOL: return "boolean";
    case KIT_TYPE_NUMBER:
    case KIT_TYPE_SECONDS: return "integer";
    default: return "string";
    }
}

static void put_parameter(struct kit_buf *out, enum kit_param param)
{
    const struct kit_param_info *info = &kit_param_info[param];
    bool reloadable = true;

    for (size_t i = 0; i < KIT_LEN(binding); i++)
        if (binding[i] == param)
            reloadable = false;
    /* Nothing is required here: all of it may stand in the files. */
    (void)kit_buf_printf(
        out, "<parameter name=\"%s\" %s required=\"0\" reloadable=\"%d\">\n", info->name,
        param == KIT_PARAM_ADDRESS ? "unique=\"1\" unique-group=\"address\"" : "unique=\"0\"",
        reloadable);
    (void)kit_buf_puts(out, "<longdesc lang=\"en\">\n");
    escape(out, info->text);
    (void)kit_buf_puts(out, ".\n");
    put_values(out, info);
    put_users(out, param);
    (void)kit_buf_puts(out, "</longdesc>\n<shortdesc lang=\"en\">");
    escape(out, info->text);
    (void)kit_buf_printf(out, "</shortdesc>\n<content type=\"%s\"", type_of(info));
    if (info->dflt) {
        (void)kit_buf_puts(out, " default=\"");
        escape(out, info->dflt);
        (void)kit_buf_putc(out, '"');
    }
    (void)kit_buf_puts(out, "/>\n</parameter>\n");
}

void act_ocf_metadata(struct kit_buf *out)
{
    (void)kit_buf_puts(out, head);
    (void)kit_buf_puts(out, "<parameters>\n");
    (void)kit_buf_puts(out, tag_parameter);
    for (int i = 0; i < KIT_PARAM_COUNT; i++)
        put_parameter(out, (enum kit_param)i);
    (void)kit_buf_puts(out, tail);
}
