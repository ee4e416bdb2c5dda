"""Publisher confirms and transactions through pika's BlockingConnection."""

import pika
import pika.exceptions

from session import await_count, channel, channel_closed, count, get_one, own_queue
from checks import check, equal, main


@check('publishing with confirms returns when the broker has the message')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        queue = own_queue(ch)
        for number in range(100):
            ch.basic_publish('', queue, b'%d' % number, pika.BasicProperties(delivery_mode=2))
        equal(count(ch, queue), 100)


@check('an unroutable message is confirmed; a mandatory one raises UnroutableError')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        ch.basic_publish('amq.direct', 'nobody', b'x')
        try:
            ch.basic_publish('amq.direct', 'nobody', b'x', mandatory=True)
        except pika.exceptions.UnroutableError as error:
            equal([(m.method.reply_code, m.body) for m in error.messages], [(312, b'x')])
            return
        raise AssertionError('no UnroutableError')


@check('a full queue with reject-publish answers with a nack, and takes messages again when emptied')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        queue = own_queue(ch, arguments={'x-max-length': 2, 'x-overflow': 'reject-publish'})
        ch.basic_publish('', queue, b'1')
        ch.basic_publish('', queue, b'2')
        for _ in range(2):
            try:
                ch.basic_publish('', queue, b'3')
            except pika.exceptions.NackError:
                continue
            raise AssertionError('no nack')
        equal(get_one(ch, queue)[2], b'1')
        ch.basic_publish('', queue, b'4')
        equal([get_one(ch, queue)[2] for _ in range(2)], [b'2', b'4'])


@check('a transaction publishes on commit')
def _():
    with channel() as ch, channel() as other:
        queue = own_queue(ch)
        ch.tx_select()
        for body in (b'1', b'2'):
            ch.basic_publish('', queue, body)
        equal(count(ch, queue), 0)
        ch.tx_commit()
        await_count(ch, queue, 2)
        own_queue(other)


@check('a transaction that is rolled back publishes nothing and leaves messages unsettled')
def _():
    with channel() as ch:
        queue = own_queue(ch)
        ch.basic_publish('', queue, b'taken')
        tag = get_one(ch, queue, auto_ack=False)[0].delivery_tag
        ch.tx_select()
        ch.basic_publish('', queue, b'never')
        ch.basic_ack(tag)
        ch.tx_rollback()
        equal(count(ch, queue), 0)
        ch.basic_nack(tag, requeue=True)
        ch.tx_commit()
        await_count(ch, queue, 1)
        equal(get_one(ch, queue)[2], b'taken')


@check('confirms and transactions do not mix on a channel')
def _():
    with channel() as ch:
        ch.confirm_delivery()
        with channel_closed(406, 'PRECONDITION_FAILED - cannot switch from confirm to tx mode'):
            ch.tx_select()
    with channel() as ch:
        ch.tx_select()
        with channel_closed(406, 'PRECONDITION_FAILED - cannot switch from tx to confirm mode'):
            ch.confirm_delivery()


@check('committing without a transaction closes the channel with 406')
def _():
    with channel() as ch:
        with channel_closed(406, 'PRECONDITION_FAILED - channel is not transactional'):
            ch.tx_commit()


main()
