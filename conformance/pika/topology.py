"""Exchanges, queues and bindings through pika's BlockingConnection."""

from session import channel, channel_closed, connection, exchange, get_one, own_queue, shared_queue
from checks import check, equal, main, unique


@check('every kind of exchange can be declared, again with the same arguments, and deleted')
def _():
    with channel() as ch:
        for kind in ('direct', 'fanout', 'topic', 'headers'):
            name = unique(kind)
            ch.exchange_declare(name, kind, durable=True)
            ch.exchange_declare(name, kind, durable=True)
            ch.exchange_declare(name, passive=True)
            ch.exchange_delete(name)


@check('the predeclared exchanges are there')
def _():
    with channel() as ch:
        for name in ('amq.direct', 'amq.fanout', 'amq.topic', 'amq.headers', 'amq.match'):
            ch.exchange_declare(name, passive=True)


@check('declaring an exchange again with another type closes the channel with 406')
def _():
    with exchange('direct', 'kind') as name, channel() as ch:
        with channel_closed(406, "PRECONDITION_FAILED - inequivalent arg 'type' for exchange '%s' in vhost '/': "
                                 "received 'fanout' but current is 'direct'" % name):
            ch.exchange_declare(name, 'fanout')


@check('a passive declaration of a missing exchange closes the channel with 404')
def _():
    name = unique('missing')
    with channel() as ch:
        with channel_closed(404, "NOT_FOUND - no exchange '%s' in vhost '/'" % name):
            ch.exchange_declare(name, passive=True)


