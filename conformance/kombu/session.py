"""Connections for the kombu checks."""

import contextlib
import os
import socket
import sys

import kombu

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from checks import eventually, unique  # noqa: E402

URL = os.environ.get('BROKER_URL', 'amqp://guest:guest@127.0.0.1:5672')


@contextlib.contextmanager
def connection(url=None, **options):
    with kombu.Connection(url or URL, **options) as opened:
        opened.connect()
        yield opened


def own_exchange(kind, **options):
    return kombu.Exchange(unique(kind), kind, durable=False, auto_delete=True, **options)


def own_queue(label, exchange=None, **options):
    return kombu.Queue(unique(label), **({'exchange': exchange} if exchange else {}), **{'exclusive': True, 'durable': False, **options})


def drain_until(conn, condition, what):
    """Handles incoming frames until the condition holds."""

    def step():
        try:
            conn.drain_events(timeout=0.05)
        except socket.timeout:
            pass

    eventually(condition, step, what)


def get_one(bound_queue, no_ack=True):
    return eventually(lambda: bound_queue.get(no_ack=no_ack), what='a message in %s' % bound_queue.name)
