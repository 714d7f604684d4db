"""A model server that others wrote: installed from PyPI, started on loopback, ended by its own process id."""

from __future__ import annotations

import collections
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Mapping, Sequence

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("PEERS_FOLDER") or ROOT / ".venv-peers").resolve()


class CannotInstall(Exception):
    """A peer is not there and cannot be installed; the message says why."""


class Environment:
    """A virtual environment with the packages of one peer."""

    def __init__(self, name: str, requirements: Sequence[str]) -> None:
        self.folder = FOLDER / name
        self.requirements = requirements
        self._failure: CannotInstall | None = None

    def python(self) -> Path:
        """The environment's Python; installs what is missing first.

        Raises CannotInstall.
        """
        if self._failure:
            raise self._failure
        python = self.folder / "bin" / "python"
        # Written last, so that an installation that was broken off is begun anew, and so is one of other versions.
        mark = self.folder / "installed"
        wanted = "\n".join(self.requirements)
        if mark.exists() and mark.read_text() == wanted:
            return python
        print(f"Installing {', '.join(self.requirements)} …", flush=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        for command in [
            [sys.executable, "-m", "venv", str(self.folder)],
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *self.requirements],
        ]:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                said = done.stdout.strip().splitlines() or [f"exit code {done.returncode}"]
                self._failure = CannotInstall(f"{self.requirements[0]} cannot be installed: {said[-1]}")
                raise self._failure
        mark.write_text(wanted)
        return python


class Server:
    """A server process that says on which port it listens, as uvicorn does; all three peers stand on that."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], seconds: float = 120) -> None:
        """Starts the server on a port that the system chooses, and waits until it listens."""
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, **environment}, text=True, errors="replace",
        )
        assert self._process.stdout
        self._output = self._process.stdout
        self._last_lines: collections.deque[str] = collections.deque(maxlen=40)
        ports: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        # Read to the end, lest the server stand still when the pipe is full.
        self._reader = threading.Thread(target=self._read, args=(ports,), daemon=True)
        self._reader.start()
        try:
            port = ports.get(timeout=seconds)
        except queue.Empty:
            port = None
        if port is None:
            self.stop()
            raise RuntimeError("The server did not start:\n" + "".join(self._last_lines))
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _read(self, ports: queue.SimpleQueue[int | None]) -> None:
        for line in self._output:
            self._last_lines.append(line)
            if match := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
                ports.put(int(match[1]))
        ports.put(None)

    def kill(self) -> None:
        """Ends the server as a crash does."""
        self._process.kill()

    def stop(self) -> None:
        """Ends the server and waits for that."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        self._output.close()
