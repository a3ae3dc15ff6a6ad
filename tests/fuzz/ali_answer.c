/* Any JSON as an answer: lists have as many elements as can be taken, texts end within their
 * buffers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/cloud/aliyun/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct kit_json_node *object, const char *key)
{
    char dst[9];

    memset(dst, 'x', sizeof(dst));
    bool there = ali_text(object, key, dst, sizeof(dst) - 1);
    /* Terminated, "" when it is not there, and nothing behind the end was touched. */
    if (!memchr(dst, '\0', sizeof(dst) - 1) || (!there && dst[0]) || dst[8] != 'x')
        abort();
    (void)ali_true(object, key);
}

static void check_list(const struct kit_json_node *root, const char *outer, const char *inner)
{
    size_t count = ali_list_count(root, outer, inner);

    for (size_t i = 0; i < count && i < 64; i++) {
        const struct kit_json_node *element = ali_list_at(root, outer, inner, i);
        check_text(element, "HaVipId");
        check_text(element, "Status");
    }
    if (ali_list_at(root, outer, inner, count))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    KIT_AUTO(kit_json) json = {0};
    struct kit_err err;

    if (kit_json_parse((const char *)data, size, &json, &err))
        return 0;
    const struct kit_json_node *root = kit_json_root(&json);
    check_list(root, "HaVips", "HaVip");
    check_list(root, "HaVips", NULL);
    check_list(root, "RouteEntrys", "RouteEntry");
    check_text(root, "RequestId");
    check_text(root, "TotalCount");
    return 0;
}
