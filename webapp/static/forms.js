/* Forms beside the review: files dropped anywhere on the page or pasted, for the form[data-drop], numbers to type, rows to tick. */
"use strict";
(() => {
const root = document.documentElement;
const one = (selector, from = document) => from.querySelector(selector);
const all = (selector, from) => [...from.querySelectorAll(selector)];
const on = (name, run) => document.addEventListener(name, run);
const dropForm = () => one("form[data-drop]");
function take(files) {
  const form = dropForm(), input = one("input[type=file]", form);
  input.files = files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  if (form.dataset.drop === "submit" && !input.matches("[data-submit]")) form.requestSubmit();
}
const carriesFiles = event => dropForm() && [...event.dataTransfer?.types || []].includes("Files");
on("dragover", event => { if (carriesFiles(event)) { event.preventDefault(); root.classList.add("dropping") } });
on("dragleave", event => { if (!event.relatedTarget) root.classList.remove("dropping") });
on("drop", event => {
  root.classList.remove("dropping");
  if (!carriesFiles(event)) return;
  event.preventDefault();
  take(event.dataTransfer.files);
});
on("paste", event => {
  if (!dropForm() || event.target.closest?.("input:not([type=file]),select,textarea,[contenteditable]")) return;
  const text = event.clipboardData.getData("text/plain"), carrier = new DataTransfer();
  if (event.clipboardData.files.length) return take(event.clipboardData.files);
  if (!text.includes("\n")) return;
  carrier.items.add(new File([text], "pasted.tsv", { type: "text/tab-separated-values" }));
  take(carrier.files);
});

/* ---- typed confirmation ---- */
function checkNumber(field) {
  const wanted = field.dataset.confirmNumber, typed = field.value.replace(/[\s.,'’]/g, ""), frame = field.closest("form,dialog");
  all("[data-confirmed]", frame).forEach(button => { button.disabled = typed !== wanted });
  const message = one("[data-confirm-message]", frame);
  if (message) message.textContent = typed.length >= wanted.length && typed !== wanted ? message.dataset.confirmMessage.replace("#", field.value.trim()) : "";
}
on("input", event => { if (event.target.matches("[data-confirm-number]")) checkNumber(event.target) });

/* ---- selection: the header takes this page, "all that match" is a second step ---- */
let lastBox = null;
const count = n => new Intl.NumberFormat(root.lang || "en").format(n);
const boxes = scope => all("[data-check]", scope);
const scopeOf = el => el.closest("[data-select]");
function refreshSelection(scope) {
  const list = boxes(scope), picked = list.filter(box => box.checked), bar = one("#" + scope.dataset.select), head = one("[data-check-all]", scope);
  list.forEach(box => { const row = box.closest("tr"); if (row) row.setAttribute("aria-selected", box.checked) });
  if (head) { head.checked = list.length > 0 && picked.length === list.length; head.indeterminate = picked.length > 0 && !head.checked; head.toggleAttribute("data-mixed", head.indeterminate) }
  if (!bar) return;
  const match = one("[data-match]", bar), every = one("[data-check-match]", bar);
  const whole = match && !match.disabled && picked.length === list.length;
  const matching = Number(every?.dataset.checkMatch), sum = some => some.reduce((n, box) => n + Number(box.dataset.check || 1), 0);
  if (match && !whole) match.disabled = true;
  const n = whole ? matching : sum(picked);
  all("[data-count]", bar).forEach(el => { el.textContent = (n === 1 && el.dataset.countOne || el.dataset.count).replace("#", count(n)) });
  if (every) every.hidden = whole || picked.length < list.length || matching <= sum(list);
  bar.hidden = n === 0;
}
function checkRange(box, value) {
  const list = boxes(scopeOf(box)), from = list.indexOf(lastBox), to = list.indexOf(box);
  list.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1).forEach(item => { item.checked = value });
  lastBox = box;
  refreshSelection(scopeOf(box));
}
on("range", ({ target }) => checkRange(target, !target.checked));
on("click", event => {
  const at = selector => event.target.closest?.(selector), box = at("[data-check]"), match = at("[data-check-match]"), none = at("[data-check-none]");
  if (box && event.shiftKey && lastBox?.isConnected) checkRange(box, box.checked); else if (box) lastBox = box;
  if (!match && !none) return;
  // bar.id would be the boxes: a form answers with its fields of that name.
  const bar = at("[id]:not(button)"), scope = one(`[data-select="${bar.getAttribute("id")}"]`), hidden = one("[data-match]", bar);
  if (hidden) hidden.disabled = !match;
  boxes(scope).forEach(item => { item.checked = Boolean(match) });
  refreshSelection(scope);
  if (none) (one("[data-check-all]", scope) || one("#main")).focus();
});
on("change", ({ target }) => {
  const scope = scopeOf(target);
  if (target.matches("[data-check-all]")) boxes(scope).forEach(box => { box.checked = target.checked });
  if (scope && target.matches("[data-check],[data-check-all]")) refreshSelection(scope);
});

function init(piece) {
  const within = selector => [...piece.matches?.(selector) ? [piece] : [], ...all(selector, piece)];
  within("[data-confirm-number]").forEach(checkNumber);
  within("[data-select]").forEach(refreshSelection);
}
if (window.htmx) htmx.onLoad(init); else init(document.body);
})();
