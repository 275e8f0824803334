"""A WebSocket client of RFC 6455, as far as a spoke needs it. Standard library only, Python 3.8 or later."""
import base64
import hashlib
import os
import socket
import ssl
import struct
import threading
from urllib.parse import urlsplit

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAX_MESSAGE = 64 * 1024 * 1024


class Refused(Exception):
    """The server did not take the upgrade; `status` is its HTTP status."""

    def __init__(self, status, line):
        super().__init__(f"The hub answers the upgrade with {line!r}")
        self.status = status


class WebSocket:
    """One connection. `receive` is for one thread, `send` and `close` for any."""

    def __init__(self, url, headers=None, timeout=10):
        parts = urlsplit(url)
        secure = parts.scheme in ("wss", "https")
        port = parts.port or (443 if secure else 80)
        self._socket = socket.create_connection((parts.hostname, port), timeout)
        try:
            if secure:
                context = ssl.create_default_context()
                self._socket = context.wrap_socket(self._socket, server_hostname=parts.hostname)
            # Small messages must not wait for the acknowledgement of the last one.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffer = b""
            self._sending = threading.Lock()
            self._upgrade(parts, headers or {})
            self._socket.settimeout(None)
        except BaseException:
            self._socket.close()
            raise
        self.close_code = None

    def send(self, text):
        """Sends a text message. Raises OSError when the connection is gone."""
        self._write(TEXT, text.encode("utf-8"))

    def receive(self):
        """The next text message; None when the connection has closed. Binary messages are passed over."""
        message, kind = b"", None
        while True:
            try:
                first, second = self._read(2)
                length = second & 0x7F
                if length == 126:
                    (length,) = struct.unpack(">H", self._read(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", self._read(8))
                if len(message) + length > MAX_MESSAGE:
                    raise OSError("The message is too large")
                payload = self._read(length)
            except OSError:
                self.close_code = self.close_code or 1006
                self._socket.close()
                return None
            opcode = first & 0x0F
            if opcode == PING:
                self._try_write(PONG, payload)
            elif opcode == CLOSE:
                # The code is the one of whoever closed first.
                if self.close_code is None:
                    self.close_code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else 1005
                    self._try_write(CLOSE, payload[:2])
                self._socket.close()
                return None
            elif opcode != PONG:
                kind = opcode or kind  # 0 goes on with the message before
                message += payload
                if first & 0x80:  # its last frame
                    if kind == TEXT:
                        return message.decode("utf-8", "replace")
                    message, kind = b"", None

    def close(self, code=1000):
        """Says goodbye; `receive` gives None once the hub has answered."""
        if self.close_code is None:
            self.close_code = code
            self._try_write(CLOSE, struct.pack(">H", code))

    def _upgrade(self, parts, headers):
        nonce = base64.b64encode(os.urandom(16)).decode()
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}", "Upgrade: websocket", "Connection: Upgrade",
                 f"Sec-WebSocket-Key: {nonce}", "Sec-WebSocket-Version: 13"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("ascii"))
        while b"\r\n\r\n" not in self._buffer:
            self._fill()
            if len(self._buffer) > 65536:
                raise OSError("The answer to the upgrade has no end")
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        status, *fields = head.decode("latin-1").split("\r\n")
        if status.split(" ")[1:2] != ["101"]:
            raise Refused(int(status.split(" ")[1]), status)
        answer = {name.strip().lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        wanted = base64.b64encode(hashlib.sha1((nonce + GUID).encode()).digest()).decode()
        if answer.get("sec-websocket-accept") != wanted:
            raise OSError("The answer to the upgrade is not that of a WebSocket")

    def _write(self, opcode, payload):
        length, mask = len(payload), os.urandom(4)
        head = bytes([0x80 | opcode])
        if length < 126:
            head += bytes([0x80 | length])
        elif length < 65536:
            head += struct.pack(">BH", 0x80 | 126, length)
        else:
            head += struct.pack(">BQ", 0x80 | 127, length)
        with self._sending:
            self._socket.sendall(head + mask + _masked(payload, mask))

    def _try_write(self, opcode, payload):
        try:
            self._write(opcode, payload)
        except OSError:
            pass  # `receive` finds out

    def _read(self, count):
        while len(self._buffer) < count:
            self._fill(count - len(self._buffer))
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _fill(self, wanted=0):
        chunk = self._socket.recv(max(65536, wanted))
        if not chunk:
            raise OSError("The connection was closed")
        self._buffer += chunk


def _masked(payload, mask):
    """XOR with the mask, as one large number: by far the fastest way here."""
    length = len(payload)
    key = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(length, "big")