@check('the prefix amq. is reserved')
def _():
    with channel() as ch:
        with channel_closed(403, "ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'"):
            ch.exchange_declare('amq.mine', 'direct')
    with channel() as ch:
        with channel_closed(403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"):
            ch.queue_declare('amq.mine')


@check('an auto-delete exchange goes with its last binding')
def _():
    with channel() as ch:
        name, queue = unique('auto'), own_queue(ch)
        ch.exchange_declare(name, 'fanout', auto_delete=True)
        ch.queue_bind(queue, name, 'one')
        ch.queue_bind(queue, name, 'two')
        ch.queue_unbind(queue, name, 'one')
        ch.exchange_declare(name, passive=True)
        ch.queue_unbind(queue, name, 'two')
        with channel_closed(404, "NOT_FOUND - no exchange '%s' in vhost '/'" % name):
            ch.exchange_declare(name, passive=True)


@check('an internal exchange refuses a publisher, and routes what is bound to it')
def _():
    with exchange('fanout', 'outer') as outer, exchange('fanout', 'inner', internal=True) as inner, channel() as ch:
        queue = own_queue(ch)
        ch.exchange_bind(inner, outer)
        ch.queue_bind(queue, inner)
        ch.basic_publish(outer, '', b'through')
        equal(get_one(ch, queue)[2], b'through')
        with channel_closed(403, "ACCESS_REFUSED - cannot publish to internal exchange '%s' in vhost '/'" % inner):
            ch.basic_publish(inner, '', b'refused')
            ch.queue_declare(queue, passive=True)


@check('an exchange in use is not deleted with if_unused')
def _():
    with exchange('direct') as name, channel() as ch:
        queue = own_queue(ch)
        ch.queue_bind(queue, name, 'key')
        with channel_closed(406, "PRECONDITION_FAILED - exchange '%s' in vhost '/' in use" % name):
            ch.exchange_delete(name, if_unused=True)


@check('deleting what is not there is no error')
def _():
    with channel() as ch:
        equal(ch.queue_delete(unique('missing')).method.message_count, 0, 'message count')
        ch.exchange_delete(unique('missing'))
        queue = own_queue(ch)
        ch.queue_unbind(queue, 'amq.direct', 'never bound')


@check('a server-named queue has a name of amq.gen- and 22 characters')
def _():
    with channel() as ch:
        name = own_queue(ch)
        assert name.startswith('amq.gen-') and len(name) == 30, name
        assert own_queue(ch) != name


@check('declare-ok counts messages and consumers')
def _():
    with shared_queue('counts') as queue, channel() as ch:
        ch.confirm_delivery()
        for _ in range(3):
            ch.basic_publish('', queue, b'x')
        with channel() as other:
            other.basic_qos(prefetch_count=1)
            other.basic_consume(queue, lambda *_: None)
            other.connection.process_data_events(0.1)
            declared = ch.queue_declare(queue, passive=True).method
            equal((declared.message_count, declared.consumer_count), (2, 1), 'ready messages and consumers')


@check('a passive declaration of a missing queue closes the channel with 404')
def _():
    name = unique('missing')
    with channel() as ch:
        with channel_closed(404, "NOT_FOUND - no queue '%s' in vhost '/'" % name):
            ch.queue_declare(name, passive=True)


@check('the connection and its other channels go on after a channel was closed')
def _():
    with connection() as conn:
        one, two = conn.channel(), conn.channel()
        with channel_closed(404, "NOT_FOUND - no queue 'nowhere' in vhost '/'"):
            one.queue_declare('nowhere', passive=True)
        own_queue(two)
        own_queue(conn.channel())


@check('declaring a queue again with another property closes the channel with 406')
def _():
    with shared_queue('redeclared', durable=True) as queue, channel() as ch:
        with channel_closed(406, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue '%s' in vhost '/': "
                                 "received 'false' but current is 'true'" % queue):
            ch.queue_declare(queue, durable=False)


@check('declaring a queue again with another argument closes the channel with 406')
def _():
    with shared_queue('ttl', arguments={'x-message-ttl': 60000}) as queue, channel() as ch:
        ch.queue_declare(queue, arguments={'x-message-ttl': 60000})
        with channel_closed(406, "PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue '%s' in vhost '/': "
                                 "received '30000' but current is '60000'" % queue):
            ch.queue_declare(queue, arguments={'x-message-ttl': 30000})


@check('an argument of the wrong type is refused, an unknown one is accepted')
def _():
    with channel() as ch:
        name = unique('argument')
        with channel_closed(406, "PRECONDITION_FAILED - invalid arg 'x-message-ttl' for queue '%s' in vhost '/': "
                                 "\"expected integer, got longstr\"" % name):
            ch.queue_declare(name, exclusive=True, arguments={'x-message-ttl': 'soon'})
    with channel() as ch:
        own_queue(ch, arguments={'x-of-somebody-else': 'anything'})


@check('an exclusive queue is locked for other connections and gone with its own')
def _():
    name = unique('exclusive')
    with channel() as owner, connection() as other:
        owner.queue_declare(name, exclusive=True)
        with channel_closed(405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '%s' in vhost '/'. It could be originally "
                                 "declared on another connection or the exclusive property value does not match that of the original "
                                 "declaration." % name):
            other.channel().queue_declare(name, passive=True)
        owner.connection.close()
        with channel_closed(404, "NOT_FOUND - no queue '%s' in vhost '/'" % name):
            other.channel().queue_declare(name, passive=True)


@check('an auto-delete queue goes with its last consumer, not before it had one')
def _():
    name = unique('auto')
    with channel() as ch:
        ch.queue_declare(name, auto_delete=True)
        with channel() as consumer:
            one = consumer.basic_consume(name, lambda *_: None)
            two = consumer.basic_consume(name, lambda *_: None)
            consumer.basic_cancel(one)
            ch.queue_declare(name, passive=True)
            consumer.basic_cancel(two)
        with channel_closed(404, "NOT_FOUND - no queue '%s' in vhost '/'" % name):
            ch.queue_declare(name, passive=True)


@check('purge and delete tell how many messages went')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        for _ in range(5):
            ch.basic_publish('', queue, b'x')
        equal(ch.queue_purge(queue).method.message_count, 5, 'purged')
        for _ in range(2):
            ch.basic_publish('', queue, b'x')
        equal(ch.queue_delete(queue).method.message_count, 2, 'deleted with')


@check('a queue is not deleted with if_empty while it has messages')
def _():
    with shared_queue('full') as queue, channel() as ch:
        ch.basic_publish('', queue, b'x')
        with channel_closed(406, "PRECONDITION_FAILED - queue '%s' in vhost '/' not empty" % queue):
            ch.queue_delete(queue, if_empty=True)


@check('a queue is not deleted with if_unused while it has consumers')
def _():
    with shared_queue('used') as queue, channel() as consumer, channel() as ch:
        consumer.basic_consume(queue, lambda *_: None)
        with channel_closed(406, "PRECONDITION_FAILED - queue '%s' in vhost '/' in use" % queue):
            ch.queue_delete(queue, if_unused=True)


@check('binding to what is missing closes the channel with 404')
def _():
    missing = unique('missing')
    with channel() as ch:
        queue = own_queue(ch)
        with channel_closed(404, "NOT_FOUND - no exchange '%s' in vhost '/'" % missing):
            ch.queue_bind(queue, missing, 'key')
    with channel() as ch:
        with channel_closed(404, "NOT_FOUND - no queue '%s' in vhost '/'" % missing):
            ch.queue_bind(missing, 'amq.direct', 'key')


@check('the default exchange cannot be bound, deleted or declared')
def _():
    for act in (lambda ch: ch.queue_bind(own_queue(ch), '', 'key'), lambda ch: ch.exchange_delete('')):
        with channel() as ch:
            with channel_closed(403, 'ACCESS_REFUSED - operation not permitted on the default exchange'):
                act(ch)


@check('names may hold any Unicode text up to 255 bytes')
def _():
    with channel() as ch:
        for name in ('café-鼠-🐇-' + unique('unicode'), 'ñ' * 100 + unique('x')[-20:], 'a b\tc/%2F?&' + unique('odd')):
            equal(ch.queue_declare(name, exclusive=True).method.queue, name, 'queue name')
            ch.queue_bind(name, 'amq.direct', name)
            ch.basic_publish('amq.direct', name, name.encode())
            method, _properties, body = get_one(ch, name)
            equal((method.routing_key, body), (name, name.encode()))


main()
