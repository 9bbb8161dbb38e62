"""Runs what is missing, several processes at once; each run is stored as it ends."""

import multiprocessing
import statistics as averages
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field

from tangency.benchmarks.experiments.store import Store, key
from tangency.benchmarks.experiments.study import Config
from tangency.benchmarks.experiments.tasks import perform
from tangency.common.text import raised

# The name of a run that ended, its CPU seconds or what it raised, and an estimate of the seconds that are left.
Watch = Callable[[Config, float | str, float], None]


@dataclass
class Outlook:
    """How long what is left will take: by the mean of the runs of the same kind so far.

    Attributes:
        left: how many runs of each kind are to do.
        jobs: how many run at once.
        took: CPU seconds of those that are done, of this call and of earlier ones.
    """

    left: dict[str, int]
    jobs: int
    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @staticmethod
    def kind(config: Config) -> str:
        """Runs alike in all but optimizer, step size and seed take about as long."""
        apart = ("optimizer", "lr", "seed", "weight_decay", "momentum")
        return key({name: value for name, value in config.items() if name not in apart})

    def seconds(self) -> float:
        """That are left; a kind that has not run yet counts as the mean of those that have."""
        every = [second for seconds in self.took.values() for second in seconds]
        if not every:
            return float("nan")
        usual = averages.fmean(every)
        means = {kind: averages.fmean(seconds) for kind, seconds in self.took.items()}
        return sum(count * means.get(kind, usual) for kind, count in self.left.items()) / self.jobs


def run(configs: Iterable[Config], store: Store, jobs: int, watch: Watch = lambda *_: None) -> list[str]:
    """Do the runs that the store lacks.

    Args:
        configs: the runs; one that is there twice is done once.
        store: where they go, and whence they are known.
        jobs: how many processes.
        watch: called as each ends.

    Returns:
        What went wrong, a line a run; the other runs were done.
    """
    todo = {key(config): config for config in configs if config not in store}
    outlook = Outlook(defaultdict(int), jobs)
    for line in store.lines.values():
        outlook.took[Outlook.kind(line["config"])].append(line["cpu_seconds"])
    for config in todo.values():
        outlook.left[Outlook.kind(config)] += 1
    if not todo:
        return []
    if jobs == 1:
        return _one_by_one(list(todo.values()), store, outlook, watch)
    problems: list[str] = []
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        waiting = list(todo.values())[::-1]
        running: dict[Future[dict[str, object]], Config] = {}
        try:
            while waiting or running:
                while waiting and len(running) < 2 * jobs:
                    config = waiting.pop()
                    running[pool.submit(perform, config)] = config
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    _take(running.pop(future), future.result, store, outlook, problems, watch)
        except BrokenProcessPool:
            problems.append("a process was killed; what it ran is missing: call again for the rest")
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return problems


def _one_by_one(todo: Sequence[Config], store: Store, outlook: Outlook, watch: Watch) -> list[str]:
    problems: list[str] = []
    for config in todo:
        _take(config, lambda config=config: perform(config), store, outlook, problems, watch)  # type: ignore[misc]
    return problems


def _take(
    config: Config,
    give: Callable[[], dict[str, object]],
    store: Store,
    outlook: Outlook,
    problems: list[str],
    watch: Watch,
) -> None:
    kind = Outlook.kind(config)
    outlook.left[kind] -= 1
    try:
        line = give()
    except BrokenProcessPool:
        raise
    except Exception as error:
        problems.append(f"{described(config)}: {raised(error)}")
        watch(config, raised(error), outlook.seconds())
        return
    store.add({"key": key(config), **line})
    seconds = float(str(line["cpu_seconds"]))
    outlook.took[kind].append(seconds)
    watch(config, seconds, outlook.seconds())


def described(config: Config) -> str:
    """A run in one line."""
    return " ".join(f"{name}={value}" for name, value in config.items())
