// Talking to the function before the model. Whatever goes wrong is a Problem whose words people can read.

export const LONGEST = 20000; // characters that are taken; the function says the same
const PATIENCE = 35000;
const SLOW = 10; // seconds to wait where nobody says how many

/** What went wrong. wait: seconds after which to ask again. waking: it will mend itself by waiting. */
export class Problem extends Error {
  constructor(message, { wait = 0, waking = false } = {}) {
    super(message);
    Object.assign(this, { wait, waking });
  }
}

/** Ask the model about a text. Gives {class, label, probabilities, classes, words}. */
export async function ask(text) {
  const place = document.querySelector("meta[name=relabel-ask]").content;
  let reply;
  try {
    reply = await fetch(place, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ text: text.toWellFormed?.() ?? text }),
      signal: AbortSignal.timeout(PATIENCE),
      credentials: "omit",
    });
  } catch (error) {
    if (error.name === "TimeoutError") throw new Problem("The model did not answer in time: it may be starting.", { wait: SLOW, waking: true });
    throw new Problem(navigator.onLine ? "The server cannot be reached." : "There is no network: this device is offline.");
  }
  let said = {};
  try {
    said = await reply.json();
  } catch {
    if (reply.ok) throw new Problem("The answer broke off on its way.");
  }
  if (!reply.ok) throw refusal(reply, said);
  if (!understood(said)) throw new Problem("The answer is none that this page understands.");
  return said;
}

function refusal(reply, said) {
  const code = said.error?.code;
  const wait = Number(reply.headers.get("Retry-After")) || SLOW;
  const message = typeof said.error?.message === "string" ? said.error.message : `The server refused (${reply.status}).`;
  if (reply.status === 429) return new Problem("You have asked very often.", { wait });
  if (code === "busy") return new Problem(message, { wait, waking: true });
  if (code === "waking" || reply.status === 503 || reply.status === 504) return new Problem(message, { wait, waking: true });
  return new Problem(message);
}

const share = (value) => typeof value === "number" && value >= 0 && value <= 1;

/** Whether an answer has all that the page shows. */
export function understood({ class: name, label, probabilities, classes, words = [] }) {
  return (
    typeof name === "string" &&
    Array.isArray(probabilities) && probabilities.length > 0 && probabilities.every(share) &&
    Number.isInteger(label) && label >= 0 && label < probabilities.length &&
    Array.isArray(classes) && classes.every((one) => typeof one === "string") &&
    Array.isArray(words) && words.every(({ word, weight }) => typeof word === "string" && Number.isFinite(weight))
  );
}
