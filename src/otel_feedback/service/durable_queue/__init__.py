"""The durable queue between the receivers and the database: segments of records on disk, one queue a signal.

queue: append, claim, remove, split, reject. segment_log: the segment that is appended to. segment: the record format.
halves: a segment in two. recovery: what a dead process left. request_window: requests that come again. request_log:
those that former processes took. boot: whether the machine started anew.
"""
