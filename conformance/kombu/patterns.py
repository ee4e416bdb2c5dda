"""What kombu builds on its entities: SimpleQueue, pools, mixins, mailboxes, heartbeats, retries."""

import socket
import threading
import time
from urllib.parse import urlparse

import kombu
from kombu import Consumer, Queue, pidbox
from kombu.mixins import ConsumerMixin, ConsumerProducerMixin
from kombu.pools import connections, producers
from kombu.simple import SimpleBuffer

from session import URL, connection, drain_until, own_queue
from checks import check, equal, eventually, main, unique
from relay import Relay


def relayed():
    target = urlparse(URL)
    relay = Relay(target.hostname, target.port or 5672)
    return relay, 'amqp://guest:guest@127.0.0.1:%d' % relay.port


@check('SimpleQueue puts, gets, counts, requeues and clears')
def _():
    with connection() as conn:
        queue = conn.SimpleQueue(unique('simple'), queue_opts={'durable': False, 'auto_delete': True, 'expires': 60})
        for number in range(3):
            queue.put({'number': number})
        eventually(lambda: queue.qsize() == 3, what='three messages')
        message = queue.get(timeout=5)
        equal(message.payload, {'number': 0})
        message.requeue()
        equal(sorted(queue.get(timeout=5).payload['number'] for _ in range(3)), [0, 1, 2])
        try:
            queue.get(block=False)
        except queue.Empty:
            pass
        else:
            raise AssertionError('it was not empty')
        queue.put('x')
        eventually(lambda: queue.clear() == 0, what='an empty queue')
        queue.close()
        conn.default_channel.exchange_delete(queue.queue.name)


@check('SimpleBuffer keeps nothing on the broker and acknowledges nothing')
def _():
    with connection() as conn:
        buffer = SimpleBuffer(conn.channel(), unique('buffer'), no_ack=True)
        buffer.put('passing')
        equal(buffer.get(timeout=5).payload, 'passing')
        buffer.close()


@check('pools hand out connections and producers')
def _():
    pool_connection = kombu.Connection(URL)
    queue = own_queue('pool', exclusive=False, auto_delete=True, expires=60)
    with connections[pool_connection].acquire(block=True) as conn:
        queue(conn.default_channel).declare()
        for number in range(10):
            with producers[conn].acquire(block=True) as producer:
                producer.publish(number, routing_key=queue.name, declare=[queue], retry=True)
        eventually(lambda: queue(conn.default_channel).queue_declare(passive=True).message_count == 10, what='ten messages')
        queue(conn.default_channel).delete()


@check('a ConsumerMixin runs until told to stop')
def _():
    queue = own_queue('mixin', exclusive=False, auto_delete=True, expires=60)

    class Worker(ConsumerMixin):
        def __init__(self, conn):
            self.connection = conn
            self.got = []

        def get_consumers(self, consumer_class, _channel):
            return [consumer_class([queue], callbacks=[self.on_task])]

        def on_task(self, body, message):
            self.got.append(body)
            message.ack()
            if len(self.got) == 5:
                self.should_stop = True

    with connection() as conn:
        worker = Worker(conn)
        with connection() as other:
            queue(other.default_channel).declare()
            for number in range(5):
                other.Producer().publish(number, routing_key=queue.name)
        worker.run()
        equal(worker.got, [0, 1, 2, 3, 4])


@check('a ConsumerMixin comes back after its connection was cut')
def _():
    relay, url = relayed()
    queue = own_queue('mixin', exclusive=False, expires=60)

    class Worker(ConsumerMixin):
        connect_max_retries = 50

        def __init__(self, conn):
            self.connection = conn
            self.got = []
            self.ready = 0

        def get_consumers(self, consumer_class, _channel):
            return [consumer_class([queue], callbacks=[self.on_task])]

        def on_consume_ready(self, *_args, **_kwargs):
            self.ready += 1

        def on_task(self, body, message):
            self.got.append(body)
            message.ack()

    worker = Worker(kombu.Connection(url))
    thread = threading.Thread(target=worker.run, daemon=True)
    thread.start()
    eventually(lambda: worker.ready == 1, what='the consumer')
    with connection() as conn:
        conn.Producer().publish('before', routing_key=queue.name)
        eventually(lambda: worker.got == ['before'], what='the first message')
        relay.cut()
        conn.Producer().publish('after', routing_key=queue.name)
        eventually(lambda: 'after' in worker.got, what='the second message')
        assert worker.ready >= 2 and relay.connections >= 2
        worker.should_stop = True
        conn.Producer().publish('stop', routing_key=queue.name)
        thread.join(10)
        assert not thread.is_alive()
        queue(conn.default_channel).delete()


