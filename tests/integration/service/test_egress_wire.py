"""The way out, byte by byte: who may use it, what is passed on, and when it ends."""

from __future__ import annotations

import asyncio
import base64
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from zonalbatch.service.egress.addresses import Addresses
from zonalbatch.service.egress.proxy import Bounds, Egress

END = b"\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok"


@dataclass
class Host:
    """A server that answers each connection with the same bytes, and keeps what it heard."""

    answer: bytes = OK
    hold: bool = True
    """True leaves the connection open after the answer."""
    late: float = 0.0
    """Seconds until it answers, in which it hears all there is to hear."""
    heard: list[bytes] = field(default_factory=list)
    """Of each connection, all bytes."""
    port: int = 0

    async def meet(self, reader: StreamReader, writer: StreamWriter) -> None:
        """One connection."""
        which = len(self.heard)
        self.heard.append(b"")
        answering = asyncio.create_task(self._say(writer))
        try:
            while piece := await reader.read(65536):
                self.heard[which] += piece
        except ConnectionError:
            pass
        finally:
            await answering
            writer.close()

    async def _say(self, writer: StreamWriter) -> None:
        await asyncio.sleep(self.late)
        writer.write(self.answer)
        if not self.hold:
            writer.write_eof()


@dataclass(frozen=True)
class Scene:
    """A way out, and the host that it leads to."""

    egress: Egress
    host: Host

    async def said(self, text: str | bytes, *, secret: str | None = None) -> bytes:
        """What comes back for a request to the end of the connection; `<host>` is the host's."""
        reader, writer = await self.opened()
        writer.write(self.head(text, secret=secret))
        try:
            return await asyncio.wait_for(reader.read(-1), 10)
        except ConnectionResetError:
            return b"reset"
        finally:
            writer.close()

    async def opened(self) -> tuple[StreamReader, StreamWriter]:
        """A connection to the way out."""
        return await asyncio.open_connection("127.0.0.1", urlsplit(self.egress.url).port)

    def head(self, text: str | bytes, *, secret: str | None = None) -> bytes:
        """A request with the secret of the way out, or another, or (empty) none."""
        own = urlsplit(self.egress.url).password if secret is None else secret
        told = base64.b64encode(f"me:{own}".encode()).decode()
        field_ = f"Proxy-Authorization: Basic {told}\r\n" if own else ""
        raw = text.encode() if isinstance(text, str) else text
        line, _, rest = raw.partition(b"\r\n")
        return (line + b"\r\n" + field_.encode() + rest).replace(
            b"<host>", f"127.0.0.1:{self.host.port}".encode()
        )


def play(act: Callable[[Scene], Awaitable[None]], host: Host | None = None, **bounds: Any) -> None:
    """An act with a host that may be reached by 127.0.0.1."""

    async def staged() -> None:
        there = host or Host()
        server = await asyncio.start_server(there.meet, "127.0.0.1", 0)
        there.port = server.sockets[0].getsockname()[1]
        addresses = Addresses.of((), [f"127.0.0.1:{there.port}"])
        limits = replace(Bounds(leaving=0.1), **bounds)
        async with Egress(addresses, limits) as egress:
            await act(Scene(egress, there))
        server.close()

    asyncio.run(staged())


GET = "GET http://<host>/a?b=c HTTP/1.1\r\nHost: <host>\r\n\r\n"


@pytest.mark.parametrize(
    "secret", ["", "wrong", "é"], ids=["no secret", "another secret", "no ASCII"]
)
@pytest.mark.parametrize(
    "request_", [GET, "CONNECT <host> HTTP/1.1\r\n\r\n", "GET /refused?since=0 HTTP/1.1\r\n\r\n"]
)
def test_who_has_no_secret_is_turned_away(request_: str, secret: str) -> None:
    """Others on this machine learn nothing and reach nothing by it."""

    async def act(scene: Scene) -> None:
        assert (await scene.said(request_, secret=secret)).startswith(b"HTTP/1.1 407 ")
        assert scene.host.heard == []
        assert scene.egress.requests == 0

    play(act)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ("CONNECT 127.0.0.1:22 HTTP/1.1\r\n\r\n", 403),
        ("CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n", 400),
        ("CONNECT [::1]:443 HTTP/1.1\r\n\r\n", 403),
        ("CONNECT me@<host> HTTP/1.1\r\n\r\n", 403),
        ("CONNECT 169.254.169.254:80 HTTP/1.1\r\n\r\n", 403),
        ("GET http://127.0.0.1:22/ HTTP/1.1\r\n\r\n", 403),
        ("GET http://me:secret@<host>/ HTTP/1.1\r\n\r\n", 403),
        ("GET https://<host>/ HTTP/1.1\r\n\r\n", 403),
        ("GET ftp://<host>/ HTTP/1.1\r\n\r\n", 403),
        ("GET / HTTP/1.1\r\nHost: <host>\r\n\r\n", 400),
        ("GET http://<host>/ HTTP/2\r\n\r\n", 400),
        ("GET  http://<host>/ HTTP/1.1\r\n\r\n", 400),
        ("GET http://<host>/ HTTP/1.1\r\nA: b\nC: d\r\n\r\n", 400),
        ("GET http://<host>/ HTTP/1.1\r\nA: b\r\n c\r\n\r\n", 400),
        ("GET http://<host>/ HTTP/1.1\r\nA : b\r\n\r\n", 400),
        (f"GET http://<host>/ HTTP/1.1\r\nA: {'b' * 70000}\r\n\r\n", 431),
    ],
)
def test_what_is_not_passed_on(request_: str, status: int) -> None:
    """Other ports, hosts, schemes and users; heads that are read in two ways or are too long."""

    async def act(scene: Scene) -> None:
        answer = await scene.said(request_)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode())
        assert (b"X-Zonalbatch-Refused: 1" in answer) == (status == 403)
        assert scene.egress.refusals == (status == 403)
        assert scene.host.heard == []

    play(act)


