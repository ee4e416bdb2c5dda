"""Expiry, dead letters, limits, priorities and direct reply-to through pika's BlockingConnection."""

import pika

from session import await_count, channel, channel_closed, connection, consume_until, count, get_one, own_queue
from checks import check, equal, eventually, main, unique


@check('messages expire: by the queue, by the message, whichever is sooner')
def _():
    with channel() as ch:
        by_queue = own_queue(ch, arguments={'x-message-ttl': 50})
        by_message = own_queue(ch)
        ch.basic_publish('', by_queue, b'x', pika.BasicProperties(expiration='600000'))
        ch.basic_publish('', by_message, b'x', pika.BasicProperties(expiration='50'))
        ch.basic_publish('', by_message, b'stays', pika.BasicProperties(expiration='600000'))
        await_count(ch, by_queue, 0)
        await_count(ch, by_message, 1)
        equal(get_one(ch, by_message)[2], b'stays')


@check('a wrong expiration closes the channel with 406')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        with channel_closed(406, "PRECONDITION_FAILED - invalid expiration 'soon': no_integer"):
            ch.basic_publish('', queue, b'x', pika.BasicProperties(expiration='soon'))
            ch.queue_declare(queue, passive=True)


@check('a queue nobody uses expires')
def _():
    with channel() as ch:
        queue = unique('expires')
        ch.queue_declare(queue, arguments={'x-expires': 200})

        def is_gone():
            with channel() as other:
                try:
                    # any declaration is use; this one asks only whether there is something to bind to
                    other.queue_bind(queue, 'amq.direct', 'x')
                    return False
                except pika.exceptions.ChannelClosedByBroker as error:
                    return error.reply_code == 404

        eventually(is_gone, what='the queue to be gone')


@check('an expired message is dead-lettered with its history')
def _():
    with channel() as ch:
        target = own_queue(ch)
        source = own_queue(ch, arguments={'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': target})
        ch.basic_publish('', source, b'x', pika.BasicProperties(expiration='20', headers={'kept': 'yes'}, message_id='m'))
        method, properties, body = get_one(ch, target)
        equal((body, properties.message_id, properties.expiration, method.exchange, method.routing_key), (b'x', 'm', None, '', target))
        headers = dict(properties.headers)
        (death,) = headers['x-death']
        death = dict(death)
        assert death.pop('time') is not None
        equal(death, {'count': 1, 'reason': 'expired', 'queue': source, 'exchange': '', 'routing-keys': [source], 'original-expiration': '20'})
        equal((headers['kept'], headers['x-first-death-queue'], headers['x-first-death-reason'], headers['x-first-death-exchange']),
              ('yes', source, 'expired', ''))


@check('a rejected message is dead-lettered by its own key, and counted when it comes again')
def _():
    with channel() as ch:
        dlx = unique('dlx')
        ch.exchange_declare(dlx, 'fanout', auto_delete=True)
        target = own_queue(ch)
        ch.queue_bind(target, dlx)
        source = own_queue(ch, arguments={'x-dead-letter-exchange': dlx})
        ch.basic_publish('', source, b'x')
        for times in (1, 2):
            method, _properties, _body = get_one(ch, source, auto_ack=False)
            ch.basic_reject(method.delivery_tag, requeue=False)
            method, properties, _body = get_one(ch, target, auto_ack=False)
            equal((method.exchange, method.routing_key), (dlx, source))
            (death,) = properties.headers['x-death']
            equal((death['count'], death['reason']), (times, 'rejected'))
            ch.basic_publish('', source, b'x', properties)
            ch.basic_ack(method.delivery_tag)


