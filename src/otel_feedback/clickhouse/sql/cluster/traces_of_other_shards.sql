WHERE NOT has($stored_slots, cityHash64(hex_id(span.trace_id)) % $slots)
