-- Forgets answers that came before a day.
DELETE FROM answer WHERE day < ?
