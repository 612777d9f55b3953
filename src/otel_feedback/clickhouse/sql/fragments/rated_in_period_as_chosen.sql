$rated_as_chosen
AND toUnixTimestamp64Nano(f.Time) >= {since:Int64}
AND toUnixTimestamp64Nano(f.Time) < {until:Int64}
