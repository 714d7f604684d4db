"""A relay between Parley and a model server, which keeps the requests and may change them."""

from __future__ import annotations

import copy
import http.client
import http.server
import json
import threading
from typing import Callable


class Relay:
    """Passes requests on to a server on this machine, and its answers back as they come.

    `bodies` are the requests as they came; `choose` makes of each what the server gets.
    """

    def __init__(self, port: int, choose: Callable[[dict], dict] | None = None) -> None:
        self.bodies: list[dict] = []
        self.choose = choose
        relay = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                relay.bodies.append(copy.deepcopy(body))
                body = relay.choose(body) if relay.choose else body
                server = http.client.HTTPConnection("127.0.0.1", port)
                server.request("POST", self.path, json.dumps(body), {"Content-Type": "application/json"})
                answer = server.getresponse()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers["Content-Type"])
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while piece := answer.read1():
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.write(b"0\r\n\r\n")
                server.close()

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
