"""Writes the published JSON schema of configuration files: `python -m app.runtime.schema_file`."""

from __future__ import annotations

import json

from app.kernel.resources import resource
from app.runtime.settings import config_schema

if __name__ == "__main__":
    text = json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"
    resource("schemas", "config.schema.json").write_text(text, "utf-8")
