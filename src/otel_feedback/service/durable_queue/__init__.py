"""The durable queue between the receivers and the database: segments of records on disk, one queue a signal.

queue: append, claim, remove, reject. segment_log: the segment that is appended to. segment: the record format.
recovery: what a dead process left. request_window: requests that come again. boot: whether the machine started anew.
"""
