// The composer's counter and bill, always in view before the button that spends.
const compose = document.getElementById("compose");
const text = compose.elements.text;
const to = compose.elements.to;
const phone = compose.elements.phone;
const button = compose.querySelector("button");
const words = (id, values) => fill(document.getElementById(id).innerHTML, values);

function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

// As the server splits: lines, commas, semicolons; a digit makes it a number.
function people() {
  const pieces = to.value.split(/[,;\n]+/).map((piece) => piece.trim()).filter((piece) => /\d/.test(piece));
  return new Set(pieces.map((piece) => piece.replace(/[\s.\-]/g, ""))).size;
}

const VISIBLE = { "\u00a0": "␣", "\u202f": "␣", "\t": "⇥" };

function update() {
  const counted = countSegments(text.value);
  const option = phone.selectedOptions[0];
  document.getElementById("counter").hidden = false;
  document.getElementById("count-characters").textContent = words("words-characters", { count: counted.characters });
  document.getElementById("count-parts").textContent = words("words-parts", counted);
  document.getElementById("count-encoding").textContent = counted.encoding;
  const over = counted.characters - Number(option.dataset.limit);
  const foreign = counted.foreign.map((c) => VISIBLE[c] || c).join(" ");
  const warning = document.getElementById("count-warning");
  warning.textContent =
    over > 0
      ? fill(compose.dataset.limit, { over })
      : foreign
        ? fill(compose.dataset.unicode, { characters: foreign })
        : "";
  bill(counted.parts, people(), Number(option.dataset.price));
}

function bill(parts, count, price) {
  button.textContent = count > 1 ? fill(compose.dataset.many, { people: count }) : compose.dataset.one;
  let sentence = "";
  if (parts && count) {
    sentence = count > 1 ? fill(compose.dataset.bill, { parts, people: count, total: parts * count }) : `${parts} SMS`;
    if (price) {
      const money = new Intl.NumberFormat(compose.dataset.locale, {
        style: "currency",
        currency: "EUR",
        maximumFractionDigits: 3,
      });
      sentence += ", " + fill(compose.dataset.money, { euros: money.format(parts * count * price) });
    }
  }
  document.getElementById("bill").textContent = sentence;
}

for (const input of [text, to, phone]) input.addEventListener("input", update);
addEventListener("pageshow", update);
update();
