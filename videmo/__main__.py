"""`python -m videmo` is `videmo`."""

from videmo.cli.app import main

main()
