"""A first producer: what to send comes from the command line."""
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
channel.basic_publish(exchange='', routing_key=sys.argv[1], body=sys.argv[2])
print('sent', sys.argv[2])
connection.close()
