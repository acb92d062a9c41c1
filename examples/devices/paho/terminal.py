"""A terminal on paho-mqtt 2: scans codes, buys one of each, reminds the customer once."""

import json
import os
import queue
import random
import re
import signal
import socket
import sys
import time
from calendar import timegm
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import paho.mqtt.client as mqtt

HOST, PORT, NAME, *CODES = sys.argv[1:]
ROOT, ACCOUNT = "storebus/1/main", "C-1001"
BOOT, SINCE = uuid4().hex, datetime.now(UTC).isoformat()
NEVER = "9999-12-31T23:59:59Z"
RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):([0-5]\d|60)(\.\d+)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
FILE = Path(f"{NAME}.json")  # what must survive a restart
kept = json.loads(FILE.read_text()) if FILE.exists() else {"open": {}, "shown": []}
waiting = {}  # by id, each request: its topic, QoS, message, when it is sent next, and the pause
clock = {"ahead": 0.0}  # of ours, the store's, in seconds: one of both may be wrong
heard = queue.SimpleQueue()  # messages, and None for each new connection
listening = set()  # the connection on which we have subscribed: before, no answer would be heard


def keep():
    """Write the file so that a power cut leaves the old one or the new one, never half of one."""
    new = FILE.with_suffix(".new")
    with new.open("w") as file:
        json.dump(kept, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(FILE)


def say(topic, message, qos=1, *, retain=False):
    """Publish a message."""
    return client.publish(f"{ROOT}/{topic}", json.dumps(message), qos, retain)


def presence(status):
    """What is retained of this terminal; a last will of another start has another boot."""
    return {"id": uuid4().hex, "data": {"status": status, "boot": BOOT, "since": SINCE}}


def ask(callee, operation, request, qos):
    """Send a request, and again with the same id until it is answered."""
    topic = f"req/{NAME}/{callee}/{operation}"
    waiting[request["id"]] = [topic, qos, request, 0.0, 1.0]


def send_what_is_due():
    """Send each request whose pause is over, and double its pause up to 30 seconds."""
    for request in waiting.values():
        topic, qos, message, due, pause = request
        if time.monotonic() >= due and listening and client.is_connected():
            say(topic, message, qos)
            request[3] = time.monotonic() + pause * random.uniform(0.75, 1.25)
            request[4] = min(pause * 2, 30.0)


def hear(topic, message):
    """Take a message; who speaks is said by its topic alone."""
    if not isinstance(message["id"], str):
        raise TypeError("an id is a text")
    kind, caller, callee, operation = topic.removeprefix(f"{ROOT}/").split("/")
    if kind == "rep":
        request = waiting.get(message["correlationid"])
        if request and request[0] == f"req/{NAME}/{callee}/{operation}":
            answered(operation, message)
        return
    if (caller, operation) == ("settlement", "remind"):
        data = remind(message)
    elif operation == "ping":
        data = {"node": NAME, "boot": BOOT, "version": "1"}
    elif operation == "about":
        data = {"node": NAME, "role": "terminal", "boot": BOOT, "version": "1", "since": SINCE}
        data |= {"operations": ["remind"], "counts": {}, "outbox": len(waiting)}
    else:
        data = problem(404, "unknown-operation", f"{NAME} has no {operation} for you.")
    say(f"rep/{caller}/{NAME}/{operation}", {"id": message["id"], "data": data})


def problem(status, code, detail):
    """A refusal."""
    title = code.replace("-", " ").capitalize()
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}


def answered(operation, message):
    """A request is answered: it is not sent again."""
    data = message["data"]
    if data.get("retryable"):
        return  # "not now": the same request goes out again
    if "status" in data:
        print(f"refused {data['status']} {data['code']}: {data['detail']}", flush=True)
    elif operation == "lookup":
        buy(data, message["time"])
    else:
        print(f"bought {data['order']} pickup code {data['pickup_code']}", flush=True)
    del waiting[message["correlationid"]]
    if kept["open"].pop(message["correlationid"], None):
        keep()


