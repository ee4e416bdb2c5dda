"""The Celery application the checks use: an ordinary one, whose broker URL is all that says which broker it is."""

import os
import time

from celery import Celery
from kombu import Exchange, Queue

PREFIX = os.environ.get('CELERY_PREFIX', 'conformance')

app = Celery('tasks', broker=os.environ.get('BROKER_URL', 'amqp://guest:guest@127.0.0.1:5672'), backend=os.environ.get('CELERY_RESULTS', 'rpc://'))
app.conf.update(
    task_default_queue=PREFIX,
    task_default_exchange=PREFIX,
    task_default_routing_key=PREFIX,
    task_queues=[
        Queue(PREFIX, Exchange(PREFIX, 'direct'), routing_key=PREFIX),
        Queue(PREFIX + '.reports', Exchange(PREFIX + '.topic', 'topic'), routing_key='report.#'),
        Queue(PREFIX + '.urgent', Exchange(PREFIX, 'direct'), routing_key=PREFIX + '.urgent', queue_arguments={'x-max-priority': 10}),
    ],
    control_exchange=PREFIX + '.celery',
    event_exchange=PREFIX + '.celeryev',
    event_queue_prefix=PREFIX + '.celeryev',
    control_queue_expires=60,
    event_queue_expires=60,
    task_routes={'tasks.report': {'exchange': PREFIX + '.topic', 'routing_key': 'report.daily'}},
    worker_prefetch_multiplier=int(os.environ.get('CELERY_PREFETCH', '4')),
    broker_transport_options={'confirm_publish': os.environ.get('CELERY_CONFIRM') == 'yes'},
    beat_schedule={'tick': {'task': 'tasks.note', 'schedule': 0.3, 'args': ('beat',)}},
    broker_connection_retry_on_startup=True,
)


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task
def report(name):
    return 'report on ' + name


@app.task
def fail(text):
    raise ValueError(text)


@app.task(bind=True, max_retries=5)
def third_time(self, delay):
    """Succeeds at the third attempt and tells the number of its retries."""
    if self.request.retries < 2:
        raise self.retry(countdown=delay)
    return self.request.retries


@app.task(bind=True, autoretry_for=(KeyError,), retry_kwargs={'max_retries': 2, 'countdown': 0})
def always_retry(self):
    raise KeyError('still not there')


@app.task
def now():
    return time.time()


@app.task
def note(text):
    """Appends a line to the file the checks read. A write of one short line is atomic."""
    with open(os.environ['CELERY_NOTES'], 'a') as file:
        file.write(text + '\n')


@app.task
def slow(text, release):
    """Notes its start, waits for a file to appear, notes its end."""
    note('start ' + text)
    while not os.path.exists(release):
        time.sleep(0.02)
    note('end ' + text)
    return text


@app.task(acks_late=True, reject_on_worker_lost=True)
def careful(text, release):
    return slow(text, release)
