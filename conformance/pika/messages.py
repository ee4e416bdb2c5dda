"""Messages and their settlement through pika's BlockingConnection."""

import datetime
import decimal
import os

import pika
import pika.exceptions

from session import await_count, channel, channel_closed, connection, consume_until, count, get_one, own_queue, shared_queue
from checks import check, equal, main


def round_trip(ch, body, properties=None):
    queue = own_queue(ch)
    ch.basic_publish('', queue, body, properties)
    return get_one(ch, queue)


@check('a binary body comes back byte for byte')
def _():
    with channel() as ch:
        body = bytes(range(256)) + b'\0\xce\r\n' + os.urandom(1000)
        equal(round_trip(ch, body)[2], body)


@check('an empty body comes back empty')
def _():
    with channel() as ch:
        equal(round_trip(ch, b'')[2], b'')


@check('bodies around the frame size come back whole')
def _():
    with channel() as ch:
        for size in (131063, 131064, 131065, 2 * 131064, 2 * 131064 + 1):
            body = os.urandom(size)
            assert round_trip(ch, body)[2] == body, 'a body of %d bytes changed' % size


@check('bodies of 1 MiB and 10 MiB come back whole')
def _():
    with channel() as ch:
        for mebibytes in (1, 10):
            body = os.urandom(mebibytes * 1024 * 1024)
            assert round_trip(ch, body)[2] == body, 'a body of %d MiB changed' % mebibytes


@check('all fourteen properties come back')
def _():
    properties = dict(content_type='text/plain', content_encoding='utf-8', headers={'a': 'b'}, delivery_mode=2, priority=7,
                      correlation_id='corr-ñ', reply_to='back', expiration='60000', message_id='m-1', timestamp=1700000000,
                      type='event', user_id='guest', app_id='app', cluster_id='cl')
    with channel() as ch:
        _method, got, _body = round_trip(ch, b'x', pika.BasicProperties(**properties))
        for name, value in properties.items():
            equal(getattr(got, name), value, name)


@check('properties that were not set stay unset')
def _():
    with channel() as ch:
        _method, got, _body = round_trip(ch, b'x')
        equal({name: value for name, value in vars(got).items() if value is not None}, {}, 'properties')


@check('headers of every type pika knows come back')
def _():
    headers = {
        'text': 'täxt 🐇', 'bytes': b'\x00\xff', 'true': True, 'false': False, 'small': 5, 'negative': -70000, 'big': 2 ** 40,
        'decimal': decimal.Decimal('12.34'), 'time': datetime.datetime(2024, 2, 29, 12, 30), 'none': None,
        'array': [1, 'two', None, [3, {'deep': True}]], 'table': {'nested': {'empty': {}}}, 'empty': '', 'no items': [],
        'k' * 128: 'the longest key pika sends',
    }
    with channel() as ch:
        _method, got, _body = round_trip(ch, b'x', pika.BasicProperties(headers=headers))
        equal(got.headers, headers, 'headers')


@check('get tells the exchange, the key, and how many are left')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.queue_bind(queue, 'amq.topic', 'get.#')
        for number in range(3):
            ch.basic_publish('amq.topic', 'get.%d' % number, b'x')
        await_count(ch, queue, 3)
        for number in range(3):
            method, _properties, _body = ch.basic_get(queue)
            equal((method.exchange, method.routing_key, method.message_count, method.redelivered, method.delivery_tag),
                  ('amq.topic', 'get.%d' % number, 2 - number, False, number + 1))
        equal(ch.basic_get(queue), (None, None, None))


@check('an unroutable mandatory message is returned with 312 NO_ROUTE')
def _():
    with channel() as ch:
        returned = []
        ch.add_on_return_callback(lambda _ch, method, properties, body: returned.append((method, properties, body)))
        ch.basic_publish('amq.direct', 'nobody', b'back', pika.BasicProperties(message_id='m'), mandatory=True)
        consume_until(ch, lambda: returned, 'the return')
        method, properties, body = returned[0]
        equal((method.reply_code, method.reply_text, method.exchange, method.routing_key, properties.message_id, body),
              (312, 'NO_ROUTE', 'amq.direct', 'nobody', 'm', b'back'))


