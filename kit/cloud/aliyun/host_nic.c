/* kit/cloud/aliyun/host_nic.c - one interface of this instance, as the metadata service has it. */
#include "kit/cloud/aliyun/host_nic.h"

#include "kit/base/str.h"
#include "kit/cloud/aliyun/metadata.h"

static const char *const leaf[ALI_HOST_NIC_ITEMS] = {
    [ALI_HOST_NIC_FIRST_MAC] = "mac",
    [ALI_HOST_NIC_ENI] = "network-interface-id",
    [ALI_HOST_NIC_PRIMARY] = "primary-ip-address",
    [ALI_HOST_NIC_IPV4S] = "private-ipv4s",
    [ALI_HOST_NIC_SUBNET4] = "vswitch-cidr-block",
    [ALI_HOST_NIC_GATEWAY4] = "gateway",
    [ALI_HOST_NIC_IPV6S] = "ipv6s",
    [ALI_HOST_NIC_SUBNET6] = "vswitch-ipv6-cidr-block",
    [ALI_HOST_NIC_GATEWAY6] = "ipv6-gateway",
};

int ali_host_nic_decode(const char *mac, const char *const value[ALI_HOST_NIC_ITEMS],
                        struct kit_nic *ret_nic, struct kit_err *err)
{
    struct kit_nic nic = {0};

    (void)kit_str_copy(nic.mac, sizeof(nic.mac), mac);
    if (!value[ALI_HOST_NIC_ENI][0])
        return kit_err_set(err, KIT_ERR_NOT_FOUND,
                           "the metadata service knows no interface with MAC %s", mac);
    if (!kit_str_copy(nic.eni, sizeof(nic.eni), value[ALI_HOST_NIC_ENI]) ||
        !kit_nic_mac_valid(value[ALI_HOST_NIC_FIRST_MAC]))
        return kit_err_set(err, KIT_ERR_PROTOCOL,
                           "the metadata service names no id of %s and no primary interface", mac);
    nic.primary = kit_str_eq_nocase(value[ALI_HOST_NIC_FIRST_MAC], mac);
    kit_str_make_printable(nic.eni);
    if (kit_nic_put_cidr(&nic.subnet4, 4, value[ALI_HOST_NIC_SUBNET4], leaf[ALI_HOST_NIC_SUBNET4],
                         err) != 0 ||
        kit_nic_put_addr(&nic.gateway4, 4, value[ALI_HOST_NIC_GATEWAY4],
                         leaf[ALI_HOST_NIC_GATEWAY4], err) != 0 ||
        kit_nic_put_cidr(&nic.subnet6, 6, value[ALI_HOST_NIC_SUBNET6], leaf[ALI_HOST_NIC_SUBNET6],
                         err) != 0 ||
        kit_nic_put_addr(&nic.gateway6, 6, value[ALI_HOST_NIC_GATEWAY6],
                         leaf[ALI_HOST_NIC_GATEWAY6], err) != 0 ||
        kit_nic_add(&nic, 4, value[ALI_HOST_NIC_PRIMARY], leaf[ALI_HOST_NIC_PRIMARY], err) != 0 ||
        kit_nic_add(&nic, 4, value[ALI_HOST_NIC_IPV4S], leaf[ALI_HOST_NIC_IPV4S], err) != 0 ||
        kit_nic_add(&nic, 6, value[ALI_HOST_NIC_IPV6S], leaf[ALI_HOST_NIC_IPV6S], err) != 0 ||
        kit_nic_check(&nic, err) != 0)
        return -1;
    *ret_nic = nic;
    return 0;
}

int ali_host_nic(struct kit_cloud *cloud, const char *mac, struct kit_deadline by,
                 struct kit_nic *ret_nic, struct kit_err *err)
{
    struct kit_metadata_item item[ALI_HOST_NIC_ITEMS];
    const char *value[ALI_HOST_NIC_ITEMS];
    char path[ALI_HOST_NIC_ITEMS][96];
    int rc;

    if (!kit_nic_mac_valid(mac))
        return kit_err_set(err, KIT_ERR_CONFIG, "\"%.32s\" is no MAC address", mac);
    for (size_t i = 0; i < ALI_HOST_NIC_ITEMS; i++) {
        if (i == ALI_HOST_NIC_FIRST_MAC)
            (void)kit_str_format(path[i], sizeof(path[i]), "meta-data/%s", leaf[i]);
        else
            (void)kit_str_format(path[i], sizeof(path[i]),
                                 "meta-data/network/interfaces/macs/%s/%s", mac, leaf[i]);
        item[i] = (struct kit_metadata_item){
            .path = path[i], .optional = true, .value = KIT_BUF_SECRET(KIT_METADATA_BODY_BYTES)};
    }
    rc = ali_metadata_read((struct ali_cloud *)cloud, item, ALI_HOST_NIC_ITEMS, by, err);
    for (size_t i = 0; i < ALI_HOST_NIC_ITEMS; i++)
        value[i] = item[i].found ? item[i].value.data : "";
    if (rc == 0)
        rc = ali_host_nic_decode(mac, value, ret_nic, err);
    for (size_t i = 0; i < ALI_HOST_NIC_ITEMS; i++)
        kit_buf_done(&item[i].value);
    return rc;
}
