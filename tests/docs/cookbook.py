"""Print the queries and the answers of docs/sql.md anew: ``make cookbook``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.cookbook import COOKBOOK, Shell, render
from tests.support.shop import fill_with_shop

from otel_feedback.clickhouse.connect import connect

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        database = connect(f"chdb://{data_dir / 'clickhouse'}")
        fill_with_shop(database)
        database.close()
        COOKBOOK.write_text(render(COOKBOOK.read_text(), Shell(data_dir)))
