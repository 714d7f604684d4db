"""Reads through one process, which nobody kills: every answer must come, and be a result."""

from __future__ import annotations

from typing import Iterator

from client import PATIENCE
from host import Host
from journal import Journal
from model import Object


class Reader:
    """Asks, and notes it as a violation when there is no result."""

    def __init__(self, journal: Journal, host: Host) -> None:
        self.journal, self.host = journal, host

    def call(self, method: str, params: Object) -> Object | None:
        call = self.host.request(method, params)
        if not call.done.wait(PATIENCE):
            self.journal.violate(f"in the end {method} is not answered: {params}")
        elif call.result is None:
            self.journal.violate(f"in the end {method} is answered {call.error}: {params}")
        return call.result

    def expect_refusal(self, code: str, why: str, method: str, params: Object) -> None:
        """Asks for what must be refused.

        why: what has happened before.
        """
        call = self.host.request(method, params)
        call.done.wait(PATIENCE)
        if call.code != code:
            self.journal.violate(f"{why}, and {method} is answered {call.error or call.result}")

    def pages(self, method: str, params: Object, limit: int) -> Iterator[Object]:
        """All of a list, page by page."""
        cursor = None
        while True:
            page = self.call(method, {**params, "limit": limit, "cursor": cursor})
            yield from page["data"] if page else []
            cursor = page and page.get("nextCursor")
            if not cursor:
                return

    def limits(self, subject: Object) -> dict[tuple[str, str], Object]:
        """How somebody's limits stand, by scope and unit."""
        result = self.call("getQuota", {"caller": {"operator": True}, "subject": subject})
        return {(limit["scope"], limit["unit"]): limit for limit in (result or {"limits": []})["limits"]}
