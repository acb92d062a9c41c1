"""Small devices of their own, on a real MQTT client, that keep every rule but the one they break.

They share no code with the store or its devices but the spelling of topics.
"""

import asyncio
import json
import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiomqtt

JSON = dict[str, Any]
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d):([0-5]\d|60)((?:\.\d+)?)"
    r"([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)",
    re.ASCII,
)
AGAIN = 0.08
"""Seconds between repetitions."""
_DAY = 86_400


class CrashError(Exception):
    """The device falls over, as one that breaks C11 does."""


async def end(task: asyncio.Task[Any]) -> None:
    """Cancel, until it is heard: aiomqtt's `wait_for` may lose a cancellation in Python 3.11."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1)
    if not task.cancelled():
        task.exception()  # it has been seen


class LittleDevice:
    """What sorters and terminals have in common; what is durable outlives `run`.

    Args:
        port: where the broker is, or what stands before it.
        site: its site.
        name: its name.
        breaks: the rule that it does not keep; empty for none.
    """

    kind = ""

    def __init__(self, port: int, site: str, name: str, breaks: str = "") -> None:
        self._port, self._root, self.name, self.breaks = port, f"storebus/1/{site}", name, breaks
        self._source = f"/{site}/{name}"
        self._unanswered: dict[str, tuple[str, JSON]] = {}
        """Commands by id: topic and message. Durable."""
        self._answers: dict[str, JSON] = {}
        """What was answered to which command. Durable."""
        self._boot = ""
        self._client: aiomqtt.Client
        self._tasks: asyncio.TaskGroup

    async def run(self) -> None:
        """Be on the bus until cancelled."""
        self._boot = uuid4().hex[:12]
        if self.breaks in ("S14", "T11"):
            self.forget()
        while True:
            try:
                await self._connected()
            except ExceptionGroup as group:
                if group.subgroup(CrashError) is not None:
                    return
                if group.subgroup(aiomqtt.MqttError) is None:
                    raise
            except aiomqtt.MqttError:
                pass
            if self.breaks == "C1":
                return
            await asyncio.sleep(0.05)

    def forget(self) -> None:
        """Lose what should be durable."""
        self._unanswered.clear()
        self._answers.clear()

    async def _connected(self) -> None:
        rule = "S1" if self.kind == "sorter" else "T1"
        presence = f"{self._root}/state/{self.name}/presence"
        will = self._message("presence", {"status": "lost", "boot": self._boot, "since": _now()})
        async with aiomqtt.Client(
            "127.0.0.1", self._port, protocol=aiomqtt.ProtocolVersion.V5,
            identifier=f"{self._root}-{self.name}-{uuid4().hex[:6]}".replace("/", "-"),
            will=None if self.breaks == rule
            else aiomqtt.Will(presence, json.dumps(will), 1, retain=True),
        ) as self._client, asyncio.TaskGroup() as self._tasks:  # fmt: skip
            for each in (f"req/+/{self.name}/+", f"rep/{self.name}/+/+"):
                await self._client.subscribe(f"{self._root}/{each}", qos=1)
            online = {"status": "online", "boot": self._boot, "since": _now()}
            await self._say("state", "presence", online)
            if self.breaks == "C7":
                await self._client.publish("lights/aisle-3", json.dumps(self._message("x", {})))
            if self.breaks == "C9":
                log = json.dumps(self._message("log", {"log": "x" * 66_000}))
                await self._client.publish(f"{self._root}/event/{self.name}/log", log)
            repeating = asyncio.create_task(self._repeat())
            try:
                await self.go_on()
                async for message in self._client.messages:
                    await self._hear(message)
            finally:
                await end(repeating)

    async def go_on(self) -> None:
        """Take up what an earlier start has left."""

    # -- to say -------------------------------------------------------------------------------

    def _message(self, name: str, data: Any, **more: Any) -> JSON:
        message: JSON = {
            "specversion": "1.0", "id": uuid4().hex, "source": self._source,
            "type": f"storebus.{self.kind}.{name}", "time": _now(), **more, "data": data,
        }  # fmt: skip
        if self.breaks == "C2":
            message["time"] = "yesterday"
        if self.breaks == "C3":
            del message["source"]
        return message

    async def _say(self, kind: str, name: str, data: Any) -> None:
        topic = f"{self._root}/{kind}/{self.name}/{name}"
        text = json.dumps(self._message(name, data))
        await self._client.publish(topic, text, retain=kind == "state")

    async def _command(self, callee: str, name: str, data: JSON) -> str:
        topic = f"{self._root}/req/{self.name}/{callee}/{name}"
        message = self._message(f"{name}.request", data)
        message["type"] = f"storebus.{callee}.{name}.request"
        self._unanswered[message["id"]] = (topic, message)
        await self._client.publish(topic, json.dumps(message))
        return str(message["id"])

    async def _repeat(self) -> None:
        count = 0
        while True:
            await asyncio.sleep(AGAIN)
            if self.breaks in ("S5", "T4"):
                continue
            for topic, message in list(self._unanswered.values()):
                if message["id"] not in self._unanswered:
                    continue  # answered in this very moment
                if self.breaks == "C16":
                    count += 1
                    field = "parcel" if self.kind == "sorter" else "pickup_point"
                    message = {**message, "data": {**message["data"], field: f"p-{count}"}}  # noqa: PLW2901
                await self._client.publish(topic, json.dumps(message))

    async def _answer(self, asked: aiomqtt.Message, request: JSON, data: Any, how: str) -> None:
        caller, name = asked.topic.value.split("/")[-3], asked.topic.value.split("/")[-1]
        topic = f"{self._root}/rep/{caller}/{self.name}/{name}"
        properties = asked.properties
        if self.breaks == "C5":
            topic = getattr(properties, "ResponseTopic", topic)
        message = self._message(f"{name}.{how}", data)
        if self.breaks != "C6" and "id" in request:
            message["correlationid"] = request["id"]
        await self._client.publish(topic, json.dumps(message), retain=self.breaks == "C8")

    async def _refuse(self, asked: aiomqtt.Message, request: JSON, status: int, code: str) -> None:
        data = {
            "type": f"https://storebus.example/problems/{code}", "title": code, "status": status,
            "detail": "No.", "code": code, "retryable": False,
        }  # fmt: skip
        await self._answer(asked, request, data, "problem")

    # -- to hear ------------------------------------------------------------------------------

    async def _hear(self, message: aiomqtt.Message) -> None:
        kind = message.topic.value.split("/")[3]
        document = _read(message.payload)
        if document is None:
            if kind == "rep" and self.breaks in ("S7", "T6"):
                self._unanswered.clear()
            if kind == "req" and self.breaks == "C11":
                raise CrashError
            return
        if kind == "rep":
            await self._replied(document)
        elif len(message.payload) <= 65_536:
            await self._asked(message, document)

    async def _replied(self, reply: JSON) -> None:
        asked = reply.get("correlationid", reply["id"])
        if asked not in self._unanswered:
            return
        if str(reply.get("type")).endswith(".problem"):
            for_the_moment = reply["data"]["retryable"] and self.breaks not in ("S8", "T7")
            if for_the_moment or self.breaks in ("S9", "T8"):
                return
        if self.breaks == "C10" and set(reply["data"]) & {"certify", "certifytoo"}:
            return
        if self.breaks not in ("S6", "T5"):
            del self._unanswered[asked]
        await self.replied(reply)

    async def replied(self, reply: JSON) -> None:
        """A command was answered."""

    async def _asked(self, message: aiomqtt.Message, request: JSON) -> None:
        name, data = message.topic.value.split("/")[-1], request["data"]
        if name in ("ping", "about"):
            await self._says_what_it_is(message, request, name)
        elif name not in self.commands:
            await self._refuse(message, request, 404, "unknown-operation")
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

    commands: tuple[str, ...] = ()

    def is_invalid(self, name: str, data: JSON) -> bool:
        """Whether a command's fields are wrong."""
        raise NotImplementedError

    def carried_out(self, data: JSON) -> JSON:
        """What is answered to a command that is carried out."""
        raise NotImplementedError

    async def command(self, name: str, message: aiomqtt.Message, request: JSON) -> None:
        """Carry out a command that is well-formed."""
        raise NotImplementedError

    def _is_too_late(self, request: JSON) -> bool:
        now = datetime.now(UTC).timestamp()
        is_odd = "time" in request and abs(_moment(request["time"]) - now) > _DAY
        if self.breaks == "C14" and is_odd:
            return True
        expires = request.get("expirytime")
        return expires is not None and self.breaks != "C15" and _moment(expires) < now

    async def _says_what_it_is(self, message: aiomqtt.Message, request: JSON, name: str) -> None:
        if self.breaks == "C17":
            return
        data: JSON = {"node": self.name, "boot": self._boot, "version": "1"}
        if name == "about":
            data |= {"role": self.kind, "since": _now(), "operations": [], "counts": {}}
            data |= {"outbox": len(self._unanswered)}
        if self.breaks == "C4":
            data["version"] = 1
        await self._answer(message, request, data, "reply")


