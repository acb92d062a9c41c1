"""`python -m cli` is the storebus command."""

from cli.main import main

main()
