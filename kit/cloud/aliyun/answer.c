/* kit/cloud/aliyun/answer.c - reading answers as odd as they come, and page after page. */
#include <inttypes.h>

#include "kit/base/mem.h"
#include "kit/base/str.h"
#include "kit/cloud/aliyun/rpc.h"

/* A thousand pages of the smallest usual size are more objects than an account may have. */
#define MOST_PAGES 1000

/* One where a list is expected: the list of one element. */
static bool is_element(const struct kit_json_node *node)
{
    return kit_json_is_object(node) || kit_json_string(node);
}

/* Where the elements are, or NULL. */
static const struct kit_json_node *find_list(const struct kit_json_node *parent, const char *outer,
                                             const char *inner)
{
    const struct kit_json_node *node = kit_json_get(parent, outer);

    if (!inner || kit_json_count(node))
        return node;
    return kit_json_get(node, inner);
}

size_t ali_list_count(const struct kit_json_node *parent, const char *outer, const char *inner)
{
    const struct kit_json_node *list = find_list(parent, outer, inner);
    size_t count = kit_json_count(list);

    return count ? count : is_element(list);
}

const struct kit_json_node *ali_list_at(const struct kit_json_node *parent, const char *outer,
                                        const char *inner, size_t index)
{
    const struct kit_json_node *list = find_list(parent, outer, inner);

    if (kit_json_count(list))
        return kit_json_at(list, index);
    return index == 0 && is_element(list) ? list : NULL;
}

/* What a reading action's list is in.  An empty one is there all the same, with no elements. */
static const struct {
    const char *action, *outer;
    bool counted; /* the answer has a TotalCount */
} lists[] = {
    {"DescribeEipAddresses", "EipAddresses", true},
    {"DescribeHaVips", "HaVips", true},
    {"DescribeInstances", "Instances", true},
    {"DescribeNatGateways", "NatGateways", true},
    {"DescribeNetworkInterfaces", "NetworkInterfaceSets", true},
    {"DescribeRouteEntryList", "RouteEntrys", false},
    {"DescribeRouteTableList", "RouterTableList", true},
    {"DescribeSnatTableEntries", "SnatTableEntries", true},
    {"DescribeVSwitches", "VSwitches", true},
};

static int is_named(void *arg, const char *key, const struct kit_json_node *value)
{
    (void)value;
    return kit_str_eq(key, arg);
}

/* With whatever value: null is an empty list, too. */
static bool has_member(const struct kit_json_node *object, const char *name)
{
    char key[32];

    return kit_str_copy(key, sizeof(key), name) && kit_json_each(object, is_named, key);
}

const char *ali_list_lacking(const char *action, const struct kit_json_node *root)
{
    int64_t total;

    for (size_t i = 0; i < KIT_LEN(lists); i++) {
        if (!kit_str_eq(action, lists[i].action) || has_member(root, lists[i].outer))
            continue;
        if (lists[i].counted ? kit_json_int(kit_json_get(root, "TotalCount"), &total) && !total
                             : !has_member(root, "Code"))
            continue;
        return lists[i].outer;
    }
    return NULL;
}

bool ali_text(const struct kit_json_node *object, const char *key, char *dst, size_t dst_bytes)
{
    const struct kit_json_node *node = kit_json_get(object, key);
    const char *text = kit_json_string(node);
    int64_t number;
    bool fits = false;

    if (text)
        fits = kit_str_copy(dst, dst_bytes, text);
    else if (kit_json_int(node, &number))
        fits = kit_str_format(dst, dst_bytes, "%" PRId64, number);
    if (!fits && dst_bytes > 0)
        dst[0] = '\0';
    return fits;
}

bool ali_true(const struct kit_json_node *object, const char *key)
{
    const struct kit_json_node *node = kit_json_get(object, key);
    const char *text = kit_json_string(node);
    bool value;

    if (text)
        return kit_str_eq_nocase(text, "true");
    return kit_json_bool(node, &value) && value;
}

