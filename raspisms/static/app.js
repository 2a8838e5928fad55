// Small conveniences; every page works without them.

// A list or a message that changes by itself: the server draws it again, we show it when it differs.
const REFRESH_SECONDS = 2;

function redraw(part, html) {
  const open = [...part.querySelectorAll("details[open]")].map((details) => details.dataset.key);
  part.innerHTML = html;
  for (const details of part.querySelectorAll("details")) details.open = open.includes(details.dataset.key);
}

for (const part of document.querySelectorAll("[data-refresh]")) {
  let shown = null;
  const refresh = async () => {
    const busy = part.contains(document.activeElement) && document.activeElement !== document.body;
    if (document.hidden || busy) return;
    const answer = await fetch(part.dataset.refresh, { redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok) return;
    const html = await answer.text();
    // A form's token differs at every drawing and is no news.
    const news = html.replace(/name="csrf_token" value="[^"]*"/g, "");
    if (news !== shown) redraw(part, html);
    shown = news;
    if (part.querySelector("[data-done]")) clearInterval(timer); // what is typed there must stay
  };
  const timer = setInterval(refresh, (Number(part.dataset.every) || REFRESH_SECONDS) * 1000);
}

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
