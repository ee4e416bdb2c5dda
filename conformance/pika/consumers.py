"""Consumers through pika's BlockingConnection."""

import pika
import pika.exceptions

from session import await_count, channel, channel_closed, connection, consume_until, count, get_one, own_queue, shared_queue
from checks import check, equal, eventually, main, unique


class Collector:
    """A consumer that keeps what it gets."""

    def __init__(self, ch, queue, **options):
        self.deliveries = []
        self.tag = ch.basic_consume(queue, self.take, **options)

    def take(self, _ch, method, _properties, body):
        self.deliveries.append((method, body))

    @property
    def bodies(self):
        return [body for _method, body in self.deliveries]


def publish(ch, queue, *bodies, **options):
    for body in bodies:
        ch.basic_publish('', queue, body, **options)


@check('a consumer gets what is there and what comes')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        publish(ch, queue, b'before')
        collector = Collector(ch, queue, auto_ack=True)
        publish(ch, queue, b'after')
        consume_until(ch, lambda: len(collector.bodies) == 2, 'two messages')
        equal(collector.bodies, [b'before', b'after'])
        method = collector.deliveries[1][0]
        equal((method.consumer_tag, method.delivery_tag, method.redelivered, method.exchange, method.routing_key),
              (collector.tag, 2, False, '', queue))


@check('prefetch 1 gives the next message after the acknowledgement')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        publish(ch, queue, b'1', b'2', b'3')
        await_count(ch, queue, 3)
        ch.basic_qos(prefetch_count=1)
        collector = Collector(ch, queue)
        consume_until(ch, lambda: collector.deliveries, 'the first')
        equal((collector.bodies, count(ch, queue)), ([b'1'], 2))
        ch.basic_ack(collector.deliveries[0][0].delivery_tag)
        consume_until(ch, lambda: len(collector.deliveries) == 2, 'the second')
        equal((collector.bodies, count(ch, queue)), ([b'1', b'2'], 1))


@check('prefetch counts for each new consumer, or for the channel when global')
def _():
    for is_global, left in ((False, 2), (True, 7)):
        with channel() as ch:
            queue = own_queue(ch)
            ch.confirm_delivery()
            publish(ch, queue, *[b'x'] * 10)
            # three for every consumer ... or, besides, three for the channel
            ch.basic_qos(prefetch_count=4)
            if is_global:
                ch.basic_qos(prefetch_count=3, global_qos=True)
            one, two = Collector(ch, queue), Collector(ch, queue)
            consume_until(ch, lambda: len(one.bodies) + len(two.bodies) == 10 - left, '%d deliveries' % (10 - left))
            equal(count(ch, queue), left, 'messages left when global is %s' % is_global)


@check('competing consumers take turns')
def _():
    with shared_queue('turns') as queue, channel() as one, channel() as two, channel() as publisher:
        a, b = Collector(one, queue, auto_ack=True), Collector(two, queue, auto_ack=True)
        publish(publisher, queue, *[b'%d' % n for n in range(20)])
        eventually(lambda: len(a.bodies) + len(b.bodies) == 20, lambda: (one.connection.process_data_events(0.02), two.connection.process_data_events(0.02)))
        equal((len(a.bodies), len(b.bodies)), (10, 10))


@check('a busy consumer with prefetch 1 leaves the work to the others')
def _():
    with shared_queue('busy') as queue, channel() as busy, channel() as idle, channel() as publisher:
        busy.basic_qos(prefetch_count=1)
        idle.basic_qos(prefetch_count=1)
        stuck = Collector(busy, queue)
        done = []

        def work(ch, method, _properties, body):
            done.append(body)
            ch.basic_ack(method.delivery_tag)

        publish(publisher, queue, b'stuck')
        consume_until(busy, lambda: stuck.bodies, 'the first task')
        idle.basic_consume(queue, work)
        publish(publisher, queue, *[b'%d' % n for n in range(10)])
        consume_until(idle, lambda: len(done) == 10, 'ten tasks')
        equal(stuck.bodies, [b'stuck'])


@check('what a consumer had when its connection ended goes to another')
def _():
    with shared_queue('failover') as queue, channel() as other:
        with channel() as first:
            publish(first, queue, b'1', b'2')
            collector = Collector(first, queue)
            consume_until(first, lambda: len(collector.bodies) == 2, 'both')
        collector = Collector(other, queue)
        consume_until(other, lambda: len(collector.bodies) == 2, 'both again')
        equal([(body, method.redelivered) for method, body in collector.deliveries], [(b'1', True), (b'2', True)])


@check('after cancel nothing more is delivered, and what was delivered can still be acknowledged')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        publish(ch, queue, b'1')
        collector = Collector(ch, queue)
        consume_until(ch, lambda: collector.bodies, 'a message')
        ch.basic_cancel(collector.tag)
        publish(ch, queue, b'2')
        await_count(ch, queue, 1)
        ch.basic_ack(1)
        equal(collector.bodies, [b'1'])
        equal(ch.queue_declare(queue, passive=True).method.consumer_count, 0)


