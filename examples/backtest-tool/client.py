"""Somebody who is not signed in tries a trading rule through the assistant, once; the second time a limit says no.

    examples/backtest-tool/run                                builds what is missing and shows a scripted conversation: no key
    examples/backtest-tool/run --model minimax:MiniMax-M2.7   the same with a real model, whose key is in the environment
    examples/backtest-tool/run --model … --prices my.csv "What if …?"   other prices (date,close), other questions

What there is to see: a tool that this client offers and executes (`TOOL`, `Backtests`), and a limit that the host holds, of one
successful call by an anonymous person (`quotas.anonymous.tools.run_backtest=1`). What does not succeed, such as a call with a date for
which there are no prices, is not counted. The prices in prices.csv are made up.
"""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import Any, Sequence

import backtest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))
from parley import Host, HostEnded, HostRequest, Object, Turn, tool_result  # noqa: E402

INSTRUCTIONS = (
    "You help people to try out trading rules on past prices. Use run_backtest for that, once for each question, and tell what came of it "
    "in two sentences; the person sees the table. If run_backtest is refused because a limit is reached, say so kindly, do not guess a "
    "result, and say that signing in helps. Past prices promise nothing."
)

QUESTIONS = [
    "What if I had bought whenever the price dropped by 5 %, and sold at 10 % profit, with fees of 0.1 %?",
    "And what if I had waited for a drop of 8 %?",
]

PERCENT = {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.01}
DAY = {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}

TOOL: Object = {
    "name": "run_backtest",
    "title": "Backtest",
    "description": (
        "Try a trading rule on daily closing prices: total return, maximum drawdown and the trades. "
        "It buys at a close that is at least buyDropPercent below the highest close since the last sale (or since the first day), "
        "as many whole shares as the cash pays for; it sells all of them at the first later close that is at least sellProfitPercent above "
        "the close at which they were bought."
    ),
    "inputSchema": {
        "type": "object",
        "properties": {
            "buyDropPercent": {**PERCENT, "exclusiveMaximum": 100, "description": "5 buys after a drop of 5 %."},
            "sellProfitPercent": {**PERCENT, "maximum": 10_000, "description": "10 sells at a profit of 10 %, before fees."},
            "initialCash": {
                "type": "number", "minimum": 1, "maximum": 1_000_000_000, "multipleOf": 0.01, "default": 10_000,
                "description": "What there is to begin with.",
            },
            "feePercent": {
                "type": "number", "minimum": 0, "maximum": 10, "default": 0,
                "description": "What each purchase and each sale costs, of its value.",
            },
            "from": {**DAY, "description": "The first day, YYYY-MM-DD; leave it out to begin with the first price."},
            "to": {**DAY, "description": "The last day, YYYY-MM-DD; leave it out to end with the last price."},
        },
        "required": ["buyDropPercent", "sellProfitPercent"],
        "additionalProperties": False,
    },
    "timeoutSeconds": 30,
}


class Backtests:
    """Executes `run_backtest` on a series of prices."""

    def __init__(self, closes: Sequence[backtest.Close]) -> None:
        self.closes = closes

    def call_tool(self, request: HostRequest) -> Object:
        """Answers `callTool`. The host has checked the arguments against the schema; what a schema cannot say is checked here."""
        arguments = request.params["arguments"]
        try:
            closes = backtest.between(self.closes, day(arguments, "from"), day(arguments, "to"))
        except backtest.BacktestError as error:
            return tool_result(str(error), is_error=True)
        result = backtest.run_backtest(closes, backtest.Rule.from_arguments(arguments))
        return tool_result(backtest.markdown(result), data=backtest.data(result))


def day(arguments: Object, name: str) -> date | None:
    """A day of the arguments, or None when it is left out."""
    if name not in arguments:
        return None
    try:
        return date.fromisoformat(arguments[name])
    except ValueError:
        raise backtest.BacktestError(f"{name}: there is no day {arguments[name]}.") from None


def ask(host: Host, text: str, **target: Any) -> Turn:
    """Sends a message and shows what happens, as it happens.

    Returns the turn.
    """
    print(f"you     {text}\n\nparley  ", end="", flush=True)
    stream = host.stream("sendMessage", text=text, **target)
    for event in stream:
        if event["method"] == "messageDelta":
            print(event["params"]["delta"], end="", flush=True)
        elif event["method"] == "toolCallStarted":
            call = event["params"]["toolCall"]
            print(f"\n\n[{call['name']}: {', '.join(f'{name} {value}' for name, value in call['arguments'].items())}]\n")
        elif event["method"] == "toolCallCompleted":
            # What failed is the model's to explain, and shown here only so that both sides can be seen.
            params = event["params"]
            print(params["text"] if params["status"] == "completed" else f"[{params['status']}: {params['text']}]", end="\n\n")
    turn: Turn = stream.wait()["turn"]
    if turn["status"] != "completed":
        print(f"[{turn['status']}: {turn['error']['message'] if 'error' in turn else ''}]", end="")
    print("\n")
    return turn


def backtests_left(host: Host, caller: Object) -> str:
    """How the limit stands, in words."""
    limits = host.call("getQuota", caller=caller)["limits"]
    limit = next(limit for limit in limits if limit["unit"] == "tools.run_backtest")
    if limit["remaining"]:
        return f"You are not signed in. Free backtests left: {limit['remaining']}."
    return "Free backtests left: none. Sign in to try more rules; this conversation comes with you."


def main() -> int:
    """Holds the conversation. Returns the exit code: 1 when a turn has failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="parley", help="the program; parley in $PATH by default")
    parser.add_argument("--model", default=f"scripted:{HERE / 'script.jsonl'}", help="PROVIDER:MODEL for a real one")
    parser.add_argument("--prices", type=Path, default=HERE / "prices.csv", help="a CSV file with the columns date and close")
    parser.add_argument("questions", nargs="*", default=QUESTIONS)
    options = parser.parse_args()
    try:
        backtests = Backtests(backtest.read_prices(options.prices))
    except (OSError, backtest.BacktestError) as error:
        parser.error(str(error))

    settings = {"assistant.instructions": INSTRUCTIONS, "quotas.anonymous.tools.run_backtest": 1}
    arguments = ["--database", ":memory:", "--model", options.model]
    for name, value in settings.items():
        arguments += ["--set", f"{name}={value}"]
    try:
        with Host(arguments, binary=options.binary, handlers={"callTool": backtests.call_tool}) as host:
            me = {"anonymousToken": host.call("createAnonymousUser")["anonymousToken"]}
            host.call("setClientTools", tools=[TOOL], caller=me)
            print(f"{backtests_left(host, me)}\n")

            conversation: Object = {}
            failed = False
            for question in options.questions:
                turn = ask(host, question, caller=me, **conversation)
                conversation = {"conversationId": turn["conversationId"]}
                failed = failed or turn["status"] != "completed"
            print(backtests_left(host, me))
    except HostEnded as error:
        print(error, file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
