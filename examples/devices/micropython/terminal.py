"""A terminal with nothing but sockets, MQTT 3.1.1, for MicroPython; it runs on CPython too."""

import json
import os
import random
import select
import socket
import sys
import time

HOST, PORT, NAME, *CODES = sys.argv[1:]
ROOT, ACCOUNT, FILE, KEEPALIVE = "storebus/1/main", "C-1001", NAME + ".json", 15
now = getattr(time, "ticks_ms", lambda: int(time.monotonic() * 1000))
elapsed = getattr(time, "ticks_diff", lambda later, earlier: later - earlier)


def new_id():
    """An id that nothing of this terminal has had, also before a restart."""
    return "".join("%02x" % byte for byte in os.urandom(12))


BOOT = new_id()
waiting = {}  # by id, each request: topic, QoS, message, when it was sent, and the pause, in ms
kept = json.load(open(FILE)) if FILE in os.listdir() else {"open": {}, "shown": []}


def keep():
    """Write the file so that a power cut leaves the old one or the new one, never half of one."""
    with open(FILE + ".new", "w") as file:
        json.dump(kept, file)
        file.flush()
        getattr(os, "fsync", lambda _: os.sync())(file)
    os.rename(FILE + ".new", FILE)


def text(content):
    """A string of ASCII as it stands in a packet (MQTT 3.1.1 section 1.5.3)."""
    return bytes([len(content) >> 8, len(content) & 255]) + content.encode()


def receive(count):
    """Exactly so many bytes."""
    content = b""
    while len(content) < count:
        part = link.recv(count - len(content))
        if not part:
            raise OSError("the broker closed the connection")
        content += part
    return content


def send(kind, body=b""):
    """Send a packet (section 2.2)."""
    length, head = len(body), bytes([kind])
    while length > 127:
        head, length = head + bytes([length & 127 | 128]), length >> 7
    packet = head + bytes([length]) + body
    while packet:
        packet = packet[link.send(packet) :]


def read():
    """Receive a packet: its first byte and its body."""
    kind, length, shift, more = receive(1)[0], 0, 0, 128
    while more & 128:
        more = receive(1)[0]
        length, shift = length | (more & 127) << shift, shift + 7
    return kind, receive(length)


def say(topic, message, qos=1, retain=0):
    """Publish; what is lost is said again when it is needed: no acknowledgement is awaited."""
    body = text(ROOT + "/" + topic) + (b"\0\1" if qos else b"")
    send(0x30 | qos << 1 | retain, body + json.dumps(message).encode())


def presence(status):
    """What is retained of this start of the terminal; it need not know the time."""
    return {"id": new_id(), "data": {"status": status, "boot": BOOT, "since": "unknown"}}


def connect():
    """Connect, listen, say that we are there, and send at once what may have been lost."""
    global link
    found = socket.getaddrinfo(HOST, PORT, 0, socket.SOCK_STREAM)[0]
    link = socket.socket(*found[:3])
    link.settimeout(KEEPALIVE)
    link.connect(found[-1])
    will = text(ROOT + "/state/" + NAME + "/presence") + text(json.dumps(presence("lost")))
    send(0x10, text("MQTT") + bytes([4, 0x2E, 0, KEEPALIVE]) + text("main-" + NAME) + will)
    if read() != (0x20, b"\0\0"):
        raise OSError("the broker refused the connection")
    filters = text(ROOT + "/rep/" + NAME + "/+/+") + b"\1" + text(ROOT + "/req/+/" + NAME + "/+")
    send(0x82, b"\0\1" + filters + b"\1")
    say("state/" + NAME + "/presence", presence("online"), retain=1)
    for request in waiting.values():
        request[3:] = None, 500


def ask(operation, request, qos):
    """Send a request, and again with the same id until it is answered."""
    waiting[request["id"]] = ["req/" + NAME + "/" + operation, qos, request, None, 500]


def send_what_is_due():
    """Send each request whose pause is over, and double its pause up to 30 seconds."""
    for request in waiting.values():
        topic, qos, message, sent, pause = request
        if sent is None or elapsed(now(), sent) >= pause:
            say(topic, message, qos)
            request[3:] = now(), min(pause, 15000) * random.randint(175, 225) // 100


