"""pika's SelectConnection: everything by callbacks."""

import functools

import pika

from session import parameters
from checks import check, equal, main, unique


class Flow:
    """A SelectConnection driven until `finish` is called, or an error ends it."""

    def __init__(self, steps, **changes):
        self.closed_with = None
        self.failure = None
        self.steps = steps
        self.connection = pika.SelectConnection(parameters(**changes), on_open_callback=self.guard(self.on_open),
                                                on_open_error_callback=self.on_open_error, on_close_callback=self.on_close)
        self.connection.ioloop.call_later(15, lambda: self.fail(AssertionError('the flow had not finished after 15 s')))
        self.connection.ioloop.start()
        if self.failure:
            raise self.failure

    def guard(self, function):
        """Callbacks run inside the loop: an assertion that fails there has to end it."""

        @functools.wraps(function)
        def guarded(*args, **kwargs):
            try:
                return function(*args, **kwargs)
            except BaseException as error:
                self.fail(error)

        return guarded

    def fail(self, error):
        self.failure = self.failure or error
        self.connection.ioloop.stop()

    def on_open(self, connection):
        connection.channel(on_open_callback=self.guard(lambda ch: self.steps(self, ch)))

    def on_open_error(self, _connection, error):
        self.closed_with = error
        self.connection.ioloop.stop()

    def on_close(self, _connection, reason):
        self.closed_with = reason
        self.connection.ioloop.stop()

    def finish(self):
        self.connection.close()


@check('declare, bind, publish, consume, acknowledge, cancel and close')
def _():
    events = []

    def steps(flow, ch):
        exchange, queue = unique('select'), unique('select')

        def on_message(channel, method, properties, body):
            events.append((method.routing_key, properties.content_type, body))
            channel.basic_ack(method.delivery_tag)
            if len(events) == 3:
                channel.basic_cancel(tag, callback=flow.guard(lambda _f: flow.finish()))

        def on_bound(_frame):
            nonlocal tag
            tag = ch.basic_consume(queue, flow.guard(on_message), callback=flow.guard(on_consuming))

        def on_consuming(_frame):
            for number in range(3):
                ch.basic_publish(exchange, 'k.%d' % number, b'%d' % number, pika.BasicProperties(content_type='text/plain'))

        tag = None
        ch.exchange_declare(exchange, 'topic', auto_delete=True, callback=flow.guard(
            lambda _f: ch.queue_declare(queue, exclusive=True, callback=flow.guard(
                lambda _f: ch.queue_bind(queue, exchange, 'k.*', callback=flow.guard(on_bound))))))

    flow = Flow(steps)
    equal(events, [('k.%d' % n, 'text/plain', b'%d' % n) for n in range(3)])
    equal(flow.closed_with.reply_code, 200)


@check('a stream of confirms acknowledges every message once')
def _():
    outstanding = set(range(1, 1001))
    nacked = []

    def steps(flow, ch):
        def on_confirm(frame):
            method = frame.method
            settled = {tag for tag in outstanding if tag <= method.delivery_tag} if method.multiple else {method.delivery_tag}
            assert settled <= outstanding, 'confirmed twice: %r' % (settled - outstanding)
            outstanding.difference_update(settled)
            if isinstance(method, pika.spec.Basic.Nack):
                nacked.extend(settled)
            if not outstanding:
                flow.finish()

        def publish(frame):
            for number in range(1000):
                ch.basic_publish('', frame.method.queue, b'%d' % number, pika.BasicProperties(delivery_mode=2))

        ch.confirm_delivery(flow.guard(on_confirm), callback=flow.guard(
            lambda _f: ch.queue_declare('', exclusive=True, callback=flow.guard(publish))))

    Flow(steps)
    equal((outstanding, nacked), (set(), []))


@check('a returned message comes before its confirmation')
def _():
    events = []

    def steps(flow, ch):
        ch.add_on_return_callback(lambda _ch, method, _properties, body: events.append((method.reply_text, body)))

        def on_confirm(frame):
            events.append((type(frame.method).__name__, frame.method.delivery_tag))
            flow.finish()

        ch.confirm_delivery(flow.guard(on_confirm), callback=flow.guard(
            lambda _f: ch.basic_publish('amq.direct', 'nobody', b'x', mandatory=True)))

    Flow(steps)
    equal(events, [('NO_ROUTE', b'x'), ('Ack', 1)])


@check('a channel error is told with its code, and the connection goes on')
def _():
    closed = []

    def steps(flow, ch):
        def on_channel_closed(_ch, reason):
            closed.append((reason.reply_code, reason.reply_text))
            flow.connection.channel(on_open_callback=flow.guard(lambda _ch: flow.finish()))

        ch.add_on_close_callback(flow.guard(on_channel_closed))
        ch.queue_declare('nowhere', passive=True)

    Flow(steps)
    equal(closed, [(404, "NOT_FOUND - no queue 'nowhere' in vhost '/'")])


@check('a connection that cannot be opened says why')
def _():
    flow = Flow(lambda flow, ch: flow.fail(AssertionError('it opened')), virtual_host='nowhere')
    assert "(530) 'NOT_ALLOWED - vhost nowhere not found'" in str(flow.closed_with), flow.closed_with


main()
