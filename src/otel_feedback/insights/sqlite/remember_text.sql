-- Remembers a text by its digest; changes no row where it is known.
INSERT OR IGNORE INTO exact VALUES (?)
