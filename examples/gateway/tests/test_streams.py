"""Turns as server-sent events: whole, from any place, at any speed; and the choices that they wait for."""

from __future__ import annotations

import asyncio
import socket
import unittest
from io import BytesIO
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from gateway import streams
from gateway.events import Event, Room, frame
from gateway.host import Attachment, Host
from gateway.refusal import Object
from gateway.streams import EventStream
from gateway.workers import Workers

from .harness import Events, Gateway, Transcript, follow, script, tokens, wait_for

LONG, LONG_STEPS = tokens(100, 10)
# Much more than the gateway, Parley and the sockets between them hold.
BIG_STEPS = [{"text": f"{number:06} " + "x" * 4_000} for number in range(750)]
BIG = "".join(step["text"] for step in BIG_STEPS)


class StreamsTests(unittest.TestCase):
    gateway: Gateway

    @classmethod
    def setUpClass(cls) -> None:
        cls.gateway = Gateway(
            model=script(
                {"expect": "long", "steps": LONG_STEPS},
                {"expect": "big", "steps": BIG_STEPS},
                {"expect": "flood", "steps": [*BIG_STEPS, {"delayMs": 4_000}, {"text": "."}]},
                {"expect": "ask", "repeat": False, "steps": [{"toolCall": {"name": "create_bot", "arguments": {"name": "Ada"}}}]},
                {"expect": "ask", "repeat": False, "text": "Made."},
                {"expect": "ask", "repeat": False, "steps": [{"toolCall": {"name": "create_bot", "arguments": {"name": "Bob"}}}]},
                {"expect": "ask", "repeat": False, "text": "Not made."},
                {"expect": "silence", "steps": [{"delayMs": 20_000}]},
                {"text": "Hello."},
            ),
            serve=["--set=tools.policies.create_bot=ask"],
        ).__enter__()

    @classmethod
    def tearDownClass(cls) -> None:
        cls.gateway.stop()

    def setUp(self) -> None:
        self.browser = self.gateway.browser()
        self.browser.sign_in("Ada")

    def send(self, text: str) -> str:
        return str(self.browser.call("sendMessage", text=text)["turn"]["id"])

    def test_a_turn_from_its_beginning_to_its_end(self) -> None:
        turn = self.send("long")
        transcript = follow(self.browser, turn)
        self.assertEqual((transcript.text, transcript.status, transcript.snapshots), (LONG, "completed", 0))
        # Afterwards the same address tells what is stored.
        transcript = follow(self.browser, turn)
        self.assertEqual((transcript.text, transcript.status, transcript.snapshots), (LONG, "completed", 1))

    def test_connections_that_break_lose_and_double_nothing(self) -> None:
        turn = self.send("long")
        transcript = Transcript()
        connections = 0
        while not transcript.completed:
            connections += 1
            with self.browser.events(turn, transcript.numbers[-1] if transcript.numbers else None) as events:
                for count, event in enumerate(events):
                    transcript.take(event)
                    if count == connections % 4:
                        break
        self.assertGreater(connections, 10)
        self.assertEqual((transcript.text, transcript.snapshots), (LONG, 0))

    def test_what_to_resume_after_must_be_a_number(self) -> None:
        turn = self.send("Hello?")
        for text in ("x", "-1", "1.5", "²", "9" * 30):
            answer = self.browser.request("GET", f"/api/turns/{turn}/events", None, {"Last-Event-ID": text.encode().decode("latin-1")})
            self.assertEqual((answer.status, answer.code), (400, "invalidParams"))
        self.assertEqual(self.browser.get("/api/turns/nobody's/events").status, 404)

    def test_who_leaves_stops_nothing(self) -> None:
        turn = self.send("long")
        with self.browser.events(turn) as events:
            next(iter(events))
        self.assertEqual(follow(self.browser, turn).status, "completed")

    def test_who_cancels_sees_the_end(self) -> None:
        turn = self.send("long")
        transcript = Transcript()
        with self.browser.events(turn) as events:
            for event in events:
                transcript.take(event)
                if event.id == 3:
                    self.browser.call("cancelTurn", turnId=turn)
        self.assertEqual(transcript.status, "cancelled")
        self.assertTrue(LONG.startswith(transcript.text))

    def test_a_browser_that_does_not_read_holds_up_nobody_and_misses_nothing(self) -> None:
        turn = self.send("flood")
        slow = self.unread(turn)
        # Another one sees it all, and others are answered, meanwhile.
        quick = Transcript()
        with self.browser.events(turn) as events:
            for event in events:
                quick.take(event)
                if quick.text == BIG:
                    break
        self.assertEqual(follow(self.browser, self.send("Hello?")).text, "Hello.")
        # When it reads at last, while the turn goes on, it gets all of it, in the order of the protocol.
        received = b""
        while data := slow.recv(65_536):
            received += data
        slow.close()
        transcript = Transcript()
        for event in parsed(received):
            transcript.take(event)
        self.assertEqual((transcript.text, transcript.status, transcript.snapshots), (BIG + ".", "completed", 0))

    def test_what_is_not_read_is_not_kept(self) -> None:
        turn = self.send("big")
        self.assertEqual(follow(self.browser, turn).text, BIG)
        before = memory(self.gateway)
        # Each of them is told a snapshot of 3 MB.
        connections = [self.unread(turn) for _ in range(20)]
        self.assertEqual(follow(self.browser, self.send("Hello?")).text, "Hello.")
        self.assertLess(memory(self.gateway) - before, 40 * 1024)
        for connection in connections:
            connection.close()
        # Those who come after them find room again.
        self.assertEqual(follow(self.browser, turn).text, BIG)

    def unread(self, turn: str) -> socket.socket:
        """A connection that asks for a turn's events and reads none."""
        connection = socket.socket()
        # Before it connects, because it is then that the window is agreed on.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        connection.settimeout(20)
        connection.connect(("127.0.0.1", self.gateway.port))
        cookies = "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items())
        head = f"GET /api/turns/{turn}/events HTTP/1.0\r\nHost: localhost:{self.gateway.port}\r\nCookie: {cookies}\r\n\r\n"
        connection.sendall(head.encode())
        return connection

    def test_a_choice_is_asked_for_and_made(self) -> None:
        self.choose("allowOnce", "completed", "Made.")
        self.choose("rejectOnce", "denied", "Not made.")
        self.assertEqual([bot["name"] for bot in self.browser.call("listBots")["data"]], ["Ada"])

    def choose(self, option: str, status: str, text: str) -> None:
        turn = self.send("ask")
        other = self.gateway.browser()
        other.sign_in("Eve")
        seen: list[str] = []
        transcript = Transcript()
        with self.browser.events(turn) as events:
            for event in events:
                transcript.take(event)
                seen.append(event.name)
                if event.name == "approvalRequested":
                    path = f"/api/turns/{turn}/approvals/{event.data['toolCall']['id']}"
                    self.assertEqual(other.post(path, {"option": option}).status, 404)
                    # The request for the choice comes a moment after the event that tells of it.
                    wait_for(lambda: self.browser.post(path, {"option": "perhaps"}).status == 400)
                    self.assertEqual(self.browser.post(path, {"option": option}).json, {})
                    self.assertEqual(self.browser.post(path, {"option": option}).status, 404)
                elif event.name == "approvalResolved":
                    self.assertEqual(event.data["option"], option)
                elif event.name == "toolCallCompleted":
                    self.assertEqual(event.data["status"], status)
        self.assertLess(seen.index("approvalRequested"), seen.index("approvalResolved"))
        self.assertEqual(transcript.text, text)

    def test_a_choice_that_nobody_waits_for_any_more(self) -> None:
        answer = self.browser.post(f"/api/turns/{self.send('Hello?')}/approvals/x", {"option": "allowOnce"})
        self.assertEqual((answer.status, answer.code), (404, "notFound"))


