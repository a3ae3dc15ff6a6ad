/* Any bytes as what a metadata service says of an interface: an interface that holds together, or a
 * refusal.  The first byte chooses the provider; a '|' parts the items. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kit/base/str.h"
#include "kit/cloud/aliyun/host_nic.h"
#include "kit/cloud/aws/host_nic.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAC   "06:00:0a:00:02:02"
#define ITEMS 16

static void check(const struct kit_nic *nic)
{
    bool six = false;

    if (nic->count == 0 || nic->count > KIT_NIC_ADDRS || !kit_str_eq(nic->mac, MAC) || !nic->eni[0])
        abort();
    for (size_t i = 0; i < nic->count; i++) {
        const struct kit_cidr *subnet = nic->addr[i].family == 6 ? &nic->subnet6 : &nic->subnet4;
        if (!kit_cidr_contains(subnet, &nic->addr[i]) || (six && nic->addr[i].family == 4))
            abort();
        six = nic->addr[i].family == 6;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *item[ITEMS];
    struct kit_nic nic;
    struct kit_err err;
    char *text = malloc(size + 1);

    if (!text)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    for (size_t i = 0; i < ITEMS; i++)
        item[i] = "";
    char *at = text + (size > 0);
    for (size_t i = 0; at && i < ITEMS; i++) {
        item[i] = at;
        at = strchr(at, '|');
        if (at)
            *at++ = '\0';
    }
    int rc = text[0] & 1 ? ali_host_nic_decode(MAC, item, &nic, &err)
                         : aws_host_nic_decode(MAC, item, &nic, &err);
    if (rc == 0)
        check(&nic);
    else if (rc != -1 || !err.msg[0])
        abort();
    free(text);
    return 0;
}
