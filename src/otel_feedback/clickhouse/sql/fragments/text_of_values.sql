-- How ids, times and attribute values of OTLP become text: as pcommon.Value.AsString writes them in the Collector. Keys
-- stay in their order. Ids of zeros are empty; times wrap beyond the year 2262, as in the exporter. A value that can't be
-- told exactly here stops the INSERT before anything is stored; the writer then turns such values into text
-- (docs/adr/0002) and comes again. Every branch is evaluated for every value (short_circuit_function_evaluation is off),
-- which is cheaper than to pick the values of each branch.
number -> multiIf(
    isFinite(number), replaceOne(replaceOne(toString(number), 'e', 'e+'), 'e+-', 'e-'),
    isNaN(number), 'NaN',
    number > 0, 'Infinity',
    '-Infinity'
) AS double_text,
scalar -> multiIf(
    scalar.value = 'string_value', toJSONString(scalar.string_value),
    scalar.value = 'int_value', toString(scalar.int_value),
    scalar.value = 'double_value', double_text(scalar.double_value),
    scalar.value = 'bool_value', if(scalar.bool_value, 'true', 'false'),
    'null'
) AS scalar_json,
-- An array of which the text would not be the exporter's: something nests in it, JSON can't say it (NaN, infinities), or
-- toJSONString escapes a character in another way than Go does. Bytes are too rare to be worth a column.
values -> arrayExists(
    each -> each.value IN ('array_value', 'kvlist_value', 'bytes_value')
        OR (each.value = 'double_value' AND NOT isFinite(each.double_value))
        OR (each.value = 'string_value' AND match(each.string_value, '[\\x00-\\x08\\x0b-\\x0c\\x0e-\\x1f\\x7f\\x{2028}\\x{2029}]')),
    values
) AS is_hard,
any -> multiIf(
    any.value = 'string_value', any.string_value,
    any.value = 'int_value', toString(any.int_value),
    any.value = 'double_value', double_text(any.double_value),
    any.value = 'bool_value', if(any.bool_value, 'true', 'false'),
    any.value = 'array_value', concat(
        '[', arrayStringConcat(arrayMap(each -> scalar_json(each), any.array_value.values), ','), ']'
    ),
    throwIf(any.value IN ('kvlist_value', 'bytes_value') OR is_hard(any.array_value.values), 'a value is not flat'), '',
    ''
) AS value_text,
attributes -> CAST(
    (arrayMap(pair -> pair.key, attributes), arrayMap(pair -> value_text(pair.value), attributes)),
    'Map(LowCardinality(String), String)'
) AS attribute_map,
id -> if(id = repeat('\0', length(id)), '', lower(hex(id))) AS hex_id,
unix_nano -> fromUnixTimestamp64Nano(reinterpretAsInt64(unix_nano), 'UTC') AS moment
