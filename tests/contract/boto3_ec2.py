#!/usr/bin/env python3
# tests/run: timeout=240
"""cloudsim as botocore sees it: requests, signatures, answers and errors of a client not written here."""
import datetime
import http.client
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import lab
import tap

try:
    import boto3
    import botocore.auth
    import botocore.awsrequest
    import botocore.config
    import botocore.credentials
    import botocore.exceptions
    MISSING = None
except ImportError as e:
    MISSING = "python3-boto3 is not installed: %s" % e

REGION = "ap-northeast-1"
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
READER, READER_SECRET = "AKIDREADONLY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYREADONLYKE"
VIP = "10.1.0.10/32"
RTB = "rtb-0aa00000000000001"
VPC = "vpc-0aa00000000000001"
ENI_1, ENI_2 = "eni-0bb00000000000001", "eni-0bb00000000000002"
EIP = "eipalloc-0aa00000000000001"
FORM = "application/x-www-form-urlencoded; charset=utf-8"


def client(sim, service="ec2", key=KEY, secret=SECRET, token=None, attempts=1, region=REGION):
    return boto3.session.Session().client(
        service, region_name=region, endpoint_url=sim.url.rstrip("/"), aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=token,
        config=botocore.config.Config(retries={"max_attempts": attempts, "mode": "standard"},
                                      connect_timeout=30, read_timeout=30, parameter_validation=False))


def start(t, **options):
    if MISSING:
        t.skip(MISSING)
    return lab.Sim(t, **options)


def refused(t, code, call, status=None, **params):
    """The call ends in that error code; returns its message."""
    e = t.raises(botocore.exceptions.ClientError, lambda: call(**params))
    t.equal(e.response["Error"]["Code"], code, e.response["Error"].get("Message", ""))
    if status:
        t.equal(e.response["ResponseMetadata"]["HTTPStatusCode"], status)
    return e.response["Error"]["Message"]


def tags(entry):
    return {tag["Key"]: tag["Value"] for tag in entry.get("Tags") or entry.get("TagSet") or []}


# ---- what is described is what is there ------------------------------------------------------------

def test_route_tables_equal_the_world(t):
    with start(t) as sim:
        shown = client(sim).describe_route_tables()["RouteTables"]
        world = sim.aws()["route_tables"]
        t.equal([s["RouteTableId"] for s in shown], [w["route_table_id"] for w in world])
        for s, w in zip(shown, world):
            t.equal(s["VpcId"], w["vpc_id"])
            t.equal(s["OwnerId"], "123456789012")
            t.equal(tags(s), w["tags"])
            t.equal(s["PropagatingVgws"], [])
            t.equal([(r["DestinationCidrBlock"], r.get("NetworkInterfaceId") or r.get("GatewayId"),
                      r["State"], r["Origin"]) for r in s["Routes"]],
                    [(r["destination"], r["target"], r["state"], r["origin"]) for r in w["routes"]])
            t.equal([(a["RouteTableAssociationId"], a.get("SubnetId"), a["Main"],
                      a["AssociationState"]["State"]) for a in s["Associations"]],
                    [(a["association_id"], a.get("subnet_id"), a.get("main", False), "associated")
                     for a in w["associations"]])
        vip = [r for r in shown[0]["Routes"] if r["DestinationCidrBlock"] == VIP][0]
        t.equal((vip["InstanceId"], vip["InstanceOwnerId"]), (lab.NODE_1, "123456789012"))


def test_ipv6_routes_equal_the_world(t):
    with start(t, world="two-nodes-ipv6") as sim:
        ec2 = client(sim)
        name = "route.destination-ipv6-cidr-block"
        found = ec2.describe_route_tables(Filters=[{"Name": name, "Values": ["fd00:cafe::10/128"]}])
        t.equal(len(found["RouteTables"]), 3)
        routes = found["RouteTables"][0]["Routes"]
        t.equal([r["NetworkInterfaceId"] for r in routes
                 if r.get("DestinationIpv6CidrBlock") == "fd00:cafe::10/128"], [ENI_1])
        ec2.replace_route(RouteTableId=RTB, DestinationIpv6CidrBlock="fd00:cafe:0::10/128",
                          NetworkInterfaceId=ENI_2)
        t.equal(sim.routes("fd00:cafe::10/128")[RTB], (ENI_2, "active"))


def test_addresses_equal_the_world(t):
    with start(t) as sim:
        shown = client(sim).describe_addresses()["Addresses"]
        w = sim.aws()["addresses"][0]
        t.equal(len(shown), 1)
        t.equal({k: shown[0][k] for k in ("PublicIp", "AllocationId", "AssociationId", "Domain",
                                          "NetworkInterfaceId", "PrivateIpAddress", "InstanceId",
                                          "NetworkInterfaceOwnerId")},
                {"PublicIp": w["public_ip"], "AllocationId": w["allocation_id"],
                 "AssociationId": w["association_id"], "Domain": "vpc",
                 "NetworkInterfaceId": w["network_interface_id"],
                 "PrivateIpAddress": w["private_ip"], "InstanceId": lab.NODE_1,
                 "NetworkInterfaceOwnerId": "123456789012"})
        t.equal(tags(shown[0]), w["tags"])


def test_interfaces_equal_the_world(t):
    with start(t) as sim:
        shown = client(sim).describe_network_interfaces()["NetworkInterfaces"]
        world = sim.aws()["network_interfaces"]
        t.equal(len(shown), len(world))
        for s, w in zip(shown, world):
            t.equal((s["NetworkInterfaceId"], s["SubnetId"], s["MacAddress"], s["SourceDestCheck"],
                     s["Description"], s["Status"], s["InterfaceType"], s["RequesterManaged"]),
                    (w["network_interface_id"], w["subnet_id"], w["mac"], w["source_dest_check"],
                     w["description"], "in-use", "interface", False))
            t.equal([(p["PrivateIpAddress"], p["Primary"]) for p in s["PrivateIpAddresses"]],
                    [(ip, i == 0) for i, ip in enumerate(w["private_ips"])])
            a = w["attachment"]
            t.equal((s["Attachment"]["AttachmentId"], s["Attachment"]["InstanceId"],
                     s["Attachment"]["DeviceIndex"], s["Attachment"]["Status"]),
                    (a["attachment_id"], a["instance_id"], a["device_index"], a["status"]))
        service = [s for s in shown if s["NetworkInterfaceId"] == ENI_1][0]
        t.equal(service["Association"]["PublicIp"], "203.0.113.10")
        t.equal(service["PrivateIpAddresses"][0]["Association"]["AllocationId"], EIP)