class FakeHost:
    """A process that says the same to whoever attaches."""

    def __init__(self, *events: Event) -> None:
        self.events = events
        self.attached = 0

    def attach(self, turn_id: str, after: int, caller: Object, room: int) -> Attachment:
        self.attached += 1
        attachment = Attachment(cast(Host, self), 0, room)
        for event in self.events:
            if event.seq > after:
                attachment._put(event)
        attachment._finish({})
        return attachment

    def _forget_attachment(self, request_id: int) -> None:
        pass


class FakeWorkers:
    """What a stream asks for processes. There may be none."""

    def __init__(self, host: FakeHost | None) -> None:
        self._host = host

    def runner(self, turn_id: str) -> None:
        return None

    async def host(self, key: str, patience: float | None) -> FakeHost:
        if self._host is None:
            await asyncio.Event().wait()
        assert self._host
        return self._host


class StreamTests(unittest.IsolatedAsyncioTestCase):
    """One stream, without processes."""

    async def sent(self, host: FakeHost | None, most: int, room: Room | None = None) -> list[bytes]:
        """What is sent to a browser that leaves after so many pieces."""
        sent: list[bytes] = []
        gone = asyncio.Event()

        async def send(message: Any) -> None:
            sent.append(message.get("body", b""))
            if len(sent) > most:
                gone.set()

        async def receive() -> dict[str, str]:
            await gone.wait()
            return {"type": "http.disconnect"}

        turn = {"id": "turn", "conversationId": "conversation"}
        stream = EventStream(cast(Workers, FakeWorkers(host)), room or Room(1_000_000), asyncio.Event(), turn, {}, 0)
        await stream({}, receive, send)
        # The first is the response's head.
        return sent[1:]

    async def test_with_nothing_to_say_it_is_kept_open(self) -> None:
        with patch.object(streams, "SILENCE_SECONDS", 0.01):
            self.assertEqual((await self.sent(None, 3))[:3], [streams.RETRY, streams.SILENCE, streams.SILENCE])

    async def test_what_does_not_fit_is_asked_for_again(self) -> None:
        frames = [bytes([number]) * 50_000 for number in range(1, 6)]
        host = FakeHost(*(Event(number, data) for number, data in enumerate(frames, 1)))
        sent = await self.sent(host, 100)
        self.assertEqual(b"".join(sent[1:]), b"".join(frames) + frame("end", {}))
        self.assertEqual(host.attached, 3)

    async def test_what_is_longer_than_all_the_room_is_sent_too(self) -> None:
        host = FakeHost(Event(1, b"a"), Event(2, b"b" * 3_000_000))
        room = Room(1_000_000)
        sent = await self.sent(host, 100, room)
        self.assertEqual(len(b"".join(sent[1:])), 3_000_001 + len(frame("end", {})))
        self.assertEqual(await room.take(1_000_000), 1_000_000)


