#!/usr/bin/env python3
"""Tutorial 3: tells everybody who listens."""
import os
import sys

import pika

connection = pika.BlockingConnection(pika.URLParameters(os.environ.get('BROKER_URL', 'amqp://localhost')))
channel = connection.channel()
channel.exchange_declare(exchange='logs', exchange_type='fanout')
message = ' '.join(sys.argv[1:]) or 'info: Hello World!'
channel.basic_publish(exchange='logs', routing_key='', body=message)
print(f' [x] Sent {message}')
connection.close()
