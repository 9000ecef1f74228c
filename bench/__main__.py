"""`python -m bench` measures the preview."""

from bench.preview import main

main()
