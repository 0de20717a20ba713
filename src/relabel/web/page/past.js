// What was tried, in this browser alone. A browser that keeps nothing still shows what was tried since the page was opened.

import { understood } from "./asking.js";

const KEY = "relabel-tried";
const MOST = 30;
const LARGEST = 1000000; // characters that are kept in all

let tried = read();

export const all = () => tried;

/** Put what was tried in front; the same text stands once. */
export function add(text, answer) {
  tried = [{ text, answer }, ...tried.filter((one) => one.text !== text)].slice(0, MOST);
  while (JSON.stringify(tried).length > LARGEST) tried.pop();
  keep();
}

export function clear() {
  tried = [];
  keep();
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return kept.filter(({ text, answer }) => typeof text === "string" && understood(answer));
  } catch {
    return [];
  }
}

function keep() {
  try {
    if (tried.length) localStorage.setItem(KEY, JSON.stringify(tried));
    else localStorage.removeItem(KEY);
  } catch {
    // it is shown as long as the page is open
  }
}
