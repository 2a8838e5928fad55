// One field for whom it is: names and groups become chips, numbers stay as they are typed, a list may be dropped.
const RECIPIENTS_MILLISECONDS = 150;
const box = document.querySelector("[data-drop]");
const list = document.getElementById("suggestions");
const chosen = document.getElementById("chosen");
const field = compose.elements.to;
let asked = 0;
let askTimer = null;

// What is being typed: behind the last comma, semicolon or line.
const piece = () => field.value.slice(0, field.selectionStart).split(/[,;\n]/).pop().trim();

async function suggest() {
  const words = piece();
  const mine = ++asked;
  if (field.value.length > 400 || (words && /^[\d\s+.()-]{6,}$/.test(words))) return hide();
  const answer = await fetch(compose.dataset.searchUrl + "?" + new URLSearchParams({ q: words }), { redirect: "error" }).catch(() => null);
  if (!answer || !answer.ok || mine !== asked || document.activeElement !== field) return;
  list.innerHTML = await answer.text();
  for (const button of list.querySelectorAll("[data-pick]")) {
    if (chosen.querySelector(`[name=${button.dataset.pick}][value="${button.dataset.id}"]`)) button.parentElement.remove();
  }
  list.hidden = !list.children.length;
  list.dataset.of = words;
  const said = document.getElementById("suggested");
  said.textContent = list.hidden || !words ? "" : said.dataset.said.replace("{number}", list.children.length);
}
function hide() {
  list.hidden = true;
  list.replaceChildren();
}

function pick(button) {
  const { pick: name, id, name: shown, number } = button.dataset;
  const chip = document.getElementById("chip").content.firstElementChild.cloneNode(true);
  Object.assign(chip.querySelector("input"), { name, value: id });
  chip.querySelector("span").textContent = shown;
  chip.querySelector("button").setAttribute("aria-label", `${chip.querySelector("button").getAttribute("aria-label")} ${shown}`);
  chip.prepend(button.querySelector("svg").cloneNode(true));
  if (name === "contacts") chip.dataset.number = number;
  else chip.dataset.many = "";
  chosen.append(chip);
  const before = field.value.slice(0, field.selectionStart);
  const kept = before.slice(0, before.length - before.split(/[,;\n]/).pop().length).replace(/[,;\s]+$/, "");
  const rest = field.value.slice(field.selectionStart).replace(/^[,;\s]+/, "");
  field.value = [kept, rest].filter(Boolean).join("\n");
  hide();
  field.focus();
  compose.dispatchEvent(new Event("input"));
}

field.addEventListener("input", () => {
  if (list.dataset.of !== piece()) hide(); // what was offered was for other letters
  clearTimeout(askTimer);
  askTimer = setTimeout(suggest, RECIPIENTS_MILLISECONDS);
});
field.addEventListener("focus", () => !field.value && suggest());
field.addEventListener("keydown", (event) => {
  const first = !list.hidden && list.querySelector("button");
  if (event.key === "ArrowDown" && first) first.focus();
  else if (event.key === "Enter" && first && piece() && list.dataset.of === piece()) pick(first);
  else if (event.key === "Escape") return hide();
  else if (event.key === "Backspace" && !field.value && chosen.lastElementChild) remove(chosen.lastElementChild);
  else return;
  event.preventDefault();
});
list.addEventListener("keydown", (event) => {
  const buttons = [...list.querySelectorAll("button")];
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (by) (buttons[buttons.indexOf(document.activeElement) + by] || field).focus();
  else if (event.key === "Escape") (hide(), field.focus());
  else return;
  event.preventDefault();
});
list.addEventListener("click", (event) => event.target.closest("[data-pick]") && pick(event.target.closest("[data-pick]")));
box.addEventListener("focusout", (event) => !box.contains(event.relatedTarget) && hide());
box.addEventListener("click", (event) => event.target === box && field.focus());

function remove(chip) {
  chip.remove();
  field.focus();
  compose.dispatchEvent(new Event("input"));
}
chosen.addEventListener("click", (event) => {
  if (!event.target.closest("[data-remove]")) return;
  event.preventDefault(); // without a script, the server takes them out
  remove(event.target.closest("li"));
});

// A file that is dropped on the field, or pasted into it, is the file of the form.
function take(files) {
  if (!files.length) return false;
  compose.elements.file.files = files;
  document.getElementById("from-file").open = true;
  compose.dispatchEvent(new Event("input"));
  return true;
}
box.addEventListener("dragover", (event) => (event.preventDefault(), box.classList.add("over")));
box.addEventListener("dragleave", () => box.classList.remove("over"));
box.addEventListener("drop", (event) => {
  box.classList.remove("over");
  if (take(event.dataTransfer.files)) event.preventDefault();
});
field.addEventListener("paste", (event) => take(event.clipboardData.files) && event.preventDefault());
if (field.value && document.activeElement === field) suggest(); // who was typed before this was here
