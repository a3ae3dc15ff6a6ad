#!/usr/bin/env python3
# tests/run: timeout=240
"""The promises of the simulator's Alibaba half that no SDK shows (tests/sim/README.md): signatures in detail,
events, faults, states between, metadata, real announcements, and two clouds in one world."""
import base64
import hashlib
import hmac
import http.client
import json
import os
import subprocess
import sys
import time
import urllib.parse
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import lab
import netns
import tap

KEY, SECRET = "LTAIEXAMPLE", "testsecret"
VERSIONS = {"vpc": "2016-04-28", "ecs": "2014-05-26", "sts": "2015-04-01"}
REGION = "cn-shanghai"
CIDR = "10.1.0.10/32"
PRODUCTS = {"ecs": ("DescribeInstances", "DescribeNetworkInterfaces", "AttachNetworkInterface", "DetachNetworkInterface",
                    "AssignPrivateIpAddresses", "UnassignPrivateIpAddresses"),
            "sts": ("AssumeRole", "AssumeRoleWithOIDC", "GetCallerIdentity")}
HANGS_S = 0.6  # what does not answer within this time is taken to hang


def product_of(action):
    return next((p for p, names in PRODUCTS.items() if action in names), "vpc")


def encode(text):
    return urllib.parse.quote(text, safe="~")


def canonical(params):
    return "&".join("%s=%s" % (encode(k), encode(params[k])) for k in sorted(params))


def stamp(offset_s=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset_s))


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, dict(response.getheaders())
        self.text = response.read().decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def code(self):
        return self.json.get("Code") if self.status >= 400 else None


def send(port, method, target, body="", headers=None, timeout_s=10):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, target, body, headers or {})
        return Answer(connection.getresponse())
    finally:
        connection.close()


def signed(port, action, params, method="POST", unsigned=(), key=KEY, secret=SECRET, **headers):
    """(target, headers) of a request with ACS3-HMAC-SHA256."""
    query = canonical(params)
    head = {"host": "127.0.0.1:%d" % port, "x-acs-action": action, "x-acs-version": VERSIONS[product_of(action)],
            "x-acs-date": stamp(), "x-acs-signature-nonce": uuid.uuid4().hex,
            "x-acs-content-sha256": hashlib.sha256(b"").hexdigest()}
    head.update((name.replace("_", "-"), value) for name, value in headers.items())
    names = sorted(name for name in head if name not in unsigned)
    request = "%s\n/\n%s\n%s\n%s\n%s" % (method, query, "".join("%s:%s\n" % (n, head[n]) for n in names), ";".join(names),
                                         head["x-acs-content-sha256"])
    text = "ACS3-HMAC-SHA256\n" + hashlib.sha256(request.encode()).hexdigest()
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    head["Authorization"] = "ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s" % (key, ";".join(names), signature)
    return "/?" + query, head


def call(sim, action, method="POST", timeout_s=10, **params):
    if product_of(action) != "sts":
        params.setdefault("RegionId", REGION)
    target, head = signed(sim.port, action, params, method)
    return send(sim.port, method, target, headers=head, timeout_s=timeout_s)


def instant(name="ali-two-nodes"):
    world = lab.world(name)
    world["aliyun"]["delays_ms"] = dict.fromkeys(("eip", "havip", "route", "eni", "instance", "snat"), 0)
    return world


# ---- signatures --------------------------------------------------------------------------------------

def test_signature_details(t):
    with lab.Sim(t, world="ali-two-nodes") as sim:
        def code(**options):
            target, head = signed(sim.port, "DescribeVpcs", {"RegionId": REGION}, **options)
            return send(sim.port, "POST", target, headers=head).code
        t.equal(code(), None)
        t.equal(code(x_acs_date=stamp(-899)), None)
        t.equal(code(x_acs_date=stamp(-901)), "InvalidTimeStamp.Expired")
        t.equal(code(x_acs_date=stamp(930)), "InvalidTimeStamp.Expired")
        t.equal(code(x_acs_date="yesterday"), "InvalidTimeStamp.Format")
        t.equal(code(x_acs_content_sha256="0" * 64), "InvalidContentSha256")
        for name in ("host", "x-acs-date", "x-acs-signature-nonce", "x-acs-action"):
            t.equal(code(unsigned=(name,)), "IncompleteSignature", name)
        t.equal(code(x_acs_security_token="stray"), "InvalidSecurityToken.MismatchWithAccessKey")
        t.equal(code(secret="wrong"), "SignatureDoesNotMatch")
        t.equal(code(key="LTAInobody"), "InvalidAccessKeyId.NotFound")
        t.equal(code(x_acs_signature_nonce="once"), None)
        t.equal(code(x_acs_signature_nonce="once"), "SignatureNonceUsed")
        t.equal(send(sim.port, "POST", "/?RegionId=x", headers={"x-acs-action": "DescribeVpcs",
                                                                "x-acs-version": VERSIONS["vpc"]}).code, "MissingAccessKeyId")
        target, head = signed(sim.port, "DescribeVpcs", {"RegionId": REGION})
        t.equal(send(sim.port, "POST", target + "&VpcId=vpc-1", headers=head).code, "SignatureDoesNotMatch")
        t.equal(send(sim.port, "GET", target, headers=head).code, "SignatureDoesNotMatch", "the method is signed")


