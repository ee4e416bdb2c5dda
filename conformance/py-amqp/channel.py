"""py-amqp's channel: what Celery and kombu stand on."""

import datetime
import decimal
import os

import amqp
from amqp import exceptions

from session import await_count, channel, connection, drain_until, get_one, own_queue, raises, shared_queue
from checks import check, equal, main, unique


@check('exchanges of every kind are declared and deleted')
def _():
    with channel() as ch:
        for kind in ('direct', 'fanout', 'topic', 'headers'):
            name = unique(kind)
            ch.exchange_declare(name, kind, auto_delete=False)
            ch.exchange_declare(name, kind, passive=True)
            ch.exchange_delete(name)
            with raises(exceptions.NotFound, 404, "NOT_FOUND - no exchange '%s' in vhost '/'" % name):
                ch.connection.channel().exchange_declare(name, kind, passive=True)


@check('a queue is declared with its counts, bound, unbound, purged and deleted')
def _():
    with channel() as ch:
        name = unique('queue')
        equal(tuple(ch.queue_declare(name, auto_delete=False)), (name, 0, 0))
        ch.queue_bind(name, 'amq.topic', 'py.#')
        for key in ('py.a', 'py', 'other'):
            ch.basic_publish(amqp.Message(key), 'amq.topic', key)
        await_count(ch, name, 2)
        equal(ch.queue_purge(name), 2)
        ch.queue_unbind(name, 'amq.topic', 'py.#')
        ch.basic_publish(amqp.Message('direct'), '', name)
        await_count(ch, name, 1)
        equal(ch.queue_delete(name), 1)


@check('channel errors are raised by their kind')
def _():
    with shared_queue('kinds') as queue, connection() as conn:
        missing = unique('missing')
        with raises(exceptions.NotFound, 404, "NOT_FOUND - no queue '%s' in vhost '/'" % missing):
            conn.channel().queue_declare(missing, passive=True)
        with raises(exceptions.AccessRefused, 403, "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'"):
            conn.channel().queue_declare('amq.mine')
        with raises(exceptions.PreconditionFailed, 406, "PRECONDITION_FAILED - inequivalent arg 'durable' for queue '%s' in vhost '/': "
                                                        "received 'true' but current is 'false'" % queue):
            conn.channel().queue_declare(queue, durable=True, auto_delete=False)
        with channel() as owner:
            name = unique('exclusive')
            owner.queue_declare(name, exclusive=True)
            with raises(exceptions.ResourceLocked, 405, "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '%s' in vhost '/'. "
                        "It could be originally declared on another connection or the exclusive property value does not match that of the "
                        "original declaration." % name):
                conn.channel().queue_declare(name, passive=True)


@check('connection errors end the connection')
def _():
    with connection() as conn:
        with raises(exceptions.InvalidCommand, 503, "COMMAND_INVALID - unknown exchange type 'bogus'"):
            conn.channel().exchange_declare(unique('odd'), 'bogus')
        assert not conn.connected


@check('bodies come back byte for byte')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        for size in (0, 1, 131064, 131065, 1024 * 1024, 10 * 1024 * 1024):
            body = os.urandom(size)
            ch.basic_publish(amqp.Message(body), '', queue)
            got = get_one(ch, queue).body
            assert (got if isinstance(got, bytes) else got.encode()) == body, 'a body of %d bytes changed' % size


@check('properties and headers come back as they were')
def _():
    properties = dict(content_type='text/plain', content_encoding='utf-8', delivery_mode=2, priority=3, correlation_id='c', reply_to='r',
                      expiration='60000', message_id='m', timestamp=1700000000, type='t', user_id='guest', app_id='a')
    headers = {'text': 'ü 🐇', 'int': 42, 'negative': -7, 'big': 2 ** 40, 'float': 1.5, 'true': True, 'none': None, 'list': [1, 'a', [2]],
               'table': {'deep': {'er': 1}}, 'decimal': decimal.Decimal('1.25'), 'time': datetime.datetime(2024, 1, 1)}
    with channel() as ch:
        queue = own_queue(ch)
        ch.basic_publish(amqp.Message('x', application_headers=headers, **properties), '', queue)
        message = get_one(ch, queue)
        for name, value in properties.items():
            equal(message.properties[name], value, name)
        equal(message.headers, headers, 'headers')


@check('get returns the message with its delivery info, or None')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        equal(ch.basic_get(queue), None)
        ch.basic_publish(amqp.Message('x'), '', queue)
        message = get_one(ch, queue, no_ack=False)
        equal({k: message.delivery_info[k] for k in ('delivery_tag', 'redelivered', 'exchange', 'routing_key', 'message_count')},
              {'delivery_tag': 1, 'redelivered': False, 'exchange': '', 'routing_key': queue, 'message_count': 0})
        ch.basic_reject(1, requeue=True)
        equal(get_one(ch, queue).delivery_info['redelivered'], True)


