// What the pages for reading need beside dashboard.js. Each part finds what it works on by a data attribute.
import "./lazy.js";
import "./live.js";
import "./waiting.js";
