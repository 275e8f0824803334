"""The spoke with the operations that `hub spoke check` calls: hub spoke check "python3 examples/spoke-python/check.py"."""
import threading

from spoke import CallFailed, Spoke

lock = threading.Lock()
state = {"started": 0, "running": 0}


def fail(given, call):
    raise CallFailed(given["code"], given["message"])


def wait(given, call):
    with lock:
        state["started"] += 1
        state["running"] += 1
        turn = state["started"]
    try:
        call.progress(0)
        call.log("info", f"Waiting for {given['ms']} ms")
        call.sleep(given["ms"] / 1000)
        return {"turn": turn}
    finally:
        with lock:
            state["running"] -= 1


def count(given, call):
    for n in range(given["to"]):
        yield n
        if given["ms"] > 0:
            call.sleep(given["ms"] / 1000)


Spoke("python-check", {
    "check.echo": {"type": "query", "handler": lambda given, call: {"value": given["value"]}},
    "check.fail": {"handler": fail},
    "check.state": {"type": "query", "handler": lambda given, call: dict(state)},
    "check.wait": {"handler": wait},
    "check.count": {"handler": count},
}).run()
