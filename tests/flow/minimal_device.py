"""Small devices of their own that keep every rule but the one that they break.

They share no code with the store or its devices but the spelling of topics. What one breaks is the
id of a rule; where a rule can be broken in several ways, there is a word behind it: `S16/copies`.
"""

import asyncio
import json
import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from device_connection import Client, Connect, Heard, LostError

JSON = dict[str, Any]
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):([0-5]\d|60)((?:\.\d+)?)"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
_DAY = 86_400_000
_STEP = 0.1
"""Seconds that a sorter takes for a step."""
_LATE = 0.05
"""Seconds until a device that answers before it has written something down has done so."""
_CUSTOMER = 6.0
"""Seconds that a customer waits."""


class CrashError(Exception):
    """The device falls over, as one that breaks C11 does."""


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel, until it is heard: aiomqtt's `wait_for` may lose a cancellation in Python 3.11."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1)
    if not task.cancelled():
        task.exception()  # it has been seen


class MinimalDevice:
    """What sorters and terminals have in common; what is durable outlives `run`.

    Args:
        connect: makes its connections.
        site: its site.
        name: its name.
        breaks: what it does wrong; empty for nothing.
        now: its clock, in milliseconds since the epoch.
        again: seconds before it repeats something for the first time.
    """

    kind = ""
    master = ""
    """Who may command it."""
    commands: tuple[str, ...] = ()

    def __init__(
        self, connect: Connect, site: str, name: str, breaks: str,
        now: Callable[[], int], again: float,
    ) -> None:  # fmt: skip
        self._connect, self._root, self.name, self.breaks = (
            connect, f"storebus/1/{site}", name, breaks,
        )  # fmt: skip
        self._now, self._again = now, again
        self._source = f"/{site}/{name}"
        self._unanswered: dict[str, tuple[str, JSON]] = {}
        """Commands by id: topic and message. Durable."""
        self._answers: dict[str, JSON] = {}
        """What was answered to which command. Durable."""
        self._left_over: set[str] = set()
        """Of those, the commands of an earlier start."""
        self._written: list[tuple[float, JSON, Any]] = []
        """By devices that answer first: when what is in what was written down."""
        self._due: dict[str, tuple[float, float]] = {}
        """When each is sent again, and the pause after that."""
        self._boot = uuid4().hex[:12]
        self._replied_to: set[str] = set()
        self._connections = 0
        self._client: Client
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        """Be on the bus until cancelled."""
        self._start()
        while True:
            try:
                await self._connected()
            except ExceptionGroup as group:
                if group.subgroup(CrashError) is not None:
                    return
                if group.subgroup(LostError) is None:
                    raise
            except LostError:
                pass
            if self.breaks == "C1":
                return
            await asyncio.sleep(0.05)

    def _start(self) -> None:
        """Read what was written down."""
        if not self.breaks.endswith("1/boot"):
            self._boot = uuid4().hex[:12]
        if self.breaks in ("S14", "T11"):
            self.forget()
        for at, file, key in self._written:
            if at > _clock():
                file.pop(key, None)
        self._left_over, self._connections = set(self._unanswered), 0

    def forget(self) -> None:
        """Lose what should be durable."""
        self._unanswered.clear()
        self._answers.clear()

    async def _connected(self) -> None:
        rule = "S1" if self.kind == "sorter" else "T1"
        topic = f"{self._root}/state/{self.name}/presence"
        will = topic, self._message("presence", self._presence("lost"))
        keep_alive = 600 if self.breaks == "C23" else 15
        async with (
            self._connect(None if self.breaks == rule else will, keep_alive) as self._client,
            asyncio.TaskGroup() as self._tasks,
        ):
            self._connections += 1
            for each in (f"req/+/{self.name}/+", f"rep/{self.name}/+/+"):
                if self.breaks != "C1/deaf" or self._connections == 1 or each.startswith("req"):
                    await self._client.subscribe(f"{self._root}/{each}")
            if self.breaks != f"{rule}/once" or self._connections == 1:
                await self._say("state", "presence", self._presence("online"))
            if self.breaks == "C7":
                await self._client.publish("lights/aisle-3", self._message("x", {}))
            if self.breaks == "C9":
                log = self._message("log", {"log": "x" * 66_000})
                await self._client.publish(f"{self._root}/event/{self.name}/log", log)
            self._due.clear()
            repeating = asyncio.create_task(self._repeat())
            try:
                await self.go_on()
                async for message in self._client.messages():
                    await self._receive(message)
            finally:
                await end(repeating)

    async def go_on(self) -> None:
        """Take up what an earlier start has left."""

    # -- to say -------------------------------------------------------------------------------

    def _presence(self, status: str) -> JSON:
        return {"status": status, "boot": self._boot, "since": _stamp(self._now())}

    def _message(self, name: str, data: Any, **more: Any) -> JSON:
        message: JSON = {
            "specversion": "1.0", "id": uuid4().hex, "source": self._source,
            "type": f"storebus.{self.kind}.{name}", "time": _stamp(self._now()), **more,
            "data": data,
        }  # fmt: skip
        if self.breaks == "C2":
            message["time"] = "yesterday"
        if self.breaks == "C3":
            del message["source"]
        return message

    async def _say(self, kind: str, name: str, data: Any) -> None:
        topic = f"{self._root}/{kind}/{self.name}/{name}"
        await self._client.publish(topic, self._message(name, data), retain=kind == "state")

    async def _command(self, callee: str, name: str, data: JSON, **more: Any) -> str:
        topic = f"{self._root}/req/{self.name}/{callee}/{name}"
        message = self._message(f"{name}.request", data, **more)
        message["type"] = f"storebus.{callee}.{name}.request"
        self._unanswered[message["id"]] = (topic, message)
        await self._send(message["id"])
        return str(message["id"])

    async def _send(self, identifier: str) -> None:
        """Send a command (again), and say when it is due next."""
        topic, message = self._unanswered[identifier]
        _, pause = self._due.get(identifier, (0.0, self._again))
        following = pause if self.breaks == "C20" else 2 * pause
        if self.breaks == "C19":
            pause = following = 0.02
        self._due[identifier] = _clock() + pause, min(following, 4 * self._again)
        await self._client.publish(topic, self.as_now(message))

    def as_now(self, message: JSON) -> JSON:
        """A command as it is sent at this moment."""
        return message

    async def _repeat(self) -> None:
        count = 0
        while True:
            for identifier in list(self._unanswered):
                if _clock() < self._due.get(identifier, (0.0, 0.0))[0]:
                    continue
                if self.breaks in ("S5", "T4") and identifier in self._due:
                    continue
                topic, message = self._unanswered[identifier]
                if self.breaks == "C16":
                    count += 1
                    field = "parcel" if self.kind == "sorter" else "pickup_point"
                    changed = {**message, "data": {**message["data"], field: f"p-{count}"}}
                    self._unanswered[identifier] = topic, changed
                if self.gives_up(identifier):
                    del self._unanswered[identifier]
                else:
                    await self._send(identifier)
            await asyncio.sleep(0.01 if self.breaks == "C19" else 0.05)

    def gives_up(self, identifier: str) -> bool:
        """Whether it asks no more."""
        del identifier
        return False

    async def _answer(self, asked: Heard, request: JSON, data: Any, how: str) -> None:
        caller, name = asked.topic.split("/")[-3], asked.topic.split("/")[-1]
        topic = f"{self._root}/rep/{caller}/{self.name}/{name}"
        if self.breaks == "C5":
            topic = asked.response_topic or topic
        message = self._message(f"{name}.{how}", data)
        if self.breaks != "C6" and "id" in request:
            message["correlationid"] = request["id"]
        await self._client.publish(topic, message, retain=self.breaks == "C8")

    async def _refuse(self, asked: Heard, request: JSON, status: int, code: str) -> None:
        data = {
            "type": f"https://storebus.example/problems/{code}", "title": code, "status": status,
            "detail": "No.", "code": code, "retryable": False,
        }  # fmt: skip
        await self._answer(asked, request, data, "problem")

    # -- to hear ------------------------------------------------------------------------------

    async def _receive(self, message: Heard) -> None:
        kind = message.topic.split("/")[3]
        document = _read(message.payload)
        if document is None:
            if kind == "rep" and self.breaks in ("S7", "T6"):
                self._unanswered.clear()
            if kind == "req" and self.breaks == "C11":
                raise CrashError
            return
        if message.retain and self.breaks != "C22":
            return
        if kind == "rep":
            await self._replied(message, document)
        elif len(message.payload) <= 65_536:
            await self._asked(message, document)

    async def _replied(self, message: Heard, reply: JSON) -> None:
        asked = reply.get("correlationid", reply["id"])
        if asked not in self._unanswered:
            return
        topic = self._unanswered[asked][0].replace("/req/", "/rep/")
        if message.topic != topic and not self.breaks.endswith("/stranger"):
            return
        if self.breaks in ("S14/deaf", "T11/deaf") and asked in self._left_over:
            return
        if str(reply.get("type")).endswith(".problem"):
            for_the_moment = reply["data"]["retryable"] and self.breaks not in ("S8", "T7")
            if for_the_moment or self.breaks in ("S9", "T8"):
                return
        if self.breaks == "C10" and set(reply["data"]) & {"certify", "certifytoo"}:
            return
        _, command = self._unanswered[asked]
        if self.breaks not in ("S6", "T5"):
            del self._unanswered[asked]
        if asked not in self._replied_to:
            self._replied_to.add(asked)
            await self.replied(command, reply)

    async def replied(self, command: JSON, reply: JSON) -> None:
        """A command was answered."""

    async def _asked(self, message: Heard, request: JSON) -> None:
        name, data = message.topic.split("/")[-1], request["data"]
        if name in ("ping", "about"):
            await self._says_what_it_is(message, request, name)
        elif name not in self.commands:
            if self.breaks != "C21":
                await self._refuse(message, request, 404, "unknown-operation")
        elif message.topic.split("/")[-3] != self.master and self.breaks != "C18":
            await self._refuse(message, request, 403, "forbidden")
        elif self._is_too_late(request):
            await self._refuse(message, request, 410, "expired")
        elif self.breaks == "C10" and set(data) & {"certify", "certifytoo"}:
            await self._refuse(message, request, 422, "invalid-field")
        elif self.is_invalid(name, data):
            if self.breaks == "C12":
                await self._answer(message, request, self.carried_out(data), "reply")
            elif self.breaks != "C13":
                await self._refuse(message, request, 422, "invalid-field")
        else:
            await self.command(name, message, request)

    def is_invalid(self, name: str, data: JSON) -> bool:
        """Whether a command's fields are wrong."""
        raise NotImplementedError

    def carried_out(self, data: JSON) -> JSON:
        """What is answered to a command that is carried out."""
        raise NotImplementedError

    async def command(self, name: str, message: Heard, request: JSON) -> None:
        """Carry out a command that is well-formed."""
        raise NotImplementedError

    def _is_too_late(self, request: JSON) -> bool:
        if self.breaks == "C14" and "time" in request:
            away = _moment(request["time"]) - self._now()
            if abs(away) > 5 * _DAY:
                return True
        expires = request.get("expirytime")
        return expires is not None and self.breaks != "C15" and _moment(expires) < self._now()

    async def _says_what_it_is(self, message: Heard, request: JSON, name: str) -> None:
        if self.breaks == "C17":
            return
        boot = "another" if self.breaks == "C17/boot" else self._boot
        data: JSON = {"node": self.name, "boot": boot, "version": "1"}
        if name == "about":
            data |= {"role": self.kind, "since": "unknown", "operations": [], "counts": {}}
            data |= {"outbox": len(self._unanswered)}
        if self.breaks == "C4":
            data["version"] = 1
        await self._answer(message, request, data, "reply")