def test_instances_and_their_surroundings(t):
    with start(t) as sim:
        ec2 = client(sim)
        instances = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
        t.equal([(i["InstanceId"], i["State"], i["PrivateIpAddress"], i["Placement"]["AvailabilityZone"])
                 for i in instances],
                [(lab.NODE_1, {"Code": 16, "Name": "running"}, "10.0.1.10", "ap-northeast-1a"),
                 (lab.NODE_2, {"Code": 16, "Name": "running"}, "10.0.2.10", "ap-northeast-1c")])
        t.equal([n["Attachment"]["DeviceIndex"] for n in instances[0]["NetworkInterfaces"]], [0, 1])
        t.equal([v["CidrBlock"] for v in ec2.describe_vpcs()["Vpcs"]], ["10.0.0.0/16"])
        t.equal([s["CidrBlock"] for s in ec2.describe_subnets()["Subnets"]],
                ["10.0.1.0/24", "10.0.2.0/24"])
        t.equal(ec2.describe_internet_gateways()["InternetGateways"][0]["Attachments"],
                [{"VpcId": VPC, "State": "available"}])
        t.equal([z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]],
                ["ap-northeast-1a", "ap-northeast-1c"])
        t.equal(ec2.describe_regions()["Regions"][0]["RegionName"], REGION)
        named = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [lab.NODE_1]}])["Tags"]
        t.equal([(n["Key"], n["Value"], n["ResourceType"]) for n in named],
                [("Name", "node1", "instance")])
        t.equal(len(ec2.describe_instance_status()["InstanceStatuses"]), 2)
        limits = ec2.describe_instance_types(InstanceTypes=["m5.large"])["InstanceTypes"][0]["NetworkInfo"]
        t.equal((limits["MaximumNetworkInterfaces"], limits["Ipv4AddressesPerInterface"]), (3, 10))


# ---- filters and pages -------------------------------------------------------------------------------

def test_filters(t):
    with start(t) as sim:
        ec2 = client(sim)

        def ids(**filters):
            wanted = [{"Name": n.replace("__", ".").replace("_", "-"), "Values": v}
                      for n, v in filters.items()]
            return [r["RouteTableId"][-1] for r in ec2.describe_route_tables(Filters=wanted)["RouteTables"]]

        t.equal(ids(vpc_id=[VPC]), ["1", "2", "3"])
        t.equal(ids(vpc_id=["vpc-none", VPC], route__destination_cidr_block=[VIP]), ["1", "2", "3"])
        t.equal(ids(route__destination_cidr_block=["10.1.0.1/32"]), [])
        t.equal(ids(association__main=["true"]), ["3"])
        t.equal(ids(association__subnet_id=["subnet-0aa00000000000002"]), ["2"])
        t.equal(ids(route_table_id=["rtb-*2", "rtb-0aa0000000000000?"]), ["1", "2", "3"])
        t.equal(ids(route__state=["blackhole"]), [])
        t.equal(ids(**{"tag:Name": ["table2"]}), ["2"])
        refused(t, "InvalidParameterValue", ec2.describe_route_tables,
                Filters=[{"Name": "no-such-filter", "Values": ["x"]}])
        found = ec2.describe_network_interfaces(Filters=[
            {"Name": "mac-address", "Values": ["06:00:0a:00:02:02"]},
            {"Name": "attachment.instance-id", "Values": [lab.NODE_2]}])["NetworkInterfaces"]
        t.equal([f["NetworkInterfaceId"] for f in found], [ENI_2])
        t.equal(len(ec2.describe_addresses(Filters=[{"Name": "public-ip", "Values": ["203.0.113.1?"]}])
                    ["Addresses"]), 1)


def test_pages(t):
    with start(t, world=None if MISSING else lab.generated_world(tables=23)) as sim:
        ec2 = client(sim)
        pages = list(ec2.get_paginator("describe_route_tables").paginate(MaxResults=10))
        t.equal([len(p["RouteTables"]) for p in pages], [10, 10, 3])
        seen = [r["RouteTableId"] for p in pages for r in p["RouteTables"]]
        t.equal(len(set(seen)), 23)
        t.equal(len(sim.log(action="DescribeRouteTables")), 3)
        refused(t, "InvalidParameterValue", ec2.describe_route_tables, MaxResults=4)
        refused(t, "InvalidParameterValue", ec2.describe_route_tables, MaxResults=101)
        refused(t, "InvalidPaginationToken", ec2.describe_route_tables, NextToken="none of ours")
        t.equal(len(ec2.describe_route_tables()["RouteTables"]), 23)


# ---- routes ------------------------------------------------------------------------------------------