class LittleSorter(LittleDevice):
    """Packs every job in a moment."""

    kind, commands = "sorter", ("pick", "abort")

    def __init__(self, port: int, site: str, name: str, breaks: str = "") -> None:
        super().__init__(port, site, name, breaks)
        self._jobs: dict[tuple[str, int], str] = {}
        """The state of each job and assignment: taken, packed, aborted. Durable."""
        self._taken: dict[tuple[str, int], JSON] = {}

    def forget(self) -> None:
        """Lose what should be durable."""
        super().forget()
        self._jobs.clear()
        self._taken.clear()

    async def go_on(self) -> None:
        """Pack what was not packed yet."""
        for key, state in self._jobs.items():
            if state == "taken":
                self._tasks.create_task(self._pack(key))

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

    async def command(self, name: str, message: aiomqtt.Message, request: JSON) -> None:
        """Take a job or stop it."""
        data = request["data"]
        if name == "pick":
            if request["id"] not in self._answers or self.breaks == "S3":
                self._answers[request["id"]] = self._pick(data)
            answer = self._answers[request["id"]]
        else:
            answer = self._abort(data)
        await self._answer(message, request, answer, "reply")

    def _pick(self, data: JSON) -> JSON:
        job, assignment = data["job"], data["assignment"]
        newest = max((number for each, number in self._jobs if each == job), default=0)
        is_old = assignment < newest and self.breaks != "S12"
        stopped = self._jobs.get((job, assignment)) == "aborted"
        if self.breaks == "S11":
            stopped = any(each == job and how == "aborted" for (each, _), how in self._jobs.items())
        answer = {"job": "j-another" if self.breaks == "S2" else job, "accepted": True}
        if is_old or stopped:
            return {**answer, "accepted": False}
        key = (job, assignment)
        if self._jobs.get(key) != "packed" or self.breaks == "S3":
            self._jobs[key], self._taken[key] = "taken", data
            self._tasks.create_task(self._pack(key))
        return answer

    def _abort(self, data: JSON) -> JSON:
        key = (data["job"], data["assignment"])
        broken = "S13" if key in self._jobs else "S10"
        if self.breaks != broken:
            self._jobs[key] = "aborted"
        return {"job": data["job"], "taken": []}

    async def _pack(self, key: tuple[str, int]) -> None:
        data = self._taken[key]
        if self.breaks != "S15":
            state = {"step": "packing", "job": key[0], "order": data["order"], "since": _now()}
            await self._say("state", "job", state)
        await asyncio.sleep(0.1)
        if self._jobs.get(key) == "aborted":
            return
        self._jobs[key] = "packed"
        lines = [
            {"sku": each["sku"], "quantity": each["quantity"] + (self.breaks == "S4")}
            for each in data["picks"]
        ]
        packed = {
            "job": key[0], "assignment": key[1], "order": data["order"], "parcel": "p-1",
            "lines": lines,
        }  # fmt: skip
        await self._command("warehouse", "packed", packed)


