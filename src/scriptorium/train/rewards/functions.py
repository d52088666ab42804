"""Rewards as TRL calls them: one function a name, each completion of a batch judged once for all of them."""

import sys
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from scriptorium.errors import ConfigError, nearest
from scriptorium.recipe.options import RewardOptions
from scriptorium.train.rewards.answer import Sample
from scriptorium.train.rewards.pool import JudgePool, Task
from scriptorium.train.rewards.scores import FROM_TESTS, FROM_TRUTH, SCORES

Reward = Callable[..., list[float]]

NAMES = (*SCORES, "eos", "medoid")
"""Every reward that a recipe may name."""

NOTHING: Task = {"valid": False, "scores": {}, "types": {}, "errors": {}}
"""What an answer gets that could not be judged in time."""


def answer(completion: list[dict[str, Any]] | str) -> str:
    """The text of a completion, conversational or plain."""
    return completion if isinstance(completion, str) else str(completion[-1]["content"])


def options(rewards: Mapping[str, Any], where: str) -> dict[str, RewardOptions]:
    """The rewards of a stage with their options filled in. Raises ConfigError for a name that is none."""
    for name in rewards:
        if name not in NAMES:
            raise ConfigError(f"{where}: rewards.{name}: no such reward; {nearest(name, NAMES)}")
    return {
        name: RewardOptions.model_validate(given if isinstance(given, Mapping) else {"weight": given})
        for name, given in rewards.items()
    }


class Rewards:
    """The rewards of a stage. A context manager: the judging processes end with it.

    `ends`: the token ids that end an answer, the tokenizer's own first. Unless it is in its published form, a
    reward is multiplied by whether the answer is valid (see `answer.Answer.is_valid`).
    """

    def __init__(
        self, wanted: Mapping[str, RewardOptions], ends: Sequence[int], pool: JudgePool | None = None
    ) -> None:
        self.wanted = dict(wanted)
        self.ends = list(ends)
        self.pool = pool or JudgePool()
        self._asked = {name: each.published for name, each in self.wanted.items() if name in SCORES}
        self._known: dict[Sample, Task] = {}

    def __enter__(self) -> "Rewards":
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    @property
    def needs_tests(self) -> bool:
        """Whether a page without tests has no reward."""
        return bool(FROM_TESTS & self.wanted.keys())

    @property
    def needs_truth(self) -> bool:
        """Whether a page without truth has no reward."""
        return bool(FROM_TRUTH & self.wanted.keys())

    @property
    def weights(self) -> list[float]:
        """The weight of each reward, in the order of `functions`."""
        return [each.weight for each in self.wanted.values()]

    @property
    def functions(self) -> list[Reward]:
        """The functions for TRL, each of which bears its reward's name."""
        return [self._function(name) for name in self.wanted]

    def _function(self, name: str) -> Reward:
        def reward(completions: list[Any], **columns: Any) -> list[float]:
            values = self.values(name, completions, **columns)
            if not self.wanted[name].published:
                tasks = self.judged(completions, columns)
                values = [value * task["valid"] for value, task in zip(values, tasks, strict=True)]
            return [checked(name, value) for value in values]

        reward.__name__ = name
        return reward

    def values(self, name: str, completions: list[Any], **columns: Any) -> list[float]:
        """The values of one reward, before the gate."""
        if name == "eos":
            ends = self.ends[:1] if self.wanted[name].published else self.ends
            return [float(bool(ids) and ids[-1] in ends) for ids in columns["completion_ids"]]
        if name == "medoid":
            return self._medoid(completions, columns["id"])
        return [task["scores"].get(name, 0.0) for task in self.judged(completions, columns)]

    def judged(self, completions: list[Any], columns: Mapping[str, Any]) -> list[Task]:
        """What the judges found of each completion; equal completions of a page are judged once."""
        rows = zip(completions, columns["text"], columns["tests"], strict=True)
        samples = [Sample(answer(completion), truth, tests) for completion, truth, tests in rows]
        left = [sample for sample in dict.fromkeys(samples) if sample not in self._known]
        if left:
            found = self.pool.ask([{"sample": sample, "wanted": self._asked} for sample in left])
            fresh = dict(zip(left, (each or NOTHING for each in found), strict=True))
            self._known = {s: self._known[s] for s in samples if s in self._known} | fresh
            self._tell(samples, sum(each is None for each in found), columns.get("log_metric"))
        return [self._known[sample] for sample in samples]

    def _tell(self, samples: list[Sample], late: int, log: Callable[[str, float], None] | None) -> None:
        """Log the metrics of a batch that was just judged: pass rates by type, validity, what went wrong."""
        tasks = [self._known[sample] for sample in samples]
        errors = {text for task in tasks for text in task["errors"].values()}
        for text in sorted(errors):
            print(f"a reward could not be computed and is 0: {text}", file=sys.stderr)
        if log is None:
            return
        types: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for task in tasks:
            for kind, (won, asked) in task["types"].items():
                types[kind][0] += won
                types[kind][1] += asked
        for kind, (won, asked) in sorted(types.items()):
            log(f"pass_rate/{kind}", won / asked)
        log("answers/valid", sum(task["valid"] for task in tasks) / len(tasks))
        log("answers/distinct", len({*samples}) / len(samples))
        log("answers/late", float(late))

    def _medoid(self, completions: list[Any], pages: Collection[str]) -> list[float]:
        """How near each completion is to the middle of its page's group; published, of the whole batch."""
        groups: dict[str, list[int]] = defaultdict(list)
        for index, page in enumerate(pages):
            groups["" if self.wanted["medoid"].published else page].append(index)
        texts = [answer(completion) for completion in completions]
        tasks = [{"group": [texts[index] for index in group]} for group in groups.values()]
        values = [0.0] * len(texts)
        for group, found in zip(groups.values(), self.pool.ask(tasks), strict=True):
            for index, value in zip(group, found["medoid"] if found else [0.0] * len(group), strict=True):
                values[index] = value
        return values


def checked(name: str, value: float) -> float:
    """A reward that is in [0, 1]; anything else, NaN among it, would go into the sum unseen."""
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"reward {name} is {value}, not in [0, 1]")
    return value
