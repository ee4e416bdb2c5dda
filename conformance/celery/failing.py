"""Celery where things go wrong or wait: prefetch, priorities, workers killed, connections cut, chords, beat."""

import os
import subprocess
import sys
import tempfile
from urllib.parse import urlparse

from worker import clean, forget_notes, gate, notes, worker
import tasks
from checks import check, equal, eventually, main
from relay import Relay

SECONDS = 20
PLAIN = ('--without-gossip', '--without-mingle')


def waiting(queue):
    """How many messages the broker still holds ready."""
    with tasks.app.connection() as conn:
        return conn.default_channel.queue_declare(queue, passive=True).message_count


@check('prefetch leaves the rest in the queue, priorities order it, acknowledged late')
def _():
    forget_notes()
    urgent = tasks.PREFIX + '.urgent'
    with gate() as (path, release), worker('--concurrency=1', '-O', 'fair', '-Q', urgent, *PLAIN, env={'CELERY_PREFETCH': '1'}):
        # acknowledged late: the running task counts against the prefetch limit of one
        first = tasks.careful.apply_async(('first', path), queue=urgent)
        eventually(lambda: notes() == ['start first'], what='the first task')
        results = [tasks.careful.apply_async((str(priority), path), queue=urgent, priority=priority) for priority in (1, 5, 9, 5)]
        eventually(lambda: waiting(urgent) == 4, what='four waiting tasks')
        release()
        for result in (first, *results):
            result.get(timeout=SECONDS)
        equal([line for line in notes() if line.startswith('start')], ['start first', 'start 9', 'start 5', 'start 5', 'start 1'])


@check('a task acknowledged late goes to another worker when its worker is killed')
def _():
    forget_notes()
    with gate() as (path, release):
        with worker('--concurrency=1', '-Q', tasks.PREFIX, *PLAIN) as doomed:
            result = tasks.careful.delay('task', path)
            eventually(lambda: notes() == ['start task'], what='the start of the task')
            doomed.kill()
        with worker('--concurrency=1', '-Q', tasks.PREFIX, *PLAIN) as survivor:
            eventually(lambda: notes() == ['start task', 'start task'], what='the task to start again')
            release()
            equal(result.get(timeout=SECONDS), 'task')
            # its result may be here before its acknowledgement is there; not before that of a task after it
            for _ in range(2):
                equal(tasks.add.delay(1, 1).get(timeout=SECONDS), 2)
            survivor.kill()
            equal(waiting(tasks.PREFIX), 0)


@check('tasks wait for a worker, and two workers share them')
def _():
    results = [tasks.add.delay(number, 1) for number in range(40)]
    eventually(lambda: waiting(tasks.PREFIX) == 40, what='forty waiting tasks')
    with worker('--concurrency=1', '-Q', tasks.PREFIX, '-E'), worker('--concurrency=1', '-Q', tasks.PREFIX, '-E'):
        equal([result.get(timeout=SECONDS) for result in results], list(range(1, 41)))


@check('a worker reconnects after its connection was cut, and tasks go on')
def _():
    address = urlparse(tasks.app.conf.broker_url)
    relay = Relay(address.hostname, address.port or 5672)
    url = 'amqp://guest:guest@127.0.0.1:%d//' % relay.port
    with worker('--concurrency=1', '-Q', tasks.PREFIX, *PLAIN, env={'BROKER_URL': url}) as reconnecting:
        equal(tasks.add.delay(1, 1).get(timeout=SECONDS), 2)
        relay.cut()
        reconnecting.prints('Connected to amqp', times=2)
        equal(tasks.add.delay(2, 2).get(timeout=SECONDS), 4)


@check('publishing with confirms works')
def _():
    with worker('--concurrency=1', '-Q', tasks.PREFIX, *PLAIN, env={'CELERY_CONFIRM': 'yes'}):
        tasks.app.conf.broker_transport_options = {'confirm_publish': True}
        equal([tasks.add.delay(number, 1).get(timeout=SECONDS) for number in range(10)], list(range(1, 11)))


@check('a chord waits for its header, with results in files')
def _():
    folder = tempfile.mkdtemp(prefix='celery-results-')
    results = 'file://' + folder
    with worker('--concurrency=2', '-Q', tasks.PREFIX, *PLAIN, env={'CELERY_RESULTS': results}):
        # a process of its own, because an application has one result backend
        code = 'import tasks; from celery import chord; print(chord([tasks.add.s(n, n) for n in range(10)])(tasks.total.s()).get(timeout=20))'
        output = subprocess.run([sys.executable, '-c', code], cwd=os.path.dirname(os.path.abspath(__file__)), capture_output=True, text=True, timeout=25,
                                env={**os.environ, 'CELERY_RESULTS': results})
        equal((output.stdout.strip(), output.returncode), ('90', 0), 'chord of %s' % output.stderr)


@check('beat sends tasks on time')
def _():
    forget_notes()
    schedule = os.path.join(tempfile.mkdtemp(prefix='celery-beat-'), 'schedule')
    with worker('--concurrency=1', '-Q', tasks.PREFIX, *PLAIN), worker('-s', schedule, command='beat', ready='beat: Starting'):
        eventually(lambda: notes()[:3] == ['beat'] * 3, what='three beats')


main(at_end=lambda: clean(tasks))
