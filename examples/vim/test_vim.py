"""The plugin in a Vim without a screen, with the program that $PARLEY names, or else the path."""

from __future__ import annotations

import json
import os
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

# What the tests' scripts may use. `Until` lets Vim do what else there is to do until an expression is true.
PRELUDE = """
set shortmess+=I hidden
function Until(condition) abort
  let begin = reltime()
  while !eval(a:condition)
    if reltimefloat(reltime(begin)) > 30
      throw 'in vain: ' .. a:condition .. ' ' .. string(getline(1, '$')) .. execute('messages')
    endif
    sleep 5m
  endwhile
endfunction
function Answered() abort
  return exists('b:parley') && !b:parley.request
endfunction
"""


class VimTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def model(self, *answers: Object) -> list[str]:
        """The command for a host whose model says this."""
        script = Path(self.folder, "script.jsonl")
        script.write_text("".join(json.dumps(answer) + "\n" for answer in answers))
        # Its process id is written down first.
        host = Path(self.folder, "host")
        host.write_text(f'#!/bin/sh\necho $$ >"{self.folder}/pid"\nexec "{shutil.which(BINARY)}" "$@"\n')
        host.chmod(0o755)
        flags = ["--database", f"{self.folder}/parley.db", "--model", f"scripted:{script}", "--caller", "userId:me"]
        return [str(host), "serve", *flags]

    def vim(self, command: Any, script: str) -> Any:
        """Runs a script in Vim, which leaves a value in `result`. Returns that."""
        output = Path(self.folder, "result.json")
        file = Path(self.folder, "script.vim")
        file.write_text(
            f"{PRELUDE}\nlet g:parley_command = {json.dumps(command)}\ntry\n{script}\n"
            f"catch\n  let result = v:exception .. ' ' .. v:throwpoint\nendtry\n"
            f"call writefile([json_encode(result)], {json.dumps(str(output))})\nqall!\n"
        )
        vim = ["vim", "-Nu", "NONE", "-n", "-i", "NONE", "-es", "--cmd", f"set rtp^={HERE}", "-c", "runtime plugin/parley.vim", "-S", str(file)]
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        ended = subprocess.run(vim, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        self.assertTrue(output.exists(), ended)
        return json.loads(output.read_text())

    def test_the_answer_about_the_selection_is_in_the_buffer_and_the_conversation_goes_on(self) -> None:
        result = self.vim(
            self.model(
                {"expect": "What is this?\n\n```\nlet b = 1\nlet ünï\n```", "steps": [{"text": "It is 😀\nb"}, {"text": "ad.\n\nVery."}]},
                {"expect": "Why?", "text": "So."},
            ),
            """
            call setline(1, ['let a = 0', '  let b = 1', 'let ünïcode = 2'])
            call setreg('z', 'kept')
            call cursor(2, 3)
            execute "normal! vj0fï\\<Esc>"
            '<,'>Parley What is this?
            call Until('Answered()')
            Parley Why? | "Really"?
            call Until('Answered()')
            let result = [getline(1, '$'), bufname(), &buftype, getreg('z'), line('.')]
            """,
        )
        answer = ["> What is this?", "> (and 2 selected lines)", "", "It is 😀", "bad.", "", "Very.", "", '> Why? | "Really"?', "", "So."]
        self.assertEqual(result, [answer, "[Parley 2]", "nofile", "kept", 11])

    def test_lines_are_sent_as_they_are(self) -> None:
        result = self.vim(
            self.model({"expect": "Sum?\n\n```c\n1 +\n2\n```", "text": "3."}),
            """
            call setline(1, ['0', '1 +', '2', '3'])
            setlocal filetype=c
            2,3Parley Sum?
            call Until('Answered()')
            let result = getline('$')
            """,
        )
        self.assertEqual(result, "3.")

    def test_it_streams_and_stops(self) -> None:
        pieces: list[Object] = [{"text": "For "}, {"text": "ever"}, {"waitFor": "$/cancelRequest"}, {"text": " and ever."}]
        result = self.vim(
            self.model({"steps": pieces}, {"text": "Gladly."}),
            """
            Parley How long?
            call Until('getline("$") ==# "For ever"')
            let result = [b:parley.request]
            Parley Too early
            wincmd p
            ParleyStop
            wincmd p
            call Until('Answered()')
            Parley Stop!
            call Until('Answered()')
            ParleyStop
            let result += [getline(1, '$'), split(execute('messages'), "\\n")]
            """,
        )
        self.assertEqual(result[0], 1)
        self.assertEqual(result[1], ["> How long?", "", "For ever [cancelled]", "", "> Stop!", "", "Gladly."])
        self.assertEqual(result[2], ["Parley: The answer is still being given. :ParleyStop stops it.", "Parley: No answer is being given."])

    def test_to_wipe_out_the_buffer_stops_the_answer(self) -> None:
        result = self.vim(
            self.model({"steps": [{"text": "For ever"}, {"waitFor": "$/cancelRequest"}]}, {"text": "Gladly."}),
            """
            Parley How long?
            call Until('getline("$") ==# "For ever"')
            bwipeout
            Parley Again
            call Until('Answered()')
            let result = [getline('$'), execute('messages')]
            """,
        )
        self.assertEqual(result, ["Gladly.", ""])

    def test_a_host_that_dies_is_started_again(self) -> None:
        result = self.vim(
            self.model({"steps": [{"text": "For ever"}, {"waitFor": "cancelTurn"}]}),
            f"""
            Parley How long?
            call Until('getline("$") ==# "For ever"')
            call system('kill -{signal.SIGKILL:d} ' .. readfile('{self.folder}/pid')[0])
            call Until('Answered()')
            let g:parley_command = ['{BINARY}', 'serve', '--database', '{self.folder}/parley.db', '--caller', 'userId:me']
            let result = [getline('$'), execute('messages')]
            Parley What did I say?
            call Until('Answered()')
            let result += [getline('$')]
            """,
        )
        self.assertEqual(result[0], "For ever [interrupted]")
        self.assertIn("Parley: It has ended with exit code", result[1])
        self.assertIn("Of your 2 messages, the first was “How long?”", result[2])

    def test_errors_are_told(self) -> None:
        failing: Object = {"steps": [{"text": "Well"}, {"error": {"code": "modelRejected", "message": "Down."}}]}
        for command, line, message in [
            (["/nowhere"], "", "Parley: There is no program /nowhere: set g:parley_command."),
            ([BINARY, "serve", "--model", "nobody:knows"], " [interrupted]", 'exit code 78. parley: model nobody:knows: .*no provider has the name "nobody"'),
            (f"{BINARY} serve --database :memory: --caller userId:me --set quotas.user.turns.limit=0", "[quotaExceeded]", "as many messages as you may"),
            (self.model(failing), "Well [failed]", "Parley: Down. .modelRejected"),
            (["/bin/echo", "hello"], " [interrupted]", "What Parley says is no JSON: hello"),
        ]:
            with self.subTest(command):
                result = self.vim(
                    command,
                    """
                    Parley Hi
                    call Until('execute("messages") =~# "Parley:" && (!exists("b:parley") || Answered())')
                    let result = [getline('$'), execute('messages')]
                    """,
                )
                self.assertEqual(result[0], line)
                self.assertRegex(result[1], message)

    def test_the_help_is_found(self) -> None:
        documents = Path(self.folder, "doc")
        shutil.copytree(HERE / "doc", documents)
        script = f"set rtp^={self.folder}\nhelptags {documents}\nhelp g:parley_command\nlet result = [&filetype, getline('.')]"
        kind, line = self.vim([], script)
        self.assertEqual(kind, "help")
        self.assertIn("*g:parley_command*", line)


if __name__ == "__main__":
    unittest.main()
