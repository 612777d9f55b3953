"""The durable queue between the receivers and the database: segments of records on disk, one queue a signal.

segment: the record format. recovery: what a dead process left. queue: append, claim, remove, reject.
"""
