"""A spoke in Python, with nothing but the standard library: each call is a thread.

    HUB_URL=ws://127.0.0.1:8787/ws HUB_KEY=… python3 spoke.py
"""
import collections
import inspect
import json
import os
import random
import signal
import sys
import threading
import time
import uuid

from websocket import Refused, WebSocket

MAX_ANSWERS = 1000


class CallFailed(Exception):
    """Raised by handlers: the caller sees this code and message."""

    def __init__(self, code, message, details=None):
        super().__init__(message)
        self.code, self.details = code, details


class Call:
    """What a handler knows of its call."""

    def __init__(self, spoke, request, socket):
        self._spoke = spoke
        self.request = request
        self.request_id = request["requestId"]
        self.socket = socket  # on which it was last asked for: only there its outcome is wanted
        self.aborted = threading.Event()

    def sleep(self, seconds):
        """Waits; raises when the call is aborted meanwhile."""
        if self.aborted.wait(seconds):
            raise CallFailed("ABORTED", "The hub has aborted this call")

    def progress(self, value):
        self._spoke.ask(self.socket, "hub.progress", {"requestId": self.request_id, "value": value})

    def log(self, level, message):
        self._spoke.ask(self.socket, "hub.log", {"requestId": self.request_id, "level": level, "message": message})


