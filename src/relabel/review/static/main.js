// The page: who works, which view is open, what keys and buttons do.

import { get, post } from "./api.js";
import * as cards from "./card.js";
import { Deck } from "./deck.js";
import * as decisions from "./decisions.js";
import { by, drawn, el, fill, named as nameOf, plural } from "./dom.js";
import * as find from "./find.js";
import * as finish from "./finish.js";
import * as progress from "./progress.js";

const VIEWS = ["review", "find", "decisions", "finish"];
const HOLD = 20000;
const NAME = "relabel.review.name";
const WINDOW = "relabel.review.window";

let about = null;
let deck = null;
let shown = ""; // the view that is open

const person = () => ({ reviewer: localStorage.getItem(NAME) ?? "", window: window_() });
const view = () => (VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "review");

/** A name for this window, which it keeps when it is loaded again. */
function window_() {
  if (!sessionStorage.getItem(WINDOW)) sessionStorage.setItem(WINDOW, drawn());
  return sessionStorage.getItem(WINDOW);
}

const told = {
  loading: () => {
    by("answers").classList.add("waiting");
  },
  show: (card) => {
    by("answers").classList.remove("waiting");
    cards.showCard(card, about);
    source();
    by("undo").disabled = !deck.decisions.length && !deck.outbox.length;
    if (view() === "review" && !document.querySelector("dialog[open]")) by("card").focus({ preventScroll: false });
  },
  empty: () => {
    cards.showNone("Nothing is left to ask you", "Everything that may be asked has an answer, or waits for somebody else.");
    source();
    by("card").focus();
  },
  unreachable: (error) => {
    cards.showNone("No question could be fetched", "");
    problem(`${error.message} Nothing is lost.`);
  },
  saving: () => {
    by("problem").hidden = true;
    by("saved").textContent = "Saving …";
    by("saved").className = "quiet";
  },
  saved: (one, reply) => {
    if (!deck.outbox.length) say("good", ...savedWords(one, reply));
    by("undo").disabled = false;
    progress.refresh();
  },
  failed: (error, one, others) => {
    const lost = one ? ["Not saved: “", nameOf(one.name), `”. ${error.message}`] : [`Not undone. ${error.message}`];
    const more = others ? ` ${plural(others, "answer")} after it ${others === 1 ? "is" : "are"} not saved either; you are asked again.` : "";
    say("");
    problem(...lost, more);
  },
  undone: (decision) => {
    by("problem").hidden = true;
    say("doubt", "Taken back: ", nameOf(decision.name), ".");
    by("undo").disabled = !deck.decisions.length;
    progress.refresh();
  },
};

function savedWords(one, { saved, card }) {
  if (saved.answer === null) return ["Skipped."];
  const said = ["Saved: ", nameOf(saved.name), "."];
  if (!one.card.blind) return said;
  const given = card.given ? [" The given label is ", nameOf(card.given.name)] : [" It has no label"];
  return [...said, ...given, ", suggested ", nameOf(card.suggested.name), "."];
}

function say(kind, ...words) {
  fill(by("saved"), ...words);
  by("saved").className = kind;
}

function problem(...words) {
  fill(by("problem-text"), ...words);
  by("problem").hidden = false;
  if (view() !== "review") location.hash = "review";
}

function source() {
  by("source").hidden = !deck.list;
  by("source-text").textContent = deck.list ? `You look at questions that you found; ${plural(deck.list.length + (deck.known ? 1 : 0), "more", "more")} in the list.` : "";
}

function answer(value, name) {
  deck.answer(value, name);
}

const acts = {
  keep: () => !by("keep").hidden && answer(deck.current.given.value, deck.current.given.name),
  change: () => {
    if (by("change").hidden) return;
    const { value, name } = cards.changeTo(deck.current, about);
    answer(value, name);
  },
  neither: () => answer(about.neither.value, about.neither.name),
  skip: () => answer(null, "Skip"),
  undo: () => deck.undo(),
};
const KEYS = { k: "keep", c: "change", n: "neither", s: "skip", u: "undo" };

function pressed(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, textarea, select")) {
    if (event.key === "Escape") leave();
    return;
  }
  const done = shortcut(event.key);
  if (done) event.preventDefault();
}

