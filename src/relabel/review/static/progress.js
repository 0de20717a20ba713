// How far the review is, in words and figures.

import { get } from "./api.js";
import { by, count, el, fill, percent, plural } from "./dom.js";

const DELAY = 150;
let due = null;

/** Ask for the figures soon; several wishes are one question. */
export function refresh() {
  due ??= setTimeout(async () => {
    due = null;
    try {
      show(await get("/api/progress"));
    } catch {
      // the figures stay as they are; an answer that does not arrive is told at its card
    }
  }, DELAY);
}

function show(now) {
  const whole = now.answered + now.until_stop;
  const bar = el("progress", { max: Math.max(1, whole), value: now.answered, "aria-label": "Answered of those worth asking" });
  fill(
    by("progress-body"),
    el("p", { class: "big" }, el("strong", { id: "answered", text: count(now.answered) }), " answered, ", el("strong", { id: "left", text: count(now.until_stop) }), " more worth asking"),
    bar,
    el("dl", { class: "figures" }, ...figures(now)),
    el("p", { class: "quiet", id: "stop", text: advice(now) }),
    people(now.people),
  );
}

function figures(now) {
  const rows = [
    ["Labels found wrong", `${count(now.wrong)}${now.errors > now.wrong ? ` (${count(now.errors)} with duplicates)` : ""}`, "wrong"],
    ["Labels found right", count(now.right), "right"],
    ["Neither, disputed", `${count(now.neither)}, ${count(now.disputed)}`, "neither-disputed"],
    ["Precision of the flags", now.precision ? `${percent(now.precision.value)} (${range(now.precision, percent)})` : "known after the first answers", "precision"],
    ["expected of these rows", now.expected_precision === null ? "" : percent(now.expected_precision), "expected"],
    ["Errors left, expected", `${whole(now.remaining.value)} (${range(now.remaining, whole)}) in ${plural(now.open, "question")}`, "remaining"],
    ["of these in the next 10", (now.next[10] ?? 0).toFixed(1), "next"],
  ];
  return rows.filter(([, value]) => value !== "").map(([name, value, id]) => el("div", {}, el("dt", { text: name }), el("dd", { id: `progress-${id}`, text: value })));
}

const whole = (number) => count(Math.round(number));
const range = (interval, written) => `${written(interval.low)} to ${written(interval.high)}`;

function advice(now) {
  if (!now.open) return "Every question is answered.";
  if (!now.until_stop) return `The next answers find less than one error in ${Math.round(1 / now.least)}: you may stop here.`;
  return `After ${count(now.until_stop)} more, an answer finds less than one error in ${Math.round(1 / now.least)}: stop there. ${whole(now.remaining_then)} errors stay then.`;
}

function people(counts) {
  const names = Object.entries(counts);
  if (!names.length) return null;
  const rows = names.map(([name, number]) => el("tr", {}, el("th", { scope: "row" }, el("bdi", { text: name })), el("td", { class: "number", text: count(number) })));
  return el("table", { id: "people" }, el("caption", { text: "Who answered" }), el("tbody", {}, ...rows));
}
