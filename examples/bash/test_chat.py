"""The script in Bash, with the program that $PARLEY names, or else the path."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BINARY = os.environ.get("PARLEY", "parley")
Object = dict[str, Any]


class ChatTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def model(self, *answers: Object) -> list[str]:
        """The flags that make a model say this."""
        script = Path(self.folder, "script.jsonl")
        script.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        return ["--database", f"{self.folder}/parley.db", "--model", f"scripted:{script}"]

    def begin(self, *arguments: str, binary: str = BINARY, **options: Any) -> subprocess.Popen[str]:
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        environment = {**os.environ, "PARLEY": binary, "USER": "ada"}
        return subprocess.Popen([str(HERE / "chat"), *arguments], text=True, env=environment, **options)

    def chat(self, *arguments: str, text: str | None = None, **options: Any) -> tuple[int, str, str]:
        """Runs it to its end. Returns the exit code, what it printed, and its errors."""
        with self.begin(*arguments, stdin=subprocess.DEVNULL if text is None else subprocess.PIPE, **options) as process:
            output, errors = process.communicate(text, timeout=60)
            return process.returncode, output, errors

    def test_a_conversation_goes_on(self) -> None:
        flags = self.model({"text": "\x1b[31mHello\tAda.\x00\r\n\"Well?\" \\n %s ünï 😀\x9b"}, {"expect": "Again?", "text": "Yes."}, {"text": "Yes, yes."})
        code, output, errors = self.chat("Who\nam I? 'I' \"am\" $me", "Again?", "--", *flags)
        self.assertEqual((code, output), (0, "[31mHello\tAda.\n\"Well?\" \\n %s ünï 😀\nYes.\n"), errors)
        conversation = errors.rstrip("\n").rpartition(" ")[2]
        self.assertRegex(errors, "^To go on: .*/chat -c ")
        database = f"{self.folder}/parley.db"
        code, output, errors = self.chat("-c", conversation, "--", "--database", database, text="What was first?\n\nAnd last")
        self.assertEqual(code, 0, errors)
        self.assertIn("Of your 3 messages, the first was “Who am I? 'I' \"am\" $me”", output)
        self.assertIn("Of your 4 messages", output)

    def test_an_answer_comes_piece_by_piece_and_is_stopped(self) -> None:
        pieces: list[Object] = [{"text": "For "}, {"text": "ever"}, {"waitFor": "$/cancelRequest"}, {"text": " and ever."}]
        flags = self.model({"steps": pieces}, {"text": "Gladly."})
        with self.begin("How long?", "Stop!", "--", *flags) as process:
            assert process.stdout
            # This waits until the model has said it, and the model waits for the cancel.
            self.assertEqual(process.stdout.read(8), "For ever")
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=60)
            self.assertEqual((process.returncode, output), (0, " [cancelled]\nGladly.\n"), errors)

    def test_ctrl_c_reaches_the_script_alone(self) -> None:
        flags = self.model({"steps": [{"text": "For ever"}, {"waitFor": "$/cancelRequest"}]}, {"text": "Gladly."})
        control, terminal = pty.openpty()
        self.addCleanup(os.close, control)
        with self.begin("--", *flags, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True, preexec_fn=own_terminal) as process:
            os.close(terminal)

            shown = ""

            def read_to(text: str) -> None:
                nonlocal shown
                while text not in shown:
                    shown += os.read(control, 1024).decode()
                shown = shown.partition(text)[2]

            read_to("> ")
            os.write(control, b"How long?\n")
            read_to("For ever")
            os.write(control, b"\x03")
            read_to("[cancelled]")
            os.write(control, b"Stop!\n")
            read_to("Gladly.")
            read_to("> ")
            os.write(control, b"\x03")
            self.assertEqual(process.wait(60), -signal.SIGINT)

    def test_errors_are_told_by_their_code(self) -> None:
        memory = ["--", "--database", ":memory:"]
        for arguments, text in [
            (["-c", "none", "Hi", *memory], "There is no such conversation"),
            (["Hi", *memory, "--set", "quotas.user.turns.limit=0"], "There is nothing left for now"),
            ([" ", *memory], "invalidParams"),
        ]:
            code, output, errors = self.chat(*arguments)
            self.assertEqual(code, 1, errors)
            self.assertIn(text, output)
        flags = self.model({"steps": [{"text": "Well"}, {"error": {"code": "modelRejected", "message": "Down."}}]}, {"text": "Up again."})
        code, output, _ = self.chat("Hi", "And now?", "--", *flags)
        self.assertEqual((code, output), (1, "Well[Down.]\nUp again.\n"))

    def test_a_program_that_is_missing_or_ends_is_told(self) -> None:
        self.assertEqual(self.chat("Hi", binary="/nowhere")[::2], (2, "There is no program /nowhere.\n"))
        code, _, errors = self.chat("Hi", "--", "--model", "nobody:knows")
        self.assertEqual(code, 2)
        self.assertIn('no provider has the name "nobody"', errors)
        self.assertIn("Parley has ended (exit code 78)", errors)

    def test_a_death_in_the_middle_is_told(self) -> None:
        # A host whose process id is known.
        host = Path(self.folder, "host")
        host.write_text(f'#!/bin/sh\necho $$ >"{self.folder}/pid"\nexec "{shutil.which(BINARY)}" "$@"\n')
        host.chmod(0o755)
        flags = self.model({"steps": [{"text": "For ever"}, {"waitFor": "cancelTurn"}]})
        with self.begin("How long?", "Again?", "--", *flags, binary=str(host)) as process:
            assert process.stdout
            self.assertEqual(process.stdout.read(8), "For ever")
            os.kill(int(Path(self.folder, "pid").read_text()), signal.SIGKILL)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 2)
            self.assertIn("Parley has ended (exit code 137).", errors)


def own_terminal() -> None:
    """Makes stdin the terminal that the process is controlled by."""
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


if __name__ == "__main__":
    unittest.main()
