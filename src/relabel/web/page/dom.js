// Elements made without markup: whatever comes from the outside becomes text.

export const by = (id) => document.getElementById(id);

/** Make an element. Attributes by name; `text` is its text, `on` its handlers; children are elements or strings. */
export function el(tag, { text, on = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(name, value);
  for (const [name, handler] of Object.entries(on)) made.addEventListener(name, handler);
  if (text !== undefined) made.textContent = text;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A name that came from the outside, whose direction turns nothing around it. */
export const named = (name) => el("bdi", { text: name });

export const count = (number) => number.toLocaleString("en");

/** A probability as people read it: never 100%, for it never is. */
export function percent(share) {
  if (share > 0.999 && share < 1) return "over 99.9%";
  if (share > 0 && share < 0.001) return "under 0.1%";
  return `${(share * 100).toFixed(1)}%`;
}
