"""Prints what is in the queue, and what was declared."""
import os
import sys

import pika
import pika.exceptions

queue = sys.argv[1]
connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
for exists in (lambda ch: ch.exchange_declare(queue + '.exchange', passive=True), lambda ch: ch.queue_declare(queue + '.transient', passive=True)):
    try:
        exists(connection.channel())
        print('there')
    except pika.exceptions.ChannelClosedByBroker as error:
        print('gone', error.reply_code)
# declared again with the same arguments, as programs do
channel.queue_declare(queue=queue, durable=True, arguments={'x-max-priority': 3})
while True:
    method, properties, body = channel.basic_get(queue, auto_ack=True)
    if method is None:
        break
    print(body.decode(), properties.message_id, properties.headers, method.routing_key)
channel.basic_publish(queue + '.exchange', 'kept.again', 'the binding is there')
for method, _properties, body in channel.consume(queue, auto_ack=True, inactivity_timeout=10):
    print(body and body.decode())
    break
channel.cancel()
channel.queue_delete(queue)
channel.exchange_delete(queue + '.exchange')
connection.close()
