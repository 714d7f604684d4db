"""What parley.py does: with hosts that only play back, and with the program that $PARLEY names, or else the path."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

from parley import AsyncHost, AsyncStream, Event, Host, HostEnded, HostRequest, Object, ParleyError, text_of, tool_result

BINARY = os.environ.get("PARLEY", "parley")
ME: Object = {"userId": "me"}

# `play` writes lines, keeps its answer back until so many lines have come, and answers with what it is told to; `received` tells all that came
# and was no request. `lives` lists, for each start of the host, what it does with methods; `die` among them ends it.
PLAYER = f"""#!{sys.executable}
import json, os, signal, sys

here = os.path.dirname(__file__)
life = len(open(here + "/starts").readlines()) if os.path.exists(here + "/starts") else 0
open(here + "/starts", "a").write("started\\n")
lives = json.load(open(here + "/lives")) if os.path.exists(here + "/lives") else []
answers = lives[min(life, len(lives) - 1)] if lives else {{}}
print("the player has begun", file=sys.stderr, flush=True)

def write(message):
    print(json.dumps({{"jsonrpc": "2.0", **message}}), flush=True)

received = []
for line in sys.stdin:
    message = json.loads(line)
    if "method" not in message or "id" not in message:
        received.append(message)
        continue
    method, params, request, result = message["method"], message["params"], message["id"], {{}}
    open(here + "/asked", "a").write(line)
    if method == "initialize":
        result = {{"serverInfo": {{}}, "capabilities": params["capabilities"], "limits": {{"maxLineBytes": 1000000}}}}
    elif method == "play":
        for played in params.get("lines", []):
            if "result" not in played and "id" not in played and "requestId" not in played["params"]:
                played["params"]["requestId"] = request
            write(played)
        while len(received) < params.get("until", 0):
            received.append(json.loads(sys.stdin.readline()))
    elif method == "say":
        print(params["text"], flush=True)
        continue
    elif method == "received":
        result = {{"lines": received}}
    elif method in answers:
        if "die" in answers[method]:
            print("x" * 100000 + "the last words", file=sys.stderr, flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        for played in answers[method].get("events", []):
            write({{"method": played["method"], "params": {{**played["params"], "requestId": request}}}})
        if "silent" in answers[method]:
            continue
        result = answers[method].get("result", {{}})
    write({{"id": request, "result": result}})
if "deaf" in answers:
    signal.pause()
"""


def call(number: int, method: str = "callTool", **params: Any) -> Object:
    return {"id": f"host-{number}", "method": method, "params": params}


def event(method: str, seq: int, **params: Any) -> Object:
    return {"method": method, "params": {"conversationId": "c", "turnId": "t", "seq": seq, **params}}


class Player:
    """The program that plays back, in a folder of its own."""

    def __init__(self, test: unittest.TestCase, *lives: Object) -> None:
        folder = tempfile.TemporaryDirectory()
        test.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.binary = str(self.folder / "host")
        Path(self.binary).write_text(PLAYER)
        os.chmod(self.binary, 0o755)
        if lives:
            (self.folder / "lives").write_text(json.dumps(lives))

    @property
    def starts(self) -> int:
        return len((self.folder / "starts").read_text().splitlines())

    def asked(self, method: str) -> list[Object]:
        """The params of all requests of a method, in all lives."""
        requests = map(json.loads, (self.folder / "asked").read_text().splitlines())
        return [request["params"] for request in requests if request["method"] == method]


class HostRequestTests(unittest.TestCase):
    """What the host asks, answered on threads."""

    def start(self, **handlers: Any) -> Host:
        host = Host(binary=Player(self).binary, handlers=handlers)
        self.addCleanup(host.close)
        return host

    def answers(self, host: Host, *lines: Object, until: int) -> Object:
        host.call("play", lines=lines, until=until)
        return {line["id"]: line for line in host.call("received")["lines"]}

    def test_a_handler_answers(self) -> None:
        host = self.start(callTool=lambda request: tool_result(f"Sunny in {request.params['city']}.", data={"celsius": 21}))
        answer = self.answers(host, call(1, city="Rome"), until=1)["host-1"]
        self.assertEqual(
            answer["result"],
            {"content": [{"type": "text", "text": "Sunny in Rome."}], "isError": False, "data": {"celsius": 21}},
        )

    def test_approvals_are_promised_only_by_those_who_can_give_them(self) -> None:
        self.assertFalse(self.start().server["capabilities"]["approvals"])
        host = self.start(requestApproval=lambda request: {"option": request.params["options"][0]})
        self.assertTrue(host.server["capabilities"]["approvals"])
        answer = self.answers(host, call(1, "requestApproval", options=["allowOnce"]), until=1)["host-1"]
        self.assertEqual(answer["result"], {"option": "allowOnce"})

    def test_whatever_goes_wrong_is_answered(self) -> None:
        def fail(request: HostRequest) -> Object:
            if request.params["how"] == "raise":
                raise RuntimeError("The station is closed.")
            return {"content": object()}

        answers = self.answers(self.start(callTool=fail), call(1, how="raise"), call(2, how="return"), call(3, "unknown"), until=3)
        self.assertEqual(answers["host-1"]["error"], {"code": -32000, "message": "The station is closed."})
        self.assertIn("not JSON serializable", answers["host-2"]["error"]["message"])
        self.assertEqual(answers["host-3"]["error"]["code"], -32601)

    def test_calls_run_side_by_side(self) -> None:
        both = threading.Barrier(2, timeout=60)

        def meet(_: HostRequest) -> Object:
            both.wait()
            return tool_result("Met.")

        answers = self.answers(self.start(callTool=meet), call(1), call(2), until=2)
        self.assertEqual({answer["result"]["content"][0]["text"] for answer in answers.values()}, {"Met."})

    def test_a_handler_may_call_the_host(self) -> None:
        host: Host = self.start(callTool=lambda _: tool_result(str(host.call("ping"))))
        host.call("play", lines=[call(1)])
        self.threads_end()
        self.assertEqual(len(host.call("received")["lines"]), 1)

    def test_what_the_host_has_given_up_is_not_answered(self) -> None:
        def wait(request: HostRequest) -> Object:
            self.assertTrue(request.cancelled.wait(60))
            return tool_result("Too late.")

        host = self.start(callTool=wait)
        host.call("play", lines=[call(1), {"method": "$/cancelRequest", "params": {"id": "host-1"}}])
        self.threads_end()
        self.assertEqual(host.call("received")["lines"], [])

    def test_the_end_of_the_host_is_told_to_all_who_wait(self) -> None:
        given_up = threading.Event()

        def wait(request: HostRequest) -> Object:
            request.cancelled.wait(60)
            given_up.set()
            return {}

        host = Host(binary=Player(self, {"exit": {"die": True}}).binary, handlers={"callTool": wait})
        self.addCleanup(host.close)
        host.call("play", lines=[call(1)])
        for method in ["exit", "ping"]:
            with self.assertRaises(HostEnded) as caught:
                host.call(method)
            self.assertEqual((caught.exception.code, caught.exception.exit_code), ("ended", -signal.SIGKILL))
        self.assertTrue(given_up.wait(60))

    def test_a_parameter_that_is_no_json_is_refused_at_once(self) -> None:
        host = self.start()
        with self.assertRaises(TypeError):
            host.call("ping", value=object())
        for value in [float("nan"), "\ud800"]:
            with self.assertRaises(ValueError):
                host.call("ping", value=value)
        self.assertEqual(host.call("ping"), {})

    def threads_end(self) -> None:
        for thread in threading.enumerate():
            if thread.name.startswith("callTool"):
                thread.join(60)
                self.assertFalse(thread.is_alive())


class PlayedTests(unittest.IsolatedAsyncioTestCase):
    """What a real host does only now and then."""

    def setUp(self) -> None:
        patch = unittest.mock.patch("parley.SHORTEST_PAUSE", 0.001)
        patch.start()
        self.addCleanup(patch.stop)

    async def start(self, player: Player, **options: Any) -> AsyncHost:
        host = await AsyncHost(binary=player.binary, **options).start()
        self.addAsyncCleanup(host.close, 0)
        return host

    async def test_a_coroutine_that_the_host_gives_up_is_cancelled(self) -> None:
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def wait(_: HostRequest) -> Object:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()
            return {}

        host = await self.start(Player(self), handlers={"callTool": wait})
        await host.call("play", lines=[call(1)])
        await begun.wait()
        await host.call("play", lines=[{"method": "$/cancelRequest", "params": {"id": "host-1"}}])
        await cancelled.wait()
        self.assertEqual((await host.call("received"))["lines"], [])

    async def test_a_slow_reader_gets_everything_in_few_events(self) -> None:
        host = await self.start(Player(self))
        words = [f"{number} " for number in range(1000)]
        lines = [event("messageDelta", seq, messageId="m1" if seq < 600 else "m2", delta=word) for seq, word in enumerate(words, 1)]
        slow = host.stream("play", lines=[event("turnStarted", 0), *lines, event("turnCompleted", 1001)])
        # Answered after all of them, so that they have come.
        await host.call("ping")
        events: list[Any] = [event async for event in slow]
        self.assertLess(len(events), 80)
        deltas = [event["params"] for event in events if event["method"] == "messageDelta"]
        for message, said in [("m1", words[:599]), ("m2", words[599:])]:
            self.assertEqual("".join(delta["delta"] for delta in deltas if delta["messageId"] == message), "".join(said))
        following = 1
        for delta in deltas:
            self.assertEqual(delta.get("fromSeq", delta["seq"]), following)
            following = delta["seq"] + 1
        self.assertEqual((events[-1]["method"], slow.seq, slow.turn_id), ("turnCompleted", 1001, "t"))

    async def test_to_wait_with_a_time_limit_loses_no_event(self) -> None:
        host = await self.start(Player(self))
        stream = host.stream("play", lines=[event("turnStarted", 1)], until=1)
        self.assertEqual((await anext(stream))["method"], "turnStarted")
        for _ in range(3):
            with self.assertRaises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(stream), 0.01)
        host.notify("go")
        self.assertEqual(await stream, {})

    async def test_losing_interest_cancels_a_request_but_no_turn(self) -> None:
        silent = {"silent": True}
        player = Player(self, {"listBots": silent, "sendMessage": silent, "attachTurn": silent})
        host = await self.start(player)
        for method, is_cancelled in [("listBots", True), ("sendMessage", False), ("attachTurn", True)]:
            task = asyncio.create_task(host.call(method, turnId="t"))
            await asyncio.sleep(0)
            before = len((await host.call("received"))["lines"])
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            lines = (await host.call("received"))["lines"][before:]
            self.assertEqual([line["method"] for line in lines], ["$/cancelRequest"] if is_cancelled else [], method)
        async with host.stream("attachTurn", turnId="t") as stream:
            pass
        stream.cancel()
        self.assertEqual((await host.call("received"))["lines"][-1]["params"], {"id": stream._id})

    async def test_an_end_says_what_was_written_last(self) -> None:
        host = await self.start(Player(self, {"exit": {"die": True}}))
        with self.assertRaises(HostEnded) as caught:
            await host.call("exit")
        message = str(caught.exception)
        self.assertIn("killed by SIGKILL", message)
        self.assertTrue(message.endswith("the last words"), message[-100:])
        self.assertLess(len(message), 5000)
        self.assertEqual(await host.close(), -signal.SIGKILL)
        with self.assertRaisesRegex(HostEnded, "closed"):
            await host.call("ping")

    async def test_the_end_is_awaited(self) -> None:
        host = await self.start(Player(self, {"exit": {"die": True}}))
        waiting = asyncio.create_task(host.wait_ended())
        await host.call("ping", method="any name")
        self.assertFalse(waiting.done())
        host.stream("exit")
        self.assertEqual((await waiting).exit_code, -signal.SIGKILL)
        self.assertIs(await host.wait_ended(), host.ended)

    async def test_what_is_no_message_ends_it(self) -> None:
        for text in ["hello", "[]", '{"jsonrpc": "2.0"}', '{"method": "$/cancelRequest"}', "[" * 100_000]:
            host = await self.start(Player(self))
            with self.assertRaisesRegex(HostEnded, "no message of the protocol"):
                await host.call("say", text=text)

    async def test_what_is_not_known_yet_is_passed_over(self) -> None:
        host = await self.start(Player(self))
        unknown = [{"method": "pipesBurst", "params": {}}, {"method": "moodChanged", "params": {"mood": "good"}}]
        stream = host.stream("play", lines=unknown)
        self.assertEqual([event["method"] async for event in stream], ["pipesBurst", "moodChanged"])
        host.stream("say", text='{"jsonrpc": "2.0", "method": "nothingMore"}')
        self.assertEqual(await host.call("ping"), {})

    async def test_numbers_of_any_length_are_read(self) -> None:
        said: list[Object] = []

        async def keep(request: HostRequest) -> Object:
            said.append(request.params)
            return {}

        host = await self.start(Player(self), handlers={"callTool": keep})
        digits = "9" * 5000
        host.stream("say", text=f'{{"id": "host-1", "method": "callTool", "params": {{"a": {digits}, "b": -1e999, "c": 12345678901234567890}}}}')
        await host.call("play", until=1)
        most = sys.float_info.max
        self.assertEqual(said, [{"a": most, "b": -most, "c": 12345678901234567890}])

    async def test_a_line_that_is_too_long_is_refused_here(self) -> None:
        host = await self.start(Player(self))
        with self.assertRaises(ParleyError) as caught:
            await host.call("ping", text="x" * 1_000_001)
        self.assertEqual((caught.exception.code, caught.exception.http_status), ("inputTooLarge", 413))

    async def test_a_host_that_does_not_end_is_told_to(self) -> None:
        host = await AsyncHost(binary=Player(self, {"deaf": True}).binary).start()
        self.assertEqual(await host.close(patience=0.1), -signal.SIGTERM)

    # Restarts

    async def test_a_turn_is_followed_on(self) -> None:
        first = {"sendMessage": {"events": [event("turnStarted", 1), event("messageDelta", 2, messageId="m", delta="Hel")], "silent": True}}
        second = {"attachTurn": {"events": [event("messageDelta", 3, messageId="m", delta="lo")], "result": {"turn": {"id": "t"}}}}
        player = Player(self, {**first, "exit": {"die": True}}, second)
        host = await self.start(player, caller=ME, restart=True)
        stream = host.stream("sendMessage", text="Hi", caller={"userId": "you"})
        events: list[Any] = [await anext(stream), await anext(stream)]
        with self.assertRaises(HostEnded):
            await host.call("exit")
        events += [event async for event in stream]
        self.assertEqual([event["params"]["seq"] for event in events], [1, 2, 3])
        self.assertEqual(stream.result, {"turn": {"id": "t"}})
        self.assertEqual(player.asked("attachTurn"), [{"turnId": "t", "afterSeq": 2, "caller": {"userId": "you"}}])
        self.assertEqual(player.starts, 2)

    async def test_what_follows_a_turn_is_asked_again_as_it_was(self) -> None:
        attach = {"events": [event("messageDelta", 7, messageId="m", delta="Hel")], "silent": True}
        player = Player(self, {"attachTurn": attach, "exit": {"die": True}}, {})
        host = await self.start(player, restart=True)
        stream = host.stream("attachTurn", turnId="t", afterSeq=3, maxBytes=10, caller=ME)
        await anext(stream)
        with self.assertRaises(HostEnded):
            await host.call("exit")
        await stream
        first = {"turnId": "t", "afterSeq": 3, "maxBytes": 10, "caller": ME}
        self.assertEqual(player.asked("attachTurn"), [first, {**first, "afterSeq": 7}])

    async def test_to_cancel_a_turn_that_is_followed_on_cancels_the_turn(self) -> None:
        first = {"sendMessage": {"events": [event("turnStarted", 1)], "silent": True}, "exit": {"die": True}}
        player = Player(self, first, {"attachTurn": {"silent": True}})
        host = await self.start(player, caller=ME, restart=True)
        stream = host.stream("sendMessage", text="Hi")
        await anext(stream)
        with self.assertRaises(HostEnded):
            await host.call("exit")
        await host.call("ping")
        stream.cancel()
        await host.call("ping")
        self.assertEqual(player.asked("cancelTurn"), [{"turnId": "t"}])

    async def test_a_message_that_has_a_name_is_sent_again(self) -> None:
        second = {
            "sendMessage": {"result": {"turn": {"id": "t"}}},
            "attachTurn": {"events": [event("turnCompleted", 9)], "result": {"turn": {"id": "t", "status": "completed"}}},
        }
        player = Player(self, {"sendMessage": {"die": True}}, second)
        host = await self.start(player, caller=ME, restart=True)
        stream = host.stream("sendMessage", text="Hi", clientMessageId="1")
        events = [event["params"]["seq"] async for event in stream]
        self.assertEqual((events, (await stream)["turn"]["status"]), ([9], "completed"))
        self.assertEqual([params.get("wait") for params in player.asked("sendMessage")], [None, False])
        self.assertEqual(player.asked("attachTurn"), [{"turnId": "t", "afterSeq": 0}])

    async def test_what_may_have_had_an_effect_is_not_made_again(self) -> None:
        die = {"die": True}
        player = Player(self, {"sendMessage": die, "createBot": die, "listBots": die}, {"sendMessage": die, "createBot": die}, {})
        host = await self.start(player, caller=ME, restart=True)
        for method in ["sendMessage", "createBot"]:
            with self.assertRaises(HostEnded) as caught:
                await host.call(method)
            self.assertTrue(caught.exception.retryable)
        await host.call("listBots")
        self.assertEqual([len(player.asked(method)) for method in ["sendMessage", "createBot", "listBots"]], [1, 1, 1])

    async def test_what_kills_each_host_is_given_up(self) -> None:
        player = Player(self, {"listBots": {"die": True}})
        host = await self.start(player, caller=ME, restart=True)
        with self.assertRaises(HostEnded):
            await host.call("listBots")
        self.assertEqual(len(player.asked("listBots")), 6)

    async def test_each_start_is_prepared_before_anything_else(self) -> None:
        ends: list[HostEnded | None] = []

        async def prepare(call: Any, ended: HostEnded | None) -> None:
            ends.append(ended)
            await call("setClientTools", tools=[])
            await call("listTools")

        player = Player(self, {"exit": {"die": True}}, {"listTools": {"die": True}}, {})
        host = await self.start(player, restart=True, on_start=prepare)
        with self.assertRaises(HostEnded):
            await host.call("exit")
        await host.call("ping")
        self.assertEqual((len(player.asked("setClientTools")), player.starts), (3, 3))
        self.assertEqual([ended and ended.exit_code for ended in ends], [None, -9, -9])

    async def test_a_start_that_cannot_be_prepared_has_failed(self) -> None:
        async def refuse(call: Any, ended: HostEnded | None) -> None:
            if ended:
                raise RuntimeError("No tools today.")

        player = Player(self, {"exit": {"die": True}})
        host = await self.start(player, restart=True, on_start=refuse)
        with self.assertRaises(HostEnded):
            await host.call("exit")
        with self.assertRaisesRegex(HostEnded, "No tools today"):
            await host.call("ping")


class ProgramTests(unittest.TestCase):
    """The program, for those who wait."""

    def script(self, *answers: Object) -> list[str]:
        """The flags that make a model say this, and keep it in memory."""
        file = tempfile.NamedTemporaryFile("w", suffix=".jsonl")
        self.addCleanup(file.close)
        file.write("".join(json.dumps(answer) + "\n" for answer in answers))
        file.flush()
        return ["--database", ":memory:", "--model", f"scripted:{file.name}"]

    def host(self, arguments: list[str], **options: Any) -> Host:
        host = Host(arguments, binary=BINARY, caller=ME, **options)
        self.addCleanup(host.close, 0)
        return host

    def test_a_turn_streams_and_its_result_says_the_same(self) -> None:
        host = self.host(self.script({"steps": [{"text": "Hel"}, {"text": "lo."}]}))
        stream = host.stream("sendMessage", text="Hi")
        deltas = [event["params"]["delta"] for event in stream if event["method"] == "messageDelta"]
        result = stream.wait()
        self.assertEqual(("".join(deltas), text_of(result["message"])), ("Hello.", "Hello."))
        self.assertEqual((result["turn"]["status"], stream.turn_id), ("completed", result["turn"]["id"]))
        self.assertEqual(host.close(), 0)
        self.assertEqual(host.close(), 0)
        with self.assertRaises(HostEnded):
            host.call("ping")

    def test_a_turn_is_cancelled(self) -> None:
        host = self.host(self.script({"steps": [{"text": "For ever"}, {"delayMs": 600_000}, {"text": " and ever."}]}))
        stream = host.stream("sendMessage", text="How long?")
        for event in stream:
            if event["method"] == "messageDelta":
                stream.cancel()
        self.assertEqual((stream.wait()["turn"]["status"], text_of(stream.wait()["message"])), ("cancelled", "For ever"))

    def test_a_refusal_says_what_to_do(self) -> None:
        host = self.host([*self.script(), "--set", "quotas.user.turns.limit=0"])
        with self.assertRaises(ParleyError) as caught:
            list(host.stream("sendMessage", text="Hi"))
        self.assertEqual((caught.exception.code, caught.exception.http_status, caught.exception.data["unit"]), ("quotaExceeded", 429, "turns"))
        with self.assertRaises(ParleyError) as caught:
            host.call("getBot", botId="none")
        self.assertEqual((caught.exception.code, caught.exception.retryable, caught.exception.retry_after_ms), ("notFound", False, None))

    def test_a_program_that_cannot_start_says_why(self) -> None:
        for restart in [False, True]:
            with self.assertRaisesRegex(HostEnded, "/nowhere could not be started: No such file"):
                Host(binary="/nowhere", restart=False)
            with self.assertRaisesRegex(HostEnded, 'exit code 78: .*no provider has the name "nobody"') as caught:
                self.host(["--model", "nobody:knows"], restart=restart)
            self.assertFalse(caught.exception.retryable)

    def test_tools_and_approvals_are_answered(self) -> None:
        weather = {"name": "weather", "description": "Tells it.", "inputSchema": {"type": "object"}, "policy": "ask"}
        arguments = self.script(
            {"steps": [{"toolCall": {"name": "weather", "arguments": {"city": "Rome"}}}]},
            {"text": "It is sunny."},
        )
        log: list[str] = []
        host = self.host(
            [*arguments, "--log-level", "debug"],
            handlers={
                "callTool": lambda request: tool_result(f"Sunny in {request.params['arguments']['city']}."),
                "requestApproval": lambda request: {"option": request.params["options"][0]},
            },
            on_start=lambda call, ended: call("setClientTools", tools=[weather]),
            log=log.append,
        )
        result = host.call("sendMessage", text="How is Rome?")
        self.assertEqual(text_of(result["message"]), "It is sunny.")
        self.assertEqual(host.close(), 0)
        self.assertTrue("".join(log).endswith("\n"))

    def test_many_threads_ask_at_once(self) -> None:
        host = self.host(["--database", ":memory:", "--set", "quotas.user.inFlight.limit=none"])
        said: dict[int, str] = {}

        def ask(number: int) -> None:
            said[number] = text_of(host.call("sendMessage", text=f"My number is {number}.", stream=False)["message"])

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([number for number in range(20) if f"My number is {number}." in said[number]], list(range(20)))

    def test_ctrl_c_ends_the_program_and_the_host(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            script = f"""
import sys
from parley import Host
with Host({self.script({"steps": [{"text": "For ever"}, {"delayMs": 600_000}]})!r}, binary={BINARY!r}, caller={{"userId": "me"}}) as host:
    for event in host.stream("sendMessage", text="How long?"):
        if event["method"] == "messageDelta":
            print(host.process_id, flush=True)
"""
            script_file = Path(folder, "script.py")
            script_file.write_text(script)
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
            command = [sys.executable, "-B", str(script_file)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment) as process:
                assert process.stdout
                host = int(process.stdout.readline())
                process.send_signal(signal.SIGINT)
                _, errors = process.communicate(timeout=30)
            self.assertTrue(errors.endswith("KeyboardInterrupt\n"), errors)
            with self.assertRaises(ProcessLookupError):
                os.kill(host, 0)


class AsyncProgramTests(unittest.IsolatedAsyncioTestCase):
    """The program, for asyncio."""

    async def test_a_turn_outlives_its_host(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            script = Path(folder, "script.jsonl")
            script.write_text('{"steps": [{"text": "For ever"}, {"delayMs": 600000}, {"text": " and ever."}]}\n')
            flags = ["--database", f"{folder}/parley.db", "--model", f"scripted:{script}"]
            async with AsyncHost(flags, binary=BINARY, caller=ME, restart=True) as host:
                stream = host.stream("sendMessage", text="How long?")
                events: list[Event] = []
                async for event in stream:
                    events.append(event)
                    if event["method"] == "messageDelta":
                        # What a turn says is stored once a second.
                        await self.until_stored(host, stream)
                        assert host.process_id
                        os.kill(host.process_id, signal.SIGKILL)
                result = await stream
                # No snapshot, for what had been said is held already.
                self.assertEqual([event["method"] for event in events], ["turnStarted", "messageDelta", "turnCompleted"])
                self.assertEqual((result["turn"]["status"], text_of(result["message"])), ("interrupted", "For ever"))
                self.assertIsNotNone(host.ended)
                # One that was asked while there was no host is answered by the next.
                assert host.process_id
                os.kill(host.process_id, signal.SIGKILL)
                self.assertEqual(len((await host.call("listConversations"))["data"]), 1)

    async def until_stored(self, host: AsyncHost, stream: AsyncStream) -> None:
        while not (await host.call("getTurn", turnId=stream.turn_id)).get("message"):
            await asyncio.sleep(0.05)

    async def test_hundreds_of_requests_are_under_way_at_once(self) -> None:
        flags = ["--database", ":memory:", "--set", "quotas.user.inFlight.limit=none"]
        async with AsyncHost(flags, binary=BINARY, caller=ME) as host:
            turns = [host.call("sendMessage", text=f"My number is {number}.") for number in range(40)]
            results = await asyncio.gather(*turns, *(host.call("ping") for _ in range(200)))
            for number in range(40):
                self.assertIn(f"My number is {number}.", text_of(results[number]["message"]))

    async def test_a_turn_ends_although_nobody_waits(self) -> None:
        async with AsyncHost(["--database", ":memory:"], binary=BINARY, caller=ME) as host:
            stream = host.stream("sendMessage", text="Hi")
            await anext(stream)
            stream.detach()
            while (await host.call("getTurn", turnId=stream.turn_id))["turn"]["status"] == "inProgress":
                pass
            self.assertEqual((await host.call("getTurn", turnId=stream.turn_id))["turn"]["status"], "completed")
            with self.assertRaises(asyncio.CancelledError):
                task = asyncio.create_task(host.call("sendMessage", text="Hi", wait=False))
                task.cancel()
                await task
        self.assertIsNone(host.process_id)

    async def test_a_start_that_is_cancelled_leaves_nothing(self) -> None:
        host = AsyncHost(["--database", ":memory:"], binary=BINARY)
        task = asyncio.create_task(host.start())
        await asyncio.sleep(0.005)
        task.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await task
        self.assertIsNone(host.process_id)


if __name__ == "__main__":
    unittest.main()
