/* Forms beside the review: files dropped anywhere on the page or pasted, for the form[data-drop], and numbers to type. */
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
const checkAll = piece => [...piece.matches?.("[data-confirm-number]") ? [piece] : [], ...all("[data-confirm-number]", piece)].forEach(checkNumber);
if (window.htmx) htmx.onLoad(checkAll); else checkAll(document);
})();
