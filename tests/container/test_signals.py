"""Promises of stopping at a safe point."""

import os
import signal

import pytest

from relabel.container.signals import Stop, Stopped


@pytest.fixture(autouse=True)
def _former_handlers():
    """Whatever a test does, the next one finds Python's own handlers."""
    former = {signum: signal.getsignal(signum) for signum in (signal.SIGTERM, signal.SIGINT)}
    yield
    for signum, handler in former.items():
        signal.signal(signum, handler)


def test_without_a_signal_nothing_happens() -> None:
    """Asking costs nothing and changes nothing."""
    with Stop() as stop:
        stop.check()
    assert stop.signum is None


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_waits_for_the_next_safe_point(signum, code) -> None:
    """Work goes on until it asks; then Stopped carries the exit code of shells."""
    done = False
    with Stop() as stop:
        os.kill(os.getpid(), signum)
        done = True
        with pytest.raises(Stopped) as stopped:
            stop.check()
    assert done
    assert stopped.value.exit_code == code


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_changes_nothing(second) -> None:
    """Impatience does not shorten a safe stop, nor change its code."""
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), second)
        with pytest.raises(Stopped) as stopped:
            stop.check()
    assert stopped.value.exit_code == 143


def test_a_stop_is_no_exception_that_code_catches() -> None:
    """`except Exception` anywhere in the job lets it through."""
    assert not issubclass(Stopped, Exception)


def test_asking_can_be_handed_down_as_a_function() -> None:
    """Whatever takes long needs no more than a callable."""
    with Stop() as stop:
        check = stop.check
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Stopped):
            check()


def test_former_handlers_come_back() -> None:
    """After the block a signal does what it did before, also where the block failed."""
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), Stop():
        raise ZeroDivisionError
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_a_library_that_exits_on_a_signal_has_stopped() -> None:
    """Lightning answers SIGTERM with a SystemExit without a code, which would count as success."""

    def library() -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        raise SystemExit

    with pytest.raises(Stopped) as stopped, Stop():
        library()
    assert stopped.value.exit_code == 143


def test_an_exit_without_a_signal_stays_an_exit() -> None:
    """Only a signal makes a stop."""
    with pytest.raises(SystemExit) as left, Stop():
        raise SystemExit(2)
    assert left.value.code == 2
