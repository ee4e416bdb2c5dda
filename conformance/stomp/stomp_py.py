"""stomp.py: every version of the protocol, and pika on the other side."""

import os
import queue
import sys

import pika
import stomp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from checks import check, equal, eventually, main, unique  # noqa: E402

HOSTS = [('127.0.0.1', int(os.environ['STOMP_PORT']))]
CONNECTIONS = {'1.0': stomp.Connection10, '1.1': stomp.Connection11, '1.2': stomp.Connection12}


class Inbox(stomp.ConnectionListener):
    def __init__(self):
        self.messages = queue.Queue()
        self.errors = queue.Queue()
        self.receipts = queue.Queue()
        self.is_gone = False

    def on_message(self, frame):
        self.messages.put(frame)

    def on_error(self, frame):
        self.errors.put(frame)

    def on_receipt(self, frame):
        self.receipts.put(frame.headers['receipt-id'])

    def on_disconnected(self):
        self.is_gone = True


class Client:
    def __init__(self, version='1.2', user='guest', password='guest', **options):
        # Left out, the host header of 1.2 would be the machine's name, and no virtual host is called so.
        if version != '1.0':
            options['vhost'] = '/'
        self.connection = CONNECTIONS[version](HOSTS, **options)
        self.inbox = Inbox()
        self.connection.set_listener('', self.inbox)
        self.connection.connect(user, password, wait=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.connection.is_connected():
            self.connection.disconnect()

    def message(self):
        return self.inbox.messages.get(timeout=10)

    def receipt(self):
        return self.inbox.receipts.get(timeout=10)


def with_pika(action):
    connection = pika.BlockingConnection(pika.URLParameters(os.environ['BROKER_URL']))
    try:
        return action(connection.channel())
    finally:
        connection.close()


for version in CONNECTIONS:

    @check('a message is sent and received in version %s' % version)
    def _(version=version):
        name = '/queue/' + unique('queue')
        with Client(version) as client:
            ids = {} if version == '1.0' else {'id': '1'}
            client.connection.subscribe(name, ack='auto', **ids, headers={'durable': 'false', 'auto-delete': 'true', 'exclusive': 'false'})
            client.connection.send(name, 'grüße', content_type='text/plain', headers={'durable': 'false', 'auto-delete': 'true', 'exclusive': 'false', 'x': 'a'})
            frame = client.message()
            equal((frame.body, frame.headers['destination'], frame.headers['x'], frame.headers['content-type']), ('grüße', name, 'a', 'text/plain'))
            equal(frame.headers['redelivered'], 'false')


@check('headers are escaped both ways in 1.2')
def _():
    name = '/topic/' + unique('topic')
    with Client() as client:
        client.connection.subscribe(name, id='1', receipt='subscribed')
        equal(client.receipt(), 'subscribed')
        client.connection.send(name, 'x', headers={'odd': 'a:b\nc\\d\re'})
        equal(client.message().headers['odd'], 'a:b\nc\\d\re')


@check('a wrong password is refused')
def _():
    try:
        Client(password='wrong')
    except stomp.exception.ConnectFailedException:
        return
    raise AssertionError('there was no error')


@check('messages are acknowledged one by one, and what is not comes back')
def _():
    name = '/queue/' + unique('queue')
    with Client() as sender:
        for number in range(3):
            sender.connection.send(name, str(number), receipt=str(number))
            equal(sender.receipt(), str(number))
    with Client() as first:
        first.connection.subscribe(name, id='1', ack='client-individual')
        frames = [first.message() for _ in range(3)]
        equal([frame.body for frame in frames], ['0', '1', '2'])
        first.connection.ack(frames[1].headers['ack'], receipt='acked')
        equal(first.receipt(), 'acked')
    with Client() as second:
        second.connection.subscribe(name, id='1', ack='client')
        frames = [second.message() for _ in range(2)]
        equal([(frame.body, frame.headers['redelivered']) for frame in frames], [('0', 'true'), ('2', 'true')])
        second.connection.ack(frames[1].headers['ack'], receipt='acked')
        equal(second.receipt(), 'acked')
    with_pika(lambda channel: (equal(channel.queue_declare(name[7:], passive=True).method.message_count, 0), channel.queue_delete(name[7:])))


@check('a NACK without requeue goes to the dead-letter exchange')
def _():
    name, dead = unique('queue'), unique('dead')
    arguments = {'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': dead}
    with_pika(lambda channel: channel.queue_declare(dead, durable=True))
    with Client() as client:
        client.connection.subscribe('/queue/' + name, id='1', ack='client-individual', headers=arguments)
        client.connection.send('/queue/' + name, 'bad', headers=arguments)
        client.connection.nack(client.message().headers['ack'], requeue='false')
        client.connection.subscribe('/amq/queue/' + dead, id='2')
        equal(client.message().body, 'bad')
        client.connection.unsubscribe(id='1')
    with_pika(lambda channel: [channel.queue_delete(each) for each in (name, dead)])


@check('transactions are committed and aborted')
def _():
    name = unique('queue')
    with Client() as client:
        transaction = client.connection.begin()
        client.connection.send('/queue/' + name, 'lost', transaction=transaction)
        client.connection.abort(transaction)
        transaction = client.connection.begin()
        client.connection.send('/queue/' + name, 'kept', transaction=transaction)
        client.connection.commit(transaction)
        client.connection.subscribe('/queue/' + name, id='1')
        equal(client.message().body, 'kept')
    with_pika(lambda channel: channel.queue_delete(name))


@check('properties of a message are the same for AMQP')
def _():
    name = unique('queue')

    def both(channel):
        channel.queue_declare(name, durable=True)
        with Client() as client:
            client.connection.send(
                '/queue/' + name,
                'body',
                content_type='text/x',
                receipt='sent',
                headers={'persistent': 'true', 'priority': '3', 'correlation-id': 'c', 'reply-to': 'r', 'amqp-message-id': 'm', 'type': 't', 'app-id': 'a', 'expiration': '50000', 'mine': '1'},
            )
            equal(client.receipt(), 'sent')
            _, properties, body = eventually(lambda: (lambda got: got if got[0] else None)(channel.basic_get(name, auto_ack=True)))
            equal(body, b'body')
            equal(
                (properties.content_type, properties.delivery_mode, properties.priority, properties.correlation_id, properties.reply_to, properties.message_id, properties.type, properties.app_id, properties.expiration),
                ('text/x', 2, 3, 'c', 'r', 'm', 't', 'a', '50000'),
            )
            equal(properties.headers['mine'], '1')
            client.connection.subscribe('/queue/' + name, id='1')
            channel.basic_publish('', name, b'answer', pika.BasicProperties(content_type='text/y', headers={'text': 'a:b', 'number': 7}, reply_to='back', delivery_mode=2))
            frame = client.message()
            equal((frame.body, frame.headers['content-type'], frame.headers['text'], frame.headers['number'], frame.headers['reply-to'], frame.headers['persistent']), ('answer', 'text/y', 'a:b', '7', '/reply-queue/back', 'true'))
        channel.queue_delete(name)

    with_pika(both)


@check('a durable subscription collects messages while nobody is there')
def _():
    name = '/topic/' + unique('topic')
    headers = {'durable': 'true', 'auto-delete': 'false'}
    with Client() as client:
        client.connection.subscribe(name, id='durable', headers={**headers, 'receipt': 'r'})
        client.receipt()
    with Client() as client:
        client.connection.send(name, 'while away', receipt='sent')
        client.receipt()
        client.connection.subscribe(name, id='durable', headers=headers)
        equal(client.message().body, 'while away')
        client.connection.unsubscribe(id='durable', headers={'durable': 'true', 'receipt': 'gone'})
        equal(client.receipt(), 'gone')


@check('a request is answered to a temporary queue')
def _():
    name = '/topic/' + unique('questions')
    with Client() as asking, Client() as answering:
        answering.connection.subscribe(name, id='1', receipt='subscribed')
        answering.receipt()
        asking.connection.send(name, 'question', headers={'reply-to': '/temp-queue/mine'})
        question = answering.message()
        answering.connection.send(question.headers['reply-to'], 'answer')
        answer = asking.message()
        equal((answer.body, answer.headers['subscription']), ('answer', '/temp-queue/mine'))


@check('an error is told with RabbitMQ\'s message')
def _():
    client = Client()
    client.connection.subscribe('/amq/queue/' + unique('absent'), id='1')
    frame = client.inbox.errors.get(timeout=10)
    equal(frame.headers['message'], 'not_found')
    eventually(lambda: client.inbox.is_gone, what='the end of the connection')


@check('an unknown destination is told, and the session goes on')
def _():
    with Client() as client:
        client.connection.send('/nowhere/x', 'x')
        frame = client.inbox.errors.get(timeout=10)
        equal((frame.headers['message'], frame.body.split('\n')[0]), ('Unknown destination', "'/nowhere/x' is not a valid destination."))
        client.connection.send('/topic/' + unique('topic'), 'x', receipt='still here')
        equal(client.receipt(), 'still here')


@check('heart-beats keep a silent connection open')
def _():
    import time

    with Client(heartbeats=(1000, 1000)) as client:
        time.sleep(3.5)
        assert client.connection.is_connected() and not client.inbox.is_gone


main()
