"""A bound on what one verdict may cost: whatever a page holds, a judge ends."""

STEPS = 200_000
"""Comparisons that one test may ask of a page's tables, lists or places: far more than a real page needs."""


class OutOfSteps(Exception):
    """A search took more steps than it was given."""


class Steps:
    """The steps that are left of a number of them."""

    def __init__(self, most: int = STEPS) -> None:
        self.left = most

    def __call__(self, steps: int = 1) -> None:
        """Take steps. Raises OutOfSteps where there are not so many left."""
        self.left -= steps
        if self.left < 0:
            raise OutOfSteps