def test_replace_route(t):
    with start(t) as sim:
        ec2 = client(sim)
        for _ in range(2):  # the second time changes nothing, and is right
            ec2.replace_route(RouteTableId=RTB, DestinationCidrBlock=VIP, NetworkInterfaceId=ENI_2)
            t.equal(sim.routes(VIP)[RTB], (ENI_2, "active"))
        t.equal(sim.routes(VIP)["rtb-0aa00000000000002"], (ENI_1, "active"))
        message = refused(t, "InvalidParameterValue", ec2.replace_route, 400, RouteTableId=RTB,
                          DestinationCidrBlock="10.1.0.11/32", NetworkInterfaceId=ENI_2)
        t.equal(message, "There is no route defined for '10.1.0.11/32' in the route table. "
                         "Use CreateRoute instead.")
        refused(t, "InvalidRouteTableID.NotFound", ec2.replace_route, 400,
                RouteTableId="rtb-0aa00000000000009", DestinationCidrBlock=VIP, NetworkInterfaceId=ENI_2)
        refused(t, "InvalidNetworkInterfaceID.NotFound", ec2.replace_route, 400, RouteTableId=RTB,
                DestinationCidrBlock=VIP, NetworkInterfaceId="eni-0bb00000000000009")
        for bad in ("rtb-1", "rtb-0AA00000000000001", "eni-0aa00000000000001"):
            refused(t, "InvalidRouteTableID.Malformed", ec2.replace_route, 400, RouteTableId=bad,
                    DestinationCidrBlock=VIP, NetworkInterfaceId=ENI_2)
        message = refused(t, "InvalidInstanceID", ec2.replace_route, RouteTableId=RTB,
                          DestinationCidrBlock=VIP, InstanceId=lab.NODE_2)
        t.has(message, "There are multiple interfaces attached to instance")
        refused(t, "InvalidParameterCombination", ec2.replace_route, RouteTableId=RTB,
                DestinationCidrBlock=VIP, NetworkInterfaceId=ENI_2, GatewayId="igw-0aa00000000000001")
        refused(t, "MissingParameter", ec2.replace_route, RouteTableId=RTB, DestinationCidrBlock=VIP)


def test_create_and_delete_route(t):
    with start(t) as sim:
        ec2 = client(sim)
        t.equal(ec2.create_route(RouteTableId=RTB, DestinationCidrBlock="100.68.0.18/18",
                                 NetworkInterfaceId=ENI_1)["Return"], True)
        t.equal(sim.routes("100.68.0.0/18"), {RTB: (ENI_1, "active")})
        refused(t, "RouteAlreadyExists", ec2.create_route, RouteTableId=RTB,
                DestinationCidrBlock="100.68.0.0/18", NetworkInterfaceId=ENI_1)
        refused(t, "InvalidParameterValue", ec2.create_route, RouteTableId=RTB,
                DestinationCidrBlock="10.0.1.77/32", NetworkInterfaceId=ENI_1)
        ec2.create_route(RouteTableId=RTB, DestinationCidrBlock="10.0.1.0/24", NetworkInterfaceId=ENI_1)
        ec2.delete_route(RouteTableId=RTB, DestinationCidrBlock="100.68.0.0/18")
        t.equal(sim.routes("100.68.0.0/18"), {})
        refused(t, "InvalidRoute.NotFound", ec2.delete_route, RouteTableId=RTB,
                DestinationCidrBlock="100.68.0.0/18")
        refused(t, "InvalidParameterValue", ec2.delete_route, RouteTableId=RTB,
                DestinationCidrBlock="10.0.0.0/16")


def test_route_is_a_blackhole_while_its_target_cannot_forward(t):
    with start(t) as sim:
        ec2 = client(sim)
        t.equal(ec2.stop_instances(InstanceIds=[lab.NODE_1])["StoppingInstances"][0]["PreviousState"]
                ["Name"], "running")
        t.equal(sim.targets(VIP), {(ENI_1, "blackhole")})
        found = ec2.describe_route_tables(Filters=[{"Name": "route.state", "Values": ["blackhole"]}])
        t.equal(len(found["RouteTables"]), 3)
        ec2.start_instances(InstanceIds=[lab.NODE_1])
        t.equal(sim.targets(VIP), {(ENI_1, "active")})
        ec2.detach_network_interface(AttachmentId="eni-attach-0bb00000000000001")
        t.equal(sim.targets(VIP), {(ENI_1, "blackhole")})
        ec2.delete_network_interface(NetworkInterfaceId=ENI_1)
        t.equal(sim.targets(VIP), {(ENI_1, "blackhole")})
        ec2.terminate_instances(InstanceIds=[lab.NODE_1])
        refused(t, "IncorrectInstanceState", ec2.start_instances, InstanceIds=[lab.NODE_1])


# ---- addresses ---------------------------------------------------------------------------------------

def test_associate_address(t):
    with start(t) as sim:
        ec2 = client(sim)
        seen = {sim.address(EIP)["association_id"]}
        refused(t, "Resource.AlreadyAssociated", ec2.associate_address, AllocationId=EIP,
                NetworkInterfaceId=ENI_2, AllowReassociation=False)
        for eni in (ENI_2, ENI_2, ENI_1):
            new = ec2.associate_address(AllocationId=EIP, NetworkInterfaceId=eni,
                                        AllowReassociation=True)["AssociationId"]
            t.check(new not in seen, "an association id came twice")
            seen.add(new)
            t.equal((sim.address(EIP)["association_id"], sim.address(EIP)["network_interface_id"]),
                    (new, eni))
        ec2.disassociate_address(AssociationId=new)
        t.check("association_id" not in sim.address(EIP), "still associated")
        t.check("AssociationId" not in ec2.describe_addresses()["Addresses"][0], "still shown")
        refused(t, "InvalidAssociationID.NotFound", ec2.disassociate_address, AssociationId=new)
        refused(t, "InvalidAssociationID.Malformed", ec2.disassociate_address, AssociationId="eipassoc-1")
        refused(t, "InvalidAllocationID.NotFound", ec2.associate_address,
                AllocationId="eipalloc-0aa00000000000009", NetworkInterfaceId=ENI_1)
        refused(t, "InvalidAddress.NotFound", ec2.describe_addresses, PublicIps=["203.0.113.99"])
        refused(t, "InvalidParameterValue", ec2.associate_address, AllocationId=EIP,
                NetworkInterfaceId=ENI_1, PrivateIpAddress="10.0.1.99")
        refused(t, "InvalidInstanceID", ec2.associate_address, AllocationId=EIP, InstanceId=lab.NODE_1)


