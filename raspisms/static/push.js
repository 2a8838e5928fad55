// Notices while RaspiSMS is closed (Web Push): a choice of this browser, where it allows it.
const pushBox = document.querySelector("[data-push]");
const pushSaid = document.querySelector("[data-push-said]");
const isPossible = "PushManager" in window && "serviceWorker" in navigator && isSecureContext;

const asBytes = (written) => Uint8Array.from(atob(written.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
async function tellServer(url, fields) {
  const body = new FormData();
  body.set("csrf_token", pushBox.dataset.token);
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return fetch(url, { method: "POST", body, redirect: "error" });
}
async function turnOn() {
  if ((await Notification.requestPermission()) !== "granted") throw new Error("refused");
  const worker = await navigator.serviceWorker.ready;
  const key = asBytes(pushBox.dataset.pushKey);
  const made = (await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })).toJSON();
  const answer = await tellServer(pushBox.dataset.push, { endpoint: made.endpoint, ...made.keys });
  if (!answer.ok) throw new Error((await answer.json()).error);
}
async function turnOff() {
  const worker = await navigator.serviceWorker.ready;
  const made = await worker.pushManager.getSubscription();
  if (!made) return;
  await tellServer(pushBox.dataset.pushForget, { endpoint: made.endpoint });
  await made.unsubscribe();
}
if (pushBox && !isPossible) {
  pushBox.disabled = true;
  pushSaid.textContent = pushSaid.dataset.impossible;
} else if (pushBox) {
  const show = async () => (pushBox.checked = Boolean(await (await navigator.serviceWorker.ready).pushManager.getSubscription()));
  show();
  pushBox.addEventListener("change", async () => {
    pushSaid.textContent = "";
    try {
      await (pushBox.checked ? turnOn() : turnOff());
    } catch (error) {
      pushSaid.textContent = error.message && error.message !== "refused" && error.name === "Error" ? error.message : pushSaid.dataset.refused;
    }
    show();
  });
}
