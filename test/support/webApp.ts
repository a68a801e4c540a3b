/** A small real web application that systemd hands its socket, and that answers who is waiting before it ends. */
export function webApp(version: string): string {
  return `import http.server, os, signal, socket, socketserver, sys, threading

class Handler(http.server.BaseHTTPRequestHandler):
    # A proxy may open a connection for a visitor who leaves, and keep it: an end of the program does not wait for that.
    timeout = 1

    def do_GET(self):
        body = "version ${version}: {} {}".format(sys.argv[1] if len(sys.argv) > 1 else "", os.environ.get("GREETING", "")).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = False

server = Server(("", 0), Handler, bind_and_activate=False)
server.socket = socket.socket(fileno=3)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(poll_interval=0.05)
server.server_close()
`;
}