@check('a queue over its length drops its oldest, to the dead-letter exchange if there is one')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        target = own_queue(ch)
        source = own_queue(ch, arguments={'x-max-length': 2, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': target})
        for number in range(5):
            ch.basic_publish('', source, b'%d' % number)
        equal([get_one(ch, source)[2] for _ in range(2)], [b'3', b'4'])
        dropped = [get_one(ch, target) for _ in range(3)]
        equal([(body, p.headers['x-death'][0]['reason']) for _m, p, body in dropped], [(b'0', 'maxlen'), (b'1', 'maxlen'), (b'2', 'maxlen')])


@check('a length limit in bytes counts bodies')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        queue = own_queue(ch, arguments={'x-max-length-bytes': 1000})
        for _ in range(5):
            ch.basic_publish('', queue, b'x' * 300)
        equal(count(ch, queue), 3)


@check('a queue with no room at all keeps nothing')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        queue = own_queue(ch, arguments={'x-max-length': 0})
        ch.basic_publish('', queue, b'x')
        equal(count(ch, queue), 0)


@check('a retry with a delay: rejected to a waiting queue, expired back to work')
def _():
    with channel() as ch:
        work, waiting = unique('work'), unique('waiting')
        ch.queue_declare(work, exclusive=True, arguments={'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': waiting})
        ch.queue_declare(waiting, exclusive=True, arguments={'x-message-ttl': 50, 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': work})
        ch.basic_publish('', work, b'x')
        for _ in range(3):
            method, properties, _body = get_one(ch, work, auto_ack=False)
            ch.basic_reject(method.delivery_tag, requeue=False)
        _method, properties, _body = get_one(ch, work)
        equal(sorted((d['queue'] == work, d['reason'], d['count']) for d in properties.headers['x-death']), [(False, 'expired', 3), (True, 'rejected', 3)])


@check('a priority queue gives the urgent first, and equals in order')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        queue = own_queue(ch, arguments={'x-max-priority': 10})
        for priority, body in ((1, b'low'), (5, b'middle'), (None, b'none'), (10, b'high'), (5, b'middle again'), (200, b'over the top')):
            ch.basic_publish('', queue, body, pika.BasicProperties(priority=priority))
        equal([get_one(ch, queue)[2] for _ in range(6)], [b'high', b'over the top', b'middle', b'middle again', b'low', b'none'])


@check('direct reply-to carries a reply to the asker')
def _():
    with channel() as server, channel() as client:
        queue = unique('rpc')
        server.queue_declare(queue, exclusive=True)

        def answer(ch, method, properties, body):
            assert properties.reply_to.startswith('amq.rabbitmq.reply-to.'), properties.reply_to
            ch.basic_publish('', properties.reply_to, body.upper(), pika.BasicProperties(correlation_id=properties.correlation_id))
            ch.basic_ack(method.delivery_tag)

        server.basic_consume(queue, answer)
        replies = []
        client.basic_consume('amq.rabbitmq.reply-to', lambda _ch, _m, properties, body: replies.append((properties.correlation_id, body)), auto_ack=True)
        for number in range(3):
            client.basic_publish('', queue, b'question', pika.BasicProperties(reply_to='amq.rabbitmq.reply-to', correlation_id=str(number)))
        eventually(lambda: len(replies) == 3,
                   lambda: (server.connection.process_data_events(0.02), client.connection.process_data_events(0.02)), 'three replies')
        equal(replies, [(str(number), b'QUESTION') for number in range(3)])


@check('direct reply-to refuses acknowledgements, and requests without a reply consumer')
def _():
    with channel() as ch:
        with channel_closed(406, 'PRECONDITION_FAILED - reply consumer cannot acknowledge'):
            ch.basic_consume('amq.rabbitmq.reply-to', lambda *_: None)
    with channel() as ch:
        queue = own_queue(ch)
        with channel_closed(406, 'PRECONDITION_FAILED - fast reply consumer does not exist'):
            ch.basic_publish('', queue, b'x', pika.BasicProperties(reply_to='amq.rabbitmq.reply-to'))
            ch.queue_declare(queue, passive=True)


@check('a consumer sees a message that expires only if it is there in time')
def _():
    with connection() as conn:
        ch = conn.channel()
        queue = own_queue(ch, arguments={'x-message-ttl': 0})
        ch.confirm_delivery()
        ch.basic_publish('', queue, b'nobody waits')
        equal(count(ch, queue), 0)
        got = []
        ch.basic_consume(queue, lambda _ch, _m, _p, body: got.append(body), auto_ack=True)
        ch.basic_publish('', queue, b'somebody waits')
        consume_until(ch, lambda: got, 'the message')
        equal(got, [b'somebody waits'])


main()
