#!/usr/bin/env python3
"""kit/net/http against real sockets: servers of this file, certificates of the openssl program."""
import atexit
import contextlib
import json
import os
import pathlib
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/lib"))
import tap

CLIENT = ROOT / os.environ.get("BUILD", "build") / "tests/integration/http_client"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def reset(conn):
    """Close with RST instead of FIN."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


class Server:
    """Answers each request with answer(server, conn, request): bytes, or None to close.

    `request` is the head and body as text.  Everything seen is counted and kept.
    """

    def __init__(self, answer=lambda *_: OK, tls=None):
        self.answer, self.tls = answer, tls
        self.accepts, self.resumed, self.requests = 0, 0, []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.accepts += 1
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def serve(self, conn):
        try:
            if self.tls:
                conn = self.tls.wrap_socket(conn, server_side=True)
                with self.lock:
                    self.resumed += bool(conn.session_reused)
            while (request := self.read(conn)) is not None:
                with self.lock:
                    self.requests.append(request)
                reply = self.answer(self, conn, request)
                if reply is None:
                    break
                conn.sendall(reply)
        except OSError:
            pass
        finally:
            with contextlib.suppress(OSError):
                conn.close()

    @staticmethod
    def read(conn):
        data = b""
        while b"\r\n\r\n" not in data:
            part = conn.recv(65536)
            if not part:
                return None
            data += part
        head, body = data.split(b"\r\n\r\n", 1)
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(body) < length:
            part = conn.recv(65536)
            if not part:
                return None
            body += part
        return (head + b"\r\n\r\n" + body).decode("latin-1")


class Proxy(Server):
    """A CONNECT proxy; `refuse` is a status to answer instead."""

    def __init__(self, refuse=None):
        self.refuse = refuse
        super().__init__(self.tunnel)

    def tunnel(self, _, conn, request):
        method, target, _ = request.split("\r\n")[0].split(" ")
        if self.refuse or method != "CONNECT":
            return f"HTTP/1.1 {self.refuse or 405} No\r\nContent-Length: 0\r\n\r\n".encode()
        host, port = target.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as up:
            conn.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            back = threading.Thread(target=self.pump, args=(up, conn), daemon=True)
            back.start()
            self.pump(conn, up)
        return None

    @staticmethod
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)


class Pki:
    """Two authorities and certificates for 127.0.0.1, all made here."""

    made = None

    @classmethod
    def of_this_run(cls):
        if not cls.made:
            folder = tempfile.mkdtemp(prefix="cloudvip-test-")
            atexit.register(shutil.rmtree, folder, True)
            cls.made = cls(folder)
        return cls.made

    def __init__(self, folder):
        self.dir = pathlib.Path(folder)
        for name in ("ca", "other"):
            self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN=test {name}",
                         "-keyout", f"{name}.key", "-out", f"{name}.pem")
        self.good = self.leaf("good", "IP:127.0.0.1", 2)
        self.wrong_name = self.leaf("wrong", "DNS:elsewhere.test", 2)
        self.expired = self.leaf("expired", "IP:127.0.0.1", -1)
        self.ca = str(self.dir / "ca.pem")
        self.other = str(self.dir / "other.pem")
        self.hashed = str(self.dir / "hashed")
        os.mkdir(self.hashed)
        shutil.copy(self.ca, self.hashed)
        self.openssl("rehash", self.hashed)

    def openssl(self, *args):
        subprocess.run(["openssl", *args], cwd=self.dir, check=True, capture_output=True)

    def leaf(self, name, san, days):
        (self.dir / f"{name}.ext").write_text(f"subjectAltName={san}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout", f"{name}.key",
                     "-out", f"{name}.csr")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                     "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.dir / f"{name}.pem", self.dir / f"{name}.key")
        return context


def client(*steps, env=None, **settings):
    """Runs the client; a step is a list of requests, or a dict with until_ms.  Returns its events."""
    script = {"settings": settings,
              "steps": [step if isinstance(step, dict) else {"requests": step} for step in steps]}
    clean = {k: v for k, v in os.environ.items()
             if "proxy" not in k.lower() and k not in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "AWS_CA_BUNDLE")}
    done = subprocess.run([CLIENT], input=json.dumps(script), capture_output=True, text=True, timeout=60,
                          env={**clean, **(env or {})}, check=False)
    if done.returncode not in (0, 1) or done.stderr:
        raise AssertionError(f"the client ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def one(request, **settings):
    events = client([request], **settings)
    assert len(events) == 1, events
    return events[0]


def expect(event, /, **wanted):
    """Every named field equals; a field `says` is looked for in msg."""
    says = wanted.pop("says", "")
    got = {key: event.get(key) for key in wanted}
    assert got == wanted and says in event.get("msg", ""), f"wanted {wanted} {says!r}, got {event}"


# ---- connections ---------------------------------------------------------------------------------

def test_requests_that_follow_each_other_share_one_connection(_t):
    with Server() as server:
        events = client(*[[{"url": server.url + "/"}]] * 4)
        assert [e["status"] for e in events] == [200] * 4, events
        assert server.accepts == 1, server.accepts


def test_one_tls_connection_is_shared_too(_t):
    pki = Pki.of_this_run()
    with Server(tls=pki.good) as server:
        events = client(*[[{"url": server.url, "method": "POST", "body": "A=1"}]] * 3, ca_file=pki.ca)
        assert [e.get("status") for e in events] == [200] * 3, events
        assert server.accepts == 1, server.accepts


def test_a_new_tls_connection_resumes_the_session(_t):
    pki = Pki.of_this_run()
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    def answer(_server, conn, _request):
        conn.sendall(closing)

    with Server(answer, tls=pki.good) as server:
        events = client(*[[{"url": server.url}]] * 3, ca_file=pki.ca)
        assert [e.get("status") for e in events] == [200] * 3, events
        assert (server.accepts, server.resumed) == (3, 2), (server.accepts, server.resumed)


def test_a_session_is_resumed_by_other_handles_too(_t):
    pki = Pki.of_this_run()
    together = threading.Barrier(3)

    def answer(_server, _conn, request):
        if "/many" in request:
            together.wait(timeout=50)
        return OK

    with Server(answer, tls=pki.good) as server:
        events = client([{"url": server.url}], [{"url": server.url + "/many"}] * 3, ca_file=pki.ca)
        assert [e.get("status") for e in events] == [200] * 4, events
        # Of two handshakes at the same moment, one may miss the ticket that the other is replacing.
        assert server.accepts == 3 and server.resumed >= 1, (server.accepts, server.resumed)


def test_requests_of_one_step_are_in_flight_together(_t):
    together = threading.Barrier(6)

    def answer(*_):
        together.wait(timeout=50)  # no answer until all six requests are here
        return OK

    with Server(answer) as server:
        events = client([{"tag": str(n), "url": server.url} for n in range(6)], max_connections=6)
        assert sorted(e["tag"] for e in events if e.get("status") == 200) == list("012345"), events


def test_max_connections_bounds_them_and_waiting_costs_no_timeout(_t):
    state = {"now": 0, "most": 0}

    def answer(server, *_):
        with server.lock:
            state["now"] += 1
            state["most"] = max(state["most"], state["now"])
        time.sleep(1)
        with server.lock:
            state["now"] -= 1
        return OK

    with Server(answer) as server:  # the last one waits 7 s for its turn
        events = client({"until_ms": 50000, "requests": [{"url": server.url, "timeout_ms": 6500}] * 8},
                        max_connections=1)
        assert [e.get("status") for e in events] == [200] * 8, events
        assert (state["most"], server.accepts) == (1, 1), (state, server.accepts)


def test_a_connection_that_died_while_idle_is_replaced(_t):
    def answer(_server, conn, _request):
        conn.sendall(OK)  # and closes, without having said so

    with Server(answer) as server:
        events = client([{"url": server.url}], [{"url": server.url}])
        assert [e.get("status") for e in events] == [200, 200], events
        assert server.accepts == 2


def test_a_deadline_cancels_and_the_engine_goes_on(_t):
    release = threading.Event()

    def answer(_server, _conn, request):
        if "/slow" in request:
            release.wait(50)
        return OK

    with Server(answer) as server:
        events = client({"until_ms": 200, "requests": [{"tag": "s", "url": server.url + "/slow", "timeout_ms": 30000}]},
                        [{"tag": "f", "url": server.url + "/fast"}])
        release.set()
        assert [e["event"] for e in events] == ["cancelled", "answer"], events
        assert events[1]["tag"] == "f"


# ---- certificates --------------------------------------------------------------------------------

def refused_certificate(context, **how):
    with Server(tls=context) as server:
        event = one({"url": server.url, "method": "POST", "body": "x"}, **how)
        expect(event, event="failed", kind="CONFIG", outcome_open=False, says="ca_file")
        assert not server.requests, "a request was sent"
        return event


def test_a_certificate_of_an_unknown_authority_is_refused(_t):
    pki = Pki.of_this_run()
    refused_certificate(pki.good)
    refused_certificate(pki.good, ca_file=pki.other)


def test_a_certificate_for_another_host_is_refused(_t):
    pki = Pki.of_this_run()
    refused_certificate(pki.wrong_name, ca_file=pki.ca)


def test_an_expired_certificate_is_refused(_t):
    pki = Pki.of_this_run()
    event = refused_certificate(pki.expired, ca_file=pki.ca)
    assert "expired" in event["msg"], event


def test_ca_file_may_be_a_hashed_directory_or_come_from_the_environment(_t):
    pki = Pki.of_this_run()
    with Server(tls=pki.good) as server:
        expect(one({"url": server.url}, ca_file=pki.hashed), status=200)
        expect(one({"url": server.url}, env={"SSL_CERT_FILE": pki.ca}), status=200)
        expect(one({"url": server.url}, env={"CURL_CA_BUNDLE": pki.ca}), status=200)
        expect(one({"url": server.url}, ca_file=pki.other, env={"CURL_CA_BUNDLE": pki.ca}), kind="CONFIG")


def test_a_ca_file_that_is_not_there_or_no_certificate_is_named(_t):
    pki = Pki.of_this_run()
    event = client([], ca_file="/no/such/ca.pem")[0]
    expect(event, event="not-open", kind="CONFIG", says="/no/such/ca.pem: No such file")
    with Server(tls=pki.good) as server:
        expect(one({"url": server.url}, ca_file=str(pki.dir / "good.csr")), event="failed", kind="CONFIG",
               says="good.csr")


def test_tls_below_1_2_is_refused(_t):
    pki = Pki.of_this_run()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.dir / "good.pem", pki.dir / "good.key")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    # The system's own defaults must not be what refuses.
    lax = pki.dir / "lax.cnf"
    lax.write_text("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1\n"
                   "CipherString = ALL:@SECLEVEL=0\n")
    with Server(tls=context) as server:
        expect(one({"url": server.url}, ca_file=pki.ca, env={"OPENSSL_CONF": str(lax)}), event="failed",
               outcome_open=False)
        assert not server.requests


# ---- answers -------------------------------------------------------------------------------------

def test_an_error_status_is_an_answer(_t):
    head = b"HTTP/1.1 503 Busy\r\nx-amzn-RequestId: abc-1\r\nContent-Type: text/xml\r\nContent-Length: 4\r\n"
    date = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nbusy"
    with Server(lambda *_: head + date) as server:
        expect(one({"url": server.url}), event="answer", status=503, body="busy", request_id="abc-1",
               content_type="text/xml", date="Sun, 06 Nov 1994 08:49:37 GMT", aged=False, retry_after_ms=-1)


def test_a_redirect_is_reported_and_not_followed(_t):
    with Server() as target:
        reply = (f"HTTP/1.1 301 Moved\r\nLocation: {target.url}/\x1b[31m\r\nx-amz-request-id: r-9\r\n"
                 "Content-Length: 0\r\n\r\n").encode()
        with Server(lambda *_: reply) as server:
            event = one({"url": server.url, "method": "POST", "body": "secret=1"})
        expect(event, event="failed", kind="PROTOCOL", http_status=301, outcome_open=False, says=target.url,
               err_request_id="r-9")
        assert "\x1b" not in event["msg"] and target.accepts == 0


def test_a_body_over_the_ceiling_is_refused_with_and_without_a_length(_t):
    big = b"x" * (2 * 1024 * 1024)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(big), big)
    until_close = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + big

    def close_after(_server, conn, _request):
        conn.sendall(until_close)

    for answer in (lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(big) + big,
                   lambda *_: chunked, close_after):
        with Server(answer) as server:
            expect(one({"url": server.url, "method": "POST"}), event="failed", kind="PROTOCOL", outcome_open=True,
                   says="larger than 1572864 bytes")


def test_a_length_over_the_ceiling_is_refused_before_the_body_comes(_t):
    release = threading.Event()

    def announce(_server, conn, _request):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000000\r\n\r\n")
        release.wait(30)

    with Server(announce) as server:
        expect(client({"until_ms": 20000, "requests": [{"url": server.url, "timeout_ms": 60000}]})[0], event="failed",
               kind="PROTOCOL", says="larger than 1572864 bytes")
        release.set()


def test_a_body_up_to_the_ceiling_is_read_whole(_t):
    with Server(lambda *_: b"HTTP/1.1 200 OK\r\nContent-Length: 1572864\r\n\r\n" + b"y" * 1572864) as server:
        expect(one({"url": server.url}), status=200, body_bytes=1572864)
        expect(one({"url": server.url, "max_body_bytes": 1000}), kind="PROTOCOL", says="1000 bytes")


def test_headers_over_the_ceiling_are_refused(_t):
    lines = b"".join(b"X-%d: %s\r\n" % (n, b"z" * 1000) for n in range(90))
    with Server(lambda *_: b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 0\r\n\r\n") as server:
        expect(one({"url": server.url}), event="failed", kind="PROTOCOL", says="headers")


def test_a_truncated_body_leaves_the_outcome_open(_t):
    def cut(_server, conn, _request):
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n<partial")

    with Server(cut) as server:
        expect(one({"url": server.url, "method": "POST", "body": "A=1"}), event="failed", kind="TRANSIENT",
               outcome_open=True)


def test_something_that_is_no_http_server_is_a_protocol_error(_t):
    with Server(lambda *_: b"SSH-2.0-OpenSSH_9.2\r\n") as server:
        expect(one({"url": server.url}), event="failed", kind="PROTOCOL")


def test_an_interim_answer_is_not_the_answer(_t):
    interim = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\nx-amzn-RequestId: early\r\nAge: 4\r\n\r\n"
    with Server(lambda *_: interim + OK) as server:
        expect(one({"url": server.url}), status=200, request_id="", retry_after_ms=-1, aged=False)


def test_retry_after_is_read_in_seconds_and_the_vendors_in_milliseconds(_t):
    rows = [("Retry-After: 2", 2000), ("x-amz-retry-after: 1500", 1500), ("X-Acs-Retry-After: 70", 70),
            ("x-amz-retry-after: 5\r\nRetry-After: 3", 5), ("Retry-After: 3\r\nx-amz-retry-after: 5", 5),
            ("Retry-After: soon", -1), ("Retry-After: -4", -1), ("Retry-After: 99999999999999999999", -1),
            ("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT", -1), ("Retry-After: 86401", -1), ("Retry-After:", -1)]
    for line, wanted in rows:
        with Server(lambda *_, line=line: f"HTTP/1.1 503 X\r\n{line}\r\nContent-Length: 0\r\n\r\n".encode()) as server:
            expect(one({"url": server.url}), status=503, retry_after_ms=wanted)


def test_an_age_header_is_noticed(_t):
    with Server(lambda *_: b"HTTP/1.1 200 OK\r\nAge: 0\r\nContent-Length: 0\r\n\r\n") as server:
        expect(one({"url": server.url}), status=200, aged=True)


# ---- failures and what they leave open -----------------------------------------------------------

def test_a_refused_connection_leaves_nothing_open(_t):
    with socket.socket() as nobody:  # bound, so that no other program gets the port, and not listening
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        event = one({"url": f"http://127.0.0.1:{port}/x?token=hush", "method": "POST"})
    expect(event, event="failed", kind="TRANSIENT", outcome_open=False, says=f"POST http://127.0.0.1:{port}:")
    assert "hush" not in event["msg"]


def test_a_name_that_does_not_resolve_leaves_nothing_open(_t):
    expect(one({"url": "https://no-such-host.invalid/", "method": "POST"}), event="failed", kind="TRANSIENT",
           outcome_open=False, says="no-such-host.invalid")


def test_a_connect_timeout_leaves_nothing_open(_t):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as stack:
        for _n in range(4):  # fill the backlog: the next SYN is dropped
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        request = {"url": url, "method": "POST", "connect_timeout_ms": 300, "timeout_ms": 60000}
        expect(client({"until_ms": 15000, "requests": [request]})[0], event="failed", kind="TRANSIENT",
               outcome_open=False)


def test_a_reset_after_the_request_leaves_the_outcome_open(_t):
    def cut(_server, conn, _request):
        reset(conn)

    with Server(cut) as server:
        expect(one({"url": server.url, "method": "POST", "body": "A=1"}), event="failed", kind="TRANSIENT",
               outcome_open=True)


def test_an_empty_reply_leaves_the_outcome_open(_t):
    pki = Pki.of_this_run()
    with Server(lambda *_: None) as server:
        expect(one({"url": server.url, "method": "POST", "body": "A=1"}), kind="TRANSIENT", outcome_open=True)
    with Server(lambda *_: None, tls=pki.good) as server:
        expect(one({"url": server.url, "method": "POST", "body": "A=1"}, ca_file=pki.ca), kind="TRANSIENT",
               outcome_open=True)


def test_a_reset_during_the_handshake_leaves_nothing_open(_t):
    class Cut(Server):
        def serve(self, conn):
            conn.recv(1)
            reset(conn)

    with Cut() as server:
        expect(one({"url": server.url.replace("http:", "https:"), "method": "POST"}), event="failed",
               kind="TRANSIENT", outcome_open=False)


def test_sent_once_on_a_reused_connection_stays_open_whatever_came_after(_t):
    def answer(server, conn, request):
        if "/second" in request:
            server.stop()  # libcurl tries once more on a new connection, which is refused
            reset(conn)
            return None
        return OK

    with Server(answer) as server:
        events = client([{"url": server.url + "/first"}], [{"url": server.url + "/second", "method": "POST"}])
        expect(events[1], event="failed", kind="TRANSIENT", outcome_open=True)


def test_a_change_is_never_sent_twice_by_libcurl_itself(_t):
    def answer(_server, conn, request):
        if "/second" in request:
            reset(conn)
            return None
        return OK

    with Server(answer) as server:
        first = {"url": server.url + "/first"}
        second = {"url": server.url + "/second", "method": "POST", "body": "Action=ReplaceRoute"}
        for cut in (second, {**second, "body": "A=" + "x" * 60000}):
            del server.requests[:]
            events = client([first], [cut], [first])
            expect(events[1], event="failed", kind="TRANSIENT", outcome_open=True)
            expect(events[2], status=200)  # the handle is none the worse for it
            seen = [r.split(" ")[1] for r in server.requests]
            assert seen == ["/first", "/second", "/first"], seen


def test_a_slow_server_ends_in_a_timeout_with_the_outcome_open(_t):
    release = threading.Event()

    def slow(*_):
        release.wait(50)

    with Server(slow) as server:
        event = one({"url": server.url, "method": "POST", "timeout_ms": 2000})
        release.set()
        expect(event, event="failed", kind="TRANSIENT", outcome_open=True)


# ---- what is never sent --------------------------------------------------------------------------

def test_plain_http_leaves_this_host_for_metadata_addresses_only(_t):
    with Proxy() as proxy:  # whatever were sent would be seen here
        for url in ("http://192.0.2.1/", "http://ec2.example.test/", "http://localhost.example.test/",
                    "http://[2001:db8::1]/", "http://169.253.169.254/"):
            expect(one({"url": url}, proxy=proxy.url), event="refused", kind="CONFIG", says="plain http")
        assert proxy.accepts == 0
        expect(one({"url": "http://169.254.169.254/"}, proxy=proxy.url), event="answer", status=405)


def test_urls_with_room_for_tricks_are_refused(_t):
    with Server() as server:
        at = f"127.0.0.1:{server.port}"
        for url in (f"http://user:pw@{at}/", f"http://{at}/a b", f"http://{at}/\r\nX: y", f"ftp://{at}/",
                    f"http://{at}/?a b", f"http://{at}/?a#f", f"http://{at}/?x\x7f", "file:///etc/passwd", ""):
            event = one({"url": url})
            assert event["event"] == "refused" and event["kind"] in ("CONFIG", "REFUSED"), (url, event)
            assert "pw" not in event["msg"], event
        assert server.accepts == 0


def test_headers_cannot_be_injected(_t):
    with Server() as server:
        for name, value in (("X-A", "1\r\nX-B: 2"), ("X-A", "1\nX-B: 2"), ("X-A", "1\x7f"),
                            ("X-A: 1\r\nX-B", "2"), ("", "2"), ("X A", "2"), ("X-A", "z" * 20000)):
            expect(one({"url": server.url, "headers": [[name, value]]}), event="refused", kind="REFUSED")
        expect(one({"url": server.url, "headers": [["X-A", "1"]] * 13}), event="refused", kind="REFUSED")
        assert server.accepts == 0


def test_what_was_signed_is_what_is_sent(_t):
    pki = Pki.of_this_run()
    with tempfile.TemporaryDirectory() as home, Server(tls=pki.good) as server:
        (pathlib.Path(home) / ".netrc").write_text("machine 127.0.0.1 login me password hush\n")
        headers = [["Host", f"127.0.0.1:{server.port}"], ["Content-Type", "application/x-www-form-urlencoded; charset=utf-8"],
                   ["X-Amz-Date", "20260102T030405Z"], ["X-Empty", ""]]
        one({"url": server.url + "/a/../b?q=%2F", "method": "POST", "headers": headers, "body": "Action=X&Y=%2F"},
            ca_file=pki.ca, env={"HOME": home})
        head, body = server.requests[0].split("\r\n\r\n")
        first, *lines = head.split("\r\n")
        assert first == "POST /a/../b?q=%2F HTTP/1.1", first
        assert body == "Action=X&Y=%2F", body
        wanted = sorted([f"{n}: {v}".rstrip() for n, v in headers] +
                        ["Content-Length: 14", "User-Agent: http-client-test", "Accept: */*"])
        assert sorted(line.rstrip() for line in lines) == wanted, lines


def test_a_put_with_an_empty_body_says_so(_t):
    with Server() as server:
        client([{"url": server.url + "/latest/api/token", "method": "PUT", "headers": [["X-Ttl", "60"]]}],
               [{"url": server.url + "/latest/meta-data", "headers": [["X-Token", "t"]]}])
        put, get = server.requests
        assert put.startswith("PUT /latest/api/token HTTP/1.1\r\n") and "Content-Length: 0\r\n" in put, put
        assert "content-type" not in put.lower() and "expect" not in put.lower(), put
        assert get.startswith("GET /latest/meta-data HTTP/1.1\r\n") and "X-Token: t\r\n" in get, get
        assert "X-Ttl" not in get and "content-length" not in get.lower(), get
        assert server.accepts == 1


def test_cookies_are_not_kept(_t):
    reply = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=b\r\n\r\n")
    with Server(lambda *_: reply) as server:
        client([{"url": server.url}], [{"url": server.url}])
        assert len(server.requests) == 2 and "cookie" not in server.requests[1].lower()


# ---- proxies -------------------------------------------------------------------------------------

def test_the_proxy_carries_the_api_from_the_settings_and_from_the_environment(_t):
    pki = Pki.of_this_run()
    with Server(tls=pki.good) as server, Proxy() as proxy:
        expect(one({"url": server.url}, ca_file=pki.ca, proxy=proxy.url), status=200)
        expect(one({"url": server.url}, ca_file=pki.ca, env={"https_proxy": proxy.url}), status=200)
        assert [r.split(" ")[:2] for r in proxy.requests] == [["CONNECT", f"127.0.0.1:{server.port}"]] * 2
        expect(one({"url": server.url}, ca_file=pki.ca, env={"https_proxy": proxy.url, "no_proxy": "127.0.0.1"}),
               status=200)
        assert proxy.accepts == 2


def test_the_proxy_never_sees_metadata(_t):
    with Server() as server, Proxy() as proxy:
        env = {"http_proxy": proxy.url, "all_proxy": proxy.url}
        expect(one({"url": server.url, "no_proxy": True}, env=env), status=200)
        expect(one({"url": server.url, "no_proxy": True}, proxy=proxy.url), status=200)
        # The same pooled handle: the setting of one request must not leak into the next.
        events = client([{"url": server.url, "no_proxy": True}], [{"url": server.url}],
                        [{"url": server.url, "no_proxy": True}], proxy=proxy.url)
        assert [e["status"] for e in events] == [200, 405, 200], events
        assert proxy.accepts == 1


def test_a_proxy_that_refuses_is_named_and_leaves_nothing_open(_t):
    for status, kind in ((403, "CONFIG"), (407, "CONFIG"), (502, "TRANSIENT")):
        with Proxy(refuse=status) as proxy:
            expect(one({"url": "https://ec2.example.test/", "method": "POST", "body": "A=1"}, proxy=proxy.url),
                   event="failed", kind=kind, outcome_open=False, says="proxy")


if __name__ == "__main__":
    tap.main()
