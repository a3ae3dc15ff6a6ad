"""A node with hooks, and servers for them to call: what the tests of the hooks share."""
import http.server
import json
import os
import ssl
import threading

import lab

VIP, CIDR = "10.1.0.10", "10.1.0.10/32"
TABLES = ["rtb-0aa0000000000000%d" % n for n in (1, 2, 3)]
# Numbers of messages.
REFUSED, FAILED, SAID, WARNED, CHOSE, DECIDED = 720040, 720041, 720042, 720043, 720045, 720046


class Site:
    """Node 2 of a simulated cloud, and its hooks."""

    def __init__(self, t, sim, instance=lab.NODE_2, tag="vip1", **settings):
        self.t, self.sim = t, sim
        number = getattr(t, "sites", 0) + 1
        t.sites = number
        self.dir = t.path("hooks%d" % number)
        os.makedirs(self.dir, 0o755)
        os.chmod(self.dir, 0o755)
        defaults = {k: settings.pop(k) for k in list(settings) if k.startswith("hook_")}
        self.node = lab.Node(t, sim, instance, hook_dir=self.dir, **defaults)
        settings.setdefault("scenario", "route-table")
        settings.setdefault("address", VIP)
        self.tag = tag
        self.node.resource(tag, **settings)

    def hook(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.chmod(os.path.dirname(path), 0o755)
        with open(path, "wb") as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def point(self, point, body, name="10.lua", mode=0o644):
        """A file that defines one point."""
        return self.hook(name, "return { %s = function(facts)\n%s\nend }\n" % (point, body), mode)

    def run(self, action, *args, **how):
        return self.node.run(action, self.tag, *args, **how)

    def told(self, action, point, **how):
        """The facts that a point is told in this action."""
        self.point(point, """local text = cloudvip.json.encode(facts)
            for i = 1, #text, 400 do cloudvip.log('<' .. text:sub(i, i + 399) .. '>') end""", "99-told.lua")
        got = self.run(action, **how)
        parts = [line.split("<", 1)[1][:-1] for line in got.err.splitlines() if "99-told.lua: <" in line]
        return got, json.loads("".join(parts))


def message(got, code):
    """The log lines with this number."""
    return [line for line in got.err.splitlines() if ":%d:" % code in line]


class Server:
    """An HTTP server of this test; .requests is what came."""

    def __init__(self, t, status=200, body=b"ok", cert=None):
        outer = self
        self.requests, self.status, self.body = [], status, body

        class Handler(http.server.BaseHTTPRequestHandler):
            def _answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                outer.requests.append((self.command, self.path, dict(self.headers), self.rfile.read(length)))
                self.send_response(outer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(outer.body)))
                self.end_headers()
                self.wfile.write(outer.body)
            do_GET = do_POST = do_PUT = do_DELETE = _answer

            def log_message(self, *args):
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        self.tls = cert is not None
        if cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*cert)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        self.host = "127.0.0.1:%d" % self.port
        self.url = "http%s://%s/" % ("s" if cert else "", self.host)
        thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        thread.start()
        t.cleanup(self.server.server_close)
        t.cleanup(self.server.shutdown)


def tag_table(world, table, **tags):
    for entry in world["aws"]["route_tables"]:
        if entry["route_table_id"] == table:
            entry["tags"] = tags
