"""Connections, channels and queues for the pika checks."""

import contextlib
import os
import sys

import pika
import pika.exceptions

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from checks import eventually, unique  # noqa: E402

URL = os.environ.get('BROKER_URL', 'amqp://guest:guest@127.0.0.1:5672')


def parameters(**changes):
    result = pika.URLParameters(URL)
    for name, value in changes.items():
        setattr(result, name, value)
    return result


@contextlib.contextmanager
def connection(**changes):
    opened = pika.BlockingConnection(parameters(**changes))
    try:
        yield opened
    finally:
        if opened.is_open:
            opened.close()


@contextlib.contextmanager
def channel(**changes):
    with connection(**changes) as opened:
        yield opened.channel()


@contextlib.contextmanager
def shared_queue(label, **options):
    """A queue that other connections can use, deleted at the end. Yields its name."""
    name = unique(label)
    with channel() as ch:
        ch.queue_declare(name, **options)
    try:
        yield name
    finally:
        with channel() as ch:
            ch.queue_delete(name)


@contextlib.contextmanager
def exchange(kind, label=None, **options):
    """An exchange of its own, deleted at the end. Yields its name."""
    name = unique(label or kind)
    with channel() as ch:
        ch.exchange_declare(name, kind, **options)
    try:
        yield name
    finally:
        with channel() as ch:
            ch.exchange_delete(name)


def own_queue(ch, **options):
    """A server-named exclusive queue, gone with its connection."""
    return ch.queue_declare('', exclusive=True, **options).method.queue


def get_one(ch, queue, auto_ack=True):
    """Waits for a message in a queue: (method, properties, body)."""
    got = []

    def poll():
        method, properties, body = ch.basic_get(queue, auto_ack=auto_ack)
        if method is not None:
            got.append((method, properties, body))
        return method is not None

    eventually(poll, lambda: ch.connection.sleep(0.02), 'a message in %s' % queue)
    return got[0]


def count(ch, queue):
    return ch.queue_declare(queue, passive=True).method.message_count


def await_count(ch, queue, expected):
    eventually(lambda: count(ch, queue) == expected, lambda: ch.connection.sleep(0.02), '%d messages in %s' % (expected, queue))


def consume_until(ch, condition, what):
    """Handles incoming frames until the condition holds."""
    eventually(condition, lambda: ch.connection.process_data_events(0.05), what)


@contextlib.contextmanager
def channel_closed(code, text):
    """The block must get its channel closed with this reply code and exactly this text."""
    try:
        yield
    except pika.exceptions.ChannelClosedByBroker as error:
        assert (error.reply_code, error.reply_text) == (code, text), 'closed with %r' % (error.args,)
        return
    raise AssertionError('the channel was not closed; expected %d %s' % (code, text))
