"""The command `pairbook`: everything the screens do to data, from a script. Names and exit codes are a promise.

Exit codes: 0 done · 1 refused, nothing changed · 2 wrong usage · 3 done in part.
"""

from __future__ import annotations

import click

from webapp.cli import catalogue, files, instance, linking, scheduling, sending, serving
from webapp.cli.support import Commands

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(package_name="pairbook", prog_name="pairbook")
def main() -> None:
    """Link marketplace listings to your catalogue, and send stock and prices to exactly those.

    Settings come from PAIRBOOK_… variables or instance/config.toml. With --json a command prints exactly one
    JSON object on standard output; messages for people go to standard error.
    """


for module in (serving, instance, files, linking, catalogue, sending, scheduling):
    for command in module.COMMANDS:
        main.add_command(command)
