/* Pairbook: what plain HTML cannot do alone. Keys, dialogs, toasts and the care around htmx.
   Driven by data-… attributes and listeners on the document, so that swapped pieces work at once. */
"use strict";
(() => {
const root = document.documentElement;
const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from = document) => [...from.querySelectorAll(selector)];
const on = (name, run, capture = false) => document.addEventListener(name, run, capture);
const shown = el => { /* what lies in a closed menu answers to its key too, unless a small screen alone has it there */
  const menu = !el.matches("summary") && el.closest("details.pop:not([open])"), at = menu || el;
  if (menu && getComputedStyle(el).display === "none") return false;
  return at.checkVisibility ? at.checkVisibility({ visibilityProperty: true }) : at.getClientRects().length > 0;
};
const idle = el => !el.disabled && el.getAttribute("aria-disabled") !== "true" && !el.closest("[data-busy],[inert]");
const topDialog = () => all("dialog[open]").filter(d => d.matches(":modal")).sort((a, b) => (a.opened || 0) - (b.opened || 0)).pop();

/* ---- keys ----
   data-key="a", "shift+a", "ctrl+enter", "2", "/", "g o"; several with "|". A key clicks its element, or focuses it if
   it is a field. Keys on a stage queue: one waits until the listing was on the screen for SETTLE ms; Z takes it back. */
const SETTLE = 250, SEQUENCE = 1500;
let paintedAt = -SETTLE, prefix = "", prefixAt = 0, running = 0;

// Until the frame is on the screen every key is too soon.
const painted = () => { paintedAt = Infinity; requestAnimationFrame(() => { paintedAt = performance.now(); flush() }) };
const keysOf = el => el.dataset.key.split("|");
const typing = el => el.isContentEditable || el.matches("textarea,select,input:not([type=checkbox],[type=radio],[type=button],[type=submit],[type=file],[type=range])");

const own = {};
for (const [letter, meaning] of (root.dataset.ownKeys || "").split(" ")) own[letter] = meaning;
function nameOf(event) {
  const key = event.key === " " ? "space" : event.key.toLowerCase(), chord = event.ctrlKey || event.metaKey;
  const shift = event.shiftKey && (key.length > 1 || key !== key.toUpperCase());
  return (chord ? "ctrl+" : "") + (shift ? "shift+" : "") + (!chord && own[key] || key);
}

function inReach(selector) {
  const dialog = topDialog();
  return all(selector).filter(el => (dialog ? dialog.contains(el) : !el.closest("dialog")) && (shown(el) || el.closest("[popover]")) && idle(el));
}

function act(el) {
  if (el.matches("input:not([type=checkbox],[type=radio],[type=submit]),select,textarea")) { el.focus(); el.select?.() }
  else el.click();
}

function find(name) {
  if (name === "enter") return inReach("[data-key-enter]")[0];
  const found = inReach("[data-key]").filter(el => keysOf(el).includes(name));
  return found.filter(el => el.closest("#toasts")).pop() || found[0];
}
function press(name) {
  const target = find(name);
  if (target) act(target);
  return Boolean(target);
}

function rowKey(name, active) {
  const rows = active.closest("[data-rows]") || (active === document.body || active.tabIndex < 0 ? one("[data-rows]") : null);
  if (!rows || topDialog() && !topDialog().contains(rows)) return false;
  const row = active.closest("[data-row]"), step = { j: 1, arrowdown: 1, k: -1, arrowup: -1 }[name];
  if (step) {
    const list = all("[data-row]", rows).filter(shown);
    const next = list[row ? Math.min(Math.max(list.indexOf(row) + step, 0), list.length - 1) : 0];
    if (next) { next.tabIndex = -1; next.focus(); next.scrollIntoView({ block: "nearest" }) }
    return Boolean(next);
  }
  const wide = name === "shift+space", target = row && one(`[data-row-key="${CSS.escape(wide ? "space" : name)}"]`, row);
  if (!target || !idle(target) || (target === active && name.endsWith("space"))) return false;
  if (wide) target.dispatchEvent(new Event("range", { bubbles: true })); else target.click();
  return true;
}

on("keydown", event => {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229 || event.altKey || event.repeat) return;
  const name = nameOf(event), active = document.activeElement || document.body, chord = name.startsWith("ctrl+");
  if (chord) { if (press(name)) event.preventDefault(); return }
  if (typing(event.target)) return;
  if (name === "enter") {
    if (active === document.body || active.getAttribute("tabindex") === "-1" || active.matches("dialog")) queue(event, name);
    return;
  }
  const single = event.key.length === 1 && name !== "space";
  if (single && root.dataset.keys === "off") return;
  if (active.matches("[type=radio],[type=range],[role=option],summary") && /^(arrow|space)/.test(name)) return;
  const now = performance.now(), chain = prefix && now - prefixAt < SEQUENCE ? `${prefix} ${event.key.toLowerCase()}` : "";
  prefix = "";
  if (chain && press(chain)) return event.preventDefault();
  if (inReach("[data-key]").some(el => keysOf(el).some(k => k.startsWith(name + " ")))) { prefix = name; prefixAt = now; return }
  if (name === "?" ? openShortcuts() : rowKey(name, active)) return event.preventDefault();
  queue(event, name);
});

