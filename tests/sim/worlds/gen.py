#!/usr/bin/env python3
"""Writes a world file: N nodes in as many zones, route tables that all lead a VIP to the first node.

Ids are fixed and readable: node n is i-0aa…n with the primary interface eni-0aa…n and the service
interface eni-0bb…n, tables are rtb-0aa…1 and so on, addresses eipalloc-0aa…1 with 203.0.113.10+.
"""
import argparse
import json
import sys

ZONES = ["ap-northeast-1a", "ap-northeast-1c", "ap-northeast-1d"]
NODE_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": "*"},
        {"Effect": "Allow", "Resource": "*",
         "Action": ["ec2:ReplaceRoute", "ec2:CreateRoute", "ec2:AssociateAddress",
                    "ec2:DisassociateAddress", "ec2:ModifyNetworkInterfaceAttribute",
                    "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses",
                    "ec2:AttachNetworkInterface", "ec2:DetachNetworkInterface"]},
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"},
    ],
}


def ident(prefix, letters, number):
    return f"{prefix}-0{letters}{number:014d}"


def eni(number, letters, device, subnet, host):
    return {
        "network_interface_id": ident("eni", letters, number),
        "subnet_id": subnet,
        "mac": f"06:00:0a:00:{number:02x}:{device + 1:02x}",
        "private_ips": [f"10.0.{number}.{host}"],
        "source_dest_check": device == 0,
        "description": f"node{number} {'primary' if device == 0 else 'service'}",
        "attachment": {
            "attachment_id": ident("eni-attach", letters, number),
            "instance_id": ident("i", "aa", number),
            "device_index": device,
            "status": "attached",
            "delete_on_termination": device == 0,
        },
    }


def world(options):
    vpc = ident("vpc", "aa", 1)
    numbers = range(1, options.nodes + 1)
    subnets = [{
        "subnet_id": ident("subnet", "aa", n),
        "vpc_id": vpc,
        "availability_zone": ZONES[(n - 1) % len(ZONES)],
        "cidr_block": f"10.0.{n}.0/24",
    } for n in numbers]
    if options.ipv6:
        for n, subnet in zip(numbers, subnets):
            subnet["ipv6_cidr_block"] = f"2001:db8:0:{n}::/64"
    vips = []
    for v in range(options.vips):
        vips.append(f"fd00:cafe::{v + 16:x}/128" if options.ipv6
                    else f"10.1.{v // 200}.{v % 200 + 10}/32")
    tables = []
    for t in range(1, options.tables + 1):
        associations = [{"association_id": ident("rtbassoc", "aa", t)}]
        if t <= options.nodes:
            associations[0]["subnet_id"] = ident("subnet", "aa", t)
        elif t == options.nodes + 1 or options.tables <= options.nodes and t == options.tables:
            associations[0]["main"] = True
        else:
            associations = []
        routes = [{"destination": "10.0.0.0/16", "target": "local"}]
        if options.ipv6:
            routes.append({"destination": "2001:db8::/56", "target": "local"})
        routes.append({"destination": "0.0.0.0/0", "target": ident("igw", "aa", 1)})
        routes += [{"destination": vip, "target": ident("eni", "bb", 1)} for vip in vips]
        tables.append({"route_table_id": ident("rtb", "aa", t), "vpc_id": vpc,
                       "tags": {"Name": f"table{t}"}, "associations": associations,
                       "routes": routes})
    addresses = []
    for e in range(options.eips):
        address = {"allocation_id": ident("eipalloc", "aa", e + 1),
                   "public_ip": f"203.0.113.{e + 10}", "tags": {"Name": f"eip{e + 1}"}}
        if e == 0:
            address.update(association_id=ident("eipassoc", "aa", 1),
                           network_interface_id=ident("eni", "bb", 1), private_ip="10.0.1.11")
        addresses.append(address)
    return {"aws": {
        "region": "ap-northeast-1",
        "account": "123456789012",
        "credentials": [
            {"access_key_id": "AKIDEXAMPLE", "user": "admin",
             "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
            {"access_key_id": "AKIDREADONLY", "user": "reader",
             "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYREADONLYKE",
             "policy": {"Version": "2012-10-17", "Statement": {
                 "Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}}},
        ],
        "roles": [
            {"name": "node", "policy": NODE_POLICY},
            {"name": "mover", "account": "210987654321", "policy": NODE_POLICY, "trust": {
                "principals": ["arn:aws:iam::123456789012:role/node", "AKIDEXAMPLE"],
                "external_id": "cloudvip-example",
                "web_identity_tokens": ["web-identity-token-example"]}},
        ],
        "vpcs": [{"vpc_id": vpc, "cidr_blocks": ["10.0.0.0/16"],
                  "ipv6_cidr_blocks": ["2001:db8::/56"] if options.ipv6 else [],
                  "tags": {"Name": "example"}}],
        "subnets": subnets,
        "internet_gateways": [{"internet_gateway_id": ident("igw", "aa", 1), "vpc_id": vpc}],
        "instances": [{
            "instance_id": ident("i", "aa", n), "state": "running", "instance_type": "m5.large",
            "subnet_id": ident("subnet", "aa", n), "role": "node", "imds": "on",
            "tags": {"Name": f"node{n}"},
        } for n in numbers],
        "network_interfaces": [e for n in numbers for e in (
            eni(n, "aa", 0, ident("subnet", "aa", n), 10),
            eni(n, "bb", 1, ident("subnet", "aa", n), 11))],
        "addresses": addresses,
        "route_tables": tables,
    }}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tables", type=int, default=3)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--eips", type=int, default=1)
    parser.add_argument("--vips", type=int, default=1, help="routes to the first node in each table")
    parser.add_argument("--ipv6", action="store_true", help="VIPs fd00:cafe::10/128 and on")
    options = parser.parse_args()
    if not 1 <= options.nodes <= 200 or not 0 <= options.eips <= 200:
        parser.error("1 to 200 nodes, at most 200 addresses")
    json.dump(world(options), sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
