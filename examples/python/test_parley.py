"""What parley.py does with what a host asks of it, shown with a host that only plays back."""

import os
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from parley import Host, HostRequest, ParleyError, tool_result

# `play` writes lines and keeps its answer back until so many lines have come; `received` tells all that came.
HOST = f"""#!{sys.executable}
import json, sys

received = []
for line in sys.stdin:
    message = json.loads(line)
    if "method" not in message:
        received.append(message)
        continue
    params, result = message["params"], {{"serverInfo": {{}}}}
    if message["method"] == "exit":
        sys.exit(0)
    if message["method"] == "play":
        for played in params["lines"]:
            print(json.dumps(played), flush=True)
        while len(received) < params.get("until", 0):
            received.append(json.loads(sys.stdin.readline()))
    if message["method"] == "received":
        result = {{"lines": received}}
    if message["method"] == "initialize":
        result["capabilities"] = params["capabilities"]
    print(json.dumps({{"jsonrpc": "2.0", "id": message["id"], "result": result}}), flush=True)
"""


def call(number: int, method: str = "callTool", **params):
    return {"jsonrpc": "2.0", "id": f"host-{number}", "method": method, "params": params}


class HostRequestTests(unittest.TestCase):
    def start(self, **handlers) -> Host:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        host = Path(folder.name, "host")
        host.write_text(HOST)
        os.chmod(host, 0o755)
        parley = Host(binary=str(host), handlers=handlers)
        self.addCleanup(parley.close)
        return parley

    def answers(self, parley: Host, *lines, until: int) -> dict:
        parley.call("play", lines=lines, until=until)
        return {line["id"]: line for line in parley.call("received")["lines"]}

    def test_a_handler_answers(self):
        parley = self.start(callTool=lambda request: tool_result(f"Sunny in {request.params['city']}.", data={"celsius": 21}))
        answer = self.answers(parley, call(1, city="Rome"), until=1)["host-1"]
        self.assertEqual(
            answer["result"],
            {"content": [{"type": "text", "text": "Sunny in Rome."}], "isError": False, "data": {"celsius": 21}},
        )

    def test_approvals_are_promised_only_by_those_who_can_give_them(self):
        self.assertFalse(self.start().server["capabilities"]["approvals"])
        parley = self.start(requestApproval=lambda request: {"option": request.params["options"][0]})
        self.assertTrue(parley.server["capabilities"]["approvals"])
        answer = self.answers(parley, call(1, "requestApproval", options=["allowOnce"]), until=1)["host-1"]
        self.assertEqual(answer["result"], {"option": "allowOnce"})

    def test_whatever_goes_wrong_is_answered(self):
        def fail(request: HostRequest):
            if request.params["how"] == "raise":
                raise RuntimeError("The station is closed.")
            return {"content": object()}

        answers = self.answers(self.start(callTool=fail), call(1, how="raise"), call(2, how="return"), call(3, "unknown"), until=3)
        self.assertEqual(answers["host-1"]["error"], {"code": -32000, "message": "The station is closed."})
        self.assertIn("not JSON serializable", answers["host-2"]["error"]["message"])
        self.assertEqual(answers["host-3"]["error"]["code"], -32601)

    def test_calls_run_side_by_side(self):
        both = threading.Barrier(2, timeout=60)

        def meet(_: HostRequest):
            both.wait()
            return tool_result("Met.")

        answers = self.answers(self.start(callTool=meet), call(1), call(2), until=2)
        self.assertEqual({answer["result"]["content"][0]["text"] for answer in answers.values()}, {"Met."})

    def test_a_handler_may_call_the_host(self):
        parley = self.start(callTool=lambda _: tool_result(str(parley.call("ping"))))
        parley.call("play", lines=[call(1)])
        self.threads_end()
        self.assertEqual(len(parley.call("received")["lines"]), 1)

    def test_what_the_host_has_given_up_is_not_answered(self):
        def wait(request: HostRequest):
            self.assertTrue(request.cancelled.wait(60))
            return tool_result("Too late.")

        parley = self.start(callTool=wait)
        parley.call("play", lines=[call(1), {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "host-1"}}])
        self.threads_end()
        self.assertEqual(parley.call("received")["lines"], [])

    def test_the_end_of_the_host_is_told_to_all_who_wait(self):
        given_up = threading.Event()

        def wait(request: HostRequest):
            request.cancelled.wait(60)
            given_up.set()

        parley = self.start(callTool=wait)
        parley.call("play", lines=[call(1)])
        for method in ["exit", "ping"]:
            with self.assertRaises(ParleyError) as caught:
                parley.call(method)
            self.assertEqual(caught.exception.code, "ended")
        self.assertTrue(given_up.wait(60))

    def test_a_parameter_that_is_no_json_is_refused_at_once(self):
        parley = self.start()
        with self.assertRaises(TypeError):
            parley.call("ping", value=object())
        self.assertEqual(parley.call("received")["lines"], [])

    def threads_end(self):
        for thread in threading.enumerate():
            if thread.name.startswith("callTool"):
                thread.join(60)
                self.assertFalse(thread.is_alive())


if __name__ == "__main__":
    unittest.main()
