// A campaign keeps itself while somebody writes it: leaving loses nothing. A message to one person does not need it.
const AUTOSAVE_MILLISECONDS = 1500;
let autosaveTimer = null;
let isSaving = false;
let keptForm = null;

const worthKeeping = () => isCampaign() && (text.value.trim() || "campaignDraft" in agreed);
function content() {
  const body = new FormData(compose);
  body.delete("file");
  if ("campaignDraft" in agreed) body.set("draft", agreed.campaignDraft);
  return body;
}
const asText = (body) => JSON.stringify([...body.entries()].filter(([name]) => !["csrf_token", "revision", "draft"].includes(name)));

async function autosave() {
  if (compose.dataset.sent || isSaving || !worthKeeping()) return;
  const body = content();
  const now = asText(body);
  if (now === keptForm) return;
  isSaving = true;
  const answer = await fetch(compose.dataset.autosaveUrl, { method: "POST", body, redirect: "error" }).catch(() => null);
  isSaving = false;
  const given = answer && (answer.ok || answer.status === 409) ? await answer.json() : null;
  if (!given) return void (autosaveTimer = setTimeout(autosave, AUTOSAVE_MILLISECONDS * 4));
  const said = document.getElementById("saved-at");
  if (given.error) return void (said.textContent = given.error);
  keptForm = now;
  agreed.campaignDraft = given.id;
  compose.elements.revision.value = given.revision;
  said.textContent = compose.dataset.saved.replace("{time}", given.at);
  history.replaceState(null, "", given.url);
  update();
  if (asText(content()) !== keptForm) soonKeep();
}
function soonKeep() {
  clearTimeout(autosaveTimer);
  autosaveTimer = setTimeout(autosave, AUTOSAVE_MILLISECONDS);
}
keptForm = "campaignDraft" in agreed ? asText(content()) : null;
compose.addEventListener("input", soonKeep);
let isGone = false;
compose.addEventListener("submit", () => {
  clearTimeout(autosaveTimer);
  isGone = true;
});
// Back to a page that was sent, as the browser kept it: what is on it has gone on without it.
addEventListener("pageshow", (event) => {
  if (event.persisted && isGone) location.reload();
});
addEventListener("pagehide", () => {
  if (compose.dataset.sent || !worthKeeping() || asText(content()) === keptForm) return;
  navigator.sendBeacon(compose.dataset.autosaveUrl, content());
});
