"use strict";

/* The clusters: sorted by any column; a name selects its rows on the map. */
(() => {
  const table = document.getElementById("clusters-table");
  if (!table) return;
  const body = table.tBodies[0];
  tables.sortable(table, [...body.rows], (rows) => body.replaceChildren(...rows));
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-cluster]");
    if (!link || !document.getElementById("map-panel")) return;
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("relabel:cluster", { detail: Number(link.dataset.cluster) }));
  });
})();
