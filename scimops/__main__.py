"""`python -m scimops` is `scimops`."""

from scimops.cli import main

if __name__ == "__main__":
    main()