@check('a consumer gets messages, acknowledges, and is cancelled')
def _():
    with channel() as ch:
        queue, got = own_queue(ch), []
        ch.basic_qos(0, 2, False)

        def on_message(message):
            got.append(message.body)
            ch.basic_ack(message.delivery_tag)

        tag = ch.basic_consume(queue, callback=on_message)
        for number in range(10):
            ch.basic_publish(amqp.Message(str(number)), '', queue)
        drain_until(ch, lambda: len(got) == 10, 'ten messages')
        equal(got, [str(number) for number in range(10)])
        ch.basic_cancel(tag)
        equal(ch.queue_declare(queue, passive=True).consumer_count, 0)


@check('global prefetch can be lowered and raised while consuming, as Celery does')
def _():
    with channel() as ch:
        queue, got = own_queue(ch), []
        ch.basic_qos(0, 2, True)
        ch.basic_consume(queue, callback=got.append)
        for number in range(10):
            ch.basic_publish(amqp.Message(str(number)), '', queue)
        drain_until(ch, lambda: len(got) == 2, 'two messages')
        await_count(ch, queue, 8)
        ch.basic_qos(0, 5, True)
        drain_until(ch, lambda: len(got) == 5, 'five messages')
        await_count(ch, queue, 5)
        ch.basic_qos(0, 1, True)
        for message in got[:4]:
            ch.basic_ack(message.delivery_tag)
        await_count(ch, queue, 5)
        ch.basic_ack(got[4].delivery_tag)
        drain_until(ch, lambda: len(got) == 6, 'the next message')
        await_count(ch, queue, 4)


@check('a consumer is told that its queue was deleted')
def _():
    with shared_queue('deleted') as queue, channel() as ch:
        cancelled = []
        tag = ch.basic_consume(queue, callback=lambda _m: None, on_cancel=cancelled.append)
        with channel() as other:
            other.queue_delete(queue)
        drain_until(ch, lambda: cancelled, 'the cancellation')
        equal(cancelled, [tag])


@check('deleting a queue is answered before its consumer on the same channel is cancelled')
def _():
    with channel() as ch:
        queue, cancelled = own_queue(ch), []
        tag = ch.basic_consume(queue, callback=lambda _m: None, on_cancel=cancelled.append)
        ch.queue_delete(queue)
        equal(cancelled, [], 'cancellations before the answer')
        drain_until(ch, lambda: cancelled, 'the cancellation')
        equal(cancelled, [tag])


@check('publishing waits for the confirm when told to, and raises on a nack')
def _():
    with channel(confirm_publish=True) as ch:
        queue = own_queue(ch, arguments={'x-max-length': 1, 'x-overflow': 'reject-publish'})
        ch.basic_publish(amqp.Message('1'), '', queue)
        equal(ch.queue_declare(queue, passive=True).message_count, 1)
        try:
            ch.basic_publish(amqp.Message('2'), '', queue)
        except exceptions.MessageNacked:
            return
        raise AssertionError('no MessageNacked')


@check('confirms call back on a channel in confirm mode')
def _():
    with channel() as ch:
        queue, confirmed = own_queue(ch), []
        ch.confirm_select()
        ch.events['basic_ack'].add(lambda tag, multiple: confirmed.append((tag, multiple)))
        for _ in range(20):
            ch.basic_publish(amqp.Message('x'), '', queue)
        drain_until(ch, lambda: confirmed and max(tag for tag, _m in confirmed) == 20, 'the last confirm')


@check('an unroutable mandatory message is returned')
def _():
    with channel() as ch:
        returned = []
        ch.events['basic_return'].add(lambda error, exchange, key, message: returned.append((error.reply_code, error.reply_text, exchange, key, message.body)))
        ch.basic_publish(amqp.Message('back'), 'amq.direct', 'nobody', mandatory=True)
        drain_until(ch, lambda: returned, 'the return')
        equal(returned, [(312, 'NO_ROUTE', 'amq.direct', 'nobody', 'back')])


@check('transactions commit and roll back')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.tx_select()
        ch.basic_publish(amqp.Message('rolled back'), '', queue)
        ch.tx_rollback()
        ch.basic_publish(amqp.Message('committed'), '', queue)
        equal(ch.queue_declare(queue, passive=True).message_count, 0)
        ch.tx_commit()
        await_count(ch, queue, 1)
        equal(get_one(ch, queue).body, 'committed')


@check('exchanges are bound to exchanges and unbound')
def _():
    with channel() as ch:
        exchange, queue = unique('inner'), own_queue(ch)
        ch.exchange_declare(exchange, 'fanout', auto_delete=True)
        ch.queue_bind(queue, exchange)
        ch.exchange_bind(exchange, 'amq.direct', 'into')
        ch.basic_publish(amqp.Message('through'), 'amq.direct', 'into')
        equal(get_one(ch, queue).body, 'through')
        ch.exchange_unbind(exchange, 'amq.direct', 'into')


@check('recover brings back what is unsettled')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.basic_publish(amqp.Message('x'), '', queue)
        get_one(ch, queue, no_ack=False)
        ch.basic_recover(requeue=True)
        equal(get_one(ch, queue).delivery_info['redelivered'], True)


@check('channel.flow with active is answered, without active is refused with 540')
def _():
    with connection() as conn:
        ch = conn.channel()
        ch.flow(True)
        with raises(exceptions.AMQPNotImplementedError, 540, 'NOT_IMPLEMENTED - active=false'):
            ch.flow(False)


main()
