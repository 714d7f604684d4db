"""Processes of Parley that die, at any moment: nothing is lost, nothing is done twice, and people notice as little as can be."""

from __future__ import annotations

import os
import re
import signal
import stat
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest.mock import patch

from gateway import workers
from gateway.workers import Backoff

from .harness import PARLEY, Browser, Gateway, Transcript, follow, script, stop, tokens, wait_for

LONG, LONG_STEPS = tokens(100, 20)
MODEL = script({"expect": "long", "steps": LONG_STEPS}, {"text": "Hello."})


class DeathTests(unittest.TestCase):
    def signed_in(self, gateway: Gateway, name: str = "Ada") -> Browser:
        browser = gateway.browser()
        browser.sign_in(name)
        return browser

    def test_a_death_in_the_middle_of_a_turn(self) -> None:
        with Gateway(model=MODEL) as gateway:
            browser = self.signed_in(gateway)
            sent = browser.call("sendMessage", text="long")["turn"]
            transcript = Transcript()
            killed = None
            with browser.events(sent["id"]) as events:
                for event in events:
                    transcript.take(event)
                    # Once: after a snapshot numbers come again.
                    if event.id == 30 and not killed:
                        killed = gateway.kill_parley()
            # The same stream has gone on with another process, and tells what is stored and how the turn has ended.
            self.assertEqual((transcript.snapshots > 0, transcript.status, transcript.has_ended), (True, "interrupted", True))
            self.assertTrue(LONG.startswith(transcript.text))
            self.assertNotIn(killed, gateway.parleys)
            again = browser.call("sendMessage", conversationId=sent["conversationId"], text="Hello?")["turn"]
            self.assertEqual(follow(browser, again["id"]).text, "Hello.")

    def test_a_death_before_a_send_was_read(self) -> None:
        with Gateway(model=MODEL) as gateway:
            browser = self.signed_in(gateway)
            conversation = browser.call("createConversation")["conversation"]["id"]
            (parley,) = gateway.parleys
            stop(parley)
            answers: list[str] = []
            sender = threading.Thread(
                target=lambda: answers.append(browser.call("sendMessage", conversationId=conversation, text="Hello?")["turn"]["id"])
            )
            sender.start()
            self.assertEqual(gateway.browser().get("/").status, 200)
            os.kill(parley, signal.SIGKILL)
            sender.join()
            self.assertEqual(follow(browser, answers[0]).text, "Hello.")
            self.assertEqual(len(browser.call("listMessages", conversationId=conversation)["data"]), 2)

    def test_deaths_at_any_moment_of_many_sends(self) -> None:
        with Gateway("--workers", "2", model=MODEL) as gateway:
            stop = threading.Event()
            accepted: dict[str, list[str]] = {}
            failures: list[str] = []

            def converse(name: str) -> None:
                browser = self.signed_in(gateway, name)
                conversation = browser.call("createConversation", title=name)["conversation"]["id"]
                accepted[name] = []
                while not stop.is_set():
                    text = f"{name} {len(accepted[name])}"
                    answer = browser.post("/api/sendMessage", {"conversationId": conversation, "text": text, "onBusy": "enqueue"})
                    if answer.status != 200:
                        failures.append(f"{answer.status} {answer.body!r}")
                        return
                    accepted[name].append(text)
                    status = follow(browser, answer.json["turn"]["id"]).status
                    if status not in ("completed", "interrupted"):
                        failures.append(status)

            people = [threading.Thread(target=converse, args=(f"person-{number}",)) for number in range(6)]
            for person in people:
                person.start()
            for number in range(5):
                time.sleep(0.6)
                wait_for(lambda: len(gateway.parleys) == 2)
                gateway.kill_parley(number % 2)
            stop.set()
            for person in people:
                person.join()
            self.assertEqual(failures, [])
            self.assertEqual(len(accepted), 6)
            for name, texts in accepted.items():
                browser = self.signed_in(gateway, name)
                (conversation,) = browser.call("listConversations")["data"]
                stored: list[str] = []
                cursor = None
                while True:
                    page = browser.call("listMessages", conversationId=conversation["id"], limit=200, cursor=cursor)
                    stored += [each["content"][0]["text"] for each in page["data"] if each["role"] == "user"]
                    cursor = page.get("nextCursor")
                    if not cursor:
                        break
                self.assertGreater(len(texts), 3)
                self.assertEqual(stored[::-1], texts)

    def test_another_process_takes_over_at_once(self) -> None:
        with Gateway("--workers", "2", model=MODEL) as gateway:
            browser = self.signed_in(gateway)
            conversations = [browser.call("createConversation")["conversation"]["id"] for _ in range(8)]
            for number in range(2):
                gateway.kill_parley(number)
                began = time.monotonic()
                for conversation in conversations:
                    turn = browser.call("sendMessage", conversationId=conversation, text="Hello?")["turn"]["id"]
                    self.assertEqual(follow(browser, turn).text, "Hello.")
                self.assertLess(time.monotonic() - began, 5)
                wait_for(lambda: len(gateway.parleys) == 2)

    def test_a_turn_is_seen_piece_by_piece_by_whoever_runs_it(self) -> None:
        with Gateway("--workers", "3", model=MODEL) as gateway:
            browser = self.signed_in(gateway)
            turns = [browser.call("sendMessage", text="long")["turn"]["id"] for _ in range(6)]
            transcripts = [follow(browser, turn) for turn in turns]
            self.assertEqual({transcript.text for transcript in transcripts}, {LONG})
            # The first was followed while it ran; a snapshot would mean that another process was asked.
            self.assertEqual(transcripts[0].snapshots, 0)

    def test_a_program_that_cannot_run_is_asked_less_and_less(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "parley"
            broken = Path(folder) / "broken"
            program.write_text(f'#!/bin/sh\n[ -e {broken} ] && exit 1\nexec {os.path.abspath(os.environ["PARLEY"])} "$@"\n')
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            with Gateway(model=MODEL, parley=str(program)) as gateway:
                browser = self.signed_in(gateway)
                turn = browser.call("sendMessage", text="Hello?")["turn"]["id"]
                broken.touch()
                gateway.kill_parley()
                wait_for(lambda: "started again in 2 s" in gateway.log)
                began = time.monotonic()
                answer = browser.refusal("sendMessage", text="Hello?")
                # At once, because there is nothing to wait for.
                self.assertLess(time.monotonic() - began, 1)
                self.assertEqual((answer.status, answer.code), (503, "parleyUnavailable"))
                self.assertTrue(answer.json["error"]["data"]["retryable"])
                self.assertIn(int(answer.headers["Retry-After"]), (1, 2))
                # The page itself, and who is signed in, do not depend on it.
                self.assertEqual(browser.get("/").status, 200)
                self.assertTrue(browser.session()["signedIn"])
                broken.unlink()
                wait_for(lambda: browser.post("/api/getTurn", {"turnId": turn}).status == 200)
                self.assertEqual([re.findall(r"in ([\d.]+) s", line)[0] for line in gateway.log.splitlines() if "again" in line], ["0", "0.5", "1", "2"])

    def test_what_cannot_be_started_at_all_is_said(self) -> None:
        for gateway, reason in ((Gateway(parley="/no/such/parley"), "could not be started"), (Gateway(serve=["--set=x=1"]), "exit code 78: parley: --set x")):
            self.assertEqual(gateway.process.wait(10), 1)
            self.assertIn(reason, gateway.log.splitlines()[-1])
            self.assertNotIn("Traceback", gateway.log)
            gateway.stop()

    def test_the_end_is_orderly(self) -> None:
        with Gateway("--workers", "2", model=MODEL) as gateway:
            browser = self.signed_in(gateway)
            turn = browser.call("sendMessage", text="long")["turn"]["id"]
            parleys = gateway.parleys
            began = time.monotonic()
            with browser.events(turn) as events:
                follower = iter(events)
                self.assertEqual(next(follower).name, "turnStarted")
                gateway.process.terminate()
                # The stream ends without its end: the browser will come back.
                self.assertNotIn("end", [event.name for event in follower])
            self.assertEqual(gateway.stop(), 0)
            # The turn had the time that Parley gives: it came to its end.
            self.assertLess(time.monotonic() - began, 8)
            for parley in parleys:
                self.assertFalse(Path(f"/proc/{parley}").exists())

    def test_a_gateway_that_is_killed_leaves_nothing_behind(self) -> None:
        with Gateway("--workers", "2") as gateway:
            parleys = gateway.parleys
            gateway.process.kill()
            wait_for(lambda: not any(Path(f"/proc/{parley}").exists() for parley in parleys))

    def test_who_is_signed_in_and_what_was_said_outlive_the_gateway(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            database = str(Path(folder) / "chats.db")
            with Gateway("--database", database) as gateway:
                browser = self.signed_in(gateway)
                turn = browser.call("sendMessage", text="Hello?")["turn"]["id"]
                follow(browser, turn)
            self.assertEqual(stat.S_IMODE((Path(folder) / "gateway-secret").stat().st_mode), 0o600)
            with Gateway("--database", database) as gateway:
                later = gateway.browser()
                later.cookies = browser.cookies
                self.assertEqual(follow(later, turn).status, "completed")


class WorkerTests(unittest.IsolatedAsyncioTestCase):
    async def test_a_process_that_does_not_answer_is_replaced(self) -> None:
        with tempfile.TemporaryDirectory() as folder, patch.multiple(workers, PING_SECONDS=0.2, PING_PATIENCE_SECONDS=0.5):
            those = workers.Workers(PARLEY, ["--database", str(Path(folder) / "parley.db")], 1)
            try:
                await those.start()
                (host,) = those.hosts
                assert host.process_id
                stop(host.process_id)
                # What it was asked is asked of the next one.
                models = await those.call("listModels", {"caller": {"userId": "ada"}}, "ada", is_repeatable=True)
                self.assertTrue(models["data"])
                self.assertNotEqual(those.hosts, [host])
            finally:
                await those.close()


class BackoffTests(unittest.TestCase):
    def test_the_first_death_is_forgiven(self) -> None:
        backoff = Backoff(first=1, most=5, steady=10)
        self.assertEqual([backoff.after(0.1) for _ in range(5)], [0, 1, 2, 4, 5])
        self.assertEqual([backoff.after(10), backoff.after(1)], [0, 1])


if __name__ == "__main__":
    unittest.main()
