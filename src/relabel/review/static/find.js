// Questions found by words and filters.

import { get } from "./api.js";
import { by, count, el, fill, named, percent, plural } from "./dom.js";

const DELAY = 200;
const WHY = { conflict: "duplicates disagree", disputed: "people disagree", worst: "flagged by the audit", random: "drawn by chance" };
const STATES = { open: "not answered", answered: "answered", mine: "answered by me", skipped: "skipped by me" };
let open = () => {};
let person = () => ({});
let shown = [];
let turn = 0;
let due = null;

export function set(about, whose, opened) {
  [person, open] = [whose, opened];
  const labels = Object.fromEntries(about.choices.map((one) => [one.value, one.name]));
  for (const id of ["filter-given", "filter-suggested"]) choices(id, labels);
  choices("filter-split", Object.fromEntries(about.splits.map((name) => [name, name])));
  choices("filter-why", about.blind ? { disputed: WHY.disputed, random: WHY.random } : WHY);
  choices("filter-state", STATES);
  for (const id of ["filter-given", "filter-suggested"]) by(id).parentElement.hidden = about.blind;
  by("filters").addEventListener("input", soon);
  by("filters").addEventListener("reset", () => setTimeout(soon));
  by("filters").addEventListener("submit", (event) => {
    event.preventDefault();
    load();
  });
  by("results-more").addEventListener("click", () => load(shown.length));
  by("work-through").addEventListener("click", () => open(shown.filter((one) => !one.answered).map((one) => one.id)));
}

function choices(id, names) {
  fill(by(id), el("option", { value: "", text: "any" }), ...Object.entries(names).map(([value, text]) => el("option", { value, text })));
}

function soon() {
  clearTimeout(due);
  due = setTimeout(() => load(), DELAY);
}

/** Fetch the list, or more of it. */
export async function load(first = 0) {
  const mine = ++turn;
  const wish = Object.fromEntries(new FormData(by("filters")));
  try {
    const found = await get("/api/list", { ...wish, first, reviewer: person().reviewer });
    if (mine !== turn) return;
    shown = first ? [...shown, ...found.items] : found.items;
    show(found.total);
  } catch (error) {
    by("found").textContent = error.message;
  }
}

function show(total) {
  by("found").textContent = `${plural(total, "question")} found${total > shown.length ? `, the worst ${count(shown.length)} listed` : ""}`;
  by("work-through").hidden = !shown.some((one) => !one.answered);
  by("results-more").hidden = shown.length >= total;
  fill(by("results"), ...shown.map(row));
}

function row(one) {
  const labels = one.given === undefined ? [] : [one.given ? named(one.given.name) : "no label", " → ", named(one.suggested.name), `, ${percent(one.posterior)} wrong`];
  const answered = one.answer ? ["answered: ", named(one.answer)] : one.answered ? ["answered"] : [];
  const told = [labels, [one.split], one.rows > 1 ? [plural(one.rows, "row")] : [], answered].filter((part) => part.length);
  const button = el("button", { type: "button", class: "row", "data-card": one.id, on: { click: () => open([one.id]) } });
  button.append(el("span", { dir: "auto", class: "excerpt", text: one.text }), el("span", { class: "quiet" }, ...told.flatMap((part, place) => (place ? [" · ", ...part] : part))));
  return el("li", {}, button);
}
