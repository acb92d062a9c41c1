// A terminal on MQTT.js over WebSocket: scans codes, buys one of each, reminds the customer once.

import { randomUUID } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import mqtt from "mqtt";

const [url, name, ...codes] = process.argv.slice(2);
const root = "storebus/1/main";
const account = "C-1001";
const start = { boot: randomUUID(), since: new Date().toISOString() };
const file = `${name}.json`; // what must survive a restart
const kept = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : { open: {}, shown: [] };
const waiting = new Map(); // by id, each request and its timer
const RFC3339 =
  /^(\d{4}-\d\d-\d\d)[Tt]((?:[01]\d|2[0-3]):[0-5]\d):([0-5]\d|60)(\.\d+)?([Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
let ahead = 0; // of our clock, the store's, in milliseconds: one of both may be wrong

// Write the file so that a power cut leaves the old one or the new one, never half of one.
function keep() {
  const descriptor = openSync(`${file}.new`, "w");
  writeSync(descriptor, JSON.stringify(kept));
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(`${file}.new`, file);
}

// What is retained of this start of the terminal.
function presence(status) {
  return JSON.stringify({ id: randomUUID(), data: { status, ...start } });
}

// Send a request, and again with the same id until it is answered.
function ask(callee, operation, request, qos) {
  const asked = { topic: `req/${name}/${callee}/${operation}`, request, qos };
  waiting.set(request.id, asked);
  send(asked, 1000);
}

function send(asked, pause) {
  // What were published while the connection is gone would pile up in the client.
  if (client.connected) {
    client.publish(`${root}/${asked.topic}`, JSON.stringify(asked.request), { qos: asked.qos });
  }
  clearTimeout(asked.timer);
  const next = Math.min(2 * pause, 30000);
  asked.timer = setTimeout(() => send(asked, next), pause * (0.75 + Math.random() / 2));
}

// Take a message; who speaks is said by its topic alone.
function hear(topic, message) {
  if (typeof message.id !== "string") throw new Error("an id is a text");
  const [kind, caller, callee, operation] = topic.slice(root.length + 1).split("/");
  if (kind === "rep") {
    const asked = waiting.get(message.correlationid);
    if (asked?.topic === `req/${name}/${callee}/${operation}`) answered(operation, asked, message);
    return;
  }
  let data;
  if (caller === "settlement" && operation === "remind") {
    data = remind(message);
  } else if (operation === "ping") {
    data = { node: name, boot: start.boot, version: "1" };
  } else if (operation === "about") {
    data = { node: name, role: "terminal", version: "1", ...start };
    data = { ...data, operations: ["remind"], counts: {}, outbox: waiting.size };
  } else {
    data = problem(404, "unknown-operation", `${name} has no ${operation} for you.`);
  }
  const answer = JSON.stringify({ id: message.id, data });
  client.publish(`${root}/rep/${caller}/${name}/${operation}`, answer, { qos: 1 });
}

function answered(operation, asked, { data, time }) {
  if (data.retryable) return; // "not now": the same request goes out again
  if (data.status) {
    console.log(`refused ${data.status} ${data.code}: ${data.detail}`);
  } else if (operation === "lookup") {
    buy(data, time);
  } else if (data.pickup_code) {
    console.log(`bought ${data.order} pickup code ${data.pickup_code}`);
  } else {
    throw new Error("a receipt without a pickup code");
  }
  clearTimeout(asked.timer);
  waiting.delete(asked.request.id);
  if (asked.request.id in kept.open) {
    delete kept.open[asked.request.id];
    keep();
  }
}

// An RFC 3339 time in milliseconds, NaN for what is merely like one. A leap second, which is only at
// the end of a month in UTC, counts as the second after it.
function moment(text) {
  const found = RFC3339.exec(text);
  if (!found) return NaN;
  const [, day, minute, second, fraction = "", zone] = found;
  const at = Date.parse(`${day}T${minute}:${second === "60" ? "59" : second}${fraction}${zone.toUpperCase()}`);
  if (new Date(`${day}T00:00Z`).getUTCDate() !== Number(day.slice(8))) return NaN; // such as 30 February
  if (second !== "60") return at;
  return /-01T00:00:00/.test(new Date(at + 1000).toISOString()) ? at + 1000 : NaN;
}

// Buy one piece, within a minute by the store's clock: ours may be wrong.
function buy(found, storeTime) {
  ahead = moment(storeTime) - Date.now();
  const styles = found.product.styles;
  const style = styles.find(({ sku }) => sku === found.scanned) ?? styles[0];
  const { sku, price, available } = style;
  console.log(`scanned ${sku} ${price.amount} ${price.currency}, ${available} left`);
  const request = {
    id: randomUUID(),
    expirytime: new Date(moment(storeTime) + 60000).toISOString(),
    data: {
      lines: [{ sku, quantity: 1 }],
      payment: { method: "account", account },
      expected_total: price,
    },
  };
  kept.open[request.id] = request;
  keep(); // before it is sent: after a crash it must be the same request
  ask("settlement", "purchase", request, 1);
}

// Show a reminder unless it was shown; either way say that it is.
function remind({ id, data, expirytime }) {
  if (!kept.shown.includes(id)) {
    const told = [data.order, data.pickup_point_name, data.pickup_code];
    if (!told.every((each) => each && typeof each === "string")) {
      return problem(422, "invalid-field", "A reminder has an order, a place and a code.");
    }
    if (expirytime !== undefined && Number.isNaN(moment(expirytime))) {
      return problem(422, "invalid-field", "expirytime is to be an RFC 3339 time.");
    }
    if (moment(expirytime) < Date.now() + ahead) return problem(410, "expired", "It came too late.");
    console.log(`remind ${told.join(" ")}`);
    kept.shown = [...kept.shown.slice(-999), id];
    keep();
  }
  return { shown: true };
}

function problem(status, code, detail) {
  return { type: "about:blank", title: code, status, detail, code };
}

const state = `${root}/state/${name}/presence`;
const client = mqtt.connect(url, {
  clientId: `main-${name}`,
  protocolVersion: 4,
  keepalive: 15,
  reconnectPeriod: 1000,
  resubscribe: false, // done below
  will: { topic: state, payload: presence("lost"), qos: 1, retain: true },
});
client.on("error", ({ message }) => console.error(`no broker: ${message}`)); // it tries again
client.on("connect", () => {
  client.subscribe([`${root}/rep/${name}/+/+`, `${root}/req/+/${name}/+`], { qos: 1 });
  client.publish(state, presence("online"), { qos: 1, retain: true });
  for (const asked of waiting.values()) send(asked, 1000);
});
client.on("message", (topic, payload, { retain }) => {
  try {
    if (!retain) hear(topic, JSON.parse(payload));
  } catch (error) {
    console.error(`ignored a message: ${error}`);
  }
});
for (const request of Object.values(kept.open)) ask("settlement", "purchase", request, 1);
for (const code of codes) ask("catalog", "lookup", { id: randomUUID(), data: { code } }, 0);
process.on("SIGTERM", () => {
  client.publish(state, presence("offline"), { qos: 1, retain: true }, () =>
    client.end(() => process.exit(0)),
  );
});
