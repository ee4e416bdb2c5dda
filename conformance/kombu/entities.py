"""kombu's exchanges, queues, producers and consumers."""

import kombu
from kombu import Exchange, Queue, binding
from kombu.common import Broadcast

from session import connection, drain_until, get_one, own_exchange, own_queue
from checks import check, equal, eventually, main, unique


def consume(conn, queues, **options):
    """Consumes into a list of (body, message)."""
    got = []
    consumer = conn.Consumer(queues, callbacks=[lambda body, message: (got.append((body, message)), message.ack())], **options)
    consumer.consume()
    return consumer, got


@check('each kind of exchange routes as it should')
def _():
    for kind, key, matching, other in (('direct', 'a', 'a', 'b'), ('topic', 'a.*.#', 'a.b.c', 'a'), ('fanout', '', 'anything', None)):
        with connection() as conn:
            exchange = own_exchange(kind)
            queue = own_queue(kind, exchange, routing_key=key)
            _consumer, got = consume(conn, [queue])
            producer = conn.Producer()
            if other:
                producer.publish('not for us', exchange=exchange, routing_key=other)
            producer.publish('for us', exchange=exchange, routing_key=matching)
            drain_until(conn, lambda: got, 'a message by %s' % kind)
            equal([body for body, _message in got], ['for us'], kind)


@check('a headers exchange matches binding arguments')
def _():
    with connection() as conn:
        exchange = own_exchange('headers')
        queue = own_queue('headers', exchange, binding_arguments={'x-match': 'all', 'kind': 'report', 'year': 2024})
        _consumer, got = consume(conn, [queue])
        producer = conn.Producer(exchange=exchange)
        producer.publish('wrong', headers={'kind': 'report', 'year': 2023})
        producer.publish('right', headers={'kind': 'report', 'year': 2024, 'more': True})
        drain_until(conn, lambda: got, 'a message')
        equal([body for body, _message in got], ['right'])


@check('a queue has several bindings')
def _():
    with connection() as conn:
        one, two = own_exchange('direct'), own_exchange('topic')
        queue = Queue(unique('several'), [binding(one, routing_key='a'), binding(one, routing_key='b'), binding(two, routing_key='#')],
                      exclusive=True, durable=False)
        _consumer, got = consume(conn, [queue])
        producer = conn.Producer()
        for exchange, key in ((one, 'a'), (one, 'b'), (one, 'c'), (two, 'x.y')):
            producer.publish(key, exchange=exchange, routing_key=key)
        drain_until(conn, lambda: len(got) == 3, 'three messages')
        equal([body for body, _message in got], ['a', 'b', 'x.y'])


@check('exchanges bind to exchanges')
def _():
    with connection() as conn:
        outer, inner = own_exchange('topic'), own_exchange('fanout')
        ch = conn.default_channel
        outer(ch).declare()
        inner(ch).declare()
        inner(ch).bind_to(outer(ch), routing_key='deep.#')
        _consumer, got = consume(conn, [own_queue('deep', inner)])
        conn.Producer(exchange=outer).publish('down', routing_key='deep.down')
        drain_until(conn, lambda: got, 'a message')
        inner(ch).unbind_from(outer(ch), routing_key='deep.#')


@check('bodies are serialised and compressed as asked')
def _():
    value = {'text': 'ü', 'list': [1, 2.5, None], 'deep': {'er': True}}
    with connection() as conn:
        _consumer, got = consume(conn, [queue := own_queue('serialised')], accept=['json', 'pickle', 'application/data'])
        producer = conn.Producer()
        for options in ({'serializer': 'json'}, {'serializer': 'pickle'}, {'serializer': 'json', 'compression': 'zlib'},
                        {'serializer': 'json', 'compression': 'bzip2'}):
            producer.publish(value, routing_key=queue.name, **options)
        producer.publish(b'\x00\xff', routing_key=queue.name, content_type='application/data', content_encoding='binary')
        drain_until(conn, lambda: len(got) == 5, 'five messages')
        equal([body for body, _message in got[:4]], [value] * 4)
        equal(bytes(got[4][0]), b'\x00\xff')
        equal([message.content_type for _body, message in got[:2]], ['application/json', 'application/x-python-serialize'])


