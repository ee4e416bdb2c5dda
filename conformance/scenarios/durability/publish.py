"""Publishes persistent messages to a durable queue with confirms, and transient ones to the same queue."""
import os
import sys

import pika

queue, count = sys.argv[1], int(sys.argv[2])
connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.exchange_declare(queue + '.exchange', 'topic', durable=True)
channel.queue_declare(queue=queue, durable=True, arguments={'x-max-priority': 3})
channel.queue_bind(queue, queue + '.exchange', 'kept.#')
channel.queue_declare(queue=queue + '.transient', durable=False)
channel.confirm_delivery()
for number in range(count):
    channel.basic_publish(queue + '.exchange', 'kept.%d' % number, 'persistent %d' % number,
                          pika.BasicProperties(delivery_mode=2, message_id=str(number), headers={'number': number}))
    channel.basic_publish('', queue, 'transient %d' % number)
# one message was in a consumer's hands
method, _properties, body = channel.basic_get(queue)
print('unacknowledged:', body.decode())
print('confirmed', count)
connection.close()
