#!/usr/bin/env python3
# tests/run: timeout=420
"""cloudsim's Alibaba half as the vendor's SDK for Node sees it; and the kit's signatures as the SDK's own code
computes them."""
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import lab
import tap

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ali_sdk")
MODULES = os.path.join(lab.ROOT, "build", "npm")
REGION = "cn-shanghai"
KEY, SECRET = "LTAIEXAMPLE", "testsecret"
FORMS = ("", "v2")  # the SDK's names: ACS3-HMAC-SHA256, and HMAC-SHA1 in the parameters
CIDR = "10.1.0.10/32"


def read(path):
    with open(path, "rb") as f:
        return f.read()


def install(t):
    """The packages of ali_sdk/package-lock.json below build/npm; skips where they cannot be had."""
    for name in ("node", "npm"):
        if not shutil.which(name):
            t.skip(name + " is not installed")
    os.makedirs(MODULES, exist_ok=True)
    with open(os.path.join(MODULES, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = os.path.join(MODULES, "installed"), read(os.path.join(HERE, "package-lock.json"))
        if os.path.exists(stamp) and read(stamp) == wanted:
            return
        for name in ("package.json", "package-lock.json"):
            shutil.copy(os.path.join(HERE, name), MODULES)
        try:
            done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=MODULES,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=240)
        except subprocess.TimeoutExpired:
            t.skip("npm ci did not end: no registry within reach")
        if done.returncode:
            t.skip("npm ci failed: " + done.stdout.decode("utf-8", "replace").strip()[-200:])
        with open(stamp, "wb") as f:
            f.write(wanted)


class Sdk:
    """The SDK in a process of its own, pointed at a simulated cloud."""

    def __init__(self, t, world="ali-two-nodes", **options):
        install(t)
        self.sim = t.use(lab.Sim(t, world=world, **options))
        self.next_id = 0
        self.process = subprocess.Popen(["node", os.path.join(HERE, "call.js"), MODULES], env=lab.clean_env(HOME=t.tmp),
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        t.cleanup(self.end)

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(timeout=20)

    def ask(self, product, action, form="", config=None, **request):
        """{"status", "body"} or {"status", "code", "message"}"""
        self.next_id += 1
        settings = {"endpoint": "127.0.0.1:%d" % self.sim.port, "regionId": REGION, "accessKeyId": KEY,
                    "accessKeySecret": SECRET, "type": "access_key"}
        if form:
            settings["signatureAlgorithm"] = form
        settings.update(config or {})
        if product != "sts":
            request.setdefault("regionId", REGION)
        self.process.stdin.write(json.dumps({"id": self.next_id, "product": product, "action": action,
                                             "request": request, "config": settings}) + "\n")
        if not select.select([self.process.stdout], [], [], 30)[0]:
            raise tap.Failed("no answer from the SDK within 30 s")
        answer = json.loads(self.process.stdout.readline())
        if answer["id"] != self.next_id:
            raise tap.Failed("an answer to another question: %s" % answer)
        return answer

    def get(self, product, action, **request):
        answer = self.ask(product, action, **request)
        if answer["status"] != 200 or "code" in answer:
            raise tap.Failed("%s: %s" % (action, answer))
        return answer["body"]

    def settled(self, t, product, action, path, want, **request):
        """Waits until the answer has `want` where `path` leads to."""
        def there():
            got = self.get(product, action, **request)
            for step in path:
                got = got[step]
            return got == want
        t.wait_until(there, "%s: %s is %s" % (action, path, want))


def both(function):
    """Run once for each form of the signature."""
    return tap.cases(FORMS, lambda form: form or "ACS3")(function)


# ---- signatures --------------------------------------------------------------------------------------

@both
def test_wrong_secret_and_key(t, form):
    sdk = Sdk(t)
    t.equal(sdk.ask("vpc", "describeVpcs", form, {"accessKeySecret": "wrong"})["code"], "SignatureDoesNotMatch")
    got = sdk.ask("vpc", "describeVpcs", form, {"accessKeyId": "LTAInobody"})
    t.equal((got["code"], got["status"]), ("InvalidAccessKeyId.NotFound", 404))
    t.equal(sdk.ask("vpc", "describeVpcs", form)["status"], 200)
    t.equal([e["key"] for e in sdk.sim.log()], [KEY, "LTAInobody", KEY])


@both
def test_temporary_credentials(t, form):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["roles"].append({"name": "other", "trust": {"principals": ["*"]}})
    sdk = Sdk(t, world=world)
    issued = sdk.get("sts", "assumeRole", form=form, roleArn="acs:ram::1234567890123456:role/other",
                     roleSessionName="kit")["Credentials"]
    config = {"accessKeyId": issued["AccessKeyId"], "accessKeySecret": issued["AccessKeySecret"],
              "securityToken": issued["SecurityToken"], "type": "sts"}
    who = sdk.get("sts", "getCallerIdentity", form=form, config=config)
    t.equal((who["Arn"], who["IdentityType"]), ("acs:ram::1234567890123456:assumed-role/other/kit", "AssumedRoleUser"))
    t.equal(sdk.ask("ecs", "describeInstances", form, config)["status"], 200)
    t.equal(sdk.ask("ecs", "describeInstances", form, dict(config, securityToken="made up"))["code"],
            "InvalidSecurityToken.Malformed")
    sdk.sim.do("expire_credentials", key=issued["AccessKeyId"])
    t.equal(sdk.ask("ecs", "describeInstances", form, config)["code"], "InvalidSecurityToken.Expired")
    t.lacks(json.dumps(sdk.sim.log()), issued["SecurityToken"], "tokens stay out of the log")


@both
def test_odd_characters_are_signed(t, form):
    sdk = Sdk(t)
    text = "a b*c~d'(e)é+%&=/"
    sdk.get("vpc", "createRouteEntry", form=form, routeTableId="vtb-1", destinationCidrBlock="10.9.0.1",
            nextHopId="eni-svc2", nextHopType="NetworkInterface", description=text)
    entry = sdk.get("vpc", "describeRouteEntryList", form=form, routeTableId="vtb-1",
                    destinationCidrBlock="10.9.0.1/32")["RouteEntrys"]["RouteEntry"][0]
    t.equal((entry["Description"], entry["DestinationCidrBlock"]), (text, "10.9.0.1/32"))


def test_rights(t):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["credentials"].append({"access_key_id": "LTAIreader", "access_key_secret": "s", "user": "reader", "policy": {
        "Version": "1", "Statement": [{"Effect": "Allow", "Action": "vpc:Describe*", "Resource": "*"},
                                      {"Effect": "Allow", "Action": "vpc:AssociateEipAddress",
                                       "Resource": "acs:vpc:*:*:eip/eip-other"}]}})
    sdk = Sdk(t, world=world)
    config = {"accessKeyId": "LTAIreader", "accessKeySecret": "s"}
    t.equal(sdk.ask("vpc", "describeEipAddresses", config=config)["status"], 200)
    for product, action, request in (
            ("ecs", "describeInstances", {}),
            ("vpc", "associateEipAddress", {"allocationId": "eip-1", "instanceId": "eni-svc2"})):
        got = sdk.ask(product, action, config=config, **request)
        t.equal((got["code"], got["status"]), ("Forbidden.RAM", 403), action)
    got = sdk.ask("sts", "assumeRole", config=config, roleArn="acs:ram::1234567890123456:role/node", roleSessionName="me")
    t.equal((got["code"], got["status"]), ("NoPermission", 403))


# ---- routes ------------------------------------------------------------------------------------------

@both
def test_routes(t, form):
    sdk = Sdk(t)
    tables = sdk.get("vpc", "describeRouteTableList", form=form, vpcId="vpc-main")
    t.equal(tables["TotalCount"], 2)
    t.equal([(x["RouteTableId"], x["RouteTableType"], x["VSwitchIds"]["VSwitchId"])
             for x in tables["RouterTableList"]["RouterTableListType"]],
            [("vtb-1", "System", ["vsw-1"]), ("vtb-2", "Custom", ["vsw-2"])])
    listed = {"routeTableId": "vtb-1", "destinationCidrBlock": CIDR}
    entry = sdk.get("vpc", "describeRouteEntryList", form=form, **listed)["RouteEntrys"]["RouteEntry"]
    t.equal([(e["RouteEntryId"], e["Type"], e["Status"], e["NextHops"]["NextHop"][0]["NextHopType"],
              e["NextHops"]["NextHop"][0]["NextHopId"]) for e in entry],
            [("rte-1-3", "Custom", "Available", "NetworkInterface", "eni-svc1")])
    new = {"newNextHopType": "NetworkInterface", "newNextHopId": "eni-svc2"}
    got = sdk.ask("vpc", "modifyRouteEntry", form, routeEntryId="rte-1-3", dryRun=True, **new)
    t.equal((got["code"], got["status"]), ("DryRunOperation", 400))
    sdk.get("vpc", "modifyRouteEntry", form=form, routeEntryId="rte-1-3", **new)
    got = sdk.ask("vpc", "modifyRouteEntry", form, dryRun=False, **dict(listed, routeTableId="vtb-2"), **new)
    t.equal((got["code"], got["status"]), ("TaskConflict", 400), "one change of a VPC at a time")
    where = ["RouteEntrys", "RouteEntry", 0, "NextHops", "NextHop", 0, "NextHopId"]
    sdk.settled(t, "vpc", "describeRouteEntryList", where, "eni-svc2", **listed)
    got = sdk.ask("vpc", "deleteRouteEntry", form, nextHopId="eni-svc1", **listed)
    t.equal((got["code"], got["status"]), ("InvalidRouteEntry.NotFound", 404), "conditional on the next hop")
    sdk.get("vpc", "deleteRouteEntry", form=form, nextHopId="eni-svc2", **listed)
    sdk.settled(t, "vpc", "describeRouteEntryList", ["RouteEntrys", "RouteEntry"], [], **listed)


def test_creating_a_route(t):
    sdk = Sdk(t, world=instant())
    want = {"routeTableId": "vtb-1", "nextHopId": "eni-svc1", "nextHopType": "NetworkInterface"}
    for destination, code in ((CIDR, "RouterEntryConflict.Duplicated"), ("10.0.1.7", "InvalidCIDRBlock.Contained"),
                              ("nonsense", "InvalidCIDRBlock.Malformed")):
        t.equal(sdk.ask("vpc", "createRouteEntry", destinationCidrBlock=destination, **want)["code"], code)
    made = [sdk.get("vpc", "createRouteEntry", destinationCidrBlock="10.9.9.0/24", clientToken="once", **want)["RouteEntryId"]
            for _ in range(2)]
    t.equal(made[0], made[1], "the same token, the same entry")
    got = sdk.ask("vpc", "createRouteEntry", destinationCidrBlock="10.9.8.0/24", clientToken="once", **want)
    t.equal((got["code"], got["status"]), ("IdempotentParameterMismatch", 400))
    t.equal([e["applied"] for e in sdk.sim.log(action="CreateRouteEntry")], [False] * 3 + [True, False, False])
    several = sdk.get("vpc", "createRouteEntry", routeTableId="vtb-1", destinationCidrBlock="10.9.7.0/24",
                      nextHopList=[{"nextHopId": "eni-svc1", "nextHopType": "NetworkInterface"},
                                   {"nextHopId": "eni-svc2", "nextHopType": "NetworkInterface"}])
    hops = sdk.get("vpc", "describeRouteEntryList", routeTableId="vtb-1", routeEntryId=several["RouteEntryId"])
    t.equal([h["NextHopId"] for h in hops["RouteEntrys"]["RouteEntry"][0]["NextHops"]["NextHop"]], ["eni-svc1", "eni-svc2"])


def test_an_endpoint_that_changes_no_next_hop(t):
    world = instant()
    for knows, code in (("name-only", "UnsupportedParameter"), ("ignored", None), ("absent", "InvalidAction.NotFound")):
        world["aliyun"]["modify_route_entry"] = knows
        with t.subtest(knows):
            sdk = Sdk(t, world=world)
            got = sdk.ask("vpc", "modifyRouteEntry", routeEntryId="rte-1-3", newNextHopType="NetworkInterface",
                          newNextHopId="eni-svc2")
            t.equal(got.get("code"), code)
            t.equal(sdk.sim.routes(CIDR)["vtb-1"], ("eni-svc1", "Available"))


# ---- elastic addresses -------------------------------------------------------------------------------

def instant(name="ali-two-nodes"):
    """The world without states between."""
    world = lab.world(name)
    world["aliyun"]["delays_ms"] = dict.fromkeys(("eip", "havip", "route", "eni", "instance", "snat"), 0)
    return world


def the_eip(sdk, form="", **request):
    return sdk.get("vpc", "describeEipAddresses", form=form, allocationId="eip-1", **request)["EipAddresses"]["EipAddress"][0]


@both
def test_an_eip_moves(t, form):
    sdk = Sdk(t)
    eip = the_eip(sdk, form)
    t.equal([eip[k] for k in ("IpAddress", "Status", "InstanceType", "InstanceId", "Mode", "PrivateIpAddress", "RegionId")],
            ["198.51.100.20", "InUse", "NetworkInterface", "eni-svc1", "NAT", "10.0.1.11", REGION])
    to = {"allocationId": "eip-1", "instanceType": "NetworkInterface"}
    got = sdk.ask("vpc", "associateEipAddress", form, instanceId="eni-svc2", **to)
    t.equal((got["code"], got["status"]), ("IncorrectEipStatus", 400), "no taking it away")
    t.equal(sdk.ask("vpc", "unassociateEipAddress", form, allocationId="eip-1")["code"], "InvalidInstanceType.ValueNotSupported")
    sdk.get("vpc", "unassociateEipAddress", form=form, instanceId="eni-svc1", **to)
    t.equal(the_eip(sdk)["Status"], "Unassociating")
    t.equal(sdk.ask("vpc", "associateEipAddress", form, instanceId="eni-svc2", **to)["code"], "IncorrectEipStatus")
    t.wait_until(lambda: the_eip(sdk)["Status"] == "Available", "the EIP is free")
    t.equal(the_eip(sdk)["InstanceId"], "")
    sdk.get("vpc", "associateEipAddress", form=form, instanceId="eni-svc2", mode="NAT", privateIpAddress="10.0.2.11", **to)
    t.equal(the_eip(sdk)["Status"], "Associating")
    t.wait_until(lambda: the_eip(sdk)["Status"] == "InUse", "the EIP is bound")
    t.equal([the_eip(sdk)[k] for k in ("InstanceId", "PrivateIpAddress")], ["eni-svc2", "10.0.2.11"])
    t.equal(sdk.ask("vpc", "associateEipAddress", form, instanceId="eni-svc2", **to)["code"], "InvalidAssociation.Duplicated")


def test_modes_of_an_eip(t):
    world = instant()
    world["aliyun"]["eips"] += [{"allocation_id": "eip-%d" % n, "ip_address": "198.51.100.%d" % (40 + n)} for n in (2, 3)]
    sdk = Sdk(t, world=world)

    def bind(eip, eni, mode, **more):
        return sdk.ask("vpc", "associateEipAddress", allocationId=eip, instanceType="NetworkInterface", instanceId=eni,
                       mode=mode, **more).get("code")
    t.equal(bind("eip-2", "eni-node1", "NAT"), "InvalidOperation.InvalidEniType", "a primary interface")
    t.equal(bind("eip-2", "eni-svc1", "NAT"), "InvalidAssociation.Duplicated", "one EIP for one private address")
    t.equal(bind("eip-2", "eni-svc1", "NAT", privateIpAddress="10.0.1.99"), "InvalidParameter.PrivateIpAddress")
    t.equal(bind("eip-2", "eni-move", "BINDED"), "InvalidStatus.EniStatusNotSupport", "attached")
    sdk.get("ecs", "detachNetworkInterface", networkInterfaceId="eni-move", instanceId="i-node1")
    t.equal(bind("eip-2", "eni-move", "BINDED"), None)
    t.equal(bind("eip-3", "eni-move", "BINDED"), "InvalidAssociation.Duplicated")
    t.equal(bind("eip-3", "eni-svc2", "MULTI_BINDED"), None)
    info = sdk.get("vpc", "describeEipGatewayInfo", instanceId="eni-svc2")
    t.equal((info["Code"], [i["IpMask"] for i in info["EipInfos"]["EipInfo"]]), ("200", ["255.255.255.0"]))
    sdk.sim.do("lock_eip", allocation_id="eip-3", reason="security")
    locked = sdk.get("vpc", "describeEipAddresses", eipAddress="198.51.100.43")["EipAddresses"]["EipAddress"][0]
    t.equal((locked["BusinessStatus"], locked["OperationLocks"]["LockReason"]), ("OperationLock", [{"LockReason": "security"}]))


def test_eips_come_and_go(t):
    sdk = Sdk(t, world=instant())
    made = sdk.get("vpc", "allocateEipAddress", bandwidth="10")
    found = sdk.get("vpc", "describeEipAddresses", eipAddress=made["EipAddress"])["EipAddresses"]["EipAddress"]
    t.equal([(e["AllocationId"], e["Status"], e["Bandwidth"]) for e in found], [(made["AllocationId"], "Available", "10")])
    sdk.get("vpc", "modifyEipAddressAttribute", allocationId=made["AllocationId"], name="spare")
    t.equal(sdk.ask("vpc", "releaseEipAddress", allocationId="eip-1")["code"], "IncorrectEipStatus")
    sdk.get("vpc", "associateEipAddress", allocationId=made["AllocationId"], instanceId="i-node2")
    instance = sdk.get("ecs", "describeInstances", instanceIds='["i-node2"]')["Instances"]["Instance"][0]
    t.equal(instance["EipAddress"]["IpAddress"], made["EipAddress"])
    sdk.get("vpc", "unassociateEipAddress", allocationId=made["AllocationId"])
    sdk.get("vpc", "releaseEipAddress", allocationId=made["AllocationId"])
    t.equal(sdk.get("vpc", "describeEipAddresses")["TotalCount"], 1)


# ---- HAVIPs ------------------------------------------------------------------------------------------

@both
def test_havips(t, form):
    sdk = Sdk(t, world="ali-havip")

    def havip(**request):
        got = sdk.get("vpc", "describeHaVips", form=form, **request)["HaVips"]["HaVip"]
        return got[0] if got else None
    by_address = {"filter": [{"key": "HaVipAddress", "value": ["10.0.1.50"]}, {"key": "VpcId", "value": ["vpc-main"]}]}
    one = havip(**by_address)
    t.equal([one[k] for k in ("HaVipId", "Status", "VSwitchId", "AssociatedInstanceType", "MasterInstanceId")],
            ["havip-1", "InUse", "vsw-1", "EcsInstance", "i-node1"])
    t.equal(one["AssociatedInstances"]["associatedInstance"], ["i-node1", "i-node2"])
    t.equal(one["AssociatedEipAddresses"]["associatedEipAddresse"], [])
    ours = {"haVipId": "havip-1", "instanceId": "i-node1"}
    got = sdk.ask("vpc", "unassociateHaVip", form, force="False", **ours)
    t.equal(got["code"], "OperationDenied.MasterInstance")
    sdk.get("vpc", "unassociateHaVip", form=form, force="True", **ours)
    t.equal(havip()["Status"], "Unassociating")
    t.equal(sdk.ask("vpc", "associateHaVip", form, **ours)["code"], "IncorrectHaVipStatus")
    t.wait_until(lambda: havip()["Status"] == "InUse", "unbound")
    t.equal((havip()["MasterInstanceId"], havip()["AssociatedInstances"]["associatedInstance"]), ("", ["i-node2"]))
    got = sdk.ask("vpc", "associateHaVip", form, haVipId="havip-1", instanceId="eni-svc1", instanceType="NetworkInterface")
    t.equal(got["code"], "InvalidInstanceType.Mixed")
    sdk.get("vpc", "associateHaVip", form=form, instanceType="EcsInstance", **ours)
    t.equal(havip()["Status"], "Associating")
    t.wait_until(lambda: havip()["Status"] == "InUse", "bound")
    sdk.sim.do("announce", havip="havip-1", instance="i-node1")
    t.equal(havip()["MasterInstanceId"], "i-node1")
    sdk.sim.do("stop_instance", id="i-node1")
    t.equal(havip()["MasterInstanceId"], "", "nobody inherits it")


def test_havips_come_and_go(t):
    sdk = Sdk(t, world=instant("ali-havip"))
    t.equal(sdk.ask("vpc", "createHaVip", vSwitchId="vsw-1", ipAddress="10.0.1.50")["code"], "InvalidIp.IpAssigned")
    made = sdk.get("vpc", "createHaVip", vSwitchId="vsw-1", ipAddress="10.0.1.70", name="second")
    sdk.get("vpc", "modifyHaVipAttribute", haVipId=made["HaVipId"], description="spare")
    found = sdk.get("vpc", "describeHaVips", filter=[{"key": "HaVipId", "value": [made["HaVipId"]]}])["HaVips"]["HaVip"]
    t.equal([(h["IpAddress"], h["Status"], h["Name"], h["Description"]) for h in found],
            [("10.0.1.70", "Available", "second", "spare")])
    t.equal(sdk.ask("vpc", "deleteHaVip", haVipId="havip-1")["code"], "IncorrectHaVipStatus")
    sdk.get("vpc", "deleteHaVip", haVipId=made["HaVipId"])
    t.equal(sdk.get("vpc", "describeHaVips")["TotalCount"], 1)


# ---- interfaces and instances ------------------------------------------------------------------------

@both
def test_interfaces(t, form):
    sdk = Sdk(t)
    got = sdk.get("ecs", "describeNetworkInterfaces", form=form, networkInterfaceId=["eni-svc1", "eni-node2"])
    sets = got["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    t.equal([(s["NetworkInterfaceId"], s["Type"], s["Status"], s["InstanceId"], s["VpcId"], s["ZoneId"]) for s in sets],
            [("eni-svc1", "Secondary", "InUse", "i-node1", "vpc-main", REGION + "-a"),
             ("eni-node2", "Primary", "InUse", "i-node2", "vpc-main", REGION + "-b")])
    t.equal([(p["PrivateIpAddress"], p["Primary"], p["AssociatedPublicIp"].get("PublicIpAddress"))
             for p in sets[0]["PrivateIpSets"]["PrivateIpSet"]],
            [("10.0.1.11", True, "198.51.100.20"), ("10.0.1.60", False, None)])
    t.equal((sets[0]["SecurityGroupIds"]["SecurityGroupId"], sets[0]["SourceDestCheck"]), (["sg-main"], False))
    same = sdk.get("ecs", "describeNetworkInterfaceAttribute", form=form, networkInterfaceId="eni-svc1")
    t.equal(same["MacAddress"], sets[0]["MacAddress"])
    by_ip = sdk.get("ecs", "describeNetworkInterfaces", form=form, privateIpAddress=["10.0.1.60"], vpcId="vpc-main")
    t.equal([s["NetworkInterfaceId"] for s in by_ip["NetworkInterfaceSets"]["NetworkInterfaceSet"]], ["eni-svc1"])


@both
def test_an_interface_moves(t, form):
    sdk = Sdk(t, world="ali-havip")
    where = ["NetworkInterfaceSets", "NetworkInterfaceSet", 0, "Status"]
    move = {"networkInterfaceId": "eni-move"}
    got = sdk.ask("ecs", "attachNetworkInterface", form, instanceId="i-node2", **move)
    t.equal((got["code"], got["status"]), ("InvalidOperation.InvalidEniState", 403))
    got = sdk.ask("ecs", "detachNetworkInterface", form, networkInterfaceId="eni-node1", instanceId="i-node1")
    t.equal(got["code"], "InvalidOperation.DetachPrimaryEniNotAllowed")
    sdk.get("ecs", "detachNetworkInterface", form=form, instanceId="i-node1", **move)
    sdk.settled(t, "ecs", "describeNetworkInterfaces", where, "Available", networkInterfaceId=["eni-move"])
    sdk.get("ecs", "attachNetworkInterface", form=form, instanceId="i-node2", **move)
    sdk.settled(t, "ecs", "describeNetworkInterfaces", where, "InUse", networkInterfaceId=["eni-move"])
    t.equal(sdk.sim.interface("eni-move")["instance_id"], "i-node2")


def test_a_hung_guest_lets_nothing_go(t):
    sdk = Sdk(t, world=instant("ali-havip"))
    detach = {"networkInterfaceId": "eni-move", "instanceId": "i-node1"}
    sdk.sim.do("set_guest", id="i-node1", guest="hung")
    sdk.get("ecs", "detachNetworkInterface", **detach)
    t.equal(sdk.sim.interface("eni-move")["status"], "Detaching")
    sdk.get("ecs", "detachNetworkInterface", **detach)
    t.equal(sdk.sim.interface("eni-move")["status"], "Detaching", "asked once more")
    sdk.get("ecs", "stopInstance", instanceId="i-node1")
    t.equal(sdk.sim.interface("eni-move")["status"], "Available", "the instance has stopped")
    got = sdk.get("ecs", "describeInstanceStatus", instanceId=["i-node1"])["InstanceStatuses"]["InstanceStatus"]
    t.equal([i["Status"] for i in got], ["Stopped"])
    sdk.get("ecs", "startInstance", instanceId="i-node1")
    t.equal(sdk.ask("ecs", "startInstance", instanceId="i-node1")["code"], "IncorrectInstanceStatus")


def test_interfaces_come_and_go(t):
    sdk = Sdk(t, world=instant())
    made = sdk.get("ecs", "createNetworkInterface", vSwitchId="vsw-2", securityGroupId="sg-main",
                   primaryIpAddress="10.0.2.200", networkInterfaceName="spare", clientToken="c1")
    eni = made["NetworkInterfaceId"]
    t.equal((made["PrivateIpAddress"], made["Status"]), ("10.0.2.200", "Available"))
    got = sdk.ask("ecs", "attachNetworkInterface", networkInterfaceId=eni, instanceId="i-node1")
    t.equal((got["code"], got["status"]), ("InvalidOperation.AvailabilityZoneMismatch", 403))
    sdk.get("ecs", "modifyNetworkInterfaceAttribute", networkInterfaceId=eni, sourceDestCheck=True, description="d")
    t.equal([sdk.sim.interface(eni)[k] for k in ("source_dest_check", "description")], [True, "d"])
    sdk.get("ecs", "attachNetworkInterface", networkInterfaceId=eni, instanceId="i-node2")
    t.equal(sdk.ask("ecs", "deleteNetworkInterface", networkInterfaceId=eni)["code"], "InvalidOperation.InvalidEniState")
    sdk.get("ecs", "detachNetworkInterface", networkInterfaceId=eni, instanceId="i-node2")
    sdk.get("ecs", "deleteNetworkInterface", networkInterfaceId=eni)
    t.equal(sdk.ask("ecs", "describeNetworkInterfaceAttribute", networkInterfaceId=eni)["code"], "InvalidEniId.NotFound")


@both
def test_private_addresses(t, form):
    sdk = Sdk(t, world="ali-havip")
    take = {"networkInterfaceId": "eni-svc2", "privateIpAddress": ["10.0.1.60"]}
    got = sdk.ask("ecs", "assignPrivateIpAddresses", form, **take)
    t.equal((got["code"], got["status"]), ("InvalidIp.IpAssigned", 400), "no taking it away")
    sdk.get("ecs", "unassignPrivateIpAddresses", form=form, networkInterfaceId="eni-svc1", privateIpAddress=["10.0.1.60"])
    got = sdk.get("ecs", "assignPrivateIpAddresses", form=form, clientToken="t1", **take)
    t.equal(got["AssignedPrivateIpAddressesSet"]["PrivateIpSet"]["PrivateIpAddress"], ["10.0.1.60"])
    sdk.get("ecs", "assignPrivateIpAddresses", form=form, clientToken="t1", **take)
    t.equal(sdk.sim.interface("eni-svc2")["private_ips"], ["10.0.1.21", "10.0.1.60"])
    got = sdk.ask("ecs", "unassignPrivateIpAddresses", form, networkInterfaceId="eni-svc2", privateIpAddress=["10.0.1.21"])
    t.equal(got["status"], 400, "the primary one stays")
    for ip, can in (("10.0.1.60", False), ("10.0.1.61", True), ("10.0.1.0", False), ("10.0.1.253", False), ("10.7.0.1", False)):
        t.equal(sdk.get("vpc", "checkCanAllocateVpcPrivateIpAddress", form=form, vSwitchId="vsw-1",
                        privateIpAddress=ip)["CanAllocate"], can, ip)


def test_ipv6_addresses(t):
    world = instant()
    world["aliyun"]["vswitches"][0]["ipv6_cidr_block"] = "2001:db8:0:1::/64"
    sdk = Sdk(t, world=world)
    ip = "2001:db8:0:1::10"
    sdk.get("ecs", "assignIpv6Addresses", networkInterfaceId="eni-svc1", ipv6Address=["2001:DB8:0:1:0::10"])
    t.equal(sdk.ask("ecs", "assignIpv6Addresses", networkInterfaceId="eni-move", ipv6Address=[ip])["code"], "InvalidIp.IpAssigned")
    got = sdk.get("ecs", "describeNetworkInterfaces", ipv6Address=[ip])["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    t.equal([g["Ipv6Sets"]["Ipv6Set"] for g in got], [[{"Ipv6Address": ip}]])
    sdk.get("ecs", "unassignIpv6Addresses", networkInterfaceId="eni-svc1", ipv6Address=[ip])
    t.equal(sdk.sim.interface("eni-svc1")["ipv6"], [])


@both
def test_instances(t, form):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["instances"][1]["public_ip"] = "198.51.100.99"
    sdk = Sdk(t, world=world)
    got = sdk.get("ecs", "describeInstances", form=form, instanceIds='["i-node1","i-node9"]')["Instances"]["Instance"]
    t.equal(len(got), 1)
    one = got[0]
    t.equal([one[k] for k in ("InstanceId", "Status", "ZoneId", "InstanceType", "InstanceTypeFamily", "InstanceNetworkType",
                              "IoOptimized")],
            ["i-node1", "Running", REGION + "-a", "ecs.g6.large", "ecs.g6", "vpc", True])
    t.equal((one["VpcAttributes"]["VSwitchId"], one["VpcAttributes"]["PrivateIpAddress"]["IpAddress"]), ("vsw-1", ["10.0.1.10"]))
    t.equal([n["NetworkInterfaceId"] for n in one["NetworkInterfaces"]["NetworkInterface"]], ["eni-node1", "eni-svc1", "eni-move"])
    types = sdk.get("ecs", "describeInstanceTypes", form=form, instanceTypes=["ecs.g6.large"])["InstanceTypes"]["InstanceType"]
    t.equal([(x["InstanceTypeId"], x["EniQuantity"]) for x in types], [("ecs.g6.large", 3)])
    t.equal(sdk.ask("ecs", "describeInstances", form, instanceIds="i-node1")["code"], "InvalidInstanceIds.Malformed")
    sdk.get("ecs", "convertNatPublicIpToEip", form=form, instanceId="i-node2")
    got = sdk.get("vpc", "describeEipAddresses", form=form, associatedInstanceType="EcsInstance",
                  associatedInstanceId="i-node2")["EipAddresses"]["EipAddress"]
    t.equal([(e["IpAddress"], e["InstanceType"]) for e in got], [("198.51.100.99", "EcsInstance")])
    groups = sdk.get("ecs", "describeSecurityGroups", form=form, vpcId="vpc-main")["SecurityGroups"]["SecurityGroup"]
    t.equal([(g["SecurityGroupId"], g["VpcId"]) for g in groups], [("sg-main", "vpc-main")])


# ---- the network -------------------------------------------------------------------------------------

@both
def test_network(t, form):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["ipv4_gateways"] = [{"ipv4_gateway_id": "ipv4gw-1", "vpc_id": "vpc-main"}]
    sdk = Sdk(t, world=world)
    t.equal([(v["VpcId"], v["CidrBlock"]) for v in sdk.get("vpc", "describeVpcs", form=form)["Vpcs"]["Vpc"]],
            [("vpc-main", "10.0.0.0/16")])
    vpc = sdk.get("vpc", "describeVpcAttribute", form=form, vpcId="vpc-main")
    t.equal((vpc["Ipv4GatewayId"], vpc["VSwitchIds"]["VSwitchId"]), ("ipv4gw-1", ["vsw-1", "vsw-2"]))
    switches = sdk.get("vpc", "describeVSwitches", form=form, vpcId="vpc-main")["VSwitches"]["VSwitch"]
    t.equal([(s["VSwitchId"], s["CidrBlock"], s["ZoneId"], s["RouteTable"]["RouteTableId"]) for s in switches],
            [("vsw-1", "10.0.1.0/24", REGION + "-a", "vtb-1"), ("vsw-2", "10.0.2.0/24", REGION + "-b", "vtb-2")])
    t.equal(sdk.get("vpc", "describeVSwitchAttributes", form=form, vSwitchId="vsw-2")["CidrBlock"], "10.0.2.0/24")
    gateways = sdk.get("vpc", "listIpv4Gateways", form=form, vpcId="vpc-main")["Ipv4GatewayModels"]
    t.equal([(g["Ipv4GatewayId"], g["Enabled"], g["Status"]) for g in gateways], [("ipv4gw-1", True, "Created")])
    for product in ("vpc", "ecs"):
        t.equal([r["RegionId"] for r in sdk.get(product, "describeRegions", form=form)["Regions"]["Region"]], [REGION])
        t.equal([z["ZoneId"] for z in sdk.get(product, "describeZones", form=form)["Zones"]["Zone"]],
                [REGION + "-a", REGION + "-b"])
    t.equal(sdk.ask("vpc", "describeVpcs", form, regionId="cn-elsewhere")["code"], "InvalidRegionId.NotFound")


@both
def test_snat(t, form):
    world = instant()
    world["aliyun"]["nat_gateways"] = [{"nat_gateway_id": "ngw-1", "vpc_id": "vpc-main", "snat_table_id": "stb-1"}]
    world["aliyun"]["eips"].append({"allocation_id": "eip-nat", "ip_address": "198.51.100.80", "instance_id": "ngw-1",
                                    "instance_type": "Nat"})
    sdk = Sdk(t, world=world)
    nat = sdk.get("vpc", "describeNatGateways", form=form, vpcId="vpc-main")["NatGateways"]["NatGateway"][0]
    t.equal((nat["SnatTableIds"]["SnatTableId"], [i["IpAddress"] for i in nat["IpLists"]["IpList"]]),
            (["stb-1"], ["198.51.100.80"]))
    want = {"snatTableId": "stb-1", "snatIp": "198.51.100.80"}
    got = sdk.ask("vpc", "createSnatEntry", form, sourceVSwitchId="vsw-1", **want)
    t.equal(got["code"], "OperationFailed.VSwitchHasHaVip")
    made = sdk.get("vpc", "createSnatEntry", form=form, sourceVSwitchId="vsw-2", **want)["SnatEntryId"]
    entries = sdk.get("vpc", "describeSnatTableEntries", form=form, snatTableId="stb-1")["SnatTableEntries"]["SnatTableEntry"]
    t.equal([(e["SnatEntryId"], e["SourceVSwitchId"], e["SnatIp"], e["Status"]) for e in entries],
            [(made, "vsw-2", "198.51.100.80", "Available")])
    t.equal(sdk.ask("vpc", "createSnatEntry", form, sourceVSwitchId="vsw-2", **want)["code"], "EntryAlreadyExist")
    sdk.get("vpc", "deleteSnatEntry", form=form, snatTableId="stb-1", snatEntryId=made)
    t.equal(sdk.get("vpc", "describeSnatTableEntries", form=form, snatTableId="stb-1")["TotalCount"], 0)


def test_pages(t):
    sdk = Sdk(t, world=lab.generated_world("ali_gen.py", tables=23, vips=31, nodes=6))

    def numbered(action, size, outer, inner, **request):
        found, number = [], 1
        while True:
            got = sdk.get("vpc", action, pageNumber=number, pageSize=size, **request)
            found += got[outer][inner]
            if number * size >= got["TotalCount"]:
                return found
            number += 1
    tables = numbered("describeRouteTableList", 10, "RouterTableList", "RouterTableListType", vpcId="vpc-main")
    t.equal(len({x["RouteTableId"] for x in tables}), 23)
    t.equal(len(sdk.get("vpc", "describeRouteTableList")["RouterTableList"]["RouterTableListType"]), 10, "the default")
    t.equal(sdk.ask("vpc", "describeRouteTableList", pageSize=51)["code"], "InvalidParameter")
    found, token, rounds = [], None, 0
    while rounds == 0 or token:
        got = sdk.get("vpc", "describeRouteEntryList", routeTableId="vtb-1", maxResult=10, nextToken=token)
        found, token, rounds = found + got["RouteEntrys"]["RouteEntry"], got["NextToken"], rounds + 1
    t.equal((len({e["RouteEntryId"] for e in found}), rounds), (31 + 6, 4))
    got = sdk.get("ecs", "describeNetworkInterfaces", maxResults=10)
    more = sdk.get("ecs", "describeNetworkInterfaces", maxResults=10, nextToken=got["NextToken"])
    both_pages = got["NetworkInterfaceSets"]["NetworkInterfaceSet"] + more["NetworkInterfaceSets"]["NetworkInterfaceSet"]
    t.equal((len({e["NetworkInterfaceId"] for e in both_pages}), more["NextToken"]), (13, ""))
    t.equal(sdk.ask("ecs", "describeNetworkInterfaces", nextToken="made up")["code"], "InvalidParameter.NextToken")


# ---- what the SDK makes of faults --------------------------------------------------------------------

def test_faults(t):
    sdk = Sdk(t)
    for do, status, code in (("throttle", 400, "Throttling.User"), ("deny", 403, "Forbidden.RAM"),
                             ("expired_token", 400, "InvalidSecurityToken.Expired"), ("task_conflict", 400, "TaskConflict"),
                             ("http_500", 500, "InternalError"), ("http_503", 503, "ServiceUnavailable"),
                             ({"type": "skew", "s": 1200}, 400, "InvalidTimeStamp.Expired")):
        with t.subtest(str(do)):
            sdk.sim.faults({"do": do})
            got = sdk.ask("vpc", "describeEipAddresses")
            t.equal((got["status"], got.get("code")), (status, code))


# ---- the kit -----------------------------------------------------------------------------------------

def test_the_kit_signs_as_the_vendor_does(t):
    install(t)
    sim = t.use(lab.Sim(t, world=instant()))
    judge = subprocess.Popen(["node", os.path.join(HERE, "judge.js"), MODULES, str(sim.port), json.dumps({KEY: SECRET})],
                             env=lab.clean_env(HOME=t.tmp), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    t.cleanup(judge.wait)
    t.cleanup(judge.stdout.close)
    t.cleanup(judge.terminate)
    url = "http://127.0.0.1:%d/" % int(judge.stdout.readline())
    for credentials in ("keys", "role"):
        node = lab.Node(t, sim, lab.ALI_NODE_2, credentials=credentials, endpoint=url, sts_endpoint=url)
        node.resource("eip1", scenario="elastic-ip", address="198.51.100.20")
        node.resource("vip1", scenario="route-table", address="10.1.0.10")
        for action in ("restore", "quickCheck", "remove"):
            for tag in ("eip1", "vip1"):
                got = node.run(action, tag)
                t.equal(got.status, 0, "%s %s with %s" % (action, tag, credentials))
        sim.do("associate", allocation_id="eip-1", eni="eni-svc1")
        for table in ("vtb-1", "vtb-2"):
            sim.do("set_route", table=table, destination=CIDR, eni="eni-svc1")
    with urllib.request.urlopen(url + "_judge", timeout=10) as answer:
        verdicts = json.loads(answer.read().decode())
    t.equal([v for v in verdicts if v["verdict"] != "ok"], [])
    asked = {v["action"] for v in verdicts}
    for action in ("DescribeEipAddresses", "AssociateEipAddress", "UnassociateEipAddress", "ModifyRouteEntry"):
        t.check(action in asked, "the kit calls %s: %s" % (action, sorted(asked)))


if __name__ == "__main__":
    tap.main()
