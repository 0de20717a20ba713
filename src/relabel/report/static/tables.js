"use strict";

/* What the parts of a report share: making elements, comparing texts in a search, sorting a table by its columns. Data enter the page as text only. */
const tables = (() => {
  const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  /* Without case and accents, so that "creme" finds "Crème". */
  const folded = (text) => text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();

  const words = (query) => folded(query).split(/\s+/).filter(Boolean);

  const holds = (text, wanted) => wanted.every((word) => text.includes(word));

  const counted = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;

  function chance(share) {
    if (!Number.isFinite(share)) return "–";
    return share > 0.999 ? ">99.9%" : `${(100 * share).toFixed(1)}%`;
  }

  function later(wait, act) {
    let timer = 0;
    return () => {
      clearTimeout(timer);
      timer = setTimeout(act, wait);
    };
  }

  function data(id) {
    const holder = document.getElementById(id);
    return holder ? JSON.parse(holder.textContent) : null;
  }

  /* What a row is sorted by in a column: its number or its text. */
  function value(row, column, kind) {
    const cell = row.cells[column];
    const said = cell.dataset.value ?? cell.textContent;
    return kind === "number" ? Number(said) : said.trim();
  }

  function order(rows, column, kind, direction) {
    const sign = direction === "ascending" ? 1 : -1;
    const keyed = rows.map((row) => [value(row, column, kind), row]);
    const compare = kind === "number" ? (a, b) => a[0] - b[0] : (a, b) => collator.compare(a[0], b[0]);
    return keyed.sort((a, b) => sign * compare(a, b)).map((pair) => pair[1]);
  }

  /* Turn the headers into buttons; `sorted` gets the rows in the order that was chosen. */
  function sortable(table, rows, sorted) {
    for (const header of table.tHead.querySelectorAll("th[data-sort]")) {
      const button = element("button", { type: "button" }, header.textContent.trim());
      header.replaceChildren(button);
      if (!header.hasAttribute("aria-sort")) header.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        const kind = header.dataset.sort;
        const now = header.getAttribute("aria-sort");
        const first = kind === "number" && header.dataset.key !== "rank" ? "descending" : "ascending";
        const direction = now === "none" ? first : now === "ascending" ? "descending" : "ascending";
        for (const other of table.tHead.querySelectorAll("th[aria-sort]")) other.setAttribute("aria-sort", "none");
        header.setAttribute("aria-sort", direction);
        sorted(order(rows, header.cellIndex, kind, direction), `${button.textContent}, ${direction}`);
      });
    }
  }

  return { element, folded, words, holds, counted, chance, later, data, sortable };
})();
