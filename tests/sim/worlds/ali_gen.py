#!/usr/bin/env python3
"""Makes worlds for the Alibaba half of cloudsim.

    ali_gen.py [--tables N] [--nodes N] [--eips N] [--vips N] [--one-zone] > FILE

ali-two-nodes.json is its output without options, ali-havip.json that of --one-zone.
"""
import argparse
import json

REGION = "cn-shanghai"
NODE_POLICY = {
    "Version": "1",
    "Statement": [
        {"Effect": "Allow", "Resource": "*",
         "Action": ["vpc:Describe*", "vpc:List*", "ecs:Describe*", "vpc:CheckCanAllocateVpcPrivateIpAddress"]},
        {"Effect": "Allow", "Resource": "*",
         "Action": ["vpc:ModifyRouteEntry", "vpc:CreateRouteEntry", "vpc:DeleteRouteEntry", "vpc:AssociateEipAddress",
                    "vpc:UnassociateEipAddress", "vpc:AssociateHaVip", "vpc:UnassociateHaVip",
                    "ecs:AttachNetworkInterface", "ecs:DetachNetworkInterface", "ecs:AssignPrivateIpAddresses",
                    "ecs:UnassignPrivateIpAddresses", "ecs:AssignIpv6Addresses", "ecs:UnassignIpv6Addresses"]},
        {"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:GetCallerIdentity"], "Resource": "*"},
    ],
}


def make(tables=2, nodes=2, eips=1, vips=1, one_zone=False):
    """Node N: i-nodeN, its primary interface eni-nodeN, its service interface eni-svcN."""
    vswitches, instances, enis = [], [], []
    zones = 1 if one_zone else nodes
    for n in range(1, zones + 1):
        vswitches.append({"vswitch_id": "vsw-%d" % n, "vpc_id": "vpc-main", "zone_id": "%s-%s" % (REGION, chr(96 + n)),
                          "cidr_block": "10.0.%d.0/24" % n, "name": "zone-%d" % n})
    for n in range(1, nodes + 1):
        zone = 1 if one_zone else n
        last = 10 * n if one_zone else 10
        instances.append({"instance_id": "i-node%d" % n, "vswitch_id": "vsw-%d" % zone, "role": "node",
                          "name": "node%d" % n})
        for number, (name, kind) in enumerate((("node", "Primary"), ("svc", "Secondary"))):
            enis.append({"network_interface_id": "eni-%s%d" % (name, n), "vswitch_id": "vsw-%d" % zone,
                         "mac": "00:16:3e:00:%02x:%02x" % (n, number), "type": kind, "instance_id": "i-node%d" % n,
                         "private_ips": ["10.0.%d.%d" % (zone, last + number)], "security_group_ids": ["sg-main"]})
    # Interfaces that move: one with an address of its own in the first zone, on node 1.
    enis.append({"network_interface_id": "eni-move", "vswitch_id": "vsw-1", "mac": "00:16:3e:00:ff:01",
                 "instance_id": "i-node1", "private_ips": ["10.0.1.100"], "security_group_ids": ["sg-main"]})
    # The secondary address that moves.
    enis[1]["private_ips"].append("10.0.1.60")
    routes = [{"destination": "10.1.%d.%d/32" % (v // 200, 10 + v % 200), "next_hop_id": "eni-svc1"}
              for v in range(vips)]
    local = [{"destination": v["cidr_block"], "next_hop_id": "local", "next_hop_type": "local", "type": "System"}
             for v in vswitches]
    table_list = []
    for n in range(1, tables + 1):
        table = {"route_table_id": "vtb-%d" % n, "vpc_id": "vpc-main", "name": "table-%d" % n,
                 "routes": [dict(r, route_entry_id="rte-%d-%d" % (n, i + 1)) for i, r in enumerate(local + routes)]}
        if n <= zones:
            table["vswitch_ids"] = ["vsw-%d" % n]
        table_list.append(table)
    addresses = [{"allocation_id": "eip-%d" % n, "ip_address": "198.51.100.%d" % (19 + n)} for n in range(1, eips + 1)]
    if addresses:
        addresses[0].update(instance_type="NetworkInterface", instance_id="eni-svc1", mode="NAT",
                            private_ip=enis[1]["private_ips"][0])
    bound = [i["instance_id"] for i in instances if i["vswitch_id"] == "vsw-1"]
    havips = [{"havip_id": "havip-1", "ip_address": "10.0.1.50", "vswitch_id": "vsw-1", "instances": bound,
               "instance_type": "EcsInstance", "master": bound[0]}]
    return {"aliyun": {
        "region_id": REGION, "account_id": "1234567890123456",
        "credentials": [{"access_key_id": "LTAIEXAMPLE", "access_key_secret": "testsecret", "user": "admin"}],
        "roles": [{"name": "node", "policy": NODE_POLICY}],
        "vpcs": [{"vpc_id": "vpc-main", "cidr_block": "10.0.0.0/16", "name": "main"}],
        "vswitches": vswitches,
        "security_groups": [{"security_group_id": "sg-main", "vpc_id": "vpc-main", "name": "main"}],
        "instances": instances, "network_interfaces": enis, "eips": addresses, "havips": havips,
        "route_tables": table_list}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, default in (("tables", 2), ("nodes", 2), ("eips", 1), ("vips", 1)):
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--one-zone", action="store_true")
    print(json.dumps(make(**vars(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