@check('queue options become arguments the broker enforces')
def _():
    with connection() as conn:
        dead = own_queue('dead')(conn.default_channel)
        dead.declare()
        queue = own_queue('limited', max_length=2, message_ttl=30.0, expires=60.0, max_priority=5,
                          queue_arguments={'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead.name})(conn.default_channel)
        queue.declare()
        producer = conn.Producer()
        for number in range(3):
            producer.publish(number, routing_key=queue.name)
        message = get_one(dead)
        equal((message.payload, message.headers['x-death'][0]['reason']), (0, 'maxlen'))
        queue.purge()
        for priority in (1, 5):
            producer.publish(priority, routing_key=queue.name, priority=priority)
        equal([get_one(queue).payload for _ in range(2)], [5, 1])


@check('a message is acknowledged, rejected or requeued')
def _():
    with connection() as conn:
        queue = own_queue('settled')(conn.default_channel)
        queue.declare()
        conn.Producer().publish('x', routing_key=queue.name)
        message = get_one(queue, no_ack=False)
        message.requeue()
        message = get_one(queue, no_ack=False)
        equal(message.delivery_info['redelivered'], True)
        message.reject()
        equal(queue.get(), None)


@check('prefetch holds deliveries back until they are acknowledged')
def _():
    with connection() as conn:
        queue = own_queue('prefetch')
        got = []
        consumer = conn.Consumer([queue], callbacks=[lambda _body, message: got.append(message)], prefetch_count=2)
        consumer.consume()
        for number in range(5):
            conn.Producer().publish(number, routing_key=queue.name)
        drain_until(conn, lambda: len(got) == 2, 'two messages')
        eventually(lambda: queue(conn.default_channel).queue_declare(passive=True).message_count == 3, what='three waiting messages')
        for message in got[:2]:
            message.ack()
        drain_until(conn, lambda: len(got) == 4, 'four messages')


@check('a mandatory message nobody gets comes back')
def _():
    with connection() as conn:
        returned = []
        producer = conn.Producer(on_return=lambda exception, exchange, key, message: returned.append((exception.reply_code, key)))
        producer.publish('x', routing_key=unique('nobody'), mandatory=True)
        drain_until(conn, lambda: returned, 'the return')
        equal(returned[0][0], 312)


@check('publishing with confirms works through transport options')
def _():
    with connection(transport_options={'confirm_publish': True}) as conn:
        queue = own_queue('confirmed')(conn.default_channel)
        queue.declare()
        for number in range(20):
            conn.Producer().publish(number, routing_key=queue.name, delivery_mode=2)
        equal(queue.queue_declare(passive=True).message_count, 20)


@check('a broadcast queue reaches every subscriber')
def _():
    with connection() as one, connection() as two:
        name = unique('broadcast')
        exchange = Exchange(name, 'fanout', durable=False, auto_delete=True)
        collected = [consume(conn, [Broadcast(name, exchange=exchange)])[1] for conn in (one, two)]
        one.Producer(exchange=exchange).publish('all')
        for conn, got in zip((one, two), collected):
            drain_until(conn, lambda: got, 'the broadcast')


@check('declarations agree with what is there, or raise 406')
def _():
    with connection() as conn:
        queue = Queue(unique('agree'), durable=False, auto_delete=True)
        bound = queue(conn.default_channel)
        bound.declare()
        bound.declare()
        equal(bound.queue_declare(passive=True).message_count, 0)
        try:
            Queue(queue.name, durable=True, auto_delete=True)(conn.channel()).declare()
        except conn.channel_errors as error:
            equal(error.reply_code, 406)
        else:
            raise AssertionError('no error')
        bound.delete()
        eventually(lambda: not exists(conn, queue.name), what='the queue to be gone')


def exists(conn, name):
    try:
        kombu.Queue(name)(conn.channel()).queue_declare(passive=True)
        return True
    except conn.channel_errors:
        return False


main()
