"""`python -m webapp.cli`: the same command where the console script is not on the path."""

from webapp.cli import main

main(prog_name="pairbook")