const held = [];
let waking = 0;
function queue(event, name) {
  if (name === "z" && held.length) { held.pop(); return event.preventDefault() }
  if (!held.length && pause(name) <= 0) { if (press(name)) event.preventDefault(); return }
  held.push(name);
  event.preventDefault();
  flush();
}
/* How many milliseconds a key has to wait; Infinity: until something comes. */
function pause(name) {
  const stage = one("[data-stage]");
  if (!stage || topDialog()) return 0;
  if (running || stage.hasAttribute("data-busy")) return Infinity;
  const target = find(name);
  if (root.dataset.sending && !target?.hasAttribute("data-quick")) return Infinity;
  return target?.matches("a") ? 0 : paintedAt + SETTLE - performance.now();
}
function flush() {
  clearTimeout(waking);
  while (held.length) {
    const left = pause(held[0]);
    if (left > 0) { if (left < Infinity) waking = setTimeout(flush, left); return }
    press(held.shift());
  }
}
on("free", flush);

function openShortcuts() {
  const dialog = one("#shortcuts");
  if (!dialog || dialog.open) return false;
  const targets = inReach("[data-key],[data-row-key]"), rows = inReach("[data-rows]").length;
  one("[data-single-keys]", dialog).checked = root.dataset.keys !== "off";
  import(dialog.dataset.script).then(({ fill }) => fill(dialog, targets, rows));
  return open(dialog);
}

/* ---- dialogs and menus ---- */
let opened = 0, opener = null;
function open(dialog) {
  dialog.opener = opener = document.activeElement === document.body ? null : document.activeElement;
  dialog.opened = ++opened;
  dialog.showModal();
  one("input[autofocus]", dialog)?.select();
  return true;
}
on("close", event => {
  const dialog = event.target, back = dialog.opener;
  if (!dialog.matches?.("dialog")) return;
  if (dialog.closest("#dialog")) dialog.remove();
  if (back?.isConnected && shown(back)) back.focus(); else rest();
}, true);
const rest = () => (inReach("[data-focus]")[0] || (opener?.isConnected && shown(opener) ? opener : one("#main")))?.focus({ preventScroll: true });

