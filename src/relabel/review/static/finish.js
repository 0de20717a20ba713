// Answers as files, and the next training job.

import { get, post } from "./api.js";
import { by, el, fill } from "./dom.js";

const FORMATS = {
  reviews: ["reviews.jsonl", "for the next training job: relabel train --reviews"],
  csv: ["Spreadsheet (CSV)", "relabel review import reads it back, as the others"],
  jsonl: ["JSON Lines", "one answer a line"],
  labelstudio: ["Label Studio (JSON)", "an export with annotations"],
  groundtruth: ["SageMaker Ground Truth", "an output manifest"],
};
const PERIOD = 2000;
let watching = null;

export function set(about) {
  const lines = about.exports.map((name) => el("li", {}, el("a", { href: `/api/export/${name}`, download: true, id: `export-${name}`, text: FORMATS[name][0] }), el("span", { class: "quiet", text: ` ${FORMATS[name][1]}` })));
  fill(by("exports"), ...lines);
  by("retrain-off").hidden = about.retrain;
  by("retrain-on").hidden = !about.retrain;
  by("retrain-commands").textContent = about.commands.join("\n\n");
  by("retrain-start").addEventListener("click", start);
}

async function start() {
  by("retrain-start").disabled = true;
  try {
    show(await post("/api/retrain", {}));
  } catch (error) {
    by("retrain-start").disabled = false;
    by("retrain-state").textContent = error.message;
  }
}

/** Look at the job, again and again while it runs and the view is open. */
export async function watch() {
  clearTimeout(watching);
  try {
    show(await get("/api/retrain"));
  } catch (error) {
    by("retrain-state").textContent = error.message;
    watching = setTimeout(watch, PERIOD);
  }
}

export function rest() {
  clearTimeout(watching);
}

const STATES = {
  none: "",
  running: "It runs. You may go on answering; these answers are for the job after it.",
  done: "It is done.",
  failed: "It stopped before its end: the log says why. Start it again, and it goes on from where it was.",
  unknown: "It ended while no server was there to see how: the log says how far it came. Start it again, and it goes on from where it was.",
};

const OTHER = "It is done, but on other data than the first job's: classes or numbers of rows differ, so the two cannot be compared. Look at --data.";

function show(told) {
  if (told.state === "unavailable") return;
  const said = told.other_data ? OTHER : STATES[told.state];
  if (by("retrain-state").textContent !== said) by("retrain-state").textContent = said;
  by("retrain-start").disabled = told.state === "running";
  by("retrain-log").hidden = !told.tail.length;
  by("retrain-log").textContent = told.tail.join("\n");
  by("retrain-report").hidden = !told.report;
  by("retrain-worth").hidden = !told.after || told.other_data;
  const rows = [["First", told.before], ["With the answers", told.after]].filter(([, worth]) => worth);
  fill(by("retrain-worth").tBodies[0], ...rows.map(worthRow));
  clearTimeout(watching);
  if (told.state === "running") watching = setTimeout(watch, PERIOD);
}

function worthRow([name, { reviewed, accuracy, gain }]) {
  const points = (share) => `${share >= 0 ? "+" : "−"}${Math.abs(share * 100).toFixed(1)}`;
  const told = `${points(gain.value)} (${points(gain.low)} to ${points(gain.high)}) points`;
  return el("tr", {}, el("th", { scope: "row", text: name }), ...[String(reviewed), `${(accuracy * 100).toFixed(1)}%`, told].map((text) => el("td", { class: "number", text })));
}
