// The page: a text goes out, an answer comes back, and what was tried can be looked at again.

import { ask, LONGEST, Problem } from "./asking.js";
import { by, count, el, named, percent } from "./dom.js";
import * as past from "./past.js";
import { shortly, show } from "./verdict.js";

const TRIES = 8; // while the model starts
const NEAR = 0.8; // share of the longest text from which on its length is told
let number = 0; // of the last question
let waiting = false; // for its answer

async function send() {
  const text = by("text").value;
  if (!text.trim()) return problem("Write a text first.", { retry: false, focus: true });
  if (length(text) > LONGEST) return problem(`${tooLong(text)} Shorten it, and ask again.`, { retry: false, focus: true });
  const mine = ++number;
  busy(true);
  try {
    const answer = await answered(text, mine);
    if (mine !== number) return;
    past.add(text, answer);
    listPast();
    tell("");
    look(text, answer);
  } catch (error) {
    if (mine !== number) return;
    tell("");
    failed(error);
  }
  busy(false);
}

/** Ask until the model has started, for a while. */
async function answered(text, mine) {
  for (let turn = 1; ; turn++) {
    tell("Asking the model …", true);
    try {
      return await ask(text);
    } catch (error) {
      if (!(error instanceof Problem) || !error.waking || turn === TRIES) throw error;
      tell(`${error.message} Asking again in ${error.wait} s; a model that slept may need a minute.`, true);
      await new Promise((done) => setTimeout(done, error.wait * 1000));
      if (mine !== number) throw error;
    }
  }
}

function failed(error) {
  if (!(error instanceof Problem)) throw error;
  const wait = error.wait ? ` Ask again in ${count(error.wait)} s.` : "";
  problem(`${error.message}${wait} Your text is still here.`);
}

function look(text, answer) {
  by("problem").hidden = true;
  show(text, answer);
  by("verdict-title").focus();
  by("verdict").scrollIntoView({ block: "nearest" });
}

function busy(on) {
  waiting = on;
  by("send").setAttribute("aria-disabled", on);
  if (on) by("problem").hidden = true;
}

function tell(words, working = false) {
  by("status").textContent = words;
  by("status").classList.toggle("busy", working);
}

function problem(words, { retry = true, focus = false } = {}) {
  busy(false);
  by("problem-text").textContent = words;
  by("problem-acts").hidden = !retry;
  by("problem").hidden = false;
  by("verdict").hidden = true;
  if (focus) by("text").focus();
}

/** Characters as the server counts them: an emoji is one, not two. */
const length = (text) => (text.length > LONGEST / 2 ? [...text].length : text.length);
const tooLong = (text) => `The text has ${count(length(text))} characters, and ${count(LONGEST)} are taken.`;

function measure() {
  const text = by("text").value;
  const over = length(text) > LONGEST;
  by("length").textContent = over ? tooLong(text) : length(text) > NEAR * LONGEST ? `${count(length(text))} of ${count(LONGEST)} characters` : "";
  by("length").classList.toggle("over", over);
  by("text").setAttribute("aria-invalid", over);
}

function listPast() {
  by("past").hidden = !past.all().length;
  by("past-list").replaceChildren(...past.all().map(entry));
}

function entry({ text, answer }) {
  const excerpt = el("span", { class: "excerpt", dir: "auto", text: text.trim().slice(0, 200) });
  const share = el("span", { class: "share", text: ` ${percent(answer.probabilities[answer.label])}` });
  const button = el("button", { type: "button", on: { click: () => again(text, answer) } }, excerpt, el("span", { class: "said" }, named(shortly(answer)), share));
  return el("li", {}, button);
}

/** Look at what was tried once more; nobody is asked. */
function again(text, answer) {
  number++;
  busy(false);
  tell("");
  by("text").value = text;
  measure();
  look(text, answer);
}

by("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!waiting) send();
});
by("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.repeat) by("ask").requestSubmit();
});
by("text").addEventListener("input", measure);
by("again").addEventListener("click", () => waiting || send());
by("clear").addEventListener("click", () => {
  past.clear();
  listPast();
  tell("What was tried is forgotten.");
  by("text").focus();
});
measure();
listPast();
