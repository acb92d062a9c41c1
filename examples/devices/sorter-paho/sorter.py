"""A sorter on paho-mqtt 2: takes jobs, conveys and packs them once, reports until it is heard."""

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

HOST, PORT, NAME, *SECONDS = sys.argv[1:]
ROOT, STEP_SECONDS = "storebus/1/main", float(SECONDS[0]) if SECONDS else 1.0
BOOT, SINCE = uuid4().hex, datetime.now(UTC).isoformat()
NEVER = "9999-12-31T23:59:59Z"
RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):([0-5]\d|60)(\.\d+)?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
FILE = Path(f"{NAME}.json")  # what must survive a restart
MACHINE = Path("machine.json")  # what is to go wrong next: {"short": "A-03-1"} or {"jam": ""}
OVER = ("done", "aborted")
# Jobs by "job/assignment", answers by the id of the request, reports by their own id. The oldest
# jobs and answers are dropped: they were done hundreds of jobs ago.
kept = {"jobs": {}, "answers": {}, "reports": {}}
if FILE.exists():
    kept = json.loads(FILE.read_text())
due = {}  # when each report is sent next, and the pause after that
heard = queue.SimpleQueue()  # messages, and None for each new connection
listening = set()  # the connection on which we have subscribed: before, no answer would be heard


def keep():
    """Write the file so that a power cut leaves the old one or the new one, never half of one."""
    for part in ("jobs", "answers"):
        kept[part] = dict(list(kept[part].items())[-200:])
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
    """What is retained of this sorter; a last will of another start has another boot."""
    return {"id": uuid4().hex, "data": {"status": status, "boot": BOOT, "since": SINCE}}


def problem(status, code, detail):
    """A refusal."""
    title = code.replace("-", " ").capitalize()
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, "code": code}


def about():
    """What operators may ask of any node."""
    data = {"node": NAME, "role": "sorter", "boot": BOOT, "version": "1", "since": SINCE}
    return data | {"operations": ["abort", "pick"], "counts": {}, "outbox": len(kept["reports"])}


# Jobs


def under_way():
    """The job that is not over yet, if there is one."""
    return next((job for job in kept["jobs"].values() if job["step"] not in OVER), None)


def check(data, *, is_pick):
    """Raise what is wrong with a command: it is carried out whole, or not at all."""
    texts, counts = [data["job"]], [data["assignment"]]
    if is_pick:
        texts += [data["order"], data["pickup_point"]]
        counts.append(len(data["picks"]))
        for each in data["picks"]:
            texts += [each["sku"], each["location"]]
            counts.append(each["quantity"])
    if not all(isinstance(each, str) and each for each in texts):
        raise TypeError("a name is a text, and not an empty one")
    if not all(type(each) is int and each > 0 for each in counts):
        raise TypeError("a number is whole, and at least 1")


def pick(data):
    """Take a job if there is none under way; what is known already is not begun again."""
    key = f"{data['job']}/{data['assignment']}"
    job = kept["jobs"].get(key)
    picks = [
        {name: each[name] for name in ("sku", "location", "quantity")} for each in data["picks"]
    ]
    if job is None:
        newest = [
            each["assignment"] for each in kept["jobs"].values() if each["job"] == data["job"]
        ]
        if under_way() or data["assignment"] < max(newest, default=0):
            return {"job": data["job"], "accepted": False}
        wanted = ("job", "assignment", "order", "pickup_point")
        job = {name: data[name] for name in wanted} | {"picks": picks, "pick": 0, "found": []}
        kept["jobs"][key] = job
        go_to(job, "travelling")
    return {"job": job["job"], "accepted": job["step"] != "aborted"}


def abort(data):
    """Stop a job and say what had been taken; one never seen is never to be begun."""
    key = f"{data['job']}/{data['assignment']}"
    nothing = {"job": data["job"], "assignment": data["assignment"], "picks": [], "found": []}
    job = kept["jobs"].setdefault(key, nothing | {"pick": 0, "step": "aborted"})
    if job["step"] != "aborted":
        stop(job)
    return {"job": job["job"], "taken": lines(job)}


