"""The JSON Schema of the campaign file, for editors: `python -m server.campaigns.schema > docs/campaign.schema.json`.

It says what a schema can say; the rules between fields are checked when a file is applied.
"""

import json
import sys
from typing import Any

from server.campaigns.model import Campaign


def json_schema() -> dict[str, Any]:
    """The schema of one campaign, as written in a file."""
    schema = Campaign.model_json_schema(mode="validation")
    # a campaign with one metric need not write its formula: the model fills it in before it looks
    schema["$defs"]["Reward"]["required"].remove("value")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Elige campaign"}


def schema_text() -> str:
    """The published file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
