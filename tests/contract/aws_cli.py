#!/usr/bin/env python3
# tests/run: timeout=240
"""cloudsim as the AWS command line sees it: the client that the stock agents call."""
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "lib"))
import lab
import tap

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
VIP = "10.1.0.10/32"
RTB = "rtb-0aa00000000000001"
ENI_1, ENI_2 = "eni-0bb00000000000001", "eni-0bb00000000000002"
EIP = "eipalloc-0aa00000000000001"


class Cli:
    """The aws program with a configuration of its own, pointed at the simulator."""

    def __init__(self, t, **options):
        self.program = shutil.which("aws", path=lab.clean_env()["PATH"])
        if not self.program:
            t.skip("awscli is not installed")
        self.t = t
        self.sim = t.use(lab.Sim(t, **options))
        self.config = t.write("config", "[default]\nregion = ap-northeast-1\noutput = json\n")
        self.credentials = t.write("credentials", "[default]\naws_access_key_id = %s\n"
                                   "aws_secret_access_key = %s\n" % (KEY, SECRET), 0o600)

    def run(self, *args, url=None, **env):
        """(status, parsed answer or error text)"""
        env = lab.clean_env(AWS_CONFIG_FILE=self.config, AWS_SHARED_CREDENTIALS_FILE=self.credentials,
                            HOME=self.t.tmp, AWS_PAGER="", **env)
        done = subprocess.run([self.program, "--endpoint-url", url or self.sim.url.rstrip("/")] + list(args),
                              env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        out = done.stdout.decode()
        if done.returncode:
            return done.returncode, done.stderr.decode()
        return 0, json.loads(out) if out.strip().startswith(("{", "[")) else out

    def ok(self, *args, **more):
        status, answer = self.run(*args, **more)
        self.t.equal(status, 0, "%s: %s" % (" ".join(args), answer))
        return answer

    def refused(self, code, *args, **more):
        status, answer = self.run(*args, **more)
        self.t.equal(status, 254, "%s: %s" % (" ".join(args), answer))
        self.t.has(answer, "(%s)" % code)
        return answer


REPLACE = ("ec2", "replace-route", "--route-table-id", RTB, "--destination-cidr-block", VIP,
           "--network-interface-id", ENI_2)


def test_route_is_described_and_replaced(t):
    cli = Cli(t)
    found = cli.ok("ec2", "describe-route-tables", "--filters",
                   "Name=route.destination-cidr-block,Values=" + VIP)["RouteTables"]
    t.equal([f["RouteTableId"] for f in found], [RTB[:-1] + n for n in "123"])
    text = cli.ok("ec2", "describe-route-tables", "--route-table-ids", RTB, "--output", "text", "--query",
                  "RouteTables[*].Routes[?DestinationCidrBlock=='%s'].NetworkInterfaceId" % VIP)
    t.equal(text.strip(), ENI_1)
    cli.refused("DryRunOperation", *(REPLACE + ("--dry-run",)))
    t.equal(cli.sim.routes(VIP)[RTB], (ENI_1, "active"))
    cli.ok(*REPLACE)
    t.equal(cli.sim.routes(VIP)[RTB], (ENI_2, "active"))
    message = cli.refused("InvalidParameterValue", "ec2", "replace-route", "--route-table-id", RTB,
                          "--destination-cidr-block", "10.1.0.1/32", "--network-interface-id", ENI_2)
    t.has(message, "There is no route defined for '10.1.0.1/32'")


def test_pages(t):
    cli = Cli(t, world=lab.generated_world(tables=12))
    found = cli.ok("ec2", "describe-route-tables", "--page-size", "5")["RouteTables"]
    t.equal(len(found), 12)
    t.equal(len(cli.sim.log(action="DescribeRouteTables")), 3)


def test_address_is_associated(t):
    cli = Cli(t)
    cli.refused("Resource.AlreadyAssociated", "ec2", "associate-address", "--allocation-id", EIP,
                "--network-interface-id", ENI_2, "--no-allow-reassociation")
    new = cli.ok("ec2", "associate-address", "--allocation-id", EIP, "--network-interface-id", ENI_2,
                 "--allow-reassociation")["AssociationId"]
    shown = cli.ok("ec2", "describe-addresses", "--public-ips", "203.0.113.10")["Addresses"][0]
    t.equal((shown["AssociationId"], shown["NetworkInterfaceId"]), (new, ENI_2))
    cli.ok("ec2", "disassociate-address", "--association-id", new)
    cli.refused("InvalidAssociationID.NotFound", "ec2", "disassociate-address", "--association-id", new)


def test_source_dest_check(t):
    cli = Cli(t)
    cli.ok("ec2", "modify-network-interface-attribute", "--network-interface-id", ENI_1,
           "--source-dest-check", '{"Value": true}')
    t.equal(cli.sim.interface(ENI_1)["source_dest_check"], True)
    cli.ok("ec2", "modify-instance-attribute", "--instance-id", lab.NODE_1, "--no-source-dest-check")
    t.equal(cli.sim.interface("eni-0aa00000000000001")["source_dest_check"], False)


def test_wrong_secret(t):
    cli = Cli(t)
    cli.refused("AuthFailure", *REPLACE, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY="not it")
    t.equal(cli.sim.targets(VIP), {(ENI_1, "active")})


def test_throttled_calls_are_repeated(t):
    cli = Cli(t)
    cli.sim.faults({"match": {"action": "ReplaceRoute"}, "times": 2, "do": "throttle"})
    cli.ok(*REPLACE)
    t.equal([e["code"] for e in cli.sim.log(action="ReplaceRoute")],
            ["RequestLimitExceeded", "RequestLimitExceeded", None])
    cli.sim.faults({"match": {"action": "ReplaceRoute"}, "times": 0, "do": "throttle"})
    cli.refused("RequestLimitExceeded", *REPLACE, AWS_MAX_ATTEMPTS="1")


def test_assumed_role(t):
    cli = Cli(t)
    got = cli.ok("sts", "assume-role", "--role-arn", "arn:aws:iam::210987654321:role/mover",
                 "--role-session-name", "cli", "--external-id", "cloudvip-example")["Credentials"]
    identity = cli.ok("sts", "get-caller-identity", AWS_ACCESS_KEY_ID=got["AccessKeyId"],
                      AWS_SECRET_ACCESS_KEY=got["SecretAccessKey"], AWS_SESSION_TOKEN=got["SessionToken"])
    t.equal(identity["Arn"], "arn:aws:sts::210987654321:assumed-role/mover/cli")


def test_role_of_the_instance(t):
    cli = Cli(t)
    cli.credentials = os.devnull
    cli.ok(*REPLACE, AWS_EC2_METADATA_SERVICE_ENDPOINT=cli.sim.metadata_url(lab.NODE_2),
           AWS_METADATA_SERVICE_TIMEOUT="30")
    t.equal({e["node"] for e in cli.sim.log()}, {lab.NODE_2})
    t.equal(cli.sim.routes(VIP)[RTB], (ENI_2, "active"))


def test_tls(t):
    cli = Cli(t, tls=True)
    url = cli.sim.tls_url.rstrip("/")
    status, text = cli.run("ec2", "describe-addresses", url=url)
    t.check(status != 0, "an unknown authority was trusted")
    t.has(text, "SSL validation failed")
    found = cli.ok("ec2", "describe-addresses", url=url, AWS_CA_BUNDLE=cli.sim.ca_file)["Addresses"]
    t.equal(found[0]["AllocationId"], EIP)


if __name__ == "__main__":
    tap.main()