def test_one_request_is_passed_on_as_its_target_says() -> None:
    """Its path and its own fields; not those between neighbours, nor another host."""
    fields = (
        "Host: other.example\r\nRange: bytes=0-9\r\nConnection: keep-alive, X-Mine\r\nX-Mine: 1\r\n"
        "Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\nTE: trailers"
    )

    async def act(scene: Scene) -> None:
        answer = await scene.said(f"GET http://<host>/a?b=c HTTP/1.1\r\n{fields}\r\n\r\n")
        assert answer.endswith(b"Connection: close\r\n\r\nok")
        assert b"keep-alive" not in answer
        lines = scene.host.heard[0].decode().split("\r\n")
        assert lines[0] == "GET /a?b=c HTTP/1.1"
        place = f"Host: 127.0.0.1:{scene.host.port}"
        assert sorted(lines[1:-2]) == ["Connection: close", place, "Range: bytes=0-9"]

    play(act)


@pytest.mark.parametrize(
    "first",
    [
        "GET http://<host>/ HTTP/1.1\r\n\r\n",
        "POST http://<host>/ HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi",
        "POST http://<host>/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
        "GET http://<host>/ HTTP/1.1\r\nContent-Length: 9\r\nConnection: content-length\r\n\r\n",
        "POST http://<host>/ HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 99\r\n\r\nhi",
        "POST http://<host>/ HTTP/1.1\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST http://<host>/ HTTP/1.1\r\nContent-Length: +99\r\n\r\n",
        "POST http://<host>/ HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
    ],
    ids=["get", "length", "chunks", "length hidden", "two lengths", "both", "signed", "coding"],
)
def test_a_second_request_is_not_passed_on(first: str) -> None:
    """Neither with the first nor after it, however the first says where it ends."""
    second = "GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"

    async def act(scene: Scene) -> None:
        reader, writer = await scene.opened()
        writer.write(scene.head(first + second))
        try:
            answer = await asyncio.wait_for(reader.read(-1), 10)
            assert answer.count(b"HTTP/1.1") == 1
        except ConnectionResetError:
            pass
        writer.close()
        assert all(b"latest" not in heard for heard in scene.host.heard)

    play(act, Host(late=0.1))


def test_bodies_are_passed_on() -> None:
    """By length or in chunks, larger than any buffer; trailers and extensions are left out."""
    large = b"x" * 1_000_000
    chunks = b"f4240;ext=1\r\n%s\r\n0\r\nTrailer: 1\r\n\r\n" % large

    async def act(scene: Scene) -> None:
        line = b"POST http://<host>/ HTTP/1.1\r\n"
        for head, body, sent in (
            (b"Content-Length: 1000000", large, large),
            (b"Transfer-Encoding: chunked", chunks, b"f4240\r\n%s\r\n0\r\n\r\n" % large),
        ):
            _, writer = await scene.opened()
            writer.write(scene.head(line + head + END + body))
            while not scene.host.heard or not scene.host.heard[-1].endswith(sent):
                await asyncio.sleep(0.01)
            scene.host.heard.clear()
            writer.close()

    play(act, Host(answer=b""))


