"""Kills Parley at random moments while clients are busy with it, and holds what is left against what they were told.

    python3 -B Tests/Chaos BINARY [--seconds N] [--kills N] [--seed S] [--processes 1..4] [--clients N] [--folder FOLDER]

One to four processes share a database. Clients send, repeat, queue, interrupt, cancel, edit, claim and delete, and write down what they want
and what they are told; each process is killed (SIGKILL) again and again and started anew. In the end everything is read back and compared
with what was written down: every acknowledged message is there once and in order, every repeated one has one turn, no conversation is stuck,
the ledger equals the outcomes, and `parley db check` finds nothing. Exit code 1 says that something differs, and where the database and the
journal are.

The seed decides what is done and when; not which moment of a program that meets, and so a seed seldom gives the same run twice.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from fleet import Fleet, Killer
from journal import Journal
from load import OPERATIONS, Load
from model import write_script
from verdict import Verdict

# Whether a binary that does not know what an operation needs fails the test.
NEEDS_EVERYTHING = True

SETTINGS = {
    "quotas.system.turns.limit": 100_000_000, "quotas.system.turns.windowSeconds": 2_678_400,
    "quotas.system.anonymousTurns.limit": 100_000_000, "quotas.system.anonymousTurns.windowSeconds": 2_678_400,
    "quotas.user.turns.limit": 100_000_000, "quotas.user.turns.windowSeconds": 2_678_400,
    "quotas.anonymous.turns.limit": 100_000_000, "quotas.anonymous.turns.warnAfter": 100_000_000,
    "quotas.anonymous.bots.limit": 1_000_000, "quotas.user.bots.limit": 1_000_000,
    "quotas.anonymous.tools.dice": 1_000_000,
    "quotas.anonymous.copies.limit": 1_000_000, "quotas.user.copies.limit": 1_000_000,
    "quotas.address.turns.limit": 1_000_000, "quotas.address.turns.windowSeconds": 2_678_400,
    "quotas.anonymous.inFlight.limit": 4, "quotas.user.inFlight.limit": 8,
    "limits.maxQueuedTurns": 4, "turns.deadlineSeconds": 15, "erasure.idleSeconds": 1, "log.level": "warning",
}

# The end asks for much at once.
UNHURRIED = ("--set", "quotas.anonymous.inFlight.limit=none", "--set", "quotas.user.inFlight.limit=none")


def main() -> int:
    parser = argparse.ArgumentParser(prog="Tests/Chaos", description="Kills Parley at random moments, and looks at what is left.")
    parser.add_argument("binary")
    parser.add_argument("--kills", type=int, default=15, help="how many processes are killed before the end")
    parser.add_argument("--seconds", type=float, default=60, help="the time within which that must be done")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--processes", type=int, default=3, choices=range(1, 5))
    parser.add_argument("--clients", type=int, help="by default three for each process")
    parser.add_argument("--pause", type=float, default=0.35, help="seconds between kills, on the average")
    parser.add_argument("--folder", type=Path, help="where database and journal are; kept in any case")
    chosen = parser.parse_args()
    print(f"Chaos: seed {chosen.seed}, {chosen.kills} kills, {chosen.processes} processes", flush=True)
    folder = chosen.folder or Path(tempfile.mkdtemp(prefix="parley-chaos-"))
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        parser.error(f"{folder} is not empty")
    begun = time.monotonic()
    journal = Journal(folder, chosen.seed)
    try:
        figures = run(chosen, folder, journal)
    except BaseException as error:
        journal.violate(f"the driver failed: {type(error).__name__}: {error}")
        raise
    finally:
        journal.close()
        failed = bool(journal.violations)
        if failed:
            report_violations(journal, folder, chosen.seed)
        elif not chosen.folder:
            shutil.rmtree(folder)
    figures["seconds"] = f"{time.monotonic() - begun:.1f}"
    for name, figure in figures.items():
        print(f"  {name:45} {figure}")
    return 1 if failed else 0


def run(chosen: argparse.Namespace, folder: Path, journal: Journal) -> dict[str, str]:
    """Runs the load, the kills and the comparison. Returns figures."""
    database, script = folder / "parley.db", folder / "script.jsonl"
    write_script(script)
    arguments = [chosen.binary, "serve", "--database", str(database), "--model", f"scripted:{script}"]
    arguments += [word for key, value in SETTINGS.items() for word in ("--set", f"{key}={value}")]
    deadline = time.monotonic() + chosen.seconds
    fleet = Fleet(arguments, folder, journal, chosen.processes)
    try:
        first = fleet.start()
        known = Load.probe(first)
        if not known:
            raise SystemExit(f"{chosen.binary} does not answer initialize; see {folder}/stderr.txt")
        load = Load(journal, fleet, known)
        first.end_input()
        for operation in OPERATIONS:
            if operation not in load.operations:
                print(f"  left out: {operation.name}, because this binary does not know {operation.needs}")
                if NEEDS_EVERYTHING:
                    journal.violate(f"the binary does not know {operation.needs}")
        load.start(chosen.clients or 3 * chosen.processes)
        Killer(fleet, chosen.processes).run(chosen.kills, chosen.pause, deadline, load.lull)
        if fleet.kills < chosen.kills:
            journal.violate(f"only {fleet.kills} of {chosen.kills} processes were killed within {chosen.seconds:.0f} s")
        load.stop()
    finally:
        fleet.end()
    load.join()
    killed = time.monotonic()
    # Who alone must find everything in order, and is not killed.
    alone = Fleet([*arguments, *UNHURRIED], folder, journal, 1)
    try:
        verdict = Verdict(journal, alone)
        verdict.run()
        alone.close()
    finally:
        alone.end()
    check = subprocess.run([chosen.binary, "db", "check", "--database", str(database)], capture_output=True, text=True)
    if check.returncode != 0:
        journal.violate(f"db check: {check.stdout.strip()} {check.stderr.strip()}")
    turns = [send.turn["status"] for send in journal.sends if send.is_over]
    counts = journal.counts
    return {
        "killed": str(fleet.kills),
        "processes started": str(counts.get("start", 0)),
        "requests": str(counts.get("request", 0)),
        "messages": str(len(journal.sends)),
        "repeats": str(counts.get("repeats", 0)),
        "sent, and killed before an answer": f"{counts.get('admitted unheard', 0)} were turns, {counts.get('lost in admission', 0)} were not",
        "turns": f"{len(turns)}: " + ", ".join(f"{turns.count(status)} {status}" for status in sorted(set(turns))),
        "conversations": f"{len(journal.conversations)}, {sum(each.is_going for each in journal.conversations)} of them deleted",
        "people": f"{len(journal.people)}, {sum(each.claim_begun for each in journal.people)} of them claimed",
        "done": ", ".join(f"{name[4:]} {count}" for name, count in sorted(counts.items()) if name.startswith("did ")),
        **verdict.figures,
        "seconds for the comparison": f"{time.monotonic() - killed:.1f}",
        "violations": str(len(journal.violations)),
    }


def report_violations(journal: Journal, folder: Path, seed: str) -> None:
    print(f"\n{len(journal.violations)} things are not as they must be (seed {seed}):", file=sys.stderr)
    for violation in journal.violations[:40]:
        print(f"- {violation}", file=sys.stderr)
    print(f"The database (parley.db), what was sent and answered (journal.jsonl) and the log (stderr.txt) are in {folder}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
