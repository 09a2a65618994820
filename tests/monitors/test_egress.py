"""The one way out leads to public addresses only, whatever name, answer or redirect it is given."""

import http.server
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitors.channels import egress
from monitors.channels.egress import Egress, EgressFailed, EgressRefused, is_public
from tests.receivers import SLACK, Receiver, running

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "::1",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_public_is_refused_by_name_and_as_a_literal(address):
    assert not is_public(address)
    way_out = Egress(allowed_hosts=[], resolve=lambda host, port: [address])
    with pytest.raises(EgressRefused, match="public"):
        way_out.post("https://hooks.example/x", b"{}", headers={})


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_public(address):
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_that_the_registries_call_not_global_is_public(address):
    if not address.is_global or address.is_multicast:
        assert not is_public(str(address))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://hooks.example/x",
        "file:///etc/passwd",
        "gopher://hooks.example",
        "https://",
        "https://user:secret@hooks.example/",
        "https://hooks.example:99999/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nHost: inner",
        "http://127.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "//hooks.example",
        "hooks.example",
    ],
)
def test_a_url_that_cannot_be_a_target_is_refused_before_anything_is_resolved(url):
    way_out = Egress(allowed_hosts=[], resolve=lambda host, port: pytest.fail("resolved"))
    with pytest.raises(EgressRefused):
        way_out.post(url, b"{}", headers={})


@pytest.mark.parametrize(
    "spelling", ["http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/"]
)
def test_a_loopback_address_in_disguise_is_found_out_when_it_is_resolved(spelling):
    with pytest.raises((EgressRefused, EgressFailed)):
        Egress(allowed_hosts=[]).post(spelling, b"{}", headers={})


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    way_out = Egress(allowed_hosts=[], resolve=lambda host, port: ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(EgressRefused):
        way_out.post("https://hooks.example/", b"{}", headers={})


def test_the_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(monkeypatch):
    answers = [["8.8.8.8"], ["127.0.0.1"]]
    connected = []

    def connect(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    way_out = Egress(allowed_hosts=[], resolve=lambda host, port: answers.pop(0))
    with pytest.raises(EgressFailed):
        way_out.post("http://hooks.example:8080/x", b"{}", headers={})
    assert connected == [("8.8.8.8", 8080)]


def test_an_allowed_host_is_reached_under_its_own_name():
    receiver = Receiver()
    with running(receiver) as url:
        port = url.rsplit(":", 1)[1]
        seen = []
        original = receiver.answer
        receiver.answer = lambda path, raw: seen.append(path) or original(path, raw)
        way_out = Egress(allowed_hosts=["Hooks.Example"], resolve=lambda host, port: ["127.0.0.1"])
        reply = way_out.post(f"http://hooks.example:{port}{SLACK}?a=b", b'{"text": "hi"}', headers={})
    assert seen == [f"{SLACK}?a=b"]
    assert reply.status in (200, 404)


def test_a_redirect_is_not_followed():
    receiver = Receiver()
    with running(receiver) as url:
        receiver.script["/hook"] = [(302, {"Location": f"{url}{SLACK}"}, b"")]
        reply = Egress(allowed_hosts=["127.0.0.1"]).post(f"{url}/hook", b'{"text": "hi"}', headers={})
    assert reply.status == 302
    assert [path for _, path, _ in receiver.requests] == ["/hook"]


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    receiver = Receiver()
    with running(receiver) as url:
        reply = Egress(allowed_hosts=["127.0.0.1"]).post(f"{url}{SLACK}", b'{"text": "hi"}', headers={})
    assert (reply.status, reply.body) == (200, b"ok")


def test_a_long_answer_is_cut_off():
    receiver = Receiver()
    with running(receiver) as url:
        receiver.script[SLACK] = [(200, {}, b"x" * 1_000_000)]
        reply = Egress(allowed_hosts=["127.0.0.1"]).post(f"{url}{SLACK}", b"{}", headers={})
    assert len(reply.body) == egress.MAX_BODY


@pytest.mark.parametrize("drip", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n"])
def test_a_receiver_that_drips_is_cut_off_in_time(monkeypatch, drip):
    monkeypatch.setattr(egress, "TIMEOUT_SECONDS", 0.3)
    stop = threading.Event()

    class Drip(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.wfile.write(drip)
            while not stop.wait(0.05):
                try:
                    self.wfile.write(b"x")
                except OSError:
                    return

        def log_message(self, *words):
            return

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Drip)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    began = time.monotonic()
    try:
        with pytest.raises(EgressFailed):
            Egress(allowed_hosts=["127.0.0.1"]).post(
                f"http://127.0.0.1:{server.server_port}/", b"{}", headers={}
            )
    finally:
        stop.set()
        server.shutdown()
        server.server_close()
    assert time.monotonic() - began < 5


def test_an_answer_that_breaks_off_is_no_success():
    receiver = Receiver()
    with running(receiver) as url:
        receiver.script[SLACK] = [(200, {"Content-Length": "10"}, b"ok")]
        with pytest.raises(EgressFailed):
            Egress(allowed_hosts=["127.0.0.1"]).post(f"{url}{SLACK}", b"{}", headers={})


def test_nobody_listening_and_no_such_name_are_failures_that_may_pass():
    with pytest.raises(EgressFailed):
        Egress(allowed_hosts=["127.0.0.1"]).post("http://127.0.0.1:9/", b"{}", headers={})
    way_out = Egress(allowed_hosts=[], resolve=lambda host, port: (_ for _ in ()).throw(socket.gaierror()))
    with pytest.raises(EgressFailed, match="resolved"):
        way_out.post("https://nowhere.example/", b"{}", headers={})
