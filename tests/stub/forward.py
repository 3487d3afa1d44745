"""What `kubectl port-forward` shows of itself: the lines it prints, and an HTTP server on 127.0.0.1."""

import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

port = int(sys.argv[1])
if sys.argv[2:] == ["deaf"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


class Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        print(f"Handling connection for {port}", flush=True)
        if self.path == "/slow":
            time.sleep(30)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"status": "ok"}')

    def log_message(self, *args: object) -> None:
        pass


class Server(HTTPServer):
    allow_reuse_address = False


try:
    server = Server(("127.0.0.1", port), Health)
except OSError:
    print(
        f"Unable to listen on port {port}: Listeners failed to create with the following errors: [unable to create "
        f"listener: Error listen tcp4 127.0.0.1:{port}: bind: address already in use]",
        file=sys.stderr,
    )
    print(f"error: unable to listen on any of the requested ports: [{{{port} 8000}}]", file=sys.stderr)
    sys.exit(1)
time.sleep(0.2)  # a curl that does not wait comes too early
print(f"Forwarding from 127.0.0.1:{port} -> 8000", flush=True)
server.serve_forever()