class Spoke:
    """`operations` is {"namespace.name": {"handler": function(input, call), "type": …, "inputSchema": …, …}}.

    A handler that is a generator function serves a subscription.
    """

    def __init__(self, name, operations, max_concurrency=8):
        self._name, self._operations, self._max = name, operations, max_concurrency
        self._lock = threading.RLock()  # over all that follows
        self._running = {}  # request id -> Call
        self._answers = collections.OrderedDict()  # request id -> text: the last 1,000
        self._socket = None  # on which the spoke is registered
        self._resume = None
        self._leaving = False

    def run(self):
        """Serves until it is told to leave by the hub, or by SIGTERM."""
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=self.leave).start())
        attempt = 0
        while True:
            try:
                socket = WebSocket(os.environ["HUB_URL"], {"Authorization": f"Bearer {os.environ['HUB_KEY']}"})
                if self._serve(socket):
                    attempt = 0
            except Refused as error:
                if error.status in (401, 403):
                    sys.exit(f"The hub refuses the key: {error}")
            except OSError:
                pass  # it is not there, or no longer
            with self._lock:
                if self._leaving:
                    return
            bound = min(10, 0.1 * 2 ** attempt)
            attempt = min(attempt + 1, 10)
            time.sleep(bound / 2 + random.random() * bound / 2)

    def leave(self):
        """Takes no new calls, finishes what it has, and closes."""
        with self._lock:
            self._leaving = True
            self.ask(self._socket, "hub.drain", {})
            self._close_when_idle()

    def ask(self, socket, operation, data):
        """Calls the hub; gives the request id."""
        request_id = str(uuid.uuid4())
        self._send(socket, "call.requested", {"requestId": request_id, "operationId": operation, "input": data})
        return request_id

    def _serve(self, socket):
        """Reads a socket until it closes. True: the hub had taken the registration."""
        registration = self.ask(socket, "hub.register", {
            "name": self._name, "maxConcurrency": self._max, "batch": True, "resume": self._resume,
            "operations": [self._spec(name) for name in self._operations],
        })
        ended = threading.Event()
        try:
            while True:
                text = socket.receive()
                if text is None:
                    return self._socket is socket
                for kind, payload in _envelopes(text):
                    if payload.get("requestId") == registration:
                        self._registered(socket, kind, payload, ended)
                    else:
                        self._take(socket, kind, payload)
        finally:
            ended.set()
            with self._lock:
                if self._socket is socket:
                    self._socket = None

    def _registered(self, socket, kind, payload, ended):
        if kind != "call.responded":
            sys.exit(f"The hub refuses: {payload.get('code')}: {payload.get('message')}")
        data = payload["output"]["data"]
        with self._lock:
            self._resume, self._socket = data["resume"], socket
            if self._leaving:
                self.leave()
        threading.Thread(target=self._beat, args=(socket, data["heartbeatMs"] / 1000, ended), daemon=True).start()

    def _beat(self, socket, seconds, ended):
        while not ended.wait(seconds):
            with self._lock:
                load = min(1, len(self._running) / self._max)
            self.ask(socket, "hub.heartbeat", {"load": load})

    def _take(self, socket, kind, payload):
        request_id = payload.get("requestId")
        if kind == "hub.drain":
            self.leave()
        elif kind == "call.aborted":
            with self._lock:
                call = self._running.pop(request_id, None)
                if call is not None:
                    call.aborted.set()
                self._close_when_idle()
        elif kind == "call.requested" and isinstance(request_id, str):
            with self._lock:
                if request_id in self._running:
                    self._running[request_id].socket = socket  # it goes on, and answers here
                elif request_id in self._answers:
                    self._send_text(socket, self._answers[request_id])
                else:
                    call = self._running[request_id] = Call(self, payload, socket)
                    threading.Thread(target=self._work, args=(call,), daemon=True).start()

    def _work(self, call):
        operation_id = call.request.get("operationId")
        operation = self._operations.get(operation_id)
        meta = {"source": "local", "operationId": operation_id}

        def output(data):
            return {"output": {"data": data, "meta": {**meta, "timestamp": int(time.time() * 1000)}}}

        try:
            if operation is None:
                raise CallFailed("OPERATION_NOT_FOUND", f"There is no operation {operation_id!r} here")
            result = operation["handler"](call.request.get("input"), call)
            if inspect.isgenerator(result):
                for chunk in result:
                    with self._lock:
                        if self._running.get(call.request_id) is not call:
                            return result.close()
                        self._send(call.socket, "call.responded", {"requestId": call.request_id, **output(chunk)})
                kind, payload = "call.completed", {}
            else:
                kind, payload = "call.responded", output(result)
            text = _encode(kind, {"requestId": call.request_id, **payload})
        except CallFailed as error:
            details = {} if error.details is None else {"details": error.details}
            text = _encode("call.error", {
                "requestId": call.request_id, "code": error.code, "message": str(error), **details})
        except Exception as error:  # whatever a handler throws is its call's failure
            text = _encode("call.error", {
                "requestId": call.request_id, "code": "EXECUTION_ERROR", "message": str(error) or repr(error)})
        with self._lock:
            if self._running.get(call.request_id) is not call:
                return  # aborted meanwhile
            del self._running[call.request_id]
            self._answers[call.request_id] = text
            if len(self._answers) > MAX_ANSWERS:
                self._answers.popitem(last=False)
            # On a socket that has closed this goes nowhere: the hub asks again on the next one.
            self._send_text(call.socket, text)
            self._close_when_idle()

    def _close_when_idle(self):
        if self._leaving and not self._running and self._socket is not None:
            self._socket.close(1000)

    def _spec(self, name):
        namespace, _, rest = name.partition(".")
        operation = {key: value for key, value in self._operations[name].items() if key != "handler"}
        kind = "subscription" if inspect.isgeneratorfunction(self._operations[name]["handler"]) else "mutation"
        defaults = {"type": kind, "version": "1.0.0", "inputSchema": {}, "outputSchema": {}}
        return {**defaults, **operation, "namespace": namespace, "name": rest}

    def _send(self, socket, kind, payload):
        self._send_text(socket, _encode(kind, payload))

    def _send_text(self, socket, text):
        try:
            if socket is not None:
                socket.send(text)
        except OSError:
            pass  # whoever reads it finds out


def _encode(kind, payload):
    return json.dumps({"type": kind, "id": "", "payload": payload}, allow_nan=False)


def _envelopes(text):
    """The envelopes of a message: one, or those of an array. What is none is passed over: a newer hub may say more."""
    try:
        value = json.loads(text)
    except ValueError:
        return
    for unit in value if isinstance(value, list) else [value]:
        if isinstance(unit, dict) and isinstance(unit.get("type"), str) and isinstance(unit.get("payload"), dict):
            yield unit["type"], unit["payload"]


if __name__ == "__main__":
    Spoke("python-shouter", {
        "python.shout": {
            "type": "query",
            "description": "Gives a text back in capitals.",
            "inputSchema": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
            "outputSchema": {"type": "object", "properties": {"text": {"type": "string"}}},
            "handler": lambda given, call: {"text": given["text"].upper()},
        },
    }).run()
