// What the page for a projector does beyond being live: its keys, how many
// watch, and what follows when the ballot closes. Without this file its links
// do the same, one page after the other.
"use strict";
(() => {
  const page = document.querySelector("[data-present]");
  if (!page) return;
  const find = (selector, root = page) => root.querySelector(selector);
  const WATCH = 5_000;      // how often is asked how many watch
  const JOY = 3_500;        // how long the moment of joy lasts

  // ---- keys

  function fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen().catch(() => {});
  }

  function cover(link) {
    const covered = page.dataset.results === "shown";
    page.dataset.results = covered ? "hidden" : "shown";
    find("[data-label]", link).textContent = covered ? link.dataset.reveal : link.dataset.hide;
    const url = new URL(location.href);
    url.searchParams.set("results", page.dataset.results);
    history.replaceState(history.state, "", url);
    url.searchParams.set("results", covered ? "shown" : "hidden");
    link.href = url.pathname + url.search;
  }

  const keys = { ArrowRight: "n", PageDown: "n", ArrowLeft: "p", PageUp: "p" };
  document.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    const forward = document.documentElement.dir !== "rtl";
    let key = keys[event.key] ?? event.key.toLowerCase();
    if (!forward && event.key.startsWith("Arrow")) key = { n: "p", p: "n" }[key] ?? key;
    const target = /^[nphf]$/.test(key) && find(`[data-key="${key}"]`);
    if (!target) return;
    event.preventDefault();
    target.click();
  });
  page.addEventListener("click", event => {
    const link = event.target.closest("[data-key]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (link.matches("[data-fullscreen]")) fullScreen();
    else if (link.matches("[data-cover]")) { event.preventDefault(); cover(link); }
  });
  const button = find("[data-fullscreen]");
  button.hidden = !document.fullscreenEnabled;

  // ---- how many watch

  async function watch() {
    if (document.hidden) return;
    try {
      const answer = await fetch(page.dataset.watch, { cache: "no-store" });
      if (answer.ok) find("[data-watching]").textContent = await answer.text();
    } catch { /* the page says that it is offline */ }
  }
  setInterval(watch, WATCH);
  setTimeout(watch, 1_000);

  // ---- the ballot opens, or closes

  async function chart() {
    try {
      const answer = await fetch(page.dataset.pace);
      if (!answer.ok || answer.status === 204) return;
      const picture = new DOMParser().parseFromString(await answer.text(), "image/svg+xml").documentElement;
      if (picture.localName === "svg") find("[data-pace-place]").replaceChildren(document.importNode(picture, true));
    } catch { /* it is there when the page is loaded anew */ }
  }

  const status = () => ["open", "scheduled", "closed"].find(name => find(".state-" + name));
  let was = page.dataset.was;
  new MutationObserver(() => {
    const is = status();
    if (!is || is === was) return;
    if (is === "closed") {
      page.dataset.joy = "";
      setTimeout(chart, JOY);
    } else if (was === "scheduled" || was === "closed") location.reload(); // the join code is new
    was = is;
  }).observe(find("#live"), { childList: true, subtree: true, characterData: true, attributes: true });
})();