class LittleTerminal(LittleDevice):
    """Buys one piece of what is behind a label."""

    kind, commands = "terminal", ("remind",)

    def __init__(self, port: int, site: str, name: str, breaks: str = "") -> None:
        super().__init__(port, site, name, breaks)
        self.shown: list[str] = []
        """What the customer saw, in order."""
        self._lookup = ""

    async def buy(self, label: str) -> None:
        """A customer scans a label and buys one piece of it."""
        topic = f"{self._root}/req/{self.name}/catalog/lookup"
        code = label.rpartition("/")[2] if self.breaks == "T2" else label
        message = self._message("lookup.request", {"code": code})
        self._lookup = message["id"]
        while self._lookup == message["id"]:  # until it is answered
            with suppress(aiomqtt.MqttError):
                await self._client.publish(topic, json.dumps(message))
            await asyncio.sleep(AGAIN)

    async def _replied(self, reply: JSON) -> None:
        if reply.get("correlationid") != self._lookup:
            await super()._replied(reply)
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
        await self._command("settlement", "purchase", purchase)

    def is_invalid(self, name: str, data: JSON) -> bool:
        """Whether a reminder's fields are wrong."""
        del name
        fields = ("order", "pickup_point", "pickup_point_name", "pickup_code")
        return not all(isinstance(data.get(each), str) and data[each] for each in fields)

    def carried_out(self, data: JSON) -> JSON:
        """What is answered to a reminder that is shown."""
        del data
        return {"shown": True}

    async def command(self, name: str, message: aiomqtt.Message, request: JSON) -> None:
        """Show a reminder once; answer each copy."""
        del name
        is_copy = request["id"] in self._answers
        if not is_copy or self.breaks == "T10":
            self.shown.append(request["data"]["pickup_point_name"])
        self._answers[request["id"]] = {"shown": True}
        if not (is_copy and self.breaks == "T9"):
            await self._answer(message, request, {"shown": True}, "reply")


def port_of(url: str) -> int:
    """The port of a broker's URL."""
    port = urlsplit(url).port
    assert port is not None
    return port


def _read(payload: Any) -> JSON | None:
    """A message, or None if it is none."""
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    good = isinstance(document, dict) and isinstance(document.get("id"), str)
    good = good and isinstance(document.get("data"), dict)
    return document if good and document.get("specversion", "1.0") == "1.0" else None


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _moment(text: str) -> float:
    """Seconds since 1970 of an RFC 3339 time; a leap second is the one after it."""
    found = _RFC3339.fullmatch(text)
    assert found is not None, f"{text!r} is no RFC 3339 time"
    day, minute, second, fraction, zone = found.groups()
    leap = second == "60"
    at = f"{day}T{minute}:{'59' if leap else second}{fraction}{zone.upper()}"
    return datetime.fromisoformat(at).timestamp() + leap
