"""LiteLLM's proxy: an OpenAI-compatible relay, whose mocks fail in the ways in which providers do."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from case import ConversationCases, PeerCase
from server import Environment, Server

KEY_VARIABLE = "PEER_KEY"
os.environ[KEY_VARIABLE] = f"sk-{secrets.token_hex(16)}"

MOCKS = {
    "plain": {"mock_response": "It is red, for all that we know."},
    "long": {"mock_response": "On and on, " * 2000},
    "rate": {"mock_response": "litellm.RateLimitError"},
    "server": {"mock_response": "litellm.InternalServerError"},
    "context": {"mock_response": "litellm.ContextWindowExceededError"},
    "timeout": {"mock_response": "Too late.", "mock_timeout": True, "timeout": 0.1},
    "overload": {"mock_response": "Exception: mock_streaming_error"},
}


class LiteLLM(ConversationCases, PeerCase):
    title = "litellm, OpenAI"
    environment = Environment("litellm", ["litellm[proxy]==1.106.12"])
    api_key_variable = KEY_VARIABLE
    model = "plain"
    long_model = "long"
    has_usage = True

    @classmethod
    def start(cls, python: Path, folder: Path) -> Server:
        models = [
            {"model_name": name, "litellm_params": {"model": "openai/mock", "api_key": "none", **mock}} for name, mock in MOCKS.items()
        ]
        config = folder / "config.yaml"
        # JSON is YAML. The proxy's own retries and pauses would only take time.
        router = {"num_retries": 0, "disable_cooldowns": True}
        config.write_text(json.dumps({"model_list": models, "router_settings": router, "litellm_settings": {"num_retries": 0}}))
        command = [python.with_name("litellm"), "--config", config, "--host", "127.0.0.1", "--port", "0", "--keepalive_timeout", "1",
                   "--telemetry", "False"]
        return Server(command, {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MASTER_KEY": os.environ[KEY_VARIABLE]})

    def fails(self, model: str, code: str, status: int | None) -> None:
        host = self.host(model=model)
        answer = host.say("What colour is it?")
        self.assertEqual(answer.turn["status"], "failed", answer.turn)
        data = answer.turn["error"]["data"]
        self.assertEqual((data["code"], data.get("providerStatus")), (code, status), answer.turn["error"])
        self.assertNotIn(os.environ[KEY_VARIABLE], json.dumps(answer.events))
        # It costs nobody anything: the conversation goes on.
        self.assertFalse(answer.turn["quota"]["counted"])

    def test_rate_limit(self) -> None:
        """429 is modelRateLimited"""
        self.fails("rate", "modelRateLimited", 429)

    def test_server_error(self) -> None:
        """500 is modelUnavailable"""
        self.fails("server", "modelUnavailable", 500)

    def test_context(self) -> None:
        """400 for a long conversation is contextWindowExceeded"""
        self.fails("context", "contextWindowExceeded", 400)

    def test_timeout(self) -> None:
        """408 is modelTimeout"""
        self.fails("timeout", "modelTimeout", 408)

    def test_unknown_model(self) -> None:
        """400 for an unknown model is modelRejected"""
        self.fails("nobody", "modelRejected", 400)

    def test_overload(self) -> None:
        """529 is modelUnavailable"""
        self.fails("overload", "modelUnavailable", 529)


class LiteLLMAnthropic(PeerCase):
    title = "litellm, Anthropic"
    kind = "anthropic"
    path = ""
    environment = LiteLLM.environment
    api_key_variable = KEY_VARIABLE
    model = "plain"
    start = LiteLLM.start

    def test_document(self) -> None:
        """plain JSON, though a stream was asked for, is an answer"""
        answer = self.host().say("What colour is it?")
        self.assert_completed(answer)
        self.assertEqual(answer.text, MOCKS["plain"]["mock_response"])