class RoomTests(unittest.IsolatedAsyncioTestCase):
    async def test_who_comes_first_is_served_first(self) -> None:
        room = Room(10)
        await room.take(6)
        served: list[int] = []

        async def want(size: int) -> None:
            served.append(await room.take(size))

        large, given_up, small = (asyncio.create_task(want(size)) for size in (8, 9, 3))
        await asyncio.sleep(0)
        self.assertEqual(served, [])
        given_up.cancel()
        room.give_back(6)
        await large
        self.assertEqual(served, [8])
        room.give_back(8)
        await small
        room.give_back(3)
        self.assertEqual(await room.take(99), 10)

    async def test_who_is_served_and_leaves_gives_it_back(self) -> None:
        room = Room(10)
        await room.take(10)
        task = asyncio.create_task(room.take(10))
        await asyncio.sleep(0)
        room.give_back(10)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertEqual(await room.take(10), 10)


def parsed(response: bytes) -> Any:
    """The events in a whole answer."""
    class Body:
        def __init__(self) -> None:
            self.readline = BytesIO(response.partition(b"\r\n\r\n")[2]).readline

    return Events(None, Body())  # type: ignore[arg-type]


def memory(gateway: Gateway) -> int:
    """What the gateway holds, in KiB."""
    status = Path(f"/proc/{gateway.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    unittest.main()
