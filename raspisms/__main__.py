"""`python -m raspisms`: the command line."""

from .cli import main

main(prog_name="raspisms")
