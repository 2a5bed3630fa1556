"""HTTP/1.1 read by llhttp, which takes less processor time than a parser in Python; a head without end is refused."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 32_768
"""Bytes of a request's first line and headers; uvicorn's own limit is only for its other parser."""


class Protocol(HttpToolsProtocol):
    """One connection."""

    _in_head = False
    _head = 0
    """Bytes received of a head since the piece that it began in."""

    def data_received(self, data: bytes) -> None:
        """Read what came in; give up where the head is too long and still not at its end."""
        began = self._in_head
        super().data_received(data)
        self._head = self._head + len(data) if began and self._in_head else 0
        if self._head > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Its head has ended; what follows is counted as its body."""
        self._in_head = False
        super().on_headers_complete()