def stop(job):
    """Go on no more. What is being taken at this moment counts as taken: somebody has to look."""
    if job["step"] == "picking":
        job["found"].append(job["picks"][job["pick"]]["quantity"])
    go_to(job, "aborted")


def lines(job):
    """What was taken of a job so far, by SKU."""
    taken = {}
    for each, found in zip(job["picks"], job["found"], strict=False):
        taken[each["sku"]] = taken.get(each["sku"], 0) + found
    return [{"sku": sku, "quantity": quantity} for sku, quantity in taken.items() if quantity]


def go_to(job, step):
    """Begin a step: it is written down when the caller keeps the file, and shown after that."""
    job["step"], job["since"] = step, datetime.now(UTC).isoformat()


class JamError(Exception):
    """The machine cannot go on by itself."""


def find(each):
    """How many pieces the machine finds at a pick, at most those that are wanted."""
    wrong = json.loads(MACHINE.read_text()) if MACHINE.exists() else {}
    if "jam" in wrong or wrong.get("short") == each["location"]:
        MACHINE.unlink()
    if "jam" in wrong:
        raise JamError
    return each["quantity"] - (wrong.get("short") == each["location"])


def after_pick(job):
    """The next pick, or on with what was found; with nothing at all the job is over."""
    if len(job["found"]) < len(job["picks"]):
        job["pick"] = len(job["found"])
        go_to(job, "travelling")
    else:
        go_to(job, "conveying" if any(job["found"]) else "aborted")


def report(operation, job, **more):
    """Something that the warehouse has to hear: it is kept along with the step."""
    data = {"job": job["job"], "assignment": job["assignment"], **more}
    message = {"id": uuid4().hex, "data": data}
    kept["reports"][message["id"]] = {"operation": operation, "message": message}


def advance(job):
    """The machine has done a step: the next one. A real one is told of it here, with a key.

    After a crash the step that was under way is begun again, with the same key: a machine that
    remembers the keys of what it has done does not move twice.
    """
    if job["step"] == "travelling":
        go_to(job, "picking")
    elif job["step"] == "picking":
        take(job)
    elif job["step"] == "conveying":
        go_to(job, "packing")
    else:
        go_to(job, "done")
        parcel = f"p-{uuid4().hex[:12]}"
        report("packed", job, order=job["order"], parcel=parcel, lines=lines(job))
    keep()  # the step and its report at once, before anyone hears of either
    tell(job)


def take(job):
    """The machine has taken what it found, or has jammed."""
    each = job["picks"][job["pick"]]
    try:
        found = find(each)
    except JamError:
        stop(job)
        report("fault", job, reason="The machine is jammed.")
        return
    job["found"].append(found)
    if found < each["quantity"]:
        go_to(job, "short")  # until the warehouse has said where the rest is
        report("short-pick", job, sku=each["sku"], location=each["location"], found=found)
    else:
        after_pick(job)


def tell(job):
    """Show how far the job is."""
    print(f"{job['step']} {job['job']}", flush=True)
    data = {name: job.get(name) for name in ("step", "job", "order", "pick", "since")}
    data["picks"] = len(job["picks"])
    say(f"state/{NAME}/job", {"id": uuid4().hex, "data": data}, retain=True)


def show_job():
    """Show what we are at; between jobs that we are idle."""
    job = under_way()
    if job is not None:
        tell(job)
    elif not kept["reports"]:
        idle = {"step": "idle", "since": datetime.now(UTC).isoformat()}
        say(f"state/{NAME}/job", {"id": uuid4().hex, "data": idle}, retain=True)


# Messages