def test_address_goes_with_its_private_address(t):
    with start(t) as sim:
        ec2 = client(sim)
        other = ec2.create_network_interface(SubnetId="subnet-0aa00000000000001", Description="third")
        other = other["NetworkInterface"]["NetworkInterfaceId"]
        ec2.assign_private_ip_addresses(NetworkInterfaceId=ENI_1, PrivateIpAddresses=["10.0.1.50"])
        ec2.associate_address(AllocationId=EIP, NetworkInterfaceId=ENI_1, PrivateIpAddress="10.0.1.50")
        refused(t, "InvalidParameterValue", ec2.assign_private_ip_addresses, NetworkInterfaceId=other,
                PrivateIpAddresses=["10.0.1.50"])
        got = ec2.assign_private_ip_addresses(NetworkInterfaceId=other, AllowReassignment=True,
                                              PrivateIpAddresses=["10.0.1.50"])
        t.equal(got["AssignedPrivateIpAddresses"], [{"PrivateIpAddress": "10.0.1.50"}])
        t.equal(sim.address(EIP)["network_interface_id"], other)
        ec2.unassign_private_ip_addresses(NetworkInterfaceId=other, PrivateIpAddresses=["10.0.1.50"])
        t.check("association_id" not in sim.address(EIP), "still associated")
        refused(t, "InvalidParameterValue", ec2.assign_private_ip_addresses, NetworkInterfaceId=other,
                PrivateIpAddresses=["10.0.2.50"])


def test_ipv6_addresses_are_not_reassigned(t):
    with start(t, world="two-nodes-ipv6") as sim:
        ec2 = client(sim)
        given = ec2.assign_ipv6_addresses(NetworkInterfaceId=ENI_1, Ipv6Addresses=["2001:db8:0:1:0::5"])
        t.equal(given["AssignedIpv6Addresses"], ["2001:db8:0:1::5"])
        other = ec2.create_network_interface(SubnetId="subnet-0aa00000000000001")
        other = other["NetworkInterface"]["NetworkInterfaceId"]
        refused(t, "InvalidParameterValue", ec2.assign_ipv6_addresses, NetworkInterfaceId=other,
                Ipv6Addresses=["2001:db8:0:1::5"])
        ec2.unassign_ipv6_addresses(NetworkInterfaceId=ENI_1, Ipv6Addresses=["2001:db8:0:1::5"])
        ec2.assign_ipv6_addresses(NetworkInterfaceId=other, Ipv6Addresses=["2001:db8:0:1::5"])
        t.equal(sim.interface(other)["ipv6"], ["2001:db8:0:1::5"])


# ---- interfaces --------------------------------------------------------------------------------------

def test_source_dest_check(t):
    with start(t) as sim:
        ec2 = client(sim)
        ec2.modify_network_interface_attribute(NetworkInterfaceId=ENI_1, SourceDestCheck={"Value": True})
        t.equal(sim.interface(ENI_1)["source_dest_check"], True)
        shown = ec2.describe_network_interface_attribute(NetworkInterfaceId=ENI_1,
                                                         Attribute="sourceDestCheck")
        t.equal(shown["SourceDestCheck"]["Value"], True)
        refused(t, "InvalidParameterCombination", ec2.modify_network_interface_attribute,
                NetworkInterfaceId=ENI_1, SourceDestCheck={"Value": True}, Description={"Value": "x"})