def test_older_signature(t):
    with lab.Sim(t, world="ali-two-nodes") as sim:
        def ask(method, wrong=False, **more):
            params = {"Action": "DescribeVpcs", "Version": VERSIONS["vpc"], "Format": "JSON", "RegionId": REGION,
                      "AccessKeyId": KEY, "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
                      "SignatureNonce": uuid.uuid4().hex, "Timestamp": stamp()}
            params.update(more)
            text = "%s&%%2F&%s" % (method, encode(canonical(params)))
            mac = hmac.new((SECRET + "&").encode(), text.encode(), hashlib.sha1).digest()
            params["Signature"] = base64.b64encode(mac).decode()
            if wrong:
                params["PageSize"] = "5"
            form = urllib.parse.urlencode(params)
            if method == "GET":
                return send(sim.port, "GET", "/?" + form)
            return send(sim.port, "POST", "/", form, {"Content-Type": "application/x-www-form-urlencoded"})
        for method in ("GET", "POST"):
            t.equal((ask(method).status, ask(method).json["TotalCount"]), (200, 1))
            t.equal(ask(method, wrong=True).code, "SignatureDoesNotMatch")
            t.equal(ask(method, Timestamp=stamp(-1000)).code, "InvalidTimeStamp.Expired")
            t.equal(ask(method, SignatureMethod="HMAC-MD5").code, "IncompleteSignature")


def test_requests_that_are_none(t):
    with lab.Sim(t, world="ali-two-nodes") as sim:
        t.equal(call(sim, "DescribeNothing").code, "InvalidAction.NotFound")
        t.equal(call(sim, "DescribeVpcAttribute").code, "MissingParameter")
        t.equal(call(sim, "DescribeVpcs", Vpcid="vpc-main").code, "UnsupportedParameter")
        t.equal(call(sim, "DescribeVpcs", RegionId="cn-elsewhere").code, "InvalidRegionId.NotFound")
        t.equal(call(sim, "AssociateHaVip", HaVipId="havip-1", InstanceId="i-node2", ClientToken="x" * 65).code,
                "InvalidParameter.ClientToken")
        t.equal(send(sim.port, "GET", "/other").status, 404)
        t.equal(sim.log()[0]["kind"], "vpc")


def test_oidc(t):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["roles"].append({"name": "pod", "trust": {"oidc_tokens": ["a.b+c/d=="]}})
    with lab.Sim(t, world=world) as sim:
        def ask(token):
            form = urllib.parse.urlencode({"RoleArn": "acs:ram::1234567890123456:role/pod", "OIDCToken": token,
                                           "OIDCProviderArn": "acs:ram::1:oidc-provider/x", "RoleSessionName": "kit"})
            return send(sim.port, "POST", "/?Action=AssumeRoleWithOIDC&Version=2015-04-01&Format=JSON&Timestamp=" + stamp(), form,
                        {"Content-Type": "application/x-www-form-urlencoded"})
        got = ask("a.b+c/d==")
        t.equal((got.status, got.json["Credentials"]["AccessKeyId"][:4]), (200, "STS."))
        t.equal(ask("made up").status, 403)
        t.lacks(json.dumps(sim.log()), "a.b+c", "tokens stay out of the log")


# ---- time --------------------------------------------------------------------------------------------

