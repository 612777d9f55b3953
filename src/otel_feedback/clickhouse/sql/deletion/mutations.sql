-- Question: which mutations of {table:String} are not done, and what kept one from it last?
-- Cost: the list of mutations.
SELECT mutation_id AS Mutation, latest_fail_reason AS Reason
FROM system.mutations
WHERE NOT is_done AND database = currentDatabase() AND table = {table:String}
