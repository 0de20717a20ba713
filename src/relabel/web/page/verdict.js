// What the model said of a text, for people to read.

import { by, count, el, named, percent } from "./dom.js";
import { pieces, strongest } from "./words.js";

const SEEN = 6; // classes that are listed at once
const STRONG = 0.5; // share of the strongest word's weight from which on a word is strong

/** The sentence of an answer, as pieces of a heading. */
export function sentence(answer) {
  if (isBlind(answer)) return ["The model knows no word of this text"];
  const feeling = sentiment(answer);
  if (feeling) return ["Your review was ", el("span", { class: feeling, text: feeling.toUpperCase() }), "!"];
  return ["Your text is: ", named(answer.class)];
}

/** The short name of an answer, for a list. */
export const shortly = (answer) => sentiment(answer)?.toUpperCase() ?? answer.class;

/** The name of a class for people: 0 and 1, where there are no others, are what reviews call them. */
const title = (name, names) => (names.length === 2 && names[0] === "0" && names[1] === "1" ? ["negative", "positive"][Number(name)] : name);

/** `positive` or `negative` where these are the two classes, else nothing. */
function sentiment({ class: name, classes: names = [], probabilities }) {
  const small = title(name, names).toLowerCase();
  return probabilities.length === 2 && ["negative", "positive"].includes(small) ? small : undefined;
}

/** Whether no word moved the model, so that what it says of the text is what it says of any. */
const isBlind = ({ words }) => Array.isArray(words) && !strongest(words).length;

export function show(text, answer) {
  by("verdict-title").replaceChildren(...sentence(answer));
  const sure = percent(answer.probabilities[answer.label]);
  by("verdict-sure").textContent = isBlind(answer) ? `It would say ${shortly(answer)}, with ${sure}, of any such text.` : `The model gives this ${sure}.`;
  by("classes").replaceChildren(classes(answer));
  const words = strongest(answer.words ?? []);
  by("why").hidden = !words.length;
  by("wordless").hidden = Boolean(words.length);
  by("marked").replaceChildren(...marked(text, words));
  by("marked").scrollTop = 0;
  by("legend").replaceChildren(...legend(answer, words));
  by("words").replaceChildren(...words.map((word) => chip(word)));
  by("verdict").hidden = false;
}

function classes({ class: name, classes: names, label, probabilities }) {
  const every = probabilities
    .map((share, place) => ({ share, name: title(names[place] ?? (place === label ? name : `class ${place}`), names), chosen: place === label }))
    .sort((one, other) => other.share - one.share);
  const table = listed("The probability of each class", every.slice(0, SEEN));
  if (every.length <= SEEN) return table;
  const rest = listed("The other classes", every.slice(SEEN));
  return el("div", {}, table, el("details", {}, el("summary", { text: `${count(every.length - SEEN)} more` }), rest));
}

const listed = (title, some) => el("table", { "aria-label": title }, el("tbody", {}, ...some.map(row)));

function row({ share, name, chosen }) {
  const bar = el("span", { class: "bar", "aria-hidden": "true" }, el("span", { class: "fill" }));
  bar.firstChild.style.inlineSize = `${share * 100}%`;
  const title = el("th", { scope: "row" }, named(name), chosen ? el("span", { class: "unseen", text: " (the answer)" }) : null);
  return el("tr", { class: chosen ? "chosen" : "" }, title, el("td", {}, bar), el("td", { class: "number", text: percent(share) }));
}

function marked(text, words) {
  const most = Math.max(0, ...words.map(({ weight }) => Math.abs(weight)));
  return pieces(text, words).map(([piece, weight]) => (weight ? el("mark", { class: kind(weight, most), text: piece }) : piece));
}

const kind = (weight, most) => `${weight > 0 ? "for" : "against"}${Math.abs(weight) >= STRONG * most ? " strong" : ""}`;

function legend(answer, words) {
  const name = named(shortly(answer));
  const against = words.some(({ weight }) => weight < 0);
  const speaksFor = [el("mark", { class: "for", text: "Underlined" }), " speaks for ", name, against ? "; " : "."];
  return against ? [...speaksFor, el("mark", { class: "against", text: "dotted" }), " against it."] : speaksFor;
}

function chip({ word, weight }) {
  const sign = weight > 0 ? "+" : "−";
  const said = el("span", { class: "unseen", text: weight > 0 ? "speaks for it: " : "speaks against it: " });
  return el("li", { class: weight > 0 ? "for" : "against" }, said, named(word), el("span", { class: "weight", text: `${sign}${Math.abs(weight).toFixed(2)}` }));
}
