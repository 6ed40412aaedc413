"""A TCP proxy that does to a connection what links do: cuts after a byte, swallows one direction,
delays, goes silent without a word."""
import contextlib
import select
import socket
import threading

from conftest import free_port

UP, DOWN = 0, 1  # from the gateway to the other end, and back


class Proxy(threading.Thread):
    def __init__(self, target_port):
        super().__init__(daemon=True)
        self.port, self.target_port = free_port(), target_port
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.lock = threading.Lock()
        self.cut_at = [None, None]  # bytes of a direction in one connection; then reset
        self.swallows = [False, False]
        self.delay_s = 0
        self.is_silent = False  # half open: nothing passes, nothing is closed
        self.passed = [0, 0]  # of the last connection
        self.connections = self.cuts = self.generation = 0
        self.record = None  # a bytearray: what passes up, of all connections
        self.is_over = False
        self.start()

    def plan(self, cut_up=None, cut_down=None):
        """Of the connections from now on; the present ones end."""
        with self.lock:
            self.cut_at = [cut_up, cut_down]
            self.generation += 1

    def run(self):
        while not self.is_over:
            with contextlib.suppress(OSError):
                client, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        self.connections += 1
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), 5)
        except OSError:
            client.close()
            return
        with self.lock:
            cut_at, generation = list(self.cut_at), self.generation
        passed = self.passed = [0, 0]
        pair = [client, server]
        try:
            while not self.is_over and generation == self.generation:
                for end in select.select(pair, [], [], 0.02)[0]:
                    way = UP if end is client else DOWN
                    room = 65536 if cut_at[way] is None else cut_at[way] - passed[way]
                    if self.is_silent:
                        threading.Event().wait(0.02)
                        continue
                    data = end.recv(min(room, 65536)) if room > 0 else b""
                    if not data:
                        self.cuts += room <= 0
                        return
                    if self.delay_s:
                        threading.Event().wait(self.delay_s)
                    passed[way] += len(data)
                    if self.record is not None and way == UP:
                        self.record += data
                    if not self.swallows[way]:
                        pair[1 - way].sendall(data)
                    if cut_at[way] is not None and passed[way] >= cut_at[way]:
                        self.cuts += 1
                        return
        except OSError:
            pass
        finally:
            for end in pair:  # RST, as when the other side is gone
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                end.close()

    def close(self):
        self.is_over = True
        self.listener.close()
