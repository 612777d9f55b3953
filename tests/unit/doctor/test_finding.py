import pytest

from otel_feedback.doctor.finding import age_text, size_text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (32 << 20, "32.0 MiB"), (4 << 40, "4096.0 GiB")],
)
def test_sizes(size_bytes: int, text: str):
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119, "119 s"), (300, "5 min"), (7200, "2 h"), (3 * 86_400, "3 days")]
)
def test_ages(seconds: float, text: str):
    assert age_text(seconds) == text
