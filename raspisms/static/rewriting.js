// Says the same without the characters that cost, exactly as raspisms/sms/rewriting.py does; a test compares them.
const PLAIN = {
  "`": "'", "´": "'", œ: "oe", Œ: "OE", "’": "'", "‘": "'", "‚": ",", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"',
  "…": "...", "–": "-", "—": "-", "−": "-", "‑": "-", "•": "-", "·": ".", "°": "o", º: "o", ª: "a", "²": "2",
  "³": "3", "×": "x", "÷": "/", "™": "TM", "©": "(c)", "®": "(r)", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
  "\u200b": "", "\t": " ", "\ufeff": "", "\u00ad": "",
};

function plainCharacter(character) {
  if (character in PLAIN) return PLAIN[character];
  const plain = character.normalize("NFD").replace(/\p{M}/gu, "");
  return !plain || countSegments(plain).foreign.length ? character : plain;
}

function withoutForeign(text) {
  text = text.replace(/«[ \u00a0\u202f]?|[ \u00a0\u202f]?»/g, '"'); // French sets them apart by a space
  for (const character of countSegments(text).foreign) text = text.split(character).join(plainCharacter(character));
  return text;
}
window.withoutForeign = withoutForeign;
