"""Replies: what the way out itself answers, in a sentence."""

from __future__ import annotations

from zonalbatch.service.egress.heads import Head

__all__ = ["REFUSED", "Reply"]

REFUSED = ("X-Zonalbatch-Refused", "1")
"""By which a refusal of ours is known from one of the host."""


class Reply(Exception):  # noqa: N818 (it ends a request, as an answer does)
    """A request is answered here, and not by the host."""

    def __init__(self, status: str, sentence: str, *fields: tuple[str, str]) -> None:
        super().__init__(status, sentence, *fields)
        self.status, self.sentence, self.fields = status, sentence, fields

    def __bytes__(self) -> bytes:
        body = self.sentence.encode()
        own = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        return bytes(Head(f"HTTP/1.1 {self.status}", (*self.fields, *own.items()))) + body
