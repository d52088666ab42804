"""A process that judges answers: a task on each line of its input, a result on each line of its output.

It is a program of its own, not a fork: the trainer holds a GPU and threads, and what a page does to this process,
however long it takes, is done to nobody else. The kernel ends it when a task has used up its processor time.
"""

import json
import signal
import sys
from typing import Any

from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from scriptorium.errors import HostError
from scriptorium.train.rewards.answer import Answer, Sample
from scriptorium.train.rewards.scores import FROM_TESTS, SCORES, passed

MEDOID_LONGEST = 50_000
"""Characters of a text that are compared with the group's others: ten times a full page."""


def judge(sample: Sample, wanted: dict[str, bool]) -> dict[str, Any]:
    """The scores of one answer by name, whether it is valid, and tests passed and asked by type.

    `wanted`: the names of scores, and whether each is in its published form. A score that raises is 0, and the
    error is told; HostError, which is no page's fault, is raised.
    """
    answer = Answer(sample)
    scores: dict[str, float] = {}
    errors: dict[str, str] = {}
    for name, published in wanted.items():
        try:
            scores[name] = float(SCORES[name](answer, published))
        except HostError:
            raise
        except Exception as error:
            scores[name] = 0.0
            errors[name] = f"{type(error).__name__}: {error}"
    types: dict[str, list[int]] = {}
    asked = [published for name, published in wanted.items() if name in FROM_TESTS]
    if asked:
        types = {kind: [sum(won), len(won)] for kind, won in passed(answer, asked[0]).items()}
    return {"valid": answer.is_valid, "scores": scores, "types": types, "errors": errors}


def medoid(texts: list[str]) -> list[float]:
    """1 for the text with the least mean Levenshtein distance to the others, less for others the further they are.

    The distance to that one over the greatest between any two, taken from 1; equal texts all have 1.
    """
    cut = [text[:MEDOID_LONGEST] for text in texts]
    distances = cdist(cut, cut, scorer=Levenshtein.distance)
    middle = int(distances.sum(axis=1).argmin())
    widest = int(distances.max())
    return [1.0 - float(each) / widest if widest else 1.0 for each in distances[middle]]


def main() -> None:
    """Answer tasks until the input ends. A first line says that the process is ready."""
    seconds = float(sys.argv[1])
    print("{}", flush=True)
    for line in sys.stdin:
        task = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        try:
            if "group" in task:
                result: dict[str, Any] = {"medoid": medoid(task["group"])}
            else:
                result = judge(Sample(*task["sample"]), task["wanted"])
        except HostError as error:
            result = {"host": str(error)}
        signal.setitimer(signal.ITIMER_PROF, 0)
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
