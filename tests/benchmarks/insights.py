"""How many findings of `otel-feedback contrast` are false, and how many planted causes it finds, over many seeds."""

from __future__ import annotations

import argparse
import time
from typing import Final

import numpy as np
from tests.support.made_calls import PLANTED, Recipe, false_share, made_calls, recall

from otel_feedback.insights import Limits
from otel_feedback.insights.contrast import find

BUSY: Final = "busy people with habits"
RECIPES: Final = {
    "no cause": Recipe(),
    f"no cause, {BUSY}": Recipe(likeness=2, habits=True),
    "4 causes": Recipe(planted=PLANTED),
    "4 causes, half as strong": Recipe(planted={name: odds / 2 for name, odds in PLANTED.items()}),
    f"4 causes, {BUSY}": Recipe(planted=PLANTED, likeness=1.5, habits=True),
    f"4 causes, {BUSY}, 8,000 calls": Recipe(calls=8000, planted=PLANTED, likeness=1.5, habits=True),
}


def main(argv: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--q", type=float, default=0.1)
    arguments = parser.parse_args(argv)
    print("| calls | tested | share of false findings | runs with one | causes found | CPU s |")
    print("|---|---|---|---|---|---|")
    for name, recipe in RECIPES.items():
        began = time.process_time()
        found = [find(made_calls(recipe, seed), "negative", Limits(q=arguments.q)) for seed in range(arguments.seeds)]
        seconds = (time.process_time() - began) / arguments.seeds
        shares = [false_share(each, recipe) for each in found]
        causes = f"{np.mean([recall(each, recipe) for each in found]):.2f}" if recipe.planted else "-"
        print(
            f"| {name} | {np.mean([each.tested for each in found]):.0f} | {np.mean(shares):.3f} "
            f"| {np.mean([share > 0 for share in shares]):.2f} | {causes} | {seconds:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
