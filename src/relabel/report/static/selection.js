"use strict";

/* The rows selected on the map: what they have in common, a list of them, and their places as a file. */
const selection = (() => {
  if (!points) return null;
  const { element, chance, counted } = tables;
  const { numbers, name } = points;
  const STEP = 20;
  const at = (id) => document.getElementById(id);
  const table = at("map-table");

  /* Whether some of the rows stand for others that are not drawn. */
  const sampled = (total) => Math.round(total.rows) !== rows.length;

  let rows = [];
  let listed = 0;

  /* Show points; `how` tells what they were selected by. */
  function show(chosen, how) {
    rows = [...chosen].sort((a, b) => numbers.posterior[b] - numbers.posterior[a] || a - b);
    listed = 0;
    at("map-status").textContent = rows.length ? told(how) : `Nothing is selected${how ? `: ${how}` : ""}. Drag over the map, press a point, or use the fields above it.`;
    summarise();
    table.tBodies[0].replaceChildren();
    table.hidden = !rows.length;
    at("map-download").hidden = !rows.length;
    at("map-clear").hidden = !rows.length;
    at("map-download").textContent = `Download ${rows.length === 1 ? "its place" : `their ${rows.length.toLocaleString("en")} places`} (CSV)`;
    list();
  }

  function told(how) {
    const total = points.summary(rows);
    const stands = !sampled(total) ? "" : `, standing for about ${Math.round(total.rows).toLocaleString("en")} rows`;
    return `${counted(rows.length, "point")} selected${how ? `: ${how}` : ""}${stands}.`;
  }

  function summarise() {
    const holder = at("map-summary");
    holder.replaceChildren();
    if (!rows.length) return;
    const total = points.summary(rows);
    const labelled = total.labelled || Number.NaN;
    const labels = [...total.labels].sort((a, b) => b[1] - a[1]);
    const most = labels.slice(0, 4).flatMap(([label, count], n) => [n ? ", " : "", element("bdi", {}, label), `: ${(100 * count / total.rows).toFixed(0)}%`]);
    const figures = [
      ["Rows", [`${sampled(total) ? "about " : ""}${Math.round(total.rows).toLocaleString("en")}`]],
      ["Doubtful", [Math.round(total.doubtful).toLocaleString("en")]],
      ["Labels expected to be wrong", [chance(total.wrong / labelled)]],
      ["Mean loss", [Number.isNaN(labelled) ? "–" : (total.loss / labelled).toFixed(2)]],
      ["Accuracy", [chance(total.right / labelled)]],
      ["Given labels", [...most, labels.length > 4 ? `, ${labels.length - 4} more` : ""]],
    ];
    holder.append(...figures.map(([term, said]) => element("div", {}, element("dt", {}, term), element("dd", {}, ...said))));
  }

  function list() {
    const more = rows.slice(listed, listed + STEP);
    table.tBodies[0].append(...more.map(line));
    listed += more.length;
    const button = at("map-more");
    button.hidden = listed >= rows.length;
    button.textContent = `Show ${Math.min(STEP, rows.length - listed)} more of ${rows.length.toLocaleString("en")}`;
  }

  function line(n) {
    const loss = numbers.loss[n];
    const cell = (heading, content, more = {}) => element("td", { role: "cell", "data-name": heading, ...more }, content);
    const id = points.ids?.[n];
    return element(
      "tr",
      { role: "row" },
      cell("Text", element("span", { class: "text", dir: "auto" }, points.text(n) ?? "no text"), { class: "said" }),
      cell("Given", name("given", n), { dir: "auto" }),
      cell("Suggested", name("suggested", n), { dir: "auto" }),
      cell("Chance wrong", `${chance(numbers.posterior[n])}${numbers.flagged[n] ? " (doubtful)" : ""}`, { class: "number" }),
      cell("Loss", Number.isNaN(loss) ? "–" : loss.toFixed(2), { class: "number" }),
      cell("Cluster", name("cluster", n), { class: "named" }),
      cell("Place", `${name("file", n)}, row ${numbers.row[n]}${id ? ` (${id})` : ""}`, { class: "place" }),
    );
  }

  /* Places of the selected rows, as the files of a job name them. */
  function download() {
    const quoted = (value) => `"${String(value).replaceAll('"', '""')}"`;
    const lines = rows.map((n) => [quoted(name("file", n)), numbers.row[n], quoted(points.ids?.[n] ?? "")].join(","));
    const address = URL.createObjectURL(new Blob([["file,row,id", ...lines, ""].join("\n")], { type: "text/csv" }));
    const link = element("a", { href: address, download: "selected_rows.csv" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 10_000);
  }

  at("map-download").addEventListener("click", download);
  at("map-more").addEventListener("click", list);

  return { show, focus: () => at("map-selection-title").focus({ preventScroll: false }) };
})();
