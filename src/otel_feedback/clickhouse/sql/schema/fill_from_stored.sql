INSERT INTO $target ($columns) SELECT * FROM ($select)
