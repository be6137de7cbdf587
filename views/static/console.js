// What the console does beyond HTML and htmx: pausing it, and saying when what
// it shows is old. Without this file it works by pages alone.
"use strict";
(() => {
  const find = selector => document.querySelector(selector);
  const SILENCE = 4_000; // something comes every second
  let paused = false, heard = 0, shown = "";

  function tell() {
    const board = find("[data-connection]"), asOf = find("[data-as-of]"), pause = find("[data-pause]");
    if (!board || !find("[data-live]")) return;
    const state = paused ? "still" : !heard ? "starting" : Date.now() - heard > SILENCE ? "still" : "live";
    if (state === "still" && asOf.textContent !== shown) asOf.textContent = shown;
    if (board.dataset.connection !== state) board.dataset.connection = state;
    const word = paused ? "resume" : "pause";
    if (pause.textContent !== word) pause.textContent = word;
  }

  const on = (type, handler) => document.addEventListener(type, handler);
  on("htmx:sse:before:message", event => {
    heard = Date.now();
    if (paused) event.preventDefault();
  });
  on("htmx:sse:after:message", () => {
    if (!paused) shown = (find("[data-at]")?.dataset.at ?? "") + " UTC";
    tell();
  });
  on("click", event => {
    if (!event.target.matches?.("[data-pause]") || !find("[data-live]") || !heard) return;
    event.preventDefault();
    paused = !paused;
    tell();
  });
  on("visibilitychange", tell);
  setInterval(tell, 1000);
})();
