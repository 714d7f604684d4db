"""fakellm: a mock of OpenAI's and Anthropic's APIs that plays what its rules say, tool calls over several turns included."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from case import ConversationCases, PeerCase
from server import Environment, Server

# First match wins; turns are counted by requests, in a conversation that is known by its first message. JSON is YAML.
RULES = {
    "rules": [
        {
            "name": "call", "when": {"turn": 1, "messages_contain": "make a bot", "tools_include": "create_bot"},
            "respond": {"tool_calls": [{"name": "create_bot", "arguments": {"name": "Poet", "instructions": "Answer in “rhymes”."}}]},
        },
        {
            "name": "report", "when": {"turn": 2, "tool_result_contains": 'Made the bot "Poet"'},
            "respond": {"content": "Your bot Poet is ready."},
        },
        {
            "name": "call two", "when": {"turn": 3, "messages_contain": "and now"},
            "respond": {
                "tool_calls": [{"name": "list_bots", "arguments": {}}, {"name": "get_bot_info", "arguments": {"bot": "Poet"}}]
            },
        },
        {
            "name": "report two", "when": {"turn": 4, "messages_contain": "and now", "tool_result_contains": "“rhymes”"},
            "respond": {"content": "You have Poet, which answers in rhymes."},
        },
        {"name": "long", "when": {"turn": 1, "messages_contain": "long story"}, "respond": {"content": "On and on, " * 200}},
        {"name": "last", "respond": {"content": "As a matter of fact, it is so."}},
    ]
}


class FakeLLM(ConversationCases, PeerCase):
    title = "fakellm, OpenAI"
    environment = Environment("fakellm", ["fakellm==0.3.5"])
    model = "fake"
    has_usage = False

    @classmethod
    def start(cls, python: Path, folder: Path) -> Server:
        rules = folder / "rules.yaml"
        rules.write_text(json.dumps(RULES))
        # Its own command takes no time for idle connections.
        command = [python, "-m", "uvicorn", "fakellm.server:app", "--host", "127.0.0.1", "--port", "0", "--timeout-keep-alive", "1"]
        return Server(command, {"FAKELLM_CONFIG": str(rules)})

    def test_tools(self) -> None:
        """two turns with tools: a bot is made, then two calls at once"""
        host = self.host()
        answer = host.say("Please make a bot that rhymes.")
        call = self.assert_bot_made_by_tool(host, answer, "Poet")
        self.assertEqual(call["arguments"], {"name": "Poet", "instructions": "Answer in “rhymes”."})
        self.assertEqual(answer.text, "Your bot Poet is ready.")

        answer = host.say("And now tell me about my bots.")
        self.assert_completed(answer)
        self.assertEqual([started["toolCall"]["name"] for started in answer.of("toolCallStarted")], ["list_bots", "get_bot_info"])
        self.assertEqual([completed["status"] for completed in answer.of("toolCallCompleted")], ["completed"] * 2)
        self.assertEqual(answer.text, "You have Poet, which answers in rhymes.")

    def test_server_that_dies(self) -> None:
        """a server that dies in the middle fails the turn, keeps what was said, and is named when it is gone"""
        server = self.start(self.environment.python(), Path(self.enterContext(tempfile.TemporaryDirectory())))
        self.addCleanup(server.stop)
        host = self.host(url=server.url)
        stream = host.stream("sendMessage", text="Tell me a long story.")
        deltas = []
        for event in stream:
            if event["method"] == "messageDelta":
                if not deltas:
                    server.kill()
                deltas.append(event["params"]["delta"])
        turn, message = stream.result["turn"], stream.result["message"]
        self.assertEqual((turn["status"], turn["error"]["data"]["code"]), ("failed", "modelUnavailable"))
        self.assertEqual((message["status"], message["content"][0]["text"]), ("partial", "".join(deltas)))
        host.conversation = turn["conversationId"]
        answer = host.say("Are you there?")
        self.assertEqual((answer.turn["status"], answer.turn["error"]["data"]["code"]), ("failed", "modelUnavailable"))


class FakeLLMAnthropic(FakeLLM):
    title = "fakellm, Anthropic"
    kind = "anthropic"
    path = ""
    has_usage = True
