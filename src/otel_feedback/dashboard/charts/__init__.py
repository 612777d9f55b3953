"""Charts: Vega-Lite specifications in files, drawn as SVG or PNG by a process of their own."""
