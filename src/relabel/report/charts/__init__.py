"""One module per kind of figure: figures of the results in, a `Drawing` with its table out."""
