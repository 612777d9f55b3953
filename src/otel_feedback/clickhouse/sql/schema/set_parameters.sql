-- The values of parameters of what follows in this session.
SET $assignments