@check('a rejected message is requeued in its place, as redelivered, or dropped')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        for body in (b'1', b'2', b'3'):
            ch.basic_publish('', queue, body)
        await_count(ch, queue, 3)
        method, _properties, body = ch.basic_get(queue)
        equal((body, method.redelivered), (b'1', False))
        ch.basic_reject(method.delivery_tag, requeue=True)
        method, _properties, body = ch.basic_get(queue)
        equal((body, method.redelivered), (b'1', True))
        ch.basic_reject(method.delivery_tag, requeue=False)
        equal(get_one(ch, queue)[2], b'2')
        equal(count(ch, queue), 1)


@check('nack settles one or all up to it')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        for number in range(5):
            ch.basic_publish('', queue, b'%d' % number)
        await_count(ch, queue, 5)
        tags = [ch.basic_get(queue)[0].delivery_tag for _ in range(5)]
        ch.basic_nack(tags[1], requeue=False)
        ch.basic_nack(tags[2], multiple=True, requeue=True)
        await_count(ch, queue, 2)
        ch.basic_nack(0, multiple=True, requeue=True)
        await_count(ch, queue, 4)
        equal([get_one(ch, queue)[2] for _ in range(4)], [b'0', b'2', b'3', b'4'])


@check('acknowledging several at once leaves the rest')
def _():
    with shared_queue('multiple') as queue:
        with channel() as ch:
            for number in range(4):
                ch.basic_publish('', queue, b'%d' % number)
            await_count(ch, queue, 4)
            tags = [ch.basic_get(queue)[0].delivery_tag for _ in range(4)]
            ch.basic_ack(tags[2], multiple=True)
        with channel() as ch:
            await_count(ch, queue, 1)
            method, _properties, body = ch.basic_get(queue)
            equal((body, method.redelivered), (b'3', True))


@check('an unknown delivery tag closes the channel with 406')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        with channel_closed(406, 'PRECONDITION_FAILED - unknown delivery tag 99'):
            ch.basic_ack(99)
            ch.queue_declare(queue, passive=True)


@check('acknowledging twice closes the channel with 406')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.basic_publish('', queue, b'x')
        tag = get_one(ch, queue, auto_ack=False)[0].delivery_tag
        ch.basic_ack(tag)
        with channel_closed(406, 'PRECONDITION_FAILED - unknown delivery tag 1'):
            ch.basic_ack(tag)
            ch.queue_declare(queue, passive=True)


@check('recover brings back what was not settled')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.basic_publish('', queue, b'x')
        get_one(ch, queue, auto_ack=False)
        ch.basic_recover(requeue=True)
        method, _properties, body = get_one(ch, queue)
        equal((body, method.redelivered), (b'x', True))


@check('what a closed channel or connection had not settled is redelivered')
def _():
    with shared_queue('redelivered') as queue, connection() as conn:
        ch = conn.channel()
        ch.basic_publish('', queue, b'x')
        get_one(ch, queue, auto_ack=False)
        ch.close()
        with channel() as other:
            method, _properties, _body = get_one(other, queue, auto_ack=False)
            equal(method.redelivered, True)
        ch = conn.channel()
        method, _properties, body = get_one(ch, queue)
        equal((body, method.redelivered), (b'x', True))


@check('order is kept through a queue')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        for number in range(2000):
            ch.basic_publish('', queue, b'%d' % number)
        got = []
        ch.basic_consume(queue, lambda _ch, _method, _properties, body: got.append(int(body)), auto_ack=True)
        consume_until(ch, lambda: len(got) == 2000, '2000 messages')
        equal(got, list(range(2000)))


@check('a user-id other than the own name is refused')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        with channel_closed(406, "PRECONDITION_FAILED - user_id property set to 'somebody' but authenticated user was 'guest'"):
            ch.basic_publish('', queue, b'x', pika.BasicProperties(user_id='somebody'))
            ch.queue_declare(queue, passive=True)


@check('immediate is not implemented: the connection closes with 540')
def _():
    # pika has no argument for it, so the method is sent as pika itself would
    with connection() as conn:
        ch = conn.channel()
        try:
            ch._impl._send_method(pika.spec.Basic.Publish(exchange='', routing_key='x', immediate=True), (pika.BasicProperties(), b'x'))
            ch.queue_declare('', exclusive=True)
        except pika.exceptions.ConnectionClosedByBroker as error:
            equal((error.reply_code, error.reply_text), (540, 'NOT_IMPLEMENTED - immediate=true'))
            return
        raise AssertionError('the connection was not closed')


main()
