-- told(attributes, most): the first of them by key, each with its text cut at {text_characters:UInt32}, and its length.
(attributes, most) -> arrayMap(
    attribute -> (
        toString(attribute.1), substringUTF8(attribute.2, 1, {text_characters:UInt32}), lengthUTF8(attribute.2)
    ),
    arraySlice(arraySort(arrayZip(mapKeys(attributes), mapValues(attributes))), 1, most)
)::Array(Tuple(Key String, Text String, Length UInt64)) AS told