def texts(*values):
    """The values, if each is a text that is not empty."""
    if not all(isinstance(each, str) and each for each in values):
        raise TypeError("it is no text")
    return values


def hear(topic, message):
    """Take a message; who speaks is said by its topic alone."""
    identifier, data = texts(message["id"])[0], message["data"]
    kind, caller, _, operation = topic[len(ROOT) + 1 :].split("/")
    if kind == "rep":
        if waiting.get(message["correlationid"], [0])[0] == "req" + topic[len(ROOT) + 4 :]:
            answered(operation, message["correlationid"], message)
    elif (caller, operation) == ("settlement", "remind"):
        if identifier not in kept["shown"]:
            print("remind", *texts(data["order"], data["pickup_point_name"], data["pickup_code"]))
            kept["shown"] = kept["shown"][-99:] + [identifier]
            keep()
        say("rep/settlement/" + NAME + "/remind", {"id": identifier, "data": {"shown": True}})
    elif operation == "ping":
        pong = {"id": identifier, "data": {"node": NAME, "boot": BOOT, "version": "1"}}
        say("rep/" + caller + "/" + NAME + "/ping", pong)


def answered(operation, identifier, message):
    """A request is answered, unless the answer is "not now": then it goes out again."""
    data = message["data"]
    if data.get("retryable"):
        return
    if "status" in data:
        print("refused %d %s: %s" % (data["status"], data["code"], data["detail"]))
    elif operation == "lookup":
        buy(data, message["time"])
    else:
        print("bought %s pickup code %s" % (data["order"], data["pickup_code"]))
    del waiting[identifier]
    if kept["open"].pop(identifier, None):
        keep()


def a_minute_after(stamp):
    """An RFC 3339 time of the store, a minute later: no clock of ours is needed."""
    parts = [int(part) for part in stamp[:19].replace("T", "-").replace(":", "-").split("-")]
    then = time.localtime(int(time.mktime(tuple(parts) + (0, 0, -1))) + 60)
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % tuple(then[:6])


def buy(found, store_time):
    """Keep the purchase of one piece before it is sent, then send it."""
    style = [it for it in found["product"]["styles"] if found["scanned"] in (it["sku"], None)][0]
    sku, price, left = style["sku"], style["price"], style["available"]
    print("scanned", sku, price["amount"], price["currency"] + ",", left, "left")
    data = {"lines": [{"sku": sku, "quantity": 1}], "expected_total": price}
    data["payment"] = {"method": "account", "account": ACCOUNT}
    request = {"id": new_id(), "expirytime": a_minute_after(store_time), "data": data}
    kept["open"][request["id"]] = request
    keep()
    ask("settlement/purchase", request, 1)


def run():
    """Serve one connection until it is lost."""
    connect()
    poller = select.poll()
    poller.register(link, select.POLLIN)
    pinged = now()
    while True:
        send_what_is_due()
        if elapsed(now(), pinged) > KEEPALIVE * 500:
            send(0xC0)
            pinged = now()
        kind, body = read() if poller.poll(200) else (0, b"")
        if kind & 0xF1 != 0x30:
            continue  # nothing, an acknowledgement, or a retained message
        start, qos = 2 + (body[0] << 8 | body[1]), kind >> 1 & 3
        if qos:
            send(0x40, body[start : start + 2])
        try:
            # JSON that is nested too deep is a RuntimeError.
            hear(body[2:start].decode(), json.loads(body[start + (2 if qos else 0) :]))
        except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
            print("ignored a message:", repr(error), file=sys.stderr)


for identifier in kept["open"]:
    ask("settlement/purchase", kept["open"][identifier], 1)
for code in CODES:
    ask("catalog/lookup", {"id": new_id(), "data": {"code": code}}, 0)
while True:
    try:
        run()
    except OSError as error:
        print("no broker:", error, file=sys.stderr)
        time.sleep(random.randint(1, 3))
