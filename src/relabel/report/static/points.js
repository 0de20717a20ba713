"use strict";

/* The points of the map: numbers unpacked from their bytes, names from codes, and the categories that a colouring has. */
const points = (() => {
  const data = tables.data("map-data");
  if (!data) return null;

  const KINDS = { uint8: Uint8Array, uint16: Uint16Array, uint32: Uint32Array, float32: Float32Array };
  const MOST = 8;

  function unpacked({ kind, bytes }) {
    const raw = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    return new KINDS[kind](raw.buffer);
  }

  const numbers = Object.fromEntries(Object.entries(data.numbers).map(([name, values]) => [name, unpacked(values)]));
  const names = Object.fromEntries(Object.entries(data.names).map(([name, column]) => [name, { ...column, codes: unpacked(column.codes) }]));
  const size = numbers.x.length;
  const every = Array.from({ length: size }, (_, n) => n);
  const searched = [];

  const name = (column, n) => names[column].names[names[column].codes[n]];
  const text = (n) => (data.texts ? data.texts[n] : null);

  function folded(n) {
    searched[n] ??= tables.folded(text(n) ?? "");
    return searched[n];
  }

  /* The names of a column that get a colour: all of few, the commonest of many; the rest share the last category. `of` is each code's category. */
  function categories(column) {
    const { names: all, rows } = names[column];
    const codes = all.map((_, code) => code);
    const few = all.length <= MOST;
    const chosen = few ? codes : [...codes].sort((a, b) => rows[b] - rows[a]).slice(0, MOST - 1);
    const list = chosen.map((code) => ({ name: all[code], rows: rows[code] }));
    const of = codes.map((code) => chosen.indexOf(code));
    if (!few) {
      const rest = codes.filter((code) => of[code] < 0);
      list.push({ name: `${rest.length} others`, rows: rest.reduce((sum, code) => sum + rows[code], 0), rest: true });
      for (const code of rest) of[code] = MOST - 1;
    }
    return { list, of, ordered: column === "doubt" };
  }

  /* Sums over points, each weighted by the rows that it stands for. */
  function summary(chosen) {
    const total = { rows: 0, labelled: 0, wrong: 0, loss: 0, lost: 0, right: 0, doubtful: 0, labels: new Map() };
    for (const n of chosen) {
      const weight = numbers.weight[n];
      const given = name("given", n);
      const loss = numbers.loss[n];
      total.rows += weight;
      total.doubtful += numbers.flagged[n] ? weight : 0;
      total.labels.set(given, (total.labels.get(given) ?? 0) + weight);
      if (Number.isNaN(loss)) continue;
      total.labelled += weight;
      total.wrong += weight * numbers.posterior[n];
      total.loss += weight * loss;
      total.right += given === name("predicted", n) ? weight : 0;
    }
    return total;
  }

  const losses = [...numbers.loss].filter((loss) => !Number.isNaN(loss)).sort((a, b) => a - b);
  const highest = losses[Math.floor(0.98 * losses.length)] || 1;

  return { numbers, names, size, every, name, text, folded, categories, summary, highest, ids: data.ids, colours: data.colours };
})();