def test_security_groups_and_client_tokens(t):
    world = None if MISSING else lab.world()
    if world:
        world["aws"]["vpcs"].append({"vpc_id": "vpc-0ff00000000000001", "cidr_blocks": ["10.9.0.0/16"]})
        world["aws"]["security_groups"] = [
            {"group_id": "sg-0aa00000000000001", "vpc_id": VPC, "name": "nodes", "tags": {"a": "b"}},
            {"group_id": "sg-0ff00000000000001", "vpc_id": "vpc-0ff00000000000001"}]
    with start(t, world=world) as sim:
        ec2 = client(sim)
        shown = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [VPC]}])["SecurityGroups"]
        t.equal([(g["GroupId"], g["GroupName"], g["VpcId"], tags(g)) for g in shown],
                [("sg-0aa00000000000001", "nodes", VPC, {"a": "b"})])
        t.equal(ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": ["sg-0ee00000000000001"]}])["SecurityGroups"], [])
        refused(t, "InvalidGroup.NotFound", ec2.describe_security_groups, GroupIds=["sg-0ee00000000000001"])
        asked = {"SubnetId": "subnet-0aa00000000000001", "Groups": ["sg-0aa00000000000001"], "ClientToken": "once"}
        made = [ec2.create_network_interface(**asked)["NetworkInterface"] for _ in range(2)]
        t.equal(made[0]["NetworkInterfaceId"], made[1]["NetworkInterfaceId"], "one token, one interface")
        t.equal([g["GroupId"] for g in made[0]["Groups"]], ["sg-0aa00000000000001"])
        refused(t, "IdempotentParameterMismatch", ec2.create_network_interface, **dict(asked, Description="other"))
        before = len(sim.aws()["network_interfaces"])
        refused(t, "InvalidGroup.NotFound", ec2.create_network_interface, **dict(asked, Groups=["sg-0ee00000000000001"], ClientToken="2"))
        refused(t, "InvalidParameter", ec2.modify_network_interface_attribute,
                NetworkInterfaceId=made[0]["NetworkInterfaceId"], Groups=["sg-0ff00000000000001"])
        t.equal(len(sim.aws()["network_interfaces"]), before, "what was refused made nothing")


def test_interface_moves_and_waiters_see_it(t):
    world = None if MISSING else lab.world()
    if world:
        world["aws"]["delays_ms"] = {"attach": 2000, "detach": 2000}  # seen before they end
    with start(t, world=world) as sim:
        ec2 = client(sim)
        ec2.detach_network_interface(AttachmentId="eni-attach-0bb00000000000001", Force=True)
        shown = ec2.describe_network_interfaces(NetworkInterfaceIds=[ENI_1])["NetworkInterfaces"][0]
        t.equal(shown["Attachment"]["Status"], "detaching")
        ec2.get_waiter("network_interface_available").wait(
            NetworkInterfaceIds=[ENI_1], WaiterConfig={"Delay": 0.1, "MaxAttempts": 300})
        refused(t, "InvalidParameterCombination", ec2.attach_network_interface, NetworkInterfaceId=ENI_1,
                InstanceId=lab.NODE_2, DeviceIndex=2)
        refused(t, "InvalidParameterValue", ec2.attach_network_interface, NetworkInterfaceId=ENI_1,
                InstanceId=lab.NODE_1, DeviceIndex=0)
        new = ec2.attach_network_interface(NetworkInterfaceId=ENI_1, InstanceId=lab.NODE_1, DeviceIndex=1)
        t.check(new["AttachmentId"] != "eni-attach-0bb00000000000001", "the attachment id is an old one")
        t.equal(sim.targets(VIP), {(ENI_1, "blackhole")})
        t.wait_until(lambda: sim.interface(ENI_1)["attachment"]["status"] == "attached", "attached")
        t.equal(sim.targets(VIP), {(ENI_1, "active")})
        refused(t, "OperationNotPermitted", ec2.detach_network_interface,
                AttachmentId="eni-attach-0aa00000000000001")


def test_a_world_can_be_built_from_nothing(t):
    with start(t, world=None if MISSING else
               {"aws": {"region": REGION, "account": "123456789012",
                        "availability_zones": ["ap-northeast-1a"],
                        "credentials": [{"access_key_id": KEY, "secret_access_key": SECRET}]}}) as sim:
        ec2 = client(sim)
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.10.0.0/16")
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.1.0/24",
                                   AvailabilityZone="ap-northeast-1a")["Subnet"]["SubnetId"]
        gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        node = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, SubnetId=subnet,
                                 InstanceType="t3.micro")["Instances"][0]["InstanceId"]
        eni = ec2.describe_network_interfaces()["NetworkInterfaces"][0]["NetworkInterfaceId"]
        eip = ec2.allocate_address(Domain="vpc")["AllocationId"]
        refused(t, "Gateway.NotAttached", ec2.associate_address, AllocationId=eip, NetworkInterfaceId=eni)
        ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        ec2.associate_address(AllocationId=eip, InstanceId=node)
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]
        t.equal([r["DestinationCidrBlock"] for r in table["Routes"]], ["10.9.0.0/16", "10.10.0.0/16"])
        link = ec2.associate_route_table(RouteTableId=table["RouteTableId"], SubnetId=subnet)
        ec2.create_route(RouteTableId=table["RouteTableId"], DestinationCidrBlock=VIP, InstanceId=node)
        t.equal(sim.targets(VIP), {(eni, "active")})
        ec2.create_tags(Resources=[eni, node], Tags=[{"Key": "Name", "Value": "<&>\"'"}])
        t.equal(tags(ec2.describe_network_interfaces()["NetworkInterfaces"][0]), {"Name": "<&>\"'"})
        refused(t, "DependencyViolation", ec2.delete_route_table, RouteTableId=table["RouteTableId"])
        ec2.disassociate_route_table(AssociationId=link["AssociationId"])
        ec2.delete_route_table(RouteTableId=table["RouteTableId"])
        ec2.disassociate_address(AssociationId=sim.address(eip)["association_id"])
        ec2.release_address(AllocationId=eip)
        ec2.terminate_instances(InstanceIds=[node])
        t.equal(ec2.describe_network_interfaces()["NetworkInterfaces"], [])


# ---- permission --------------------------------------------------------------------------------------

def test_dry_run(t):
    with start(t) as sim:
        change = {"RouteTableId": RTB, "DestinationCidrBlock": VIP, "NetworkInterfaceId": ENI_2}
        refused(t, "DryRunOperation", client(sim).replace_route, 412, DryRun=True, **change)
        reader = client(sim, key=READER, secret=READER_SECRET)
        refused(t, "UnauthorizedOperation", reader.replace_route, 403, DryRun=True, **change)
        t.equal(sim.targets(VIP), {(ENI_1, "active")})


def test_policy(t):
    with start(t) as sim:
        reader = client(sim, key=READER, secret=READER_SECRET)
        t.equal(len(reader.describe_route_tables()["RouteTables"]), 3)
        message = refused(t, "UnauthorizedOperation", reader.replace_route, 403, RouteTableId=RTB,
                          DestinationCidrBlock=VIP, NetworkInterfaceId=ENI_2)
        t.has(message, "Encoded authorization failure message: ")
        t.equal(sim.targets(VIP), {(ENI_1, "active")})


def with_policy(*statements):
    world = lab.world()
    world["aws"]["credentials"].append({
        "access_key_id": "AKIDPOLICY", "secret_access_key": "policy-secret",
        "policy": {"Version": "2012-10-17", "Statement": list(statements)}})
    return world


