-- The columns of a query in its order, such as the one of a materialized view. Cost: none of the rows are read.
DESCRIBE TABLE ($select)
