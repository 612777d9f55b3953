-- How ids, times and attribute values of OTLP become text: as pcommon.Value.AsString writes them in the Collector. Map
-- keys are sorted, as the exporter sorts them, and equal keys stay in their order. Ids of zeros are empty; times wrap
-- beyond the year 2262, as in the exporter. A value that can't be told exactly here, or is too rare to be worth its
-- analysis in every INSERT, stops the INSERT before anything is stored; the writer then turns such values into text
-- (docs/adr/0002) and comes again. Every branch is evaluated for every value (short_circuit_function_evaluation is off),
-- which is cheaper than to pick the values of each branch.
--
-- ClickHouse sees that a value is there only by its column, so one that has none ("none") may be anything. An array of
-- strings and integers is told here, unless toJSONString escapes a character in another way than Go does.
any -> NOT isFinite(any.double_value) OR arrayExists(
    each -> each.value NOT IN ('string_value', 'int_value')
        OR match(each.string_value, '[\\x00-\\x08\\x0b-\\x0c\\x0e-\\x1f\\x7f\\x{2028}\\x{2029}]'),
    any.array_value.values
) AS is_hard,
(any, is_untold) -> multiIf(
    any.value = 'string_value', any.string_value,
    any.value = 'int_value', toString(any.int_value),
    any.value = 'double_value', replaceOne(replaceOne(toString(any.double_value), 'e', 'e+'), 'e+-', 'e-'),
    any.value = 'bool_value', toString(any.bool_value),
    any.value = 'array_value', concat(
        '[',
        arrayStringConcat(
            arrayMap(
                each -> if(each.value = 'int_value', toString(each.int_value), toJSONString(each.string_value)),
                any.array_value.values
            ),
            ','
        ),
        ']'
    ),
    throwIf(is_untold OR is_hard(any), 'a value is not flat'), '',
    ''
) AS value_text,
attributes -> CAST(
    (attributes.key, arrayMap(pair -> value_text(pair.value, pair.value.value = 'none'), attributes)),
    'Map(LowCardinality(String), String)'
) AS sorted_map,
key_values -> sorted_map(
    arraySort((pair, position) -> (pair.key, position), key_values, arrayEnumerate(key_values))
) AS attribute_map,
id -> if(id = repeat('\0', length(id)), '', lower(hex(id))) AS hex_id,
unix_nano -> fromUnixTimestamp64Nano(reinterpretAsInt64(unix_nano), 'UTC') AS moment