class MinimalSorter(MinimalDevice):
    """Takes a moment for each pick, and one to pack; one job at a time."""

    kind, master, commands = "sorter", "warehouse", ("pick", "abort")

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._jobs: dict[tuple[str, int], JSON] = {}
        """Each job and assignment: its pick, its state, what was found at each pick. Durable."""
        self.short: set[str] = set()
        """The locations that hold one piece fewer than they should."""
        self.jams = False
        """Whether it jams at its next pick."""

    def jam(self) -> None:
        """Jam at the next pick."""
        self.jams = True

    def forget(self) -> None:
        """Lose what should be durable."""
        super().forget()
        self._jobs.clear()

    async def go_on(self) -> None:
        """Do what was not done yet."""
        if self.breaks == "S14/aborts" and self._connections == 1:
            for key in [key for key, job in self._jobs.items() if job["state"] == "aborted"]:
                del self._jobs[key]
        for key, job in self._jobs.items():
            if job["state"] == "taken":
                self._tasks.create_task(self._do(key))

    def is_invalid(self, name: str, data: JSON) -> bool:
        """Whether a command's fields are wrong."""
        try:
            good = isinstance(data["job"], str) and isinstance(data["assignment"], int)
            if name == "pick":
                good = good and isinstance(data["order"], str) and bool(data["picks"])
                good = good and all(each["quantity"] > 0 for each in data["picks"])
        except (KeyError, TypeError):
            return True
        return not good

    def carried_out(self, data: JSON) -> JSON:
        """What is answered to a job that is taken."""
        return {"job": data["job"] if isinstance(data.get("job"), str) else "j", "accepted": True}

    async def command(self, name: str, message: Heard, request: JSON) -> None:
        """Take a job or stop it; each answer is kept."""
        data, identifier = request["data"], request["id"]
        known = self._answers.get(identifier)
        if name == "pick":
            undecided = (
                known is not None and not known["accepted"] and self.breaks == "S3/undecided"
            )
            if known is None or undecided:
                self._answers[identifier] = self._pick(data)
            elif self.breaks == "S3" and known["accepted"]:
                self._tasks.create_task(self._do((data["job"], data["assignment"])))
        elif known is None:
            self._answers[identifier] = self._abort(data)
        elif self.breaks == "S16/copies":
            self._answers[identifier] = {**known, "taken": []}
        await self._answer(message, request, self._answers[identifier], "reply")

    def _pick(self, data: JSON) -> JSON:
        job, assignment = data["job"], data["assignment"]
        key = (job, assignment)
        newest = max((number for each, number in self._jobs if each == job), default=0)
        is_old = assignment < newest and self.breaks != "S12"
        stopped = key in self._jobs and self._jobs[key]["state"] == "aborted"
        if self.breaks == "S11":
            stopped = any(
                each == job and it["state"] == "aborted" for (each, _), it in self._jobs.items()
            )
        answer = {"job": "j-another" if self.breaks == "S2" else job, "accepted": True}
        if is_old or stopped:
            return {**answer, "accepted": False}
        if key not in self._jobs and any(it["state"] == "taken" for it in self._jobs.values()):
            return {**answer, "accepted": self.breaks == "S17"}
        if key not in self._jobs:
            self._jobs[key] = {"pick": data, "state": "taken", "found": [], "rest": []}
            if self.breaks == "S14/late":
                self._written.append((_clock() + _LATE, self._jobs, key))
            self._tasks.create_task(self._do(key))
        return answer

    def _abort(self, data: JSON) -> JSON:
        key = (data["job"], data["assignment"])
        is_known = key in self._jobs
        job = self._jobs.get(key, {"pick": {"picks": []}, "found": [], "rest": []})
        pick = self._next_pick(key) if is_known and job["state"] == "taken" else None
        if pick is not None:  # what is being taken at this moment counts
            job = {**job, "found": [*job["found"], pick["quantity"]]}
        if self.breaks != ("S13" if is_known else "S10"):
            self._jobs[key] = {**job, "state": "aborted"}
        taken = _lines(job)
        if self.breaks == "S16" and is_known:
            taken = []
        if self.breaks == "S10/taken" and not is_known:
            taken = [{"sku": "CERTIFY-1", "quantity": 1}]
        return {"job": data["job"], "taken": taken}

    async def _do(self, key: tuple[str, int]) -> None:
        """Go from pick to pick, then pack."""
        while (pick := self._next_pick(key)) is not None:
            await self._show(key, "picking")
            await asyncio.sleep(_STEP)
            if self._is_over(key):
                return
            if self.jams:
                self.jams = False
                if self.breaks != "S19":
                    await self._report_fault(key)
                if self.breaks not in ("S19", "S19/packs"):
                    return
            if not await self._take(key, pick):
                return  # until the warehouse has said where the rest is
        await self._show(key, "packing")
        await asyncio.sleep(_STEP)
        if self._is_over(key):
            return
        job = self._jobs[key]
        job["state"] = "packed"
        packed = {
            "job": key[0], "assignment": key[1], "order": job["pick"]["order"], "parcel": "p-1",
            "lines": _lines(job, more=self.breaks == "S4"),
        }  # fmt: skip
        await self._command("warehouse", "packed", packed)

    def _is_over(self, key: tuple[str, int]) -> bool:
        return self._jobs[key]["state"] == "aborted"

    def _next_pick(self, key: tuple[str, int]) -> JSON | None:
        job = self._jobs[key]
        picks = [*job["pick"]["picks"], *job["rest"]]
        return picks[len(job["found"])] if len(job["found"]) < len(picks) else None

    async def _take(self, key: tuple[str, int], pick: JSON) -> bool:
        """Take what is there; whether the job can go on at once."""
        found = pick["quantity"]
        if pick["location"] in self.short and self.breaks != "S18":
            self.short.discard(pick["location"])
            found -= 1
        self._jobs[key]["found"].append(found)
        if found == pick["quantity"]:
            return True
        report = {
            "job": key[0], "assignment": key[1], "sku": pick["sku"], "location": pick["location"],
            "found": found + (self.breaks == "S18/found"),
        }  # fmt: skip
        identifier = await self._command("warehouse", "short-pick", report)
        if self.breaks == "S18/once":
            del self._unanswered[identifier]
        return self.breaks in ("S18/alone", "S18/once")

    async def _report_fault(self, key: tuple[str, int]) -> None:
        self._jobs[key]["state"] = "faulty"
        report = {"job": key[0], "assignment": key[1], "reason": "jam at the lift"}
        identifier = await self._command("warehouse", "fault", report)
        if self.breaks == "S19/once":
            del self._unanswered[identifier]

    async def replied(self, command: JSON, reply: JSON) -> None:
        """Of a short pick: go on, with what is elsewhere."""
        picks = reply["data"].get("picks")
        if picks is None or self.breaks == "S18/alone":
            return
        key = command["data"]["job"], command["data"]["assignment"]
        if self.breaks != "S18/rest":
            self._jobs[key]["rest"] += picks
        if not self._is_over(key):
            self._tasks.create_task(self._do(key))

    async def _show(self, key: tuple[str, int], step: str) -> None:
        if self.breaks == "S15":
            return
        job = self._jobs[key]
        state = {
            "step": step, "job": key[0], "order": job["pick"]["order"], "pick": len(job["found"]),
            "picks": len(job["pick"]["picks"]), "since": "unknown",
        }  # fmt: skip
        await self._say("state", "job", state)


