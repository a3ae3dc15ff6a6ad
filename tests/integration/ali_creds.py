#!/usr/bin/env python3
"""Each source of Alibaba Cloud credentials, for real: our programs against cloudsim, which checks signatures."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import http.server
import json
import threading

import lab
import tap

# Of worlds/ali-two-nodes.json.
KEY, SECRET = "LTAIEXAMPLE", "testsecret"
REGION, VIP = "cn-shanghai", "10.1.0.10"
EXTERNAL_ID, OIDC_TOKEN = "cloudvip-example", "oidc-token-example"
PROVIDER = "acs:ram::1:oidc-provider/example"
ROLE_READ = "GET latest/meta-data/ram/security-credentials/node"

# Exit statuses for a person.
RIGHT, UNKNOWN, CONFIGURATION, PERMISSION = 0, 3, 4, 5


def world():
    """Two nodes, and a role that they and an OIDC token may assume."""
    made = lab.world("ali-two-nodes")
    roles = made["aliyun"]["roles"]
    roles.append({"name": "mover", "policy": roles[0]["policy"],
                  "trust": {"principals": ["*"], "external_id": EXTERNAL_ID}})
    roles.append({"name": "pod", "policy": roles[0]["policy"], "trust": {"oidc_tokens": [OIDC_TOKEN]}})
    return made


class Here:
    """A world and a node in it whose program is to find credentials."""

    def __init__(self, t):
        self.t = t
        self.sim = lab.Sim(t, world())
        self.node = lab.Node(t, self.sim, lab.ALI_NODE_1, credentials=None, provider="aliyun", region=REGION)
        self.node.resource("vip1", scenario="route-table", address=VIP)
        account = self.sim.aliyun()["account_id"]
        self.mover, self.pod = ("acs:ram::%s:role/%s" % (account, name) for name in ("mover", "pod"))
        self.env = {}

    def home(self, name, text, mode=0o600):
        """A file below the node's home directory."""
        path = os.path.join(self.node.home, name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def cli(self, **profile):
        """~/.aliyun/config.json with one profile in force, and one with keys."""
        keys = {"name": "keys", "mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET}
        return self.home(".aliyun/config.json",
                         json.dumps({"current": "p", "profiles": [dict(profile, name="p"), keys]}))

    def ini(self, text):
        return self.home(".alibabacloud/credentials", "[default]\n" + text)

    def defaults(self, **settings):
        """The configuration anew, with these settings more; None takes one out."""
        base = {"provider": "aliyun", "endpoint": self.sim.url, "sts_endpoint": self.sim.url,
                "metadata_endpoint": self.sim.metadata_url(self.node.instance), "region": REGION}
        base.update(settings)
        self.node.defaults(**base)

    def plan(self):
        """Runs; none of the world's secrets may be in what it says."""
        got = self.node.run("plan", "vip1", env=self.env)
        secrets = {SECRET, OIDC_TOKEN}
        for credential in self.sim.aliyun()["credentials"]:
            secrets.update(credential.get(name) for name in ("access_key_secret", "security_token"))
        for secret in secrets - {None, ""}:
            self.t.lacks(got.out + got.err, secret)
        return got

    def calls(self, **fields):
        return self.sim.log(kind="vpc", **fields) + self.sim.log(kind="ecs", **fields)

    def works(self):
        """Runs; returns the credential, as the world has it, that signed the requests."""
        self.sim.clear_log()
        got = self.plan()
        self.t.equal(got.status, RIGHT, repr(got))
        keys = {e["key"] for e in self.calls(status=200)}
        self.t.equal(len(keys), 1, "all signed with one key")
        return self.credential(keys.pop())

    def credential(self, key):
        for credential in self.sim.aliyun()["credentials"]:
            if credential["access_key_id"] == key:
                return credential
        raise tap.Failed("the world has no key %s" % key)

    def fails(self, status, *words):
        """Runs, and fails so; returns what was said."""
        self.sim.clear_log()
        got = self.plan()
        self.t.equal(got.status, status, repr(got))
        for word in words:
            self.t.has(got.err, word)
        return got.err

    def actions(self, kind):
        return [e["action"] for e in self.sim.log(kind=kind)]


# ---- environment -------------------------------------------------------------------------------

def test_environment(t):
    here = Here(t)
    here.env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    t.equal(here.works()["access_key_id"], KEY)
    t.equal(here.actions("imds").count(ROLE_READ), 0)


def test_environment_refused(t):
    here = Here(t)
    here.env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x" * 30}
    here.fails(PERMISSION, "SignatureDoesNotMatch")
    calls = [e["action"] for e in here.calls()]
    t.equal(len(calls), len(set(calls)), "static keys are not tried twice")
    here.env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIUNKNOWN", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    here.fails(PERMISSION, "InvalidAccessKeyId.NotFound")
    here.env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY}
    here.fails(CONFIGURATION, "ALIBABA_CLOUD_ACCESS_KEY_ID is set, but ALIBABA_CLOUD_ACCESS_KEY_SECRET is not")
    t.equal(here.calls(), [])


# ---- files -------------------------------------------------------------------------------------

def test_profile_of_the_cli(t):
    here = Here(t)
    here.cli(mode="AK", access_key_id=KEY, access_key_secret=SECRET)
    t.equal(here.works()["access_key_id"], KEY)
    here.cli(mode="CloudSSO")
    here.fails(CONFIGURATION, "a person's login")


def test_credentials_file(t):
    here = Here(t)
    keys = "access_key_id = %s\naccess_key_secret = %s\n" % (KEY, SECRET)
    here.ini("type = access_key\n" + keys)
    t.equal(here.works()["access_key_id"], KEY)
    path = t.write("elsewhere", "[prod]\n" + keys, 0o600)
    here.defaults(credentials_file=path, profile="prod")
    here.env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAINOT", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x"}
    t.equal(here.works()["access_key_id"], KEY)
    os.unlink(path)
    here.fails(CONFIGURATION, path)


