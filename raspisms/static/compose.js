// The composer: parts and bill always in view before the button that spends, what the text costs, whom it reaches.
const compose = document.getElementById("compose");
const text = compose.elements.text;
const to = compose.elements.to;
const phone = compose.elements.phone;
// What browser and server must agree on, as ComposeForm.agreement says it.
const agreed = compose.dataset;
const MENTION = new RegExp(agreed.campaignMention, "i");
const button = compose.querySelector(".buttons > button[type=submit]");
const element = (id) => document.getElementById(id);
const words = (id, values) => fill(element(id).innerHTML, values);

function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// -- counting ------------------------------------------------------------------------------------------

// What cannot be seen is gone, and every blank, dash, dot and digit a usual one: as the server reads it.
const usual = (value) =>
  value
    .replace(/\t|\p{Zs}/gu, " ")
    .replace(/(?![\n\r])[\p{Cf}\p{Cc}]/gu, "")
    .replace(/\p{Pd}/gu, "-")
    .replace(/[\u00b7\u2022\u2027\u22c5]/g, ".")
    .replace(/[\uff10-\uff19]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0));

// As the server splits: lines, commas, semicolons, and spaces between whole numbers; a digit makes it a number.
const WHOLE = /^\+?[\d.\-]{9,}$/;
function typedNumbers() {
  const pieces = usual(to.value).split(/[,;\n\r]+/).map((piece) => piece.trim().split(/\s+/));
  const found = pieces.flatMap((words) => (words.length > 1 && words.every((word) => WHOLE.test(word)) ? words : [words.join("")]));
  return found.map((piece) => piece.replace(/[\s.\-()]/g, "")).filter((piece) => /\d/.test(piece));
}

// 06…, 0033 6… and +33 6… are one person; 0692… and +262 692… too.
const plan = Object.entries(JSON.parse(agreed.campaignPlan)).map(([code, mobiles]) => [code, new RegExp(`^(?:${mobiles})$`)]);
function asOne(number) {
  if (agreed.campaignHome && /^0[1-9]/.test(number)) return "+" + agreed.campaignHome + number.slice(1);
  const mobile = /^(?:0033|\+33|33|0)?([67]\d{8})$/.exec(number);
  const national = mobile ? mobile[1] : number.replace(/^(?:0033|\+33|0)(?=[1-9])/, "");
  if (national === number && !mobile) return number.replace(/^00/, "+");
  const found = plan.find(([, mobiles]) => mobiles.test(national));
  return "+" + (found ? found[0] : "33") + national;
}
const typedPeople = () => new Set(typedNumbers().map(asOne)).size;

// A pasted table begins with a line of titles.
const isTable = () => /^[^\d\n]*[^\d\s][^\d\n]*\n.*\d/.test(usual(to.value).trim());

let knownPeople = null; // what the server counted, for contacts, groups and files
const people = () => (isCampaign() && knownPeople !== null ? knownPeople : typedPeople());

