"""Named checks, reported as TAP lines (see tap.ts). Used by every Python client's programs.

    from checks import check, main

    @check('a queue can be declared')
    def _(): ...

    main()

An argument on the command line runs only the checks whose name contains it.
"""

import os
import signal
import sys
import time
import traceback
import uuid

_checks = []
CHECK_SECONDS_MAX = 30


class Skip(Exception):
    """Raised by a check that cannot be made here; its text is the reason."""


def check(name):
    def register(function):
        _checks.append((name, function))
        return function

    return register


def unique(label):
    """A name that no other run uses, so that runs can share a broker."""
    return 'conformance.%s.%s' % (label, uuid.uuid4().hex[:12])


def equal(actual, expected, what='value'):
    assert actual == expected, '%s is %r, expected %r' % (what, actual, expected)


def eventually(condition, step=lambda: time.sleep(0.02), what='the condition', seconds=10):
    """Polls until the condition gives something true, which is returned. `step` lets the client do its work in between."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, 'waited %s s for %s' % (seconds, what)
        step()


def _late(_signal, _frame):
    raise TimeoutError('the check had not ended after %d s' % CHECK_SECONDS_MAX)


def main(at_end=lambda: None):
    """Runs the checks, then `at_end`, and ends the process."""
    sys.stdout.reconfigure(line_buffering=True)
    selected = [c for c in _checks if len(sys.argv) < 2 or sys.argv[1] in c[0]]
    print('1..%d' % len(selected))
    failed = 0
    signal.signal(signal.SIGALRM, _late)
    for number, (name, function) in enumerate(selected, 1):
        print('# begin %s' % name)
        signal.alarm(CHECK_SECONDS_MAX)
        try:
            function()
            print('ok %d - %s' % (number, name))
        except Skip as reason:
            print('ok %d - %s # SKIP %s' % (number, name, reason))
        except BaseException:  # a client's own errors derive from anything, and a late check must not end the run
            failed += 1
            print('not ok %d - %s' % (number, name))
            for line in traceback.format_exc().splitlines():
                print('# %s' % line)
        finally:
            signal.alarm(0)
    at_end()
    sys.stdout.flush()
    os._exit(1 if failed else 0)  # a client's background threads must not keep a finished run alive
