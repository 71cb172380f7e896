"""The proxy does to connections what its modes say: a fault that doesn't take place proves nothing."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from tests.e2e.faults.connection import Mode
from tests.e2e.faults.late_events import Chunks
from tests.e2e.faults.proxy import proxied

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS = [b"event: open\ndata: {}\n\n", b"event: change\ndata: {}\n\n"]


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        if self.path == "/v1/changes":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for event in EVENTS:
                self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
            time.sleep(2)
            self.close_connection = True
            return
        self.send_header("Content-Length", "9")
        self.end_headers()
        self.wfile.write(b"an answer")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    Answering.asked = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(port: int, path: str = "/") -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=0.5)
    connection.request("GET", path)
    return connection


def test_it_passes_on_what_is_said(server):
    with proxied(server.server_port) as proxy, closing(ask(proxy.port)) as connection:
        assert connection.getresponse().read() == b"an answer"


def test_a_dropped_answer_is_one_to_a_request_that_arrived(server):
    with proxied(server.server_port) as proxy:
        proxy.mode = Mode.DROP
        with closing(ask(proxy.port)) as connection, pytest.raises(ConnectionError):
            connection.getresponse()
        assert (Answering.asked, proxy.done[Mode.DROP]) == (["/"], 1)


def test_a_truncated_answer_breaks_off(server):
    with proxied(server.server_port) as proxy, socket.create_connection(("127.0.0.1", proxy.port), 2) as connection:
        proxy.mode = Mode.TRUNCATE
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        read = b""
        while part := connection.recv(1000):
            read += part
        assert read.startswith(b"HTTP/1.1 ")
        assert b"an answer" not in read


def test_a_delayed_answer_comes_late(server):
    with proxied(server.server_port) as proxy:
        proxy.mode, proxy.seconds = Mode.DELAY, 0.3
        began = time.monotonic()
        with closing(ask(proxy.port)) as connection:
            assert connection.getresponse().read() == b"an answer"
        assert time.monotonic() - began >= 0.3


def test_a_repeated_request_arrives_twice_and_is_answered_once(server):
    with proxied(server.server_port) as proxy:
        proxy.mode = Mode.REPEAT_REQUEST
        with closing(ask(proxy.port)) as connection:
            assert connection.getresponse().read() == b"an answer"
            connection.request("GET", "/second")
            assert connection.getresponse().read() == b"an answer"
        end = time.monotonic() + 5
        while len(Answering.asked) < 4 and time.monotonic() < end:
            time.sleep(0.01)
        assert sorted(Answering.asked) == ["/", "/", "/second", "/second"]


def test_a_repeated_answer_lies_in_wait_for_the_next_request(server):
    with proxied(server.server_port) as proxy, socket.create_connection(("127.0.0.1", proxy.port), 2) as connection:
        proxy.mode = Mode.REPEAT_ANSWER
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        read = b""
        while read.count(b"an answer") < 2:
            part = connection.recv(1000)
            assert part
            read += part
        assert len(Answering.asked) == 1


@pytest.mark.parametrize("mode", [Mode.HALF_OPEN, Mode.HALF_OPEN_STREAM])
def test_a_half_open_connection_says_nothing_and_is_never_closed(server, mode):
    with proxied(server.server_port) as proxy:
        proxy.mode = mode
        with closing(ask(proxy.port, "/v1/changes")) as connection, pytest.raises(TimeoutError):
            connection.getresponse()
        assert proxy.done[mode] == 1
        with closing(ask(proxy.port)) as connection:
            if mode is Mode.HALF_OPEN_STREAM:
                assert connection.getresponse().read() == b"an answer"
            else:
                with pytest.raises(TimeoutError):
                    connection.getresponse()


def test_what_once_was_half_open_stays_dead_when_new_connections_pass_again(server):
    with proxied(server.server_port) as proxy, closing(ask(proxy.port)) as connection:
        connection.getresponse().read()
        proxy.mode = Mode.HALF_OPEN
        connection.request("GET", "/")
        time.sleep(0.2)
        proxy.mode = Mode.PASS
        with pytest.raises(TimeoutError):
            connection.getresponse()
        with closing(ask(proxy.port)) as another:
            assert another.getresponse().read() == b"an answer"


def test_nobody_listens_while_connections_are_refused(server):
    with proxied(server.server_port) as proxy, closing(ask(proxy.port)) as connection:
        connection.getresponse().read()
        proxy.mode = Mode.REFUSE
        with pytest.raises(ConnectionRefusedError):
            ask(proxy.port)
        with pytest.raises(ConnectionError):
            connection.request("GET", "/") or connection.getresponse()
        proxy.mode = Mode.PASS
        with closing(ask(proxy.port)) as another:
            assert another.getresponse().read() == b"an answer"


def test_an_unwell_server_says_so(server):
    with proxied(server.server_port) as proxy:
        proxy.mode = Mode.UNWELL
        with closing(ask(proxy.port)) as connection:
            assert connection.getresponse().status == 503
        assert Answering.asked == []


def test_late_events_come_late_while_the_opening_heartbeats_and_other_requests_flow(server):
    with proxied(server.server_port) as proxy:
        proxy.mode, proxy.seconds = Mode.LATE_EVENTS, 1.2
        began = time.monotonic()
        with closing(ask(proxy.port, "/v1/changes")) as stream, closing(ask(proxy.port)) as other:
            stream.sock.settimeout(3)
            answer = stream.getresponse()
            assert other.getresponse().read() == b"an answer"
            lines = [answer.readline() for _ in range(3)]
            assert lines == [b"event: open\n", b"data: {}\n", b"\n"]
            assert time.monotonic() - began < 1.2
            beats = 0
            while (line := answer.readline()) != b"event: change\n":
                beats += line == b":\n"
            assert time.monotonic() - began >= 1.2
            assert (beats >= 2, proxy.done[Mode.LATE_EVENTS]) == (True, 1)


def test_events_that_are_not_late_come_unchanged(server):
    with proxied(server.server_port) as proxy, closing(ask(proxy.port, "/v1/changes")) as stream:
        answer = stream.getresponse()
        assert b"".join(answer.readline() for _ in range(6)) == b"".join(EVENTS)


def test_chunks_are_joined_wherever_they_were_cut():
    whole = b"5\r\nevent\r\n3\r\n: x\r\n"
    for place in range(len(whole)):
        chunks = Chunks()
        assert chunks.feed(whole[:place]) + chunks.feed(whole[place:]) == b"event: x"