def test_policy_on_resources_and_conditions(t):
    if MISSING:
        t.skip(MISSING)
    arn = "arn:aws:ec2:ap-northeast-1:123456789012:route-table/"
    cases = (
        ("one table", [{"Effect": "Allow", "Action": "ec2:ReplaceRoute", "Resource": arn + RTB}],
         [True, False]),
        ("any table, wildcards", [{"Effect": "Allow", "Action": "ec2:replace*", "Resource": arn + "*"}],
         [True, True]),
        ("deny beats allow", [{"Effect": "Allow", "Action": "*", "Resource": "*"},
                              {"Effect": "Deny", "Action": "ec2:ReplaceRoute", "Resource": arn + RTB}],
         [False, True]),
        ("condition on the table", [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {
            "StringEquals": {"ec2:RouteTableID": [RTB]}}}], [True, False]),
        ("condition on the VPC", [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {
            "ArnEquals": {"ec2:Vpc": "arn:aws:ec2:ap-northeast-1:123456789012:vpc/" + VPC}}}],
         [True, True]),
        ("another VPC", [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {
            "StringEquals": {"ec2:Vpc": "arn:aws:ec2:ap-northeast-1:123456789012:vpc/vpc-0"}}}],
         [False, False]),
        ("condition on a tag", [{"Effect": "Allow", "NotAction": "ec2:Delete*", "Resource": "*",
                                 "Condition": {"StringLike": {"ec2:ResourceTag/Name": "*1"}}}],
         [True, False]),
    )
    with start(t) as sim:
        for name, statements, allowed in cases:
            with t.subtest(name):
                sim.put_world(with_policy(*statements))
                ec2 = client(sim, key="AKIDPOLICY", secret="policy-secret")
                got = []
                for table in (RTB, "rtb-0aa00000000000002"):
                    try:
                        ec2.replace_route(RouteTableId=table, DestinationCidrBlock=VIP,
                                          NetworkInterfaceId=ENI_2)
                        got.append(True)
                    except botocore.exceptions.ClientError as e:
                        t.equal(e.response["Error"]["Code"], "UnauthorizedOperation")
                        got.append(False)
                t.equal(got, allowed)
        status, answer = sim.control("PUT", "world", with_policy(
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"IpAddress": {"a": "b"}}}))
        t.equal(status, 400, str(answer))


# ---- signatures --------------------------------------------------------------------------------------

def signed(sim, body, key=KEY, secret=SECRET, token=None, service="ec2", region=REGION, at=None,
           headers=(), signer=None, method="POST", path="/"):
    """A request signed by botocore, as (method, path, body, headers) to be tampered with and sent."""
    url = sim.url.rstrip("/") + path
    credentials = botocore.credentials.Credentials(key, secret, token)
    request = botocore.awsrequest.AWSRequest(method=method, url=url, data=body,
                                             headers=dict({"Content-Type": FORM}, **dict(headers)))
    auth = (signer or botocore.auth.SigV4Auth)(credentials, service, region)
    if at is not None:
        class Clock(datetime.datetime):
            @classmethod
            def utcnow(cls):
                return at

            @classmethod
            def now(cls, tz=None):
                return at.replace(tzinfo=tz)
        fixed = type("fixed", (), {"datetime": Clock})
        real = botocore.auth.datetime
        has_helper = hasattr(botocore.auth, "get_current_datetime")
        botocore.auth.datetime = fixed if not has_helper else real
        if has_helper:
            helper, botocore.auth.get_current_datetime = botocore.auth.get_current_datetime, lambda: at
        try:
            auth.add_auth(request)
        finally:
            botocore.auth.datetime = real
            if has_helper:
                botocore.auth.get_current_datetime = helper
    else:
        auth.add_auth(request)
    prepared = request.prepare()
    target = prepared.url.split("127.0.0.1:%d" % sim.port, 1)[1]
    headers = {n: v for n, v in prepared.headers.items() if n.lower() != "content-length"}
    return [method, target, body, headers]


