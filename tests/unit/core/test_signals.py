"""What must be brought to its end is not disturbed by Ctrl-C, and afterwards Ctrl-C is what it was."""

import signal
import threading

import pytest

from support.core.signals import undisturbed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_told_and_disturbs_nothing(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    told: list[str] = []
    with undisturbed(lambda: told.append("not now")):
        signal.raise_signal(number)
        told.append("done")
    assert told == ["not now", "done"]
    assert signal.getsignal(number) is before


def test_afterwards_ctrl_c_interrupts_again_also_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), undisturbed(lambda: None):
        raise ZeroDivisionError
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_other_threads_are_never_interrupted_and_touch_no_handler() -> None:
    seen: list[object] = []

    def work() -> None:
        with undisturbed(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
