#!/usr/bin/env python3
"""Each source of AWS credentials, for real: our programs against cloudsim, which checks signatures."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/lib"))
import http.server
import json
import threading

import lab
import tap

# Of worlds/two-nodes.json.
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOVER = "arn:aws:iam::210987654321:role/mover"
EXTERNAL_ID = "cloudvip-example"
WEB_TOKEN = "web-identity-token-example"
KEYS = "aws_access_key_id = %s\naws_secret_access_key = %s\n" % (KEY, SECRET)

# Exit statuses for a person.
RIGHT, UNKNOWN, CONFIGURATION, PERMISSION = 0, 3, 4, 5


class Here:
    """A world and a node in it whose program is to find credentials."""

    def __init__(self, t, world="two-nodes", **defaults):
        self.t = t
        self.sim = lab.Sim(t, world)
        self.node = lab.Node(t, self.sim, credentials=None, region="ap-northeast-1", **defaults)
        self.node.resource("vip1", scenario="route-table", address="10.1.0.10")
        self.env = {}

    def home(self, name, text, mode=0o600):
        """A file below the node's ~/.aws."""
        path = os.path.join(self.node.home, ".aws", name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def defaults(self, **settings):
        """The configuration anew, with these settings more; None takes one out."""
        base = {"provider": "aws", "endpoint": self.sim.url, "sts_endpoint": self.sim.url,
                "metadata_endpoint": self.sim.metadata_url(self.node.instance), "region": "ap-northeast-1"}
        base.update(settings)
        self.node.defaults(**base)

    def secrets(self):
        found = {SECRET, WEB_TOKEN}
        for credential in self.sim.aws()["credentials"]:
            found.update(credential.get(name) for name in ("secret_access_key", "session_token"))
        return found - {None, ""}

    def plan(self, *more_secrets):
        got = self.node.run("plan", "vip1", env=self.env)
        for secret in self.secrets() | set(more_secrets):
            self.t.lacks(got.out + got.err, secret)
        return got

    def works(self, *more_secrets):
        """Runs; returns the credential, as the world has it, that signed the EC2 requests."""
        self.sim.clear_log()
        got = self.plan(*more_secrets)
        self.t.equal(got.status, RIGHT, repr(got))
        keys = {e["key"] for e in self.sim.log(kind="ec2", status=200)}
        self.t.equal(len(keys), 1, "all signed with one key")
        return self.credential(keys.pop())

    def credential(self, key):
        for credential in self.sim.aws()["credentials"]:
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


class Endpoint:
    """A container's credentials endpoint; `answers`: (status, body) one after the other, the last for ever."""

    def __init__(self, t, *answers):
        outer = self
        self.answers, self.seen = list(answers), []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.seen.append((self.path, self.headers.get("Authorization")))
                status, body = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                data = body.encode()
                self.send_response(status)
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
        self.url = "http://127.0.0.1:%d" % server.server_address[1]


def as_json(**more):
    return json.dumps(dict({"AccessKeyId": KEY, "SecretAccessKey": SECRET}, **more))


# ---- environment -------------------------------------------------------------------------------

def test_environment(t):
    here = Here(t)
    here.env = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    t.equal(here.works()["access_key_id"], KEY)


def test_environment_with_session_token(t):
    world = lab.world()
    world["aws"]["credentials"].append({"access_key_id": "ASIATEMPORARY", "user": "admin", "secret_access_key": "S" * 40,
                                        "session_token": "T" * 1200, "expires": "2099-01-01T00:00:00Z"})
    here = Here(t, world)
    here.env = {"AWS_ACCESS_KEY_ID": "ASIATEMPORARY", "AWS_SECRET_ACCESS_KEY": "S" * 40, "AWS_SESSION_TOKEN": "T" * 1200}
    t.equal(here.works()["access_key_id"], "ASIATEMPORARY")
    here.env["AWS_SESSION_TOKEN"] = "U" * 1200
    here.fails(PERMISSION)


def test_environment_in_part(t):
    here = Here(t)
    here.env = {"AWS_ACCESS_KEY_ID": KEY}
    here.fails(CONFIGURATION, "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
    here.env = {"AWS_SECRET_ACCESS_KEY": SECRET}
    here.fails(CONFIGURATION, "AWS_SECRET_ACCESS_KEY is set, but AWS_ACCESS_KEY_ID is not")
    t.equal(here.sim.log(kind="ec2"), [])


def test_environment_refused(t):
    here = Here(t)
    here.env = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": "x" * 40}
    here.fails(PERMISSION, "HTTP 4")
    here.env = {"AWS_ACCESS_KEY_ID": "AKIDUNKNOWN", "AWS_SECRET_ACCESS_KEY": SECRET}
    here.fails(PERMISSION, "AuthFailure")
    here.env = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET + "\r"}
    here.fails(PERMISSION, "secret access key from environment")


# ---- shared files ------------------------------------------------------------------------------

def test_credentials_file_at_home(t):
    here = Here(t)
    here.home("credentials", "[default]\n" + KEYS)
    t.equal(here.works()["access_key_id"], KEY)


def test_config_file_at_home(t):
    here = Here(t)
    here.home("config", "[default]\n" + KEYS)
    t.equal(here.works()["access_key_id"], KEY)


def test_files_and_profile_by_variable(t):
    here = Here(t)
    path = t.write("elsewhere", "[default]\naws_access_key_id = AKIDNOT\naws_secret_access_key = x\n[prod]\n" + KEYS, 0o600)
    here.env = {"AWS_SHARED_CREDENTIALS_FILE": path, "AWS_PROFILE": "prod"}
    t.equal(here.works()["access_key_id"], KEY)
    here.env["AWS_PROFILE"] = "missing"
    here.fails(CONFIGURATION, "profile missing is neither in", path)


def test_file_and_profile_by_parameter(t):
    here = Here(t)
    path = t.write("elsewhere", "[prod]\n" + KEYS, 0o600)
    here.defaults(credentials_file=path, profile="prod")
    # Named by the configuration, the profile goes before the environment.
    here.env = {"AWS_ACCESS_KEY_ID": "AKIDNOT", "AWS_SECRET_ACCESS_KEY": "x"}
    t.equal(here.works()["access_key_id"], KEY)
    os.unlink(path)
    here.fails(CONFIGURATION, "credentials_file", path)


def test_broken_files(t):
    here = Here(t)
    path = here.home("credentials", "[default]\n" + SECRET + "\n")
    here.fails(CONFIGURATION, path + ":2: ")
    here.home("credentials", "[default]\naws_access_key_id = %s\n" % KEY)
    here.fails(CONFIGURATION, path, "without a secret access key")
    t.equal(here.sim.log(kind="ec2"), [])


def test_file_that_others_may_write(t):
    if os.geteuid() != 0:
        t.skip("the rule is root's")
    here = Here(t)
    path = here.home("credentials", "[default]\n" + KEYS, 0o666)
    here.fails(CONFIGURATION, path)
    os.chmod(path, 0o600)
    t.equal(here.works()["access_key_id"], KEY)


# ---- roles -------------------------------------------------------------------------------------

def role_profile(**more):
    keys = dict({"role_arn": MOVER, "source_profile": "keys", "external_id": EXTERNAL_ID}, **more)
    return "[default]\n%s[profile keys]\n%s" % (
        "".join("%s = %s\n" % (k, v) for k, v in keys.items() if v is not None), KEYS)


def test_role_of_a_profile(t):
    here = Here(t)
    here.home("config", role_profile(role_session_name="drill"))
    credential = here.works()
    t.equal(credential["role"], "mover")
    t.equal(credential["session"], "drill")
    t.equal([(e["action"], e["key"]) for e in here.sim.log(kind="sts")], [("AssumeRole", KEY)])


def test_role_says_which_node(t):
    here = Here(t)
    here.home("config", role_profile())
    t.has(here.works()["session"], "cloudvip-" + os.uname().nodename[:20])


def test_role_refused(t):
    here = Here(t)
    here.home("config", role_profile(external_id="wrong"))
    here.fails(PERMISSION, "assume role " + MOVER, "AccessDenied")
    here.home("config", role_profile(mfa_serial="arn:aws:iam::123456789012:mfa/me"))
    here.fails(CONFIGURATION, "mfa_serial")
    here.home("config", role_profile(source_profile=None))
    here.fails(CONFIGURATION, "needs a source_profile or a credential_source")
    here.home("config", role_profile(source_profile="gone"))
    here.fails(CONFIGURATION, "source_profile gone does not exist")
    here.home("config", role_profile(source_profile="default"))
    here.fails(CONFIGURATION, "circle")


def test_role_throttled_and_down(t):
    here = Here(t)
    here.home("config", role_profile())
    here.sim.faults({"match": {"kind": "sts"}, "do": "http_503"})
    t.equal(here.works()["role"], "mover")
    t.equal(here.actions("sts"), ["AssumeRole", "AssumeRole"])
    here.sim.faults({"match": {"kind": "sts"}, "times": 0, "do": "malformed"})
    t.has(here.fails(UNKNOWN), "assume role " + MOVER)


def test_role_with_the_instances_credentials(t):
    here = Here(t)
    here.home("config", "[default]\nrole_arn = %s\nexternal_id = %s\ncredential_source = Ec2InstanceMetadata\n"
              % (MOVER, EXTERNAL_ID))
    t.equal(here.works()["role"], "mover")
    t.equal([e["node"] for e in here.sim.log(kind="sts")], [here.node.instance])


def test_role_by_parameter(t):
    here = Here(t)
    here.defaults(role_arn=MOVER, external_id=EXTERNAL_ID)
    t.equal(here.works()["role"], "mover")
    here.env = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    t.equal(here.works()["role"], "mover")
    t.equal([e["key"] for e in here.sim.log(kind="sts")], [KEY])
    here.defaults(role_arn=MOVER)
    here.fails(PERMISSION, "assume role " + MOVER)


# ---- web identity ------------------------------------------------------------------------------

def test_web_identity(t):
    here = Here(t)
    path = t.write("token", WEB_TOKEN + "\n", 0o644)
    here.env = {"AWS_WEB_IDENTITY_TOKEN_FILE": path, "AWS_ROLE_ARN": MOVER, "AWS_ROLE_SESSION_NAME": "pod"}
    credential = here.works()
    t.equal((credential["role"], credential["session"]), ("mover", "pod"))
    t.equal([(e["action"], e["key"]) for e in here.sim.log(kind="sts")], [("AssumeRoleWithWebIdentity", None)])

    t.write("token", "another-token", 0o644)
    t.lacks(here.fails(PERMISSION, "assume role " + MOVER), "another-token")
    os.unlink(path)
    here.fails(CONFIGURATION, "web identity token", path)
    here.env = {"AWS_WEB_IDENTITY_TOKEN_FILE": path}
    here.fails(CONFIGURATION, "AWS_ROLE_ARN")


def test_web_identity_of_a_profile(t):
    here = Here(t)
    path = t.write("token", WEB_TOKEN, 0o644)
    here.home("config", "[default]\nrole_arn = %s\nweb_identity_token_file = %s\n" % (MOVER, path))
    t.equal(here.works()["role"], "mover")


# ---- credential_process ------------------------------------------------------------------------

def test_process(t):
    here = Here(t)
    seen = t.path("seen")
    script = t.write("give keys", "#!/bin/sh\nenv >%s\necho \"$1|$2\" >>%s\ncat <<'E'\n%s\nE\n"
                     % (seen, seen, as_json(Version=1)), 0o755)
    here.home("config", "[profile p]\ncredential_process = '%s' \"a  b\" $HOME;x\n" % script)
    here.defaults(profile="p")
    here.env = {"AWS_ACCESS_KEY_ID": "AKIDNOT", "AWS_SECRET_ACCESS_KEY": "not-for-children"}
    t.equal(here.works("not-for-children")["access_key_id"], KEY)
    with open(seen) as f:
        text = f.read()
    t.has(text, "a  b|$HOME;x\n")
    t.has(text, "HOME=" + here.node.home)
    t.lacks(text, "not-for-children")
    t.lacks(text, "AKIDNOT")


def test_process_fails(t):
    here = Here(t)
    script = t.write("script", "#!/bin/sh\necho '%s'\nexit 3\n" % as_json(Version=1), 0o755)
    here.home("config", "[default]\ncredential_process = %s\n" % script)
    here.fails(PERMISSION, "credential_process", "failed with status 3")
    t.write("script", "#!/bin/sh\necho '%s'\n" % as_json(Version=2), 0o755)
    here.fails(PERMISSION, "Version")
    t.write("script", "#!/bin/sh\necho %s\n" % SECRET, 0o755)
    here.fails(PERMISSION, "credential_process", "JSON")
    t.write("script", "#!/bin/sh\nkill -9 $$\n", 0o755)
    here.fails(PERMISSION, "signal 9")
    os.unlink(script)
    here.fails(CONFIGURATION, script)
    here.home("config", "[default]\ncredential_process = script\n")
    here.fails(CONFIGURATION, "absolute path")
    t.equal(here.sim.log(kind="ec2"), [])


# ---- container ---------------------------------------------------------------------------------

def test_container(t):
    here = Here(t)
    endpoint = Endpoint(t, (200, as_json(Token="", Expiration="2099-01-01T00:00:00Z")))
    token = t.write("authorization", "Bearer hush-hush", 0o644)
    here.env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url + "/v1/credentials?id=1",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": token}
    t.equal(here.works("hush-hush")["access_key_id"], KEY)
    t.equal(endpoint.seen, [("/v1/credentials?id=1", "Bearer hush-hush")])
    t.write("authorization", "Bearer hush-hush\n", 0o644)
    here.fails(CONFIGURATION, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE")


def test_container_fails(t):
    here = Here(t)
    endpoint = Endpoint(t, (500, ""), (500, ""), (200, as_json(Token="")))
    here.env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": endpoint.url + "/"}
    t.equal(here.works()["access_key_id"], KEY)
    t.equal(len(endpoint.seen), 3)
    endpoint.answers = [(403, as_json())]
    here.fails(PERMISSION, "container", "HTTP 403")
    endpoint.answers = [(200, "<html>" + SECRET)]
    here.fails(PERMISSION, "container", "JSON")
    endpoint.answers = [(302, "")]
    here.fails(UNKNOWN, "container")
    here.env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/"}
    here.fails(CONFIGURATION, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "192.0.2.1")


# ---- the instance's role -----------------------------------------------------------------------

def test_instance_role(t):
    here = Here(t)
    credential = here.works()
    t.equal((credential["role"], credential["node"]), ("node", here.node.instance))
    t.equal(here.actions("imds").count("PUT latest/api/token"), 1)


def test_instance_role_at_the_usual_variable(t):
    here = Here(t)
    here.defaults(metadata_endpoint=None)
    here.env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": here.sim.metadata_url(here.node.instance).rstrip("/")}
    t.equal(here.works()["role"], "node")


def test_no_proxy_sees_a_credential(t):
    here = Here(t)
    endpoint = Endpoint(t, (200, as_json(Token="")))
    # One that is not there: what goes through it fails, and that is EC2 alone.
    here.env = {"http_proxy": "http://127.0.0.1:1"}
    here.fails(UNKNOWN, "127.0.0.1 port 1")
    t.has(here.actions("imds"), "GET latest/meta-data/iam/security-credentials/node")
    here.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = endpoint.url + "/"
    here.fails(UNKNOWN, "127.0.0.1 port 1")
    t.equal(len(endpoint.seen), 1)


def test_instance_role_after_failures(t):
    here = Here(t)
    here.sim.faults({"match": {"kind": "imds", "action": "PUT *"}, "do": "reset"},
                    {"match": {"kind": "imds", "action": "GET *security-credentials/*"}, "do": {"type": "bad_imds", "status": 503}})
    t.equal(here.works()["role"], "node")


def test_instance_token_expired(t):
    here = Here(t)
    here.sim.faults({"match": {"kind": "imds", "action": "GET *security-credentials/*"}, "do": "expired_token"})
    t.equal(here.works()["role"], "node")
    t.equal(here.actions("imds").count("PUT latest/api/token"), 2)


def test_instance_role_broken(t):
    here = Here(t)
    role = {"kind": "imds", "action": "GET *security-credentials/node"}
    for kind in ("garbage", "truncated", "error"):
        with t.subtest(kind):
            here.sim.faults({"match": role, "times": 0, "do": {"type": "bad_imds", "json": kind}})
            here.fails(PERMISSION, "role node of the instance")
    here.sim.faults({"match": {"kind": "imds", "action": "GET *security-credentials/*"}, "times": 0, "do": {"type": "bad_imds", "status": 404}})
    here.fails(PERMISSION, "no credentials", "no role on this instance")
    here.sim.faults()
    here.sim.do("set_imds", id=here.node.instance, mode="off")
    here.fails(CONFIGURATION, "switched off")
    here.defaults(connect_timeout=1)
    here.sim.do("set_imds", id=here.node.instance, mode="hang")
    here.fails(UNKNOWN, "no answer from the metadata service", "hop limit")


def test_no_source_at_all(t):
    here = Here(t)
    here.defaults(vpc_id="vpc-0aa00000000000001")
    here.env = {"AWS_EC2_METADATA_DISABLED": "true"}
    here.fails(PERMISSION, "no credentials", "environment", "profile default", os.path.join(here.node.home, ".aws/credentials"),
               "AWS_EC2_METADATA_DISABLED")
    t.equal(here.sim.log(), [])


# ---- refresh -----------------------------------------------------------------------------------

def expire_before_the_first_call(here):
    here.sim.faults({"match": {"kind": "ec2"}, "do": {"type": "op", "when": "before", "event": {"op": "expire_credentials"}}})
    here.sim.clear_log()
    return here.plan()


def test_expired_credentials_are_renewed_once(t):
    here = Here(t)
    got = expire_before_the_first_call(here)
    t.equal(got.status, RIGHT, repr(got))
    refused = {e["key"] for e in here.sim.log(kind="ec2") if e["status"] != 200}
    accepted = {e["key"] for e in here.sim.log(kind="ec2", status=200)}
    t.equal(len(refused), 1)
    # Calls run beside each other: one may have been let in with the old key before it expired.
    t.equal(len(accepted - refused), 1, "signed anew with other credentials")
    t.equal(here.actions("imds").count("GET latest/meta-data/iam/security-credentials/node"), 2)


def test_expired_role_is_assumed_anew(t):
    here = Here(t)
    here.defaults(role_arn=MOVER, external_id=EXTERNAL_ID)
    got = expire_before_the_first_call(here)
    t.equal(got.status, RIGHT, repr(got))
    t.equal(here.actions("sts"), ["AssumeRole", "AssumeRole"])


def test_static_credentials_are_not_asked_twice(t):
    here = Here(t)
    here.env = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": "x" * 40}
    here.fails(PERMISSION)
    keys = [e["action"] for e in here.sim.log(kind="ec2")]
    t.equal(len(keys), len(set(keys)), "no call was repeated")


# ---- endpoints ---------------------------------------------------------------------------------

def test_endpoints_by_variable_and_profile(t):
    here = Here(t)
    here.defaults(endpoint=None, sts_endpoint=None, role_arn=MOVER, external_id=EXTERNAL_ID)
    here.env = {"AWS_ENDPOINT_URL": here.sim.url.rstrip("/")}
    t.equal(here.works()["role"], "mover")
    here.env = {"AWS_ENDPOINT_URL_EC2": here.sim.url, "AWS_ENDPOINT_URL_STS": here.sim.url, "AWS_ENDPOINT_URL": "http://127.0.0.1:1/"}
    t.equal(here.works()["role"], "mover")
    here.env = {}
    here.home("config", "[default]\nservices = s\nendpoint_url = %s\n[services s]\nsts =\n  endpoint_url = %s\n"
              % (here.sim.url, here.sim.url))
    t.equal(here.works()["role"], "mover")
    here.env = {"AWS_ENDPOINT_URL_STS": "nonsense"}
    here.fails(CONFIGURATION, "AWS_ENDPOINT_URL_STS")
    here.env = {"AWS_ENDPOINT_URL": here.sim.url, "AWS_USE_FIPS_ENDPOINT": "true"}
    here.fails(CONFIGURATION, "FIPS")


if __name__ == "__main__":
    tap.main()
