"""A TCP relay between a client and a server that can be cut, for protocols with hidden calls."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum


class Mode(StrEnum):
    """What the relay does."""

    OPEN = "open"
    DOWN = "down"  # there is no answer, and open connections are cut
    DEAF = "deaf"  # requests arrive, answers are lost


class Wire:
    """A relay on its own port; `set` changes what it does from now on."""

    def __init__(self, host: str, port: int) -> None:
        self._upstream = (host, port)
        self._mode = Mode.OPEN
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def set(self, mode: Mode) -> None:
        self._mode = mode
        if mode is not Mode.OPEN:
            self._cut()

    @contextmanager
    def running(self) -> Iterator[Wire]:
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            yield self
        finally:
            self._listener.close()
            self._cut()

    def _listen(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._mode is Mode.DOWN:
                client.close()
                continue
            try:
                server = socket.create_connection(self._upstream, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            self._open += [client, server]
            for one, other, answers in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._copy, args=(one, other, answers), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not (answers and self._mode is Mode.DEAF):
                    target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _cut(self) -> None:
        cut, self._open = self._open, []
        for end in cut:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