def test_file_that_others_may_write(t):
    if os.geteuid() != 0:
        t.skip("the rule is root's")
    here = Here(t)
    path = here.cli(mode="AK", access_key_id=KEY, access_key_secret=SECRET)
    os.chmod(path, 0o666)
    here.fails(CONFIGURATION, path)


def test_process(t):
    here = Here(t)
    seen = t.path("seen")
    profile = json.dumps({"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET})
    script = t.write("give-keys", "#!/bin/sh\nenv >%s\necho \"$1|$2\" >>%s\necho '%s'\n" % (seen, seen, profile), 0o755)
    here.cli(mode="External", process_command=script + " a $HOME;x")
    t.equal(here.works()["access_key_id"], KEY)
    with open(seen) as f:
        text = f.read()
    t.has(text, "a|$HOME;x\n")
    t.has(text, "HOME=" + here.node.home)
    t.write("give-keys", "#!/bin/sh\necho %s\n" % SECRET, 0o755)
    here.fails(PERMISSION, "process_command of profile p", "JSON")


def test_process_sees_no_secret(t):
    here = Here(t)
    seen = t.path("seen")
    profile = json.dumps({"mode": "AK", "access_key_id": KEY, "access_key_secret": SECRET})
    script = t.write("give-keys", "#!/bin/sh\nenv >%s\necho '%s'\n" % (seen, profile), 0o755)
    here.cli(mode="External", process_command=script)
    here.defaults(profile="p")  # goes before the environment, which holds what is not for children
    here.env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAINOT", "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "not-for-children"}
    t.equal(here.works()["access_key_id"], KEY)
    with open(seen) as f:
        text = f.read()
    t.lacks(text, "not-for-children")
    t.lacks(text, "LTAINOT")


# ---- roles -------------------------------------------------------------------------------------

def test_role_of_a_profile(t):
    here = Here(t)
    role = {"ram_role_arn": here.mover, "external_id": EXTERNAL_ID, "ram_session_name": "drill"}
    here.cli(mode="RamRoleArn", access_key_id=KEY, access_key_secret=SECRET, **role)
    credential = here.works()
    t.equal((credential["role"], credential["session"]), ("mover", "drill"))
    t.equal([(e["action"], e["key"]) for e in here.sim.log(kind="sts")], [("AssumeRole", KEY)])
    here.cli(mode="ChainableRamRoleArn", source_profile="keys", **role)
    t.equal(here.works()["role"], "mover")
    here.cli(mode="RamRoleArnWithEcs", **role)
    t.equal(here.works()["role"], "mover")
    t.equal([e["node"] for e in here.sim.log(kind="sts")], [here.node.instance])
    here.cli(mode="RamRoleArn", access_key_id=KEY, access_key_secret=SECRET, ram_role_arn=here.mover)
    here.fails(PERMISSION, "assume role " + here.mover, "NoPermission")


def test_role_by_parameter(t):
    here = Here(t)
    here.defaults(role_arn=here.mover, external_id=EXTERNAL_ID)
    credential = here.works()
    t.equal(credential["role"], "mover")
    t.has(credential["session"], "cloudvip-" + os.uname().nodename[:20])
    here.defaults(role_arn=here.mover, external_id="wrong")
    here.fails(PERMISSION, "assume role " + here.mover)


def test_role_throttled_and_down(t):
    here = Here(t)
    here.defaults(role_arn=here.mover, external_id=EXTERNAL_ID)
    here.sim.faults({"match": {"kind": "sts"}, "do": "http_503"})
    t.equal(here.works()["role"], "mover")
    t.equal(here.actions("sts"), ["AssumeRole", "AssumeRole"])
    here.sim.faults({"match": {"kind": "sts"}, "times": 0, "do": "malformed"})
    here.fails(UNKNOWN, "assume role " + here.mover)


def test_oidc(t):
    here = Here(t)
    path = t.write("token", OIDC_TOKEN + "\n", 0o644)
    here.env = {"ALIBABA_CLOUD_ROLE_ARN": here.pod, "ALIBABA_CLOUD_OIDC_PROVIDER_ARN": PROVIDER,
                "ALIBABA_CLOUD_OIDC_TOKEN_FILE": path, "ALIBABA_CLOUD_ROLE_SESSION_NAME": "pod1"}
    credential = here.works()
    t.equal((credential["role"], credential["session"]), ("pod", "pod1"))
    t.equal([(e["action"], e["key"]) for e in here.sim.log(kind="sts")], [("AssumeRoleWithOIDC", None)])
    t.write("token", "another-token", 0o644)
    t.lacks(here.fails(PERMISSION, "assume role " + here.pod), "another-token")
    here.env = {}
    t.write("token", OIDC_TOKEN, 0o644)
    here.cli(mode="OIDC", ram_role_arn=here.pod, oidc_provider_arn=PROVIDER, oidc_token_file=path)
    t.equal(here.works()["role"], "pod")


# ---- the host ----------------------------------------------------------------------------------

def test_instance_role(t):
    here = Here(t)
    credential = here.works()
    t.equal((credential["role"], credential["node"]), ("node", here.node.instance))
    t.equal([a.split(" ")[0] for a in here.actions("imds")].count("PUT"), 1)
    here.sim.do("set_imds", id=here.node.instance, mode="off")
    here.fails(CONFIGURATION, "the instance's RAM role", "HttpEndpoint")


def test_region_of_the_metadata_service(t):
    here = Here(t)
    here.defaults(region=None)
    t.equal(here.works()["role"], "node")


def test_endpoints_by_variable(t):
    here = Here(t)
    here.defaults(endpoint=None, sts_endpoint=None, metadata_endpoint=None, role_arn=here.mover, external_id=EXTERNAL_ID)
    here.env = {"ALIBABA_CLOUD_VPC_ENDPOINT": here.sim.url, "ALIBABA_CLOUD_ECS_ENDPOINT": here.sim.url,
                "ALIBABA_CLOUD_STS_ENDPOINT": here.sim.url,
                "ALIBABA_CLOUD_ECS_METADATA_ENDPOINT": here.sim.metadata_url(here.node.instance)}
    t.equal(here.works()["role"], "mover")
    here.env["ALIBABA_CLOUD_VPC_ENDPOINT"] = "ftp://nonsense"
    here.fails(CONFIGURATION, "ALIBABA_CLOUD_VPC_ENDPOINT")


def test_credentials_uri(t):
    here = Here(t)
    seen = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            data = json.dumps({"Code": "Success", "AccessKeyId": KEY, "AccessKeySecret": SECRET}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def stop():
        server.shutdown()
        server.server_close()
        thread.join()

    t.cleanup(stop)
    here.env = {"ALIBABA_CLOUD_CREDENTIALS_URI": "http://127.0.0.1:%d/creds?id=1" % server.server_address[1],
                "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    here.defaults(vpc_id=here.sim.aliyun()["vpcs"][0]["vpc_id"])
    t.equal(here.works()["access_key_id"], KEY)
    t.equal(set(seen), {"/creds?id=1"})


def test_no_source_at_all(t):
    here = Here(t)
    here.defaults(vpc_id=here.sim.aliyun()["vpcs"][0]["vpc_id"])
    here.env = {"ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true"}
    here.fails(PERMISSION, "no credentials", os.path.join(here.node.home, ".aliyun/config.json"),
               "ALIBABA_CLOUD_ECS_METADATA_DISABLED")
    t.equal(here.sim.log(), [])


# ---- refresh, the clock ------------------------------------------------------------------------

def test_expired_credentials_are_renewed_once(t):
    here = Here(t)
    here.sim.faults({"match": {"kind": "vpc"}, "do": {"type": "op", "when": "before", "event": {"op": "expire_credentials"}}})
    got = here.plan()
    t.equal(got.status, RIGHT, repr(got))
    refused = {e["key"] for e in here.calls() if e["status"] != 200}
    accepted = {e["key"] for e in here.sim.log(kind="vpc", status=200)}
    t.equal((len(refused), len(accepted)), (1, 1))
    t.check(refused != accepted, "signed anew with other credentials")
    t.equal(here.actions("imds").count(ROLE_READ), 2)


def test_a_clock_that_is_wrong(t):
    here = Here(t)
    here.env = {"ALIBABA_CLOUD_ACCESS_KEY_ID": KEY, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": SECRET}
    here.sim.do("advance_clock", s=3600)
    t.equal(here.works()["access_key_id"], KEY)
    t.equal({e["code"] for e in here.calls() if e["status"] != 200}, {"InvalidTimeStamp.Expired"})


if __name__ == "__main__":
    tap.main()
