-- Adds an answer: the digest of its prompt, whether it was liked, its content.
INSERT INTO answer (prompt, is_positive, content) VALUES (?, ?, ?)