def test_states_between_end_in_time(t):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["delays_ms"] = {"eip": 3600000}
    with lab.Sim(t, world=world) as sim:
        take = {"AllocationId": "eip-1", "InstanceId": "eni-svc1", "InstanceType": "NetworkInterface"}
        t.equal(call(sim, "UnassociateEipAddress", **take).status, 200)
        t.equal(sim.address("eip-1")["status"], "Unassociating")
        sim.do("advance_clock", s=3590)
        t.equal(sim.address("eip-1")["status"], "Unassociating")
        sim.do("advance_clock", s=20)
        t.equal(sim.address("eip-1")["status"], "Available")
        t.lacks(sim.address("eip-1"), "instance_id")


def test_an_event_ends_what_went_on(t):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["delays_ms"] = {"route": 1000, "eip": 1000}
    with lab.Sim(t, world=world) as sim:
        new = {"RouteTableId": "vtb-1", "DestinationCidrBlock": CIDR, "NewNextHopType": "NetworkInterface",
               "NewNextHopId": "eni-svc2"}
        t.equal(call(sim, "ModifyRouteEntry", **new).status, 200)
        t.equal(sim.routes(CIDR)["vtb-1"], ("eni-svc1", "Modifying"), "the old next hop still")
        sim.do("set_route", table="vtb-1", destination=CIDR, eni="eni-move")
        sim.do("advance_clock", s=5)
        t.equal(sim.routes(CIDR)["vtb-1"], ("eni-move", "Available"))


# ---- faults ------------------------------------------------------------------------------------------

def test_faults_that_answer(t):
    with lab.Sim(t, world="ali-two-nodes") as sim:
        for do, action, status, code in (
                ("throttle", "DescribeEipAddresses", 400, "Throttling.User"),
                ("deny", "DescribeEipAddresses", 403, "Forbidden.RAM"),
                ("deny", "GetCallerIdentity", 403, "NoPermission"),
                ("expired_token", "DescribeInstances", 400, "InvalidSecurityToken.Expired"),
                ("task_conflict", "DeleteRouteEntry", 400, "TaskConflict"),
                ("http_502", "DescribeInstances", 502, "BadGateway"),
                ({"type": "error", "status": 403, "code": "LastTokenProcessing"}, "AssociateEipAddress", 403, "LastTokenProcessing")):
            sim.faults({"do": do})
            got = call(sim, action)
            t.equal((got.status, got.code), (status, code))
            t.equal(sorted(got.json), ["Code", "HostId", "Message", "Recommend", "RequestId"])
        sim.faults({"do": {"type": "throttle", "retry_after_s": 2}})
        got = call(sim, "DescribeInstances")
        t.equal((got.headers["Retry-After"], got.headers["x-acs-retry-after"]), ("2", "2000"))
        sim.faults({"do": "malformed"}, {"do": "big_body"})
        t.raises(ValueError, lambda: call(sim, "DescribeInstances").json)
        got = call(sim, "DescribeInstances")
        t.check(len(got.text) >= 2 << 20 and got.json["TotalCount"] == 2, "a big answer is a right one")


def test_lost_answers_and_tokens(t):
    with lab.Sim(t, world="ali-two-nodes") as sim:
        take = {"AllocationId": "eip-1", "InstanceId": "eni-svc1", "InstanceType": "NetworkInterface", "ClientToken": "t-1"}
        sim.faults({"match": {"action": "UnassociateEipAddress"}, "do": "lost_answer"})
        t.raises(OSError, lambda: call(sim, "UnassociateEipAddress", **take))
        t.equal(sim.address("eip-1")["status"], "Unassociating", "applied")
        t.equal(call(sim, "UnassociateEipAddress", **take).status, 200, "the same token again")
        t.equal(call(sim, "UnassociateEipAddress", **dict(take, ClientToken="t-2")).code, "IncorrectEipStatus")
        t.equal([e["applied"] for e in sim.log(action="UnassociateEipAddress")], [True, False, False])


