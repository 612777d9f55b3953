import pytest

from otel_feedback.dashboard.media import describe, size_in_words


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"type": "blob", "mime_type": "image/png", "content": "AAAA"}, ("image", "image/png, 3 bytes")),
        ({"type": "blob", "modality": "audio", "content": "AAA="}, ("audio", "type unknown, 2 bytes")),
        ({"type": "uri", "modality": "image", "uri": "data:image/gif;base64,AA=="}, ("image", "image/gif, 1 bytes")),
        (
            {"type": "uri", "modality": "image", "uri": "https://a/b.png"},
            ("image", "type unknown, at https://a/b.png, not loaded"),
        ),
        ({"type": "image_url", "image_url": {"url": "data:image/svg+xml,AAAA"}}, ("image", "image/svg+xml, 3 bytes")),
        ({"type": "image_url", "image_url": "https://a"}, ("image", "type unknown, at https://a, not loaded")),
        ({"type": "input_image", "image_url": "https://a"}, ("image", "type unknown, at https://a, not loaded")),
        ({"type": "image", "source": {"media_type": "image/webp", "data": "AAAA"}}, ("image", "image/webp, 3 bytes")),
        (
            {"type": "file", "mime_type": "application/pdf", "file_id": "f-1"},
            ("file", "application/pdf, at f-1, not loaded"),
        ),
        ({"type": "blob", "mime_type": ["odd"], "content": {"a": 1}}, ("file", "['odd'], 6 bytes")),
    ],
)
def test_a_picture_is_told_by_its_type_and_size(part, told):
    assert describe(part) == told


@pytest.mark.parametrize("part", [{"type": "text", "content": "data:image/png;base64,AAAA"}, {}, {"type": ["image"]}])
def test_text_is_no_picture(part):
    assert describe(part) is None


def test_sizes_are_told_in_words():
    assert [size_in_words(size) for size in (0, 999, 1000, 34_400, 1_250_000)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "34 kB",
        "1.2 MB",
    ]
