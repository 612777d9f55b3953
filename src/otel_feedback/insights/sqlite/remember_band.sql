-- Remembers the signature that has a band; the first one stays.
INSERT OR IGNORE INTO band VALUES (?, ?)
