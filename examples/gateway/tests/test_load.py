"""200 people at once, each of whom follows a turn."""

from __future__ import annotations

import asyncio
import json
import os
import time
import unittest
from pathlib import Path

from .harness import Gateway, script, tokens

PEOPLE = 200
# Long enough after the sends that all streams are open before anybody is answered.
TEXT, STEPS = tokens(50, 60, first=4_000)


class LoadTests(unittest.TestCase):
    def test_two_hundred_streams_at_once(self) -> None:
        with Gateway(model=script({"steps": STEPS})) as gateway:
            (parley,) = gateway.parleys
            began = time.monotonic()
            used = {name: processor_seconds(process) for name, process in (("gateway", gateway.process.pid), ("parley", parley))}
            crowd = Crowd(gateway.port)
            asyncio.run(crowd.converse())
            seconds = time.monotonic() - began
            self.assertEqual(crowd.texts, [TEXT] * PEOPLE)
            self.assertEqual(crowd.most_at_once, PEOPLE)
            shares = {
                name: (processor_seconds(process) - used[name]) / seconds for name, process in (("gateway", gateway.process.pid), ("parley", parley))
            }
            rate = PEOPLE * len(STEPS) // 2 / (seconds - 4)
            print(
                f"{PEOPLE} streams at once, {rate:.0f} tokens a second:"
                f" of one processor the gateway took {shares['gateway']:.0%}, Parley {shares['parley']:.0%}"
            )


class Crowd:
    """Anonymous people who send a message and read what comes."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._open = 0
        self.most_at_once = 0
        self.texts: list[str] = []

    async def converse(self) -> None:
        self.texts = await asyncio.gather(*(self._ask() for _ in range(PEOPLE)))

    async def _ask(self) -> str:
        body = json.dumps({"text": "Hello?"}).encode()
        reader, writer = await self._request("POST /api/sendMessage", "", body)
        head, _, answer = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        assert head.startswith(b"HTTP/1.1 200"), answer
        cookie = next(line for line in head.decode().splitlines() if line.lower().startswith("set-cookie")).split(": ")[1].split(";")[0]

        reader, writer = await self._request(f"GET /api/turns/{json.loads(answer)['turn']['id']}/events", cookie)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        self._open += 1
        self.most_at_once = max(self.most_at_once, self._open)
        text, seq = "", 0
        while line := (await reader.readline()).decode():
            if line.startswith("event: "):
                name = line[7:].strip()
            elif line.startswith("data: ") and name != "end":
                data = json.loads(line[6:])
                # Each event, and none twice, though some come as one.
                assert name != "turnSnapshot" and data.get("fromSeq", data["seq"]) == seq + 1, f"{name} {data['seq']} after {seq}"
                seq = data["seq"]
                text += data.get("delta", "")
        writer.close()
        self._open -= 1
        return text

    async def _request(self, start: str, cookie: str, body: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        # HTTP/1.0, so that the answer ends with the connection and is not in chunks.
        head = f"{start} HTTP/1.0\r\nHost: localhost:{self._port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        writer.write(f"{head}Cookie: {cookie}\r\n\r\n".encode() + body)
        return reader, writer


def processor_seconds(process: int) -> float:
    """What a process has taken of the processors' time."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
