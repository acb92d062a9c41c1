"""What a terminal does and must not forget, whatever carries its messages: no MQTT here."""

import json
import os
import re
import time
import uuid
from calendar import timegm
from pathlib import Path

ACCOUNT = "C-1001"
NEVER = "9999-12-31T23:59:59Z"
RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):([0-5]\d|60)(\.\d+)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)


def new_id():
    """An id that no request of this terminal has had, also before a restart."""
    return uuid.uuid4().hex


def is_final(data):
    """Whether a reply ends its request; one that says "not now", or is broken, does not."""
    whole = "product" in data or data.keys() >= {"order", "pickup_code"}
    return whole or (data.keys() >= {"status", "code", "detail"} and not data.get("retryable"))


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


def problem(status, code, detail):
    """A refusal."""
    title = code.replace("-", " ").capitalize()
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}


def too_late(message, ahead=0.0):
    """The refusal of what comes after its deadline, by our clock and so many seconds."""
    try:
        if moment(message.get("expirytime", NEVER)) >= time.time() + ahead:
            return None
    except (ValueError, TypeError):
        return problem(422, "invalid-field", "expirytime is to be an RFC 3339 time.")
    return problem(410, "expired", "It came too late.")


class Till:
    """A terminal's memory: a small file, written before anything that depends on it is said."""

    def __init__(self, name):
        self.name = name
        self.boot, self.since = new_id(), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.file = Path(f"{name}.json")
        there = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.ahead = 0.0  # seconds, of our clock, the store's: one of both may be wrong
        self.open = there.get("open", {})
        self.shown = there.get("shown", [])

    def write(self):
        """After a power cut there is the old file or the new one, never half of one."""
        new = self.file.with_suffix(".new")
        with new.open("w") as file:
            json.dump({"open": self.open, "shown": self.shown[-1000:]}, file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.file)

    def presence(self, status):
        """What is retained of this start of the terminal."""
        data = {"status": status, "boot": self.boot, "since": self.since}
        return {"id": new_id(), "data": data}

    def scanned(self, reply):
        """Keep a purchase of one piece of what was found."""
        if "product" not in reply["data"]:
            refused(reply["data"])
            return
        styles = {style["sku"]: style for style in reply["data"]["product"]["styles"]}
        style = styles[reply["data"]["scanned"] or next(iter(styles))]
        sku, price, left = style["sku"], style["price"], style["available"]
        print(f"scanned {sku} {price['amount']} {price['currency']}, {left} left", flush=True)
        now = moment(reply["time"])  # by the store's clock, not ours
        self.ahead = now - time.time()
        data = {"lines": [{"sku": sku, "quantity": 1}], "expected_total": price}
        data["payment"] = {"method": "account", "account": ACCOUNT}
        deadline = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 60))
        request = {"id": new_id(), "expirytime": deadline}
        self.open[request["id"]] = {**request, "data": data}
        self.write()

    def bought(self, identifier, reply):
        """A purchase is answered with a receipt or a refusal."""
        data = reply["data"]
        if "pickup_code" in data:
            print(f"bought {data['order']} pickup code {data['pickup_code']}", flush=True)
        else:
            refused(data)
        del self.open[identifier]
        self.write()

    def answer(self, caller, operation, request):
        """The data of the answer to a request."""
        if operation == "ping":
            return {"node": self.name, "boot": self.boot, "version": "1"}
        if operation == "about":
            node = {"node": self.name, "role": "terminal", "version": "1"}
            start = {"boot": self.boot, "since": self.since, "operations": ["remind"]}
            return {**node, **start, "counts": {}, "outbox": len(self.open)}
        if (caller, operation) != ("settlement", "remind"):
            return problem(404, "unknown-operation", f"{self.name} has no {operation} for you.")
        if request["id"] not in self.shown:
            told = [request["data"].get(it) for it in ("order", "pickup_point_name", "pickup_code")]
            if not all(isinstance(each, str) and each for each in told):
                return problem(422, "invalid-field", "A reminder has an order, a place and a code.")
            late = too_late(request, self.ahead)
            if late:
                return late
            print("remind", *told, flush=True)
            self.shown.append(request["id"])
            self.write()
        return {"shown": True}


def refused(data):
    """Tell the customer why not."""
    print(f"refused {data['status']} {data['code']}: {data['detail']}", flush=True)
