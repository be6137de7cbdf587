// A vote is kept in the browser, with its vote id, from the moment it is sent
// until the server has answered: neither a dead network nor a sleeping phone
// nor a closed page loses it. It is sent again by itself as long as the page is
// open, and when the ballot's page is opened again within a day. The vote id
// makes it count once, however often it arrives.
"use strict";
(() => {
  const DAY = 86_400_000;
  const PATIENCE = 8000; // then the page says that the answer takes long
  const form = () => document.querySelector("form[data-keep]");
  const note = () => document.querySelector("form[data-keep] [data-unreachable]");
  const isForm = event => event.target.matches?.("form[data-keep]");
  const key = () => "oponn-vote " + location.pathname.split("/")[2];

  let waiting = false;  // for another try
  let sending = false;
  let again = false;    // send once more when the request under way has ended
  let failures = 0;
  let timer;

  // Where the browser gives no storage, the page itself keeps the vote.
  function store(fields) {
    try {
      if (fields) localStorage.setItem(key(), JSON.stringify({ at: Date.now(), fields }));
      else localStorage.removeItem(key());
    } catch { /* see above */ }
  }
  function stored() {
    try {
      const vote = JSON.parse(localStorage.getItem(key()));
      return vote && Date.now() - vote.at < DAY ? vote.fields : null;
    } catch {
      return null;
    }
  }
  function forget() {
    store(null);
    clearTimeout(timer);
    waiting = again = false;
    failures = 0;
  }

  function say() {
    if (!note()?.hidden) return;
    note().hidden = false;
    note().focus();
  }
  function sendLater(wait) {
    waiting = true;
    clearTimeout(timer);
    timer = setTimeout(send, wait ?? Math.min(30_000, 2000 * 2 ** failures++) * (0.7 + Math.random() * 0.6));
  }
  function send() {
    if (!waiting || !form() || document.hidden || !navigator.onLine) return; // it is called again
    if (!sending) return form().requestSubmit();
    again = true; // the old connection may be dead without anybody knowing
    htmx.trigger(form(), "htmx:abort");
  }

  function fill(fields) {
    const values = name => fields.filter(field => field[0] === name).map(field => field[1]);
    for (const input of form().elements) {
      if (["radio", "checkbox"].includes(input.type)) input.checked = values(input.name).includes(input.value);
      else if (input.name) input.value = values(input.name)[0] ?? "";
    }
  }

  // A page has come: is there a vote for its ballot that nobody has answered?
  function start() {
    const fields = stored(), late = document.querySelector("[data-too-late]");
    if (!fields) return forget();
    if (form()) {
      fill(fields);
      if (!document.querySelector("[data-focus]")) say();
      return sendLater(waiting ? undefined : 0);
    }
    if (late) late.hidden = false;
    if (late || document.querySelector(".receipt:not(.when-open)")) forget();
  }

  const on = (type, handler) => document.addEventListener(type, handler);
  on("htmx:before:request", event => {
    if (!isForm(event)) return;
    store([...new FormData(form())]);
    sending = waiting = true;
    clearTimeout(timer);
    timer = setTimeout(say, PATIENCE);
  });
  on("htmx:before:response", event => {
    const { status, headers } = event.detail.ctx.response;
    if (!isForm(event) || status < 500 || headers.has("X-Request-Id")) return;
    event.preventDefault(); // a proxy speaks, not the server
    say();
    sendLater();
  });
  on("htmx:after:request", event => {
    if (!isForm(event)) return;
    sending = false;
    // A server that is busy or about to restart sends the form again, and so do we.
    if (event.detail.ctx.response.status !== 503) forget();
  });
  on("htmx:error", event => {
    if (!isForm(event)) return;
    say();
    sendLater();
  });
  on("htmx:finally:request", event => {
    if (!isForm(event)) return;
    sending = false;
    if (again) send();
    again = false;
  });
  // Another choice is another vote, which nobody has sent yet.
  on("change", event => {
    if (!waiting || sending || event.target.form !== form()) return;
    forget();
    if (note()) note().hidden = true;
  });

  // The form is there when htmx has seen to it; other pages at once.
  on("htmx:after:init", event => { if (isForm(event)) start(); });
  on("htmx:after:swap", event => { if (event.detail.ctx.target?.id === "main" && !form()) start(); });
  if (!form()) start();

  on("visibilitychange", send);
  window.addEventListener("pageshow", send);
  window.addEventListener("online", () => setTimeout(send, Math.random() * 300));
})();
