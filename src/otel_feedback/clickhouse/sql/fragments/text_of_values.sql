-- How ids, times and attribute values of OTLP become text: as pcommon.Value.AsString writes them in the Collector. Map
-- keys are sorted, which packs better, and equal keys stay in their order, since the first one counts. Ids of zeros are
-- empty; times wrap beyond the year 2262, as in the exporter. A value that can't be told exactly here stops the INSERT
-- before anything is stored; the writer then turns such values into text (docs/adr/0002) and comes again.
number -> multiIf(
    isFinite(number), replaceRegexpOne(toString(number), 'e(\\d)', 'e+\\1'),
    isNaN(number), 'NaN',
    number > 0, 'Infinity',
    '-Infinity'
) AS double_text,
scalar -> multiIf(
    scalar.value = 'string_value', toJSONString(scalar.string_value),
    scalar.value = 'int_value', toString(scalar.int_value),
    scalar.value = 'double_value', double_text(scalar.double_value),
    scalar.value = 'bool_value', if(scalar.bool_value, 'true', 'false'),
    scalar.value = 'bytes_value', concat('"', base64Encode(scalar.bytes_value), '"'),
    'null'
) AS scalar_json,
-- An array of which the text would not be the exporter's: something nests in it, JSON can't say it (NaN, infinities), or
-- toJSONString escapes a character in another way than Go does.
values -> arrayExists(
    each -> each.value IN ('array_value', 'kvlist_value')
        OR (each.value = 'double_value' AND NOT isFinite(each.double_value))
        OR (each.value = 'string_value' AND match(each.string_value, '[\\x00-\\x08\\x0b-\\x0c\\x0e-\\x1f\\x7f\\x{2028}\\x{2029}]')),
    values
) AS is_hard,
any -> multiIf(
    any.value = 'string_value', any.string_value,
    any.value = 'int_value', toString(any.int_value),
    any.value = 'double_value', double_text(any.double_value),
    any.value = 'bool_value', if(any.bool_value, 'true', 'false'),
    any.value = 'array_value' AND NOT is_hard(any.array_value.values), concat(
        '[', arrayStringConcat(arrayMap(each -> scalar_json(each), any.array_value.values), ','), ']'
    ),
    any.value IN ('array_value', 'kvlist_value'), toString(throwIf(
        any.value = 'kvlist_value' OR is_hard(any.array_value.values), 'a value is not flat'
    )),
    any.value = 'bytes_value', base64Encode(any.bytes_value),
    ''
) AS value_text,
attributes -> CAST(
    (arrayMap(pair -> pair.key, attributes), arrayMap(pair -> value_text(pair.value), attributes)),
    'Map(LowCardinality(String), String)'
) AS sorted_map,
key_values -> sorted_map(
    arraySort((pair, position) -> (pair.key, position), key_values, arrayEnumerate(key_values))
) AS attribute_map,
id -> if(id = repeat('\0', length(id)), '', lower(hex(id))) AS hex_id,
unix_nano -> fromUnixTimestamp64Nano(reinterpretAsInt64(unix_nano), 'UTC') AS moment