/** Do what a key stands for; false where it stands for nothing here. */
function shortcut(key) {
  if (key === "?") by("help").showModal();
  else if (key === "/" || key === "f") toFind(key === "/" ? "search" : "filter-given");
  else if (key === "Escape") leave();
  else if (view() !== "review" || (!deck?.current && key !== "u")) return false;
  else if (key in KEYS) acts[KEYS[key]]();
  else if (key === "l" && !by("class-search-part").hidden && !by("classes-part").hidden) by("class-search").focus();
  else if (/^[1-9]$/.test(key) && about.choices[key - 1]) answer(about.choices[key - 1].value, about.choices[key - 1].name);
  else return false;
  return true;
}

function leave() {
  if (document.activeElement === by("class-search")) by("card").focus();
  else if (view() !== "review") location.hash = "review";
  else if (deck?.list) deck.endList();
}

function toFind(id) {
  location.hash = "find";
  showView();
  const wanted = by(id).parentElement.hidden ? by("filter-split") : by(id);
  wanted.focus();
}

function showView(first = false) {
  shown = view();
  for (const name of VIEWS) {
    by(`view-${name}`).hidden = name !== shown;
    if (name === shown) by(`nav-${name}`).setAttribute("aria-current", "page");
    else by(`nav-${name}`).removeAttribute("aria-current");
  }
  if (shown === "find") find.load();
  if (shown === "decisions") decisions.load(person(), open, (id) => deck.forget(id));
  if (shown === "finish") finish.watch();
  else finish.rest();
  scrollTo(0, 0);
  if (!first) by(shown === "review" ? "card" : `${shown}-title`).focus();
}

function open(ids) {
  deck.open(ids);
  location.hash = "review";
}

function begin() {
  const name = person().reviewer;
  by("who-button").hidden = !name;
  fill(by("who-button"), el("bdi", { text: name }), el("span", { class: "unseen", text: ": somebody else works" }));
  by("name").value = name;
  if (name) deck.begin(person()).catch((error) => { deck.again = begin; told.unreachable(error); });
  else by("who").showModal();
}

function listen() {
  document.addEventListener("keydown", pressed);
  window.addEventListener("hashchange", () => view() !== shown && showView());
  for (const [id, act] of Object.entries(acts)) by(id).addEventListener("click", () => deck.current || id === "undo" ? act() : null);
  by("classes").addEventListener("click", (event) => {
    const chosen = event.target.closest("button");
    if (chosen) answer(chosen.dataset.value, chosen.dataset.name);
  });
  by("class-search").addEventListener("input", () => cards.showClasses(about, by("class-search").value));
  by("class-search").addEventListener("keydown", (event) => {
    const first = by("classes").querySelector("button");
    if (event.key === "Enter" && !event.repeat && by("class-search").value.trim() && first) first.click();
  });
  by("retry").addEventListener("click", () => { by("problem").hidden = true; deck.retry(); });
  by("source-end").addEventListener("click", () => deck.endList());
  by("help-button").addEventListener("click", () => by("help").showModal());
  by("who-button").addEventListener("click", () => by("who").showModal());
  by("who-form").addEventListener("submit", named);
  by("who").addEventListener("close", () => person().reviewer || by("who").showModal());
  setInterval(hold, HOLD);
}

function named() {
  const name = by("name").value.trim();
  if (!name) return;
  localStorage.setItem(NAME, name);
  begin();
}

/** Say which cards are still looked at, and see what others did meanwhile. */
function hold() {
  if (!deck.person) return;
  post("/api/hold", { ...deck.person, cards: deck.held.slice(0, 20) }).catch(() => {});
  progress.refresh();
}

async function start() {
  try {
    about = await get("/api/about");
  } catch (error) {
    by("view-review").hidden = false;
    cards.showNone("The page could not begin", "");
    problem(error.message);
    by("retry").onclick = () => location.reload();
    return;
  }
  deck = new Deck(told);
  by("help-labels").hidden = about.choices.length <= 9;
  find.set(about, person, open);
  finish.set(about);
  listen();
  showView(true);
  progress.refresh();
  begin();
}

start();
