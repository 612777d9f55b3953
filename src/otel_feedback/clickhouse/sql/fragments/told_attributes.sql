-- told(attributes, most): the first of them by key, each with its text cut at {text_characters:UInt32}, and its length.
(attributes, most) -> arrayMap(
    (key, value) -> (toString(key), substringUTF8(value, 1, {text_characters:UInt32}), lengthUTF8(value)),
    arraySlice(arraySort(mapKeys(attributes)) AS keys, 1, most),
    arrayMap(key -> attributes[key], arraySlice(keys, 1, most))
)::Array(Tuple(Key String, Text String, Length UInt64)) AS told