class MinimalTerminal(MinimalDevice):
    """Buys one piece of what is behind a label."""

    kind, master, commands = "terminal", "settlement", ("remind",)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.shown: list[str] = []
        """What the customer saw, in order."""
        self._orders: set[str] = set()
        self._lookup = ""
        self._until: dict[str, float] = {}
        """When the customer of each purchase leaves. Durable."""

    async def buy(self, label: str) -> None:
        """A customer scans a label and buys one piece of it."""
        topic = f"{self._root}/req/{self.name}/catalog/lookup"
        code = label.rpartition("/")[2] if self.breaks == "T2" else label
        message = self._message("lookup.request", {"code": code})
        self._lookup, pause = message["id"], self._again
        while self._lookup == message["id"]:  # until it is answered
            with suppress(LostError):
                await self._client.publish(topic, message)
                if self.breaks == "T16":
                    return
            await asyncio.sleep(pause)
            pause *= 2

    async def _replied(self, message: Heard, reply: JSON) -> None:
        if reply.get("correlationid") != self._lookup:
            await super()._replied(message, reply)
            return
        self._lookup = ""
        style = reply["data"]["product"]["styles"][0]
        price = style["price"]
        if self.breaks == "T3":
            price = {**price, "amount": price["amount"] - 1}
        purchase = {
            "lines": [{"sku": style["sku"], "quantity": 1}], "pickup_point": None,
            "payment": {"method": "account", "account": "C-1001"}, "expected_total": price,
        }  # fmt: skip
        more: JSON = {"expiresin": int(_CUSTOMER)}
        if self.breaks == "T12":
            more = {"expirytime": "1970-01-01T00:01:00Z"}
        if self.breaks == "T12/own":
            more = {"expirytime": _stamp(self._now() + 60_000)}
        if self.breaks == "T12/ahead":
            more = {"expirytime": _stamp(self._now() + 30 * _DAY)}
        if self.breaks == "T13":
            more = {}
        leaves = _clock() + _CUSTOMER
        command = await self._command("settlement", "purchase", purchase, **more)
        self._until[command] = leaves

    def _left(self, identifier: str) -> int:
        until = self._until.get(identifier)
        if until is None:
            return int(_CUSTOMER)
        return max(0, round(until - _clock()))

    def as_now(self, message: JSON) -> JSON:
        """With what is left of the customer's patience."""
        if "expiresin" not in message or self.breaks == "T15":
            return message
        return {**message, "expiresin": self._left(message["id"])}

    def gives_up(self, identifier: str) -> bool:
        """The customer has left: who cares?"""
        return self.breaks == "T14" and self._left(identifier) == 0

    def is_invalid(self, name: str, data: JSON) -> bool:
        """Whether a reminder's fields are wrong."""
        del name
        fields = ("order", "pickup_point", "pickup_point_name", "pickup_code")
        return not all(isinstance(data.get(each), str) and data[each] for each in fields)

    def carried_out(self, data: JSON) -> JSON:
        """What is answered to a reminder that is shown."""
        del data
        return {"shown": True}

    async def command(self, name: str, message: Heard, request: JSON) -> None:
        """Show a reminder once; answer each copy."""
        del name
        is_copy = request["id"] in self._answers
        is_known = request["data"]["order"] in self._orders and self.breaks == "T10/later"
        if (not is_copy and not is_known) or self.breaks == "T10":
            self.shown.append(request["data"]["pickup_point_name"])
        self._orders.add(request["data"]["order"])
        self._answers[request["id"]] = {"shown": True}
        if self.breaks == "T11/late":
            self._written.append((_clock() + _LATE, self._answers, request["id"]))
        if not (is_copy and self.breaks == "T9"):
            await self._answer(message, request, {"shown": True}, "reply")


def _lines(job: JSON, *, more: bool = False) -> list[JSON]:
    """What was taken of a job, by SKU."""
    picks, taken = [*job["pick"]["picks"], *job["rest"]], {}
    for pick, found in zip(picks, job["found"], strict=False):
        taken[pick["sku"]] = taken.get(pick["sku"], 0) + found
    return [{"sku": sku, "quantity": count + more} for sku, count in taken.items() if count]


def _read(payload: Any) -> JSON | None:
    """A message, or None if it is none."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    good = isinstance(document, dict) and isinstance(document.get("id"), str)
    good = good and isinstance(document.get("data"), dict)
    return document if good and document.get("specversion", "1.0") == "1.0" else None


def _clock() -> float:
    return asyncio.get_running_loop().time()


def _stamp(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat()


def _moment(text: str) -> float:
    """Milliseconds since 1970 of an RFC 3339 time; a leap second is the one after it."""
    found = _RFC3339.fullmatch(text)
    assert found is not None, f"{text!r} is no RFC 3339 time"
    day, minute, second, fraction, zone = found.groups()
    leap = second == "60"
    at = f"{day}T{minute}:{'59' if leap else second}{fraction}{zone.upper()}"
    return (datetime.fromisoformat(at).timestamp() + leap) * 1000
