"""One Celery worker with its usual settings: tasks, results, retries, schedules, groups, control."""

import datetime
import time

from worker import clean, forget_notes, gate, notes, worker
import tasks
from checks import check, equal, eventually, main

import celery.exceptions
from celery import chain, group

SECONDS = 20

started = worker('--concurrency=2', '-E', '-Q', ','.join(tasks.PREFIX + suffix for suffix in ('', '.reports', '.urgent')))
main_worker = started.__enter__()


@check('a task returns its result')
def _():
    equal(tasks.add.delay(2, 3).get(timeout=SECONDS), 5)
    equal(tasks.add.apply_async(kwargs={'x': 'a', 'y': 'ü'}).get(timeout=SECONDS), 'aü')


@check('many results come to their own callers')
def _():
    results = [tasks.add.delay(number, number) for number in range(20)]
    equal([result.get(timeout=SECONDS) for result in results], [2 * number for number in range(20)])


@check('an error in a task is raised where its result is asked for')
def _():
    result = tasks.fail.delay('no good')
    try:
        result.get(timeout=SECONDS)
    except ValueError as error:
        equal((str(error), result.state), ('no good', 'FAILURE'))
        return
    raise AssertionError('no error')


@check('a task retries until it succeeds, or gives up')
def _():
    equal(tasks.third_time.delay(0.1).get(timeout=SECONDS), 2)
    try:
        tasks.always_retry.delay().get(timeout=SECONDS)
    except KeyError:
        return
    raise AssertionError('no error')


@check('countdown and ETA hold a task back')
def _():
    # when a task ran is told by itself: Celery may look at a result that is there only a second later
    began = time.time()
    by_countdown = tasks.now.apply_async(countdown=1)
    by_eta = tasks.now.apply_async(eta=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=1.2))
    at_once = tasks.now.delay().get(timeout=SECONDS)
    later, latest = by_countdown.get(timeout=SECONDS), by_eta.get(timeout=SECONDS)
    assert began + 0.95 <= later and began + 1.15 <= latest and at_once < later, (began, at_once, later, latest)


@check('more tasks with a countdown than the prefetch limit do not keep others waiting')
def _():
    forget_notes()
    held = [tasks.note.apply_async(('held',), countdown=2) for _ in range(20)]
    tasks.note.delay('prompt')
    for result in held:
        result.get(timeout=SECONDS)
    eventually(lambda: len(notes()) == 21, what='every note')
    equal(notes()[0], 'prompt', 'the first note')


@check('an expired task is not run')
def _():
    forget_notes()
    result = tasks.note.apply_async(('too late',), expires=datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=5))
    try:
        result.get(timeout=SECONDS)
    except celery.exceptions.TaskRevokedError:
        equal(notes(), [])
        return
    raise AssertionError('it was run')


@check('a group gives the results of its members, a chain that of its last')
def _():
    equal(group(tasks.add.s(number, 1) for number in range(10))().get(timeout=SECONDS), list(range(1, 11)))
    equal(chain(tasks.add.s(1, 2), tasks.add.s(3), tasks.add.s(4))().get(timeout=SECONDS), 10)


@check('a route sends a task through a topic exchange')
def _():
    equal(tasks.report.delay('sales').get(timeout=SECONDS), 'report on sales')


@check('a revoked task is not run')
def _():
    forget_notes()
    result = tasks.note.apply_async(('revoked',), countdown=1.0)
    result.revoke()
    try:
        result.get(timeout=SECONDS)
    except celery.exceptions.TaskRevokedError:
        equal((notes(), result.state), ([], 'REVOKED'))
        return
    raise AssertionError('it was run')


@check('a running task can be terminated')
def _():
    forget_notes()
    with gate() as (path, _release):
        result = tasks.slow.delay('doomed', path)
        eventually(lambda: notes() == ['start doomed'], what='the start of the task')
        result.revoke(terminate=True)
        try:
            result.get(timeout=SECONDS)
        except celery.exceptions.TaskRevokedError:
            equal(notes(), ['start doomed'])
            return
        raise AssertionError('it was not terminated')


@check('the worker answers control commands')
def _():
    control = tasks.app.control
    name = main_worker.name
    equal(control.ping(destination=[name], timeout=5, limit=1), [{name: {'ok': 'pong'}}])
    inspect = control.inspect(destination=[name], timeout=5, limit=1)
    assert 'tasks.add' in inspect.registered()[name]
    equal(sorted(queue['name'] for queue in inspect.active_queues()[name]), sorted(tasks.PREFIX + s for s in ('', '.reports', '.urgent')))
    equal(inspect.stats()[name]['broker']['transport'], 'amqp')
    extra = tasks.PREFIX + '.extra'
    control.add_consumer(extra, destination=[name], reply=True)
    equal(tasks.add.apply_async((20, 1), queue=extra).get(timeout=SECONDS), 21)
    control.cancel_consumer(extra, destination=[name], reply=True)
    eventually(lambda: extra not in [queue['name'] for queue in inspect.active_queues()[name]], what='the queue to be left')


@check('events tell the life of a task')
def _():
    seen = []
    with tasks.app.connection() as conn:
        receiver = tasks.app.events.Receiver(conn, handlers={'task-received': seen.append, 'task-succeeded': seen.append})
        # the queue of the receiver has to be bound before there is anything to hear
        with receiver.consumer_context() as (receiving, _channel, _consumers):
            result = tasks.add.delay(4, 4)
            equal(result.get(timeout=SECONDS), 8)

            def step():
                try:
                    receiving.drain_events(timeout=0.1)
                except OSError:
                    pass

            eventually(lambda: {event['type'] for event in seen if event['uuid'] == result.id} == {'task-received', 'task-succeeded'}, step, 'two events')


@check('ignored results and a result nobody waits for do no harm')
def _():
    forget_notes()
    tasks.note.apply_async(('unheard',), ignore_result=True)
    tasks.add.delay(1, 1)
    eventually(lambda: notes() == ['unheard'], what='the note')
    equal(tasks.add.delay(5, 5).get(timeout=SECONDS), 10)


@check('asking for a chord says that this result backend has none')
def _():
    try:
        celery.chord([tasks.add.s(1, 1)])(tasks.total.s())
    except NotImplementedError as error:
        assert 'does not support chords' in str(error)
        return
    raise AssertionError('no error')


main(at_end=lambda: (started.__exit__(None, None, None), clean(tasks)))
