-- How ids, times and attribute values of OTLP become text: as pcommon.Value.AsString writes them in the Collector. Map
-- keys are sorted, which packs better, and equal keys stay in their order, since the first one counts; an array that
-- JSON can't say (NaN, infinities) is empty, as in the exporter. Ids of zeros are empty; times wrap beyond the year
-- 2262, as in the exporter. toJSONString escapes control characters with upper-case digits, Go with lower-case ones; an
-- escaped backslash is set aside meanwhile as a character that JSON can't hold unescaped.
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
json -> if(
    match(json, '\\\\u00[01][A-F]'),
    replaceAll(
        arrayFold(
            (text, digits) -> replaceAll(text, concat('\\u00', upper(digits)), concat('\\u00', digits)),
            ['0b', '0e', '0f', '1a', '1b', '1c', '1d', '1e', '1f'],
            replaceAll(json, '\\\\', '\x01')
        ),
        '\x01',
        '\\\\'
    ),
    json
) AS lower_escapes,
any -> multiIf(
    any.value = 'string_value', any.string_value,
    any.value = 'int_value', toString(any.int_value),
    any.value = 'double_value', double_text(any.double_value),
    any.value = 'bool_value', if(any.bool_value, 'true', 'false'),
    any.value = 'array_value' AND arrayExists(
        each -> each.value = 'double_value' AND NOT isFinite(each.double_value), any.array_value.values
    ), '',
    any.value = 'array_value', lower_escapes(concat(
        '[', arrayStringConcat(arrayMap(each -> scalar_json(each), any.array_value.values), ','), ']'
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
