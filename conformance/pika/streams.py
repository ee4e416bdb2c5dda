"""Streams through pika's BlockingConnection: reading from everywhere, again and again."""

import contextlib
import datetime

import pika

from session import channel, channel_closed
from checks import check, equal, main, unique


@contextlib.contextmanager
def stream(bodies):
    with channel() as ch:
        queue = unique('stream')
        ch.queue_declare(queue, durable=True, arguments={'x-queue-type': 'stream'})
        ch.confirm_delivery()
        try:
            for body in bodies:
                ch.basic_publish('', queue, body)
            yield queue
        finally:
            ch.queue_delete(queue)


def read(queue, offset, count):
    """The first messages that a consumer gets which begins there: offsets and bodies."""
    with channel() as ch:
        ch.basic_qos(prefetch_count=50)
        got = []
        arguments = {} if offset is None else {'x-stream-offset': offset}
        for method, properties, body in ch.consume(queue, arguments=arguments, inactivity_timeout=10):
            assert method is not None, 'only %d of %d messages came' % (len(got), count)
            ch.basic_ack(method.delivery_tag)
            got.append((properties.headers['x-stream-offset'], body))
            if len(got) >= count:
                return got


def numbers(first, end):
    return [(number, b'%d' % number) for number in range(first, end)]


@check('a stream is read from the first message on, twice')
def _():
    with stream(body for _, body in numbers(0, 120)) as queue:
        equal(read(queue, 'first', 120), numbers(0, 120))
        equal(read(queue, 'first', 120), numbers(0, 120))


@check('a stream is read from an offset, from a time and from an age')
def _():
    with stream(body for _, body in numbers(0, 40)) as queue:
        equal(read(queue, 25, 15), numbers(25, 40))
        equal(read(queue, datetime.datetime(2001, 9, 9), 40), numbers(0, 40))
        equal(read(queue, '1h', 40), numbers(0, 40))


@check('consuming needs a prefetch')
def _():
    with stream([]) as queue, channel() as ch:
        with channel_closed(406, "PRECONDITION_FAILED - consumer prefetch count is not set for 'queue '%s' in vhost '/''" % queue):
            ch.basic_consume(queue, lambda *_: None)


main()