@pytest.mark.parametrize(
    ("answer", "hold", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300000, True, 300000),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300000, False, 300000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", False, 12),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", True, 0),
        (b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" + OK, True, None),
    ],
    ids=["length", "to the end", "chunks", "none", "hints"],
)
def test_answers_are_passed_on(answer: bytes, hold: bool, body: int | None) -> None:
    """As they are, though the host leaves its connection open."""

    async def act(scene: Scene) -> None:
        told = await scene.said(GET)
        assert told.endswith(b"ok") if body is None else len(told.partition(END)[2]) == body

    play(act, Host(answer, hold))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000 + END,
        b"",
    ],
    ids=["cut short", "two lengths", "another protocol", "no HTTP", "too long", "nothing"],
)
def test_an_answer_that_is_not_whole_does_not_look_so(answer: bytes) -> None:
    """The connection is reset."""

    async def act(scene: Scene) -> None:
        reader, writer = await scene.opened()
        writer.write(scene.head(GET))
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(reader.read(-1), 10)
        writer.close()

    play(act, Host(answer, hold=False))


def test_tunnels_carry_both_ways_and_end_one_way_at_a_time() -> None:
    """What the client sends with its request is not lost; it may stop and still hear."""

    async def act(scene: Scene) -> None:
        reader, writer = await scene.opened()
        writer.write(scene.head(b"CONNECT <host> HTTP/1.1\r\n\r\nearly"))
        await reader.readuntil(END)
        writer.write(b" late")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(-1), 10) == b"tunnelled"
        assert scene.host.heard == [b"early late"]
        assert scene.egress.bytes_passed == len(b"early late" + b"tunnelled")
        writer.close()

    play(act, Host(b"tunnelled"))


def test_a_name_that_leads_elsewhere_the_second_time() -> None:
    """Each connection goes to the very address that was looked at, by one look-up."""
    host, asked = Host(), []

    def look_up(name: str, port: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    async def act(_: Scene) -> None:
        private = Addresses.of((), [f"127.0.0.1:{host.port}"])
        async with Egress(replace(private, resolve=look_up), Bounds(leaving=0.1)) as egress:
            scene = Scene(egress, host)
            text = f"GET http://rebound.example:{host.port}/ HTTP/1.1\r\n\r\n"
            assert (await scene.said(text)).endswith(b"ok")
            assert (await scene.said(text)).startswith(b"HTTP/1.1 403 ")
        assert len(host.heard) == 1
        assert len(asked) == 2

    play(act, host)


def test_an_unknown_name_is_no_refusal() -> None:
    """It is a host that is not there: 502."""

    def look_up(name: str, port: int) -> list[str]:
        raise OSError("no such name")

    async def act(_: Scene) -> None:
        async with Egress(Addresses(resolve=look_up)) as egress:
            answer = await Scene(egress, Host()).said("CONNECT a.example:443 HTTP/1.1\r\n\r\n")
            assert answer.startswith(b"HTTP/1.1 502 ")
            assert egress.refusals == 0

    play(act)


class TestBounds:
    """What one connection, and all of them, may cost."""

    def test_bytes(self) -> None:
        """A connection that carries too many is reset."""

        async def act(scene: Scene) -> None:
            assert await scene.said("CONNECT <host> HTTP/1.1\r\n\r\n") == b"reset"

        play(act, Host(b"x" * 300000), size=100000)

    @pytest.mark.parametrize("request_", [GET, "CONNECT <host> HTTP/1.1\r\n\r\n"])
    def test_silence(self, request_: str) -> None:
        """A host that says nothing is not waited for."""

        async def act(scene: Scene) -> None:
            assert await scene.said(request_) == b"reset"
            assert scene.egress.connections == 0

        play(act, Host(b""), idle=0.1)

    def test_slow_heads(self) -> None:
        """Nor is a client."""

        async def act(scene: Scene) -> None:
            assert (await scene.said("GET http", secret="")).startswith(b"HTTP/1.1 408 ")

        play(act, asking=0.1)

    def test_many_at_once(self) -> None:
        """One more than may be open is told so; when one ends there is room again."""

        async def act(scene: Scene) -> None:
            reader, writer = await scene.opened()
            writer.write(scene.head("CONNECT <host> HTTP/1.1\r\n\r\n"))
            await reader.readuntil(END)
            assert (await scene.said(GET)).startswith(b"HTTP/1.1 503 ")
            writer.transport.abort()
            while scene.egress.connections:
                await asyncio.sleep(0.01)
            assert (await scene.said(GET)).endswith(b"ok")

        play(act, connections=1)


def test_it_ends_with_its_connections() -> None:
    """Those that last too long are reset; nothing listens afterwards."""

    async def act(scene: Scene) -> None:
        reader, writer = await scene.opened()
        writer.write(scene.head("CONNECT <host> HTTP/1.1\r\n\r\n"))
        await reader.readuntil(END)
        await scene.egress.__aexit__(None, None, None)
        with pytest.raises(ConnectionResetError):
            await reader.read(-1)
        writer.close()
        with pytest.raises(ConnectionRefusedError):
            await scene.opened()

    play(act, Host(b""))
