/* tests/unit/ali_data.h - reads the data files of the aliyun tests.  Included after cmocka.h. */
#ifndef TESTS_UNIT_ALI_DATA_H
#define TESTS_UNIT_ALI_DATA_H

#include "kit/base/str.h"
#include "kit/fmt/json.h"
#include "kit/sys/file.h"

/* tests/run starts us in the source tree's root; CLOUDVIP_TEST_DATA says where else. */
static inline void ali_data_read(const char *name, struct kit_json *ret_json)
{
    KIT_AUTO(kit_buf) text = KIT_BUF(1024 * 1024);
    const char *dir = getenv("CLOUDVIP_TEST_DATA");
    struct kit_err err = {.msg = ""};
    char path[512];

    assert_true(kit_str_format(path, sizeof(path), "%s/%s", dir ? dir : "tests/unit/data", name));
    if (kit_file_read(path, KIT_FILE_ANY, &text, &err) != 0 ||
        kit_json_parse(text.data, text.len_bytes, ret_json, &err) != 0)
        fail_msg("%s", err.msg);
}

static inline const char *ali_data_text(const struct kit_json_node *object, const char *key)
{
    return kit_json_string(kit_json_get(object, key));
}

#endif
