"""Celery workers as processes, started the way people start them."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from checks import eventually, unique  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))

# One application per run, so that runs can share a broker. The tasks module reads these when it is imported.
os.environ.setdefault('CELERY_PREFIX', unique('celery'))
os.environ.setdefault('CELERY_NOTES', os.path.join(tempfile.mkdtemp(prefix='celery-'), 'notes'))
NOTES = os.environ['CELERY_NOTES']


class Worker:
    def __init__(self, command, *args, env=None):
        self.name = '%s@conformance' % unique('w').split('.')[-1]
        self.log_path = os.path.join(os.path.dirname(NOTES), self.name + '.log')
        self.log = open(self.log_path, 'w')
        naming = ['-n', self.name] if command == 'worker' else []
        # a session of its own: killing the group takes the pool's processes along, as a machine that fails would
        self.process = subprocess.Popen([sys.executable, '-m', 'celery', '-A', 'tasks', command, '-l', 'INFO', *naming, *args],
                                        cwd=HERE, env={**os.environ, **(env or {})}, stdout=self.log, stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL, start_new_session=True)

    def output(self):
        with open(self.log_path) as file:
            return file.read()

    def prints(self, text, times=1, seconds=25):
        def has():
            assert self.process.poll() is None or self.output().count(text) >= times, 'it ended:\n' + self.output()
            return self.output().count(text) >= times

        try:
            eventually(has, what='«%s» from %s' % (text, self.name), seconds=seconds)
        except AssertionError as error:
            raise AssertionError('%s\n%s' % (error, self.output())) from error

    # There is no clean stop: Celery 5.2 hangs in its pool now and then when it is told to end soon after a task, or ends without having
    # acknowledged it, whatever the broker.
    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(5)
        self.log.close()


@contextlib.contextmanager
def worker(*args, env=None, command='worker', ready='ready.'):
    started = Worker(command, *args, env=env)
    try:
        started.prints(ready)
        yield started
    finally:
        started.kill()


def notes():
    try:
        with open(NOTES) as file:
            return file.read().splitlines()
    except FileNotFoundError:
        return []


def forget_notes():
    with contextlib.suppress(FileNotFoundError):
        os.remove(NOTES)


@contextlib.contextmanager
def gate():
    """The path of a file that does not exist yet, and what lets it appear."""
    path = os.path.join(os.path.dirname(NOTES), unique('gate'))

    def release():
        with open(path, 'w'):
            pass

    try:
        yield path, release
    finally:
        release()


def clean(tasks):
    """Deletes the application's durable queues and exchanges."""
    with tasks.app.connection() as conn:
        for suffix in ('', '.reports', '.urgent', '.extra'):
            conn.default_channel.queue_delete(tasks.PREFIX + suffix)
        for suffix in ('', '.topic', '.extra', '.celery.pidbox', '.celeryev'):
            conn.default_channel.exchange_delete(tasks.PREFIX + suffix)
        conn.default_channel.exchange_delete('reply.%s.celery.pidbox' % tasks.PREFIX)
