// What the pages do beyond HTML and htmx: countdowns, the form's rows, copying
// a link, polite announcements, and a watch over the live result. Every page
// works without this file, and this file works without htmx.
"use strict";
(() => {
  const find = (selector, root = document) => root.querySelector(selector);
  const findAll = (selector, root = document) => [...root.querySelectorAll(selector)];
  const fill = (text, value) => text.replace("{0}", value);
  const setText = (node, text) => { if (node.textContent !== text) node.textContent = text; };

  // ---- time: by the server's clock, in the visitor's zone

  let skew = 0; // the server's clock minus ours, in ms
  const now = () => Date.now() + skew;
  const dayCount = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: "day", unitDisplay: "long" });
  const localClock = new Intl.DateTimeFormat(document.documentElement.lang, { timeStyle: "medium" });
  const localTime = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });

  function clock(ms) {
    const s = Math.max(0, Math.ceil(ms / 1000));
    const two = n => String(n).padStart(2, "0");
    const days = Math.floor(s / 86400), hours = Math.floor(s / 3600) % 24;
    return (days ? dayCount.format(days) + " " : "") + (days || hours ? two(hours) + ":" : "") + two(Math.floor(s / 60) % 60) + ":" + two(s % 60);
  }

  function showTimes() {
    for (const node of findAll("time[data-countdown]")) {
      const at = Date.parse(node.dateTime), left = at - now();
      setText(node, fill(node.dataset.countdown, clock(left)));
      node.title = localTime.format(at);
      // Where no stream tells of the opening, the clock does.
      if (left > 0) node.waits = true;
      else if (node.waits && !liveElement() && node.closest('[data-status="scheduled"]')) reloadSoon();
    }
    for (const node of findAll("time[data-local]")) setText(node, fill(node.dataset.local, localTime.format(Date.parse(node.dateTime))));
  }

  // The page of a ballot that opens, or goes, loads itself anew; not all of
  // them in the same instant.
  let reloading = false;
  function reloadSoon() {
    if (!reloading) setTimeout(() => location.reload(), Math.random() * 1500);
    reloading = true;
  }

  // The page on which one votes follows the ballot's status. A form that
  // somebody fills in stays: it says that voting has ended, or goes on.
  function followStatus() {
    const page = find("[data-status]"), note = page && find("[data-ended]", page);
    if (!page) return;
    const changed = !find(".state-" + page.dataset.status, page);
    if (note) note.hidden = !changed;
    else if (changed) reloadSoon();
  }

  // ---- the live result: htmx keeps the stream, we watch that it is alive

  const SILENCE = 35_000;      // two beats of 15 s missed, and a little
  const ANNOUNCE = 10_000;     // at most one announcement in this time
  const CALM = 10_000;         // without a frame: how often they come is of no interest
  const LASTED = 5_000;        // a stream that was open for so long was well
  const live = { heard: 0, id: "", openedAt: 0, failures: 0, retryAt: 0, staleAt: 0, said: "", saidAt: 0, state: "none", asOf: 0, framedAt: 0 };
  const liveElement = () => find("[data-live]");
  const isLive = event => event.target.matches?.("[data-live]");
  const connection = () => live.state;
  const isOld = state => state === "stale" || state === "offline";
  function setConnection(state) {
    const board = find(".board"), asOf = find("[data-as-of]"), said = find("[data-announce]");
    if (said && board && state !== live.state && isOld(state)) setText(said, find(".connection-" + state, board)?.textContent ?? "");
    live.state = state;
    if (board) board.dataset.connection = state;
    if (asOf && live.asOf) setText(asOf, fill(asOf.dataset.asOf, localClock.format(live.asOf)));
  }

  function startLive() {
    Object.assign(live, { heard: Date.now(), id: "", failures: 0, retryAt: 0, staleAt: 0, said: sayable(), saidAt: 0, state: "none", asOf: now() });
    setConnection("none");
    if (!liveElement()) return;
    live.id = address(liveElement()).searchParams.get("after") ?? "";
    setConnection(navigator.onLine ? "starting" : "offline");
    live.staleAt = Date.now() + 2500;
  }

  // Something came: the stream is alive.
  function hear(state = "live") {
    Object.assign(live, { heard: Date.now(), failures: 0, retryAt: 0, staleAt: 0 });
    if (state === "live") live.asOf = now();
    setConnection(state);
  }

  const address = element => new URL(element.getAttribute("hx-sse:connect"), location.href);

  // A new element in the old one's place makes htmx end the old stream, in
  // whatever state it is, and open a fresh one from the last version seen.
  function reconnect() {
    const old = liveElement();
    if (!old || !window.htmx || connection() === "ended") return;
    Object.assign(live, { heard: Date.now(), retryAt: 0 });
    const next = old.cloneNode(true);
    const url = address(next);
    if (live.id) url.searchParams.set("after", live.id);
    next.setAttribute("hx-sse:connect", url.pathname + url.search);
    htmx.trigger(old, "htmx:abort"); // a first connection that never answered
    htmx.swap({ text: next.outerHTML, target: old, sourceElement: old, swap: "outerHTML" });
  }

  // Awake again, or on the network again, or on another one: whatever became of
  // the stream, a new one tells the truth at once.
  function comeBack() {
    if (document.hidden || connection() === "none" || connection() === "ended") return;
    if (Date.now() - live.heard > LASTED) setConnection("stale");
    else live.staleAt ||= Date.now() + 1000;
    reconnect();
  }

  // The first connection failed, which htmx does not try again by itself.
  function retryLater() {
    if (connection() === "ended") return;
    setConnection(navigator.onLine ? "stale" : "offline");
    const wait = Math.min(60_000, 2000 * 2 ** live.failures++);
    live.retryAt = Date.now() + wait * (0.7 + Math.random() * 0.6);
  }

  function watchLive() {
    if (!liveElement() || document.hidden || connection() === "ended") return;
    const at = Date.now();
    if (live.staleAt && at > live.staleAt) {
      live.staleAt = 0;
      setConnection(live.id ? "stale" : "connecting");
    }
    if (live.retryAt ? at > live.retryAt : at - live.heard > SILENCE) {
      setConnection("stale");
      reconnect();
    }
  }

  // That results come seldom is said as long as they come.
  function calmDown() {
    const every = find(".board .every");
    if (every && Date.now() - live.framedAt > CALM) setText(every, "");
  }

  // The ballot is gone.
  function end() {
    setConnection("ended");
    if (find("[data-status]")) reloadSoon();
  }

  // What a screen reader says of the result: the votes and who leads.
  function sayable() {
    const firsts = findAll(".bars .first").map(row => ["bdi", ".mark", "b"].map(part => find(part, row).textContent).join(" "));
    return [find(".board .votes")?.textContent, ...firsts].join(". ");
  }

  function announce() {
    const node = find("[data-announce]"), text = sayable();
    if (!node || document.hidden || text === live.said) return;
    const early = Date.now() - live.saidAt < ANNOUNCE;
    setText(node, early ? "" : text); // what was said is no longer so
    if (early) return;
    live.said = text;
    live.saidAt = Date.now();
  }

  const on = (type, handler) => document.addEventListener(type, handler);

  on("htmx:sse:after:connection", event => {
    if (!isLive(event)) return;
    live.openedAt = Date.now();
    hear();
  });
  on("htmx:sse:before:connection", event => {
    if (!isLive(event) || event.detail.connection.attempt === 0 || connection() !== "live") return;
    live.staleAt = Date.now() + 2500; // called stale only if that takes a while
    // A stream that was well and is cut, by a proxy say, is opened again soon.
    // If that fails, htmx waits, and longer each time.
    if (Date.now() - live.openedAt > LASTED) setTimeout(() => event.detail.connection.delayCanceller?.(), Math.random() * 600);
  });
  // What is older than what is shown is not shown.
  on("htmx:sse:before:message", event => {
    const { id, event: name } = event.detail.message;
    if (isLive(event) && !name && Number(id) < Number(live.id)) event.preventDefault();
  });
  on("htmx:sse:after:message", event => {
    if (!isLive(event)) return;
    const { id, event: name, data } = event.detail.message;
    if (id && Number(id) > Number(live.id)) live.id = id;
    if (name === "busy") {
      hear("connecting");
      live.heard += 120_000; // htmx comes back by itself when the server said
    } else if (name === "end") end();
    else hear();
    if (name === "beat" && Date.parse(data)) skew = Date.parse(data) - Date.now();
    if (!name) {
      live.framedAt = Date.now();
      showTimes();
      followStatus();
    }
  });
  on("htmx:sse:close", event => { if (isLive(event) && event.detail.reason === "ended") retryLater(); });
  on("htmx:error", event => {
    if (isLive(event)) return retryLater();
    const note = event.target.matches?.("form") && find("[data-unreachable]", event.target);
    if (note?.hidden) { note.hidden = false; note.focus(); }
  });
  on("htmx:response:error", event => {
    const over = [404, 410].includes(event.detail.ctx.response.status);
    if (isLive(event)) over ? end() : retryLater();
  });
  on("visibilitychange", () => {
    if (document.hidden) return;
    showTimes();
    comeBack();
  });
  on("resume", comeBack);
  // Browsers keep a page that is left. htmx lets go of its stream then, but not
  // of one that is still being opened.
  window.addEventListener("pagehide", () => {
    const element = liveElement();
    if (element && window.htmx) htmx.trigger(element, "htmx:abort");
  });
  window.addEventListener("pageshow", event => { if (event.persisted) comeBack(); });
  window.addEventListener("offline", () => { if (liveElement() && connection() !== "ended") setConnection("offline"); });
  // The network of a room comes back for all at once.
  window.addEventListener("online", () => setTimeout(comeBack, Math.random() * 300));
  let network = navigator.connection?.type;
  navigator.connection?.addEventListener("change", () => {
    if (network !== (network = navigator.connection.type)) comeBack();
  });

  // ---- the form for a new ballot

  function numberOptions(box) {
    const rows = findAll("[data-option]", box);
    rows.forEach((row, i) => {
      const input = find("input", row), error = find(".field-error", row);
      input.id = find("label", row).htmlFor = "option-" + (i + 1);
      find("label", row).textContent = fill(box.dataset.label, i + 1);
      if (error) input.setAttribute("aria-describedby", error.id = input.id + "-error");
      const remove = find("[data-remove-option]", row);
      remove.hidden = rows.length <= Number(box.dataset.min);
      remove.setAttribute("aria-label", fill(box.dataset.remove, i + 1));
    });
    find("[data-add-option]", box).hidden = rows.length >= Number(box.dataset.max);
    return rows;
  }

  function addOption(box) {
    const rows = findAll("[data-option]", box);
    if (rows.length >= Number(box.dataset.max)) return;
    const next = rows.at(-1).cloneNode(true), input = find("input", next);
    find(".field-error", next)?.remove();
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-describedby");
    input.removeAttribute("value");
    input.value = "";
    rows.at(-1).after(next);
    setText(find("[data-options-status]", box), fill(box.dataset.added, numberOptions(box).length));
    input.focus();
  }

  function removeOption(row) {
    const box = row.closest("[data-options]"), at = findAll("[data-option]", box).indexOf(row);
    row.remove();
    const rows = numberOptions(box);
    find("input", rows[Math.min(at, rows.length - 1)]).focus();
    setText(find("[data-options-status]", box), fill(box.dataset.removed, at + 1));
  }

  // The browser's own zone, unless somebody has chosen another.
  function setZone(select) {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (!own) return;
    if (![...select.options].some(option => option.value === own)) select.add(new Option(own.replaceAll("_", " "), own), 1);
    select.value = own;
  }

  // ---- copying

  async function copy(button) {
    const source = find("[data-copy-source]", button.parentNode);
    source.select();
    try {
      await navigator.clipboard.writeText(source.value); // only there on https and localhost
    } catch {
      if (!document.execCommand("copy")) return; // it is selected, at least
    }
    button.focus();
    button.idle ??= button.textContent;
    button.textContent = button.dataset.done;
    button.setAttribute("aria-live", "polite");
    setTimeout(() => { button.textContent = button.idle; }, 2500);
  }

  // The system's own way to pass a link on, where there is one.
  function send(button) {
    navigator.share({ title: document.title, url: button.dataset.share }).catch(() => {}); // perhaps they thought better of it
  }

  // The owner key comes in the fragment of the manage link, and leaves the
  // address at once. It is sent when the button is pressed.
  function takeKey(field) {
    if (!location.pathname.endsWith("/manage") || location.hash.length < 2) return;
    if (field) field.value = location.hash.slice(1);
    history.replaceState(history.state, "", location.pathname + location.search);
    if (field) find("button", field.form).focus();
  }

  // ---- all pages

  on("click", event => {
    const hit = selector => event.target.closest?.(selector);
    if (hit("[data-add-option]")) addOption(hit("[data-options]"));
    else if (hit("[data-remove-option]")) removeOption(hit("[data-option]"));
    else if (hit("[data-copy]")) copy(hit("[data-copy]"));
    else if (hit("[data-share]")) send(hit("[data-share]"));
    else if (hit("[data-print]")) print();
  });
  // After htmx has brought in another page: back to that one.
  on("submit", event => {
    if (event.target.matches("[data-languages]")) event.target.elements.back.value = location.pathname + location.search;
  });
  // What is written in counts when its box is ticked. Typing ticks it, and
  // unticking takes the text away until it is ticked again.
  on("input", event => {
    if (event.target.id === "write_in" && event.target.value) find("[data-write-in]").checked = true;
  });
  on("change", event => {
    const box = find("[data-write-in]"), text = find("#write_in");
    if (event.target.name !== "choice" || !box) return;
    if (!box.checked && text.value) [box.kept, text.value] = [text.value, ""];
    else if (box.checked && !text.value && box.kept) text.value = box.kept;
  });

  window.addEventListener("hashchange", () => takeKey(find("[data-owner-key]")));

  function start(root) {
    for (const node of findAll("noscript", root)) node.remove();
    skew = (Date.parse(find("[data-now]")?.dataset.now) || Date.now()) - Date.now();
    takeKey(find("[data-owner-key]", root));
    for (const button of findAll("[data-copy], [data-print]", root)) button.hidden = false;
    for (const button of findAll("[data-share]", root)) button.hidden = !navigator.share;
    for (const box of findAll("[data-options]", root)) numberOptions(box);
    for (const select of findAll("[data-zone]", root)) setZone(select);
    showTimes();
    startLive();
  }

  on("htmx:after:swap", event => {
    if (event.detail.ctx.target?.id !== "main") return;
    start(find("#main"));
    scrollTo(0, 0);
    (find("[data-focus]") ?? find("[data-heading]"))?.focus();
  });

  start(document.body);
  find("[data-focus]")?.focus();
  setInterval(() => {
    if (document.hidden) return;
    showTimes();
    watchLive();
    calmDown();
    announce();
  }, 1000);
})();
