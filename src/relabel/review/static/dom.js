// Elements made without markup: whatever comes from the data becomes text.

export const by = (id) => document.getElementById(id);

/** Make an element. Attributes by name; `text` is its text, `on` its handlers; children are elements or strings. */
export function el(tag, { text, on = {}, ...attributes } = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  for (const [name, handler] of Object.entries(on)) made.addEventListener(name, handler);
  if (text !== undefined) made.textContent = text;
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A name that the data brought, whose direction turns nothing around it. */
export const named = (name) => el("bdi", { text: name });

/** Put children in place of what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
}

export const percent = (share) => (share > 0 && share < 0.005 ? "under 1%" : share < 1 && share >= 0.995 ? "over 99%" : `${Math.round(share * 100)}%`);
export const count = (number) => number.toLocaleString("en");
export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

/** Letters and digits by chance, also where the page is not on this machine and the browser gives no UUIDs. */
export function drawn() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
