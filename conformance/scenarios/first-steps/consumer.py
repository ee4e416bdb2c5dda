"""A first consumer: prints what comes until Ctrl+C."""
import os
import sys
from urllib.parse import urlparse

import pika

address = urlparse(os.environ.get('BROKER_URL', 'amqp://localhost:5672'))
credentials = pika.PlainCredentials('guest', 'guest')
parameters = pika.ConnectionParameters(host=address.hostname, port=address.port, virtual_host='/', credentials=credentials)
connection = pika.BlockingConnection(parameters)
channel = connection.channel()
channel.queue_declare(queue=sys.argv[1])


def callback(ch, method, properties, body):
    print('received', body.decode())


channel.basic_consume(queue=sys.argv[1], on_message_callback=callback, auto_ack=True)
print('waiting')
try:
    channel.start_consuming()
except KeyboardInterrupt:
    channel.queue_delete(sys.argv[1])
    connection.close()
    print('bye')
