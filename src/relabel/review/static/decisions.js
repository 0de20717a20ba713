// What I decided: to look at again, to change, to take back.

import { get, post } from "./api.js";
import { by, el, fill, named } from "./dom.js";

const SHOWN = 200;

/** List what stands of a person's decisions; `open` shows a card, `gone` hears of what was taken back. */
export async function load(person, open, gone) {
  try {
    const { decisions } = await get("/api/decisions", { reviewer: person.reviewer });
    by("decisions-none").hidden = decisions.length > 0;
    by("decisions-told").textContent = decisions.length > SHOWN ? `The last ${SHOWN} of ${decisions.length} are listed.` : "";
    fill(by("decision-list"), ...decisions.slice(0, SHOWN).map((one) => row(one, person, open, gone)));
  } catch (error) {
    by("decisions-told").textContent = error.message;
  }
}

function row(one, person, open, gone) {
  const said = el("span", { class: "said" }, el("strong", {}, named(one.name)), one.given ? " instead of " : null, one.given ? named(one.given.name) : null);
  if (one.given?.value === one.answer) fill(said, el("strong", {}, named(one.name)), " kept");
  if (one.answer === null) fill(said, el("strong", { text: "Skipped" }));
  const when = el("time", { datetime: one.time, class: "quiet", text: new Date(one.time).toLocaleString() });
  const change = el("button", { type: "button", on: { click: () => open([one.card]) } }, "Change", el("span", { class: "unseen", text: `: ${one.text}` }));
  const back = el("button", { type: "button", on: { click: () => withdraw(one, person, open, gone) } }, "Take back", el("span", { class: "unseen", text: `: ${one.text}` }));
  return el("li", { "data-decision": String(one.id) }, el("span", { dir: "auto", class: "excerpt", text: one.text }), el("span", { class: "told" }, said, " · ", when), el("span", { class: "acts" }, change, back));
}

async function withdraw(one, person, open, gone) {
  try {
    await post("/api/undo", { ...person, decision: one.id });
    gone(one.id);
    await load(person, open, gone);
    by("decisions-told").textContent = `Taken back: ${one.name}.`;
    by("decisions-title").focus();
  } catch (error) {
    by("decisions-told").textContent = `Not taken back. ${error.message}`;
  }
}
