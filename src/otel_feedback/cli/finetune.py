"""``otel-feedback finetune``: a LoRA adapter from an export."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final

from otel_feedback.settings import Settings

SUMMARY: Final = "train a LoRA adapter of a language model on an export, and try it on other conversations"
EXAMPLE: Final = "otel-feedback finetune finetune.toml"
SAMPLE: Final = """\
data = "kto-november"        # a directory that `otel-feedback export` made: sft, openai, kto or dpo
out = "shop-adapter"         # does not exist yet; or a run of this file that was broken off, which goes on

[model]
name = "Qwen/Qwen2.5-0.5B-Instruct"    # of the Hugging Face hub, or a directory
revision = ""                          # a commit, so that the run can be repeated
quantize = "none"                      # 4bit or 8bit: less memory on a GPU, with bitsandbytes

[lora]
rank = 16
targets = "all-linear"

[training]
epochs = 1
batch = 2
accumulate = 8                # batches that make one step
max_tokens = 1024
seed = 1
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("config", type=Path, nargs="?", metavar="FILE", help="a TOML file that describes the run")
    parser.add_argument("--sample", action="store_true", help="print a file to begin with, and do nothing else")
    parser.add_argument(
        "--unverified",
        action="store_true",
        help="do not ask the database whether rows were erased since: where it can't be reached, after "
        "`otel-feedback export verify` where it can",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


def run(arguments: argparse.Namespace) -> int:
    """Train, and print whether it helped; 0 also where it did not, since that is an answer.

    Raises:
        OtelFeedbackError: the file can't be meant, the data must not be used, or something can't be read or written.
    """
    from otel_feedback.errors import UsageError  # noqa: PLC0415  # beside what needs it

    if arguments.sample:
        print(SAMPLE, end="")
        return 0
    if arguments.config is None:
        raise UsageError(f"name a file. Example: {EXAMPLE}; --sample prints one to begin with")
    from contextlib import ExitStack  # noqa: PLC0415  # beside what needs it

    from otel_feedback.insights import asker  # noqa: PLC0415  # --help needs no extra
    from otel_feedback.insights.finetune import Config, finetune  # noqa: PLC0415  # as above
    from otel_feedback.insights.progress import progress  # noqa: PLC0415  # as above

    config = Config.read(arguments.config)
    with ExitStack() as bars:
        manifest = finetune(
            config,
            None if arguments.unverified else asker(Settings.load()),
            is_verified=not arguments.unverified,
            progress=lambda total, about: bars.enter_context(progress(total, "step", about)),
        )
    if arguments.format == "json":
        print(json.dumps(manifest, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_lines(manifest, config.out)))
    return 0


def _lines(manifest: dict[str, Any], directory: Path) -> list[str]:
    figures, data = manifest["figures"], manifest["data"]
    change, low, high = figures["change"]
    learned = f"Learned by {manifest['method'].upper()} from {data['rows']['train']} rows in {manifest['steps']} steps"
    before_after = f"{figures['before']:.4f} before, {figures['after']:.4f} after"
    return [
        f"{learned}; tried on {data['tried']} rows of other conversations ({data['holdout']}).",
        *(f"Left out: {count} {why}." for why, count in data["left_out"].items()),
        f"{figures['figure'].replace('_', ' ')}: {before_after} ({change:+.4f}, 95 %: {low:+.4f} to {high:+.4f}).",
        manifest["verdict"],
        f"The adapter is in {directory / 'adapter'}; its README.md tells where all of it comes from.",
    ]
