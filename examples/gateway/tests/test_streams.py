"""Turns as server-sent events: whole, from any place, at any speed; and the choices that they wait for."""

from __future__ import annotations

import asyncio
import json
import socket
import unittest
from collections.abc import Generator, Sequence
from io import BytesIO
from typing import Any, cast
from unittest.mock import patch

from gateway import streams
from gateway.events import Room, frame
from gateway.refusals import refusal
from gateway.streams import EventStream
from gateway.workers import Workers
from parley import HostEnded, Object, ParleyError

from .harness import Events, Gateway, Transcript, follow, memory, script, tokens, wait_for

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

    def test_nobody_has_too_many_streams(self) -> None:
        turn = self.send("silence")
        streams = [self.browser.events(turn) for _ in range(32)]
        answer = self.browser.get(f"/api/turns/{turn}/events")
        self.assertEqual((answer.status, answer.code, answer.headers["Retry-After"]), (429, "tooManyStreams", "5"))
        for stream in streams:
            stream.close()
        self.browser.call("cancelTurn", turnId=turn)
        wait_for(lambda: self.browser.get(f"/api/turns/{turn}/events").status == 200)

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


class FakeEvents:
    """What is told to one who attaches: events, up to so many bytes, and the result."""

    def __init__(self, events: Sequence[Object], most_bytes: int, refusal: ParleyError | None) -> None:
        self._events = list(events)
        self._refusal = refusal
        self._room = most_bytes
        self._result: Object = {}
        self._has_told = False

    async def __aenter__(self) -> FakeEvents:
        return self

    async def __aexit__(self, *_: object) -> None:
        pass

    async def __anext__(self) -> Object:
        if self._refusal:
            raise self._refusal
        if not self._events:
            raise StopAsyncIteration
        size = len(json.dumps(self._events[0]))
        if size > self._room:
            self._result = {"more": True} if self._has_told else {"more": True, "nextBytes": size}
            raise StopAsyncIteration
        self._room -= size
        self._has_told = True
        return self._events.pop(0)

    def __await__(self) -> Generator[Any, None, Object]:
        yield from asyncio.sleep(0).__await__()
        return self._result


class FakeHost:
    """A process that says the same to whoever attaches."""

    def __init__(self, *lengths: int) -> None:
        """lengths: of the texts of the events."""
        self.events: list[Object] = [
            {"method": "messageDelta", "params": {"seq": seq, "delta": "x" * length}} for seq, length in enumerate(lengths, 1)
        ]
        self.attached: list[int] = []
        # What the first who attach are refused with.
        self.refusals: list[ParleyError] = []

    def attach(self, turn_id: str, after: int, caller: Object, most_bytes: int) -> FakeEvents:
        self.attached.append(most_bytes)
        events = [event for event in self.events if event["params"]["seq"] > after]
        return FakeEvents(events, most_bytes, self.refusals.pop(0) if self.refusals else None)


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

    def frames(self, host: FakeHost) -> bytes:
        return b"".join(frame(event["method"], event["params"], event["params"]["seq"]) for event in host.events) + frame("end", {})

    async def test_what_is_more_than_is_taken_at_a_time_is_asked_for_again(self) -> None:
        host = FakeHost(*[50_000] * 5)
        self.assertEqual(b"".join((await self.sent(host, 1_000))[1:]), self.frames(host))
        self.assertEqual(host.attached, [streams.PART_BYTES] * 3)

    async def test_what_passes_by_itself_is_waited_for(self) -> None:
        host = FakeHost(1, 2)
        host.refusals = [refusal("overloaded", 503, "Too much.", retryable=True), HostEnded("It has died.")]
        with patch.object(streams, "PAUSE_SECONDS", 0):
            self.assertEqual(b"".join((await self.sent(host, 1_000))[1:]), streams.SILENCE + self.frames(host))

    async def test_what_does_not_is_told(self) -> None:
        host = FakeHost(1)
        host.refusals = [refusal("notFound", 404, "Gone.")]
        (_, refused, end, *_) = await self.sent(host, 1_000)
        self.assertIn(b"event: refused\n", refused)
        self.assertIn(b'"code":"notFound"', refused)
        self.assertEqual(end, frame("end", {}))

    async def test_what_is_longer_than_all_the_room_is_sent_too(self) -> None:
        host = FakeHost(1, 3_000_000, 1)
        room = Room(1_000_000)
        self.assertEqual(b"".join((await self.sent(host, 1_000, room))[1:]), self.frames(host))
        self.assertEqual([size > 3_000_000 for size in host.attached], [False, False, True, False])
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


if __name__ == "__main__":
    unittest.main()
