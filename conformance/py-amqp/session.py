"""Connections, channels and queues for the py-amqp checks."""

import contextlib
import os
import socket
import sys
from urllib.parse import urlparse

import amqp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from checks import eventually, unique  # noqa: E402

ADDRESS = urlparse(os.environ.get('BROKER_URL', 'amqp://guest:guest@127.0.0.1:5672'))
HOST = '%s:%d' % (ADDRESS.hostname, ADDRESS.port or 5672)


@contextlib.contextmanager
def connection(**options):
    opened = amqp.Connection(**{'host': HOST, 'userid': 'guest', 'password': 'guest', **options})
    opened.connect()
    try:
        yield opened
    finally:
        if opened.connected:
            opened.close()


@contextlib.contextmanager
def channel(**options):
    with connection(**options) as opened:
        yield opened.channel()


@contextlib.contextmanager
def shared_queue(label, **options):
    """A queue that other connections can use, deleted at the end. Yields its name."""
    name = unique(label)
    with channel() as ch:
        ch.queue_declare(name, **{'auto_delete': False, **options})
    try:
        yield name
    finally:
        with channel() as ch:
            ch.queue_delete(name)


def own_queue(ch, **options):
    """A server-named exclusive queue, gone with its connection."""
    return ch.queue_declare('', **{'exclusive': True, 'auto_delete': False, **options}).queue


def get_one(ch, queue, no_ack=True):
    return eventually(lambda: ch.basic_get(queue, no_ack=no_ack), what='a message in %s' % queue)


def await_count(ch, queue, expected):
    eventually(lambda: ch.queue_declare(queue, passive=True).message_count == expected, what='%d messages in %s' % (expected, queue))


def drain_until(ch, condition, what):
    """Handles incoming frames until the condition holds."""

    def step():
        try:
            ch.connection.drain_events(timeout=0.05)
        except socket.timeout:
            pass

    eventually(condition, step, what)


@contextlib.contextmanager
def raises(kind, code, text):
    try:
        yield
    except kind as error:
        assert (error.reply_code, error.reply_text) == (code, text), 'raised %r' % error
        return
    raise AssertionError('%s was not raised; expected %d %s' % (kind.__name__, code, text))