on("click", event => {
  const at = selector => event.target.closest?.(selector);
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  let el;
  // The second half of a double click was meant for the listing before.
  const late = event.detail > 1 && at("[data-quick]") && performance.now() - paintedAt < SETTLE;
  if (late || at("[aria-disabled=true],[data-busy] [type=submit]")) return event.preventDefault();
  if ((el = at("[data-show]")) && plain) { event.preventDefault(); const dialog = one("#" + el.dataset.show); if (dialog.id === "shortcuts") openShortcuts(); else open(dialog) }
  if ((el = at("[data-close]"))) { event.preventDefault(); el.closest("dialog")?.close() }
  if ((el = at("[data-dismiss]"))) (el.closest(".toast") ? leave(el.closest(".toast")) : el.closest("#waits").hidden = true);
  if ((el = at("[data-retry]"))) retry();
  if ((el = at("a[data-dialog]")) && plain && window.htmx) {
    event.preventDefault();
    htmx.ajax("GET", el.href, { target: "#dialog", swap: "innerHTML", source: el });
  }
  all("details.pop[open]").forEach(menu => { if (!menu.contains(event.target)) menu.open = false });
});
// A search field would take the first Escape for itself, to empty it.
on("keydown", event => {
  const dialog = event.key === "Escape" && !event.isComposing && event.target.matches?.("[type=search]") && event.target.closest("dialog[open]");
  if (dialog) { event.preventDefault(); dialog.close() }
});
on("keydown", event => {
  const menu = event.key === "Escape" && event.target.closest?.("details.pop[open]");
  if (menu) { event.preventDefault(); menu.open = false; one("summary", menu).focus() }
}, true);

/* ---- toasts: at least 10 s, longer while held ---- */
const READ = 10000;
const leave = toast => { const held = toast.contains(document.activeElement); toast.remove(); if (held) rest() };
function watchToasts(region) {
  let held = false;
  const tick = () => all(".toast", region).forEach(toast => {
    toast.left = (toast.left ?? Number(toast.dataset.ms || READ)) - (held ? 0 : 500);
    if (toast.left <= 0) leave(toast);
  });
  const hold = () => { held = region.matches(":hover") || region.contains(document.activeElement) };
  for (const name of ["mouseenter", "mouseleave", "focusin", "focusout"]) region.addEventListener(name, () => setTimeout(hold));
  setInterval(tick, 500);
  new MutationObserver(() => all(".toast", region).slice(0, -3).forEach(leave)).observe(region, { childList: true });
}

on("change", ({ target }) => {
  if (target.matches("[data-single-keys]")) keepSingleKeys(target.checked);
  if (target.matches("[data-submit]")) target.form.requestSubmit();
});
function keepSingleKeys(yes) {
  root.dataset.keys = yes ? "on" : "off";
  document.cookie = `keys=${root.dataset.keys}; path=/; max-age=31536000; samesite=lax`;
}

/* ---- htmx: one request a form, focus after a swap, decisions kept when offline ---- */
let line = 0;
const quiet = el => /\b(every|load|revealed)\b/.test(el.getAttribute("hx-trigger") || "") || el.hasAttribute("data-quiet");
const guarded = el => el.closest("[data-stage]") || el.closest("form") || el;
on("htmx:beforeRequest", event => {
  const el = event.detail.elt;
  if (quiet(el) || event.defaultPrevented) return;
  const box = guarded(el);
  if (event.detail.requestConfig.verb !== "get") {
    if (box.hasAttribute("data-busy")) return event.preventDefault();
    box.setAttribute("data-busy", "");
    event.detail.xhr.box = box;
  }
  if (!running++) line = setTimeout(() => root.classList.add("loading"), 300);
  event.detail.xhr.counted = true;
});
on("htmx:afterRequest", event => {
  const xhr = event.detail.xhr;
  xhr?.box?.removeAttribute("data-busy");
  if (event.detail.successful) event.detail.elt.closest(".toast")?.remove();
  if (!xhr?.counted) return;
  xhr.counted = false;
  if (--running === 0) { clearTimeout(line); root.classList.remove("loading"); flush() }
});
on("htmx:beforeSwap", ({ detail: { target } }) => { if (target.matches("[data-stage]") || one("[data-stage]", target)) paintedAt = performance.now() });
on("htmx:afterSettle", event => {
  const el = event.target, elt = event.detail.requestConfig?.elt;
  if (!el.isConnected || (elt && quiet(elt))) return;
  const target = el.matches("[data-focus]") ? el : one("[data-focus]", el);
  if (target && !topDialog()) target.focus({ preventScroll: true });
  else setTimeout(() => { if (document.activeElement === document.body) rest() });
});
on("submit", event => {
  const form = event.target;
  if (form.hasAttribute("data-busy")) { event.preventDefault(); event.stopImmediatePropagation(); return }
  if (form.method !== "post" || form.closest("[hx-post],[data-hx-post]") || event.submitter?.hasAttribute("hx-post")) return;
  if (!navigator.onLine) { event.preventDefault(); return say("stays") } // the browser's own page would take what was typed
  form.setAttribute("data-busy", "");
  setTimeout(() => form.removeAttribute("data-busy"), READ);
}, true);
window.addEventListener("pageshow", () => all("[data-busy]").forEach(el => el.removeAttribute("data-busy")));

