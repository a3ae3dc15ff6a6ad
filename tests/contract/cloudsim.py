#!/usr/bin/env python3
# tests/run: timeout=240
"""The simulator's own promises (tests/sim/README.md): faults, events, log, listeners, its command line."""
import hashlib
import hmac
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import lab
import tap

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
VIP = "10.1.0.10/32"
RTB = "rtb-0aa00000000000001"
ENI_1, ENI_2 = "eni-0bb00000000000001", "eni-0bb00000000000002"
EIP = "eipalloc-0aa00000000000001"
DESCRIBE = "Action=DescribeRouteTables&Version=2016-11-15"
REPLACE = ("Action=ReplaceRoute&Version=2016-11-15&RouteTableId=%s&DestinationCidrBlock=10.1.0.10%%2F32"
           "&NetworkInterfaceId=" + ENI_2)
HANGS_S = 0.6  # what does not answer within this time is taken to hang


def headers(port, body, service="ec2"):
    """Signature Version 4, in the fewest lines."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    scope = "%s/ap-northeast-1/%s/aws4_request" % (stamp[:8], service)
    canonical = "POST\n/\n\nhost:127.0.0.1:%d\nx-amz-date:%s\n\nhost;x-amz-date\n%s" % (
        port, stamp, hashlib.sha256(body.encode()).hexdigest())
    text = "AWS4-HMAC-SHA256\n%s\n%s\n%s" % (stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
    key = ("AWS4" + SECRET).encode()
    for part in scope.split("/") + [text]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return {"X-Amz-Date": stamp, "Content-Type": "application/x-www-form-urlencoded",
            "Authorization": "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=host;x-amz-date, "
                             "Signature=%s" % (KEY, scope, key.hex())}


class Answer:
    def __init__(self, response):
        self.status, self.headers = response.status, dict(response.getheaders())
        self.text = response.read().decode("utf-8", "replace")

    @property
    def code(self):
        found = re.search("<Code>(.*?)</Code>", self.text)
        return found.group(1) if found else None


def call(sim, body=DESCRIBE, port=None, timeout_s=10, connection=None, service="ec2"):
    port = port or sim.port
    own = connection or http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        own.request("POST", "/", body, headers(port, body, service))
        return Answer(own.getresponse())
    finally:
        if not connection:
            own.close()


def replace(table=1):
    return REPLACE % (RTB[:-1] + str(table))


# ---- faults ------------------------------------------------------------------------------------------

def test_faults_that_answer(t):
    with lab.Sim(t) as sim:
        for do, status, code in (
                ("throttle", 503, "RequestLimitExceeded"),
                ({"type": "throttle", "code": "Throttling", "retry_after_s": 7}, 503, "Throttling"),
                ({"type": "error", "code": "IncorrectState", "message": "not <now>"}, 400, "IncorrectState"),
                ({"type": "error", "status": 418, "body": "teapot", "content_type": "text/x"}, 418, None),
                ("http_500", 500, "InternalError"),
                ({"type": "http_502", "body": "html"}, 502, None),
                ({"type": "http_503", "body": "empty"}, 503, None),
                ("http_503", 503, "Unavailable"),
                ("html_200", 200, None),
                ({"type": "redirect", "location": "http://192.0.2.7/x"}, 307, None),
                ("deny", 403, "UnauthorizedOperation"),
                ("expired_token", 400, "RequestExpired")):
            sim.faults({"match": {"action": "Replace*"}, "do": do})
            got = call(sim, replace())
            t.equal((got.status, got.code), (status, code), str(do))
            entry = sim.log()[-1]
            t.equal((entry["status"], entry["code"], entry["applied"], entry["fault"]),
                    (status, code, False, do["type"] if isinstance(do, dict) else do))
            if isinstance(do, dict) and "retry_after_s" in do:
                t.equal(got.headers["Retry-After"], "7")
            if isinstance(do, dict) and "location" in do:
                t.equal(got.headers["Location"], "http://192.0.2.7/x")
        t.equal(sim.targets(VIP), {(ENI_1, "active")})
        t.equal(call(sim, replace()).status, 200)
        t.equal(call(sim, "Action=AssumeRole&Version=2011-06-15", service="sts").code, "MissingParameter")


def test_faults_that_spoil(t):
    with lab.Sim(t) as sim:
        whole = call(sim).text
        sim.faults({"do": "malformed"})
        got = call(sim)
        t.equal(got.status, 200)
        t.raises(xml.etree.ElementTree.ParseError, xml.etree.ElementTree.fromstring, got.text)
        sim.faults({"do": "dtd"})
        t.has(call(sim).text, "<!DOCTYPE r [ <!ENTITY")
        sim.faults({"do": {"type": "big_body", "bytes": 3000000}})
        big = call(sim).text
        t.check(3000000 <= len(big) < 3000100, "%d bytes" % len(big))
        xml.etree.ElementTree.fromstring(big)
        sim.faults({"do": {"type": "truncate", "bytes": 100}})
        cut = t.raises(http.client.IncompleteRead, call, sim)
        t.equal(len(cut.partial), 100)
        t.check(cut.expected > 100, "no longer Content-Length")
        sim.faults({"do": {"type": "slow_drip", "bytes": 512, "ms": 1}})
        t.equal(len(call(sim).text), len(whole))


def test_faults_that_do_not_answer(t):
    with lab.Sim(t) as sim:
        number = 0
        for do, error, applied in (
                ("reset", ConnectionResetError, False), ("lost_answer", ConnectionResetError, True),
                ("hang", socket.timeout, False), ("lost_timeout", socket.timeout, True)):
            sim.put_world(lab.world())
            sim.faults({"match": {"action": "ReplaceRoute"}, "do": do})
            t.raises(error, lambda: call(sim, replace(), timeout_s=HANGS_S if error is socket.timeout else 20))
            number += 1
            sim.wait(number)  # it may come to it later than we gave up
            t.equal(sim.routes(VIP)[RTB], (ENI_2 if applied else ENI_1, "active"), do)
            entry = sim.log()[-1]
            t.equal((entry["status"], entry["applied"], entry["fault"]), (0, applied, do))
        t.equal(sim.summary()["actions"], {"ReplaceRoute": 4})


def test_a_hanging_answer_holds_up_nobody(t):
    with lab.Sim(t) as sim:
        sim.faults({"match": {"params": {"RouteTableId": RTB}}, "do": "hang"})
        ended = []

        def hang():
            try:
                call(sim, replace(), timeout_s=60)
            except ConnectionError as e:
                ended.append(e)

        thread = threading.Thread(target=hang)
        thread.start()
        sim.wait(1)  # decided means that it hangs by now
        t.equal(call(sim, replace(2)).status, 200)
        t.equal(ended, [])
        sim.faults()  # none any more: it is let go
        thread.join(20)
        t.equal(len(ended), 1)
        t.equal(sim.routes(VIP)[RTB], (ENI_1, "active"))


def test_skip_times_and_matching(t):
    with lab.Sim(t) as sim:
        sim.faults({"match": {"kind": "ec2", "action": "Replace*", "key": "AKID*",
                              "params": {"RouteTableId": "*2"}}, "skip": 1, "times": 2, "do": "http_500"})
        codes = [call(sim, replace(table)).status for table in (1, 2, 2, 1, 2, 2)]
        t.equal(codes, [200, 200, 500, 200, 500, 200])
        seen = sim.control("GET", "faults")[1][0]
        t.equal((seen["seen"], seen["acted"]), (4, 2))
        sim.faults({"times": 0, "do": "http_500"}, {"do": "throttle"})
        t.equal([call(sim).status for _ in range(3)], [500, 500, 500])
        sim.faults()
        sim.add_fault({"do": "http_500"})
        sim.add_fault({"do": "throttle"})
        t.equal([call(sim).code for _ in range(3)], ["InternalError", "RequestLimitExceeded", None])
        for bad in ({"do": "nothing"}, {"do": {"type": "hang", "ms": 3}}, {"match": {"verb": 1}, "do": "hang"},
                    {"often": 1, "do": "hang"}, "hang"):
            t.equal(sim.control("PUT", "faults", bad)[0], 400, str(bad))


def test_stale_and_invisible(t):
    with lab.Sim(t) as sim:
        sim.faults({"match": {"action": "DescribeRouteTables"}, "times": 2, "do": "stale"})
        call(sim, replace(1))
        old, again, new = (ENI_2 in call(sim).text for _ in range(3))
        t.equal((old, again, new), (False, False, True))
        t.equal(sim.routes(VIP)[RTB], (ENI_2, "active"))
        sim.faults({"do": {"type": "not_visible", "id": RTB}})
        t.lacks(call(sim).text, "<routeTableId>" + RTB)
        t.has(call(sim).text, "<routeTableId>" + RTB)
        sim.faults({"do": {"type": "not_visible", "id": VIP}})
        t.lacks(call(sim).text, VIP)
        sim.faults({"do": {"type": "not_visible", "id": EIP}})
        body = "Action=DescribeAddresses&Version=2016-11-15&AllocationId.1=" + EIP
        t.equal([call(sim, body).code for _ in range(2)], ["InvalidAllocationID.NotFound", None])


def test_thefts_and_events(t):
    with lab.Sim(t) as sim:
        sim.faults({"match": {"action": "ReplaceRoute"}, "do": {"type": "steal", "eni": ENI_1}})
        t.equal(call(sim, replace()).status, 200)
        t.equal(sim.routes(VIP)[RTB], (ENI_1, "active"))
        sim.faults({"do": {"type": "steal", "eni": ENI_1, "delay_ms": 200}})
        t.equal(call(sim, replace()).status, 200)
        t.equal(sim.routes(VIP)[RTB], (ENI_2, "active"))
        t.wait_until(lambda: sim.routes(VIP)[RTB] == (ENI_1, "active"), "the theft")
        sim.faults({"do": {"type": "steal", "eni": ENI_1}})
        call(sim, "Action=AssociateAddress&Version=2016-11-15&AllocationId=%s&NetworkInterfaceId=%s"
             % (EIP, ENI_2))
        t.equal(sim.address(EIP)["network_interface_id"], ENI_1)
        sim.faults({"do": {"type": "op", "event": {"op": "stop_instance", "id": lab.NODE_1}}},
                   {"do": {"type": "op", "when": "before", "events": [
                       {"op": "source_dest_check", "eni": ENI_1, "value": True}]}})
        t.lacks(call(sim).text, "blackhole")
        t.has(call(sim).text, "blackhole")
        t.equal(sim.interface(ENI_1)["source_dest_check"], True)


def test_metadata_faults(t):
    with lab.Sim(t) as sim:
        def token(timeout_s=20):
            connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=timeout_s)
            connection.request("PUT", "/_cloudsim/node/%s/latest/api/token" % lab.NODE_1,
                               headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"})
            answer = Answer(connection.getresponse())
            connection.close()
            return answer
        for do, status in (({"type": "bad_imds", "status": 503}, 503), ("expired_token", 401),
                           ({"type": "bad_imds", "json": "garbage"}, 200)):
            sim.faults({"match": {"kind": "imds", "node": lab.NODE_1, "action": "PUT latest/*"}, "do": do})
            t.equal(token().status, status)
            t.equal(token().status, 200)
        sim.do("set_imds", id=lab.NODE_1, mode="hang")
        t.raises(socket.timeout, token, HANGS_S)


# ---- events ------------------------------------------------------------------------------------------

def test_events(t):
    with lab.Sim(t) as sim:
        sim.do("set_route", table=RTB, destination="10.9.9.9/32", eni=ENI_2)
        t.equal(sim.routes("10.9.9.9/32"), {RTB: (ENI_2, "active")})
        sim.do("delete_route", table=RTB, destination="10.9.9.9/32")
        t.equal(sim.routes("10.9.9.9/32"), {})
        sim.do("stop_instance", id=lab.NODE_1)
        t.equal(sim.targets(VIP), {(ENI_1, "blackhole")})
        sim.do("start_instance", id=lab.NODE_1)
        before = sim.address(EIP)["association_id"]
        sim.do("associate", allocation_id=EIP, eni=ENI_2)
        t.equal(sim.address(EIP)["private_ip"], "10.0.2.11")
        t.check(sim.address(EIP)["association_id"] != before, "the same association")
        sim.do("disassociate", allocation_id=EIP)
        t.check("association_id" not in sim.address(EIP), "still associated")
        sim.do("assign_ip", eni=ENI_1, ip="10.0.1.77")
        t.equal(sim.interface(ENI_1)["private_ips"], ["10.0.1.11", "10.0.1.77"])
        sim.do("unassign_ip", eni=ENI_1, ip="10.0.1.77")
        sim.do("detach_eni", eni=ENI_1)
        t.equal(sim.targets(VIP), {(ENI_1, "blackhole")})
        sim.do("attach_eni", eni=ENI_1, instance=lab.NODE_1, device_index=1)
        t.equal(sim.targets(VIP), {(ENI_1, "active")})
        sim.do("terminate_instance", id=lab.NODE_1)
        t.equal([i["state"] for i in sim.aws()["instances"]], ["terminated", "running"])
        sim.do("delete_eni", eni=ENI_1)
        t.equal(sim.targets(VIP), {(ENI_1, "blackhole")})
        sim.do("advance_clock", s=1000)
        t.equal(sim.control("GET", "clock")[1]["offset_s"], 1000)
        t.equal(call(sim).code, "RequestExpired")
        for bad in ({"op": "fly"}, {"op": "stop_instance", "id": "i-0"}, {}, 3):
            t.equal(sim.control("POST", "do", bad)[0], 400, str(bad))


def test_worlds(t):
    with lab.Sim(t) as sim:
        t.equal(sim.put_world(sim.state()), {})  # what is shown can be given back
        t.equal(sim.targets(VIP), {(ENI_1, "active")})
        for part, change, reason in (
                ("instances", {"subnet_id": "subnet-0"}, "subnet-0"),
                ("instances", {"instance_id": "node1"}, "node1"),
                ("instances", {"colour": "red"}, "colour"),
                ("network_interfaces", {"network_interface_id": "eni-0bb00000000000001"}, "twice"),
                ("network_interfaces", {"private_ips": ["10.0.1.300"]}, "10.0.1.300"),
                ("addresses", {"network_interface_id": "eni-0aa00000000000002"}, "private_ip"),
                ("route_tables", {"routes": [{"destination": "10.0.0.0/33", "target": "local"}]}, "10.0.0.0/33")):
            world = lab.world()
            world["aws"][part][0].update(change)
            status, answer = sim.control("PUT", "world", world)
            t.equal(status, 400, str(change))
            t.has(answer["error"], reason)
        for bad in ([], {"azure": {}}, {"aws": {}}, "x"):
            t.equal(sim.control("PUT", "world", bad)[0], 400, str(bad))
        t.equal(sim.targets(VIP), {(ENI_1, "active")})


def test_example_worlds_are_what_the_generator_writes(t):
    t.equal(lab.generated_world(), lab.world())
    t.equal(lab.generated_world(ipv6=True), lab.world("two-nodes-ipv6"))
    with lab.Sim(t, world=lab.generated_world(tables=200, nodes=5, eips=7, vips=250)) as sim:
        t.equal(len(sim.routes("10.1.1.59/32")), 200)


def test_token_buckets(t):
    world = lab.world()
    world["aws"]["limits"] = {"mutating": {"bucket": 2, "refill_per_s": 0.001}}
    with lab.Sim(t, world=world) as sim:
        t.equal([call(sim, replace()).code for _ in range(3)], [None, None, "RequestLimitExceeded"])
        t.equal([call(sim).code for _ in range(3)], [None] * 3)
        world = sim.state()
        world["aws"]["limits"]["mutating"]["refill_per_s"] = 5
        sim.put_world(world)
        t.wait_until(lambda: call(sim, replace()).code is None, "a new token")


# ---- log ---------------------------------------------------------------------------------------------

def test_log_and_summary(t):
    with lab.Sim(t, latency_ms=150) as sim:
        connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=10)
        t.equal(call(sim, connection=connection).status, 200)
        sim.faults({"match": {"action": "ReplaceRoute"}, "times": 0, "do": {"type": "latency", "ms": 3000}})
        threads = [threading.Thread(target=call, args=(sim, replace(n))) for n in (1, 2, 3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        sim.faults()
        t.equal(call(sim, connection=connection).status, 200)
        connection.close()
        summary = sim.summary()
        t.equal({n: summary[n] for n in ("api_requests", "connections", "max_in_flight", "rounds", "actions")},
                {"api_requests": 5, "connections": 4, "max_in_flight": 3, "rounds": 3,
                 "actions": {"DescribeRouteTables": 2, "ReplaceRoute": 3}})
        log = sim.log()
        t.equal([e["seq"] for e in log], [1, 2, 3, 4, 5])
        t.equal([(e["attempt"], e["in_flight"], e["applied"]) for e in log],
                [(1, 1, False), (1, 1, True), (1, 2, True), (1, 3, True), (2, 1, False)])
        t.check(all(e["end_ms"] - e["start_ms"] >= 149 for e in log), "the latency is missing")
        t.equal({e["key"] for e in log}, {KEY})
        t.lacks(json.dumps(log), SECRET)
        sim.clear_log()
        t.equal(sim.log(), [])
        t.equal(sim.control("POST", "wait?requests=1&timeout_ms=10")[0], 408)
        thread = threading.Thread(target=call, args=(sim,))
        thread.start()
        t.equal(sim.wait(1)["requests"], 1)
        thread.join(20)


# ---- listeners and the command line ------------------------------------------------------------------

def test_both_protocols_and_families(t):
    with lab.Sim(t, tls=True, args=("--listen", "[::1]:0")) as sim:
        with open(os.path.join(sim.dir, "ports"), encoding="ascii") as f:
            v6 = int(f.read().split()[2])
        connection = http.client.HTTPConnection("::1", v6, timeout=10)
        connection.request("GET", "/_cloudsim/summary")
        t.equal(json.loads(Answer(connection.getresponse()).text)["requests"], 0)
        connection.close()
        port = int(sim.tls_url.rsplit(":", 1)[1].strip("/"))
        context = ssl.create_default_context(cafile=sim.ca_file)
        secure = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
        secure.request("POST", "/", DESCRIBE, headers(port, DESCRIBE))
        t.equal(secure.getresponse().status, 200)
        secure.close()
        sim.faults({"do": "reset"})
        secure = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=context)
        secure.request("POST", "/", DESCRIBE, headers(port, DESCRIBE))
        t.raises((ConnectionError, ssl.SSLError), secure.getresponse)
        secure.close()


def test_it_ends_while_requests_hang(t):
    sim = lab.Sim(t)
    sim.faults({"times": 0, "do": "hang"})
    connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=20)
    connection.request("POST", "/", DESCRIBE, headers(sim.port, DESCRIBE))
    sim.wait(1)
    sim.stop()  # fails the test if the status is not 0
    t.raises((ConnectionError, http.client.HTTPException), connection.getresponse)


def test_many_at_once(t):
    with lab.Sim(t) as sim:
        bad = []

        def work():
            connection = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=20)
            for n in range(30):
                got = call(sim, replace(n % 3 + 1) if n % 2 else DESCRIBE, connection=connection)
                if got.status != 200:
                    bad.append(got.text)
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        t.equal(bad, [])
        t.equal(sim.summary()["api_requests"], 600)
        t.equal(sim.targets(VIP), {(ENI_2, "active")})


def test_hostile_requests(t):
    with lab.Sim(t) as sim:
        for raw in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00", b"POST / HTTP/1.1\r\nHost: x\r\n"
                    b"Content-Length: 3\r\n\r\nA=\x00", b"GET /_cloudsim/node/ HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"GET /_cloudsim/node/" + b"i" * 500 + b"/ HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"GET /?" + b"a&" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
                    b"PUT /_cloudsim/world HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n[[[[[",
                    b"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 Credential=a/b/c/d/e, "
                    b"SignedHeaders=;;;, Signature=\r\nX-Amz-Date: 1\r\nContent-Length: 0\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", sim.port), 10) as s:
                s.sendall(raw)
                s.shutdown(socket.SHUT_WR)
                while s.recv(65536):
                    pass
        t.equal(call(sim).status, 200)


def run(*args):
    done = subprocess.run([lab.program("cloudsim")] + list(args), env=lab.clean_env(), timeout=20,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stderr.decode()


def test_command_line(t):
    world = os.path.join(lab.WORLDS, "two-nodes.json")
    for args in ((), ("--listen", "127.0.0.1:0"), ("--world", world), ("--listen", "nowhere", "--world", world),
                 ("--listen", "127.0.0.1:99999", "--world", world), ("--nonsense",),
                 ("--listen-tls", "127.0.0.1:0", "--world", world),
                 ("--imds", "127.0.0.1:0", "--world", world),
                 ("--listen", "127.0.0.1:0", "--latency", "x", "--world", world),
                 ("--listen", "127.0.0.1:0", "--world", world, "more")):
        status, err = run(*args)
        t.equal(status, 2, "%s: %s" % (args, err))
    for args in (("--listen", "127.0.0.1:0", "--world", "/nonexistent"),
                 ("--listen", "127.0.0.1:0", "--world", "/dev/null"),
                 ("--listen", "256.0.0.1:0", "--world", world),
                 ("--listen", "192.0.2.1:0", "--world", world),
                 ("--imds", "127.0.0.1:0=i-0", "--world", world)):
        status, err = run(*args)
        t.equal(status, 1, "%s: %s" % (args, err))
        t.equal(err.count("\n"), 1, err)


if __name__ == "__main__":
    tap.main()