def buy(found, store_time):
    """Buy one piece, within a minute by the store's clock: ours may be wrong."""
    styles = {style["sku"]: style for style in found["product"]["styles"]}
    style = styles[found["scanned"] or next(iter(styles))]
    price = style["price"]
    line = f"{price['amount']} {price['currency']}, {style['available']} left"
    print(f"scanned {style['sku']} {line}", flush=True)
    there = moment(store_time)
    clock["ahead"] = there - time.time()
    deadline = datetime.fromtimestamp(there + 60, UTC)
    request = {"id": uuid4().hex, "expirytime": deadline.isoformat()}
    request["data"] = {
        "lines": [{"sku": style["sku"], "quantity": 1}],
        "payment": {"method": "account", "account": ACCOUNT},
        "expected_total": price,
    }
    kept["open"][request["id"]] = request
    keep()  # before it is sent: after a crash it must be the same request
    ask("settlement", "purchase", request, 1)


def moment(text):
    """Seconds since 1970 of an RFC 3339 time; a ValueError for what is merely like one."""
    found = RFC3339.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no RFC 3339 time")
    day, minute, second, fraction, sign, hours, minutes = found.groups(default="0")
    leap = second == "60"  # counts as the second after it
    at = time.strptime(f"{day} {minute}:{'59' if leap else second}", "%Y-%m-%d %H:%M:%S")
    whole = timegm(at) + leap - int(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60)
    if leap and time.gmtime(whole)[2:6] != (1, 0, 0, 0):
        raise ValueError(f"{text!r} is no leap second")  # only at the end of a month, in UTC
    return whole + float(f"0{fraction}")


def too_late(message, ahead=0.0):
    """The refusal of what comes after its deadline, by our clock and so many seconds."""
    try:
        if moment(message.get("expirytime", NEVER)) >= time.time() + ahead:
            return None
    except (ValueError, TypeError):
        return problem(422, "invalid-field", "expirytime is to be an RFC 3339 time.")
    return problem(410, "expired", "It came too late.")


def remind(message):
    """Show a reminder unless it was shown; either way say that it is."""
    if message["id"] not in kept["shown"]:
        told = [message["data"].get(it) for it in ("order", "pickup_point_name", "pickup_code")]
        if not all(isinstance(each, str) and each for each in told):
            return problem(422, "invalid-field", "A reminder has an order, a place and a code.")
        if late := too_late(message, clock["ahead"]):
            return late
        print("remind", *told, flush=True)
        kept["shown"] = [*kept["shown"][-999:], message["id"]]
        keep()
    return {"shown": True}


def connected():
    """Listen, say that we are there, and send at once what may have been lost."""
    client.subscribe([(f"{ROOT}/rep/{NAME}/+/+", 1), (f"{ROOT}/req/+/{NAME}/+", 1)])
    listening.add(client)
    say(f"state/{NAME}/presence", presence("online"), retain=True)
    for request in waiting.values():
        request[3] = 0.0


def run():
    """Be a terminal until stopped."""
    for request in kept["open"].values():
        ask("settlement", "purchase", request, 1)
    for code in CODES:
        ask("catalog", "lookup", {"id": uuid4().hex, "data": {"code": code}}, 0)
    while True:
        send_what_is_due()
        try:
            message = heard.get(timeout=0.2)
        except queue.Empty:
            continue
        try:
            if message is None:
                connected()
            elif not message.retain:
                hear(message.topic, json.loads(message.payload))
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
            print(f"ignored a message: {error!r}", file=sys.stderr)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"main-{NAME}")
client.will_set(f"{ROOT}/state/{NAME}/presence", json.dumps(presence("lost")), 1, retain=True)
client.on_socket_open = lambda _client, _data, sock: sock.setsockopt(
    socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
)
client.on_connect = lambda *_: heard.put(None)
client.on_disconnect = lambda *_: listening.clear()
client.on_message = lambda _client, _data, message: heard.put(message)
client.reconnect_delay_set(1, 30)
client.connect_async(HOST, int(PORT), keepalive=15)
client.loop_start()
signal.signal(signal.SIGTERM, lambda *_: sys.exit())
try:
    run()
except (KeyboardInterrupt, SystemExit):
    say(f"state/{NAME}/presence", presence("offline"), retain=True).wait_for_publish(2)
    client.disconnect()
    client.loop_stop()
