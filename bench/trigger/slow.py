"""`python -m bench.trigger.slow TARGET_PORT SECONDS`: a relay that delays answers.

It adds a service time to a stand-in that answers at once, and uses little CPU itself. It prints its
URL.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def slowed(port: int, seconds: float) -> Iterator[str]:
    """Run a relay to `port` in a separate process, with answers `seconds` later; yield its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.trigger.slow", str(port), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


async def serve(port: int, seconds: float) -> None:
    """Relay connections to a local port until killed."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection("127.0.0.1", port)
        for end in (writer, requests):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await asyncio.gather(_pass(reader, requests, 0.0), _pass(answers, writer, seconds))

    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        if delay:
            loop.call_later(delay, writer.write, data)
        else:
            writer.write(data)
    loop.call_later(delay, writer.close)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