const VISIBLE = { "\u00a0": "␣", "\u202f": "␣", "\t": "⇥" };
const isPersonal = () => /\{[{%#]/.test(text.value);

// An advertisement ends with how to stop it, and that is paid for too.
function outgoing() {
  const stop = phone.selectedOptions[0].dataset.stop;
  const isAdvertising = compose.elements.purpose && compose.elements.purpose.value === agreed.campaignAdvertising;
  const written = text.value.normalize("NFC"); // as the server composes accents
  if (!isAdvertising || !stop || MENTION.test(written) || !written.trim()) return written;
  return written.trimEnd() + "\nSTOP au " + stop;
}

let filledText = null; // a personal text as the person of the preview gets it

function update() {
  const sent = isPersonal() && filledText !== null ? filledText : outgoing();
  const counted = countSegments(sent);
  const option = phone.selectedOptions[0];
  element("counter").hidden = false;
  element("count-characters").textContent = words("words-characters", { count: counted.characters });
  element("count-parts").textContent = words("words-parts", counted);
  element("count-encoding").textContent = counted.encoding;
  const over = counted.characters - Number(option.dataset.limit);
  const foreign = counted.foreign.map((c) => VISIBLE[c] || c).join(" ");
  element("count-warning").textContent =
    over > 0 && !isPersonal()
      ? fill(compose.dataset.limit, { over })
      : foreign
        ? fill(compose.dataset.unicode, { characters: foreign })
        : "";
  coach(sent, counted, Number(option.dataset.price));
  bill(counted.parts, people(), Number(option.dataset.price));
}

const inEuros = (amount) =>
  new Intl.NumberFormat(compose.dataset.locale, { style: "currency", currency: "EUR", maximumFractionDigits: 3 }).format(
    amount,
  );

function coach(sent, counted, price) {
  const fewer = countSegments(withoutForeign(sent)).parts;
  element("coach").hidden = fewer >= counted.parts;
  if (fewer >= counted.parts) return;
  const count = people();
  const values = { parts: counted.parts, fewer, people: count, euros: inEuros((counted.parts - fewer) * count * price) };
  element("coach-cost").textContent = fill(
    price && count ? compose.dataset.coachMoney : compose.dataset.coach,
    values,
  );
  const marked = element("marked");
  marked.replaceChildren();
  for (const character of sent) {
    if (!counted.foreign.includes(character)) {
      marked.append(character);
      continue;
    }
    const mark = document.createElement("mark");
    mark.textContent = VISIBLE[character] || character;
    marked.append(mark);
  }
}

function bill(parts, count, price) {
  const report = isCampaign();
  button.textContent = report
    ? compose.dataset.report
    : count > 1
      ? fill(compose.dataset.many, { people: count })
      : compose.dataset.one;
  let sentence = "";
  if (parts && count && !isPersonal()) {
    sentence = count > 1 ? fill(compose.dataset.bill, { parts, people: count, total: parts * count }) : `${parts} SMS`;
    if (price) sentence += ", " + fill(compose.dataset.money, { euros: inEuros(parts * count * price) });
  }
  element("bill").textContent = sentence;
}

// Whether the server will show a report first; as ComposeForm.is_campaign.
function isCampaign() {
  const named = (name) => [...compose.querySelectorAll(`[name=${name}]`)];
  const given = (field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked : field.value) && !field.disabled;
  const isChosen = (name) => named(name).some(given);
  return Boolean(
    [...agreed.campaignFields.split(" "), ...agreed.campaignChoices.split(" ")].some(isChosen) ||
      named("purpose").some((field) => given(field) && field.value === agreed.campaignAdvertising) ||
      typedPeople() > Number(agreed.campaignPeople) ||
      isTable() ||
      isPersonal() ||
      "campaignDraft" in agreed,
  );
}

const rewrite = element("rewrite");
rewrite.addEventListener("click", () => {
  text.value = withoutForeign(text.value.normalize("NFC"));
  if (filledText !== null) filledText = withoutForeign(filledText);
  update();
  soon();
  text.focus();
});

// -- one person's text -----------------------------------------------------------------------------------

const preview = element("preview");
let position = 0;
let previewTimer = null;
let previewCount = 0;

async function showPreview() {
  if (!preview || !isCampaign() || !text.value.trim()) {
    if (preview) preview.hidden = true;
    return;
  }
  const mine = ++previewCount;
  const body = new FormData(compose);
  body.delete("file");
  body.set("position", position);
  const answer = await fetch(compose.dataset.previewUrl, { method: "POST", body, redirect: "error" }).catch(() => null);
  if (!answer || !answer.ok || mine !== previewCount) return;
  const shown = await answer.json();
  preview.hidden = false;
  element("preview-name").textContent = shown.name || "—";
  element("preview-text").textContent = shown.error || shown.text;
  const missing = (shown.missing || []).join(", ");
  element("preview-note").textContent = shown.error
    ? ""
    : `${shown.parts} SMS` + (missing ? ". " + fill(compose.dataset.missing, { names: missing }) : "");
  knownPeople = shown.error ? null : shown.people;
  filledText = shown.error ? null : shown.text;
  update();
}

function soon() {
  clearTimeout(previewTimer);
  previewTimer = setTimeout(showPreview, 400);
}

if (preview) {
  element("preview-next").addEventListener("click", () => ((position += 1), showPreview()));
  element("preview-back").addEventListener("click", () => ((position = Math.max(0, position - 1)), showPreview()));
}

// -- contacts and saved texts ------------------------------------------------------------------------------

const search = element("contact-search");
if (search) {
  let latest = 0;
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  search.addEventListener("input", async () => {
    const mine = ++latest;
    const answer = await fetch(compose.dataset.searchUrl + "?" + new URLSearchParams({ q: search.value }), { redirect: "error" }).catch(() => null);
    if (answer && answer.ok && mine === latest) element("contact-results").innerHTML = await answer.text();
  });
}

compose.addEventListener("click", (event) => {
  const picked = event.target.closest("[data-pick]");
  if (picked) {
    const input = Object.assign(document.createElement("input"), { type: "hidden", name: "contacts", value: picked.dataset.pick });
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "×" });
    remove.dataset.remove = "";
    remove.setAttribute("aria-label", "× " + picked.dataset.name);
    const chip = document.createElement("li");
    chip.append(input, picked.dataset.name + " ", remove);
    element("chosen-contacts").append(chip);
    element("contact-results").replaceChildren();
    search.value = "";
    search.focus();
  }
  const removed = event.target.closest("[data-remove]");
  if (removed) removed.closest("li").remove();
  if (picked || removed) {
    update();
    soon();
  }
});

const saved = element("saved");
if (saved) {
  saved.hidden = false;
  saved.addEventListener("change", () => {
    if (saved.value) text.value = saved.value;
    saved.value = "";
    update();
    soon();
  });
}

compose.addEventListener("input", () => {
  update();
  soon();
});
addEventListener("pageshow", () => {
  update();
  showPreview();
});
update();
