-- Question: how many rows in {parts:Array(String)} meet a condition? Its parameters come with it.
-- Cost: one pass over the condition's columns there.
SELECT count() AS Rows FROM $table WHERE _part IN {parts:Array(String)} AND ($condition)
