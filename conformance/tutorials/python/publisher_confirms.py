#!/usr/bin/env python3
"""Tutorial 7: three ways to know that the broker has what was published. Prints how many messages each way found in its queue."""
import os

import pika

COUNT = 1000
URL = pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost'))


def one_at_a_time():
    """basic_publish of a blocking channel in confirm mode returns when the broker has confirmed."""
    connection = pika.BlockingConnection(URL)
    channel = connection.channel()
    queue = channel.queue_declare(queue='', exclusive=True).method.queue
    channel.confirm_delivery()
    for number in range(COUNT):
        channel.basic_publish(exchange='', routing_key=queue, body=str(number))
    found = channel.queue_declare(queue=queue, passive=True).method.message_count
    connection.close()
    return found


def asynchronously(batch):
    """Publishes through callbacks, at most `batch` unconfirmed at a time; with `batch` equal to COUNT, all at once."""
    state = {'published': 0, 'outstanding': set(), 'found': None}

    def on_confirm(frame):
        tag = frame.method.delivery_tag
        assert isinstance(frame.method, pika.spec.Basic.Ack), 'refused'
        if frame.method.multiple:
            state['outstanding'] = {other for other in state['outstanding'] if other > tag}
        else:
            state['outstanding'].discard(tag)
        if not state['outstanding']:
            publish_batch()

    def publish_batch():
        if state['published'] == COUNT:
            state['channel'].queue_declare(queue=state['queue'], passive=True, callback=on_counted)
            return
        for _ in range(batch):
            state['published'] += 1
            state['outstanding'].add(state['published'])
            state['channel'].basic_publish(exchange='', routing_key=state['queue'], body=str(state['published']))

    def on_counted(frame):
        state['found'] = frame.method.message_count
        connection.close()

    def on_queue(frame):
        state['queue'] = frame.method.queue
        state['channel'].confirm_delivery(on_confirm, callback=lambda _frame: publish_batch())

    def on_channel(channel):
        state['channel'] = channel
        channel.queue_declare(queue='', exclusive=True, callback=on_queue)

    connection = pika.SelectConnection(URL, on_open_callback=lambda conn: conn.channel(on_open_callback=on_channel),
                                       on_close_callback=lambda _conn, _reason: connection.ioloop.stop())
    connection.ioloop.start()
    return state['found']


print(f'Published {one_at_a_time()} messages one at a time')
print(f'Published {asynchronously(100)} messages in batches')
print(f'Published {asynchronously(COUNT)} messages and handled confirms asynchronously')