/* ---- pages ----------------------------------------------------------------------------------- */

static int too_many(const struct ali_rpc *r, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: more than %d pages", r->call.what, MOST_PAGES);
}

static void put_number(struct ali_rpc *r, const char *name, unsigned number)
{
    char text[16];

    (void)kit_str_format(text, sizeof(text), "%u", number);
    ali_rpc_param(r, name, text);
}

static int numbered_pages(struct ali_rpc *r, unsigned page_size, struct kit_deadline by,
                          ali_page_fn take, void *arg, struct kit_err *err)
{
    put_number(r, "PageSize", page_size);
    for (unsigned page = 1; page <= MOST_PAGES; page++) {
        int64_t total, size = page_size;

        put_number(r, "PageNumber", page);
        if (ali_rpc_run(r, by, err))
            return -1;
        const struct kit_json_node *root = ali_rpc_root(r);
        if (!kit_json_int(kit_json_get(root, "TotalCount"), &total) || total < 0)
            return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: a page without a TotalCount",
                               r->call.what);
        /* The service may have its own idea of the largest page. */
        (void)kit_json_int(kit_json_get(root, "PageSize"), &size);
        if (take(arg, root, err))
            return -1;
        if (size <= 0 || size > page_size)
            size = page_size;
        if ((int64_t)page * size >= total)
            return 0;
    }
    return too_many(r, err);
}

/* A number that no int64_t holds has lost its digits, and what is none of both means nothing. */
static int bad_token(const struct ali_rpc *r, struct kit_err *err)
{
    return kit_err_set(err, KIT_ERR_PROTOCOL,
                       "%s: a NextToken that is no text of at most %d bytes: the list is not whole",
                       r->call.what, ALI_PAGE_TOKEN - 1);
}

int ali_next_token(const struct ali_rpc *r, char token[ALI_PAGE_TOKEN], struct kit_err *err)
{
    const struct kit_json_node *root = ali_rpc_root(r);
    const struct kit_json_node *node = kit_json_get(root, "NextToken");
    char next[ALI_PAGE_TOKEN];
    int64_t number;

    if (kit_json_type(node) == KIT_JSON_NULL ||
        (kit_json_type(node) == KIT_JSON_INT && kit_json_int(node, &number) && !number))
        return 0;
    if (!ali_text(root, "NextToken", next, sizeof(next)))
        return bad_token(r, err);
    if (!next[0])
        return 0;
    if (kit_str_eq(token, next))
        return kit_err_set(err, KIT_ERR_PROTOCOL, "%s: the same NextToken twice", r->call.what);
    (void)kit_str_copy(token, ALI_PAGE_TOKEN, next);
    return 1;
}

static int token_pages(struct ali_rpc *r, enum ali_pages style, unsigned page_size,
                       struct kit_deadline by, ali_page_fn take, void *arg, struct kit_err *err)
{
    char token[ALI_PAGE_TOKEN] = "";

    put_number(r, style == ALI_PAGES_TOKEN_MAXRESULT ? "MaxResult" : "MaxResults", page_size);
    for (unsigned page = 1; page <= MOST_PAGES; page++) {
        int more;

        if (ali_rpc_run(r, by, err))
            return -1;
        more = ali_next_token(r, token, err);
        if (more < 0 || take(arg, ali_rpc_root(r), err))
            return -1;
        if (!more)
            return 0;
        ali_rpc_param(r, "NextToken", token);
    }
    return too_many(r, err);
}

int ali_rpc_pages(struct ali_rpc *r, enum ali_pages style, unsigned page_size,
                  struct kit_deadline by, ali_page_fn take, void *arg, struct kit_err *err)
{
    if (style == ALI_PAGES_NUMBER)
        return numbered_pages(r, page_size, by, take, arg, err);
    return token_pages(r, style, page_size, by, take, arg, err);
}
