/* Review: the next listing stands there as soon as a key is pressed. Decisions go out behind it, one after another, and
   wait in this tab without a network; a form's key lets it act once. */
"use strict";
(() => {
const root = document.documentElement;
const one = selector => document.querySelector(selector);
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
const go = url => history.replaceState(history.state, "", url);
const shown = () => one("form#stage:not([data-busy])")?.dataset.stage || "";
const next = () => one("#stage [data-next]")?.getAttribute("href");
const jobs = [];
let ahead, asked;

async function look() {
  const url = next();
  if (url === asked) return;
  root.dataset.ahead = ahead = "";
  asked = url;
  if (!url || !one("#stage [data-quick]")) return;
  try {
    const answer = await fetch(url, { headers: { "HX-Request": "true", "HX-Target": "ahead" } }), html = await answer.text();
    if (url === next() && answer.ok && html.includes('id="stage"')) { ahead = { url, html }; root.dataset.ahead = url }
  } catch { asked = 0 }
}

function step({ url, html }) {
  const lines = one("#queue"), from = one("#queue [aria-current]"), to = one(`#queue a[href="${CSS.escape(url)}"]`);
  from?.removeAttribute("aria-current");
  to?.setAttribute("aria-current", "true");
  if ([...lines.children].indexOf(to?.parentElement) > 4) lines.firstElementChild.remove();
  go(url);
  htmx.swap("#stage", html, { swapStyle: "outerHTML" });
}

document.addEventListener("htmx:beforeRequest", event => {
  const { elt: form, requestConfig: config } = event.detail;
  if (form.id !== "stage" || config.verb !== "post") return;
  event.preventDefault();
  if (form.hasAttribute("data-busy")) return;
  form.setAttribute("data-busy", "");
  jobs.push({ path: config.path, data: new URLSearchParams(config.formData), here: location.href, tries: 0 });
  if (ahead && ahead.url === next() && config.triggeringEvent?.submitter?.hasAttribute("data-quick")) step(ahead);
  send();
}, true);

async function send() {
  if (root.dataset.sending) return;
  root.dataset.sending = "yes";
  while (jobs.length) {
    const job = jobs[0], seen = shown();
    let answer, text;
    job.data.set("shown", seen);
    try {
      answer = await fetch(job.path, { method: "POST", body: job.data, headers: { "HX-Request": "true", "HX-Target": "stage", "HX-Current-URL": job.here }, signal: AbortSignal.timeout(30000) });
      text = await answer.text();
    } catch {
      delete root.dataset.sending;
      return tell("waits", { number: jobs.length });
    }
    if (answer.status === 503 && ++job.tries < 4) { await new Promise(done => setTimeout(done, 2000)); continue }
    jobs.shift();
    tell("waits", { number: 0 });
    take(job, answer, text, jobs.length || seen !== shown());
  }
  delete root.dataset.sending;
  tell("free");
}

/* late: the person is further on than what the answer shows around its listing. */
function take(job, { status, headers }, text, late) {
  const to = headers.get("HX-Redirect"), url = headers.get("HX-Replace-Url"), stage = text.includes('id="stage"');
  if (to) { jobs.length = 0; location.assign(to) }
  else if (status < 400 ? !late : stage) {
    if (url) go(url);
    htmx.swap("#stage", text, { swapStyle: stage ? "outerHTML" : "none" });
  } else if (status >= 400) {
    go(job.here);
    htmx.ajax("GET", job.here, { target: "#stage", swap: "outerHTML" });
    if (status < 500) htmx.swap("#stage", text, { swapStyle: "none" });
    else tell("waits", { failed: headers.get("X-Error-Code") || status });
  }
}

document.addEventListener("retry", send);
window.addEventListener("online", send);
window.addEventListener("beforeunload", event => { if (jobs.length) event.preventDefault() });
htmx.onLoad(piece => { if (/stage|progress/.test(piece.id) || piece === document.body) look() });
})();
