// One card: what people see of a question, and the buttons of its answers.

import { by, count, el, fill, named, percent, plural } from "./dom.js";

const MANY = 9; // labels that have a number, and need no search

export function showCard(card, about) {
  const given = card.given?.name;
  fill(by("text"), ...pieces(card));
  by("text").classList.toggle("quiet", card.text.length === 0);
  by("why").textContent = card.why?.short ?? "Blind";
  by("why-sentence").textContent = card.why?.sentence ?? "Labels and doubt are shown after your answer.";
  fill(by("card-title"), ...(card.blind || !given || card.labels.length > 1 ? ["Which label fits?"] : ["Is “", named(given), "” right?"]));
  fill(by("claim"), card.blind ? null : claim(card));
  fill(by("facts"), ...(card.blind ? blindFacts(card) : [earlier(card), duplicates(card), near(card), words(card)]));
  fill(by("more-body"), ...more(card));
  by("more").hidden = false;
  by("more").querySelector("summary").textContent = card.neighbours ? "Similar rows, and where it stands" : "Where it stands";
  answers(card, about);
  by("card").classList.remove("empty");
}

export function showNone(title, text) {
  by("card-title").textContent = title;
  fill(by("text"), text);
  for (const id of ["why", "why-sentence"]) by(id).textContent = "";
  fill(by("claim"));
  fill(by("facts"));
  by("answers").hidden = true;
  by("more").hidden = true;
  by("card").classList.add("empty");
}

function pieces(card) {
  if (!card.text.length) return [`No text is known: look at ${card.blind ? `row ${count(card.number)}` : stands(card)}.`];
  return card.text.map(([piece, sign]) => (sign ? el("mark", { class: sign > 0 ? "for" : "against", text: piece }) : piece));
}

function claim({ given, suggested, ...card }) {
  const same = given && suggested.value === given.value;
  return el(
    "dl",
    { class: "claim" },
    el("div", {}, el("dt", { text: "Given label" }), el("dd", {}, given ? named(given.name) : "none")),
    el("div", { class: same ? "" : "suggested" }, el("dt", { text: "Suggested" }), el("dd", {}, same ? "the same" : named(suggested.name))),
    given ? el("div", {}, el("dt", { text: "Chance that it is wrong" }), el("dd", {}, doubt(card))) : null,
  );
}

function blindFacts(card) {
  return [card.rows > 1 ? el("p", { text: `Your answer settles ${count(card.rows)} equal rows.` }) : null, card.mine ? earlier(card) : null];
}

function doubt(card) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span", { class: "fill" }));
  bar.firstChild.style.inlineSize = `${Math.round(card.posterior * 100)}%`;
  return el("span", {}, `${percent(card.posterior)}: ${card.doubt}`, bar);
}

function duplicates(card) {
  if (card.rows < 2) return null;
  const labels = card.labels.flatMap((one, place) => [place ? ", " : "", named(one.name), ` ${one.rows}×`]);
  return el("p", {}, el("strong", { text: `Your answer settles ${count(card.rows)} equal rows: ` }), ...labels);
}

function near(card) {
  const { neighbours: found, given, suggested } = card;
  if (!found) return null;
  const parts = given ? [`${found.given} carry “`, named(given.name), "”"] : [`${found.given} carry no label`];
  const two = suggested && suggested.value !== given?.value;
  if (two) parts.push(`, ${found.suggested} carry “`, named(suggested.name), "”");
  const others = found.of - found.given - (two ? found.suggested : 0);
  if (others > 0) parts.push(`, ${others} another label`);
  return el("p", {}, el("strong", { text: `Of ${plural(found.of, "similar row")}: ` }), ...parts);
}

function words(card) {
  if (!card.words?.chips.length) return null;
  const chips = card.words.chips.map(({ word, weight }) =>
    el("span", { class: `chip ${weight > 0 ? "for" : "against"}`, dir: "auto", text: `${weight > 0 ? "+" : "−"} ${word}` }),
  );
  return el("p", { class: "chips" }, el("span", { class: "quiet" }, "For (+) and against (−) “", named(card.words.label), "”: "), ...chips);
}

function earlier(card) {
  return card.mine ? el("p", { class: "mine" }, el("strong", { text: "You said: " }), named(card.mine.name), ". Another answer replaces it.") : null;
}

const stands = ({ place, name }) => `${place}${name ? ` (${name})` : ""}`;

function more(card) {
  const place = el("p", { class: "quiet", text: `${card.blind ? "" : `${stands(card)}, `}split ${card.split}` });
  const rows = card.neighbours?.rows ?? [];
  if (!rows.length) return [place];
  const said = { given: "carries the given label", suggested: "carries the suggested label", other: "carries another label" };
  const lines = rows.map((one) =>
    el("tr", {}, el("td", {}, el("span", { dir: "auto", class: "text", text: one.text })), el("td", { title: said[one.says] }, named(one.label)), el("td", { class: "number", text: one.similarity.toFixed(2) })),
  );
  const head = el("tr", {}, el("th", { scope: "col", text: "Similar row" }), el("th", { scope: "col", text: "Label" }), el("th", { scope: "col", class: "number", text: "Similarity" }));
  return [el("div", { class: "scrolls" }, el("table", { id: "neighbours" }, el("thead", {}, head), el("tbody", {}, ...lines))), place];
}

function answers(card, about) {
  const { given } = card;
  const other = card.blind ? null : changeTo(card, about);
  worded("keep", "Keep ", card.blind ? null : given);
  worded("change", given ? "Change to " : "Give it ", other);
  by("classes-part").hidden = !(card.blind || !given || about.choices.length > 2);
  by("class-search-part").hidden = about.choices.length <= MANY;
  by("class-search").value = "";
  showClasses(about, "");
  by("answers").hidden = false;
}

/** What a label is changed to by one key: the suggested one; of two labels always the other one. Null where there is none. */
export function changeTo({ given, suggested }, about) {
  if (suggested.value !== given?.value) return suggested;
  return about.choices.length === 2 ? about.choices.find((one) => one.value !== given.value) : null;
}

function worded(id, words, label) {
  by(id).hidden = !label;
  fill(by(id).querySelector(".words"), label ? words : null, label ? named(label.name) : null);
}

/** List the labels whose name holds some letters; the number of each is its place among all. */
export function showClasses(about, letters) {
  const wanted = letters.trim().toLowerCase();
  const found = about.choices.map((one, place) => ({ ...one, place })).filter((one) => one.name.toLowerCase().includes(wanted));
  fill(by("classes"), ...found.map(classButton));
  if (!found.length) fill(by("classes"), el("span", { class: "quiet", text: "No such label." }));
}

function classButton({ value, name, place }) {
  const key = place < MANY ? String(place + 1) : null;
  const words = el("span", { class: "words", dir: "auto", text: name });
  return el("button", { type: "button", class: "answer class", "data-value": value, "data-name": name, "aria-keyshortcuts": key ?? undefined }, words, key ? " " : null, key ? el("kbd", { text: key }) : null);
}
