"""The models that are loaded, each under the name that the platform gave it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition, Lock
from typing import NamedTuple, TypeVar

from relabel.errors import UserError
from relabel.serving import process, served
from relabel.serving.fleet import places, room
from relabel.serving.fleet.refusal import RefusalError, not_found
from relabel.serving.fleet.room import Room
from relabel.serving.served import Served

EXHAUSTED = {errno.ENOMEM, errno.EMFILE, errno.ENFILE}
"""What the system says when it has no more of something that a model needs."""

T = TypeVar("T")


class Listed(NamedTuple):
    """A loaded model as lists show it."""

    name: str
    url: str


@dataclass(slots=True, eq=False)
class _Entry:
    """A loaded model.

    served: None once it is to go.
    texts:  whether it takes texts.
    size:   bytes that it took.
    users:  requests that ask it now.
    """

    url: str
    served: Served | None
    texts: bool
    size: int
    users: int = 0


class Models:
    """Loads, lends and unloads. Safe for threads: changes happen one after the other, and requests for predictions wait for none of them.

    roots: folders that models may lie below.
    room:  memory that they may take.
    load:  makes a model of its folder.
    tell:  is told name -> url of all that are loaded, after each change.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        room: Room,
        load: Callable[[Path], Served] = served.load,
        tell: Callable[[Mapping[str, str]], None] = lambda _loaded: None,
    ) -> None:
        self._roots = roots
        self._room = room
        self._read = load
        self._tell = tell
        self._entries: dict[str, _Entry] = {}
        self._leaving = 0
        self._change = Lock()  # one load at a time: each is admitted to the room that the one before has left
        self._moment = Condition()  # held for moments: guards entries and their users

    def load(self, name: str, url: str) -> None:
        """Load the model that lies at `url`.

        Raises RefusalError: 409 where the name is taken, 400 or 404 where there is no model, 507 where there is no memory for it.
        """
        with self._change:
            if name in self._entries:
                raise RefusalError(409, f"Model {name} is already registered.")
            loaded = self._loaded(url)
            if isinstance(loaded, RefusalError):
                process.free()
                raise loaded
            with self._moment:
                self._entries[name] = loaded
            self._changed()

    def unload(self, name: str) -> None:
        """Unload a model, after the requests that ask it now: its memory is free on return.

        Raises RefusalError 404 where it is not loaded.
        """
        with self._moment:
            entry = self._entries.pop(name, None)
            if entry is None:
                raise not_found(name)
            self._leaving += entry.size
            self._moment.wait_for(lambda: not entry.users)
            entry.served = None
        with self._change:
            self._changed()
            process.free()
            with self._moment:
                self._leaving -= entry.size

    def use(self, name: str, work: Callable[[Served], T]) -> T:
        """Give what `work` makes of a model, which stays for as long as that takes; nothing of it may outlive the call.

        Raises RefusalError 404 where it is not loaded, and what `work` raises.
        """
        with self._moment:
            entry = self._entries.get(name)
            if entry is None or entry.served is None:
                raise not_found(name)
            entry.users += 1
        try:
            return work(entry.served)
        finally:
            with self._moment:
                entry.users -= 1
                self._moment.notify_all()

    def get(self, name: str) -> Listed:
        """Find a model. Raises RefusalError 404 where it is not loaded."""
        entry = self._entries.get(name)
        if entry is None:
            raise not_found(name)
        return Listed(name, entry.url)

    def takes_texts(self, name: str) -> bool:
        """Tell whether a model takes texts; one that is not loaded takes none."""
        entry = self._entries.get(name)
        return entry is not None and entry.texts

    def after(self, name: str, most: int) -> list[Listed]:
        """List at most so many models whose names come after `name`, in the order of names."""
        with self._moment:
            names = sorted(known for known in self._entries if known > name)[:most]
            return [Listed(known, self._entries[known].url) for known in names]

    def _loaded(self, url: str) -> _Entry | RefusalError:
        """Load a model, or say why not: an error on its way up would hold what loading has made so far."""
        try:
            folder = places.find(url, self._roots)
            expected = room.expected(folder)
            self._room.admit(expected.most, self._taken())
            before = self._room.held()
            model = self._read(folder)
            process.trim()
            self._room.check()
        except RefusalError as error:
            return error.with_traceback(None)
        except (UserError, OSError, MemoryError) as error:
            return _refused(error)
        # others allocate meanwhile, so what was measured is taken within what is plausible
        return _Entry(
            url, model, model.takes.texts, min(max(expected.least, self._room.held() - before), expected.most)
        )

    def _changed(self) -> None:
        with self._moment:
            loaded = {name: entry.url for name, entry in self._entries.items()}
        self._tell(loaded)

    def _taken(self) -> int:
        with self._moment:
            return self._leaving + sum(entry.size for entry in self._entries.values())


def _refused(error: BaseException) -> RefusalError:
    """Say why a model could not be loaded: nothing is left of what it needs, or it is none."""
    if any(isinstance(each, MemoryError) or getattr(each, "errno", None) in EXHAUSTED for each in _causes(error)):
        return RefusalError(507, "no memory, or no more files that may be open, for this model: unload others")
    return RefusalError(400, f"the model cannot be loaded: {error}")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Give an error, and those that it came of."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
