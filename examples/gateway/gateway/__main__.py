"""The command line: starts Parley's processes and serves them to browsers until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import logging
import os
import resource
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn
from parley import ParleyError
from uvicorn.protocols.http.h11_impl import H11Protocol

from .app import Gateway
from .identity import StubIdentityProvider
from .methods import Methods
from .people import People, Seal
from .requests import Bodies
from .workers import StartFailed, Workers

STALL_MILLISECONDS = 60_000
# How many may be connected. Each may hold about 64 KiB that it has sent, or what streams.py says; each is a file of the process; and each stream
# is one of the 4,096 requests that Parley has in flight (`limits.maxInFlight`).
MOST_CONNECTIONS = 1_000
# How long a connection may be open without a request that is whole, up to its body.
REQUEST_SECONDS = 20.0
DATA = Path(__file__).parent.parent / ".data"


class Server(uvicorn.Server):
    """Ends streams when it is asked to end, instead of waiting for turns, and connections that ask for nothing."""

    def __init__(self, config: uvicorn.Config, closing: asyncio.Event) -> None:
        super().__init__(config)
        self._closing = closing
        self._loop = asyncio.get_running_loop()
        # The connections that ask for nothing just now, with the last request that was answered, and since when they have been seen so.
        self._idle: dict[H11Protocol, tuple[object, float]] = {}

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # Not the inherited way, which raises the signal again, before Parley's processes have been ended.
        self.force_exit = self.should_exit
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._closing.set)

    async def on_tick(self, counter: int) -> bool:
        # Once a second.
        if counter % 10 == 0:
            self._end_idle(self._loop.time())
        return await super().on_tick(counter)

    def _end_idle(self, now: float) -> None:
        idle: dict[H11Protocol, tuple[object, float]] = {}
        for connection in self.server_state.connections:
            if not isinstance(connection, H11Protocol) or (connection.cycle and not connection.cycle.response_complete):
                continue
            last, since = self._idle.get(connection, (None, now))
            idle[connection] = (connection.cycle, since if last is connection.cycle else now)
            if now - idle[connection][1] > REQUEST_SECONDS:
                connection.transport.abort()
        self._idle = idle


async def serve(options: argparse.Namespace) -> None:
    listener = socket.create_server((options.host, options.port), family=socket.AF_INET6 if ":" in options.host else socket.AF_INET)
    # Also of the connections that are accepted: who takes nothing for so long is gone, and comes back if he is not.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALL_MILLISECONDS)
    port = listener.getsockname()[1]
    is_loopback = ipaddress.ip_address(options.host).is_loopback
    origins = frozenset(options.origin or [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1", "[::1]")])

    options.database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    seal = Seal.load(options.secret or options.database.parent / "gateway-secret")
    workers = Workers(options.parley, ["--database", str(options.database), *options.serve], options.workers)
    try:
        await workers.start()
        bodies = Bodies((await workers.host("")).limits["maxLineBytes"])
        gateway = Gateway(
            workers,
            await Methods.discover(workers),
            People(seal, options.trusted_proxy),
            seal,
            bodies,
            StubIdentityProvider(origins, bodies) if is_loopback or options.stub_identity else None,
            origins,
        )
        config = uvicorn.Config(
            gateway.app, http=H11Protocol, ws="none", lifespan="off", log_config=None, access_log=False, proxy_headers=False,
            server_header=False, timeout_graceful_shutdown=5, limit_concurrency=MOST_CONNECTIONS,
        )  # fmt: skip
        print(f"The gateway listens on {sorted(origins)[-1]}", flush=True)
        await Server(config, gateway.closing).serve(sockets=[listener])
    finally:
        await workers.close()


def main() -> None:
    arguments = sys.argv[1:]
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(
        prog="examples/gateway/run", description="A web gateway for Parley.", epilog="What follows -- are flags of `parley serve`."
    )
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8080, help="0 for any that is free (%(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="how many processes of Parley share the work (%(default)s)")
    parser.add_argument("--database", type=Path, default=DATA / "parley.db", help="the database's file")
    parser.add_argument("--parley", default=os.environ.get("PARLEY", "parley"), help="the program")
    parser.add_argument("--secret", type=Path, help="the file of the secret that sessions are signed with; made if missing")
    parser.add_argument("--origin", action="append", help="where people see the gateway, as https://chat.example.com; may be repeated")
    parser.add_argument(
        "--trusted-proxy", type=ipaddress.ip_network, action="append", default=[],
        help="an address or network whose X-Forwarded-For is believed; may be repeated",
    )  # fmt: skip
    parser.add_argument("--stub-identity", action="store_true", help="lets everybody sign in as anybody even beyond this machine")
    options = parser.parse_args(arguments[:split])
    options.serve = arguments[split + 1 :]
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(options))
    except (StartFailed, ParleyError, OSError, ValueError) as error:
        sys.exit(f"gateway: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
