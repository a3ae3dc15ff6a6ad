/* Any bytes: parsed or refused; every element's text is asked for, into rooms of every size. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/mem.h"
#include "kit/fmt/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"item", "a", "Code", "Message", "routeTableId"};
    struct kit_xml xml = {0};
    struct kit_err err;
    char text[40];

    if (kit_xml_parse((const char *)data, size, &xml, &err) < 0) {
        if (xml.doc || err.kind != KIT_ERR_PROTOCOL || !err.msg[0] || strchr(err.msg, '\n'))
            abort();
        return 0;
    }
    const struct kit_xml_node *root = kit_xml_root(&xml);
    for (size_t i = 0; i < KIT_LEN(names); i++) {
        size_t room = 1 + (size + i) % sizeof(text);
        const struct kit_xml_node *found = kit_xml_find(root, names[i]);
        if (kit_xml_own_text(found, text, room) && strlen(text) >= room)
            abort();
        KIT_XML_EACH (node, found, names[i])
            if (strcmp(kit_xml_name(node), names[i]) != 0)
                abort();
        (void)kit_xml_text(root, names[i], text, room);
    }
    kit_xml_done(&xml);
    return 0;
}