def send(sim, request):
    """(status, error code or None)"""
    method, target, body, headers = request
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)
    connection.request(method, target, body or None, {
        n: v.decode() if isinstance(v, bytes) else v for n, v in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    code = text.split("<Code>", 1)[1].split("</Code>")[0] if "<Code>" in text else None
    return answer.status, code


DESCRIBE = "Action=DescribeAddresses&Version=2016-11-15"
IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15"


def test_signature_is_looked_at(t):
    with start(t) as sim:
        def verdict(want, request, **change):
            for name, value in change.items():
                if value is None:
                    del request[3][name.replace("_", "-")]
                else:
                    request[3][name.replace("_", "-")] = value
            t.equal(send(sim, request), want)

        ok, bad = (200, None), (401, "AuthFailure")
        verdict(ok, signed(sim, DESCRIBE))
        verdict(ok, signed(sim, DESCRIBE + "&Filter.1.Name=tag%3AName&Filter.1.Value.1=a%20b%2Bc~%2A"))
        verdict(ok, signed(sim, DESCRIBE, headers={"X-Amz-Meta": "  two   blanks "}))
        verdict(ok, signed(sim, "", method="GET", path="/?" + DESCRIBE))
        verdict(bad, signed(sim, DESCRIBE, secret="not it"))
        verdict(bad, signed(sim, DESCRIBE, key="AKIDNOBODY"))
        verdict(bad, signed(sim, DESCRIBE, region="us-west-2"))
        verdict(bad, signed(sim, DESCRIBE, service="sts-no"))
        verdict(bad, signed(sim, DESCRIBE, token="no token of ours"))
        verdict(bad, signed(sim, DESCRIBE, headers={"X-Amz-Meta": "a"}), X_Amz_Meta="b")
        verdict(bad, signed(sim, DESCRIBE), X_Amz_Late="not signed")
        verdict((403, "MissingAuthenticationToken"), signed(sim, DESCRIBE), Authorization=None)
        verdict((400, "IncompleteSignature"), signed(sim, DESCRIBE), Authorization="AWS4-HMAC-SHA256 x")
        verdict((400, "IncompleteSignature"), signed(sim, DESCRIBE), Authorization="Basic eDp5")
        tampered = signed(sim, DESCRIBE)
        tampered[2] += "&PublicIp.1=203.0.113.10"
        verdict(bad, tampered)
        flipped = signed(sim, DESCRIBE)
        value = flipped[3]["Authorization"]
        value = value.decode() if isinstance(value, bytes) else value
        verdict(bad, flipped, Authorization=value[:-1] + ("0" if value[-1] != "0" else "1"))
        moved = signed(sim, "", method="GET", path="/?" + DESCRIBE)
        moved[1] += "&PublicIp.1=203.0.113.10"
        verdict(bad, moved)


def test_signature_in_the_query(t):
    with start(t) as sim:
        def query(credentials, service, region):
            return botocore.auth.SigV4QueryAuth(credentials, service, region, expires=60)
        request = signed(sim, "", method="GET", path="/?" + DESCRIBE, signer=query)
        t.equal(send(sim, request), (200, None))
        request[1] = request[1].replace("DescribeAddresses", "DescribeInstances")
        t.equal(send(sim, request), (401, "AuthFailure"))
        late = signed(sim, "", method="GET", path="/?" + DESCRIBE, signer=query)
        sim.do("advance_clock", s=60 + 300 + 10)
        t.equal(send(sim, late), (400, "RequestExpired"))


def test_clock_tolerance(t):
    with start(t) as sim:
        now = datetime.datetime.utcnow()
        for minutes, want in ((-4, (200, None)), (4, (200, None)), (-6, (400, "RequestExpired")),
                              (6, (401, "AuthFailure"))):
            at = now + datetime.timedelta(minutes=minutes)
            t.equal(send(sim, signed(sim, DESCRIBE, at=at)), want, "%+d minutes" % minutes)
        for minutes in (-6, 6):
            at = now + datetime.timedelta(minutes=minutes)
            t.equal(send(sim, signed(sim, IDENTITY, service="sts", at=at)),
                    (403, "SignatureDoesNotMatch"), "STS, %+d minutes" % minutes)
        t.equal(send(sim, signed(sim, IDENTITY, service="sts", secret="not it")),
                (403, "SignatureDoesNotMatch"))
        t.equal(send(sim, signed(sim, IDENTITY, service="sts", key="AKIDNOBODY")),
                (403, "InvalidClientTokenId"))
        sim.faults({"match": {"kind": "ec2"}, "do": {"type": "skew", "s": 3600}})
        t.equal(send(sim, signed(sim, DESCRIBE)), (400, "RequestExpired"))
        t.equal(send(sim, signed(sim, DESCRIBE)), (200, None))


def test_parameters_are_looked_at(t):
    with start(t) as sim:
        for body, want in (
                ("Action=NoSuchAction&Version=2016-11-15", (400, "InvalidAction")),
                ("Version=2016-11-15", (400, "MissingAction")),
                ("Action=DescribeAddresses&Version=2010-01-01", (400, "NoSuchVersion")),
                (DESCRIBE + "&NoSuch=1", (400, "UnknownParameter")),
                (DESCRIBE + "&PublicIp.x=1", (400, "UnknownParameter")),
                ("Action=DeleteRoute&Version=2016-11-15&DestinationCidrBlock=10.1.0.10%2F32",
                 (400, "MissingParameter")),
                ("Action=AssignPrivateIpAddresses&Version=2016-11-15&NetworkInterfaceId=" + ENI_1 +
                 "&PrivateIpAddress.1=10.0.1.60&DryRun=true", (400, "UnknownParameter")),
                (DESCRIBE + "&Filter.1.Name=&Filter.1.Value.1=x", (400, "InvalidParameterValue"))):
            t.equal(send(sim, signed(sim, body)), want, body)
        t.equal(send(sim, ["POST", "/", "a" * (1024 * 1024 + 1), {"Content-Type": FORM}])[0], 413)
        t.equal(send(sim, ["POST", "/", DESCRIBE + "&x=%zz", {"Content-Type": FORM}])[0], 404)
        t.equal(send(sim, ["GET", "/elsewhere", "", {}])[0], 404)


# ---- STS ---------------------------------------------------------------------------------------------

MOVER = "arn:aws:iam::210987654321:role/mover"


def test_assume_role(t):
    with start(t) as sim:
        sts = client(sim, "sts")
        wanted = {"RoleArn": MOVER, "RoleSessionName": "session", "ExternalId": "cloudvip-example"}
        got = sts.assume_role(**wanted)
        t.equal(got["AssumedRoleUser"]["Arn"], "arn:aws:sts::210987654321:assumed-role/mover/session")
        creds = got["Credentials"]
        t.check(creds["Expiration"] > datetime.datetime.now(creds["Expiration"].tzinfo), "expired")
        own = {"key": creds["AccessKeyId"], "secret": creds["SecretAccessKey"],
               "token": creds["SessionToken"]}
        t.equal(client(sim, "sts", **own).get_caller_identity()["Arn"], got["AssumedRoleUser"]["Arn"])
        client(sim, **own).replace_route(RouteTableId=RTB, DestinationCidrBlock=VIP,
                                         NetworkInterfaceId=ENI_2)
        refused(t, "UnauthorizedOperation", client(sim, **own).delete_route, RouteTableId=RTB,
                DestinationCidrBlock=VIP)
        refused(t, "AuthFailure", client(sim, **dict(own, token=None)).describe_addresses)
        refused(t, "AccessDenied", sts.assume_role, 403, **dict(wanted, ExternalId="another"))
        refused(t, "AccessDenied", sts.assume_role, 403, **dict(wanted, RoleArn=MOVER + "x"))
        refused(t, "AccessDenied", client(sim, "sts", key=READER, secret=READER_SECRET).assume_role,
                403, **wanted)
        refused(t, "ValidationError", sts.assume_role, DurationSeconds=60, **wanted)
        sim.do("expire_credentials")
        refused(t, "RequestExpired", client(sim, **own).describe_addresses, 400)
        refused(t, "ExpiredToken", client(sim, "sts", **own).get_caller_identity, 403)
        t.equal([e["params"].get("ExternalId") for e in sim.log(action="AssumeRole")][0],
                "cloudvip-example")


def test_web_identity_and_session_token(t):
    with start(t) as sim:
        sts = client(sim, "sts", key="AKIDNOBODY")  # not signed: whose key it is does not matter
        got = sts.assume_role_with_web_identity(RoleArn=MOVER, RoleSessionName="web",
                                                WebIdentityToken="web-identity-token-example")
        creds = got["Credentials"]
        t.equal(client(sim, "sts", key=creds["AccessKeyId"], secret=creds["SecretAccessKey"],
                       token=creds["SessionToken"]).get_caller_identity()["Account"], "210987654321")
        refused(t, "AccessDenied", sts.assume_role_with_web_identity, 403, RoleArn=MOVER,
                RoleSessionName="web", WebIdentityToken="another")
        t.lacks(str(sim.log()), "web-identity-token-example")
        creds = client(sim, "sts", key=READER, secret=READER_SECRET).get_session_token()["Credentials"]
        temporary = client(sim, key=creds["AccessKeyId"], secret=creds["SecretAccessKey"],
                           token=creds["SessionToken"])
        t.equal(len(temporary.describe_addresses()["Addresses"]), 1)
        refused(t, "UnauthorizedOperation", temporary.release_address, AllocationId=EIP)


# ---- metadata ----------------------------------------------------------------------------------------

def test_role_credentials_from_the_metadata_service(t):
    with start(t) as sim:
        os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = sim.metadata_url(lab.NODE_2)
        t.cleanup(os.environ.pop, "AWS_EC2_METADATA_SERVICE_ENDPOINT", None)
        os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
        session = boto3.session.Session()
        session._session.set_config_variable("metadata_service_timeout", 30)
        ec2 = session.client("ec2", region_name=REGION, endpoint_url=sim.url)
        t.equal(len(ec2.describe_route_tables()["RouteTables"]), 3)
        sts = session.client("sts", region_name=REGION, endpoint_url=sim.url)
        t.equal(sts.get_caller_identity()["Arn"],
                "arn:aws:sts::123456789012:assumed-role/node/" + lab.NODE_2)
        t.equal({e["node"] for e in sim.log()}, {lab.NODE_2})
        t.equal([e["action"].split(" ")[0] for e in sim.log(kind="imds")], ["PUT", "GET", "GET"])


def imds(sim, method, path, node=lab.NODE_1, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)
    connection.request(method, "/_cloudsim/node/%s/%s" % (node, path),
                       headers={n.replace("_", "-"): v for n, v in headers.items()})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def test_metadata_sessions(t):
    with start(t) as sim:
        name = "X_aws_ec2_metadata_token_ttl_seconds"
        for value, want in (("21600", 200), ("1", 200), ("0", 400), ("21601", 400), ("x", 400),
                            (None, 400)):
            headers = {name: value} if value else {}
            t.equal(imds(sim, "PUT", "latest/api/token", **headers)[0], want, "ttl %s" % value)
        t.equal(imds(sim, "PUT", "latest/api/token", X_Forwarded_For="1.2.3.4", **{name: "60"})[0], 403)
        t.equal(imds(sim, "PUT", "2021-01-03/api/token", **{name: "60"})[0], 403)
        t.equal(imds(sim, "POST", "latest/api/token", **{name: "60"})[0], 405)
        status, token = imds(sim, "PUT", "latest/api/token", **{name: "60"})
        header = {"X_aws_ec2_metadata_token": token}
        t.equal(imds(sim, "GET", "latest/meta-data/instance-id", **header), (200, lab.NODE_1))
        t.equal(imds(sim, "GET", "latest/meta-data/instance-id")[0], 401)
        t.equal(imds(sim, "GET", "latest/meta-data/instance-id", node=lab.NODE_2, **header)[0], 401)
        t.equal(imds(sim, "GET", "latest/meta-data/no-such", **header)[0], 404)
        sim.do("advance_clock", s=61)
        t.equal(imds(sim, "GET", "latest/meta-data/instance-id", **header)[0], 401)
        sim.do("set_imds", id=lab.NODE_1, mode="off")
        t.equal(imds(sim, "PUT", "latest/api/token", **{name: "60"})[0], 403)
        sim.do("stop_instance", id=lab.NODE_2)
        t.raises(ConnectionError, lambda: imds(sim, "PUT", "latest/api/token", lab.NODE_2, **{name: "60"}))


def test_metadata_paths(t):
    with start(t, imds=(lab.NODE_1,)) as sim:
        token = imds(sim, "PUT", "latest/api/token", X_aws_ec2_metadata_token_ttl_seconds="60")[1]

        def get(path):
            return imds(sim, "GET", "latest/" + path, X_aws_ec2_metadata_token=token)[1]

        macs = "meta-data/network/interfaces/macs/"
        service = macs + "06:00:0a:00:01:02/"
        for path, want in (
                ("meta-data/mac", "06:00:0a:00:01:01"),
                ("meta-data/placement/region", REGION),
                ("meta-data/placement/availability-zone", "ap-northeast-1a"),
                ("meta-data/services/partition", "aws"),
                ("meta-data/services/domain", "amazonaws.com"),
                (macs, "06:00:0a:00:01:01/\n06:00:0a:00:01:02/"),
                (service + "interface-id", ENI_1),
                (service + "device-number", "1"),
                (service + "subnet-id", "subnet-0aa00000000000001"),
                (service + "vpc-id", VPC),
                (service + "owner-id", "123456789012"),
                (service + "local-ipv4s", "10.0.1.11"),
                (service + "public-ipv4s", "203.0.113.10"),
                (service + "ipv4-associations/203.0.113.10", "10.0.1.11"),
                (service + "subnet-ipv4-cidr-block", "10.0.1.0/24"),
                (service + "vpc-ipv4-cidr-blocks", "10.0.0.0/16"),
                ("meta-data/iam/security-credentials/", "node")):
            t.equal(get(path), want, path)
        t.has(get("dynamic/instance-identity/document"), '"instanceId" : "%s"' % lab.NODE_1)
        t.equal(imds(sim, "GET", "latest/" + macs + "06:00:0a:00:02:02/interface-id",
                     X_aws_ec2_metadata_token=token)[0], 404, "another node's interface")
        port = int(sim.imds[lab.NODE_1].rsplit(":", 1)[1].strip("/"))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/latest/meta-data/mac", headers={"X-aws-ec2-metadata-token": token})
        t.equal(connection.getresponse().read(), b"06:00:0a:00:01:01")
        connection.request("GET", "/_cloudsim/state")
        t.equal(connection.getresponse().status, 401, "no control API on a metadata port")
        connection.close()


if __name__ == "__main__":
    tap.main()