@check('a ConsumerProducerMixin answers requests')
def _():
    queue = own_queue('rpc', exclusive=False, auto_delete=True, expires=60)

    class Server(ConsumerProducerMixin):
        def __init__(self, conn):
            self.connection = conn

        def get_consumers(self, consumer_class, _channel):
            return [consumer_class([queue], callbacks=[self.on_request])]

        def on_request(self, body, message):
            self.producer.publish({'result': body['n'] * 2}, routing_key=message.properties['reply_to'],
                                  correlation_id=message.properties['correlation_id'])
            message.ack()

    server = Server(kombu.Connection(URL))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    with connection() as conn:
        callback = own_queue('callback')
        replies = {}
        with Consumer(conn.default_channel, [callback], no_ack=True,
                      on_message=lambda message: replies.update({message.properties['correlation_id']: message.payload})):
            queue(conn.default_channel).declare()
            for number in range(5):
                conn.Producer().publish({'n': number}, routing_key=queue.name, reply_to=callback.name, correlation_id=str(number))
            drain_until(conn, lambda: len(replies) == 5, 'five replies')
        equal(replies, {str(number): {'result': number * 2} for number in range(5)})
        server.should_stop = True
        conn.Producer().publish({'n': 0}, routing_key=queue.name, reply_to=callback.name, correlation_id='last')
        thread.join(10)


@check('a mailbox broadcasts commands and collects replies, as celery control does')
def _():
    with connection() as conn:
        mailbox = pidbox.Mailbox(unique('mailbox'), type='fanout')(conn)
        node = mailbox.Node('node1@here', state={'n': 1}, channel=conn.channel())
        node.handlers['double'] = lambda state, number: {'ok': number * 2, 'state': state['n']}
        node_connection = kombu.Connection(URL)
        consumer = mailbox(node_connection).Node('node1@here', state={'n': 1}, handlers=node.handlers, channel=node_connection.channel()).listen()
        stop = threading.Event()

        def serve():
            while not stop.is_set():
                try:
                    node_connection.drain_events(timeout=0.1)
                except socket.timeout:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        replies = mailbox(conn).multi_call('double', {'number': 21}, timeout=2, limit=1)
        stop.set()
        thread.join(5)
        consumer.cancel()
        for exchange in (mailbox.exchange, mailbox.reply_exchange):
            conn.default_channel.exchange_delete(exchange.name)
        equal(replies, [{'node1@here': {'ok': 42, 'state': 1}}])


@check('heartbeat_check keeps an idle connection alive')
def _():
    with connection(heartbeat=1) as conn:
        assert conn.supports_heartbeats and conn.get_heartbeat_interval() == 1
        began = time.monotonic()

        def tick():
            try:
                conn.drain_events(timeout=0.2)
            except socket.timeout:
                pass
            conn.heartbeat_check(rate=2)

        # idleness itself is what is checked: more than two intervals must pass
        eventually(lambda: time.monotonic() - began > 3, tick, 'the time to pass')
        Queue(unique('alive'), exclusive=True)(conn.default_channel).declare()


@check('ensure publishes again over a new connection')
def _():
    relay, url = relayed()
    with connection() as control:
        queue = own_queue('ensure', exclusive=False, expires=60)
        queue(control.default_channel).declare()
        with kombu.Connection(url) as conn:
            producer = conn.Producer()
            producer.publish('before', routing_key=queue.name)
            eventually(lambda: queue(control.default_channel).queue_declare(passive=True).message_count == 1, what='the first message')
            relay.cut()
            errors = []
            policy = {'max_retries': 20, 'interval_start': 0.05, 'interval_step': 0.05, 'interval_max': 0.2, 'errback': lambda error, _in: errors.append(error)}

            def reached():
                # a send into a connection that was just cut may succeed on this side: the retry is seen with the next one
                producer.publish('after', routing_key=queue.name, retry=True, retry_policy=policy)
                return relay.connections >= 2

            eventually(reached, what='a second connection')
            eventually(lambda: queue(control.default_channel).queue_declare(passive=True).message_count >= 2, what='the second message')
        queue(control.default_channel).delete()


@check('the URL of a connection may name the virtual host in several ways')
def _():
    host = urlparse(URL).netloc
    for url in ('amqp://%s//' % host, 'amqp://%s/%%2F' % host, 'pyamqp://%s//' % host, 'amqp://%s' % host):
        with connection(url) as conn:
            assert conn.connected, url
            equal(conn.virtual_host in ('/', None), True, 'virtual host of %s' % url)
    info = kombu.Connection('amqp://%s//' % host)
    info.connect()
    equal(info.connection.server_properties['product'], 'RabbitMQ')
    info.release()


main()