def test_thefts(t):
    with lab.Sim(t, world=instant("ali-havip")) as sim:
        def steal(action, **who):
            sim.faults({"match": {"action": action}, "do": dict(who, type="steal")})
        steal("ModifyRouteEntry", eni="eni-move")
        call(sim, "ModifyRouteEntry", RouteEntryId="rte-2-2", NewNextHopType="NetworkInterface", NewNextHopId="eni-svc2")
        t.equal(sim.routes(CIDR)["vtb-2"], ("eni-move", "Available"))
        steal("AssociateEipAddress", eni="eni-move")
        sim.do("disassociate", allocation_id="eip-1")
        call(sim, "AssociateEipAddress", AllocationId="eip-1", InstanceId="eni-svc2", InstanceType="NetworkInterface")
        t.equal([sim.address("eip-1")[k] for k in ("instance_id", "status")], ["eni-move", "InUse"])
        steal("AssignPrivateIpAddresses", eni="eni-move")
        call(sim, "AssignPrivateIpAddresses", **{"NetworkInterfaceId": "eni-svc2", "PrivateIpAddress.1": "10.0.1.61"})
        t.equal((sim.interface("eni-move")["private_ips"], sim.interface("eni-svc2")["private_ips"]),
                (["10.0.1.100", "10.0.1.61"], ["10.0.1.21"]))
        steal("AttachNetworkInterface", instance="i-node1")
        sim.do("detach_eni", eni="eni-move")
        call(sim, "AttachNetworkInterface", NetworkInterfaceId="eni-move", InstanceId="i-node2")
        t.equal(sim.interface("eni-move")["instance_id"], "i-node1")


def test_stale_and_not_visible(t):
    with lab.Sim(t, world=instant()) as sim:
        def holder():
            return call(sim, "DescribeEipAddresses").json["EipAddresses"]["EipAddress"]
        sim.faults({"match": {"action": "DescribeEipAddresses"}, "times": 1, "do": "stale"})
        call(sim, "UnassociateEipAddress", AllocationId="eip-1", InstanceId="eni-svc1", InstanceType="NetworkInterface")
        t.equal(holder()[0]["Status"], "InUse", "as it was")
        t.equal(holder()[0]["Status"], "Available")
        sim.faults({"do": {"type": "not_visible", "id": "eip-1"}})
        t.equal(holder(), [])


def test_limits(t):
    world = lab.world("ali-two-nodes")
    world["aliyun"]["limits"] = {"describe": {"bucket": 2, "refill_per_s": 0}}
    with lab.Sim(t, world=world) as sim:
        t.equal([call(sim, "DescribeVpcs").code for _ in range(3)], [None, None, "Throttling.User"])


# ---- metadata ----------------------------------------------------------------------------------------

def test_metadata(t):
    with lab.Sim(t, world="ali-two-nodes", imds=("i-node2",)) as sim:
        base = "/_cloudsim/node/i-node1/latest/"
        head = {"X-aliyun-ecs-metadata-token-ttl-seconds": "60"}
        t.equal(send(sim.port, "GET", base + "meta-data/region-id").status, 403, "without a token")
        t.equal(send(sim.port, "PUT", base + "api/token").status, 400)
        t.equal(send(sim.port, "PUT", base + "api/token", headers=dict(head, **{"X-Forwarded-For": "1"})).status, 403)
        token = {"X-aliyun-ecs-metadata-token": send(sim.port, "PUT", base + "api/token", headers=head).text}

        def get(path):
            answer = send(sim.port, "GET", base + path, headers=token)
            return answer.text if answer.status == 200 else answer.status
        mac = "meta-data/network/interfaces/macs/00:16:3e:00:01:01/"
        for path, want in (("meta-data/instance-id", "i-node1"), ("meta-data/region-id", REGION),
                           ("meta-data/zone-id", REGION + "-a"), ("meta-data/vpc-id", "vpc-main"),
                           ("meta-data/vswitch-cidr-block", "10.0.1.0/24"), ("meta-data/mac", "00:16:3e:00:01:00"),
                           ("meta-data/eipv4", 404),
                           ("meta-data/network/interfaces/macs/", "00:16:3e:00:01:00/\n00:16:3e:00:01:01/\n00:16:3e:00:ff:01/"),
                           (mac + "network-interface-id", "eni-svc1"), (mac + "primary-ip-address", "10.0.1.11"),
                           (mac + "private-ipv4s", '["10.0.1.11","10.0.1.60"]'), (mac + "netmask", "255.255.255.0"),
                           (mac + "gateway", "10.0.1.253"), (mac + "vpc-cidr-block", "10.0.0.0/16"),
                           ("meta-data/ram/security-credentials/", "node"), ("meta-data/nothing", 404)):
            t.equal(get(path), want, path)
        issued = json.loads(get("meta-data/ram/security-credentials/node"))
        t.equal((issued["Code"], sorted(issued)), ("Success", ["AccessKeyId", "AccessKeySecret", "Code", "Expiration",
                                                              "LastUpdated", "SecurityToken"]))
        t.equal(json.loads(get("dynamic/instance-identity/document"))["instance-id"], "i-node1")
        target, head = signed(sim.port, "DescribeVpcs", {"RegionId": REGION}, key=issued["AccessKeyId"],
                              secret=issued["AccessKeySecret"], x_acs_security_token=issued["SecurityToken"])
        t.equal(send(sim.port, "POST", target, headers=head).status, 200)
        t.equal(sim.log(action="DescribeVpcs")[0]["node"], "i-node1")
        other = int(sim.imds["i-node2"].rstrip("/").rsplit(":", 1)[1])
        t.equal(send(other, "GET", "/latest/meta-data/mac", headers=token).status, 401, "a token is one node's")
        sim.do("advance_clock", s=61)
        t.equal(get("meta-data/mac"), 401, "the token has ended")
        sim.do("set_imds", id="i-node1", mode="off")
        t.equal(get("meta-data/mac"), 403)
        sim.do("set_imds", id="i-node1", mode="hang")
        t.raises(OSError, lambda: send(sim.port, "GET", base + "meta-data/mac", headers=token, timeout_s=HANGS_S))
        sim.do("stop_instance", id="i-node1")
        t.raises(OSError, lambda: get("meta-data/mac"))


