"""The demo's campaign files, written from the worlds whose visitors it simulates."""

import json

from simulator.worlds import World

_KINDS = {str: "text", float: "number", bool: "flag"}


def campaign_file(world: World, *, window: str, explore: float) -> str:
    """A campaign file whose slots, variants and context are those of the world; a visitor earns 1 for a click."""
    context = {name: _KINDS[type(next(iter(chances)))] for name, chances in world.chances.items()}
    lines = [
        f"campaign: {world.name}",
        "metrics: {click: once}",
        f"reward: {{window: {window}}}",
        f"explore: {explore}",
        "context: {" + ", ".join(f"{name}: {kind}" for name, kind in context.items()) + "}",
        "slots:",
    ]
    for slot, variants in world.slots.items():
        lines += [f"  {slot}:", f"    default: {_text(world.defaults[slot])}", "    variants:"]
        for variant in variants:
            features = ", ".join(f"{name}: {json.dumps(value)}" for name, value in variant.features.items())
            declared = f", features: {{{features}}}" if features else ""
            lines.append(f"      - {{id: {_text(variant.id)}, content: {{text: {_text(variant.text)}}}{declared}}}")
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    # JSON's quotes are YAML's: an id such as 08 stays text
    return json.dumps(text, ensure_ascii=False)
