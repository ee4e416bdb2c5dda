"""A broker that is low on memory: whoever publishes is told so and stopped; whoever consumes goes on. With pika and py-amqp."""

import os
import sys

import amqp
import pika
import pika.exceptions
from urllib.parse import urlparse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from checks import check, equal, eventually, main  # noqa: E402

URL = os.environ['BROKER_URL']


@check('pika is told why its connection is blocked when it publishes')
def _():
    connection = pika.BlockingConnection(pika.URLParameters(URL))
    reasons = []
    connection.add_on_connection_blocked_callback(lambda _connection, frame: reasons.append(frame.method.reason))
    channel = connection.channel()
    queue = channel.queue_declare('', exclusive=True).method.queue
    equal(reasons, [], 'reasons before anything was published')
    channel.basic_publish('', queue, b'x')
    eventually(lambda: reasons, lambda: connection.process_data_events(0.05), 'connection.blocked')
    equal(reasons, ['low on memory'])


@check('pika gives up after blocked_connection_timeout')
def _():
    parameters = pika.URLParameters(URL)
    parameters.blocked_connection_timeout = 1
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    channel.confirm_delivery()
    try:
        channel.basic_publish('', 'anything', b'x')
    except pika.exceptions.ConnectionBlockedTimeout:
        return
    raise AssertionError('it was confirmed')


@check('a connection that does not publish works on')
def _():
    connection = pika.BlockingConnection(pika.URLParameters(URL))
    channel = connection.channel()
    queue = channel.queue_declare('', exclusive=True).method.queue
    channel.queue_bind(queue, 'amq.fanout')
    channel.basic_consume(queue, lambda *_: None)
    equal(channel.queue_declare(queue, passive=True).method.consumer_count, 1)
    connection.close()


@check('py-amqp is told that its connection is blocked')
def _():
    address = urlparse(URL)
    reasons = []
    connection = amqp.Connection('%s:%d' % (address.hostname, address.port), on_blocked=reasons.append)
    connection.connect()
    channel = connection.channel()
    queue = channel.queue_declare('', exclusive=True).queue
    channel.basic_publish(amqp.Message('x'), '', queue)

    def step():
        try:
            connection.drain_events(timeout=0.05)
        except OSError:
            pass

    eventually(lambda: reasons, step, 'connection.blocked')
    equal(len(reasons), 1, 'number of notices')  # py-amqp puts a text of its own in the place of the broker's reason


main()
