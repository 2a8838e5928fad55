// Small conveniences; every page works without them.

// Copying: the clipboard API exists only on https, and most LANs have http.
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = Object.assign(document.createElement("textarea"), { value: text });
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copy(document.getElementById(button.dataset.copy).textContent.trim());
  const label = button.textContent;
  button.textContent = button.dataset.copied;
  button.classList.add("done");
  setTimeout(() => {
    button.textContent = label;
    button.classList.remove("done");
  }, 2000);
  button.focus();
});

// One click sends once. The server refuses the second anyway; this says that something happens.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) return event.preventDefault();
    form.dataset.sent = "yes";
    const button = event.submitter || form.querySelector("button");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
}
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// After a refused form, begin at the summary.
const summary = document.getElementById("summary");
if (summary) summary.focus();

// Times that count on while a page stays open, from when it was drawn: the browser's clock may be wrong.
const drawn = new WeakMap();
function age(element) {
  if (!drawn.has(element)) drawn.set(element, performance.now());
  return (performance.now() - drawn.get(element)) / 1000;
}
function countOn() {
  for (const one of document.querySelectorAll("[data-countdown]")) {
    const left = Math.max(0, Math.ceil(Number(one.dataset.countdown) - age(one)));
    one.textContent = `${left} s`;
    const offer = one.closest(".page-undo");
    if (!left && offer && !offer.contains(document.activeElement)) offer.remove();
  }
  for (const one of document.querySelectorAll("[data-minutes]")) {
    const minutes = Math.max(1, Math.floor(Number(one.dataset.minutes) + age(one) / 60));
    one.textContent = minutes < 60 ? one.textContent.replace(/\d+/, minutes) : one.dataset.then;
  }
}
setInterval(countOn, 1000);

// "/" goes to the search of this page's own list of conversations, or else to the one that looks everywhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], .saved-texts")) return;
  const wanted = document.querySelector(".inbox #q") || document.getElementById("find");
  if (!wanted) return;
  event.preventDefault();
  if (wanted.offsetParent) wanted.focus();
  else location.assign(wanted.form.action);
});

// An application of its own on a telephone; browsers allow it by https, or on this machine.
if ("serviceWorker" in navigator && document.body.dataset.worker) {
  navigator.serviceWorker.register(document.body.dataset.worker).catch(() => null);
}

// Who signs out of a browser is told nothing more there.
document.addEventListener("submit", async (event) => {
  if (!event.target.action.endsWith("/logout") || event.target.dataset.quiet || !("serviceWorker" in navigator)) return;
  event.preventDefault();
  event.target.dataset.quiet = "yes";
  const quiet = async () => {
    const worker = await navigator.serviceWorker.getRegistration();
    await (await worker?.pushManager?.getSubscription())?.unsubscribe();
  };
  await Promise.race([quiet().catch(() => null), new Promise((done) => setTimeout(done, 1000))]);
  event.target.submit();
});
