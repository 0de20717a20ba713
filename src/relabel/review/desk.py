"""The desk at which people work: who is asked what next, what they decided, how far it is. All methods are for several threads."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from relabel.data import reviews
from relabel.data.reviews import DISPUTED, RANDOM, Answer, Verdict
from relabel.results.reviewing import progress, queue
from relabel.results.reviewing.progress import Progress
from relabel.review import answers
from relabel.review.leases import Leases
from relabel.review.material import Material
from relabel.review.store import Decision, Mark, Said, Store

BATCH = 100
"""Questions that are drawn at a time, as `relabel review export` does: after as many answers the worst of the rest are others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How people are asked.

    random_share, seed: as in `queue.drawn`. least: as in `progress.measured`.
    people: how many answer each question. blind: they see the text alone until they have answered.
    """

    random_share: float = 0.1
    seed: int = 0
    least: float = 0.05
    people: int = 1
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Who works: the name, and the window, for one person may have two."""

    name: str
    window: str


class Desk:
    """The state of a review: what the store says, put together with the questions.

    clock: seconds, for leases.
    """

    def __init__(self, material: Material, store: Store, options: Options, clock: Callable[[], float]) -> None:
        self.material, self.store, self.options = material, store, options
        self.questions = material.questions
        self.place = answers.places(self.questions)
        self._lock = threading.RLock()
        self._leases = Leases(clock)
        self._mark = Mark()
        self._standing: dict[int, Decision] = {}
        self._given: dict[int, list[Answer]] = {}
        self._skipped: dict[str, set[int]] = {}
        self._verdicts: dict[int, Verdict] = {}
        self._asked: dict[int, str] = {}  # question -> why, in the order in which they are asked
        self._measured: tuple[Mark, Progress] | None = None
        for answer in material.earlier:
            self._give(answer)
        self.refresh()

    def refresh(self) -> None:
        """Learn what was decided since, here or by another process."""
        with self._lock:
            news = self.store.since(self._mark)
            for decision in news.decisions:
                self._take(decision)
            for back in news.withdrawn:
                self._drop(back)
            self._mark = news.mark

    def next(self, who: Person, besides: Collection[int] = ()) -> tuple[int, str] | None:
        """Lease somebody the next question, and say why it is asked; None where nothing is left to ask this person.

        besides: questions that the person has before them already.
        """
        self.refresh()
        with self._lock:
            for question in self._offered(who):
                if question not in besides and self._leases.free(question, who.window):
                    self._leases.take(question, who.window)
                    return question, self.why(question)
        return None

    def decide(self, said: Said, who: Person, instead: Collection[str] = ()) -> Decision:
        """Keep a decision, `instead` of earlier ones as `Store.add` has it. It is on the disk when this returns."""
        decision = self.store.add(said, instead)
        with self._lock:
            self.refresh()
            self._leases.release(self.question(said.row_hash), who.window)
        return decision

    def withdraw(self, decision: int, who: Person) -> Decision | None:
        """Take a person's decision back, and give them its question again; None where they have no such decision."""
        found = self.store.withdraw(decision, who.name)
        with self._lock:
            self.refresh()
            if found is not None:
                self._leases.take(self.question(found.row_hash), who.window)
        return found

    def hold(self, questions: Collection[int], who: Person) -> None:
        """Let somebody keep what they look at, and give back the rest."""
        with self._lock:
            self._leases.hold(questions, who.window)

    def question(self, row_hash: str) -> int:
        """Find the question of a row. Raises KeyError where there is none."""
        return int(self.questions.question[self.place[row_hash]])

    def why(self, question: int) -> str:
        """Say why a question is asked; "" where it was not drawn."""
        verdict = self._verdicts.get(question)
        return DISPUTED if verdict is not None and verdict.answer is None else self._asked.get(question, "")

    def decisions(self, name: str) -> list[Decision]:
        """Give what a person decided here and what of it stands, the latest first."""
        self.refresh()
        with self._lock:
            return [one for one in reversed(self._standing.values()) if one.reviewer == name]

    def last(self, name: str, question: int) -> Decision | None:
        """Give what holds of a person's decisions on a question."""
        return next((one for one in self.decisions(name) if self.question(one.row_hash) == question), None)

    def progress(self) -> Progress:
        """Measure the review; measured once for every state of the store."""
        self.refresh()
        with self._lock:
            mark, verdicts = self._mark, dict(self._verdicts)
            if self._measured is not None and self._measured[0] == mark:
                return self._measured[1]
        found = progress.measured(self.questions, self.material.wanted, verdicts, least=self.options.least)
        self._measured = (mark, found)
        return found

    def people(self) -> dict[str, int]:
        """Count the questions that each person has answered, the busiest first."""
        with self._lock:
            pairs = {(one.reviewer, question) for question, given in self._given.items() for one in given}
        return dict(sorted(Counter(name for name, _ in pairs).items(), key=lambda one: (-one[1], one[0])))

    def answered(self) -> tuple[Answer, ...]:
        """Give the answers that were given here and stand."""
        self.refresh()
        with self._lock:
            return answers.of_decisions(self._standing.values(), self.questions, self.place)

    def verdicts(self) -> dict[int, Verdict]:
        """Give what the answers came to, by question."""
        with self._lock:
            return dict(self._verdicts)

    def drawn_by_chance(self) -> NDArray[np.int64]:
        """Give the questions that were drawn by chance so far."""
        with self._lock:
            return np.array([one for one, why in self._asked.items() if why == RANDOM], np.int64)

    def skipped(self, name: str) -> set[int]:
        """Give the questions that a person skipped and did not answer since."""
        with self._lock:
            return {one for one in self._skipped.get(name, set()) if name not in self._voters(one)}

    def mine(self, name: str) -> set[int]:
        """Give the questions that a person answered."""
        with self._lock:
            return {question for question in self._given if name in self._voters(question)}

    def _offered(self, who: Person) -> Iterator[int]:
        """Give the questions for a person in their order, and draw more as they run out; what the person skipped comes last."""
        seen = 0
        while True:
            known = list(self._asked)[seen:]
            for question in known:
                if self._open(question, who.name) and question not in self._skipped.get(who.name, ()):
                    yield question
            seen += len(known)
            if not self._draw():
                break
        yield from (one for one in list(self._asked) if self._open(one, who.name) and one in self.skipped(who.name))

    def _open(self, question: int, name: str) -> bool:
        return not self._done(question) and name not in self._voters(question)

    def _done(self, question: int) -> bool:
        verdict = self._verdicts.get(question)
        return verdict is not None and verdict.answer is not None and len(self._voters(question)) >= self.options.people

    def _voters(self, question: int) -> set[str]:
        return {answer.reviewer for answer in self._given.get(question, ())}

    def _draw(self) -> bool:
        """Draw the next questions; False where there are none."""
        waiting = self.material.wanted.copy()
        waiting[list(self._asked)] = False
        known = {one: verdict for one, verdict in self._verdicts.items() if verdict.answer is None or self._done(one)}
        drawn = queue.drawn(
            self.questions,
            waiting,
            known,
            count=BATCH,
            random_share=self.options.random_share,
            seed=self.options.seed,
        )
        self._asked |= dict(zip(drawn.question.tolist(), drawn.why, strict=True))
        return len(drawn) > 0

    def _take(self, decision: Decision) -> None:
        if decision.withdrawn or decision.row_hash not in self.place:
            return
        self._standing[decision.id] = decision
        if decision.answer is None:
            self._skipped.setdefault(decision.reviewer, set()).add(self.question(decision.row_hash))
        else:
            self._give(answers.of_decision(decision, self.questions, self.place[decision.row_hash]))

    def _drop(self, back: int) -> None:
        decision = self._standing.pop(back, None)
        if decision is None:
            return
        question = self.question(decision.row_hash)
        if decision.answer is None:
            left = (one for one in self._standing.values() if one.answer is None and one.reviewer == decision.reviewer)
            self._skipped[decision.reviewer] = {self.question(one.row_hash) for one in left}
            return
        row = self.place[decision.row_hash]
        self._given[question].remove(answers.of_decision(decision, self.questions, row))
        self._settle(question)

    def _give(self, answer: Answer) -> None:
        row = self.place.get(answer.row_hash)
        if row is not None:
            question = int(self.questions.question[row])
            self._given.setdefault(question, []).append(answer)
            self._settle(question)

    def _settle(self, question: int) -> None:
        if self._given[question]:
            self._verdicts[question] = reviews.settled(self._given[question])
        else:
            del self._given[question], self._verdicts[question]
