"""Runs the peers' tests and prints one table of what came of them: python3 Tests/Peers BINARY [PEER …]"""

import sys
import time
import traceback
import unittest
from pathlib import Path

import case

PEERS = ["fakellm", "litellm", "llama"]


class Table(unittest.TestResult):
    """Keeps a row for each case, and tells of it when it ends."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[str, str, str, str]] = []
        self.started = time.monotonic()

    def startTest(self, test) -> None:
        super().startTest(test)
        self.started = time.monotonic()

    def stopTest(self, test) -> None:
        super().stopTest(test)
        self.started = time.monotonic()

    def addSuccess(self, test) -> None:
        super().addSuccess(test)
        self.add(test, "ok")

    def addSkip(self, test, reason: str) -> None:
        super().addSkip(test, reason)
        self.add(test, f"skipped: {reason}")

    def addFailure(self, test, error) -> None:
        super().addFailure(test, error)
        self.add(test, "FAILED", error)

    def addError(self, test, error) -> None:
        super().addError(test, error)
        self.add(test, "FAILED", error)

    def add(self, test, outcome: str, error=None) -> None:
        if isinstance(test, unittest.TestCase):
            peer, name = test.title, test.shortDescription()
        else:
            # What concerns a whole class comes as something that is no case, described as "setUpClass (MODULE.CLASS)".
            module, _, name = test.description.partition("(")[2].rstrip(")").rpartition(".")
            peer, name = getattr(sys.modules[module], name).title, "all"
        self.rows.append((peer, name, outcome, f"{time.monotonic() - self.started:.1f} s"))
        print(f"  {peer}: {name}: {outcome}", flush=True)
        if error:
            print("".join(traceback.format_exception(*error)), flush=True)

    def print(self) -> None:
        rows = [("peer", "case", "outcome", "time"), *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for number, row in enumerate(rows):
            print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
            if number == 0:
                print("|" + "|".join("-" * (width + 2) for width in widths) + "|")


def main() -> int:
    case.binary, chosen = sys.argv[1], sys.argv[2:] or PEERS
    if unknown := set(chosen) - set(PEERS):
        sys.exit(f"There is no peer {', '.join(unknown)}; there are {', '.join(PEERS)}.")
    suite = unittest.TestSuite()
    for name in chosen:
        suite.addTests(unittest.defaultTestLoader.loadTestsFromName(f"test_{name}"))
    result = Table()
    suite.run(result)
    print()
    result.print()
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    sys.exit(main())