@check('the broker tells a consumer that its queue was deleted')
def _():
    with shared_queue('deleted') as queue, channel() as ch, channel() as other:
        cancelled = []
        ch.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
        collector = Collector(ch, queue)
        other.queue_delete(queue)
        consume_until(ch, lambda: cancelled, 'the cancellation')
        equal(cancelled, [collector.tag])
        own_queue(ch)


@check('an exclusive consumer keeps others out')
def _():
    text = "ACCESS_REFUSED - queue '%s' in vhost '/' in exclusive use"
    with shared_queue('exclusive') as queue, channel() as ch:
        Collector(ch, queue, exclusive=True)
        with channel() as other:
            with channel_closed(403, text % queue):
                Collector(other, queue)
    with shared_queue('shared') as queue, channel() as ch:
        Collector(ch, queue)
        with channel() as other:
            with channel_closed(403, text % queue):
                Collector(other, queue, exclusive=True)


@check('a consumer tag used twice on a channel closes the connection with 530')
def _():
    # pika refuses this itself, so the second consume is sent as pika would send it
    with connection() as conn:
        ch = conn.channel()
        queue = own_queue(ch)
        Collector(ch, queue, consumer_tag='mine')
        try:
            ch._impl._send_method(pika.spec.Basic.Consume(queue=queue, consumer_tag='mine'))
            ch.queue_declare(queue, passive=True)
        except pika.exceptions.ConnectionClosedByBroker as error:
            equal((error.reply_code, error.reply_text), (530, "NOT_ALLOWED - attempt to reuse consumer tag 'mine'"))
            return
        raise AssertionError('the connection was not closed')


@check('consuming from a missing queue closes the channel with 404')
def _():
    name = unique('missing')
    with channel() as ch:
        with channel_closed(404, "NOT_FOUND - no queue '%s' in vhost '/'" % name):
            Collector(ch, name)


@check('a consumer of higher priority is served first, until it is full')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.basic_qos(prefetch_count=2)
        low = Collector(ch, queue)
        high = Collector(ch, queue, arguments={'x-priority': 10})
        publish(ch, queue, b'1', b'2', b'3')
        consume_until(ch, lambda: len(low.bodies) + len(high.bodies) == 3, 'three messages')
        equal((high.bodies, low.bodies), ([b'1', b'2'], [b'3']))


@check('a single active consumer is followed by the next one')
def _():
    with shared_queue('single', arguments={'x-single-active-consumer': True}) as queue, channel() as first, channel() as second:
        one, two = Collector(first, queue, auto_ack=True), Collector(second, queue, auto_ack=True)
        publish(second, queue, b'1', b'2')
        consume_until(first, lambda: len(one.bodies) == 2, 'both messages')
        second.connection.process_data_events(0)
        equal(two.bodies, [])
        first.basic_cancel(one.tag)
        publish(second, queue, b'3')
        consume_until(second, lambda: two.bodies, 'the third')
        equal(two.bodies, [b'3'])


@check('the generator yields messages, ends when nothing comes, and gives back what it held')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        publish(ch, queue, *[b'%d' % n for n in range(5)])
        await_count(ch, queue, 5)
        got = []
        for method, _properties, body in ch.consume(queue, inactivity_timeout=5):
            got.append(body)
            ch.basic_ack(method.delivery_tag)
            if len(got) == 3:
                break
        ch.cancel()
        equal(got, [b'0', b'1', b'2'])
        await_count(ch, queue, 2)
        ch.queue_purge(queue)
        equal(list(zip(range(1), ch.consume(queue, inactivity_timeout=0.1))), [(0, (None, None, None))])


@check('start_consuming runs until stop_consuming')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        publish(ch, queue, b'work', b'stop')
        got = []

        def callback(channel_, method, _properties, body):
            got.append(body)
            channel_.basic_ack(method.delivery_tag)
            if body == b'stop':
                channel_.stop_consuming()

        ch.basic_consume(queue, callback)
        ch.start_consuming()
        equal(got, [b'work', b'stop'])


@check('a consumer without acknowledgements is not held back by prefetch')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.basic_qos(prefetch_count=1)
        publish(ch, queue, *[b'x'] * 50)
        collector = Collector(ch, queue, auto_ack=True)
        consume_until(ch, lambda: len(collector.bodies) == 50, '50 messages')


@check('many consumers on many channels each get their own')
def _():
    with connection() as conn:
        publisher = conn.channel()
        collectors = []
        for number in range(50):
            ch = conn.channel()
            queue = own_queue(ch)
            collectors.append((number, Collector(ch, queue, auto_ack=True)))
            publish(publisher, queue, b'%d' % number)
        consume_until(publisher, lambda: all(c.bodies for _n, c in collectors), 'a message each')
        for number, collector in collectors:
            equal(collector.bodies, [b'%d' % number])


main()