def hear(topic, message):
    """Take a message; who speaks is said by its topic alone."""
    if not isinstance(message["id"], str):
        raise TypeError("an id is a text")
    kind, caller, callee, operation = topic.removeprefix(f"{ROOT}/").split("/")
    if kind == "rep":
        sent = kept["reports"].get(message["correlationid"])
        if sent and (callee, operation) == ("warehouse", sent["operation"]):
            reported(message["correlationid"], message["data"])
    elif operation == "about":
        say(f"rep/{caller}/{NAME}/about", {"id": message["id"], "data": about()})
    elif operation == "ping":
        pong = {"node": NAME, "boot": BOOT, "version": "1"}
        say(f"rep/{caller}/{NAME}/ping", {"id": message["id"], "data": pong})
    else:
        data = obey(caller, operation, message)
        say(f"rep/{caller}/{NAME}/{operation}", {"id": message["id"], "data": data})


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


def obey(caller, operation, message):
    """The answer to a command: for the same id the same answer, without a second effect."""
    run = {"pick": pick, "abort": abort}.get(operation)
    if run is None:
        return problem(404, "unknown-operation", f"A sorter has no operation {operation}.")
    if caller != "warehouse":
        return problem(403, "forbidden", f"Only warehouse may call {operation}.")
    key, asked = message["id"], [operation, message["data"]]
    before = kept["answers"].get(key)
    if before is not None:
        same = before["asked"] == asked
        return before["answer"] if same else problem(409, "id-reused", "Another body had this id.")
    if late := too_late(message):
        return late
    was = under_way()
    try:
        check(message["data"], is_pick=operation == "pick")
        answer = run(message["data"])
    except (LookupError, TypeError, AttributeError) as error:
        return problem(422, "invalid-field", f"The data cannot be read: {error!r}.")
    kept["answers"][key] = {"asked": asked, "answer": answer}
    keep()  # the job and the answer at once, before anyone hears of either
    if under_way() is not was:
        show_job()
    return answer


def reported(identifier, data):
    """The warehouse has heard of it; "not now" is no answer."""
    if data.get("retryable"):
        return
    operation, sent = (kept["reports"][identifier][name] for name in ("operation", "message"))
    if "status" in data:
        print(f"refused {data['status']} {data['code']}: {data['detail']}", flush=True)
    else:
        job = kept["jobs"][f"{sent['data']['job']}/{sent['data']['assignment']}"]
        if operation == "short-pick" and job["step"] == "short":
            job["picks"] += data["picks"]
            after_pick(job)
        print(f"{operation} {data['job']}", flush=True)
    del kept["reports"][identifier]
    keep()
    show_job()


def send_what_is_due():
    """Send each report again until it is answered, with pauses that double up to 30 seconds."""
    for identifier, each in kept["reports"].items():
        at, pause = due.get(identifier, (0.0, 1.0))
        if time.monotonic() >= at and listening and client.is_connected():
            say(f"req/{NAME}/warehouse/{each['operation']}", each["message"])
            due[identifier] = (
                time.monotonic() + pause * random.uniform(0.75, 1.25),
                min(pause * 2, 30.0),
            )


def connected():
    """Listen, say that we are there, and send at once what may have been lost."""
    client.subscribe([(f"{ROOT}/rep/{NAME}/+/+", 1), (f"{ROOT}/req/+/{NAME}/+", 1)])
    listening.add(client)
    say(f"state/{NAME}/presence", presence("online"), retain=True)
    show_job()
    due.clear()


def run():
    """Be a sorter until stopped: the machine works while messages are heard."""
    working, step_over = None, 0.0
    while True:
        send_what_is_due()
        job = under_way()
        at = job and (job["job"], job["assignment"], job["step"], job["pick"])
        if job is not None and working != at:
            working = at
            step_over = time.monotonic() + STEP_SECONDS
        works = job is not None and job["step"] != "short"
        if works and time.monotonic() >= step_over:
            advance(job)
            continue
        pause = min(0.2, step_over - time.monotonic()) if works else 0.2
        try:
            message = heard.get(timeout=max(0.0, pause))
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
