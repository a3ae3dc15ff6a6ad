/* kit/cloud/aws/host_nic.c - one interface of this instance, as the metadata service has it. */
#include "kit/cloud/aws/host_nic.h"

#include "kit/base/str.h"
#include "kit/cloud/aws/imds.h"

static const char *const leaf[AWS_HOST_NIC_ITEMS] = {
    [AWS_HOST_NIC_ENI] = "interface-id",  [AWS_HOST_NIC_DEVICE] = "device-number",
    [AWS_HOST_NIC_IPV4S] = "local-ipv4s", [AWS_HOST_NIC_SUBNET4] = "subnet-ipv4-cidr-block",
    [AWS_HOST_NIC_IPV6S] = "ipv6s",       [AWS_HOST_NIC_SUBNET6] = "subnet-ipv6-cidr-blocks",
};

/* The VPC router is the second address of each subnet (VPC User Guide, "Subnet CIDR blocks": the
 * first four and the last are reserved). */
static struct kit_addr router_of(const struct kit_cidr *subnet)
{
    struct kit_addr router = subnet->addr;

    if (router.family == 4)
        router.byte[3] |= 1;
    return router;
}

/* The first of them: an interface of EC2 has one subnet, and a subnet one IPv6 block in use. */
static void first_line(const char *text, char line[KIT_CIDR_TEXT])
{
    const char *word;
    size_t len;

    line[0] = '\0';
    if (kit_str_word(&text, "\r\n", &word, &len) &&
        !kit_str_format(line, KIT_CIDR_TEXT, "%.*s", (int)(len < 200 ? len : 200), word))
        (void)kit_str_copy(line, KIT_CIDR_TEXT, "..."); /* no block is so long */
}

int aws_host_nic_decode(const char *mac, const char *const value[AWS_HOST_NIC_ITEMS],
                        struct kit_nic *ret_nic, struct kit_err *err)
{
    struct kit_nic nic = {0};
    char subnet4[KIT_CIDR_TEXT], subnet6[KIT_CIDR_TEXT];
    int64_t device;

    (void)kit_str_copy(nic.mac, sizeof(nic.mac), mac);
    if (!value[AWS_HOST_NIC_ENI][0])
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "the metadata service knows no interface with MAC %s", mac);
    if (!kit_str_copy(nic.eni, sizeof(nic.eni), value[AWS_HOST_NIC_ENI]) ||
        !kit_str_to_int(value[AWS_HOST_NIC_DEVICE], 0, INT32_MAX, &device))
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "the metadata service names no id and device number of %s", mac);
    nic.primary = device == 0;
    kit_str_make_printable(nic.eni);
    first_line(value[AWS_HOST_NIC_SUBNET4], subnet4);
    first_line(value[AWS_HOST_NIC_SUBNET6], subnet6);
    if (kit_nic_put_cidr(&nic.subnet4, 4, subnet4, leaf[AWS_HOST_NIC_SUBNET4], err) != 0 ||
        kit_nic_put_cidr(&nic.subnet6, 6, subnet6, leaf[AWS_HOST_NIC_SUBNET6], err) != 0 ||
        kit_nic_add(&nic, 4, value[AWS_HOST_NIC_IPV4S], leaf[AWS_HOST_NIC_IPV4S], err) != 0 ||
        kit_nic_add(&nic, 6, value[AWS_HOST_NIC_IPV6S], leaf[AWS_HOST_NIC_IPV6S], err) != 0)
        return -1;
    nic.gateway4 = router_of(&nic.subnet4);
    if (kit_nic_check(&nic, err) != 0)
        return -1;
    *ret_nic = nic;
    return 0;
}

int aws_host_nic(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
                 struct kit_nic *ret_nic, struct kit_err *err)
{
    struct kit_metadata_item item[AWS_HOST_NIC_ITEMS];
    const char *value[AWS_HOST_NIC_ITEMS];
    char path[AWS_HOST_NIC_ITEMS][96];
    int rc;

    if (!kit_nic_mac_valid(mac))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%.32s\" is no MAC address", mac);
    for (size_t i = 0; i < AWS_HOST_NIC_ITEMS; i++) {
        (void)kit_str_format(path[i], sizeof(path[i]), "meta-data/network/interfaces/macs/%s/%s",
                             mac, leaf[i]);
        item[i] = (struct kit_metadata_item){
            .path = path[i], .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    }
    rc = aws_imds_read((struct aws_cloud *)cloud, item, AWS_HOST_NIC_ITEMS, by, err);
    for (size_t i = 0; i < AWS_HOST_NIC_ITEMS; i++)
        value[i] = item[i].found ? item[i].value.data : "";
    if (rc == 0)
        rc = aws_host_nic_decode(mac, value, ret_nic, err);
    for (size_t i = 0; i < AWS_HOST_NIC_ITEMS; i++)
        kit_buf_done(&item[i].value);
    return rc;
}
