/**
 * How the page of a report looks.
 *
 * @module
 */

/** Its style sheet; colours follow the reader's light or dark setting. */
export const pageStyle = `:root { color-scheme: light dark; }
body {
  max-width: 52rem; margin: 2.5rem auto; padding: 0 1rem;
  font: 16px/1.5 system-ui, sans-serif;
  color: light-dark(#24292f, #c9d1d9); background: light-dark(#ffffff, #14171c);
}
h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; }
figure { margin: 1.2rem 0; }
figcaption { font-size: .85rem; opacity: .75; }
svg { display: block; width: 100%; height: auto; }
table { border-collapse: collapse; }
th, td { padding: .2rem 1.5rem .2rem 0; text-align: left; vertical-align: top; }
th { font-weight: normal; opacity: .75; white-space: nowrap; }
td { font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
table.numbers { margin: 1.2rem 0; }
table.numbers tbody th { opacity: 1; white-space: normal; }
table.numbers td, table.numbers thead th + th { text-align: right; }
table.numbers tfoot { border-top: 1px solid light-dark(#d0d7de, #2b3138); }
pre {
  margin: .3rem 0; padding: .8rem 1rem; border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere;
  background: light-dark(#f4f6f8, #1d2229);
}
summary { cursor: pointer; }
.answer { margin: 1.6rem 0; }
.sides { display: grid; grid-template-columns: 1fr 1fr; gap: 0 1rem; }
.sides figure { margin: 0; }
@media (max-width: 40rem) { .sides { grid-template-columns: 1fr; } }
.mask { line-height: 1.75; color: light-dark(#6a737d, #8b949e); }
.mask span { border-radius: 3px; box-shadow: inset 0 0 0 1px light-dark(#dfe3e8, #2e353d); }
.mask .learned {
  color: light-dark(#003a5d, #e3f3ff); background: light-dark(#cbe6f7, #0b4266);
}`;