/* A POST that found no network waits here with its idempotency key, so that sending it again can change nothing twice. */
const waiting = new Map();
function say(kind, number) {
  const card = one("#waits"), text = one("[data-text]", card).dataset, title = one("[data-title]", card);
  const words = { offline: number === 1 ? text.one : text.many, read: text.read, stays: text.stays, failed: text.failed }[kind];
  title.textContent = kind === "failed" ? title.dataset.failed : title.dataset.offline;
  one("[data-text]", card).textContent = words.replace("#", number);
  one("[data-retry]", card).hidden = kind !== "offline";
  card.hidden = false;
}
function keep(event) {
  const config = event.detail.requestConfig, form = config.formData;
  if (quiet(config.elt)) return;
  if (config.verb === "get") return say("read");
  waiting.set(form.get("key") || config.path + "?" + new URLSearchParams(form), { config, form });
  say("offline", waiting.size);
}
async function retry() {
  document.dispatchEvent(new Event("retry"));
  for (const [key, { config, form }] of [...waiting]) {
    waiting.delete(key);
    const source = config.elt.isConnected ? config.elt : document.body;
    const target = config.target.isConnected ? config.target : config.target.id ? "#" + config.target.id : "#main";
    await htmx.ajax(config.verb.toUpperCase(), config.path, { source, target, values: form }).catch(() => {});
  }
  if (!waiting.size) one("#waits").hidden = true;
}
on("waits", ({ detail: { number, failed } }) => {
  if (failed || number) { held.length = 0; say(failed ? "failed" : "offline", failed || number) }
  else one("#waits").hidden = true;
});
on("htmx:sendError", keep);
on("htmx:timeout", keep);
window.addEventListener("online", () => { if (waiting.size) retry(); else one("#waits").hidden = true });
window.addEventListener("beforeunload", event => { if (waiting.size) event.preventDefault() });
on("htmx:responseError", event => {
  const xhr = event.detail.xhr;
  if (xhr.status === 401) return location.reload();
  say("failed", xhr.getResponseHeader("X-Error-Code") || xhr.status);
});

/* ---- each new piece ---- */
function init(piece) {
  const within = selector => [...piece.matches?.(selector) ? [piece] : [], ...all(selector, piece)];
  within("dialog[data-open]").forEach(dialog => { if (!dialog.open) open(dialog) });
  if (within("[data-stage]").length) painted();
}

/* ---- a search field above its results ---- */
on("keydown", event => {
  const field = event.target.closest?.("[data-steers]"), enter = event.key === "Enter";
  if (!field || event.isComposing || !(enter || event.key === "ArrowDown")) return;
  const results = "#" + field.dataset.steers, add = enter && event.shiftKey;
  if (enter && !add && one(results).dataset.for !== field.value) return; // older results
  event.preventDefault();
  const to = inReach(add ? "[data-key='shift+enter']" : results + " [data-row]")[0];
  if (enter) to?.click(); else to?.focus();
}, true);

watchToasts(one("#toasts"));
if (window.htmx) htmx.onLoad(init); else init(document.body);
})();