# ---- events ------------------------------------------------------------------------------------------

def test_events(t):
    with lab.Sim(t, world="ali-havip") as sim:
        for event, error in (({"op": "announce", "havip": "havip-1", "instance": "i-node9"}, "not bound"),
                             ({"op": "announce", "havip": "havip-9", "instance": "i-node1"}, "no such"),
                             ({"op": "announce", "ip": "10.0.1.51", "instance": "i-node1"}, "no such"),
                             ({"op": "set_guest", "id": "i-node1", "guest": "dead"}, "one of"),
                             ({"op": "set_route", "table": "vtb-9"}, "not there"), ({"op": "nothing"}, "no such op")):
            status, answer = sim.control("POST", "do", event)
            t.equal(status, 400)
            t.has(answer["error"], error)
        sim.do("announce", ip="10.0.1.50", instance="eni-svc2")
        t.equal(sim.havip()["master"], "i-node2", "an interface announces for its instance")
        sim.do("unbind_havip", havip="havip-1", instance="i-node2")
        t.equal([sim.havip()[k] for k in ("master", "instances", "status")], ["", ["i-node1"], "InUse"])
        sim.do("bind_havip", havip="havip-1", instance="i-node2")
        sim.do("stop_instance", id="i-node2")
        t.equal(sim.control("POST", "do", {"op": "announce", "havip": "havip-1", "instance": "i-node2"})[0], 400)
        sim.do("terminate_instance", id="i-node2")
        world = sim.aliyun()
        t.equal([i["instance_id"] for i in world["instances"]], ["i-node1"])
        t.equal([e for e in world["network_interfaces"] if e.get("instance_id") == "i-node2"], [])
        t.equal(sim.havip()["instances"], ["i-node1"])
        sim.do("set_status", id="eip-1", status="Associating")
        t.equal(call(sim, "UnassociateEipAddress", AllocationId="eip-1").code, "IncorrectEipStatus")


def test_state_is_a_world(t):
    with lab.Sim(t, world=instant()) as sim:
        state = sim.state()
        sim.put_world(state)
        t.equal(sim.state(), state)


def test_worlds_that_do_not_hold_together(t):
    with lab.Sim(t, world="ali-two-nodes") as sim:
        for change, error in ((lambda w: w.pop("region_id"), "region_id"),
                              (lambda w: w["eips"][0].update(instance_id="eni-gone"), "eni-gone"),
                              (lambda w: w["havips"][0]["instances"].append("i-gone"), "i-gone"),
                              (lambda w: w["havips"][0].update(master="i-node2"), "master"),
                              (lambda w: w["instances"][0].update(colour="red"), "colour"),
                              (lambda w: w["vswitches"][0].update(vpc_id="vpc-gone"), "vpc-gone"),
                              (lambda w: w.update(modify_route_entry="sometimes"), "modify_route_entry"),
                              (lambda w: w["network_interfaces"][0].update(private_ips=["10.0.1"]), "10.0.1"),
                              (lambda w: w.update(delays_ms={"all": 1}), "all"), (lambda w: w.update(delays_ms=[]), "object")):
            world = lab.world("ali-two-nodes")
            change(world["aliyun"])
            status, answer = sim.control("PUT", "world", world)
            t.equal(status, 400, error)
            t.has(answer["error"], error)
        t.equal(sim.aliyun()["region_id"], REGION, "the old world is still there")


