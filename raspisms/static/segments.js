// Counts parts exactly as raspisms/sms/segments.py does; tests/browser/test_segments.py compares the two.
const BASIC = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§" +
    "¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const EXTENDED = new Set("^{}\\[~]|€\f");

function countSegments(text) {
  const characters = [...text];
  const foreign = [...new Set(characters.filter((c) => !BASIC.has(c) && !EXTENDED.has(c)))];
  const sizes = characters.map((c) => (foreign.length ? c.length : EXTENDED.has(c) ? 2 : 1));
  const [single, part] = foreign.length ? [70, 67] : [160, 153];
  const units = sizes.reduce((sum, size) => sum + size, 0);
  const counted = { encoding: foreign.length ? "UCS-2" : "GSM-7", units, foreign, characters: characters.length };
  if (units <= single) return { ...counted, parts: units ? 1 : 0, remaining: single - units };
  let parts = 1;
  let used = 0;
  for (const size of sizes) {
    if (used + size > part) {
      parts += 1;
      used = 0;
    }
    used += size;
  }
  return { ...counted, parts, remaining: part - used };
}
window.countSegments = countSegments;
