// Dayone: the few lines that HTML alone cannot do. Loaded in <head>, no inline script anywhere.
(function () {
  "use strict";
  var root = document.documentElement;
  root.classList.add("js");

  // The server writes theme and times from these two cookies, so that the first paint is right.
  function remember(name, value) {
    document.cookie = name + "=" + encodeURIComponent(value) + "; path=/; max-age=31536000; samesite=lax" + (location.protocol === "https:" ? "; secure" : "");
  }
  try {
    var zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone && document.cookie.indexOf("zone=" + encodeURIComponent(zone)) < 0) remember("zone", zone);
  } catch (e) { /* times stay in UTC */ }

  document.addEventListener("click", function (e) {
    if (e.target.closest("[data-theme-toggle]")) {
      var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      remember("theme", root.dataset.theme);
    }
    if (e.target.closest("[data-palette]") && open()) e.preventDefault();
    var file = e.target.closest("[data-export]");
    if (file) exported(file);
    var opener = e.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog).showModal();
    var copier = e.target.closest("[data-copy]");
    if (copier) copy(copier);
    var node = e.target.closest("svg a.node");
    if (node && !e.ctrlKey && !e.metaKey && !e.shiftKey && choose(node)) e.preventDefault();
  });

  // A search that changed the list, and with it the address, changes what is exported.
  function exported(link) {
    var to = new URL(link.href), is = new URLSearchParams(location.search);
    ["said", "undo", "after", "name", "before", "live"].forEach(function (k) { is.delete(k); });
    ["format", "bom"].forEach(function (k) { if (to.searchParams.has(k)) is.set(k, to.searchParams.get(k)); });
    to.search = is.toString();
    link.href = to.href;
  }

  function copy(button) {
    var text = document.querySelector(button.dataset.copy).textContent.trim();
    var label = button.querySelector("span");
    var done = function (words) { label.textContent = words; };
    if (!navigator.clipboard) { done(button.dataset.byHand); return; }
    navigator.clipboard.writeText(text).then(function () { done(button.dataset.copied); }, function () { done(button.dataset.byHand); });
  }

  // A node of the picture opens its step beside the list, as the list's own links do.
  function choose(node) {
    var number = new URL(node.getAttribute("href"), location.href).searchParams.get("step");
    var row = number && document.getElementById("step-" + number);
    var link = row && row.querySelector("a[hx-get]");
    if (!link || !window.htmx) return false;
    link.click();
    row.scrollIntoView({ block: "center" });
    return true;
  }

  // What was done is said first: read aloud, and its Undo is the next thing a keyboard reaches.
  document.addEventListener("DOMContentLoaded", function () {
    var toast = document.querySelector("#toast .toast");
    if (toast && !location.hash) toast.focus({ preventScroll: true });
    if (toast) { // it is said once: who loads the page again, or keeps its address, is not told again
      var here = new URL(location.href);
      here.searchParams.delete("said");
      here.searchParams.delete("undo");
      history.replaceState(history.state, "", here.pathname + here.search + here.hash);
    }
    var typed = document.querySelector("input[autofocus]"); // whoever types on goes on at the end
    if (typed && typed.value) typed.setSelectionRange(typed.value.length, typed.value.length);
  });

  // The row of the open step is marked; rows are swapped all the time, so it is marked anew after each.
  function mark() {
    var detail = document.getElementById("step-detail");
    if (!detail) return;
    var id = "step-" + detail.dataset.step;
    document.querySelectorAll("tr.on, a.node.on").forEach(function (el) { if (el.id !== id) el.classList.remove("on"); });
    [id, "node-" + detail.dataset.step].forEach(function (i) { var el = document.getElementById(i); if (el) el.classList.add("on"); });
  }
  document.addEventListener("htmx:afterSettle", function (e) {
    mark();
    var detail = e.target.closest && e.target.closest("#step-detail");
    if (detail && matchMedia("(max-width: 62rem)").matches && e.detail && e.detail.requestConfig && !e.detail.requestConfig.triggeringEvent.type.startsWith("sse:")) {
      detail.scrollIntoView({ block: "start" });
      detail.focus({ preventScroll: true });
    }
  });
  document.addEventListener("htmx:sseMessage", mark);

  // Say it when what is shown may be old.
  function broken(is) {
    var el = document.getElementById("live-broken");
    if (el) el.hidden = !is;
  }
  document.addEventListener("htmx:sseError", function () { broken(true); });
  document.addEventListener("htmx:sseOpen", function () { broken(false); });
  document.addEventListener("htmx:afterRequest", function (e) {
    if (e.detail.target && e.detail.target.id === "onboard-live") broken(!e.detail.successful);
  });

  function open() {
    var d = document.getElementById("palette");
    if (!d || !window.htmx) return false;
    if (!d.open) {
      d.showModal();
      htmx.trigger(d.querySelector("[role=combobox]"), "palette");
    }
    return true;
  }

  // A key by itself is a command only where nobody types: WCAG 2.1.4 wants that it can do no harm there.
  function plainKey(e) {
    return !e.ctrlKey && !e.metaKey && !e.altKey && !(e.target.closest && e.target.closest("input, textarea, select, [contenteditable], dialog[open]"));
  }
  function show(id) {
    var d = document.getElementById(id);
    if (d && !d.open) d.showModal();
  }

  function options(box) {
    var lists = box.getAttribute("aria-controls").split(" ").map(function (id) { return "#" + id + " [role=option]"; });
    return Array.from(document.querySelectorAll(lists.join(", ")));
  }
  function select(box, to) {
    options(box).forEach(function (o, i) { o.id = o.id || "opt-" + i; o.setAttribute("aria-selected", String(o === to)); });
    if (!to) { box.removeAttribute("aria-activedescendant"); return; }
    box.setAttribute("aria-activedescendant", to.id);
    to.scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("htmx:afterSwap", function (e) {
    if (e.target.id === "palette-list") {
      var box = document.querySelector("#palette [role=combobox]");
      select(box, options(box)[0]);
    } else if (e.target.id === "onboard-people") {
      select(document.getElementById("q"), null); // what was chosen among others is gone with them
    }
  });

  document.addEventListener("keydown", function (e) {
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") { if (open()) e.preventDefault(); return; }
    var box = e.target.closest && e.target.closest("[role=combobox]");
    if (!box && plainKey(e) && e.key === "?") { e.preventDefault(); show("keys"); return; }
    if (!box && plainKey(e) && e.key === "/") {
      var search = document.querySelector("main input[type=search]");
      if (search) { e.preventDefault(); search.focus(); search.select(); }
      return;
    }
    if (!box) return;
    var opts = options(box);
    var at = opts.findIndex(function (o) { return o.getAttribute("aria-selected") === "true"; });
    if (e.key === "Enter" && at >= 0) { e.preventDefault(); opts[at].click(); return; }
    if ((e.key !== "ArrowDown" && e.key !== "ArrowUp") || opts.length === 0) return;
    e.preventDefault();
    select(box, opts[(at + (e.key === "ArrowDown" ? 1 : opts.length - 1)) % opts.length]);
  });
})();
