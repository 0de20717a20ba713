"use strict";

/* The map itself: points drawn by BokehJS, the legend, and every way to select points, by pointer or without. */
const map = (() => {
  if (!points || !globalThis.Bokeh) return;
  const { numbers, names, name } = points;
  const at = (id) => document.getElementById(id);
  const make = (kind, properties) => new (Bokeh.Models.get(kind))(properties);
  const { look, swatch } = marks;
  const dark = matchMedia("(prefers-color-scheme: dark)");

  const MARGIN = 0.04;
  const CROWD = 3000;
  const KINDS = [
    ["map-doubtful", 1, "Doubtful, outlined"],
    ["map-others", 0, "Others"],
  ];

  const view = { colour: "given", only: new Set(), kind: null, sized: false };
  let drawn = points.every;
  let selected = [];
  let telling = false;

  const scheme = () => (dark.matches ? "dark" : "light");
  const source = make("ColumnDataSource", { data: {} });
  const [across, up] = ["x", "y"].map((axis) => make("Range1d", whole(numbers[axis])));
  const tools = {
    box: make("BoxSelectTool", { continuous: false }),
    lasso: make("LassoSelectTool", { continuous: false }),
    pan: make("PanTool", {}),
  };
  const plot = make("Plot", {
    sizing_mode: "stretch_both",
    x_range: across,
    y_range: up,
    toolbar_location: null,
    background_fill_color: null,
    border_fill_color: null,
    outline_line_color: null,
    min_border: 0,
    lod_threshold: null,
  });

  const glyphs = [scatter(false), scatter(true)];

  function whole(values) {
    const [low, high] = values.reduce(([least, most], value) => [Math.min(least, value), Math.max(most, value)], [Infinity, -Infinity]);
    const margin = MARGIN * (high - low || 1);
    return { start: low - margin, end: high + margin };
  }

  /* Fill and outline as the points have them or, where others are selected, all faint. */
  function scatter(faint) {
    const field = (name) => ({ field: name });
    const alphas = faint ? { fill_alpha: 0.12, line_alpha: 0 } : { fill_alpha: field("alpha"), line_alpha: field("edge") };
    return make("Scatter", { x: field("x"), y: field("y"), marker: field("shape"), size: field("size"), fill_color: field("fill"), line_color: marks.ink(scheme()), line_width: 1, ...alphas });
  }

  function extent(n) {
    const plain = (numbers.flagged[n] ? 5.5 : 4.5) * (points.size > CROWD ? 1 : 1.4);
    if (!view.sized) return plain;
    const loss = numbers.loss[n];
    return Number.isNaN(loss) ? 3 : 3 + 12 * Math.sqrt(Math.min(loss / points.highest, 1));
  }

  /* Draw what the legend lets through, in the colours of the moment. */
  function draw() {
    const { list, of, ordered } = points.categories(view.colour);
    const codes = names[view.colour].codes;
    const looks = list.map((category, index) => look(category, index, ordered, scheme()));
    for (const glyph of glyphs) glyph.line_color = marks.ink(scheme());
    drawn = points.every.filter((n) => (!view.only.size || view.only.has(of[codes[n]])) && (view.kind === null || view.kind === numbers.flagged[n]));
    const one = (get) => drawn.map(get);
    telling = true;
    source.selected.indices = [];
    source.data = {
      x: Float32Array.from(drawn, (n) => numbers.x[n]),
      y: Float32Array.from(drawn, (n) => numbers.y[n]),
      shape: one((n) => looks[of[codes[n]]].shape),
      fill: one((n) => looks[of[codes[n]]].colour),
      size: one(extent),
      alpha: one((n) => (numbers.flagged[n] ? 0.8 : 0.6)),
      edge: one((n) => (numbers.flagged[n] ? 0.55 : 0)),
    };
    telling = false;
    outline();
  }

  /* Mark the selected points among the drawn ones. */
  function outline() {
    const chosen = new Set(selected);
    telling = true;
    source.selected.indices = drawn.flatMap((n, index) => (chosen.has(n) ? [index] : []));
    telling = false;
  }

  function select(chosen, how) {
    selected = chosen;
    outline();
    selection.show(selected, how);
  }

  /* Nothing is selected, and no field says otherwise. */
  function clear() {
    at("map-form").reset();
    select([]);
  }

  function legend() {
    const { list, ordered } = points.categories(view.colour);
    at("map-legend-title").textContent = names[view.colour].title;
    const lines = list.map((category, index) => {
      const { shape, colour } = look(category, index, ordered, scheme());
      const button = tables.element("button", { type: "button", "aria-pressed": String(view.only.has(index)) }, swatch(shape, colour), tables.element("bdi", {}, category.name), tables.element("span", { class: "quiet" }, category.rows.toLocaleString("en")));
      button.addEventListener("click", () => {
        if (!view.only.delete(index)) view.only.add(index);
        button.setAttribute("aria-pressed", String(view.only.has(index)));
        draw();
      });
      return tables.element("li", {}, button);
    });
    at("map-legend").replaceChildren(...lines);
  }

  /* A printer does not wait for the map to be drawn again: on paper, style turns what was drawn for the dark around. */
  function repaint() {
    at("map-panel").classList.toggle("for-dark", scheme() === "dark");
    for (const [key, flag, said] of KINDS) {
      const count = numbers.flagged.reduce((sum, one, n) => sum + (one === flag ? numbers.weight[n] : 0), 0);
      const line = flag ? marks.ink(scheme()) : "none";
      at(key).replaceChildren(swatch("circle", flag ? "none" : marks.rest(scheme()), line), said, tables.element("span", { class: "quiet" }, Math.round(count).toLocaleString("en")));
    }
    legend();
    draw();
  }

  function zoom(factor, middle) {
    for (const [range, centre] of [[across, middle?.[0]], [up, middle?.[1]]]) {
      const half = ((range.end - range.start) * factor) / 2;
      const centred = centre ?? (range.start + range.end) / 2;
      range.setv({ start: centred - half, end: centred + half });
    }
  }

  /* Show doubtful rows alone (1), the others alone (0), or both (null). */
  function show(kind) {
    view.kind = kind;
    for (const [key, flag] of KINDS) at(key).setAttribute("aria-pressed", String(flag === kind));
  }

  function reset() {
    across.setv(whole(numbers.x));
    up.setv(whole(numbers.y));
  }

  function move(right, upward) {
    for (const [range, by] of [[across, right], [up, upward]]) {
      const step = by * 0.15 * (range.end - range.start);
      range.setv({ start: range.start + step, end: range.end + step });
    }
  }

  function drag(wanted) {
    const tool = plot.toolbar.active_drag === tools[wanted] ? null : tools[wanted];
    plot.toolbar.active_drag = tool;
    for (const [key, one] of Object.entries(tools)) at(`map-${key}`).setAttribute("aria-pressed", String(one === tool));
  }

  /* Let everything be seen again, for points that the legend hides. */
  function unfilter() {
    if (!view.only.size && view.kind === null) return;
    view.only.clear();
    show(null);
    legend();
    draw();
  }

  function ask(event) {
    event.preventDefault();
    const [cluster, given] = [at("map-cluster")?.value ?? "", at("map-given").value];
    const wanted = tables.words(at("map-words").value);
    const flagged = at("map-flagged").checked;
    if (!cluster && !given && !wanted.length && !flagged) return select([], "choose a cluster or a label, or type words");
    unfilter();
    const said = [
      cluster && `in the cluster “${names.cluster.names[cluster]}”`,
      given && `labelled “${names.given.names[given]}”`,
      wanted.length && `with “${at("map-words").value.trim()}” in the text`,
      flagged && "doubtful",
    ];
    const chosen = points.every.filter(
      (n) =>
        (!cluster || names.cluster.codes[n] === Number(cluster)) &&
        (!given || names.given.codes[n] === Number(given)) &&
        (!flagged || numbers.flagged[n]) &&
        (!wanted.length || tables.holds(points.folded(n), wanted)),
    );
    select(chosen, said.filter(Boolean).join(", "));
  }

  function come(chosen, how) {
    unfilter();
    select(chosen, how);
    at("map-panel").scrollIntoView({ block: "start" });
    selection.focus();
  }

  function keys(event) {
    const acts = {
      ArrowLeft: () => move(-1, 0),
      ArrowRight: () => move(1, 0),
      ArrowUp: () => move(0, 1),
      ArrowDown: () => move(0, -1),
      "+": () => zoom(0.7),
      "=": () => zoom(0.7),
      "-": () => zoom(1 / 0.7),
      0: reset,
      Escape: clear,
    };
    const act = acts[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  }

  /* The card beside the pointer. */
  function hover([, { geometry }]) {
    const card = at("map-card");
    const n = drawn[source.inspected.indices.at(-1)];
    card.hidden = n === undefined;
    if (n === undefined) return;
    const doubt = `${tables.chance(numbers.posterior[n])} wrong${numbers.flagged[n] ? ", doubtful" : ""}`;
    card.replaceChildren(
      tables.element("span", { class: "text", dir: "auto" }, points.text(n) ?? `${name("file", n)}, row ${numbers.row[n]}`),
      tables.element("span", { class: "quiet" }, `given “${name("given", n)}”, predicted “${name("predicted", n)}” · ${doubt} · ${name("split", n)}`),
    );
    const box = at("map-plot").getBoundingClientRect();
    card.style.left = `${Math.max(0, Math.min(geometry.sx + 14, box.width - card.offsetWidth - 4))}px`;
    card.style.top = `${geometry.sy + 18 + card.offsetHeight > box.height ? geometry.sy - card.offsetHeight - 12 : geometry.sy + 18}px`;
  }

  function listen() {
    const colour = at("map-colour");
    colour.append(...points.colours.map((key) => tables.element("option", { value: key }, names[key].title)));
    at("map-given").append(...names.given.names.map((label, code) => tables.element("option", { value: code }, label)));
    colour.addEventListener("change", () => {
      Object.assign(view, { colour: colour.value, only: new Set() });
      repaint();
    });
    at("map-size").addEventListener("change", (event) => {
      view.sized = event.target.checked;
      draw();
    });
    for (const [key, flag] of KINDS) {
      at(key).addEventListener("click", () => {
        show(view.kind === flag ? null : flag);
        draw();
      });
    }
    for (const key of Object.keys(tools)) at(`map-${key}`).addEventListener("click", () => drag(key));
    at("map-in").addEventListener("click", () => zoom(0.7));
    at("map-out").addEventListener("click", () => zoom(1 / 0.7));
    at("map-whole").addEventListener("click", reset);
    at("map-form").addEventListener("submit", ask);
    at("map-clear").addEventListener("click", () => {
      clear();
      selection.focus();
    });
    at("map-plot").addEventListener("keydown", keys);
    at("map-plot").addEventListener("mouseleave", () => (at("map-card").hidden = true));
    dark.addEventListener("change", () => matchMedia("print").matches || repaint());
    addEventListener("afterprint", repaint);
    document.addEventListener("relabel:cluster", ({ detail }) => {
      if (at("map-cluster")) at("map-cluster").value = String(detail);
      reset();
      come(points.every.filter((n) => names.cluster.codes[n] === detail), `in the cluster “${names.cluster.names[detail]}”`);
    });
    document.addEventListener("relabel:row", ({ detail }) => {
      const n = numbers.position.indexOf(detail);
      if (n < 0) return come([], "that row is not among the drawn ones");
      reset();
      zoom(0.3, [numbers.x[n], numbers.y[n]]);
      come([n], "from the table of doubtful rows");
    });
    source.selected.properties.indices.change.connect(() => {
      if (telling) return;
      selected = source.selected.indices.map((index) => drawn[index]);
      selection.show(selected, "");
    });
    source.inspect.connect(hover);
  }

  async function start() {
    Bokeh.logger.set_level("warn");
    const [glyph, nonselection_glyph] = glyphs;
    plot.renderers = [make("GlyphRenderer", { data_source: source, glyph, selection_glyph: glyph, nonselection_glyph })];
    const wheel = make("WheelZoomTool", { modifiers: { ctrl: true } });
    plot.toolbar.tools = [...Object.values(tools), wheel, make("TapTool", {}), make("HoverTool", { tooltips: null, point_policy: "snap_to_data" })];
    plot.toolbar.active_scroll = wheel;
    at("map-panel").hidden = false;
    listen();
    repaint();
    if (matchMedia("(pointer: fine)").matches) drag("box");
    else plot.toolbar.active_drag = null;
    const page = new (Bokeh.require("document").Document)();
    page.add_root(plot);
    const views = await Bokeh.embed.add_document_standalone(page, at("map-canvas"));
    views.get_by_id(plot.id).canvas_view.events_el.tabIndex = -1;
  }

  (globalThis.requestIdleCallback ?? setTimeout)(start);
  return { plot, source, tools };
})();