def test_two_clouds_in_one_world(t):
    world = lab.world("ali-two-nodes")
    world.update(lab.world("two-nodes"))
    with lab.Sim(t, world=world) as sim:
        t.equal(call(sim, "DescribeVpcs").json["TotalCount"], 1)
        got = send(sim.port, "POST", "/", "Action=DescribeVpcs&Version=2016-11-15",
                   {"Content-Type": "application/x-www-form-urlencoded"})
        t.has(got.text, "<Code>")
        t.equal([e["kind"] for e in sim.log()], ["vpc", "ec2"])
        for node in ("i-node1", lab.NODE_1):
            t.equal(send(sim.port, "GET", "/_cloudsim/node/%s/latest/meta-data/mac" % node).status // 100, 4)
        sim.do("stop_instance", id=lab.NODE_2)
        sim.do("stop_instance", id="i-node2")
        t.equal(([i["state"] for i in sim.aws()["instances"]], [i["status"] for i in sim.aliyun()["instances"]]),
                (["running", "stopped"], ["Running", "Stopped"]))


def test_generated_worlds(t):
    t.equal(lab.generated_world("ali_gen.py"), lab.world("ali-two-nodes"))
    t.equal(lab.generated_world("ali_gen.py", one_zone=True), lab.world("ali-havip"))


# ---- a wire ------------------------------------------------------------------------------------------

ANNOUNCE = r"""
import socket, struct, sys
interface, ip, operation, target = sys.argv[1:5]
wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
wire.bind((interface, 0))
mac = wire.getsockname()[4]
arp = struct.pack("!HHBBH", 1, 0x0800, 6, 4, int(operation)) + mac + socket.inet_aton(ip) + bytes(6) + socket.inet_aton(target)
wire.send(b"\xff" * 6 + mac + struct.pack("!H", 0x0806) + arp)
"""


def test_packets_move_an_havip(t):
    world = lab.world("ali-havip")
    world["aliyun"]["havips"].append({"havip_id": "havip-2", "ip_address": "10.0.1.51", "vswitch_id": "vsw-1", "instances": ["i-node2"]})
    with netns.link(t, "00:16:3e:00:02:01") as name, lab.Sim(t, world=world, args=("--segment", name + "p=i-node2")) as sim:
        def announce(ip, operation=1, target=None):
            done = subprocess.run([sys.executable, "-c", ANNOUNCE, name, ip, str(operation), target or ip],
                                  env=lab.clean_env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
            t.equal((done.returncode, done.stdout.decode()), (0, ""))

        def all_heard():
            """Packets are heard in turn: when the announcement of the other HAVIP is, those before it are."""
            sim.do("unbind_havip", havip="havip-2", instance="i-node2")
            sim.do("bind_havip", havip="havip-2", instance="i-node2")
            announce("10.0.1.51")
            t.wait_until(lambda: sim.havip("havip-2")["master"] == "i-node2", "everything is heard")
        for operation in (1, 2):
            sim.do("announce", havip="havip-1", instance="i-node1")
            announce("10.0.1.50", operation, "10.0.1.1")  # somebody who has the address asks or answers: no announcement
            announce("10.0.1.52", operation)  # nobody's HAVIP
            announce("0.0.0.0", operation)
            all_heard()
            t.equal(sim.havip()["master"], "i-node1")
            announce("10.0.1.50", operation)
            all_heard()
            t.equal(sim.havip()["master"], "i-node2")
        sim.do("announce", havip="havip-1", instance="i-node1")
        sim.do("unbind_havip", havip="havip-1", instance="i-node2")
        announce("10.0.1.50")
        all_heard()
        t.equal(sim.havip()["master"], "i-node1", "it was not bound")


def test_a_segment_that_is_not_there(t):
    def status(segment):
        return subprocess.run([lab.program("cloudsim"), "--listen", "127.0.0.1:0", "--segment", segment, "--world",
                               os.path.join(lab.WORLDS, "ali-havip.json")], env=lab.clean_env(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=30).returncode
    t.equal(status("nosuchlink=i-node1"), 1)
    for segment in ("lo", "lo=", "=i-node1", "aninterfacetoolong=i-node1"):
        t.equal(status(segment), 2, segment)


if __name__ == "__main__":
    netns.enter()
    tap.main()
