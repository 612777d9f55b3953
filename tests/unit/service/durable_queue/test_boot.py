from pathlib import Path

from otel_feedback.service.durable_queue.boot import is_another_boot, note_boot


def test_a_second_use_in_the_same_boot_is_no_new_boot(tmp_path: Path):
    for boot in ("one", "two"):
        (tmp_path / "boot_id").write_text(boot)
        assert is_another_boot(tmp_path, tmp_path / "boot_id")
        note_boot(tmp_path, tmp_path / "boot_id")
        assert not is_another_boot(tmp_path, tmp_path / "boot_id")


def test_where_the_boot_has_no_id_every_start_may_be_a_new_one(tmp_path: Path):
    note_boot(tmp_path, tmp_path / "missing")
    assert is_another_boot(tmp_path, tmp_path / "missing")
