// Lists of people: search as you type, tick a page, one more row. Every page works without it.
const SEARCH_MILLISECONDS = 200;

for (const form of document.querySelectorAll("[data-live]")) {
  const target = document.getElementById(form.dataset.live);
  let latest = 0;
  let timer = null;
  const search = async () => {
    const mine = ++latest;
    const query = new URLSearchParams(new FormData(form));
    history.replaceState(null, "", "?" + query);
    query.set("fragment", "1");
    const answer = await fetch(form.action.split("?")[0] + "?" + query, { redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok || mine !== latest) return;
    remember(target);
    target.innerHTML = await answer.text();
    recall(target);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, SEARCH_MILLISECONDS);
  });
}

// What is ticked stays so when another search is made; what it does not show is kept beside it.
function remember(list) {
  const form = list.closest("[data-selection]");
  for (const box of form ? list.querySelectorAll("tbody input:checked") : []) {
    const kept = Object.assign(document.createElement("input"), { type: "hidden", name: box.name, value: box.value });
    kept.dataset.kept = "";
    form.append(kept);
  }
}
function recall(list) {
  const form = list.closest("[data-selection]");
  for (const kept of form ? form.querySelectorAll("[data-kept]") : []) {
    const box = list.querySelector(`tbody input[value="${kept.value}"]`);
    if (!box) continue;
    box.checked = true;
    kept.remove();
  }
  if (form) countChosen(form);
}
function countChosen(form) {
  const said = form.querySelector("[data-chosen]");
  if (!said) return;
  const number = form.querySelectorAll("tbody input:checked, [data-kept]").length;
  said.textContent = number ? (number === 1 ? said.dataset.chosenOne : said.dataset.chosen.replace("{number}", number)) : "";
  form.classList.toggle("has-chosen", number > 0);
}
document.addEventListener("change", (event) => {
  const form = event.target.closest("form");
  if (event.target.matches("[data-tick-all]")) {
    for (const box of form.querySelectorAll("tbody input[type=checkbox]")) box.checked = event.target.checked;
  }
  if (form) countChosen(form);
});
for (const form of document.querySelectorAll("[data-selection]")) countChosen(form);

for (const button of document.querySelectorAll("[data-add-row]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const rows = button.parentElement.querySelector("[data-rows]");
    const row = rows.lastElementChild.cloneNode(true);
    for (const input of row.querySelectorAll("input, select")) input.value = input.matches("[name=how]") ? "is" : "";
    rows.append(row);
    row.querySelector("input, select").focus();
  });
}
