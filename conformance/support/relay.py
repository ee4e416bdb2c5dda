"""A TCP relay in front of the broker, so that a check can cut a client's connections without touching the broker."""

import socket
import struct
import threading


class Relay:
    def __init__(self, host, port):
        self.target = (host, port)
        self.port = 0
        self.connections = 0
        self._pairs = []
        self._listener = None
        self.accept()

    def accept(self):
        """Accepts connections: on a free port at first, on the same port again after `refuse`."""
        self._listener = socket.create_server(('127.0.0.1', self.port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener):
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            self.connections += 1
            broker = socket.create_connection(self.target)
            self._pairs.append((client, broker))
            for one, other in ((client, broker), (broker, client)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _copy(self, source, target):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            self._reset(end)

    def _reset(self, end):
        try:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        end.close()

    def cut(self):
        """Cuts every connection without a word, as a failing network does."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                self._reset(end)

    def refuse(self):
        """Cuts every connection and takes no new one until `accept`."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
