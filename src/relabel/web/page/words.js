// Where the words that drove an answer stand in its text.

// As the model cuts a text: letters and digits with apostrophes inside; where no spaces stand between words, each character; else single marks.
const WORD = /[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|(?:(?![\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])[\p{L}\p{N}\p{M}])+(?:['\u2019](?:(?![\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])[\p{L}\p{N}\p{M}])+)*|[^\s\p{L}\p{N}\p{M}]/gu;
const STEM = 3; // letters of a stem, at least
const LEAST = 0.2; // share of the strongest word's weight from which on a word is told: the rest are in every text

const plain = (word) => word.normalize("NFC").toLowerCase().replaceAll("\u2019", "'");

/** The words that matter, the strongest first. */
export function strongest(words) {
  const most = Math.max(0, ...words.map(({ weight }) => Math.abs(weight)));
  return words.filter(({ weight }) => weight !== 0 && Math.abs(weight) >= LEAST * most);
}

/** Cut a text into [piece, weight]; 0 where a piece is none of the words. The pieces together are the text. */
export function pieces(text, words) {
  const known = new Map(words.map(({ word, weight }) => [plain(word), weight]));
  const found = [...text.matchAll(WORD)];
  const whole = new Set(found.map(([word]) => plain(word)));
  const stems = [...known.keys()].filter((word) => !whole.has(word) && word.length >= STEM);
  const cut = [];
  let end = 0;
  for (const { 0: word, index } of found) {
    const weight = known.get(plain(word)) ?? known.get(stemOf(plain(word), stems)) ?? 0;
    if (!weight) continue;
    cut.push([text.slice(end, index), 0], [word, weight]);
    end = index + word.length;
  }
  return [...cut, [text.slice(end), 0]].filter(([piece]) => piece);
}

/** The stem that a word may have come from: its beginning, where `happi` stands for `happy` too. */
function stemOf(word, stems) {
  const fits = (stem) => word.startsWith(stem) || (stem.endsWith("i") && word.startsWith(`${stem.slice(0, -1)}y`));
  return stems.filter(fits).sort((one, other) => other.length - one.length)[0];
}
