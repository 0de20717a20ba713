"use strict";

/* What points look like: a colour and a shape for each category, on light paper and on dark. */
const marks = (() => {
  /* Told apart by people who see few colours, and at least 3 to 1 on the paper; each goes with a shape of its own. */
  const PALETTES = {
    light: { each: ["#0b5cad", "#c2410c", "#00796b", "#8e24aa", "#7a6a00", "#c2187d", "#4d7c0f", "#6d4c2f"], ordered: ["#78889a", "#a67c00", "#d2600b", "#99191f"], rest: "#6b7280", ink: "#1b1f24" },
    dark: { each: ["#6fb1ff", "#ffa25c", "#4fd1b5", "#d9a5ff", "#d8cf5a", "#ff8fc7", "#b7e36a", "#d2a679"], ordered: ["#8494a6", "#d9b84a", "#ff9a4d", "#ff6b64"], rest: "#9aa4b2", ink: "#ffffff" },
  };
  const SHAPES = ["circle", "square", "triangle", "diamond", "inverted_triangle", "hex", "star", "plus"];
  const OUTLINES = {
    circle: "M6 1.5a4.5 4.5 0 1 0 .01 0z",
    square: "M2 2h8v8h-8z",
    triangle: "M6 1.5l5 9h-10z",
    diamond: "M6 .5l4 5.5-4 5.5-4-5.5z",
    inverted_triangle: "M6 10.5l5-9h-10z",
    hex: "M6 1l4.5 2.5v5l-4.5 2.5-4.5-2.5v-5z",
    star: "M6 .5l1.5 3.8 4 .3-3.1 2.6 1 4-3.4-2.2-3.4 2.2 1-4-3.1-2.6 4-.3z",
    plus: "M4.5 1h3v3.5h3.5v3h-3.5v3.5h-3v-3.5h-3.5v-3h3.5z",
  };

  function look(category, index, ordered, scheme) {
    const colours = PALETTES[scheme];
    return { shape: ordered ? "circle" : SHAPES[index], colour: category.rest ? colours.rest : (ordered ? colours.ordered : colours.each)[index] };
  }

  function swatch(shape, colour, line = colour) {
    const space = "http://www.w3.org/2000/svg";
    const [picture, path] = ["svg", "path"].map((kind) => document.createElementNS(space, kind));
    picture.setAttribute("viewBox", "0 0 12 12");
    picture.setAttribute("class", "swatch");
    picture.setAttribute("aria-hidden", "true");
    for (const [key, value] of Object.entries({ d: OUTLINES[shape], fill: colour, stroke: line, "stroke-width": 1.25 })) path.setAttribute(key, value);
    picture.append(path);
    return picture;
  }

  return { ink: (scheme) => PALETTES[scheme].ink, rest: (scheme) => PALETTES[scheme].rest, look, swatch };
})();
