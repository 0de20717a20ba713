"use strict";

/* The doubtful rows: searched, filtered, sorted, a page at a time; each opens to its words and neighbours. */
(() => {
  const { element, folded, words, holds, counted, later } = tables;
  const table = document.getElementById("rows-table");
  const data = tables.data("rows-data");
  if (!table || !data) return;

  const body = table.tBodies[0];
  const all = [...body.rows];
  const details = new Map(all.map((row, index) => [row, data.rows[index]]));
  const cell = (row, key) => row.cells[columns.indexOf(key)];
  const columns = [...table.tHead.rows[0].cells].map((header) => header.dataset.key);
  const search = document.getElementById("rows-search");
  const filters = [...document.querySelectorAll("#rows-controls select")];
  const texts = new Map(all.map((row) => [row, folded(`${cell(row, "text").querySelector(".text").textContent} ${cell(row, "place").textContent}`)]));
  const previous = document.getElementById("rows-previous");
  const next = document.getElementById("rows-next");
  const marks = "highlights" in CSS ? new Highlight() : null;
  if (marks) CSS.highlights.set("found", marks);

  const TOLD = 0.2; // share of the strongest word's weight from which on a word is marked: the rest are in every text

  let sorted = all;
  let matching = all;
  let page = 0;

  function match() {
    const wanted = words(search.value);
    matching = sorted.filter(
      (row) =>
        filters.every((filter) => !filter.value || filter.value === `=${cell(row, filter.dataset.filter).textContent}`) &&
        holds(texts.get(row), wanted),
    );
    page = 0;
    show();
  }

  const pages = () => Math.max(1, Math.ceil(matching.length / data.page));

  function show() {
    const from = page * data.page;
    put(from, data.page);
    if (!matching.length) body.append(element("tr", { role: "row" }, element("td", { role: "cell", colspan: columns.length }, "No doubtful row is like this.")));
    document.getElementById("rows-page").textContent = `Page ${page + 1} of ${pages()}`;
    previous.setAttribute("aria-disabled", page === 0);
    next.setAttribute("aria-disabled", page + 1 >= pages());
  }

  /* Show so many of the matching rows, from one of them on, and say which. */
  function put(from, count) {
    const shown = matching.slice(from, from + count);
    body.replaceChildren(...shown.flatMap((row) => (row.opened ? [row, row.opened] : [row])));
    shown.forEach(openable);
    const range = shown.length ? `Rows ${from + 1} to ${from + shown.length} of ` : "";
    const narrowed = matching.length < all.length;
    document.getElementById("rows-count").textContent = range + (narrowed ? `${matching.length.toLocaleString("en")} found among ${counted(all.length, "row")}` : counted(all.length, "row"));
    highlight(shown);
  }

  function turn(by) {
    const to = Math.min(Math.max(page + by, 0), pages() - 1);
    if (to === page) return;
    page = to;
    show();
    table.scrollIntoView({ block: "nearest" });
  }

  /* A button in the first cell, once. */
  function openable(row) {
    if (row.querySelector("button")) return;
    const rank = row.cells[0];
    const button = element("button", { type: "button", class: "opens", "aria-expanded": "false", "aria-label": `Why row of rank ${rank.textContent} is doubtful` }, "Why");
    button.addEventListener("click", () => toggle(row, button));
    rank.dataset.value = rank.textContent;
    rank.append(button);
  }

  function toggle(row, button) {
    if (row.opened) {
      row.opened.remove();
      row.opened = null;
    } else {
      row.opened = opened(row);
      row.after(row.opened);
    }
    row.classList.toggle("is-open", Boolean(row.opened));
    button.setAttribute("aria-expanded", String(Boolean(row.opened)));
  }

  function opened(row) {
    const found = details.get(row);
    const id = `rows-details-${row.dataset.position}`;
    row.querySelector("button").setAttribute("aria-controls", id);
    const holder = element("td", { role: "cell", colspan: columns.length }, element("div", { class: "details" }, ...explained(row, found), ...near(row, found), more(row, found)));
    return element("tr", { role: "row", id, class: "opened" }, holder);
  }

  function explained(row, found) {
    if (!found.words.length) return [element("div", {}, heading("The words"), element("p", { class: "quiet" }, "The words behind this doubt were not worked out: that is done for the worst rows that have a text."))];
    const sure = found.probability === null ? "" : ` It gives “${found.of}” ${tables.chance(found.probability)}.`;
    const who = found.side ? "By a model of words that stands in for the model." : "By the models of the folds.";
    const most = Math.max(...found.words.map(([, weight]) => Math.abs(weight)));
    const list = found.words.map(([word, weight]) =>
      element("li", {}, element("bdi", { class: weight > 0 ? "for" : "against" }, word), ` ${said(weight)} `, bar(Math.abs(weight) / most, weight > 0)),
    );
    return [
      element(
        "div",
        {},
        heading("The words"),
        element("p", { class: "text marked", dir: "auto" }, ...marked(cell(row, "text").querySelector(".text").textContent, found.words)),
        element("p", { class: "quiet" }, element("span", { class: "for" }, "Underlined"), ` words speak for “${found.of}”, `, element("span", { class: "against" }, "dotted"), ` ones against it. ${who}${sure}`),
        element("ul", { class: "weights" }, ...list),
      ),
    ];
  }

  function near(row, found) {
    if (!found.near.length) return [];
    const given = cell(row, "given").textContent;
    const suggested = cell(row, "suggested").textContent;
    const carried = found.near.map(([index]) => data.near[index][0]);
    const count = (label) => carried.filter((one) => one === label).length;
    const others = found.near.length - count(given) - count(suggested);
    const lines = found.near.map(([index, similarity]) => {
      const [label, split, file, number, text] = data.near[index];
      const side = label === suggested ? "suggested" : label === given ? "given" : "other";
      return element(
        "li",
        { class: side },
        element("span", { class: "side" }, { suggested: "▲ as suggested: ", given: "● as given: ", other: "◆ another: " }[side], element("bdi", {}, label)),
        element("span", { class: "quiet" }, `similarity ${similarity.toFixed(3)} · ${file}, row ${number} (${split})`),
        element("span", { class: "text", dir: "auto" }, text ?? "no text"),
      );
    });
    const also = others ? `, ${others} another label` : "";
    return [
      element(
        "div",
        {},
        heading("The nearest labelled rows"),
        element("p", {}, `Of ${found.near.length}, ${count(suggested)} carry the suggested label “${suggested}”, ${count(given)} the given one “${given}”${also}.`),
        element("ol", { class: "neighbours" }, ...lines),
      ),
    ];
  }

  function more(row, found) {
    const line = element("div", { class: "tools" });
    if (found.reason) line.append(element("span", { class: "quiet" }, `Decision: ${found.reason}.`));
    if (document.getElementById("map-panel")) {
      const button = element("button", { type: "button" }, "Show on the map");
      button.addEventListener("click", () => document.dispatchEvent(new CustomEvent("relabel:row", { detail: Number(row.dataset.position) })));
      line.append(button);
    }
    return line;
  }

  const heading = (text) => element("h3", {}, text);

  const said = (weight) => (weight > 0 ? "+" : "−") + Math.abs(weight).toFixed(2);

  function bar(share, speaksFor) {
    const space = "http://www.w3.org/2000/svg";
    const drawn = document.createElementNS(space, "svg");
    const rect = document.createElementNS(space, "rect");
    drawn.setAttribute("viewBox", "0 0 100 8");
    drawn.setAttribute("preserveAspectRatio", "none");
    drawn.setAttribute("aria-hidden", "true");
    drawn.setAttribute("class", speaksFor ? "bar" : "bar against");
    rect.setAttribute("width", (100 * share).toFixed(1));
    rect.setAttribute("height", "8");
    drawn.append(rect);
    return drawn;
  }

  /* The text with its words marked, in pieces. */
  function marked(text, weights) {
    const most = Math.max(...weights.map(([, weight]) => Math.abs(weight)));
    const told = weights.filter(([, weight]) => Math.abs(weight) >= TOLD * most);
    const of = new Map(told.map(([word, weight]) => [folded(word), weight]));
    const pieces = [];
    let end = 0;
    for (const found of text.matchAll(/[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{M}]+)*/gu)) {
      const weight = of.get(folded(found[0]));
      if (!weight) continue;
      pieces.push(text.slice(end, found.index), element("mark", { class: weight > 0 ? "for" : "against", title: said(weight) }, found[0]));
      end = found.index + found[0].length;
    }
    return [...pieces, text.slice(end)];
  }

  /* What was searched for, marked in the texts that are shown. */
  function highlight(shown) {
    if (!marks) return;
    marks.clear();
    const wanted = words(search.value);
    if (!wanted.length) return;
    for (const row of shown) {
      const node = cell(row, "text").querySelector(".text").firstChild;
      if (!node || node.nodeType !== Node.TEXT_NODE) continue;
      for (const [from, to] of places(node.data, wanted)) {
        const range = new Range();
        range.setStart(node, from);
        range.setEnd(node, to);
        marks.add(range);
      }
    }
  }

  /* Where the wanted words stand in a text, whose letters may become more or fewer when it is folded. */
  function places(text, wanted) {
    const from = [];
    let whole = "";
    let index = 0;
    for (const letter of text) {
      const plain = folded(letter);
      for (let n = 0; n < plain.length; n += 1) from.push(index);
      whole += plain;
      index += letter.length;
    }
    from.push(text.length);
    const found = [];
    for (const word of wanted) {
      for (let at = whole.indexOf(word); at >= 0; at = whole.indexOf(word, at + word.length)) found.push([from[at], from[at + word.length]]);
    }
    return found;
  }

  tables.sortable(table, all, (rows) => {
    sorted = rows;
    match();
  });
  search.addEventListener("input", later(120, match));
  filters.forEach((filter) => filter.addEventListener("change", match));
  document.getElementById("rows-reset").addEventListener("click", () => {
    search.value = "";
    for (const filter of filters) filter.value = "";
    match();
  });
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));
  addEventListener("beforeprint", () => put(0, data.printed));
  addEventListener("afterprint", show);
  for (const id of ["rows-controls", "rows-pages"]) document.getElementById(id).hidden = false;
  table.classList.add("clamped");
  show();
})();
