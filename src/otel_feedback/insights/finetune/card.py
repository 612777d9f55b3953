"""The README.md of an adapter: what it is of, what it learned from, and whether that helped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import yaml

NAME: Final = "README.md"


def model_card(manifest: Mapping[str, Any], meaning: str) -> str:
    """The card of a run, from its manifest. ``meaning`` says what its figure is."""
    config, data, figures = manifest["config"], manifest["data"], manifest["figures"]
    base = config["model"]["name"]
    head: dict[str, Any] = {
        "base_model": base,
        "library_name": "peft",
        "pipeline_tag": "text-generation",
        "tags": ["lora", manifest["method"], "otel-feedback"],
    }
    change, low, high = figures["change"]
    rows = data["rows"]["train"]
    lines = [
        f"# A LoRA adapter of {base}",
        "",
        f"Learned by {manifest['method'].upper()} from {rows} rows of rated LLM calls, in {manifest['steps']} steps.",
        "",
        "## Did it help?",
        "",
        f"On {data['tried']} rows of conversations that it has not seen ({data['holdout']}):",
        "",
        f"| {meaning} | |",
        "|---|---|",
        f"| before | {figures['before']:.4f} |",
        f"| after | {figures['after']:.4f} |",
        f"| change | {change:+.4f} (95 %: {low:+.4f} to {high:+.4f}) |",
        "",
        manifest["verdict"],
        "",
        "This compares likelihoods of recorded answers. Whether people like its own answers better, an experiment",
        "tells: give it to some of them, and run `otel-feedback experiment --by model`.",
        "",
        "## Where it comes from",
        "",
        f"- Export `{data['export']}`, manifest SHA-256 `{data['manifest_sha256']}`; filter: "
        + ", ".join(f"{name} {value}" for name, value in data["filter"].items() if value),
        f"- Left out: {', '.join(f'{count} {why}' for why, count in data['left_out'].items()) or 'nothing'}",
        f"- Base model: {base}" + (f", revision {config['model']['revision']}" if config["model"]["revision"] else ""),
        f"- LoRA: {config['lora']}; training: {config['training']}",
        f"- Versions: {', '.join(f'{name} {version}' for name, version in manifest['versions'].items())}",
        "- `../provenance/` names traces and ratings of each row. Before each use: `otel-feedback export verify ..`",
        "  tells whether somebody was erased since, and the adapter must be made anew.",
        "",
    ]
    return f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n" + "\n".join(lines)
