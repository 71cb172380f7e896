"""A load from a process of its own: raw HTTP/1.1 over kept connections, so that the client costs little."""

import argparse
import asyncio
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

import uvloop

from sayso.model.ids import new_choice_id
from sayso.transport.tokens import TokenMinter

TOPICS = ("purpose:marketing", "channel:sms", "channel:email")
Request = Callable[[], bytes]


def record(token: str, consumer: Callable[[], str]) -> Request:
    """Give requests that record three choices each."""

    def make() -> bytes:
        who = consumer()
        choices = [
            {
                "id": new_choice_id(),
                "consumer_id": who,
                "topic": topic,
                "answer": "granted",
                "method": "chat",
                "notice": {"language": "en"},
            }
            for topic in TOPICS
        ]
        body = json.dumps({"choices": choices}).encode()
        return b"POST /v1/choices HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n%b%d\r\n\r\n%b" % (
            token.encode(),
            b"Content-Type: application/json\r\nContent-Length: ",
            len(body),
            body,
        )

    return make


def read(token: str, consumer: Callable[[], str]) -> Request:
    """Give requests that read preferences."""

    def make() -> bytes:
        path = f"/v1/consumers/{consumer()}/preferences"
        return f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    return make


async def run(port: int, make: Request, connections: int, seconds: float) -> dict[str, float]:
    """Keep every connection busy for a time.

    Returns:
        Requests answered, seconds taken, and the median and 99th percentile of the answer times in microseconds.
    """
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            request = make()
            start = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head[9:12])
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            body = await reader.readexactly(length)
            if status not in (200, 201):
                raise RuntimeError(f"{status}: {body[:300]!r}")
            times.append(time.perf_counter() - start)
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    took = time.perf_counter() - began
    times.sort()
    return {
        "requests": len(times),
        "seconds": took,
        "p50": times[len(times) // 2] * 1e6,
        "p99": times[len(times) * 99 // 100] * 1e6,
    }


async def drive(
    port: int, key: tuple[str, str], what: str, *, connections: int, seconds: float, consumers: int
) -> dict[str, float]:
    """Run a load in another process.

    Args:
        port: Where the server is.
        key: Key id and secret.
        what: `record` or `read`.
        connections: How many at once.
        seconds: For how long.
        consumers: Choose among that many existing ids in random order; 0 for a new consumer each time, 1 for a hot one.
    """
    # A secret may begin with a dash.
    arguments = ["--", str(port), *key, what, str(connections), str(seconds), str(consumers)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(Path(__file__)), *arguments, stdout=asyncio.subprocess.PIPE
    )
    printed, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("the load failed; see above")
    result: dict[str, float] = json.loads(printed)
    return result


def main() -> None:
    """Run as a process."""
    parser = argparse.ArgumentParser()
    for name in ("port", "key_id", "secret", "what", "connections", "seconds", "consumers"):
        parser.add_argument(name)
    chosen = parser.parse_args()
    token = TokenMinter(chosen.key_id, chosen.secret).backend_token("backend")
    among = int(chosen.consumers)
    source = random.Random()

    def consumer() -> str:
        return f"c{source.randrange(among):07d}" if among else f"n{source.getrandbits(60):x}"

    make = (record if chosen.what == "record" else read)(token, consumer)
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    result = asyncio.run(run(int(chosen.port), make, int(chosen.connections), float(chosen.seconds)))
    sys.stdout.write(json.dumps(result))


if __name__ == "__main__":
    main()
