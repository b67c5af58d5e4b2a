"""``python -m deepplp``."""

from deepplp.cli import main

if __name__ == "__main__":
    main()
