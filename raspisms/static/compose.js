// The composer: parts and bill always in view before the button that spends, what the text costs, whom it reaches.
const compose = document.getElementById("compose");
const text = compose.elements.text;
const to = compose.elements.to;
const phone = compose.elements.phone;
// What browser and server must agree on, as ComposeForm.agreement says it.
const agreed = compose.dataset;
const MENTION = new RegExp(agreed.campaignMention, "i");
const button = compose.querySelector(".send-bar > button[type=submit]");
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
// Whom chips name one by one counts with the numbers; what a group or a file holds, only the server knows.
const chipNumbers = () => [...compose.querySelectorAll("#chosen [data-number]")].map((chip) => chip.dataset.number);
const typedPeople = () => new Set([...typedNumbers().map(asOne), ...chipNumbers()]).size;

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
  element("counter").hidden = !sent;
  element("count-characters").textContent = words("words-characters", { count: counted.characters });
  element("count-parts").textContent = words("words-parts", counted);
  const over = counted.characters - Number(option.dataset.limit);
  const foreign = counted.foreign.map((c) => VISIBLE[c] || c).join(" ");
  element("count-warning").textContent =
    over > 0 && !isPersonal()
      ? fill(compose.dataset.limit, { over })
      : foreign
        ? fill(compose.dataset.unicode, { characters: foreign })
        : "";
  showSteps();
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
  button.textContent = isCampaign() ? compose.dataset.report : compose.dataset.one;
  let sentence = "";
  if (!count) sentence = text.value.trim() && !typedNames() ? compose.dataset.nobody : "";
  else if (parts) {
    sentence = fill(count > 1 ? compose.dataset.bill : compose.dataset.billOne, { parts, people: count });
    if (price) sentence += " = " + (isPersonal() ? fill(compose.dataset.money, { euros: inEuros(parts * count * price) }) : inEuros(parts * count * price));
  }
  element("bill").textContent = sentence;
}
// Names that are typed and not yet chips: the server finds whose they are.
const typedNames = () => /[^\d\s.,;+()\-]/.test(to.value);

// Whether the server will show a report first; as ComposeForm.is_campaign.
function isCampaign() {
  const named = (name) => [...compose.querySelectorAll(`[name=${name}]`)];
  const given = (field) => (/^(checkbox|radio)$/.test(field.type) ? field.checked : field.value) && !field.disabled;
  const isChosen = (name) => named(name).some(given);
  return Boolean(
    [...agreed.campaignFields.split(" "), ...agreed.campaignChoices.split(" ")].some(isChosen) ||
      named("purpose").some((field) => given(field) && field.value === agreed.campaignAdvertising) ||
      typedPeople() > Number(agreed.campaignPeople) ||
      chipNumbers().length > Number(agreed.campaignPeople) ||
      isTable() ||
      isPersonal() ||
      "campaignDraft" in agreed,
  );
}

// What only campaigns need is shown when it is one.
function showSteps() {
  const isOne = isCampaign();
  for (const part of compose.querySelectorAll(".for-campaigns")) part.classList.toggle("off", !isOne);
  const training = element("training");
  training.textContent = phone.selectedOptions[0].dataset.training || "";
  const at = compose.elements.starts_at;
  if (at) {
    const shown = at.value && new Date(at.value);
    const named = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit" };
    element("when-now").textContent = shown ? new Intl.DateTimeFormat(compose.dataset.locale, named).format(shown) : compose.dataset.now;
  }
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
  if (!text.value.trim()) {
    preview.hidden = true;
    knownPeople = filledText = null;
    return update();
  }
  if (!isCampaign()) {
    knownPeople = filledText = null;
    const chip = compose.querySelector("#chosen [data-number] span");
    showText(chip ? chip.textContent : to.value.trim(), outgoing());
    element("preview-next").hidden = element("preview-back").hidden = true;
    return update();
  }
  const mine = ++previewCount;
  const body = new FormData(compose);
  body.delete("file");
  body.set("position", position);
  const answer = await fetch(compose.dataset.previewUrl, { method: "POST", body, redirect: "error" }).catch(() => null);
  if (!answer || !answer.ok || mine !== previewCount) return;
  const shown = await answer.json();
  knownPeople = shown.error ? null : shown.people;
  filledText = shown.error ? null : shown.text;
  position = Math.min(position, Math.max(0, (knownPeople || 1) - 1));
  showText(shown.name || "—", shown.error || shown.text);
  const missing = (shown.missing || []).join(", ");
  element("preview-note").textContent =
    shown.error ? "" : `${shown.parts} SMS` + (missing ? ". " + fill(compose.dataset.missing, { names: missing }) : "");
  element("preview-back").hidden = !position;
  element("preview-next").hidden = !knownPeople || position >= knownPeople - 1;
  update();
}

function showText(name, words) {
  preview.hidden = false;
  element("preview-name").textContent = name || "—";
  element("preview-text").textContent = words;
  element("preview-note").textContent = "";
}

function soon() {
  clearTimeout(previewTimer);
  previewTimer = setTimeout(showPreview, 400);
}

element("preview-next").addEventListener("click", () => ((position += 1), showPreview()));
element("preview-back").addEventListener("click", () => ((position = Math.max(0, position - 1)), showPreview()));

// -- saved texts, variables -------------------------------------------------------------------------------

for (const variable of compose.querySelectorAll("[data-insert]")) {
  variable.addEventListener("click", () => {
    text.setRangeText(variable.dataset.insert, text.selectionStart, text.selectionEnd, "end");
    text.focus();
    compose.dispatchEvent(new Event("input"));
  });
}
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) compose.requestSubmit(button);
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
