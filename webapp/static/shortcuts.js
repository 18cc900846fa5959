/* The lines of the shortcuts dialog: what the page has written, and each key that would act now. Loaded when it opens. */
const all = (selector, from) => [...from.querySelectorAll(selector)];
const own = {};
for (const [letter, meaning] of (document.documentElement.dataset.ownKeys || "").split(" ")) own[meaning] = letter;

/* targets: the elements in reach that have a key; rows: how many lists of rows there are. */
export function fill(dialog, targets, rows) {
  const here = dialog.querySelector("[data-keys-here]"), go = dialog.querySelector("[data-keys-go]"), seen = new Set();
  all("[data-has]", here).forEach(line => line.dataset.has.split(" ").forEach(key => seen.add(key)));
  all("[data-made]", dialog).forEach(line => line.remove());
  for (const el of targets) {
    const key = el.dataset.key || el.dataset.rowKey;
    if (key.split("|").some(part => seen.has(part))) continue;
    seen.add(key);
    (el.dataset.keyGroup === "go" || key.startsWith("ctrl+k") ? go : here).append(line(el, key));
  }
  here.querySelector("[data-keys-rows]").hidden = !rows;
  here.hidden = !here.querySelector("[data-made],[data-has]");
}

function line(el, key) {
  const made = document.createElement("div"), words = document.createElement("span"), caps = document.createElement("span");
  made.dataset.made = "";
  words.textContent = el.dataset.keyLabel || el.getAttribute("aria-label") || labelOf(el);
  caps.className = "row g1";
  for (const part of key.split("|")[0].split(/[ +](?!$)/)) {
    const cap = document.createElement("kbd");
    const shown = !key.includes(" ") && own[part] || part;
    cap.textContent = { arrowup: "↑", arrowdown: "↓", escape: "Esc" }[part] || shown[0].toUpperCase() + shown.slice(1);
    caps.append(cap);
  }
  made.append(words, caps);
  return made;
}

function labelOf(el) {
  const copy = el.cloneNode(true);
  all("kbd,svg", copy).forEach(part => part.remove());
  return copy.textContent.trim().replace(/\s+/g, " ");
}
