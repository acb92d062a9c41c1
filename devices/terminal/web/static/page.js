// Keeps an open page up to date by server-sent events. Everything works without it, too.
"use strict";

(() => {
  const body = document.body;
  const notify = document.getElementById("notify");
  const canNotify = "Notification" in window && window.isSecureContext;

  // Back from another page: what the browser kept may be old.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", () => {
      // After this turn, so that the button's own value still goes with the form.
      setTimeout(() => {
        for (const button of form.querySelectorAll("button")) button.disabled = true;
      });
    });
  }

  const offerNotification = () => {
    if (notify) notify.hidden = !(canNotify && Notification.permission === "default");
  };
  if (notify) {
    notify.addEventListener("click", () => Notification.requestPermission().then(offerNotification));
    offerNotification();
  }

  const told = new Set(
    [...document.querySelectorAll("#banner [data-order]")].map((each) => each.dataset.order),
  );
  const remind = () => {
    for (const ready of document.querySelectorAll("#banner [data-order]")) {
      if (told.has(ready.dataset.order)) continue;
      told.add(ready.dataset.order);
      const text = ready.querySelector(".remind").textContent;
      document.title = text;
      if (notify) notify.hidden = true;
      if ("vibrate" in navigator) navigator.vibrate(400);
      if (canNotify && Notification.permission === "granted") {
        try {
          new Notification(text, { tag: ready.dataset.order });
        } catch {
          // Some phones allow notifications to service workers only: the banner says it.
        }
      }
    }
  };

  const part = (event) => {
    const { id, html } = JSON.parse(event.data);
    const shown = document.getElementById(id);
    if (!shown || shown.innerHTML.trim() === html.trim()) return;
    shown.innerHTML = html;
    if (id === "banner") remind();
  };

  // A connection may die without a word: on a phone that slept, behind a router that forgot it.
  const silence = 3000 * Number(body.dataset.beat);
  let source = null;
  let heard = 0;
  const hear = (act) => (event) => {
    heard = Date.now();
    act(event);
  };
  const listen = () => {
    if (source) source.close();
    heard = Date.now();
    source = new EventSource(body.dataset.live);
    source.addEventListener("part", hear(part));
    source.addEventListener("beat", hear(() => {}));
    source.addEventListener("go", (event) => location.replace(JSON.parse(event.data)));
    source.addEventListener("error", (event) => {
      // A lost connection is made again by the browser; a refusal is not.
      if (event.target.readyState === EventSource.CLOSED && event.target === source) {
        setTimeout(look, 5000);
      }
    });
  };
  const look = () => {
    const isClosed = source.readyState === EventSource.CLOSED;
    if (isClosed || Date.now() - heard > silence) listen();
  };
  listen();
  setInterval(look, Math.max(100, silence / 6));
  window.addEventListener("online", listen);
  document.addEventListener("visibilitychange", () => {
    // Timers of a page that nobody sees stand still; what it missed is asked for at once.
    if (document.visibilityState === "visible") listen();
  });
  window.addEventListener("pagehide", () => source.close());
})();
